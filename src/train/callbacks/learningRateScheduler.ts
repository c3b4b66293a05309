/** A learning rate for each epoch. */
import { checkFunction } from "../../checks.js";
import { Callback } from "./callback.js";

/** Sets the learning rate before each epoch, and reports it. */
export class LearningRateScheduler extends Callback {
  readonly name = "learningRateScheduler";

  /** `schedule`: the rate for an epoch, counted from 0, from the rate there is. */
  constructor(private readonly schedule: (epoch: number, rate: number) => number) {
    super();
    checkFunction("learningRateScheduler: schedule", schedule);
  }

  onEpochBegin(epoch: number): void {
    const { optimizer } = this.context;
    optimizer.learningRate = this.schedule(epoch, optimizer.learningRate);
  }

  onEpochEnd(): void {
    this.context.report("learningRate", this.context.optimizer.learningRate);
  }
}
