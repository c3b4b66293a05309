import * as op from "../../src/index.js";
import type { Case, Sample } from "./case.js";
import { operand } from "./case.js";
import type { AxisOptions, Options, Reference } from "./convolutionReference.js";
import { convolved, ofSignals, still, transposed } from "./convolutionReference.js";

/** Two samples of a convolution: with a bias and without. */
function samplesOf<O extends object>(
  call: (x: op.Tensor, weight: op.Tensor, options: O & { bias?: op.Tensor }) => op.Tensor,
  reference: Reference,
  { x, weight, out }: { x: number[]; weight: number[]; out: number },
  [options, expected]: [O, Partial<Options>],
): Sample[] {
  const all: Options = { rows: still, columns: still, groups: 1, ...expected };
  // Weights as a layer has them: sums of many do not grow, nor does their rounding.
  const high = Math.min(1, 6 / Math.sqrt(weight[1]! * weight[2]! * (weight[3] ?? 1)));
  const [input, filters] = [operand(x), operand(weight, { salt: 2, low: -high, high })];
  return [
    {
      operands: [input, filters],
      call: (x, w) => call(x, w, options),
      reference: (x, w) => reference(x, w, all),
    },
    {
      operands: [input, filters, operand([out], { salt: 3 })],
      call: (x, w, bias) => call(x, w, { ...options, bias }),
      reference: (x, w, bias) => reference(x, w, all, bias),
    },
  ];
}

const both = (along: AxisOptions): Partial<Options> => ({ rows: along, columns: along });

const images = (
  x: number[],
  weight: number[],
  ...how: [op.Conv2dOptions, Partial<Options>]
): Sample[] => samplesOf(op.conv2d, convolved, { x, weight, out: weight[0]! }, how);
const signals = (
  x: number[],
  weight: number[],
  ...how: [op.Conv1dOptions, Partial<Options>]
): Sample[] => samplesOf(op.conv1d, ofSignals(convolved), { x, weight, out: weight[0]! }, how);
const imagesBack = (
  x: number[],
  weight: number[],
  ...how: [op.ConvTranspose2dOptions, Partial<Options>]
): Sample[] =>
  samplesOf(
    op.convTranspose2d,
    transposed,
    { x, weight, out: weight[1]! * (how[0].groups ?? 1) },
    how,
  );
const signalsBack = (
  x: number[],
  weight: number[],
  ...how: [op.ConvTranspose1dOptions, Partial<Options>]
): Sample[] =>
  samplesOf(
    op.convTranspose1d,
    ofSignals(transposed),
    { x, weight, out: weight[1]! * (how[0].groups ?? 1) },
    how,
  );

/** Sixteen channels with some numbers of the worst kind, and weights so small that they do no harm. */
function tiledWith(worst: number): Sample {
  const numbers = (count: number, scale: number): number[] =>
    Array.from({ length: count }, (_, i) => scale * Math.sin(i));
  const x = numbers(16 * 16, 1).map((number, i) => (i % 21 === 4 ? worst : number));
  return {
    operands: [
      { shape: [1, 16, 4, 4], data: x },
      { shape: [16, 16, 3, 3], data: numbers(16 * 16 * 9, 0.01).map(Math.abs) },
    ],
    call: (x, w) => op.conv2d(x, w, { padding: 1 }),
    reference: (x, w) => convolved(x, w, { rows: [1, 1, 1, 1], columns: [1, 1, 1, 1], groups: 1 }),
  };
}

export const convolutionCases = {
  conv2d: {
    samples: [
      ...images([2, 2, 5, 6], [3, 2, 3, 3], {}, {}),
      ...images([2, 2, 4, 5], [5, 2, 3, 3], { padding: 1 }, both([1, 1, 1, 1])),
      ...images(
        [1, 3, 5, 4],
        [4, 3, 2, 4],
        { padding: "same" },
        {
          rows: [1, 1, 0, 1],
          columns: [1, 1, 1, 2],
        },
      ),
      ...images([1, 2, 7, 9], [4, 2, 3, 3], { stride: 2, padding: 1 }, both([2, 1, 1, 1])),
      ...images(
        [1, 1, 8, 9],
        [4, 1, 3, 2],
        { stride: [3, 1], dilation: [1, 3], padding: [2, 1] },
        {
          rows: [3, 1, 2, 2],
          columns: [1, 3, 1, 1],
        },
      ),
      // Groups, each channel by itself, and several outputs for each.
      ...images(
        [2, 4, 4, 4],
        [6, 2, 3, 3],
        { groups: 2, padding: 1 },
        {
          ...both([1, 1, 1, 1]),
          groups: 2,
        },
      ),
      ...images(
        [2, 3, 5, 9],
        [3, 1, 3, 3],
        { groups: 3, padding: 1 },
        {
          ...both([1, 1, 1, 1]),
          groups: 3,
        },
      ),
      ...images(
        [1, 2, 6, 11],
        [4, 1, 3, 3],
        { groups: 2, stride: 2 },
        {
          ...both([2, 1, 0, 0]),
          groups: 2,
        },
      ),
      // So many channels are computed by tiles: of odd sizes, and with groups.
      ...images([2, 16, 3, 4], [16, 16, 3, 3], { padding: 1 }, both([1, 1, 1, 1])),
      ...images(
        [1, 32, 5, 3],
        [34, 16, 3, 3],
        { groups: 2, padding: [0, 2] },
        {
          rows: [1, 1, 0, 0],
          columns: [1, 1, 2, 2],
          groups: 2,
        },
      ),
      // A window of one position is a product.
      ...images([2, 3, 2, 3], [5, 3, 1, 1], {}, {}),
      ...images([1, 2, 5, 5], [3, 2, 1, 1], { stride: 2 }, both([2, 1, 0, 0])),
      ...images([0, 2, 4, 4], [3, 2, 3, 3], {}, {}),
      ...images([1, 1, 1, 1], [1, 1, 1, 1], {}, {}),
    ],
    special: [
      {
        operands: [
          { shape: [1, 1, 3, 4], data: [NaN, 1, 2, 3, 4, 5, Infinity, 7, 8, 9, -Infinity, 2] },
          operand([4, 1, 2, 2], { salt: 2 }),
        ],
        call: (x, w) => op.conv2d(x, w, { padding: 1 }),
        reference: (x, w) =>
          convolved(x, w, { rows: [1, 1, 1, 1], columns: [1, 1, 1, 1], groups: 1 }),
      },
      // By tiles, in which neighbours are added to each other: numbers that add up beyond all.
      ...[NaN, Infinity, 3e38].map((worst) => tiledWith(worst)),
    ],
    bench: () => ({
      operands: [
        operand([8, 16, 28, 28]),
        operand([32, 16, 3, 3], { salt: 2 }),
        operand([32], { salt: 3 }),
      ],
      call: (x, w, bias) => op.conv2d(x, w, { bias, padding: 1 }),
    }),
  },
  conv1d: {
    samples: [
      ...signals([2, 2, 17], [3, 2, 3], {}, {}),
      ...signals([2, 2, 10], [5, 2, 4], { padding: "same" }, { columns: [1, 1, 1, 2] }),
      ...signals(
        [1, 2, 20],
        [4, 2, 5],
        { stride: 2, padding: 3, dilation: 2 },
        {
          columns: [2, 2, 3, 3],
        },
      ),
      ...signals(
        [2, 3, 17],
        [3, 1, 3],
        { groups: 3, padding: 2 },
        {
          columns: [1, 1, 2, 2],
          groups: 3,
        },
      ),
      ...signals([1, 2, 3], [4, 2, 3], { padding: "valid" }, {}),
    ],
    special: [
      {
        operands: [
          { shape: [1, 1, 6], data: [NaN, 1, 2, 3, Infinity, 5] },
          operand([4, 1, 2], { salt: 2 }),
        ],
        call: (x, w) => op.conv1d(x, w),
        reference: (x, w) => ofSignals(convolved)(x, w, { rows: still, columns: still, groups: 1 }),
      },
    ],
    bench: () => ({
      operands: [operand([8, 16, 500]), operand([32, 16, 9], { salt: 2 })],
      call: (x, w) => op.conv1d(x, w, { padding: "same" }),
    }),
  },
  convTranspose2d: {
    samples: [
      ...imagesBack([2, 3, 3, 4], [3, 2, 3, 3], {}, {}),
      ...imagesBack(
        [1, 4, 3, 5],
        [4, 2, 3, 3],
        { stride: 2, padding: 1, outputPadding: 1 },
        {
          ...both([2, 1, 1, 1]),
        },
      ),
      ...imagesBack(
        [1, 4, 4, 3],
        [4, 2, 2, 3],
        { stride: [3, 1], dilation: [1, 2] },
        {
          rows: [3, 1, 0, 0],
          columns: [1, 2, 0, 0],
        },
      ),
      ...imagesBack(
        [2, 4, 3, 3],
        [4, 3, 2, 2],
        { groups: 2, stride: 2 },
        {
          ...both([2, 1, 0, 0]),
          groups: 2,
        },
      ),
      ...imagesBack(
        [2, 3, 3, 5],
        [3, 1, 4, 4],
        { groups: 3, stride: 2, padding: 1 },
        {
          ...both([2, 1, 1, 0]),
          groups: 3,
        },
      ),
      ...imagesBack([2, 3, 2, 3], [3, 5, 1, 1], {}, {}),
    ],
    special: [
      {
        operands: [
          { shape: [1, 1, 2, 3], data: [NaN, 1, 2, Infinity, 4, 5] },
          operand([1, 4, 2, 2], { salt: 2 }),
        ],
        call: (x, w) => op.convTranspose2d(x, w, { stride: 2 }),
        reference: (x, w) =>
          transposed(x, w, { rows: [2, 1, 0, 0], columns: [2, 1, 0, 0], groups: 1 }),
      },
    ],
    bench: () => ({
      operands: [operand([8, 32, 14, 14]), operand([32, 16, 4, 4], { salt: 2 })],
      call: (x, w) => op.convTranspose2d(x, w, { stride: 2, padding: 1 }),
    }),
  },
  convTranspose1d: {
    samples: [
      ...signalsBack([2, 3, 7], [3, 2, 3], {}, {}),
      ...signalsBack(
        [1, 4, 9],
        [4, 2, 4],
        { stride: 3, padding: 1, outputPadding: 2 },
        {
          columns: [3, 1, 1, 2],
        },
      ),
      ...signalsBack(
        [2, 4, 5],
        [4, 1, 3],
        { groups: 4, dilation: 2 },
        {
          columns: [1, 2, 0, 0],
          groups: 4,
        },
      ),
    ],
    special: [
      {
        operands: [
          { shape: [1, 1, 4], data: [NaN, 1, Infinity, 3] },
          operand([1, 4, 2], { salt: 2 }),
        ],
        call: (x, w) => op.convTranspose1d(x, w),
        reference: (x, w) =>
          ofSignals(transposed)(x, w, { rows: still, columns: still, groups: 1 }),
      },
    ],
    bench: () => ({
      operands: [operand([8, 32, 250]), operand([32, 16, 4], { salt: 2 })],
      call: (x, w) => op.convTranspose1d(x, w, { stride: 2, padding: 1 }),
    }),
  },
} satisfies Record<string, Case>;
