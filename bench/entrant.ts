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
