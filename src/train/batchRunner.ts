/** What trains on the batches of a run: the engine here, or workers. */
import { runStep } from "./evaluate.js";
import type { Rows } from "./feed.js";
import type { EpochWork, Sums } from "./history.js";
import type { Training } from "./model.js";
import type { Phase } from "./steps.js";

/** Trains on batches. */
export interface BatchRunner {
  /** Trains on a batch; gives its sums `[count, loss, ...metrics]`. */
  run(phase: Exclude<Phase, "rest">, batch: Rows): Promise<Sums>;
  /** What workers have done since the last call; undefined where there are none. */
  work(): Omit<EpochWork, "epoch"> | undefined;
  /** Lets go of what it holds. */
  close(): void;
}

/** Trains on the engine that tensors use. */
export function onThisEngine({ train, objective }: Training): BatchRunner {
  return {
    run: (phase, batch) => runStep(train.step(phase), batch, objective.metrics.streamed),
    work: () => undefined,
    close: () => undefined,
  };
}
