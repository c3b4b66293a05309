/** Variables that optimizers keep beside the parameters. */
import { dtypes } from "../dtype.js";
import type { Parameter } from "../nn/parameter.js";
import { sizeOf } from "../shape.js";
import { Variable } from "../tensor.js";

/** A variable for each parameter, of its shape and dtype, that holds `value` everywhere. */
export function filledFor(parameters: readonly Parameter[], value = 0): Map<Parameter, Variable> {
  const made = new Map<Parameter, Variable>();
  for (const parameter of parameters) {
    const { shape, dtype } = parameter;
    const data = new dtypes[dtype].make(sizeOf(shape)).fill(value);
    made.set(parameter, new Variable(data, shape, dtype, { overwrite: true }));
  }
  return made;
}

/** A float64 variable with a number for each of `count` parameters, all of them `value`. */
export function numberForEach(count: number, value: number): Variable {
  return new Variable(new Float64Array(count).fill(value), [count], "float64", {
    overwrite: true,
  });
}
