/** What schedules have in common. */
import { fieldsOf, shown } from "../../checks.js";
import { ArgumentError, DataError } from "../../errors.js";
import { Optimizer } from "../optimizer.js";

/** A schedule's progress: enough to go on. */
export interface SchedulerState {
  readonly steps: number;
}

/** A learning rate as a function of the steps taken. */
export abstract class LRScheduler {
  private taken = 0;

  constructor(protected readonly optimizer: Optimizer) {
    const given: unknown = optimizer;
    if (given instanceof Optimizer) return;
    throw new ArgumentError(`lrScheduler: ${shown(given)} is no optimizer`);
  }

  /** The rate after `step` steps; `step` 0 is the beginning. */
  abstract rateAt(step: number): number;

  /** Steps taken so far. */
  get steps(): number {
    return this.taken;
  }

  /** Sets the rate for the next epoch, or the next batch: whatever the schedule counts. */
  step(): void {
    this.moveTo(this.taken + 1);
  }

  /** What to save to go on later. */
  stateDict(): SchedulerState {
    return { steps: this.taken };
  }

  /** Goes on from a saved state, and sets the rate. Throws DataError for what is none. */
  loadStateDict(state: SchedulerState): void {
    const { steps = NaN } = fieldsOf("lrScheduler: the saved state", state);
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new DataError(`lrScheduler: ${shown(steps)} saved steps are no whole number ≥ 0`);
    }
    this.moveTo(steps);
  }

  /** The rate that the optimizer was made with. */
  protected get base(): number {
    return this.optimizer.initialLearningRate;
  }

  /** Sets the rate at `step`; subclasses end their constructors with `moveTo(0)`. */
  protected moveTo(step: number): void {
    this.optimizer.learningRate = this.rateAt(step);
    this.taken = step;
  }
}
