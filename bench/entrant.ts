/** What takes part in the measurement of a row. */
import type { Ready, Turn } from "./driver.js";

/** A library in one configuration, for one row. */
export interface Entrant {
  readonly ready: Ready;
  /** `samples` samples of `runs` runs each. Rejects if it has died. */
  take(samples: number, runs: number): Promise<Turn>;
  leave(): Promise<void>;
}

/** A library in one configuration. */
export interface Competitor {
  /** As tables have it: `relaxed`, `torch`. */
  readonly name: string;
  readonly threads: number;
  /** Whether it is Ferrograd, and not a peer. */
  readonly own: boolean;
  /** Starts it with the work of `row`. Rejects with its own message if it cannot do that. */
  enter(row: string): Promise<Entrant>;
}

/** The row `cold`: what is timed is `start` itself, which says how long it took. */
export async function startingAnew(start: () => Promise<Entrant>): Promise<Entrant> {
  const once = async (): Promise<Ready> => {
    const { ready, leave } = await start();
    await leave();
    return ready;
  };
  return {
    ready: await once(),
    async take(samples) {
      const ms: number[] = [];
      while (ms.length < samples) ms.push(...(await once()).ms!);
      return { ms };
    },
    leave: async () => undefined,
  };
}
