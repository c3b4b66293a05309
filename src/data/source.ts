/** What a Dataset is made of: sources that are opened once an epoch, and cursors that read them. */
import { DataError } from "../errors.js";
import { philox } from "../random.js";
import { Generator } from "../random.js";

/** Plain data, as JSON has it. */
export type Json = number | string | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [name: string]: Json;
}

/** What a read gives: an element, or that there are no more. */
export type Step<T> = { readonly done: false; readonly value: T } | { readonly done: true };

/** One way through a source. Calls come one after the other. */
export interface Cursor<T> {
  /** The next element; after the last one, `done` every time. */
  next(): Promise<Step<T>>;
  /** Where it stands: all that `load` needs for the elements that are still to come. */
  state(): Json;
  /** Goes to where a cursor of the same source stood. Throws DataError for other states. */
  load(state: Json): void | Promise<void>;
  /** Gives up what it holds open. */
  close(): void | Promise<void>;
}

/** Elements in an order that the epoch may decide. */
export interface Source<T> {
  /** How many elements there are, where that is known; Infinity where they never end. */
  readonly size: number | undefined;
  open(epoch: number): Cursor<T>;
  /** The element at an index, where they can be read in any order. */
  readonly at?: (index: number, epoch: number) => T | Promise<T>;
}

/** A source whose elements can be read in any order. */
export interface IndexedSource<T> extends Source<T> {
  readonly size: number;
  readonly at: (index: number, epoch: number) => T | Promise<T>;
}

/** Whether elements can be read in any order. */
export function isIndexed<T>(source: Source<T>): source is IndexedSource<T> {
  return source.at !== undefined && source.size !== undefined && source.size < Infinity;
}

export const done = { done: true } as const;

/** The source of `size` elements that `at` reads. */
export function indexed<T>(
  size: number,
  at: (index: number, epoch: number) => T | Promise<T>,
): IndexedSource<T> {
  const open = (epoch: number): Cursor<T> => {
    let row = 0;
    return {
      next: async () => (row < size ? { done: false, value: await at(row++, epoch) } : done),
      state: () => ({ row }),
      load: (state) => {
        row = wholeIn(state, "row", size);
      },
      close: () => undefined,
    };
  };
  return { size, at, open };
}

/** A field of a state. Throws DataError where it has none of that name. */
export function fieldOf(state: Json, name: string): Json {
  if (typeof state === "object" && state !== null && !Array.isArray(state)) {
    const field = Object.entries(state).find(([key]) => key === name)?.[1];
    if (field !== undefined) return field;
  }
  throw new DataError(
    `Dataset: the saved state has no "${name}": it is of another pipeline, or none`,
  );
}

/** A whole number in a state, up to `most`. */
export function wholeIn(state: Json, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = fieldOf(state, name);
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value <= most) {
    return value;
  }
  throw new DataError(
    `Dataset: the saved "${name}" is ${JSON.stringify(value)}; a whole number up to ${most} is ` +
      "expected: it is of another pipeline",
  );
}

/** A list of `length` in a state. */
export function listIn(state: Json, name: string, length: number): readonly Json[] {
  const value = fieldOf(state, name);
  if (Array.isArray(value) && value.length === length) return value as readonly Json[];
  throw new DataError(`Dataset: the saved "${name}" is no list of ${length}`);
}

const wordSize = 2 ** 32;

/** The generator of element `index` of an epoch, independent of all others of the same seed. */
export function elementGenerator(seed: number, epoch: number, index: number): Generator {
  const [low, high] = [index % wordSize, Math.floor(index / wordSize)];
  const key = [seed % wordSize, Math.floor(seed / wordSize)] as const;
  const [a, b] = philox([low, high, epoch % wordSize, streamTag], key);
  // 53 bits, as many as a seed may have.
  return new Generator((b % 2 ** 21) * wordSize + a);
}

/** Keeps these draws apart from those that a Generator of the same seed makes. */
const streamTag = 0x64617461;
