/** How an op's row of tests is said. */
import type { DType, Tensor } from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { numbers } from "../reference.js";

/** How an operand lies in memory. */
export type Placement = "dense" | "transposed" | "sliced";

/** An operand: floats unless it says otherwise. */
export interface Operand extends NumberArray {
  readonly dtype?: DType;
  readonly placement?: Placement;
}

/** One call of an op. */
export interface Call {
  readonly operands: readonly Operand[];
  readonly call: (...operands: Tensor[]) => Tensor;
}

/** A call, and what it should give. */
export interface Sample extends Call {
  readonly reference: (...operands: NumberArray[]) => NumberArray;
}

/** An op's row. */
export interface Case {
  readonly samples: readonly Sample[];
  /** Why there is no gradient; undefined: there is one, and it is checked twice over. */
  readonly noGradient?: string;
  /** Samples with NaN and infinities, compared by kind; or why there are none. */
  readonly special: readonly Sample[] | string;
  /** A call with work enough for threads to share, which is also what benchmarks time. */
  readonly bench: () => Call;
  /** Its calls draw random keys, whose buffers are the garbage collector's to free. */
  readonly random?: true;
}

/** A shape of more elements than several threads' shares. */
export const benchShape = [300, 257] as const;

/** Sizes at which whole vectors, rests and nothing at all are met. */
export const sizes = [0, 1, 3, 17] as const;

/** An operand of numbers from `low` to `high`. */
export function operand(
  shape: readonly number[],
  {
    salt = 1,
    low = -1,
    high = 1,
    ...rest
  }: {
    salt?: number;
    low?: number;
    high?: number;
    placement?: Placement;
  } = {},
): Operand {
  const { data } = numbers(shape, salt);
  return { shape, data: data.map((x) => low + ((x + 1) / 2) * (high - low)), ...rest };
}

/** An operand of whole numbers below `limit`. */
export function integers(shape: readonly number[], limit: number, salt = 1): Operand {
  const { data } = numbers(shape, salt);
  return { shape, data: data.map((x) => Math.floor(((x + 1) / 2) * limit)), dtype: "int32" };
}

/** The values that floats have beside numbers. */
export const specialValues = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5];

/** All pairs of them, as two operands. */
export function specialPairs(): [Operand, Operand] {
  const pairs = specialValues.flatMap((a) => specialValues.map((b) => [a, b] as const));
  return [
    { shape: [pairs.length], data: pairs.map(([a]) => a) },
    { shape: [pairs.length], data: pairs.map(([, b]) => b) },
  ];
}
