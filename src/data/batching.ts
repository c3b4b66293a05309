/** Stages that put elements together in batches. */
import { checkWhole } from "../checks.js";
import { ArgumentError, DataError } from "../errors.js";
import type { Batch, Padding } from "./collate.js";
import { collate } from "./collate.js";
import { inBlocks } from "./order.js";
import type { Cursor, Source, Step } from "./source.js";
import { done, elementGenerator, indexed, isIndexed } from "./source.js";

/** Options of `batch`. */
export interface DatasetBatchOptions {
  /** Whether a last batch that is smaller than the others is left out. Default: false. */
  readonly dropRemainder?: boolean;
}

/** Options of `paddedBatch`. */
export interface PaddedBatchOptions extends DatasetBatchOptions, Padding {}

/** `size` elements at a time as one batch. */
export function batched<T>(
  source: Source<T>,
  size: number,
  { dropRemainder = false }: DatasetBatchOptions,
  padding?: Padding,
): Source<Batch<T>> {
  checkWhole("Dataset.batch: batch size", size, 1);
  const count = source.size === undefined ? undefined : source.size / size;
  const batches = count && (dropRemainder ? Math.floor(count) : Math.ceil(count));
  if (isIndexed(source)) {
    return indexed(batches ?? 0, async (index, epoch) => {
      const length = Math.min(size, source.size - index * size);
      const elements = Array.from({ length }, (_, i) => source.at(index * size + i, epoch));
      return collate<T>(await Promise.all(elements), padding);
    });
  }
  const open = (epoch: number): Cursor<Batch<T>> => {
    const upstream = source.open(epoch);
    const next = async (): Promise<Step<Batch<T>>> => {
      const elements: T[] = [];
      while (elements.length < size) {
        const step = await upstream.next();
        if (step.done) break;
        elements.push(step.value);
      }
      if (elements.length === 0 || (dropRemainder && elements.length < size)) return done;
      return { done: false, value: collate(elements, padding) };
    };
    return {
      next,
      state: () => upstream.state(),
      load: (state) => upstream.load(state),
      close: () => upstream.close(),
    };
  };
  return { size: batches, open };
}

/** Options of `bucketedBatch`. */
export interface BucketedBatchOptions<T> extends DatasetBatchOptions {
  readonly batchSize: number;
  /** The length of an element, which decides what batch it is in. */
  readonly length: (element: T) => number;
  /**
   * The lengths that arrays are padded to, ascending; an element goes to the first it fits. Few of
   * them make few shapes, and a training step is planned once a shape.
   */
  readonly boundaries: readonly number[];
  /** How many elements are sorted into batches at a time. Default: 100 batches of them. */
  readonly blockSize?: number;
  /** What the order of the batches follows from. Default: 0. */
  readonly seed?: number;
  /** What fills arrays up. Default: 0. */
  readonly value?: number;
}

/** Batches of elements of similar length, padded to it, in a random order. */
export function bucketed<T>(source: Source<T>, options: BucketedBatchOptions<T>): Source<Batch<T>> {
  const { batchSize, boundaries, length, dropRemainder = false, seed = 0, value = 0 } = options;
  checkWhole("Dataset.bucketedBatch: batchSize", batchSize, 1);
  const rises = boundaries.every((bound, i) => bound > (boundaries[i - 1] ?? 0));
  if (boundaries.length === 0 || !rises) {
    throw new ArgumentError(
      `Dataset.bucketedBatch: boundaries ${boundaries.join(", ")} must be lengths that rise`,
    );
  }
  const bucketOf = (element: T): number => {
    const found = boundaries.findIndex((bound) => length(element) <= bound);
    if (found >= 0) return found;
    throw new DataError(
      `Dataset.bucketedBatch: an element of length ${length(element)} is over the last boundary, ` +
        `${boundaries.at(-1)}: cut it, or add a boundary`,
    );
  };
  const blockSize = options.blockSize ?? 100 * batchSize;
  return inBlocks(source, blockSize, undefined, (block, epoch, number) => {
    const buckets = boundaries.map((): T[] => []);
    for (const element of block) buckets[bucketOf(element)]!.push(element);
    const batches = buckets.flatMap((bucket, index) =>
      cut(bucket, batchSize, dropRemainder).map((elements) =>
        collate(elements, { length: boundaries[index]!, value }),
      ),
    );
    elementGenerator(seed, epoch, number).shuffle(batches);
    return batches;
  });
}

function cut<T>(list: readonly T[], size: number, dropRemainder: boolean): T[][] {
  const parts: T[][] = [];
  for (let start = 0; start < list.length; start += size) {
    const part = list.slice(start, start + size);
    if (part.length === size || !dropRemainder) parts.push(part);
  }
  return parts;
}
