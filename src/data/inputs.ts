/** What users pass as data, as one table of rows. */
import { isObject, shown } from "../checks.js";
import type { Table } from "./rows.js";
import type { DType, TypedArray } from "../dtype.js";
import { isTypedArray } from "../dtype.js";
import { ArgumentError, DataError, DTypeError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, isShape, sizeOf } from "../shape.js";
import type { NestedNumbers } from "../tensor.js";
import { flattenNested, Tensor } from "../tensor.js";

/** Token ids as a vectorizer gives them, `[texts, length]`. */
export interface TokenTable {
  readonly ids: Int32Array;
  readonly shape: Shape;
}

/** Data that training takes: nested numbers, a typed array of single numbers, or a table. */
export type Input = readonly NestedNumbers[] | TypedArray | Table | TokenTable;

/**
 * `input` as a table. Nested numbers become int32 where `whole` says so and all are whole (labels),
 * float64 where it says that, and else float32.
 */
export function tableOf(name: string, input: Input, whole: DType): Table {
  const table = rawTable(name, input, whole);
  if (table.shape.length === 0) throw new DataError(`${name} is a single number, not rows`);
  if (table.shape[0] === 0) {
    throw new DataError(`${name} is empty: there is nothing to train on or to predict`);
  }
  return table;
}

/** The same, of any number of rows. */
export function rawTable(name: string, input: Input, whole: DType): Table {
  if (ArrayBuffer.isView(input)) return { data: typed(name, input), shape: [input.length] };
  if (input instanceof Tensor) {
    throw new DataError(`${name} is a Tensor; pass { data: await x.data(), shape: x.shape }`);
  }
  if (!Array.isArray(input)) {
    if (isObject(input)) return checkedTable(name, input);
    throw new ArgumentError(`${name} is ${shown(input)}; ${expected}`);
  }
  const { numbers, shape } = flattenNested(name, input);
  if (whole === "float64") return { data: Float64Array.from(numbers), shape };
  // Whole numbers that int32 holds.
  const labels = whole === "int32" && numbers.every((number) => (number | 0) === number);
  return { data: labels ? Int32Array.from(numbers) : Float32Array.from(numbers), shape };
}

const expected = "expected are nested numbers, a typed array, or { data, shape }";

/** A typed array, or what was given for one. Throws DTypeError for those without a dtype. */
function typed(name: string, data: unknown): TypedArray {
  if (isTypedArray(data)) return data;
  const kind = ArrayBuffer.isView(data) ? data.constructor.name : shown(data);
  throw new DTypeError(
    `${name} holds its numbers in ${kind}; ` +
      "use a Float32Array, Float64Array, Int32Array or Uint8Array",
  );
}

function checkedTable(name: string, input: Readonly<Record<string, unknown>>): Table {
  const { ids, data = ids, shape } = input;
  if (data === undefined) {
    const keys = Object.keys(input).join(", ") || "no fields";
    throw new ArgumentError(`${name} is an object of ${keys}; ${expected}`);
  }
  const content = typed(name, data);
  if (!isShape(shape)) {
    throw new DataError(`${name}: its shape is no list of whole numbers ≥ 0`);
  }
  if (sizeOf(shape) !== content.length) {
    throw new DataError(
      `${name}: ${content.length} numbers do not fill the shape ${formatShape(shape)}`,
    );
  }
  return { data: content, shape };
}

/** The rows from `start` up to `end`. */
export function sliceRows({ data, shape }: Table, start: number, end: number): Table {
  const width = sizeOf(shape.slice(1));
  return {
    data: data.subarray(start * width, end * width),
    shape: [end - start, ...shape.slice(1)],
  };
}

/** Throws DataError unless the tables have a row for a row. */
export function checkSameRows(
  x: Table,
  others: { readonly [name: string]: Table | undefined },
): void {
  for (const [name, table] of Object.entries(others)) {
    if (!table || table.shape[0] === x.shape[0]) continue;
    throw new DataError(
      `x has ${x.shape[0]} rows, ${name} has ${table.shape[0]}: one is needed each`,
    );
  }
}
