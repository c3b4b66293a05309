/** Schedules along a line, and along its powers. */
import { checkNumber, checkWhole } from "../../checks.js";
import { powerOf } from "../elementary.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

/** Options of `LinearLR`. */
export interface LinearOptions {
  /** Default: 1/3. */
  readonly startFactor?: number;
  /** Default: 1. */
  readonly endFactor?: number;
  /** Steps from the one to the other. Default: 5. */
  readonly totalIters?: number;
}

/** From `startFactor` to `endFactor` times the base rate, on a line: a warm-up, or a decay. */
export class LinearLR extends LRScheduler {
  private readonly options: Required<LinearOptions>;

  constructor(
    optimizer: Optimizer,
    { startFactor = 1 / 3, endFactor = 1, totalIters = 5 }: LinearOptions = {},
  ) {
    super(optimizer);
    checkNumber("linearLR: startFactor", startFactor, 0, Infinity);
    checkNumber("linearLR: endFactor", endFactor, 0, Infinity);
    checkWhole("linearLR: totalIters", totalIters, 1);
    this.options = { startFactor, endFactor, totalIters };
    this.moveTo(0);
  }

  rateAt(step: number): number {
    const { startFactor, endFactor, totalIters } = this.options;
    const share = Math.min(step, totalIters) / totalIters;
    return this.base * (startFactor + (endFactor - startFactor) * share);
  }
}

/** Options of `PolynomialLR`. */
export interface PolynomialOptions {
  /** Steps until the rate is 0. Default: 5. */
  readonly totalIters?: number;
  /** Default: 1. */
  readonly power?: number;
}

/** base·(1 − step/totalIters)^power, and 0 from then on. */
export class PolynomialLR extends LRScheduler {
  private readonly options: Required<PolynomialOptions>;

  constructor(
    optimizer: Optimizer,
    { totalIters = 5, power: exponent = 1 }: PolynomialOptions = {},
  ) {
    super(optimizer);
    checkWhole("polynomialLR: totalIters", totalIters, 1);
    checkNumber("polynomialLR: power", exponent, 0, Infinity);
    this.options = { totalIters, power: exponent };
    this.moveTo(0);
  }

  rateAt(step: number): number {
    const { totalIters, power: exponent } = this.options;
    return this.base * powerOf(1 - Math.min(step, totalIters) / totalIters, exponent);
  }
}
