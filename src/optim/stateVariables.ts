/** Variables that optimizers keep beside the parameters. */
import { dtypes } from "../dtype.js";
import type { Parameter } from "../nn/parameter.js";
import { sizeOf } from "../shape.js";
import { Variable } from "../tensor.js";

/** A variable of zeros for each parameter, of its shape and dtype. */
export function zerosFor(parameters: readonly Parameter[]): Map<Parameter, Variable> {
  const made = new Map<Parameter, Variable>();
  for (const parameter of parameters) {
    const { shape, dtype } = parameter;
    const data = new dtypes[dtype].make(sizeOf(shape));
    made.set(parameter, new Variable(data, shape, dtype, { overwrite: true }));
  }
  return made;
}
