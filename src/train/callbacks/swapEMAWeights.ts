/** Measuring the averages of weights in the place of the weights. */
import { StateError } from "../../errors.js";
import type { FitContext } from "../hooks.js";
import { Callback } from "./callback.js";

/** Options of `SwapEMAWeights`. */
export interface SwapEMAWeightsOptions {
  /**
   * Whether the averages stay in the model for the callbacks after this one at an epoch's end, so
   * that what they save has them. Default: false.
   */
  readonly swapOnEpoch?: boolean;
}

/** Has validation see the averages that an optimizer with `emaMomentum` keeps. */
export class SwapEMAWeights extends Callback {
  readonly name = "swapEMAWeights";
  private readonly swapOnEpoch: boolean;

  constructor({ swapOnEpoch = false }: SwapEMAWeightsOptions = {}) {
    super();
    this.swapOnEpoch = swapOnEpoch;
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    if (context.optimizer.keepsAverages) return;
    throw new StateError(
      "swapEMAWeights: the optimizer keeps no averages; give it emaMomentum in compile",
    );
  }

  onTestBegin(): void {
    this.swapTo(true);
  }

  onTestEnd(): void {
    this.swapTo(false);
  }

  onEpochEnd(): void {
    if (!this.swapOnEpoch) return;
    this.swapTo(true);
    this.context.later(() => this.swapTo(false));
  }

  onInterrupt(): void {
    this.swapTo(false);
  }

  private swapTo(averages: boolean): void {
    const { optimizer } = this.context;
    if (optimizer.hasAverages && optimizer.averagesSwapped !== averages) optimizer.swapAverages();
  }
}
