/** Moving averages of parameters (Polyak & Juditsky, 1992). */
import { flush } from "../evaluate.js";
import type { Parameter } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { add, cast, detach, isFinite, mul, sub, where } from "../ops/elementwise.js";
import type { Tensor, Variable } from "../tensor.js";
import { filledFor } from "./stateVariables.js";

/** An average of each parameter, and which of the two the parameters hold. */
export class WeightAverages {
  readonly variables: ReadonlyMap<Parameter, Variable>;
  /** Whether the parameters hold their averages now, and the averages the parameters. */
  swapped = false;

  constructor(
    parameters: readonly Parameter[],
    private readonly momentum: number,
  ) {
    this.variables = filledFor(parameters);
  }

  /** The momentum at `step`, counted from 1: the first average is the parameter itself. */
  momentumAt(step: number): number {
    return step === 1 ? 0 : this.momentum;
  }

  /** Records p + m·(average − p), once `parameter` is updated; nothing where `allowed` is NaN. */
  record(parameter: Parameter, momentum: Tensor, allowed: Tensor | undefined): void {
    const average = this.variables.get(parameter)!;
    const m = cast(momentum, parameter.dtype);
    const next = add(parameter, mul(m, sub(average, parameter)));
    average.assign(allowed ? where(isFinite(allowed), next, average) : next);
  }

  /** Exchanges parameters and averages. */
  swap(): void {
    noGrad(() => {
      for (const [parameter, average] of this.variables) {
        const old = detach(parameter);
        parameter.assign(detach(average));
        average.assign(old);
      }
    });
    flush();
    this.swapped = !this.swapped;
  }

  /** Puts the averages in the place of the parameters. */
  use(): void {
    if (this.swapped) this.swap();
    noGrad(() => {
      for (const [parameter, average] of this.variables) parameter.assign(detach(average));
    });
    flush();
  }
}
