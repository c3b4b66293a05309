/** Batches for training and measuring: of arrays in memory, or of a Dataset. */
import { batches } from "../data/batches.js";
import { Dataset } from "../data/dataset.js";
import type { Input } from "../data/inputs.js";
import { checkSameRows, sliceRows, tableOf } from "../data/inputs.js";
import type { Table } from "../data/rows.js";
import { gatherRows } from "../data/rows.js";
import { indexed } from "../data/source.js";
import { ArgumentError, DataError } from "../errors.js";

/** A batch of a Dataset that is trained on: inputs, targets, and what each row counts for. */
export type TrainingBatch = readonly [x: Input, y: Input, sampleWeight?: Input];

/** Inputs, targets, and weights if there are any, a row for a row. */
export type Rows = readonly [x: Table, y: Table, weights: Table | undefined];

/** Batches of rows, as often as they are gone through; each holds until the next is asked for. */
export type Feed = Dataset<Rows>;

/** Options of `arrayFeed`. */
export interface ArrayFeedOptions {
  readonly batchSize: number;
  /** What the orders of the epochs follow from; undefined: rows come as they are. */
  readonly seed?: number | undefined;
}

/** Rows of arrays. Throws DataError for empty and unequal ones; errors call them `prefix` x and y. */
export function rowsOf(
  [x, y, weight]: readonly [x: Input, y: Input, sampleWeight?: Input | undefined],
  prefix = "",
): Rows {
  const inputs = tableOf(`${prefix}x`, x, "float32");
  const targets = tableOf(`${prefix}y`, y, "int32");
  const weights = weight === undefined ? undefined : weightsOf(`${prefix}sampleWeight`, weight);
  checkSameRows(inputs, { [`${prefix}y`]: targets, sampleWeight: weights });
  return [inputs, targets, weights];
}

function weightsOf(name: string, weight: Input): Table {
  const table = tableOf(name, weight, "float32");
  const bad = table.data.findIndex((value) => !(value >= 0 && value < Infinity));
  if (bad < 0) return table;
  throw new DataError(`${name}: number ${bad} is ${table.data[bad]}; weights are from 0`);
}

/** Throws DataError where no row counts for anything: there would be nothing to divide by. */
export function checkCounted(caller: string, [, , weights]: Rows): void {
  if (!weights || weights.data.some((weight) => weight > 0)) return;
  throw new DataError(`${caller}: all rows have a weight of 0: nothing would count`);
}

/** Throws ArgumentError for a Dataset that never ends. */
export function checkEnds(caller: string, { size }: { readonly size: number | undefined }): void {
  if (size === Infinity) {
    throw new ArgumentError(`${caller}: the Dataset never ends; take(n) batches of it`);
  }
}

/** Batches of rows in memory. */
export function arrayFeed(rows: Rows, { batchSize, seed }: ArrayFeedOptions): Feed {
  const count = rows[0].shape[0]!;
  const steps = Math.ceil(count / batchSize);
  if (seed === undefined) {
    return new Dataset(indexed(steps, (step) => partOf(rows, ...rangeOf(step, count, batchSize))));
  }
  const first = Int32Array.from({ length: Math.min(batchSize, count) }, (_, row) => row);
  const buffers = rows.map((table) => table && gatherRows(table, first).data);
  let order: readonly Int32Array[] = [];
  let ordered: number | undefined;
  return new Dataset(
    indexed(steps, (step, epoch): Rows => {
      if (ordered !== epoch) {
        order = [...batches(count, { batchSize, seed, epoch })];
        ordered = epoch;
      }
      // Tensors copy what they are made of, so one buffer a table serves every batch.
      const [x, y, weights] = rows;
      const gather = (table: Table, index: number): Table =>
        gatherRows(table, order[step]!, buffers[index]);
      return [gather(x, 0), gather(y, 1), weights && gather(weights, 2)];
    }),
  );
}

/** Batches of the rows of one table, as they come. */
export function tableFeed(table: Table, batchSize: number): Dataset<Table> {
  const count = table.shape[0]!;
  const at = (step: number): Table => sliceRows(table, ...rangeOf(step, count, batchSize));
  return new Dataset(indexed(Math.ceil(count / batchSize), at));
}

function rangeOf(step: number, count: number, batchSize: number): [start: number, end: number] {
  return [step * batchSize, Math.min(count, (step + 1) * batchSize)];
}

/** The rows from `start` up to `end`. */
export function partOf([x, y, weights]: Rows, start: number, end: number): Rows {
  const part = (table: Table): Table => sliceRows(table, start, end);
  return [part(x), part(y), weights && part(weights)];
}

/** The batches of a Dataset. Throws DataError, as it is read, for what is no `[x, y]`. */
export function datasetFeed(caller: string, dataset: Dataset<TrainingBatch>): Feed {
  return dataset.map((batch: unknown): Rows => {
    if (isTrainingBatch(batch) && !isSingle(batch[1])) {
      const [x, y, weights] = rowsOf(batch);
      return [x, labelsOf(y), weights];
    }
    throw new DataError(
      `${caller}: the Dataset gives ${kindOf(batch)}; batches [x, y] or [x, y, sampleWeight] are ` +
        "expected: make pairs by map, then batch(n)",
    );
  });
}

/** Plain numbers come as float32: whole ones, one a row, are labels as in arrays. */
function labelsOf(y: Table): Table {
  const whole = y.shape.length === 1 && y.data.every((value) => (value | 0) === value);
  return whole && y.data instanceof Float32Array
    ? { data: Int32Array.from(y.data), shape: y.shape }
    : y;
}

function isTrainingBatch(batch: unknown): batch is TrainingBatch {
  return (
    Array.isArray(batch) &&
    (batch.length === 2 || batch.length === 3) &&
    batch.every((part) => typeof part === "object" && part !== null)
  );
}

/** Whether a target is of one row: an element that was not put into a batch. */
function isSingle(y: Input): boolean {
  return "shape" in y && y.shape.length === 0;
}

function kindOf(value: unknown): string {
  if (isTrainingBatch(value) && isSingle(value[1])) return "single rows";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "object" && value !== null
    ? `an object of ${Object.keys(value).join(", ")}`
    : typeof value;
}

/** The inputs of a Dataset's batches, which may have targets beside them. */
export function inputFeed(dataset: Dataset<Input | TrainingBatch>): Dataset<Table> {
  return dataset.map((batch) => tableOf("x", hasTargets(batch) ? batch[0] : batch, "float32"));
}

/** A list of lists is numbers; one of tables is inputs and what is beside them. */
function hasTargets(batch: Input | TrainingBatch): batch is TrainingBatch {
  return isTrainingBatch(batch) && !Array.isArray(batch[0]);
}

/** `y`. Throws ArgumentError where it is missing, which it may only beside a Dataset. */
export function targetsOf(caller: string, y: Input | null | undefined): Input {
  if (y !== undefined && y !== null) return y;
  throw new ArgumentError(`${caller}: y is missing; arrays need x and y`);
}

/** Throws ArgumentError where an option was given that a Dataset decides. */
export function checkDatasetOptions(
  caller: string,
  options: object,
  names: readonly string[],
): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || !names.includes(name)) continue;
    throw new ArgumentError(`${caller}: ${name} is for arrays; a Dataset decides that itself`);
  }
}
