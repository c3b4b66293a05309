/** A learning rate that falls when a value no longer gets better. */
import { checkNumber, checkWhole } from "../../checks.js";
import { ReduceLROnPlateau as Schedule } from "../../optim/lrScheduler/reduceOnPlateau.js";
import type { PlateauState } from "../../optim/lrScheduler/reduceOnPlateau.js";
import type { Report } from "../history.js";
import type { CallbackState, FitContext } from "../hooks.js";
import { Callback } from "./callback.js";
import type { MonitorOptions } from "./monitor.js";
import { Monitor } from "./monitor.js";

/** Options of `ReduceLROnPlateau`, with Keras's meanings. */
export interface ReduceLROnPlateauOptions extends MonitorOptions {
  /** What the rate is multiplied by, below 1. Default: 0.1. */
  readonly factor?: number;
  /** Epochs without anything better after which the rate falls. Default: 10. */
  readonly patience?: number;
  /** By how much the value must be better to count. Default: 1e-4. */
  readonly minDelta?: number;
  /** Epochs before counting begins again, the one of the fall among them. Default: 0. */
  readonly cooldown?: number;
  /** The rate falls no lower. Default: 0. */
  readonly minLearningRate?: number;
}

/** Multiplies the learning rate by a factor once a value has not got better for some epochs. */
export class ReduceLROnPlateau extends Callback {
  readonly name = "reduceLROnPlateau";
  private readonly monitor: Monitor;
  private readonly options: ConstructorParameters<typeof Schedule>[1];
  private schedule: Schedule | undefined;

  constructor({
    factor = 0.1,
    patience = 10,
    cooldown = 0,
    minLearningRate = 0,
    minDelta = 1e-4,
    ...monitored
  }: ReduceLROnPlateauOptions = {}) {
    super();
    checkNumber("reduceLROnPlateau: factor", factor, 0, 1);
    checkNumber("reduceLROnPlateau: minLearningRate", minLearningRate, 0, Infinity);
    checkWhole("reduceLROnPlateau: patience", patience, 0);
    checkWhole("reduceLROnPlateau: cooldown", cooldown, 0);
    this.monitor = new Monitor("reduceLROnPlateau", { minDelta, ...monitored });
    this.options = {
      factor,
      // Keras counts the epoch that is one too many, PyTorch those that are borne.
      patience: Math.max(1, patience) - 1,
      cooldown: Math.max(1, cooldown) - 1,
      minLearningRate,
      threshold: minDelta,
      thresholdMode: "abs",
      mode: this.monitor.mode,
      eps: 0,
    };
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.schedule = new Schedule(context.optimizer, this.options);
  }

  onEpochEnd(_: number, report: Report): void {
    this.context.report("learningRate", this.context.optimizer.learningRate);
    this.schedule?.step(this.monitor.valueIn(report));
  }

  state(): CallbackState {
    return { values: { ...this.schedule?.stateDict() } };
  }

  restore({ values }: CallbackState): void {
    this.schedule?.loadStateDict(values as PlateauState);
  }
}
