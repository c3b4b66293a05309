/** Every op at the size its row in test/cases.ts says, forwards and backwards. */
import { gradients } from "../src/autograd.js";
import type { DType, Tensor } from "../src/index.js";
import { compile, manualSeed } from "../src/index.js";
import { cases } from "../test/cases.js";
import type { Case } from "../test/cases/case.js";
import { operand } from "../test/cases/case.js";
import { place } from "../test/opChecks.js";
import type { Row } from "./row.js";

type Compute = () => Promise<readonly Tensor[]>;

/** The op on its operands, or its gradients by them, as one Program. */
function compute(row: Case, float: DType, backward: boolean): Compute {
  const { operands, call } = row.bench();
  const placed = operands.map((one) => place(one, float));
  const isFloat = (_: Tensor, index: number): boolean => operands[index]!.dtype === undefined;
  // Weights of its own for each output: equal ones have no gradient through a softmax.
  const weights = place(operand(call(...placed).shape, { salt: 9 }), float);
  const program = compile((...inputs: Tensor[]): readonly Tensor[] => {
    const y = call(...inputs);
    return backward ? gradients([y], inputs.filter(isFloat), [weights]) : [y];
  });
  return () => program(...placed);
}

/** The largest difference of float32 from float64, relative to the largest value. */
async function errorOf(single: Compute, double: Compute): Promise<number> {
  const values = async (results: Compute): Promise<number[]> => {
    manualSeed(1);
    const arrays = await Promise.all((await results()).map((x) => x.data()));
    return arrays.flatMap((array) => Array.from(array));
  };
  const [a, b] = [await values(single), await values(double)];
  const largest = (x: number[]): number => x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return largest(a.map((value, index) => value - b[index]!)) / (largest(b) || 1);
}

function rowOf(name: string, row: Case, backward: boolean): Row {
  return {
    name: `op_${name}${backward ? "_backward" : ""}`,
    async prepare() {
      const single = compute(row, "float32", backward);
      const error = await errorOf(single, compute(row, "float64", backward));
      return {
        error,
        run: async () => {
          await single();
        },
      };
    },
  };
}

/** Two rows an op: its work, and that of its gradient if it has one. */
export const ops: readonly Row[] = Object.entries<Case>(cases).flatMap(([name, row]) => {
  const hasGradient =
    row.noGradient === undefined && row.bench().operands.some(({ dtype }) => !dtype);
  return [rowOf(name, row, false), ...(hasGradient ? [rowOf(name, row, true)] : [])];
});
