/** Which memory moves between threads instead of being copied: all that is made for the journey. */
import type { TypedArray } from "../dtype.js";
import type { ShardResult, ShardTask } from "./replica.js";

/** The memory of a task, where `args` have one. */
export function taskBuffers(args: readonly unknown[]): ArrayBuffer[] {
  const [task] = args;
  if (!isOf<ShardTask>(task, "tables")) return [];
  const tables = task.tables.flatMap((table) => (table ? [table.data] : []));
  return buffersOf([...tables, ...task.buffers, ...(task.assignment?.vectors ?? [])]);
}

/** The memory of a result, if `value` is one. */
export function resultBuffers(value: unknown): ArrayBuffer[] {
  if (!isOf<ShardResult>(value, "vectors")) return [];
  const { vectors, output, mask } = value;
  return buffersOf([...vectors, ...[output, mask].flatMap((table) => (table ? [table.data] : []))]);
}

function isOf<Kind extends object>(value: unknown, field: keyof Kind & string): value is Kind {
  return typeof value === "object" && value !== null && field in value;
}

function buffersOf(arrays: readonly TypedArray[]): ArrayBuffer[] {
  return arrays.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}
