/** Datasets of what is in memory, or comes from an iterable. */
import { checkList, shown } from "../checks.js";
import { ArgumentError, DataError, StateError } from "../errors.js";
import type { Input } from "./inputs.js";
import { checkSameRows, rawTable } from "./inputs.js";
import { Dataset } from "./dataset.js";
import type { Table } from "./rows.js";
import { sizeOf } from "../shape.js";
import type { Cursor, Source, Step } from "./source.js";
import { done, indexed, wholeIn } from "./source.js";

/** A table for each array. */
type Rows<A extends readonly Input[]> = { -readonly [I in keyof A]: Table };

/** The row of a table: a view, not a copy. */
export function rowOf({ data, shape }: Table, row: number): Table {
  const inner = shape.slice(1);
  const width = sizeOf(inner);
  return { data: data.subarray(row * width, (row + 1) * width), shape: inner };
}

/**
 * The rows of arrays side by side, `[x, y]` or as many as are given. Whole numbers become int32 in
 * all arrays but the first. Throws DataError for arrays of different numbers of rows.
 */
export function fromArrays<const A extends readonly [Input, ...Input[]]>(
  ...arrays: A
): Dataset<Rows<A>> {
  const tables = arrays.map((array, index) =>
    rawTable(`fromArrays: array ${index}`, array, index === 0 ? "float32" : "int32"),
  );
  const [first, ...others] = tables;
  checkSameRows(first!, Object.fromEntries(others.map((table, i) => [`array ${i + 1}`, table])));
  const rowsAt = (row: number): Rows<A> => {
    const rows: unknown = tables.map((table) => rowOf(table, row));
    return rows as Rows<A>;
  };
  return new Dataset(indexed(first!.shape[0] ?? 0, rowsAt));
}

/** The entries of a list. */
export function fromList<T>(list: readonly T[]): Dataset<T> {
  checkList("fromList: list", list);
  return new Dataset(indexed(list.length, (index) => list[index]!));
}

/** Things that give elements one after the other. */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T> | ReadableStream<T>;

/**
 * What an iterable gives, or one that `source` makes for each epoch. Going on from a saved state
 * passes over what came before. What can be iterated only once, as a generator or a stream, throws
 * StateError at the second epoch: pass a function that makes it.
 */
export function fromIterable<T>(
  source: AnyIterable<T> | ((epoch: number) => AnyIterable<T>),
): Dataset<T> {
  if (Array.isArray(source)) return fromList(source as readonly T[]);
  if (typeof source === "function") return new Dataset(iterated(source));
  if (!isIterable(source)) {
    throw new ArgumentError("fromIterable: expected an iterable, or a function that gives one");
  }
  let used = false;
  return new Dataset(
    iterated(() => {
      if (used && isOnce(source)) {
        throw new StateError(
          "fromIterable: this iterable can be read once, and was; pass a function that makes it",
        );
      }
      used = true;
      return source;
    }),
  );
}

function isIterable(value: unknown): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    (Symbol.iterator in value || Symbol.asyncIterator in value || "getReader" in value)
  );
}

/** Whether an iterable is its own iterator. */
function isOnce(source: AnyIterable<unknown>): boolean {
  if (!(Symbol.iterator in source || Symbol.asyncIterator in source)) return true;
  if ("getReader" in source) return true;
  return "next" in source;
}

function iterated<T>(make: (epoch: number) => AnyIterable<T>): Source<T> {
  return { size: undefined, open: (epoch) => new IterableCursor(() => make(epoch)) };
}

class IterableCursor<T> implements Cursor<T> {
  private iterator: Iterator<T> | AsyncIterator<T> | undefined;
  private position = 0;
  private ended = false;

  constructor(private readonly make: () => AnyIterable<T>) {}

  async next(): Promise<Step<T>> {
    if (this.ended) return done;
    this.iterator ??= iteratorOf(this.make());
    const step = await this.iterator.next();
    if (step.done === true) {
      this.ended = true;
      return done;
    }
    this.position++;
    return { done: false, value: step.value };
  }

  state(): { item: number } {
    return { item: this.position };
  }

  async load(state: Parameters<Cursor<T>["load"]>[0]): Promise<void> {
    const position = wholeIn(state, "item");
    if (position < this.position) {
      await this.close();
      this.iterator = undefined;
      this.position = 0;
      this.ended = false;
    }
    while (this.position < position) {
      if ((await this.next()).done) {
        throw new DataError(
          `Dataset: the saved state is of element ${position}, there are ${this.position}`,
        );
      }
    }
  }

  async close(): Promise<void> {
    if (this.iterator && !this.ended) await this.iterator.return?.();
    this.ended = true;
  }
}

function iteratorOf<T>(iterable: AnyIterable<T>): Iterator<T> | AsyncIterator<T> {
  if (!isIterable(iterable)) {
    throw new ArgumentError(`fromIterable: the function gives ${shown(iterable)}, no iterable`);
  }
  if (Symbol.asyncIterator in iterable) return iterable[Symbol.asyncIterator]();
  if (Symbol.iterator in iterable) return iterable[Symbol.iterator]();
  return chunksOf(iterable);
}

/** What a stream gives; not every browser's streams can be iterated. */
async function* chunksOf<T>(stream: ReadableStream<T>): AsyncGenerator<T, void> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done: ended, value } = await reader.read();
      if (ended) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}
