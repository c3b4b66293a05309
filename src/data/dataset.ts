/** A lazy sequence of elements, and what can be made of it. */
import { checkFunction, checkWhole, shown } from "../checks.js";
import { ArgumentError, StateError } from "../errors.js";
import { checkSeed } from "../random.js";
import { AheadCursor } from "./ahead.js";
import { epochGenerator } from "./batches.js";
import type { BucketedBatchOptions, DatasetBatchOptions, PaddedBatchOptions } from "./batching.js";
import { batched, bucketed } from "./batching.js";
import type { Batch } from "./collate.js";
import { cached, concatenated, interleaved, zipped } from "./combine.js";
import type { ShuffleOptions } from "./order.js";
import { reordered, shuffled } from "./order.js";
import type { SampleOptions } from "./samplers.js";
import { drawRows } from "./samplers.js";
import type { Cursor, Json, Source } from "./source.js";
import { fieldOf, isIndexed, wholeIn } from "./source.js";
import type { MapFunction, MapOptions } from "./stages.js";
import { filtered, mapped, repeated, sliced } from "./stages.js";

/** Options of `iterator`. */
export interface IteratorOptions {
  /** Which time through this is: shuffles and augmentation differ by it. Default: 0. */
  readonly epoch?: number;
}

/** Options of `split`. */
export interface DatasetSplitOptions {
  /** Whether the division is random; then elements must be readable in any order. Default: false. */
  readonly shuffle?: boolean;
  /** What a random division follows from. Default: 0. */
  readonly seed?: number;
}

/** One way through a Dataset, which can be left and gone on with. */
export class DatasetIterator<T> implements AsyncIterableIterator<T> {
  private cursor: Cursor<T> | undefined;
  private ended = false;
  private busy = false;

  /** @internal Datasets make them. */
  constructor(
    private readonly source: Source<T>,
    private epoch: number,
  ) {
    this.cursor = source.open(epoch);
  }

  /** The next element. Throws what reading it throws, and StateError while a call is under way. */
  async next(): Promise<IteratorResult<T, undefined>> {
    if (this.ended || !this.cursor) return { done: true, value: undefined };
    const step = await this.alone(this.cursor.next());
    if (!step.done) return { done: false, value: step.value };
    this.ended = true;
    return { done: true, value: undefined };
  }

  /** Where it stands, as plain data: what `load` takes to give the same elements from here on. */
  state(): Json {
    if (!this.cursor) throw new StateError("Dataset: the iterator was closed; it has no state");
    return { epoch: this.epoch, ended: Number(this.ended), cursor: this.cursor.state() };
  }

  /**
   * Goes to where an iterator of the same pipeline stood. Throws DataError, standing where it
   * stood, for a state of another one.
   */
  async load(state: Json): Promise<this> {
    const epoch = wholeIn(state, "epoch");
    const ended = wholeIn(state, "ended", 1) === 1;
    const cursor = this.source.open(epoch);
    try {
      await cursor.load(fieldOf(state, "cursor"));
    } catch (error) {
      await cursor.close();
      throw error;
    }
    await this.cursor?.close();
    this.cursor = cursor;
    this.epoch = epoch;
    this.ended = ended;
    return this;
  }

  /** Gives up what it holds open; `for await` calls it when it is left. */
  async return(): Promise<IteratorResult<T, undefined>> {
    await this.cursor?.close();
    this.cursor = undefined;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  private async alone<R>(call: Promise<R>): Promise<R> {
    if (this.busy) {
      throw new StateError("Dataset: next() is under way; await it before the next call");
    }
    this.busy = true;
    try {
      return await call;
    } finally {
      this.busy = false;
    }
  }
}

/**
 * A lazy sequence of elements: nothing is read before it is iterated, and only what is asked for.
 * Each method gives a new Dataset. Every random choice follows from a seed and the epoch.
 */
export class Dataset<T> implements AsyncIterable<T> {
  /** @internal Functions like `fromArrays` make them. */
  constructor(
    /** @internal */
    readonly source: Source<T>,
  ) {}

  /** How many elements there are; undefined where only reading them tells. */
  get size(): number | undefined {
    return this.source.size;
  }

  /** A way through the elements that can be saved and gone on with. */
  iterator({ epoch = 0 }: IteratorOptions = {}): DatasetIterator<T> {
    checkWhole("Dataset.iterator: epoch", epoch, 0);
    return new DatasetIterator(this.source, epoch);
  }

  [Symbol.asyncIterator](): DatasetIterator<T> {
    return this.iterator();
  }

  /** All elements in memory. Throws ArgumentError where they never end. */
  async toArray(options: IteratorOptions = {}): Promise<T[]> {
    if (this.size === Infinity) {
      throw new ArgumentError("Dataset.toArray: the elements never end: take(n) some of them");
    }
    const elements: T[] = [];
    for await (const element of this.iterator(options)) elements.push(element);
    return elements;
  }

  /** The element at `index`. Throws where elements cannot be read in any order. */
  async at(index: number, { epoch = 0 }: IteratorOptions = {}): Promise<T> {
    const { source } = this;
    if (!isIndexed(source)) throw notIndexed("at");
    checkWhole("Dataset.at: index", index, 0);
    if (index < source.size) return source.at(index, epoch);
    throw new ArgumentError(`Dataset.at: element ${index} is none of ${source.size}`);
  }

  /**
   * What `make` makes of each element. It may draw from `random`, whose numbers follow from the
   * seed, the epoch and the element's number: augmentation that can be repeated.
   */
  map<U>(make: MapFunction<T, U>, options: MapOptions = {}): Dataset<U> {
    checkFunction("Dataset.map: make", make);
    checkSeed("Dataset.map", options.seed ?? 0);
    checkWhole("Dataset.map: parallel", options.parallel ?? 1, 1);
    return new Dataset(mapped(this.source, make, options));
  }

  /** The elements that `keep` says yes to. */
  filter(keep: (value: T) => boolean | Promise<boolean>): Dataset<T> {
    checkFunction("Dataset.filter: keep", keep);
    return new Dataset(filtered(this.source, keep));
  }

  /**
   * In a random order, each epoch in its own. Elements that can only be read in order are shuffled
   * in blocks of `bufferSize`.
   */
  shuffle(options: ShuffleOptions = {}): Dataset<T> {
    checkSeed("Dataset.shuffle", options.seed ?? 0);
    return new Dataset(shuffled(this.source, options));
  }

  /** `size` elements at a time: numbers stacked as `[batch, ...]`, all else in lists. */
  batch(size: number, options: DatasetBatchOptions = {}): Dataset<Batch<T>> {
    return new Dataset(batched(this.source, size, options));
  }

  /** The same for arrays of different lengths: their first axis is filled up to the longest. */
  paddedBatch(size: number, options: PaddedBatchOptions = {}): Dataset<Batch<T>> {
    if (options.length !== undefined) {
      checkWhole("Dataset.paddedBatch: length", options.length, 1);
    }
    return new Dataset(batched(this.source, size, options, options));
  }

  /** Batches of elements of similar length, padded to one of a few. */
  bucketedBatch(options: BucketedBatchOptions<T>): Dataset<Batch<T>> {
    checkSeed("Dataset.bucketedBatch", options.seed ?? 0);
    return new Dataset(bucketed(this.source, options));
  }

  /** Makes up to `count` elements before they are asked for, while others are worked on. */
  prefetch(count: number): Dataset<T> {
    checkWhole("Dataset.prefetch: count", count, 1);
    const { source } = this;
    return new Dataset({
      ...source,
      open: (epoch) => new AheadCursor(source.open(epoch), count, (value: T) => value),
    });
  }

  /** All elements `count` times, without end unless it is said; each time is an epoch of its own. */
  repeat(count = Infinity): Dataset<T> {
    if (count !== Infinity) checkWhole("Dataset.repeat: count", count, 1);
    return new Dataset(repeated(this.source, count));
  }

  /** Keeps what is read in memory: the first time through reads, all others do not. */
  cache(): Dataset<T> {
    return new Dataset(cached(this.source));
  }

  /** The first `count` elements; all of them for Infinity. */
  take(count: number): Dataset<T> {
    if (count !== Infinity) checkWhole("Dataset.take: count", count, 0);
    return new Dataset(sliced(this.source, 0, count));
  }

  /** All elements but the first `count`. */
  skip(count: number): Dataset<T> {
    checkWhole("Dataset.skip: count", count, 0);
    return new Dataset(sliced(this.source, count, Infinity));
  }

  /**
   * The elements in two parts: `first` of them, a number or a share of all, and the others. Throws
   * ArgumentError where a part would be empty, or a share is of an unknown number.
   */
  split(first: number, options: DatasetSplitOptions = {}): [first: Dataset<T>, rest: Dataset<T>] {
    const { shuffle = false, seed = 0 } = options;
    const { size = NaN } = this;
    const count = first < 1 ? Math.round(first * size) : first;
    if (!(Number.isSafeInteger(count) && count >= 1) || count >= size) {
      throw new ArgumentError(
        `Dataset.split: ${first} of ${this.size ?? "an unknown number of"} elements leaves ` +
          "nothing on one side, or cannot be told",
      );
    }
    const whole = shuffle ? this.ordered("split", seed) : this;
    return [whole.take(count), whole.skip(count)];
  }

  /**
   * `size` elements an epoch, drawn by weight. Throws where elements cannot be read in any order,
   * and for weights that are not one an element.
   */
  sample(options: SampleOptions): Dataset<T> {
    const { source } = this;
    if (!isIndexed(source)) throw notIndexed("sample");
    const { size = source.size, seed = 0 } = options;
    checkSeed("Dataset.sample", seed);
    const draw = drawRows(source.size, options);
    return new Dataset(reordered(source, size, (epoch) => draw(epochGenerator(seed, epoch))));
  }

  private ordered(caller: string, seed: number): Dataset<T> {
    if (!isIndexed(this.source)) throw notIndexed(caller);
    return this.shuffle({ seed, reshuffle: false });
  }
}

function notIndexed(method: string): ArgumentError {
  return new ArgumentError(
    `Dataset.${method}: these elements can only be read in order; cache them in an array first`,
  );
}

/** What a Dataset is of. */
type ElementOf<D> = D extends Dataset<infer T> ? T : never;

/** An element of each Dataset side by side; ends with the shortest. */
export function zip<D extends readonly Dataset<unknown>[]>(
  ...datasets: D
): Dataset<{ -readonly [I in keyof D]: ElementOf<D[I]> }> {
  const made: Source<unknown> = zipped(sourcesOf("zip", datasets));
  return new Dataset(made as Source<{ -readonly [I in keyof D]: ElementOf<D[I]> }>);
}

/** The elements of one Dataset after those of another. */
export function concatenate<T>(...datasets: readonly Dataset<T>[]): Dataset<T> {
  return new Dataset(concatenated(sourcesOf("concatenate", datasets)));
}

/** An element of each Dataset in turn, until all have ended. */
export function interleave<T>(...datasets: readonly Dataset<T>[]): Dataset<T> {
  return new Dataset(interleaved(sourcesOf("interleave", datasets)));
}

function sourcesOf<T>(caller: string, datasets: readonly Dataset<T>[]): Source<T>[] {
  if (datasets.length === 0) throw new ArgumentError(`${caller}: no Datasets are given`);
  return datasets.map((dataset: unknown, index) => {
    if (dataset instanceof Dataset) return (dataset as Dataset<T>).source;
    throw new ArgumentError(`${caller}: argument ${index} is ${shown(dataset)}, not a Dataset`);
  });
}
