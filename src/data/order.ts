/** Stages that change the order of elements: shuffles, choices by index, batches by length. */
import { checkWhole } from "../checks.js";
import { StateError } from "../errors.js";
import { epochOrder } from "./batches.js";
import type { Cursor, IndexedSource, Json, Source, Step } from "./source.js";
import { done, elementGenerator, fieldOf, indexed, isIndexed, wholeIn } from "./source.js";

/** Options of `shuffle`. */
export interface ShuffleOptions {
  /** What the order follows from. Default: 0. */
  readonly seed?: number;
  /**
   * Where elements can only be read in order: how many are read, shuffled and given at a time.
   * Default: 10,000.
   */
  readonly bufferSize?: number;
  /** Whether each epoch has an order of its own. Default: true. */
  readonly reshuffle?: boolean;
}

/**
 * In a random order: of all elements where they can be read in any order, else of one block after
 * the other.
 */
export function shuffled<T>(
  source: Source<T>,
  { seed = 0, bufferSize = 10_000, reshuffle = true }: ShuffleOptions,
): Source<T> {
  if (!isIndexed(source)) {
    return inBlocks(source, bufferSize, source.size, (block, epoch, number) => {
      elementGenerator(seed, reshuffle ? epoch : 0, number).shuffle(block);
      return block;
    });
  }
  return reordered(source, source.size, (epoch) => {
    return epochOrder(source.size, seed, reshuffle ? epoch : 0);
  });
}

/** The elements whose numbers `orderOf` gives for an epoch. */
export function reordered<T>(
  source: IndexedSource<T>,
  size: number,
  orderOf: (epoch: number) => Int32Array,
): IndexedSource<T> {
  const known = new Map<number, Int32Array>();
  return indexed(size, (index, epoch) => {
    let order = known.get(epoch);
    if (!order) {
      // Reading ahead is in the next epoch while the last one ends: two at the most.
      const [oldest] = known.keys();
      if (known.size >= 2) known.delete(oldest!);
      order = orderOf(epoch);
      known.set(epoch, order);
    }
    return source.at(order[index]!, epoch);
  });
}

/** What becomes of a block of elements: its order may be changed, and what it consists of. */
type Arrange<T, U> = (block: T[], epoch: number, number: number) => U[] | Promise<U[]>;

/** Reads `length` elements at a time, and gives them as `arrange` does. */
export function inBlocks<T, U>(
  source: Source<T>,
  length: number,
  size: number | undefined,
  arrange: Arrange<T, U>,
): Source<U> {
  checkWhole("Dataset: elements in a block", length, 1);
  return {
    size,
    open: (epoch) =>
      new BlockCursor(source.open(epoch), length, (block, number) => arrange(block, epoch, number)),
  };
}

/** Its state is where the block began; a block that was begun is read and arranged again. */
class BlockCursor<T, U> implements Cursor<U> {
  private begin: Json;
  private number = 0;
  private position = 0;
  private block: U[] | undefined;

  constructor(
    private readonly upstream: Cursor<T>,
    private readonly length: number,
    private readonly arrange: (block: T[], number: number) => U[] | Promise<U[]>,
  ) {
    this.begin = upstream.state();
  }

  async next(): Promise<Step<U>> {
    for (;;) {
      this.block ??= await this.read();
      if (this.block.length === 0) return done;
      if (this.position < this.block.length) {
        return { done: false, value: this.block[this.position++]! };
      }
      this.begin = this.upstream.state();
      this.number++;
      this.position = 0;
      this.block = undefined;
    }
  }

  state(): Json {
    return { number: this.number, position: this.position, upstream: this.begin };
  }

  async load(state: Json): Promise<void> {
    const number = wholeIn(state, "number");
    const position = wholeIn(state, "position");
    const begin = fieldOf(state, "upstream");
    await this.upstream.load(begin);
    Object.assign(this, { begin, number, position, block: undefined });
    if (position === 0) return;
    this.block = await this.read();
    if (position > this.block.length) {
      throw new StateError("Dataset: the data is not what it was when the state was saved");
    }
  }

  close(): void | Promise<void> {
    return this.upstream.close();
  }

  private async read(): Promise<U[]> {
    const block: T[] = [];
    while (block.length < this.length) {
      const step = await this.upstream.next();
      if (step.done) break;
      block.push(step.value);
    }
    return block.length === 0 ? [] : this.arrange(block, this.number);
  }
}
