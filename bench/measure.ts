/** Timing several competitors turn about, so that they meet the same machine. */
import type { Refusal } from "./driver.js";
import { firstLine } from "./driver.js";
import type { Entrant } from "./entrant.js";

/** What the samples of one competitor say. */
export interface Timing {
  /** The machine's other work only ever adds time: the least is the surest. */
  readonly min: number;
  readonly median: number;
  readonly samples: number;
  /** The most memory its process has had, in bytes, where that is known. */
  readonly peak?: number;
}

/** Runs before the first sample: code is compiled, memory is touched. */
const warmups = 3;
/** Shorter work is done several times a sample, so that clocks are fine enough. */
const sampleMs = 2;
/** A turn is long enough for a competitor's threads to be awake, and the others' asleep. */
const turnMs = 60;
const mostSamples = 20;
const fewestTurns = 3;
const mostTurns = 60;

/**
 * Takes turns among `entrants` for about `seconds` each. For one that dies, its last words.
 */
export async function measure(
  entrants: readonly Entrant[],
  seconds: number,
): Promise<(Timing | Refusal)[]> {
  const runners = entrants.map((entrant) => new Runner(entrant));
  for (const runner of runners) await runner.try(() => runner.warmUp());
  const end = performance.now() + seconds * 1000 * entrants.length;
  for (let n = 0; n < fewestTurns || (n < mostTurns && performance.now() < end); n++) {
    for (const runner of runners) await runner.try(() => runner.turn());
  }
  return runners.map((runner) => runner.result());
}

class Runner {
  readonly #entrant: Entrant;
  readonly #times: number[] = [];
  #samples = 1;
  #runs = 1;
  #peak: number | undefined;
  #failure: string | undefined;

  constructor(entrant: Entrant) {
    this.#entrant = entrant;
  }

  /** Does `step` unless one before has failed. */
  async try(step: () => Promise<void>): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await step();
    } catch (error) {
      this.#failure = firstLine(error);
    }
  }

  /** Finds out how much fits into a sample, and into a turn. */
  async warmUp(): Promise<void> {
    const { ms } = await this.#entrant.take(warmups, 1);
    const guess = plan(Math.min(...ms));
    const again = await this.#entrant.take(guess.samples, guess.runs);
    ({ samples: this.#samples, runs: this.#runs } = plan(Math.min(...again.ms)));
  }

  async turn(): Promise<void> {
    const { ms, peak } = await this.#entrant.take(this.#samples, this.#runs);
    this.#times.push(...ms);
    this.#peak = peak;
  }

  result(): Timing | Refusal {
    if (this.#failure !== undefined) return { cannot: this.#failure };
    return {
      min: Math.min(...this.#times),
      median: median(this.#times),
      samples: this.#times.length,
      ...(this.#peak !== undefined && { peak: this.#peak }),
    };
  }
}

/** Samples in a turn, and runs in a sample, of work that takes `ms`. */
export function plan(ms: number): { samples: number; runs: number } {
  const runs = Math.max(1, Math.ceil(sampleMs / ms));
  const samples = Math.round(turnMs / (ms * runs));
  return { runs, samples: Math.max(1, Math.min(mostSamples, samples)) };
}

/** The middle one, or the upper of the two. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
