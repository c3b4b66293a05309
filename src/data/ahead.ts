/** Reading ahead: elements are made before they are asked for. */
import type { Cursor, Json, Step } from "./source.js";

/** An element that is on its way, and where its source stood after it. */
interface Read<T> {
  readonly step: Step<T>;
  readonly state: Json;
}

/**
 * Gives what `work` makes of each element, in order; `ahead` more are under way meanwhile. Its state is that of the element last given, whatever was read ahead of it.
 */
export class AheadCursor<T, U> implements Cursor<U> {
  private readonly queue: Promise<Read<U>>[] = [];
  /** The read that the next one waits for. */
  private reading: Promise<unknown> = Promise.resolve();
  private given: Json;
  private ended = false;

  constructor(
    private readonly upstream: Cursor<T>,
    private readonly ahead: number,
    private readonly work: (value: T) => U | Promise<U>,
  ) {
    this.given = upstream.state();
  }

  async next(): Promise<Step<U>> {
    this.fill(this.ahead + 1);
    const { step, state } = await this.queue.shift()!;
    this.given = state;
    return step;
  }

  state(): Json {
    return this.given;
  }

  async load(state: Json): Promise<void> {
    await this.stop();
    await this.upstream.load(state);
    this.given = state;
    this.ended = false;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.upstream.close();
  }

  private fill(wanted: number): void {
    while (this.queue.length < wanted && (!this.ended || this.queue.length === 0)) {
      const read = this.reading.then(() => this.read());
      const made = read.then(async ({ step, state }): Promise<Read<U>> => {
        if (step.done) return { step, state };
        return { step: { done: false, value: await this.work(step.value) }, state };
      });
      this.reading = read.catch(() => undefined);
      // Whoever takes it from the queue hears of it; nobody may.
      made.catch(() => undefined);
      this.queue.push(made);
    }
  }

  private async read(): Promise<Read<T>> {
    const step = await this.upstream.next();
    if (step.done) this.ended = true;
    return { step, state: this.upstream.state() };
  }

  private async stop(): Promise<void> {
    await Promise.allSettled([this.reading, ...this.queue]);
    this.queue.length = 0;
  }
}
