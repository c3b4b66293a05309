/** Finds where a loss stopped being a number. */
import { NonFiniteError } from "../errors.js";
import type { Module, Watcher } from "../nn/module.js";
import { inMode, watching } from "../nn/module.js";
import { isFinite, logicalNot, cast } from "../ops/elementwise.js";
import { noGrad } from "../op.js";
import { sum } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";

/** The error for a loss that is NaN or infinite: names the step and the first layer to blame. */
export async function nonFiniteLoss(
  model: Module,
  x: Tensor,
  where: { readonly epoch: number; readonly step: number },
): Promise<NonFiniteError> {
  const at = `epoch ${where.epoch + 1}, step ${where.step + 1}`;
  const culprit = await firstNonFinite(model, x);
  return new NonFiniteError(
    `fit: the loss is not finite at ${at}: ${culprit}. The step was not applied; ` +
      "lower the learning rate, clip gradients (clipNorm) or check the data",
  );
}

async function firstNonFinite(model: Module, x: Tensor): Promise<string> {
  for (const [path, variable] of model.namedVariables()) {
    if ((await countNonFinite(variable)) > 0) return `${path} holds values that are not finite`;
  }
  const names = new Map([...model.namedModules()].map(([path, module]) => [module, path]));
  const outputs: { readonly name: string; readonly bad: Tensor }[] = [];
  const watch: Watcher = (module, output) => {
    const name = `${names.get(module) ?? ""} (${module.type})`.trim();
    outputs.push({ name, bad: nonFinite(output.x) });
  };
  noGrad(() => inMode("inference", model, () => watching(watch, () => model.apply({ x }))));
  for (const { name, bad } of outputs) {
    if ((await bad.item()) > 0)
      return `the first output that is not finite is that of layer ${name}`;
  }
  return "every layer's output is finite, the loss itself is not";
}

function nonFinite(x: Tensor): Tensor {
  return sum(cast(logicalNot(isFinite(x)), "float32"));
}

async function countNonFinite(x: Tensor): Promise<number> {
  return noGrad(() => nonFinite(x)).item();
}
