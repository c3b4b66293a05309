/** Ends training at a loss that is no number. */
import type { NonFiniteError } from "../../errors.js";
import type { FitContext } from "../hooks.js";
import { Callback } from "./callback.js";

/**
 * Ends training without an error at a loss that is NaN or infinite; the step was not applied, and
 * `reason` names the layer to blame. Without this callback `fit` rejects with the same words.
 */
export class TerminateOnNaN extends Callback {
  readonly name = "terminateOnNaN";
  /** Where the loss stopped being a number, once it has. */
  reason: string | undefined;

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.reason = undefined;
  }

  onNonFinite({ message }: NonFiniteError): void {
    this.reason = message;
    this.context.stop(message);
  }
}
