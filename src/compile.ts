/** Functions traced once and replayed: the training step. */
import { ArgumentError, StateError } from "./errors.js";
import { bind, commitOverwrites, currentStorage, execute, flush, realize } from "./evaluate.js";
import type { Dynamic } from "./graph.js";
import { Storage, storedValue, Value } from "./graph.js";
import { describe, peakBytes } from "./program/describe.js";
import type { Plan } from "./program/plan.js";
import { plan } from "./program/plan.js";
import type { Variable } from "./tensor.js";
import { Tensor } from "./tensor.js";
import { withTrace } from "./trace.js";
import { collectUpdates, hasUpdates } from "./updates.js";

/** What a compiled function may return: a tensor, or tensors by number or name. */
export type Results = Tensor | readonly Tensor[] | { readonly [name: string]: Tensor } | void;

/** One trace: the function for arguments of one set of shapes and dtypes. */
interface Traced<R extends Results> {
  readonly plan: Plan;
  readonly results: R;
  readonly targets: readonly Value[];
  readonly overwrites: readonly { variable: Variable; before: Value; after: Value }[];
  /** Buffers of the data that is made anew for each replay. */
  readonly dynamics: ReadonlyMap<Value, Storage>;
}

/** A function compiled to a Program for each set of argument shapes. */
export interface Compiled<P extends readonly Tensor[], R extends Results> {
  /** Runs the function; the results hold data. Updates of variables happen in place. */
  (...args: P): Promise<R>;
  /** The Program for such arguments, as text; nothing runs. */
  describe(...args: P): string;
  /** Bytes in memory while the Program for such arguments runs; nothing runs. */
  peakBytes(...args: P): number;
}

/**
 * Compiles `body`, a function of tensors that may also update variables (`optimizer.step()`). It
 * is called once for each set of argument shapes, to record it; its Program is replayed for every
 * call. What `body` does besides tensor ops happens at recording only.
 */
export function compile<P extends readonly Tensor[], R extends Results>(
  body: (...args: P) => R,
): Compiled<P, R> {
  const traces = new Map<string, Traced<R>>();
  const traced = (args: P): Traced<R> => {
    const signature = args.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join();
    let found = traces.get(signature);
    if (!found) {
      found = trace(body, args);
      traces.set(signature, found);
    }
    return found;
  };
  const call = async (...args: P): Promise<R> => replay(traced(args), args);
  return Object.assign(call, {
    describe: (...args: P) => describe(traced(args).plan.program),
    peakBytes: (...args: P) => peakBytes(traced(args).plan.program),
  });
}

function trace<P extends readonly Tensor[], R extends Results>(
  body: (...args: P) => R,
  args: P,
): Traced<R> {
  // Assignments made before belong to whoever made them.
  if (hasUpdates()) flush();
  const inputs = args.map(argument);
  const { result, updates } = collectUpdates(() =>
    withTrace(() => body(...(inputs as readonly Tensor[] as P))),
  );
  const overwrites = [...updates].map(([variable, before]) => {
    const after = variable.value;
    variable.adopt(before);
    return { variable, before, after };
  });
  const tensors = listOf(result);
  if (tensors.length + overwrites.length === 0) {
    throw new ArgumentError("compile: the function returns no tensor and updates no variable");
  }
  const targets = tensors.map((tensor) => tensor.value);
  const planned = plan({ targets, overwrites });
  const dynamics = new Map<Value, Storage>();
  for (const leaf of planned.leaves) {
    if (leaf.source?.kind === "dynamic") dynamics.set(leaf, new Storage(leaf.bytes));
  }
  return { plan: planned, results: result, targets, overwrites, dynamics };
}

function argument({ shape, dtype, requiresGrad }: Tensor, index: number): Tensor {
  const tensor = new Tensor(new Value(shape, dtype, { source: { kind: "argument", index } }));
  tensor.requiresGrad = requiresGrad;
  return tensor;
}

async function replay<R extends Results>(traced: Traced<R>, args: readonly Tensor[]): Promise<R> {
  if (hasUpdates()) flush();
  realize(args.map((arg) => arg.value));
  const overwrites = traced.overwrites.map((overwrite) => ({
    ...overwrite,
    before: overwrite.variable.value,
  }));
  const outputs = traced.targets.map((value) => new Storage(value.bytes));
  const provided: Dynamic[] = [];
  const bufferOf = (leaf: Value): Storage => {
    if (leaf.source?.kind === "argument") return currentStorage(args[leaf.source.index]!.value);
    if (leaf.source?.kind === "dynamic") {
      const storage = traced.dynamics.get(leaf)!;
      storage.host = leaf.source.provide();
      provided.push(leaf.source);
      return storage;
    }
    // A variable's content moves from buffer to buffer: the present one is meant.
    return currentStorage(leaf.variable?.value ?? leaf);
  };
  try {
    await execute(bind(traced.plan, outputs, bufferOf));
  } catch (error) {
    for (const { undo } of provided) undo();
    throw error;
  }
  commitOverwrites(overwrites);
  const values = traced.targets.map((value, index) =>
    storedValue(outputs[index]!, value.shape, value.dtype),
  );
  return rebuild(traced.results, values);
}

function listOf(results: Results): readonly Tensor[] {
  if (!results) return [];
  if (results instanceof Tensor) return [results];
  const list: readonly unknown[] = Array.isArray(results) ? results : Object.values(results);
  return list.map((entry, index) => {
    if (entry instanceof Tensor) return entry;
    throw new StateError(`compile: result ${index} is ${typeof entry}, not a tensor`);
  });
}

/** Results of the same form as those traced, with `values` in their places. */
function rebuild<R extends Results>(form: R, values: readonly Value[]): R {
  const tensors = values.map((value) => new Tensor(value));
  if (!form) return form;
  if (form instanceof Tensor) return tensors[0] as R;
  if (Array.isArray(form)) return tensors as readonly Tensor[] as R;
  const names = Object.keys(form);
  return Object.fromEntries(names.map((name, index) => [name, tensors[index]])) as R;
}
