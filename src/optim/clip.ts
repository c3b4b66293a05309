/** Bounds on gradients. */
import { checkNumber } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Parameter } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { add, cast, clamp, div, minimum, mul, sqrt, square } from "../ops/elementwise.js";
import { stack } from "../ops/movement.js";
import { sum } from "../ops/reduce.js";
import type { Tensor } from "../tensor.js";

/** Keeps a vanishing norm from dividing by 0. */
const normEps = 1e-6;

/** The root of the sum of all squares: the length of the gradients as one vector. */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  return sqrt(sum(stack(gradients.map((gradient) => sum(square(gradient))))));
}

/** min(1, maxNorm/‖gradients‖) (Pascanu et al., 2013). */
export function clipScale(gradients: readonly Tensor[], maxNorm: number): Tensor {
  return minimum(div(maxNorm, add(globalNorm(gradients), normEps)), 1);
}

/** Scales the gradients so that their norm together is at most `maxNorm`; gives the norm before. */
export function clipGradNorm(parameters: Iterable<Parameter>, maxNorm: number): Tensor {
  const moved = withGradients("clipGradNorm", parameters);
  return noGrad(() => {
    const gradients = moved.map((parameter) => parameter.grad!);
    const scale = clipScale(gradients, maxNorm);
    moved.forEach((parameter, index) => {
      parameter.grad = mul(gradients[index]!, cast(scale, parameter.dtype));
    });
    return globalNorm(gradients);
  });
}

/** Bounds each element of the gradients: from −`clipValue` to `clipValue`. */
export function clipGradValue(parameters: Iterable<Parameter>, clipValue: number): void {
  checkNumber("clipGradValue: clipValue", clipValue, 0, Infinity);
  const moved = withGradients("clipGradValue", parameters);
  noGrad(() => {
    for (const parameter of moved) parameter.grad = clamp(parameter.grad!, -clipValue, clipValue);
  });
}

function withGradients(caller: string, parameters: Iterable<Parameter>): Parameter[] {
  const moved = [...parameters].filter((parameter) => parameter.grad);
  if (moved.length === 0) throw new ArgumentError(`${caller}: no parameter has a gradient`);
  return moved;
}
