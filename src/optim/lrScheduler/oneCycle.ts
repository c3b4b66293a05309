/** One rise of the rate and one fall. */
import { checkKnown, checkNumber, checkWhole } from "../../checks.js";
import type { Optimizer } from "../optimizer.js";
import { cosineBetween } from "./cosines.js";
import { LRScheduler } from "./scheduler.js";

/** Options of `OneCycleLR`. */
export interface OneCycleOptions {
  readonly maxLearningRate: number;
  readonly totalSteps: number;
  /** The share of steps that the rate rises for. Default: 0.3. */
  readonly pctStart?: number;
  /** Default: cos. */
  readonly annealStrategy?: "cos" | "linear";
  /** The first rate is the highest over this. Default: 25. */
  readonly divFactor?: number;
  /** The last rate is the first over this. Default: 10,000. */
  readonly finalDivFactor?: number;
  /** Down to the first rate, then on to the last. Default: false. */
  readonly threePhase?: boolean;
}

/** Up to a high rate and down to almost none (Smith & Topin, 2017); momentum stays as it is. */
export class OneCycleLR extends LRScheduler {
  private readonly phases: readonly { readonly end: number; readonly to: number }[];
  private readonly first: number;
  private readonly between: (from: number, to: number, share: number) => number;

  constructor(
    optimizer: Optimizer,
    {
      maxLearningRate,
      totalSteps,
      pctStart = 0.3,
      annealStrategy = "cos",
      divFactor = 25,
      finalDivFactor = 1e4,
      threePhase = false,
    }: OneCycleOptions,
  ) {
    super(optimizer);
    checkNumber("oneCycleLR: maxLearningRate", maxLearningRate, 0, Infinity);
    checkWhole("oneCycleLR: totalSteps", totalSteps, 1);
    checkNumber("oneCycleLR: pctStart", pctStart, 0, threePhase ? 0.5 : 1);
    checkNumber("oneCycleLR: divFactor", divFactor, Number.MIN_VALUE, Infinity);
    checkNumber("oneCycleLR: finalDivFactor", finalDivFactor, Number.MIN_VALUE, Infinity);
    checkKnown("oneCycleLR: annealStrategy", annealStrategy, ["cos", "linear"]);
    this.first = maxLearningRate / divFactor;
    const rise = pctStart * totalSteps - 1;
    this.phases = [
      { end: rise, to: maxLearningRate },
      ...(threePhase ? [{ end: 2 * rise, to: this.first }] : []),
      { end: totalSteps - 1, to: this.first / finalDivFactor },
    ];
    this.between =
      annealStrategy === "cos" ? cosineBetween : (from, to, share) => (to - from) * share + from;
    this.moveTo(0);
  }

  rateAt(step: number): number {
    let [start, from] = [0, this.first];
    for (const { end, to } of this.phases) {
      if (step <= end) return this.between(from, to, (step - start) / (end - start));
      [start, from] = [end, to];
    }
    // Past the end the last rate stays.
    return from;
  }
}
