/**
 * A Program: what the planner makes of a graph and threads run. It is plain data, so it can be
 * cached, posted to a worker, replayed, printed and measured.
 */

/** A place in memory: a byte offset into one of a Program's buffers. */
export interface Pointer {
  /** `constants`, `arena`, or the number of a slot. */
  readonly buffer: "constants" | "arena" | number;
  readonly offset: number;
}

/** One argument of a kernel: a number as it is, or a place that is an address only at run time. */
export type Argument = number | Pointer;

/** One kernel call, run by every thread of the team, with a barrier behind it. */
export interface Call {
  readonly kernel: string;
  /** Whether the kernel is that of the engine's module for float64, which is loaded at the first. */
  readonly double?: boolean;
  /** The arguments after `team`. */
  readonly args: readonly Argument[];
  /** What the call computes, for `describe()` and errors: `matmul [32, 128]`. */
  readonly label: string;
}

/** A buffer that outlives a run: an input, an output, or both (updated in place). */
export interface Slot {
  readonly bytes: number;
  /** `in`: read; `out`: written, made by this run; `inout`: read, then overwritten. */
  readonly role: "in" | "out" | "inout";
}

/** Kernel calls over buffers whose sizes are known; addresses are bound at run time. */
export interface Program {
  /** Unique to the structure: equal keys mean equal Programs. */
  readonly key: number;
  readonly calls: readonly Call[];
  /** Words that calls point into: shapes, strides, elementwise code. */
  readonly constants: readonly number[];
  readonly arenaBytes: number;
  readonly slots: readonly Slot[];
}
