/** Rows in a seeded order: batches for training, and the division of data in two. */
import { checkWhole } from "../checks.js";
import { ArgumentError } from "../errors.js";
import { Generator } from "../random.js";

/** How rows are cut into batches. */
export interface BatchOptions {
  /** Rows a batch. Default: 32. */
  readonly batchSize?: number;
  /** Whether the rows come in a random order. Default: true. */
  readonly shuffle?: boolean;
  /** What the order follows from, a whole number. Default: 0. */
  readonly seed?: number;
  /** Each epoch has an order of its own. Default: 0. */
  readonly epoch?: number;
}

/**
 * The numbers of the rows of each batch, each of `rows` once; the last batch may be smaller.
 * Throws ArgumentError for sizes that are no whole numbers.
 */
export function batches(
  rows: number,
  { batchSize = 32, shuffle = true, seed = 0, epoch = 0 }: BatchOptions = {},
): IterableIterator<Int32Array> {
  checkWhole("batches: rows", rows, 0);
  checkWhole("batches: batchSize", batchSize, 1);
  checkWhole("batches: epoch", epoch, 0);
  return slices(shuffle ? epochOrder(rows, seed, epoch) : ascending(rows), batchSize);
}

/** A generator an epoch: a run that resumes needs no history. */
export function epochGenerator(seed: number, epoch: number): Generator {
  const seeds = new Generator(seed);
  seeds.restore({ seed, draws: epoch });
  return new Generator(seeds.uint32());
}

/** The order of rows in an epoch. */
export function epochOrder(rows: number, seed: number, epoch: number): Int32Array {
  const order = ascending(rows);
  epochGenerator(seed, epoch).shuffle(order);
  return order;
}

function* slices(order: Int32Array, size: number): IterableIterator<Int32Array> {
  for (let start = 0; start < order.length; start += size) {
    yield order.subarray(start, Math.min(order.length, start + size));
  }
}

/** How rows are divided. */
export interface SplitOptions {
  /** The share of rows kept for the test, between 0 and 1. Default: 0.25. */
  readonly testSize?: number;
  /** Whether the rows are divided at random; otherwise the last ones are the test. Default: true. */
  readonly shuffle?: boolean;
  /** What the division follows from, a whole number. Default: 0. */
  readonly seed?: number;
}

/** The numbers of the rows on either side of a division. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/**
 * Divides rows 0 to `rows` − 1 in two, each row on one side. Throws ArgumentError where a side
 * would be empty.
 */
export function trainTestSplit(
  rows: number,
  { testSize = 0.25, shuffle = true, seed = 0 }: SplitOptions = {},
): Split {
  checkWhole("trainTestSplit: rows", rows, 0);
  const kept = rows - Math.round(rows * testSize);
  if (!(testSize > 0 && testSize < 1) || kept === 0 || kept === rows) {
    throw new ArgumentError(
      `trainTestSplit: testSize ${testSize} of ${rows} rows leaves nothing on one side`,
    );
  }
  const order = ascending(rows);
  if (shuffle) new Generator(seed).shuffle(order);
  return { train: order.subarray(0, kept), test: order.subarray(kept) };
}

function ascending(rows: number): Int32Array {
  return Int32Array.from({ length: rows }, (_, row) => row);
}
