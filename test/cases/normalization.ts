import * as op from "../../src/index.js";
import { indexOf, mapRows, total } from "../reference.js";
import type { Call, Case, Sample } from "./case.js";
import { benchShape, operand } from "./case.js";

function normalized(values: number[], eps: number): number[] {
  const mean = total(values) / values.length;
  const variance = total(values.map((x) => (x - mean) ** 2)) / values.length;
  return values.map((x) => (x - mean) / Math.sqrt(variance + eps));
}

export const normalizationCases = {
  layerNorm: {
    samples: [
      [3, 5],
      [2, 3, 17],
      [1, 130],
      [0, 4],
      [70, 3],
    ]
      .flatMap((shape): Sample[] => [
        {
          operands: [
            operand(shape),
            operand([shape.at(-1)!], { salt: 2 }),
            operand([shape.at(-1)!], { salt: 3 }),
          ],
          call: (x, weight, bias) => op.layerNorm(x, { weight, bias }),
          reference: (x, w, b) =>
            mapRows(x, (row) => normalized(row, 1e-5).map((h, i) => h * w.data[i]! + b.data[i]!)),
        },
        {
          operands: [operand(shape)],
          call: (x) => op.layerNorm(x),
          reference: (x) => mapRows(x, (row) => normalized(row, 1e-5)),
        },
      ])
      .concat({
        operands: [operand([3, 2, 5]), operand([2, 5], { salt: 2 })],
        call: (x, weight) => op.layerNorm(x, { weight, normalizedShape: [2, 5], eps: 0.01 }),
        reference: (x, w) => {
          const rows = mapRows({ ...x, shape: [3, 10] }, (row) =>
            normalized(row, 0.01).map((h, i) => h * w.data[i]!),
          );
          return { ...rows, shape: x.shape };
        },
      }),
    special: [
      {
        operands: [{ shape: [2, 3], data: [1, NaN, 2, 4, 5, 6] }],
        call: (x) => op.layerNorm(x),
        reference: (x) => mapRows(x, (row) => normalized(row, 1e-5)),
      },
    ],
    bench: (): Call => ({
      operands: [operand(benchShape), operand([257], { salt: 2 }), operand([257], { salt: 3 })],
      call: (x, weight, bias) => op.layerNorm(x, { weight, bias }),
    }),
  },
  batchNorm: {
    samples: [
      [4, 3],
      [17, 1],
      [3, 5, 7],
      [2, 3, 2, 5],
    ].map((shape): Sample => ({
      operands: [
        operand(shape),
        operand([shape[1]!], { salt: 2 }),
        operand([shape[1]!], { salt: 3 }),
      ],
      call: (x, weight, bias) => op.batchNorm(x, { weight, bias, training: true }),
      reference: (x, w, b) => {
        const out = [...x.data];
        for (let channel = 0; channel < shape[1]!; channel++) {
          const places = out.map((_, i) => i).filter((i) => indexOf(shape, i)[1] === channel);
          const values = normalized(
            places.map((i) => x.data[i]!),
            1e-5,
          );
          places.forEach((i, n) => (out[i] = values[n]! * w.data[channel]! + b.data[channel]!));
        }
        return { shape, data: out };
      },
    })),
    special: [
      {
        operands: [{ shape: [2, 2], data: [1, NaN, 2, 3] }],
        call: (x) => op.batchNorm(x, { training: true }),
        reference: (x) => {
          const first = normalized([x.data[0]!, x.data[2]!], 1e-5);
          return { shape: [2, 2], data: [first[0]!, NaN, first[1]!, NaN] };
        },
      },
    ],
    bench: (): Call => ({
      operands: [operand([40, 17, 150]), operand([17], { salt: 2 }), operand([17], { salt: 3 })],
      call: (x, weight, bias) => op.batchNorm(x, { weight, bias, training: true }),
    }),
  },
} satisfies Record<string, Case>;
