/** Where values stand while a Program is being built. */
import type { DType } from "../dtype.js";
import { dtypes } from "../dtype.js";
import type { Layout } from "../shape.js";

/** A buffer of the Program: a slot, or a run of the arena whose offset is planned last. */
export interface Buffer {
  readonly bytes: number;
  /** Which slot it is; undefined in the arena. */
  readonly slot: number | undefined;
}

/** A byte in a buffer, or in the words the Program carries. */
export interface Place {
  readonly buffer: Buffer | "constants";
  readonly offset: number;
}

/** A value's elements in a buffer. */
export interface Placed {
  readonly buffer: Buffer;
  readonly layout: Layout;
}

/** The byte of the first element. */
export function startOf({ buffer, layout }: Placed, dtype: DType): Place {
  return { buffer, offset: layout.offset * dtypes[dtype].bytes };
}
