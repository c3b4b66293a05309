/** The order in which training goes through its rows. */
import { Generator } from "../random.js";

/** How rows are cut into batches. */
export interface BatchOptions {
  readonly batchSize: number;
  readonly shuffle: boolean;
  readonly seed: number;
  /** Each epoch has an order of its own. */
  readonly epoch: number;
}

/** The numbers of the rows of each batch; the last batch may be smaller. */
export function* batches(
  rows: number,
  { batchSize, shuffle, seed, epoch }: BatchOptions,
): IterableIterator<Int32Array> {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  if (shuffle) {
    // A generator an epoch: a run that resumes needs no history.
    const seeds = new Generator(seed);
    let epochSeed = 0;
    for (let i = 0; i <= epoch; i++) epochSeed = seeds.uint32();
    new Generator(epochSeed).shuffle(order);
  }
  for (let start = 0; start < rows; start += batchSize) {
    yield order.subarray(start, Math.min(rows, start + batchSize));
  }
}
