/** Schedules that fall, or rise, step by step. */
import { checkFunction, checkList, checkNumber, checkWhole } from "../../checks.js";
import { power } from "../elementary.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

/** Base rate times what a function of the steps gives. */
export class LambdaLR extends LRScheduler {
  constructor(
    optimizer: Optimizer,
    private readonly factor: (step: number) => number,
  ) {
    super(optimizer);
    checkFunction("lambdaLR: factor", factor);
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return this.base * this.factor(step);
  }
}

/** Options of `StepLR`. */
export interface StepOptions {
  readonly stepSize: number;
  /** Default: 0.1. */
  readonly gamma?: number;
}

/** Every `stepSize` steps the rate is multiplied by `gamma`. */
export class StepLR extends LRScheduler {
  private readonly stepSize: number;
  private readonly gamma: number;

  constructor(optimizer: Optimizer, { stepSize, gamma = 0.1 }: StepOptions) {
    super(optimizer);
    checkWhole("stepLR: stepSize", stepSize, 1);
    checkNumber("stepLR: gamma", gamma, 0, Infinity);
    this.stepSize = stepSize;
    this.gamma = gamma;
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return this.base * power(this.gamma, Math.floor(step / this.stepSize));
  }
}

/** Options of `MultiStepLR`. */
export interface MultiStepOptions {
  readonly milestones: readonly number[];
  /** Default: 0.1. */
  readonly gamma?: number;
}

/** At each of the milestones the rate is multiplied by `gamma`. */
export class MultiStepLR extends LRScheduler {
  private readonly milestones: readonly number[];
  private readonly gamma: number;

  constructor(optimizer: Optimizer, { milestones, gamma = 0.1 }: MultiStepOptions) {
    super(optimizer);
    checkList("multiStepLR: milestones", milestones);
    milestones.forEach((milestone, i) => {
      checkWhole(`multiStepLR: milestones[${i}]`, milestone, 0);
    });
    checkNumber("multiStepLR: gamma", gamma, 0, Infinity);
    this.milestones = milestones;
    this.gamma = gamma;
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return this.base * power(this.gamma, this.milestones.filter((one) => one <= step).length);
  }
}

/** Options of `ExponentialLR`. */
export interface ExponentialOptions {
  readonly gamma: number;
}

/** At each step the rate is multiplied by `gamma`. */
export class ExponentialLR extends LRScheduler {
  private readonly gamma: number;

  constructor(optimizer: Optimizer, { gamma }: ExponentialOptions) {
    super(optimizer);
    checkNumber("exponentialLR: gamma", gamma, 0, Infinity);
    this.gamma = gamma;
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return this.base * power(this.gamma, step);
  }
}

/** Options of `ConstantLR`. */
export interface ConstantOptions {
  /** Default: 1/3. */
  readonly factor?: number;
  /** Default: 5. */
  readonly totalIters?: number;
}

/** `factor` times the base rate for `totalIters` steps, the base rate after. */
export class ConstantLR extends LRScheduler {
  private readonly options: Required<ConstantOptions>;

  constructor(optimizer: Optimizer, { factor = 1 / 3, totalIters = 5 }: ConstantOptions = {}) {
    super(optimizer);
    checkNumber("constantLR: factor", factor, 0, Infinity);
    checkWhole("constantLR: totalIters", totalIters, 0);
    this.options = { factor, totalIters };
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return this.base * (step < this.options.totalIters ? this.options.factor : 1);
  }
}
