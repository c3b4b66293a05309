/** Timing: samples of one or several competitors, turn about, so that they meet the same machine. */

/** The milliseconds of a run. */
export type Timer = () => Promise<number>;

/** What the samples of one competitor say. */
export interface Timing {
  /** The machine's other work only ever adds time: the least is the surest. */
  readonly min: number;
  readonly median: number;
  readonly samples: number;
}

const warmups = 3;
/** Runs in a turn: enough for a competitor's threads to be awake, and the others' asleep. */
const turn = 10;
const fewestTurns = 2;
const mostTurns = 50;

/** Times `run`, which resolves when its work is done. */
export function timed(run: () => Promise<void>): Timer {
  return async () => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
}

/** Takes turns among `timers` for about `seconds` in all. */
export async function measure(timers: readonly Timer[], seconds: number): Promise<Timing[]> {
  for (const timer of timers) for (let i = 0; i < warmups; i++) await timer();
  const samples = timers.map((): number[] => []);
  const end = performance.now() + seconds * 1000;
  for (let n = 0; n < fewestTurns || (n < mostTurns && performance.now() < end); n++) {
    for (const [index, timer] of timers.entries()) {
      for (let i = 0; i < turn; i++) samples[index]!.push(await timer());
    }
  }
  return samples.map((times) => {
    const sorted = times.sort((a, b) => a - b);
    return {
      min: sorted[0]!,
      median: sorted[Math.floor(sorted.length / 2)]!,
      samples: sorted.length,
    };
  });
}
