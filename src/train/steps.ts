/** The compiled steps of a model: one that learns, one that measures, one that predicts. */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { MetricSet } from "../metrics/named.js";
import type { Module, Signal } from "../nn/module.js";
import { inMode } from "../nn/module.js";
import { BufferVariable } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { cast, div, isFinite, where } from "../ops/elementwise.js";
import { stack } from "../ops/movement.js";
import type { Optimizer } from "../optim/optimizer.js";
import { sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import type { EntryLoss } from "./losses.js";
import { totalOf } from "./losses.js";

/** What a model is trained towards. */
export interface Objective {
  readonly loss: EntryLoss;
  readonly metrics: MetricSet;
}

/**
 * A step that gives its sums `[count, loss, ...metrics]` over the entries of its batch, then, where
 * metrics look at outputs, these and the mask of entries, if there is one.
 */
export type MeasuredStep = Compiled<readonly Tensor[], readonly Tensor[]>;

/** Forward, backward and update, traced once for each shape of batch. */
export function trainStep(model: Module, objective: Objective, optimizer: Optimizer): MeasuredStep {
  return compile((...[x, y, weights]: readonly Tensor[]) => {
    const before = buffersOf(model);
    const output = inMode("training", model, () => model.apply({ x: x! }));
    const { measured, loss } = measure(objective, output, y!, weights);
    noGrad(() => keepUnlessFinite(loss, before));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step({ guard: loss });
    optimizer.zeroGrad();
    return measured;
  });
}

/** State that a forward pass may change, running statistics, with what it holds now. */
function buffersOf(model: Module): Map<BufferVariable, Tensor> {
  const found = new Map<BufferVariable, Tensor>();
  for (const variable of model.namedVariables().values()) {
    if (variable instanceof BufferVariable) found.set(variable, new Tensor(variable.value));
  }
  return found;
}

/** A loss that is not finite changes nothing: the state stays as it was `before`. */
function keepUnlessFinite(loss: Tensor, before: ReadonlyMap<BufferVariable, Tensor>): void {
  const finite = isFinite(loss);
  for (const [variable, old] of before) {
    if (variable.value !== old.value) variable.assign(where(finite, variable, old));
  }
}

/** Forward only, in inference mode. */
export function evaluateStep(model: Module, objective: Objective): MeasuredStep {
  return compile((...[x, y, weights]: readonly Tensor[]) =>
    noGrad(() => {
      const output = inMode("inference", model, () => model.apply({ x: x! }));
      return measure(objective, output, y!, weights).measured;
    }),
  );
}

/** The model's output, in inference mode. */
export function predictStep(model: Module): Compiled<readonly [Tensor], Tensor> {
  return compile((x: Tensor) =>
    noGrad(() => inMode("inference", model, () => model.apply({ x }).x)),
  );
}

/** The loss of a batch, and its sums for reports. */
export function measure(
  { loss: entryLoss, metrics: { traced, streamed } }: Objective,
  output: Signal,
  target: Tensor,
  weights: Tensor | undefined,
): { readonly measured: readonly Tensor[]; readonly loss: Tensor } {
  const { mask } = output;
  const losses = entryLoss(output, target);
  const { total, count } = totalOf(losses, mask, weights);
  const counted = noGrad(() =>
    [...traced.values()].map(({ entry }) => totalOf(entry(output, target), mask, weights).total),
  );
  const sums = noGrad(() =>
    stack([count, total, ...counted].map((sum) => cast(sum.detach(), "float32"))),
  );
  const masks = mask && sameShape(mask.shape, losses.shape) ? [mask] : [];
  const seen = streamed.length > 0 ? [output.x.detach(), ...masks] : [];
  return { measured: [sums, ...seen], loss: div(total, count) };
}
