/** Penalties on weights, as `compile` takes them. */
import { ArgumentError } from "../errors.js";
import { checkNumber, checkOptions, shown } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import { abs, add, cast, mul, square } from "../ops/elementwise.js";
import { sum } from "../ops/reduce.js";
import type { ParameterSelection } from "../optim/parameterGroups.js";
import { select } from "../optim/parameterGroups.js";
import type { Tensor } from "../tensor.js";

/** l1·Σ|w| + l2·Σw² over the parameters selected; those of 2 axes and more if nothing is said. */
export interface Regularizer extends ParameterSelection {
  readonly l1?: number;
  readonly l2?: number;
}

const regularizerOptions = {
  l1: true,
  l2: true,
  names: true,
  minRank: true,
  maxRank: true,
} as const satisfies Record<keyof Regularizer, true>;

/** The penalty l1·Σ|w|, which draws weights to 0. */
export function l1(factor = 0.01, selection: ParameterSelection = {}): Regularizer {
  return { l1: factor, ...selection };
}

/** The penalty l2·Σw², which keeps weights small. */
export function l2(factor = 0.01, selection: ParameterSelection = {}): Regularizer {
  return { l2: factor, ...selection };
}

/** Both penalties. */
export function l1l2(
  factors: { readonly l1: number; readonly l2: number },
  selection: ParameterSelection = {},
): Regularizer {
  return { ...factors, ...selection };
}

/** A function that records the sum of all penalties; undefined where there are none. */
export function penaltyOf(
  named: ReadonlyMap<string, Parameter>,
  regularizers: readonly Regularizer[],
): (() => Tensor) | undefined {
  const isList: boolean = Array.isArray(regularizers);
  if (!isList) {
    throw new ArgumentError(`compile: regularizers is ${shown(regularizers)}, not a list`);
  }
  const terms = regularizers.flatMap((regularizer, index) => {
    const what = `compile: regularizers[${index}]`;
    checkOptions(what, regularizer, regularizerOptions);
    const { l1: first = 0, l2: second = 0 } = regularizer;
    checkNumber(`${what}.l1`, first, 0, Infinity);
    checkNumber(`${what}.l2`, second, 0, Infinity);
    if (first === 0 && second === 0) throw new ArgumentError(`${what} has neither l1 nor l2`);
    const chosen = select(named, { minRank: 2, ...regularizer }, what);
    return [...chosen.values()].flatMap((parameter) => [
      ...(first > 0 ? [() => mul(sum(abs(parameter)), first)] : []),
      ...(second > 0 ? [() => mul(sum(square(parameter)), second)] : []),
    ]);
  });
  if (terms.length === 0) return undefined;
  return () => terms.map((term) => cast(term(), "float32")).reduce(add);
}
