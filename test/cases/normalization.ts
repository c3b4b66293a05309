import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { indexOf, mapRows, total } from "../reference.js";
import type { Call, Case, Sample } from "./case.js";
import { benchShape, operand } from "./case.js";

function normalized(values: number[], eps: number): number[] {
  const mean = total(values) / values.length;
  const variance = total(values.map((x) => (x - mean) ** 2)) / values.length;
  return values.map((x) => (x - mean) / Math.sqrt(variance + eps));
}

function scaledToOne(values: number[], eps: number): number[] {
  const square = total(values.map((x) => x * x)) / values.length;
  return values.map((x) => x / Math.sqrt(square + eps));
}

/** Each group of channels of `x: [batch, channels, ...]` normalized. */
function groupwise(x: NumberArray, groups: number, eps = 1e-5): NumberArray {
  const [batch, channels, ...rest] = x.shape;
  const size = rest.reduce((product, n) => product * n, channels! / groups);
  const rows = mapRows({ ...x, shape: [batch! * groups, size] }, (row) => normalized(row, eps));
  return { ...rows, shape: x.shape };
}

/** Each channel of `x: [batch, channels, ...]` normalized over all else, scaled and shifted. */
function channelwise(x: NumberArray, weight: NumberArray, bias: NumberArray): number[] {
  const out = [...x.data];
  for (let channel = 0; channel < x.shape[1]!; channel++) {
    const places = out.map((_, i) => i).filter((i) => indexOf(x.shape, i)[1] === channel);
    const values = normalized(
      places.map((i) => x.data[i]!),
      1e-5,
    );
    places.forEach((i, n) => (out[i] = values[n]! * weight.data[channel]! + bias.data[channel]!));
  }
  return out;
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
  rmsNorm: {
    samples: [
      [3, 5],
      [2, 3, 17],
      [1, 130],
      [0, 4],
      [70, 3],
    ]
      .flatMap((shape): Sample[] => [
        {
          operands: [operand(shape), operand([shape.at(-1)!], { salt: 2 })],
          call: (x, weight) => op.rmsNorm(x, { weight, eps: 1e-6 }),
          reference: (x, w) =>
            mapRows(x, (row) => scaledToOne(row, 1e-6).map((h, i) => h * w.data[i]!)),
        },
        {
          // Numbers to which the least ε makes no difference.
          operands: [operand(shape, { low: 0.5 })],
          call: (x) => op.rmsNorm(x),
          reference: (x) => mapRows(x, (row) => scaledToOne(row, 0)),
        },
      ])
      .concat({
        operands: [operand([3, 2, 5]), operand([2, 5], { salt: 2 })],
        call: (x, weight) => op.rmsNorm(x, { weight, normalizedShape: [2, 5], eps: 0.01 }),
        reference: (x, w) => {
          const rows = mapRows({ ...x, shape: [3, 10] }, (row) =>
            scaledToOne(row, 0.01).map((h, i) => h * w.data[i]!),
          );
          return { ...rows, shape: x.shape };
        },
      }),
    special: [
      {
        operands: [{ shape: [3, 3], data: [1, NaN, 2, 4, 5, 6, 0, 0, 0] }],
        call: (x) => op.rmsNorm(x),
        reference: (x) => mapRows(x, (row) => scaledToOne(row, Number.MIN_VALUE)),
      },
    ],
    bench: (): Call => ({
      operands: [operand(benchShape), operand([257], { salt: 2 })],
      call: (x, weight) => op.rmsNorm(x, { weight }),
    }),
  },
  groupNorm: {
    samples: [
      { shape: [4, 6], groups: 2 },
      { shape: [70, 4], groups: 2 },
      { shape: [3, 5, 7], groups: 1 },
      { shape: [2, 6, 2, 5], groups: 3 },
      { shape: [2, 4, 17], groups: 4 },
      { shape: [0, 4, 3], groups: 2 },
    ].flatMap(({ shape, groups }): Sample[] => {
      const sample = (...given: ("weight" | "bias")[]): Sample => ({
        operands: [
          operand(shape),
          ...given.map((_, index) => operand([shape[1]!], { salt: 2 + index })),
        ],
        call: (x, ...rest) =>
          op.groupNorm(x, groups, Object.fromEntries(given.map((name, i) => [name, rest[i]!]))),
        reference: (x, ...rest) => {
          const at = (name: "weight" | "bias", channel: number, other: number): number =>
            rest[given.indexOf(name)]?.data[channel] ?? other;
          const normal = groupwise(x, groups);
          const data = normal.data.map((h, i) => {
            const channel = indexOf(shape, i)[1]!;
            return h * at("weight", channel, 1) + at("bias", channel, 0);
          });
          return { shape, data };
        },
      });
      return [sample("weight", "bias"), sample("weight"), sample("bias"), sample()];
    }),
    special: [
      {
        operands: [{ shape: [1, 4, 1], data: [1, NaN, 2, 4] }],
        call: (x) => op.groupNorm(x, 2),
        reference: (x) => groupwise(x, 2),
      },
    ],
    bench: (): Call => ({
      operands: [operand([40, 18, 150]), operand([18], { salt: 2 }), operand([18], { salt: 3 })],
      call: (x, weight, bias) => op.groupNorm(x, 6, { weight, bias }),
    }),
  },
  instanceNorm: {
    samples: [
      [2, 3, 7],
      [3, 5, 2, 5],
      [1, 1, 40],
      [0, 2, 3],
    ].map((shape): Sample => ({
      operands: [
        operand(shape),
        operand([shape[1]!], { salt: 2 }),
        operand([shape[1]!], { salt: 3 }),
      ],
      call: (x, weight, bias) => op.instanceNorm(x, { weight, bias, eps: 0.001 }),
      reference: (x, w, b) => {
        const normal = groupwise(x, shape[1]!, 0.001);
        const data = normal.data.map((h, i) => {
          const channel = indexOf(shape, i)[1]!;
          return h * w.data[channel]! + b.data[channel]!;
        });
        return { shape, data };
      },
    })),
    special: [
      {
        operands: [{ shape: [1, 2, 2], data: [1, Infinity, 2, 4] }],
        call: (x) => op.instanceNorm(x),
        reference: (x) => groupwise(x, 2),
      },
    ],
    bench: (): Call => ({
      operands: [operand([40, 17, 150]), operand([17], { salt: 2 }), operand([17], { salt: 3 })],
      call: (x, weight, bias) => op.instanceNorm(x, { weight, bias }),
    }),
  },
  batchNorm: {
    samples: [
      [4, 3],
      [17, 1],
      [3, 5, 7],
      [2, 3, 2, 5],
    ].flatMap((shape): Sample[] => {
      const [weight, bias] = [2, 3].map((salt) => operand([shape[1]!], { salt }));
      const residual = operand(shape, { salt: 4 });
      const training = true;
      const cut = (y: number): number => Math.max(0, y);
      return [
        {
          operands: [operand(shape), weight!, bias!],
          call: (x, weight, bias) => op.batchNorm(x, { weight, bias, training }),
          reference: (x, w, b) => ({ shape, data: channelwise(x, w, b) }),
        },
        {
          operands: [operand(shape), weight!, bias!],
          call: (x, weight, bias) =>
            op.batchNorm(x, { weight, bias, training, activation: "relu" }),
          reference: (x, w, b) => ({ shape, data: channelwise(x, w, b).map(cut) }),
        },
        {
          operands: [operand(shape), weight!, bias!, residual],
          call: (x, weight, bias, residual) =>
            op.batchNorm(x, { weight, bias, residual, training, activation: "relu" }),
          reference: (x, w, b, r) => ({
            shape,
            data: channelwise(x, w, b).map((y, i) => cut(y + r.data[i]!)),
          }),
        },
        {
          operands: [operand(shape), bias!, residual],
          call: (x, bias, residual) => op.batchNorm(x, { bias, residual, training }),
          reference: (x, b, r) => {
            const ones = { ...b, data: b.data.map(() => 1) };
            return { shape, data: channelwise(x, ones, b).map((y, i) => y + r.data[i]!) };
          },
        },
      ];
    }),
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
