/** What is particular to recording a function that will be replayed. */
import type { DType } from "./dtype.js";
import type { Dynamic } from "./graph.js";
import { hostValue, Value } from "./graph.js";
import type { Shape } from "./shape.js";
import { Tensor } from "./tensor.js";

/** A recording under way. */
export interface Trace {
  /** The random key shared by the recording's random ops; each draws from a stream of its own. */
  key: Tensor | undefined;
  streams: number;
}

let current: Trace | undefined;

/** The recording under way, if a function is being traced. */
export function currentTrace(): Trace | undefined {
  return current;
}

/** Runs `body` as a recording to be replayed. */
export function withTrace<T>(body: () => T): T {
  const outer = current;
  current = { key: undefined, streams: 0 };
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** Host data that a traced function gets anew at each replay; elsewhere it is made once, now. */
export function dynamic(data: Dynamic, shape: Shape, dtype: DType): Tensor {
  if (!current) return new Tensor(hostValue(data.provide(), shape, dtype));
  return new Tensor(new Value(shape, dtype, { source: { kind: "dynamic", ...data } }));
}
