/** A learning rate that falls when a value no longer gets better. */
import { checkKnown, checkNumber, checkWhole, fieldsOf, shown } from "../../checks.js";
import { ArgumentError, DataError } from "../../errors.js";
import type { Optimizer } from "../optimizer.js";

/** Options of `ReduceLROnPlateau`. */
export interface PlateauOptions {
  /** Whether less is better, or more. Default: min. */
  readonly mode?: "min" | "max";
  /** What the rate is multiplied by, below 1. Default: 0.1. */
  readonly factor?: number;
  /** Steps without anything better that are borne. Default: 10. */
  readonly patience?: number;
  /** How much better counts as better. Default: 1e-4. */
  readonly threshold?: number;
  /** Whether `threshold` is a share of the best value, or absolute. Default: rel. */
  readonly thresholdMode?: "rel" | "abs";
  /** Steps after a fall in which nothing is counted. Default: 0. */
  readonly cooldown?: number;
  /** The rate falls no lower. Default: 0. */
  readonly minLearningRate?: number;
  /** A fall by less than this is none. Default: 1e-8. */
  readonly eps?: number;
}

/** A plateau's progress: enough to go on. */
export interface PlateauState {
  /** Undefined before the first value. */
  readonly best: number | undefined;
  readonly badSteps: number;
  readonly cooldownLeft: number;
}

/** Multiplies the rate by `factor` once a value has not got better for more than `patience` steps. */
export class ReduceLROnPlateau {
  private readonly options: Required<PlateauOptions>;
  private state: PlateauState = { best: undefined, badSteps: 0, cooldownLeft: 0 };

  constructor(
    private readonly optimizer: Optimizer,
    {
      mode = "min",
      factor = 0.1,
      patience = 10,
      threshold = 1e-4,
      thresholdMode = "rel",
      cooldown = 0,
      minLearningRate = 0,
      eps = 1e-8,
    }: PlateauOptions = {},
  ) {
    checkKnown("reduceLROnPlateau: mode", mode, ["min", "max"]);
    checkKnown("reduceLROnPlateau: thresholdMode", thresholdMode, ["rel", "abs"]);
    checkNumber("reduceLROnPlateau: factor", factor, 0, 1);
    checkWhole("reduceLROnPlateau: patience", patience, 0);
    checkWhole("reduceLROnPlateau: cooldown", cooldown, 0);
    for (const [name, value] of Object.entries({ threshold, minLearningRate, eps })) {
      checkNumber(`reduceLROnPlateau: ${name}`, value, 0, Infinity);
    }
    const limits = { threshold, thresholdMode, minLearningRate, eps };
    this.options = { mode, factor, patience, cooldown, ...limits };
  }

  /** Takes the value after a step; gives whether the rate fell. Throws ArgumentError for NaN. */
  step(value: number): boolean {
    if (Number.isNaN(value)) throw new ArgumentError("reduceLROnPlateau: the value is NaN");
    let { best, badSteps, cooldownLeft } = this.state;
    if (best === undefined || this.isBetter(value, best)) {
      best = value;
      badSteps = 0;
    } else badSteps++;
    if (cooldownLeft > 0) {
      cooldownLeft--;
      badSteps = 0;
    }
    const falls = badSteps > this.options.patience;
    if (falls) {
      cooldownLeft = this.options.cooldown;
      badSteps = 0;
    }
    this.state = { best, badSteps, cooldownLeft };
    return falls && this.lower();
  }

  private lower(): boolean {
    const { factor, minLearningRate, eps } = this.options;
    const rate = this.optimizer.learningRate;
    const lower = Math.max(rate * factor, minLearningRate);
    if (!(rate - lower > eps)) return false;
    this.optimizer.learningRate = lower;
    return true;
  }

  private isBetter(value: number, best: number): boolean {
    const { mode, threshold, thresholdMode } = this.options;
    const sign = mode === "min" ? -1 : 1;
    const bound = thresholdMode === "rel" ? best * (1 + sign * threshold) : best + sign * threshold;
    return mode === "min" ? value < bound : value > bound;
  }

  /** What to save to go on later; the rate itself is the optimizer's. */
  stateDict(): PlateauState {
    return this.state;
  }

  /** Goes on from a saved state. Throws DataError for what is none. */
  loadStateDict(saved: PlateauState): void {
    const state = fieldsOf("reduceLROnPlateau: the saved state", saved);
    const { best, badSteps = NaN, cooldownLeft = NaN } = state;
    if (!Number.isSafeInteger(badSteps) || !Number.isSafeInteger(cooldownLeft)) {
      throw new DataError("reduceLROnPlateau: the saved state has no whole numbers of steps");
    }
    if (best !== undefined && typeof best !== "number") {
      throw new DataError(`reduceLROnPlateau: the saved best value is ${shown(best)}`);
    }
    this.state = { best, badSteps, cooldownLeft };
  }
}
