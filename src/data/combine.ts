/** Stages that make one source of several, and that keep what was read. */
import type { Cursor, Json, Source, Step } from "./source.js";
import { done, indexed, isIndexed, listIn, wholeIn } from "./source.js";

/** An element of each, as long as all have one. */
export type Zipped<S extends readonly Source<unknown>[]> = {
  -readonly [I in keyof S]: S[I] extends Source<infer T> ? T : never;
};

/** Elements of all sources side by side; ends with the shortest. */
export function zipped<S extends readonly Source<unknown>[]>(sources: S): Source<Zipped<S>> {
  const sizes = sources.map(({ size }) => size);
  const known = sizes.filter((size) => size !== undefined);
  const size = known.length === sizes.length ? Math.min(...known) : undefined;
  const joined = (values: unknown[]): Zipped<S> => values as Zipped<S>;
  const all = sources.filter((source) => isIndexed(source));
  if (all.length === sources.length && size !== undefined) {
    return indexed(size, async (index, epoch) =>
      joined(await Promise.all(all.map((source) => source.at(index, epoch)))),
    );
  }
  const open = (epoch: number): Cursor<Zipped<S>> => {
    const cursors = sources.map((source) => source.open(epoch));
    return {
      next: async () => {
        const values: unknown[] = [];
        for (const cursor of cursors) {
          const step = await cursor.next();
          if (step.done) return done;
          values.push(step.value);
        }
        return { done: false, value: joined(values) };
      },
      state: () => ({ zipped: statesOf(cursors) }),
      load: (state) => loadAll(cursors, listIn(state, "zipped", cursors.length)),
      close: () => closeAll(cursors),
    };
  };
  return { size, open };
}

function statesOf(cursors: readonly Cursor<unknown>[]): Json[] {
  return cursors.map((cursor) => cursor.state());
}

async function loadAll(
  cursors: readonly Cursor<unknown>[],
  states: readonly Json[],
): Promise<void> {
  for (const [index, cursor] of cursors.entries()) await cursor.load(states[index]!);
}

async function closeAll(cursors: readonly Cursor<unknown>[]): Promise<void> {
  for (const cursor of cursors) await cursor.close();
}

function totalSize(sources: readonly Source<unknown>[]): number | undefined {
  return sources.reduce<number | undefined>(
    (sum, { size }) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
}

/** The elements of one source after those of another. */
export function concatenated<T>(sources: readonly Source<T>[]): Source<T> {
  const all = sources.filter((source) => isIndexed(source));
  if (all.length === sources.length) {
    const ends: number[] = [];
    for (const { size } of all) ends.push((ends.at(-1) ?? 0) + size);
    return indexed(ends.at(-1) ?? 0, (index, epoch) => {
      const part = ends.findIndex((end) => index < end);
      return all[part]!.at(index - (ends[part - 1] ?? 0), epoch);
    });
  }
  const open = (epoch: number): Cursor<T> => {
    const cursors = sources.map((source) => source.open(epoch));
    let part = 0;
    return {
      next: async () => {
        for (; part < cursors.length; part++) {
          const step = await cursors[part]!.next();
          if (!step.done) return step;
        }
        return done;
      },
      state: () => ({ part, parts: statesOf(cursors) }),
      load: async (state) => {
        const to = wholeIn(state, "part", cursors.length);
        await loadAll(cursors, listIn(state, "parts", cursors.length));
        part = to;
      },
      close: () => closeAll(cursors),
    };
  };
  return { size: totalSize(sources), open };
}

/** An element of each source in turn, until all have ended. */
export function interleaved<T>(sources: readonly Source<T>[]): Source<T> {
  const open = (epoch: number): Cursor<T> => {
    const cursors = sources.map((source) => source.open(epoch));
    let turn = 0;
    const next = async (): Promise<Step<T>> => {
      let ended = 0;
      while (ended < cursors.length) {
        const step = await cursors[turn]!.next();
        turn = (turn + 1) % cursors.length;
        if (!step.done) return step;
        ended++;
      }
      return done;
    };
    return {
      next,
      state: () => ({ turn, turns: statesOf(cursors) }),
      load: async (state) => {
        const to = wholeIn(state, "turn", Math.max(0, cursors.length - 1));
        await loadAll(cursors, listIn(state, "turns", cursors.length));
        turn = to;
      },
      close: () => closeAll(cursors),
    };
  };
  return { size: totalSize(sources), open };
}

/** What is read is kept in memory: a source is read once, for all epochs. */
export function cached<T>(source: Source<T>): Source<T> {
  if (isIndexed(source)) {
    const kept = new Map<number, T | Promise<T>>();
    return indexed(source.size, (index) => {
      const found = kept.get(index);
      if (found !== undefined) return found;
      const read = Promise.resolve(source.at(index, 0));
      kept.set(index, read);
      // A failure is not kept.
      read.then(
        (value) => kept.set(index, value),
        () => kept.delete(index),
      );
      return read;
    });
  }
  const kept: T[] = [];
  let reader: Cursor<T> | undefined;
  let complete = false;
  let reading: Promise<unknown> = Promise.resolve();
  const readTo = async (index: number): Promise<void> => {
    reader ??= source.open(0);
    while (!complete && kept.length <= index) {
      const step = await reader.next();
      if (!step.done) kept.push(step.value);
      else {
        complete = true;
        await reader.close();
      }
    }
  };
  const open = (): Cursor<T> => {
    let position = 0;
    return {
      next: async () => {
        // One reader for all cursors: they wait for each other.
        if (position >= kept.length && !complete) {
          const read = reading.then(() => readTo(position));
          reading = read.catch(() => undefined);
          await read;
        }
        return position < kept.length ? { done: false, value: kept[position++]! } : done;
      },
      state: () => ({ position }),
      load: (state) => {
        position = wholeIn(state, "position");
      },
      close: () => undefined,
    };
  };
  return { size: source.size, open };
}
