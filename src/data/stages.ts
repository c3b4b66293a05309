/** Stages that take elements one by one: map, filter, take, skip, repeat. */
import { DataError } from "../errors.js";
import type { Generator } from "../random.js";
import { AheadCursor } from "./ahead.js";
import type { Cursor, Json, Source, Step } from "./source.js";
import { done, elementGenerator, fieldOf, indexed, isIndexed, wholeIn } from "./source.js";

/** Makes an element of another; what it draws from `random` depends on seed, epoch and index. */
export type MapFunction<T, U> = (value: T, random: Generator) => U | Promise<U>;

/** Options of `map`. */
export interface MapOptions {
  /** What the random numbers follow from. Default: 0. */
  readonly seed?: number;
  /** How many elements are worked on at a time, where that waits for something. Default: 1. */
  readonly parallel?: number;
}

/** Each element by `make`. */
export function mapped<T, U>(
  source: Source<T>,
  make: MapFunction<T, U>,
  { seed = 0, parallel = 1 }: MapOptions,
): Source<U> {
  const apply = (value: T, epoch: number, index: number): U | Promise<U> =>
    make(value, elementGenerator(seed, epoch, index));
  const open = (epoch: number): Cursor<U> => {
    const counted = new CountingCursor(source.open(epoch));
    if (parallel === 1) return eachBy(counted, ([value, index]) => apply(value, epoch, index));
    return new AheadCursor(counted, parallel - 1, ([value, index]) => apply(value, epoch, index));
  };
  if (!isIndexed(source)) return { size: source.size, open };
  const at = async (index: number, epoch: number): Promise<U> =>
    apply(await source.at(index, epoch), epoch, index);
  return parallel > 1 ? { size: source.size, at, open } : indexed(source.size, at);
}

/** What `work` makes of each element, one at a time. */
function eachBy<T, U>(upstream: Cursor<T>, work: (value: T) => U | Promise<U>): Cursor<U> {
  return {
    next: async () => {
      const step = await upstream.next();
      return step.done ? step : { done: false, value: await work(step.value) };
    },
    state: () => upstream.state(),
    load: (state) => upstream.load(state),
    close: () => upstream.close(),
  };
}

/** Elements with their numbers. */
class CountingCursor<T> implements Cursor<[value: T, index: number]> {
  private index = 0;
  constructor(private readonly upstream: Cursor<T>) {}

  async next(): Promise<Step<[T, number]>> {
    const step = await this.upstream.next();
    return step.done ? step : { done: false, value: [step.value, this.index++] };
  }

  state(): Json {
    return { index: this.index, upstream: this.upstream.state() };
  }

  async load(state: Json): Promise<void> {
    const index = wholeIn(state, "index");
    await this.upstream.load(fieldOf(state, "upstream"));
    this.index = index;
  }

  close(): void | Promise<void> {
    return this.upstream.close();
  }
}

/** The elements that `keep` says yes to. */
export function filtered<T>(
  source: Source<T>,
  keep: (value: T) => boolean | Promise<boolean>,
): Source<T> {
  const open = (epoch: number): Cursor<T> => {
    const upstream = source.open(epoch);
    const next = async (): Promise<Step<T>> => {
      for (;;) {
        const step = await upstream.next();
        if (step.done || (await keep(step.value))) return step;
      }
    };
    return {
      next,
      state: () => upstream.state(),
      load: (state) => upstream.load(state),
      close: () => upstream.close(),
    };
  };
  return { size: source.size === 0 ? 0 : undefined, open };
}

/** The elements from number `from` up to `to`. */
export function sliced<T>(source: Source<T>, from: number, to: number): Source<T> {
  if (isIndexed(source)) {
    const end = Math.min(to, source.size);
    const start = Math.min(from, end);
    return indexed(end - start, (index, epoch) => source.at(start + index, epoch));
  }
  const { size } = source;
  const known = size === undefined ? undefined : Math.max(0, Math.min(to, size) - from);
  return { size: known, open: (epoch) => new SliceCursor(source.open(epoch), from, to) };
}

class SliceCursor<T> implements Cursor<T> {
  private position = 0;
  constructor(
    private readonly upstream: Cursor<T>,
    private readonly from: number,
    private readonly to: number,
  ) {}

  async next(): Promise<Step<T>> {
    for (; this.position < this.from; this.position++) {
      if ((await this.upstream.next()).done) return done;
    }
    if (this.position >= this.to) return done;
    const step = await this.upstream.next();
    if (!step.done) this.position++;
    return step;
  }

  state(): Json {
    return { position: this.position, upstream: this.upstream.state() };
  }

  async load(state: Json): Promise<void> {
    const position = wholeIn(state, "position");
    await this.upstream.load(fieldOf(state, "upstream"));
    this.position = position;
  }

  close(): void | Promise<void> {
    return this.upstream.close();
  }
}

/** All elements `count` times; each round is an epoch of its own to what comes before. */
export function repeated<T>(source: Source<T>, count: number): Source<T> {
  const { size } = source;
  if (isIndexed(source) && count < Infinity) {
    return indexed(source.size * count, (index, epoch) =>
      source.at(index % source.size, epoch * count + Math.floor(index / source.size)),
    );
  }
  // Where rounds never end there is no second epoch.
  const first = (epoch: number): number => (count < Infinity ? epoch * count : epoch);
  return {
    size: size === 0 ? 0 : size === undefined && count < Infinity ? undefined : size! * count,
    open: (epoch) => new RepeatCursor(source, count, first(epoch)),
  };
}

class RepeatCursor<T> implements Cursor<T> {
  private round = 0;
  private upstream: Cursor<T>;
  private met = 0;

  constructor(
    private readonly source: Source<T>,
    private readonly count: number,
    private readonly firstEpoch: number,
  ) {
    this.upstream = source.open(firstEpoch);
  }

  async next(): Promise<Step<T>> {
    while (this.round < this.count) {
      const step = await this.upstream.next();
      if (!step.done) {
        this.met++;
        return step;
      }
      if (this.met === 0) throw new DataError("Dataset.repeat: there is nothing to repeat");
      await this.start(this.round + 1);
    }
    return done;
  }

  state(): Json {
    return { round: this.round, met: this.met, upstream: this.upstream.state() };
  }

  async load(state: Json): Promise<void> {
    const round = wholeIn(state, "round");
    const met = wholeIn(state, "met");
    const upstream = fieldOf(state, "upstream");
    await this.start(round);
    if (round < this.count) await this.upstream.load(upstream);
    this.met = met;
  }

  close(): void | Promise<void> {
    return this.upstream.close();
  }

  private async start(round: number): Promise<void> {
    await this.upstream.close();
    this.round = round;
    this.met = 0;
    if (round < this.count) this.upstream = this.source.open(this.firstEpoch + round);
  }
}
