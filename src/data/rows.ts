/** Rows of numbers, one after the other in one array. */
import type { TypedArray } from "../dtype.js";
import { ArgumentError } from "../errors.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";

/** Rows of one shape: `data` holds `shape[0]` of them. */
export interface Table {
  readonly data: TypedArray;
  readonly shape: Shape;
}

/**
 * Copies rows of `table` by number, into the beginning of `into` where it is given, so that a loop
 * over batches needs one buffer: `shape` is `[rows.length, ...]`. Throws ArgumentError for a row
 * that is not there, and a buffer that is too small or of another type.
 */
export function gatherRows(table: Table, rows: ArrayLike<number>, into?: TypedArray): Table {
  const [count = 0, ...inner] = table.shape;
  const width = sizeOf(inner);
  const length = rows.length * width;
  const Made = table.data.constructor as new (length: number) => TypedArray;
  const buffer = into ?? new Made(length);
  if (!(buffer instanceof Made) || buffer.length < length) {
    throw new ArgumentError(
      `gatherRows: ${length} elements of ${Made.name} do not go into ` +
        `${buffer.length} of ${buffer.constructor.name}`,
    );
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (!(Number.isInteger(row) && row >= 0 && row < count)) {
      throw new ArgumentError(`gatherRows: row ${row} is none of ${count}`);
    }
    buffer.set(table.data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { data: buffer.subarray(0, length), shape: [rows.length, ...inner] };
}
