/** Gradients gathered over several batches for one step. */
import type { StateEntry } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { add, cast, div, isFinite, where } from "../ops/elementwise.js";
import { sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { Variable } from "../tensor.js";
import { filledFor } from "./stateVariables.js";

/** Sums of gradients of total losses, and of the counts to divide them by. */
export class GradientAccumulator {
  private readonly sums: ReadonlyMap<Parameter, Variable>;
  private readonly count = new Variable(new Float32Array(1), [], "float32", { overwrite: true });

  constructor(private readonly parameters: readonly Parameter[]) {
    this.sums = filledFor(parameters);
  }

  /**
   * Records that the gradients, of a total over `count` entries, are added to those before, or take
   * their place if they are the first. Where `guard` is not finite, nothing changes.
   */
  add(count: Tensor, guard: Tensor, { first }: { readonly first: boolean }): void {
    const allowed = isFinite(guard);
    const keep = (variable: Variable, more: Tensor): void => {
      const next = first ? more : add(variable, more);
      variable.assign(where(allowed, next, variable));
    };
    for (const parameter of this.parameters) {
      if (parameter.grad) keep(this.sums.get(parameter)!, parameter.grad);
    }
    keep(this.count, cast(count, "float32"));
  }

  /** Makes each gradient the mean over all that were gathered, with those there are, if any. */
  takeMean(count?: Tensor): void {
    const all = count ? add(this.count, cast(count, "float32")) : this.count;
    for (const parameter of this.parameters) {
      const { grad, dtype, requiresGrad } = parameter;
      const sum = this.sums.get(parameter)!;
      if (grad) parameter.grad = div(add(sum, grad), cast(all, dtype));
      else if (!count && requiresGrad) parameter.grad = div(sum, cast(all, dtype));
    }
  }

  /** The sums by name, to go on from. */
  async stateDict(): Promise<Map<string, StateEntry>> {
    const state = new Map<string, StateEntry>();
    for (const [name, variable] of this.named()) {
      const { shape, dtype } = variable;
      state.set(name, { shape, dtype, data: await variable.data() });
    }
    return state;
  }

  /** Whether `state` fits. */
  fits(state: ReadonlyMap<string, StateEntry>): boolean {
    return this.named().every(([name, { shape }]) => {
      const saved = state.get(name);
      return saved !== undefined && sameShape(saved.shape, shape);
    });
  }

  /** Goes on from a state that fits. */
  loadStateDict(state: ReadonlyMap<string, StateEntry>): void {
    for (const [name, variable] of this.named()) variable.set(state.get(name)!.data);
  }

  private named(): [string, Variable][] {
    const sums = this.parameters.map((parameter, index): [string, Variable] => [
      String(index),
      this.sums.get(parameter)!,
    ]);
    return [["count", this.count], ...sums];
  }
}
