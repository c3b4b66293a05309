/** The rows that a run trains on, and those it measures on. */
import { ArgumentError } from "../errors.js";
import { batches } from "../data/batches.js";
import type { Input } from "../data/inputs.js";
import { checkSameRows, sliceRows, tableOf } from "../data/inputs.js";
import type { Table } from "../data/rows.js";
import { gatherRows } from "../data/rows.js";
import type { ClassWeight } from "./classWeights.js";
import { weighClasses } from "./classWeights.js";

/** Inputs, targets, and weights if there are any, a row for a row. */
export type Rows = readonly [x: Table, y: Table, weights: Table | undefined];

/** Where the rows come from, and what they count. */
export interface RowOptions {
  readonly validationSplit?: number | undefined;
  readonly validationData?: ValidationData | undefined;
  readonly sampleWeight?: Input | undefined;
  readonly classWeight?: ClassWeight | undefined;
}

/** Inputs, targets, and how much each row counts. */
export type ValidationData = readonly [x: Input, y: Input, sampleWeight?: Input];

/** Rows to train on, and to measure on. */
export interface DividedRows {
  readonly rows: Rows;
  readonly validation: Rows | undefined;
}

/** The rows on either side. Throws DataError where they do not fit each other. */
export function divideRows(x: Input, y: Input, options: RowOptions): DividedRows {
  const { validationSplit = 0, validationData, sampleWeight, classWeight } = options;
  const all = rowsOf("", x, y, sampleWeight);
  const weigh = (rows: Rows): Rows => (classWeight ? weighClasses(rows, classWeight) : rows);
  if (validationData) {
    return { rows: weigh(all), validation: rowsOf("validation ", ...validationData) };
  }
  if (validationSplit === 0) return { rows: weigh(all), validation: undefined };
  const count = countOf(all);
  const kept = Math.floor(count * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count) {
    throw new ArgumentError(
      `fit: validationSplit ${validationSplit} of ${count} rows leaves nothing on one side`,
    );
  }
  return { rows: weigh(cutRows(all, 0, kept)), validation: cutRows(all, kept, count) };
}

/** How many rows there are. */
export function countOf([x]: Rows): number {
  return x.shape[0]!;
}

/** The rows from `start` up to `end`. */
export function cutRows([x, y, weights]: Rows, start: number, end: number): Rows {
  const part = (table: Table): Table => sliceRows(table, start, end);
  return [part(x), part(y), weights && part(weights)];
}

function rowsOf(prefix: string, x: Input, y: Input, weight?: Input): Rows {
  const inputs = tableOf(`${prefix}x`, x, "float32");
  const targets = tableOf(`${prefix}y`, y, "int32");
  const weights = weight && tableOf(`${prefix}sampleWeight`, weight, "float32");
  checkSameRows(inputs, { [`${prefix}y`]: targets, sampleWeight: weights });
  return [inputs, targets, weights];
}

/** How rows are made batches. */
export interface OrderOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
}

/** The batches of a run: each epoch in its order, from any batch on. */
export class RowBatches {
  /** Batches an epoch. */
  readonly steps: number;

  constructor(
    private readonly rows: Rows,
    private readonly options: OrderOptions,
  ) {
    this.steps = Math.ceil(countOf(rows) / options.batchSize);
  }

  /** What must be the same for a run to go on: another order would show some rows twice. */
  get identity(): { readonly [name: string]: number | boolean } {
    return { rows: countOf(this.rows), ...this.options };
  }

  /** The batches of an epoch from number `from` on; each is in the memory of the one before. */
  *epoch(epoch: number, from: number): IterableIterator<Rows> {
    const { rows, options } = this;
    // Tensors copy what they are made of, so one buffer a table serves every batch.
    const first = Int32Array.from(
      { length: Math.min(options.batchSize, countOf(rows)) },
      (_, row) => row,
    );
    const buffers = rows.map((table) => table && gatherRows(table, first).data);
    let step = 0;
    for (const chosen of batches(countOf(rows), { ...options, epoch })) {
      if (step++ < from) continue;
      const part = (table: Table, index: number): Table =>
        gatherRows(table, chosen, buffers[index]);
      const [x, y, weights] = rows;
      yield [part(x, 0), part(y, 1), weights && part(weights, 2)];
    }
  }
}
