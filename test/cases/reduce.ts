import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { reduce, total } from "../reference.js";
import type { Call, Case, Sample } from "./case.js";
import { benchShape, operand, specialValues } from "./case.js";

type Reduction = (x: Tensor, options?: { axis?: number[] }) => Tensor;

function reduction(
  call: Reduction,
  f: (run: number[]) => number,
  { empty = true, ...rest }: { empty?: boolean } & Partial<Case> = {},
): Case {
  const some: [number[], number[]][] = [
    [[17], [0]],
    [[1], [0]],
    [[3, 5], [1]],
    [[3, 5], [0]],
    [
      [2, 3, 5],
      [0, 2],
    ],
    [
      [2, 3, 5, 2],
      [1, 2],
    ],
    [[0, 3], [1]],
    [
      [70, 300],
      [0, 1],
    ],
  ];
  const none: [number[], number[]][] = [
    [[0], [0]],
    [[3, 0], [1]],
  ];
  const sample = (shape: number[], axis: number[], placement: "dense" | "transposed"): Sample => ({
    operands: [operand(shape, { placement, low: 0.5, high: 1.5 })],
    call: (x) => call(x, { axis }),
    reference: (x) => reduce(x, axis, f),
  });
  const special: Sample[] = [
    [0, 1],
    [2, 3],
    [0, 3],
    [3, 4, 5],
    [3, 6, 7],
  ].map((pick) => {
    const data = pick.map((i) => specialValues[i]!);
    return {
      operands: [{ shape: [data.length], data }],
      call: (x) => call(x),
      reference: (x: NumberArray) => reduce(x, [0], f),
    };
  });
  return {
    samples: [
      ...[...some, ...(empty ? none : [])].map(([shape, axis]) => sample(shape, axis, "dense")),
      sample([5, 7], [0], "transposed"),
    ],
    special,
    bench: (): Call => ({
      operands: [operand([4, ...benchShape], { low: 0.5, high: 1.5 })],
      // All, along rows and along columns.
      call: (x) => op.concat([[0, 1, 2], [2], [1]].map((axis) => op.flatten(call(x, { axis })))),
    }),
    ...rest,
  };
}

const mean = (run: number[]): number => total(run) / run.length;
const places = { empty: false, noGradient: "gives places" };

export const reduceCases = {
  sum: reduction(op.sum, total),
  prod: reduction(op.prod, (run) => run.reduce((product, x) => product * x, 1), {}),
  mean: reduction(op.mean, mean),
  variance: reduction(
    (x, options) => op.variance(x, { ...options, correction: 0 }),
    (run) => {
      const centre = mean(run);
      return mean(run.map((x) => (x - centre) ** 2));
    },
  ),
  max: reduction(op.max, (run) => Math.max(...run), { empty: false }),
  min: reduction(op.min, (run) => Math.min(...run), { empty: false }),
  argMax: argument(op.argMax, (run) => run.indexOf(Math.max(...run))),
  argMin: argument(op.argMin, (run) => run.indexOf(Math.min(...run))),
} satisfies Record<string, Case>;

function argument(
  call: (x: Tensor, options: { axis: number }) => Tensor,
  f: (run: number[]) => number,
): Case {
  const row = reduction((x, options) => call(x, { axis: options?.axis?.[0] ?? 0 }), f, places);
  return {
    ...row,
    samples: row.samples
      .filter(({ operands: [x] }) => x!.shape.length <= 2 && x!.data.length < 1000)
      .map((sample) => ({ ...sample })),
    special: [
      {
        operands: [{ shape: [4], data: [1, NaN, 3, NaN] }],
        call: (x) => call(x, { axis: 0 }),
        reference: () => ({ shape: [], data: [1] }),
      },
    ],
  };
}
