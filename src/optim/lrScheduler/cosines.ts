/** Schedules along the wave of the cosine. */
import { checkNumber, checkWhole } from "../../checks.js";
import { cosineOfPi } from "../elementary.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

/** From `from` to `to` along half a wave of the cosine, as `share` goes from 0 to 1. */
export function cosineBetween(from: number, to: number, share: number): number {
  return to + ((from - to) * (1 + cosineOfPi(share))) / 2;
}

/** Options of `CosineAnnealingLR`. */
export interface CosineOptions {
  /** Steps from the base rate to `etaMin`; after them the rate rises again. */
  readonly tMax: number;
  /** Default: 0. */
  readonly etaMin?: number;
}

/** etaMin + (base − etaMin)·(1 + cos(π·step/tMax))/2 (Loshchilov & Hutter, 2016). */
export class CosineAnnealingLR extends LRScheduler {
  private readonly options: Required<CosineOptions>;

  constructor(optimizer: Optimizer, { tMax, etaMin = 0 }: CosineOptions) {
    super(optimizer);
    checkWhole("cosineAnnealingLR: tMax", tMax, 1);
    checkNumber("cosineAnnealingLR: etaMin", etaMin, 0, Infinity);
    this.options = { tMax, etaMin };
    this.moveTo(0);
  }

  rateAt(step: number): number {
    return cosineBetween(this.base, this.options.etaMin, step / this.options.tMax);
  }
}

/** Options of `CosineAnnealingWarmRestarts`. */
export interface WarmRestartsOptions {
  /** Steps of the first cycle. */
  readonly t0: number;
  /** How many times as long each cycle is as the one before. Default: 1. */
  readonly tMult?: number;
  /** Default: 0. */
  readonly etaMin?: number;
}

/** The cosine's fall again and again, each time from the base rate (Loshchilov & Hutter, 2016). */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  private readonly options: Required<WarmRestartsOptions>;

  constructor(optimizer: Optimizer, { t0, tMult = 1, etaMin = 0 }: WarmRestartsOptions) {
    super(optimizer);
    checkWhole("cosineAnnealingWarmRestarts: t0", t0, 1);
    checkWhole("cosineAnnealingWarmRestarts: tMult", tMult, 1);
    checkNumber("cosineAnnealingWarmRestarts: etaMin", etaMin, 0, Infinity);
    this.options = { t0, tMult, etaMin };
    this.moveTo(0);
  }

  rateAt(step: number): number {
    const { t0, tMult, etaMin } = this.options;
    let [length, within] = [t0, tMult === 1 ? step % t0 : step];
    for (; within >= length; length *= tMult) within -= length;
    return cosineBetween(this.base, etaMin, within / length);
  }
}
