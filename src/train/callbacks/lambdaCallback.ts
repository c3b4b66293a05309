/** Callbacks made of functions. */
import type { Moments } from "./callback.js";

/** Calls functions at the moments that they are given for. */
export class LambdaCallback implements Moments {
  readonly name = "lambdaCallback";

  /** `moments`: functions by the names of `FitCallbacks`, such as `onEpochEnd`. */
  constructor(moments: Moments) {
    Object.assign(this, moments);
  }
}
