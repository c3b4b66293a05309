/** The compiled steps of a model: one that learns, one that measures, one that predicts. */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { EntryMetric } from "../metrics/metrics.js";
import type { Module, Signal } from "../nn/module.js";
import { noGrad } from "../op.js";
import { cast, div } from "../ops/elementwise.js";
import { stack } from "../ops/movement.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Tensor } from "../tensor.js";
import type { EntryLoss } from "./losses.js";
import { totalOf } from "./losses.js";

/** What a model is trained towards. */
export interface Objective {
  readonly loss: EntryLoss;
  readonly metrics: ReadonlyMap<string, EntryMetric>;
}

/** `[inputs, targets, weights?]`, a batch of rows each. */
export type Batch = readonly [x: Tensor, y: Tensor, weights?: Tensor];

/** A step's sums `[count, loss, ...metrics]` over the entries of its batch. */
export type MeasuredStep = Compiled<readonly Tensor[], Tensor>;

/** Forward, backward and update, traced once for each shape of batch. */
export function trainStep(model: Module, objective: Objective, optimizer: Optimizer): MeasuredStep {
  return compile((...[x, y, weights]: readonly Tensor[]) => {
    model.train();
    const output = model.apply({ x: x! });
    const { sums, loss } = measure(objective, output, y!, weights);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step({ guard: loss });
    optimizer.zeroGrad();
    return sums;
  });
}

/** Forward only, in inference mode. */
export function evaluateStep(model: Module, objective: Objective): MeasuredStep {
  return compile((...[x, y, weights]: readonly Tensor[]) =>
    noGrad(() => {
      model.eval();
      const output = model.apply({ x: x! });
      return measure(objective, output, y!, weights).sums;
    }),
  );
}

/** The model's output, in inference mode. */
export function predictStep(model: Module): Compiled<readonly [Tensor], Tensor> {
  return compile((x: Tensor) =>
    noGrad(() => {
      model.eval();
      return model.apply({ x }).x;
    }),
  );
}

/** The loss of a batch, and its sums for reports. */
export function measure(
  { loss: entryLoss, metrics }: Objective,
  output: Signal,
  target: Tensor,
  weights: Tensor | undefined,
): { readonly sums: Tensor; readonly loss: Tensor } {
  const { mask } = output;
  const { total, count } = totalOf(entryLoss(output, target), mask, weights);
  const counted = noGrad(() =>
    [...metrics.values()].map((metric) => totalOf(metric(output, target), mask, weights).total),
  );
  const sums = noGrad(() =>
    stack([count, total, ...counted].map((sum) => cast(sum.detach(), "float32"))),
  );
  return { sums, loss: div(total, count) };
}
