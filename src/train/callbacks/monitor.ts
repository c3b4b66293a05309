/** A reported value that gets better or worse. */
import { checkKnown, checkNumber, shown } from "../../checks.js";
import { ArgumentError } from "../../errors.js";
import type { Report } from "../history.js";
import { valueIn } from "./callback.js";

/** Options of callbacks that watch a value. */
export interface MonitorOptions {
  /** What epochs call it. Default: valLoss. */
  readonly monitor?: string;
  /** Whether less is better, or more; `auto` goes by the name. Default: auto. */
  readonly mode?: "auto" | "min" | "max";
  /** By how much it must be better to count. Default: 0. */
  readonly minDelta?: number;
}

/** Names of values of which more is better; of all others less is. */
const moreIsBetter = /acc|auc|f1|fbeta|precision|recall|kappa|correlation|r2/i;

/** Watches a value of the epochs. */
export class Monitor {
  readonly name: string;
  readonly mode: "min" | "max";
  private readonly minDelta: number;

  constructor(
    private readonly caller: string,
    { monitor = "valLoss", mode = "auto", minDelta = 0 }: MonitorOptions,
  ) {
    if (typeof monitor !== "string") {
      throw new ArgumentError(`${caller}: monitor is ${shown(monitor)}; a name is expected`);
    }
    checkKnown(`${caller}: mode`, mode, ["auto", "min", "max"]);
    checkNumber(`${caller}: minDelta`, minDelta, 0, Infinity);
    this.name = monitor;
    this.mode = mode === "auto" ? (moreIsBetter.test(monitor) ? "max" : "min") : mode;
    this.minDelta = minDelta;
  }

  /** The value in an epoch's report. Throws StateError where there is none. */
  valueIn(report: Report): number {
    return valueIn(report, this.name, this.caller);
  }

  /** Whether `value` is better than `best`, which is undefined before the first; NaN never is. */
  isBetter(value: number, best: number | undefined): boolean {
    if (Number.isNaN(value)) return false;
    if (best === undefined) return true;
    return this.mode === "min" ? value < best - this.minDelta : value > best + this.minDelta;
  }
}
