import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import { uniforms } from "../philox.js";
import type { NumberArray } from "../reference.js";
import { build, zip } from "../reference.js";
import type { Call, Case } from "./case.js";
import { benchShape, sizes } from "./case.js";

type Creation = (shape: readonly number[], dtype: "float32" | "float64") => Tensor;

function made(call: Creation, reference: (shape: readonly number[]) => NumberArray): Case {
  const shapes = [...sizes.map((size) => [size]), [3, 1], [2, 5, 7]];
  // An empty operand says which dtype is checked.
  const typed = (shape: readonly number[]): Call => ({
    operands: [{ shape: [0], data: [] }],
    call: ({ dtype }) => call(shape, dtype === "float64" ? dtype : "float32"),
  });
  return {
    samples: shapes.map((shape) => ({ ...typed(shape), reference: () => reference(shape) })),
    noGradient: "has no operand",
    special: "has no operand",
    bench: () => {
      const { operands, call } = typed(benchShape);
      // A constant by itself takes no work.
      return { operands, call: (x) => op.neg(call(x)) };
    },
  };
}

const fills = (value: number) => (shape: readonly number[]) => build(shape, () => value);

/** Any seed: the reference draws the same numbers. */
const seed = 5;

function seeded(call: Creation): Creation {
  return (...all) => {
    op.manualSeed(seed);
    return call(...all);
  };
}

export const creationCases = {
  full: made((shape, dtype) => op.full(shape, 0.5, dtype), fills(0.5)),
  zeros: made(op.zeros, fills(0)),
  ones: made(op.ones, fills(1)),
  arange: made(
    ([length], dtype) => op.arange(2, 2 + 3 * length!, { step: 3, dtype }),
    ([length]) => build([length!], ([i]) => 2 + 3 * i!),
  ),
  uniform: {
    ...made(seeded(op.uniform), (shape) => uniforms(shape, seed)),
    random: true,
  },
  normal: {
    ...made(seeded(op.normal), (shape) =>
      zip(
        [uniforms(shape, seed, 0), uniforms(shape, seed, 1)],
        (u, v) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v),
      ),
    ),
    random: true,
  },
} satisfies Record<string, Case>;
