/** How many steps each parameter has taken: formulas go by a parameter's own, as PyTorch's do. */
import { add, isFinite, where } from "../ops/elementwise.js";
import type { Tensor, Variable } from "../tensor.js";
import { tensor } from "../tensor.js";
import { numberForEach } from "./stateVariables.js";

/** A count for each parameter, kept where the parameters are. */
export class StepCounts {
  readonly variable: Variable;

  constructor(count: number) {
    this.variable = numberForEach(count, 0);
  }

  /** Records a step of the parameters that `has` marks, unless `scale` is not finite. */
  advance(
    has: readonly boolean[],
    scale: Tensor | undefined,
  ): { readonly before: Tensor; readonly after: Tensor } {
    const before = this.variable.detach();
    const marks = has.every(Boolean) ? 1 : tensor(Float64Array.from(has, Number));
    const after = add(before, scale ? where(isFinite(scale), marks, 0) : marks);
    this.variable.assign(after);
    return { before, after };
  }
}
