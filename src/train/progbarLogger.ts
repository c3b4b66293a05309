/** The progress bar as a callback. */
import type { Report } from "./history.js";
import type { CallbackState, FitCallbacks, FitContext } from "./hooks.js";
import type { ProgressStream } from "./progressBar.js";
import { ProgressBar } from "./progressBar.js";

/** Options of `ProgbarLogger`. */
export interface ProgbarOptions {
  /** 0: silent, 1: a bar, or a line an epoch where lines cannot be written over, 2: a line. */
  readonly verbose?: 0 | 1 | 2;
  /** Where progress is written, instead of standard output. */
  readonly stream?: ProgressStream | undefined;
}

/** Shows how far training is, and what it reports; `fit` adds one by itself. */
export class ProgbarLogger implements FitCallbacks {
  readonly name = "progbarLogger";
  private bar: ProgressBar | undefined;
  private context: FitContext | undefined;

  constructor(private readonly options: ProgbarOptions = {}) {}

  onTrainBegin(context: FitContext): void {
    const { epochs, steps } = context;
    this.context = context;
    this.bar = new ProgressBar({ epochs, steps, verbose: 1, ...this.options });
  }

  onEpochBegin(epoch: number): void {
    this.bar?.startEpoch(epoch);
  }

  onBatchEnd(step: number, report: Report): void {
    this.bar?.update(step, report);
  }

  onEpochEnd(_: number, report: Report): void {
    this.bar?.endEpoch(report);
  }

  /** Where a checkpoint stands is all there is to know. */
  state(): CallbackState {
    return { values: {} };
  }

  restore(): void {
    const { epoch, step } = this.context!;
    if (step > 0) this.bar?.startEpoch(epoch, step);
  }
}
