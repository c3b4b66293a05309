/** A schedule of `lrScheduler` in `fit`. */
import { checkFunction, checkKnown, shown } from "../../checks.js";
import { ArgumentError } from "../../errors.js";
import type { SchedulerState } from "../../optim/lrScheduler/scheduler.js";
import { LRScheduler } from "../../optim/lrScheduler/scheduler.js";
import type { Optimizer } from "../../optim/optimizer.js";
import type { CallbackState, FitContext } from "../hooks.js";
import { Callback } from "./callback.js";

/** Options of `Scheduler`. */
export interface SchedulerOptions {
  /** Whether the schedule counts epochs, or updates of the weights. Default: epoch. */
  readonly interval?: "epoch" | "step";
}

/** Steps a schedule, made for the optimizer, after each epoch or each update; reports the rate. */
export class Scheduler extends Callback {
  readonly name = "scheduler";
  private readonly interval: "epoch" | "step";
  private schedule: LRScheduler | undefined;
  private updates = 0;

  constructor(
    private readonly make: (optimizer: Optimizer) => LRScheduler,
    { interval = "epoch" }: SchedulerOptions = {},
  ) {
    super();
    checkFunction("scheduler: make", make);
    checkKnown("scheduler: interval", interval, ["epoch", "step"]);
    this.interval = interval;
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    const made: unknown = this.make(context.optimizer);
    if (!(made instanceof LRScheduler)) {
      throw new ArgumentError(`scheduler: the function gives ${shown(made)}, not a schedule`);
    }
    this.schedule = made;
    this.updates = context.optimizer.steps;
  }

  onBatchEnd(): void {
    this.follow();
  }

  onEpochEnd(): void {
    this.follow();
    this.context.report("learningRate", this.context.optimizer.learningRate);
    if (this.interval === "epoch") this.schedule?.step();
  }

  /** Batches may share an update, and an epoch may end with one. */
  private follow(): void {
    const { steps } = this.context.optimizer;
    for (; this.updates < steps; this.updates++) {
      if (this.interval === "step") this.schedule?.step();
    }
  }

  state(): CallbackState {
    return { values: { schedule: this.schedule?.stateDict(), updates: this.updates } };
  }

  restore({ values }: CallbackState): void {
    const { schedule, updates } = values as { schedule: SchedulerState; updates: number };
    this.schedule?.loadStateDict(schedule);
    this.updates = updates;
  }
}
