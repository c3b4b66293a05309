/** Elements side by side in a batch: numbers in one array, all else in lists. */
import type { TypedArray } from "../dtype.js";
import { DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import { flattenNested } from "../tensor.js";
import type { Table } from "./rows.js";

/** Numbers of any depth, or an array of a shape: what batches are made of. */
type Numeric = number | boolean | TypedArray | Table;

/** A field of an element, in a batch: `[batch, ...]` for numbers, a list for all else. */
export type BatchField<T> = T extends Numeric | readonly number[] | readonly (readonly number[])[]
  ? Table
  : T[];

/** An element's fields in a batch: those of a tuple or object each, or the element itself. */
export type Batch<T> = T extends Numeric | string
  ? BatchField<T>
  : T extends readonly unknown[]
    ? { -readonly [K in keyof T]: BatchField<T[K]> }
    : T extends object
      ? { -readonly [K in keyof T]: BatchField<T[K]> }
      : T[];

/** How arrays of different lengths are brought to one. */
export interface Padding {
  /** What fills arrays up. Default: 0. */
  readonly value?: number;
  /** The length of the first axis. Default: the longest of the batch. */
  readonly length?: number;
}

/** Elements as a batch. Throws DataError, naming the field, where their shapes differ. */
export function collate<T>(elements: readonly T[], padding?: Padding): Batch<T> {
  const [first] = elements;
  const column = (pick: (element: T) => unknown, name: string): unknown =>
    collateField(elements.map(pick), name, padding);
  if (isPlainObject(first)) {
    const names = Object.keys(first);
    const columns = names.map((name) => [
      name,
      column((element) => (isPlainObject(element) ? element[name] : undefined), name),
    ]);
    return Object.fromEntries(columns) as Batch<T>;
  }
  if (Array.isArray(first)) {
    const wrong = elements.findIndex(
      (element) => !Array.isArray(element) || element.length !== first.length,
    );
    if (wrong >= 0) {
      throw new DataError(
        `Dataset.batch: the first element has ${first.length} fields, element ${wrong} of the ` +
          "batch does not",
      );
    }
    return first.map((_, index) =>
      column((element) => (element as readonly unknown[])[index], String(index)),
    ) as Batch<T>;
  }
  return column((element) => element, "") as Batch<T>;
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isTable(value);
}

function isTable(value: object): value is Table {
  return (
    "data" in value &&
    ArrayBuffer.isView(value.data) &&
    "shape" in value &&
    Array.isArray(value.shape)
  );
}

function collateField(values: readonly unknown[], name: string, padding?: Padding): unknown {
  const tables = values.map(asTable);
  if (tables.every((table) => table !== undefined)) return stacked(tables, name, padding);
  if (tables.every((table) => table === undefined)) return [...values];
  throw new DataError(
    `Dataset.batch: ${fieldName(name)} is numbers in some elements and something else in others`,
  );
}

function fieldName(name: string): string {
  return name === "" ? "the element" : `field ${name}`;
}

/** `value` as numbers with a shape; undefined where it is something else. */
function asTable(value: unknown): Table | undefined {
  if (typeof value === "number" || typeof value === "boolean") {
    return { data: Float32Array.of(Number(value)), shape: [] };
  }
  if (
    value instanceof Float32Array ||
    value instanceof Float64Array ||
    value instanceof Int32Array ||
    value instanceof Uint8Array
  ) {
    return { data: value, shape: [value.length] };
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (isTable(value)) return value;
  if (!Array.isArray(value) || !isNestedNumbers(value)) return undefined;
  const { numbers, shape } = flattenNested("Dataset.batch", value);
  return { data: Float32Array.from(numbers), shape };
}

type Nested = number | readonly Nested[];

function isNestedNumbers(value: unknown): value is Nested[] {
  return (
    Array.isArray(value) &&
    value.every((entry: unknown) => typeof entry === "number" || isNestedNumbers(entry))
  );
}

function stacked(tables: readonly Table[], name: string, padding: Padding | undefined): Table {
  const [first] = tables;
  const shape = padding && first!.shape.length > 0 ? paddedShape(tables, padding) : first!.shape;
  const width = sizeOf(shape);
  const Made = first!.data.constructor as new (length: number) => TypedArray;
  const data = new Made(width * tables.length);
  if (padding?.value) data.fill(padding.value);
  tables.forEach((table, index) => {
    const fits = padding
      ? sameShape(table.shape.slice(1), shape.slice(1)) && (table.shape[0] ?? 0) <= (shape[0] ?? 0)
      : sameShape(table.shape, shape);
    if (!fits || !(table.data instanceof Made)) {
      throw misfit(name, index, shape, Made.name, table, padding !== undefined);
    }
    data.set(table.data, index * width);
  });
  return { data, shape: [tables.length, ...shape] };
}

function paddedShape(tables: readonly Table[], { length }: Padding): Shape {
  const longest = Math.max(...tables.map(({ shape }) => shape[0] ?? 0));
  return [length ?? longest, ...tables[0]!.shape.slice(1)];
}

function misfit(
  name: string,
  index: number,
  shape: Shape,
  type: string,
  table: Table,
  padded: boolean,
): DataError {
  return new DataError(
    `Dataset.batch: ${fieldName(name)} of element ${index} of the batch is ` +
      `${table.data.constructor.name} ${formatShape(table.shape)}, where ${type} ` +
      `${formatShape(shape)} is expected` +
      (padded ? "" : "; paddedBatch fills up arrays of different lengths"),
  );
}
