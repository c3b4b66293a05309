import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { at, build, total } from "../reference.js";
import type { Case, Sample } from "./case.js";
import { operand } from "./case.js";

/** The positions of the input that each window of an axis has. */
type Windows = readonly (readonly number[])[];

/** Of windows of one size: `output` of them, positions outside the input included. */
function sliding(
  output: number,
  kernel: number,
  { stride = kernel, padding = 0, dilation = 1 } = {},
): Windows {
  return Array.from({ length: output }, (_, o) =>
    Array.from({ length: kernel }, (_, k) => o * stride - padding + k * dilation),
  );
}

/** Of windows that share the input evenly. */
function even(input: number, output: number): Windows {
  return Array.from({ length: output }, (_, o) => {
    const start = Math.floor((o * input) / output);
    const end = Math.ceil(((o + 1) * input) / output);
    return Array.from({ length: end - start }, (_, k) => start + k);
  });
}

/** `f` of the numbers of each window, and of how many positions `isCounted` holds. */
function pooled(
  x: NumberArray,
  [rows, columns]: readonly [Windows, Windows],
  f: (numbers: number[], count: number) => number,
  isCounted: (row: number, column: number) => boolean = () => true,
): NumberArray {
  const [batch, channels, height, width] = x.shape;
  return build([batch!, channels!, rows.length, columns.length], ([n, c, oy, ox]) => {
    const places = rows[oy!]!.flatMap((y) => columns[ox!]!.map((z) => [y, z] as const));
    const real = places.filter(([y, z]) => y >= 0 && y < height! && z >= 0 && z < width!);
    const counted = places.filter(([y, z]) => isCounted(y, z));
    return f(
      real.map(([y, z]) => at(x, [n!, c!, y, z])),
      counted.length,
    );
  });
}

const largest = (numbers: number[]): number => Math.max(...numbers);
const average = (numbers: number[], count: number): number => total(numbers) / count;

const oneRow: Windows = [[0]];

/** `f` of signals as images of one row. */
function ofSignals(x: NumberArray, f: (image: NumberArray) => NumberArray): NumberArray {
  const [batch, channels, length] = x.shape;
  const { shape, data } = f({ shape: [batch!, channels!, 1, length!], data: x.data });
  return { shape: [shape[0]!, shape[1]!, shape[3]!], data };
}

/** A row of the pools of windows that share the input evenly. */
function adaptiveCase(
  image: (x: Tensor, outputSize: op.Pair) => Tensor,
  f: (numbers: number[], count: number) => number,
): Case {
  const sample = (height: number, width: number, outputs: readonly [number, number]): Sample => ({
    operands: [operand([2, 3, height, width])],
    call: (x) => image(x, outputs),
    reference: (x) => pooled(x, [even(height, outputs[0]), even(width, outputs[1])], f),
  });
  return {
    samples: [
      sample(4, 6, [2, 3]),
      sample(5, 7, [2, 3]),
      sample(6, 5, [3, 4]),
      sample(3, 4, [1, 1]),
      sample(2, 3, [4, 5]),
    ],
    special: [
      {
        operands: [{ shape: [1, 1, 2, 3], data: [1, NaN, 2, 3, 4, 5] }],
        call: (x) => image(x, [1, 2]),
        reference: (x) => pooled(x, [even(2, 1), even(3, 2)], f),
      },
    ],
    bench: () => ({ operands: [operand([8, 32, 30, 30])], call: (x) => image(x, 7) }),
  };
}

function adaptiveSignalCase(
  signal: (x: Tensor, outputSize: number) => Tensor,
  f: (numbers: number[], count: number) => number,
): Case {
  const sample = (length: number, outputs: number): Sample => ({
    operands: [operand([2, 3, length])],
    call: (x) => signal(x, outputs),
    reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, even(length, outputs)], f)),
  });
  return {
    samples: [sample(12, 4), sample(17, 5), sample(3, 1)],
    special: [
      {
        operands: [{ shape: [1, 1, 5], data: [1, NaN, 2, 3, 4] }],
        call: (x) => signal(x, 3),
        reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, even(5, 3)], f)),
      },
    ],
    bench: () => ({ operands: [operand([8, 64, 500])], call: (x) => signal(x, 60) }),
  };
}

export const poolingCases = {
  maxPool2d: {
    samples: [
      {
        operands: [operand([2, 3, 4, 8])],
        call: (x) => op.maxPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(2, 2), sliding(4, 2)], largest),
      },
      {
        operands: [operand([2, 2, 5, 7])],
        call: (x) => op.maxPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(2, 2), sliding(3, 2)], largest),
      },
      {
        operands: [operand([1, 3, 7, 9])],
        call: (x) => op.maxPool2d(x, 3, { stride: 2, padding: 1 }),
        reference: (x) =>
          pooled(
            x,
            [sliding(4, 3, { stride: 2, padding: 1 }), sliding(5, 3, { stride: 2, padding: 1 })],
            largest,
          ),
      },
      {
        operands: [operand([1, 2, 7, 11])],
        call: (x) => op.maxPool2d(x, [2, 3], { stride: [1, 3], dilation: [3, 1], ceilMode: true }),
        reference: (x) =>
          pooled(x, [sliding(4, 2, { stride: 1, dilation: 3 }), sliding(4, 3)], largest),
      },
      // A window larger than the image, which it hangs over.
      {
        operands: [operand([1, 2, 4, 6])],
        call: (x) => op.maxPool2d(x, [3, 2], { dilation: [2, 1], stride: 2, ceilMode: true }),
        reference: (x) =>
          pooled(x, [sliding(1, 3, { dilation: 2 }), sliding(3, 2, { stride: 2 })], largest),
      },
      // The third window would begin behind the input.
      {
        operands: [operand([1, 1, 4, 4])],
        call: (x) => op.maxPool2d(x, 2, { stride: 3, padding: 1, ceilMode: true }),
        reference: (x) => {
          const along = sliding(2, 2, { stride: 3, padding: 1 });
          return pooled(x, [along, along], largest);
        },
      },
      {
        operands: [operand([0, 3, 4, 4])],
        call: (x) => op.maxPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(2, 2), sliding(2, 2)], largest),
      },
    ],
    special: [
      {
        operands: [
          {
            shape: [1, 1, 2, 8],
            data: [
              [-Infinity, -Infinity, NaN, 1, 2, Infinity, 0, -0],
              [-Infinity, -Infinity, 3, NaN, -1, -Infinity, 1, NaN],
            ].flat(),
          },
        ],
        call: (x) => op.maxPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(1, 2), sliding(4, 2)], largest),
      },
    ],
    bench: () => ({
      operands: [operand([16, 32, 28, 28])],
      call: (x) => op.maxPool2d(x, 2),
    }),
  },
  maxPool1d: {
    samples: [
      {
        operands: [operand([2, 3, 17])],
        call: (x) => op.maxPool1d(x, 3),
        reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, sliding(5, 3)], largest)),
      },
      {
        operands: [operand([2, 2, 20])],
        call: (x) => op.maxPool1d(x, 3, { stride: 2, padding: 1, dilation: 2 }),
        reference: (x) =>
          ofSignals(x, (image) =>
            pooled(image, [oneRow, sliding(9, 3, { stride: 2, padding: 1, dilation: 2 })], largest),
          ),
      },
    ],
    special: [
      {
        operands: [{ shape: [1, 1, 4], data: [NaN, 1, -Infinity, Infinity] }],
        call: (x) => op.maxPool1d(x, 2),
        reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, sliding(2, 2)], largest)),
      },
    ],
    bench: () => ({
      operands: [operand([16, 32, 900])],
      call: (x) => op.maxPool1d(x, 3, { stride: 1 }),
    }),
  },
  avgPool2d: {
    samples: [
      {
        operands: [operand([2, 3, 4, 8])],
        call: (x) => op.avgPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(2, 2), sliding(4, 2)], average),
      },
      {
        operands: [operand([1, 2, 6, 9])],
        call: (x) => op.avgPool2d(x, 3, { stride: [1, 2], padding: 1 }),
        reference: (x) =>
          pooled(
            x,
            [sliding(6, 3, { stride: 1, padding: 1 }), sliding(5, 3, { stride: 2, padding: 1 })],
            average,
          ),
      },
      {
        operands: [operand([1, 2, 6, 9])],
        call: (x) => op.avgPool2d(x, 3, { padding: 1, countIncludePad: false }),
        reference: (x) =>
          pooled(
            x,
            [sliding(2, 3, { padding: 1 }), sliding(3, 3, { padding: 1 })],
            average,
            (y, z) => y >= 0 && y < 6 && z >= 0 && z < 9,
          ),
      },
      // What hangs over the padding is not counted.
      {
        operands: [operand([1, 2, 6, 7])],
        call: (x) => op.avgPool2d(x, [3, 4], { stride: 3, padding: 1, ceilMode: true }),
        reference: (x) =>
          pooled(
            x,
            [sliding(3, 3, { padding: 1 }), sliding(3, 4, { stride: 3, padding: 1 })],
            average,
            (y, z) => y < 7 && z < 8,
          ),
      },
    ],
    special: [
      {
        operands: [{ shape: [1, 1, 2, 4], data: [NaN, 1, 2, 3, 4, 5, Infinity, -1] }],
        call: (x) => op.avgPool2d(x, 2),
        reference: (x) => pooled(x, [sliding(1, 2), sliding(2, 2)], average),
      },
    ],
    bench: () => ({
      operands: [operand([16, 32, 28, 28])],
      call: (x) => op.avgPool2d(x, 2),
    }),
  },
  avgPool1d: {
    samples: [
      {
        operands: [operand([2, 3, 17])],
        call: (x) => op.avgPool1d(x, 3),
        reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, sliding(5, 3)], average)),
      },
      {
        operands: [operand([2, 2, 9])],
        call: (x) => op.avgPool1d(x, 4, { stride: 2, padding: 2, countIncludePad: false }),
        reference: (x) =>
          ofSignals(x, (image) =>
            pooled(
              image,
              [oneRow, sliding(5, 4, { stride: 2, padding: 2 })],
              average,
              (_, z) => z >= 0 && z < 9,
            ),
          ),
      },
    ],
    special: [
      {
        operands: [{ shape: [1, 1, 4], data: [NaN, 1, 2, Infinity] }],
        call: (x) => op.avgPool1d(x, 2),
        reference: (x) => ofSignals(x, (image) => pooled(image, [oneRow, sliding(2, 2)], average)),
      },
    ],
    bench: () => ({
      operands: [operand([16, 32, 900])],
      call: (x) => op.avgPool1d(x, 3, { stride: 1 }),
    }),
  },
  adaptiveAvgPool2d: adaptiveCase(op.adaptiveAvgPool2d, average),
  adaptiveMaxPool2d: adaptiveCase(op.adaptiveMaxPool2d, largest),
  adaptiveAvgPool1d: adaptiveSignalCase(op.adaptiveAvgPool1d, average),
  adaptiveMaxPool1d: adaptiveSignalCase(op.adaptiveMaxPool1d, largest),
} satisfies Record<string, Case>;
