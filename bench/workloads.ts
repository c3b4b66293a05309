/** What every library is given: the same sizes and the same numbers. */
import { glorot, noise, noiseIntegers } from "./numbers.js";

/** An array in row-major order. */
export interface NumberTable {
  readonly data: Float32Array;
  readonly shape: readonly number[];
}

/** Numbers in [-scale, scale) by `seed`. */
export function table(seed: number, shape: readonly number[], scale = 1): NumberTable {
  const size = shape.reduce((product, length) => product * length, 1);
  return { data: noise(seed, size, scale), shape };
}

/** The table with its axes in the order `axes`. */
export function permuted({ data, shape }: NumberTable, axes: readonly number[]): NumberTable {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const next = axes.map((axis) => shape[axis]!);
  const moved = data.map((_, index) => {
    let [left, from] = [index, 0];
    for (let axis = next.length - 1; axis >= 0; axis--) {
      from += (left % next[axis]!) * strides[axes[axis]!]!;
      left = Math.floor(left / next[axis]!);
    }
    return data[from]!;
  });
  return { data: moved, shape: next };
}

/** Numbers around 1, as the weights of normalizations are. */
function aroundOne(seed: number, size: number): NumberTable {
  const { data, shape } = table(seed, [size], 0.1);
  return { data: data.map((x) => 1 + x), shape };
}

/** A product of matrices, `[m, k]` by `[k, n]`; either may be stored transposed. */
export interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly transposed?: "a" | "b";
}

const square = (n: number): Product => ({ m: n, k: n, n });

/** By the name of the row. */
export const products: Readonly<Record<string, Product>> = {
  ...Object.fromEntries([64, 128, 256, 512, 1024, 2048].map((n) => [`gemm_nn_${n}`, square(n)])),
  gemm_nt_512: { ...square(512), transposed: "b" },
  gemm_tn_512: { ...square(512), transposed: "a" },
  gemm_skinny: { m: 4096, k: 128, n: 128 },
};

/** The two matrices as they are stored. */
export function matrices({ m, k, n, transposed }: Product): { a: NumberTable; b: NumberTable } {
  return {
    a: table(1, transposed === "a" ? [k, m] : [m, k]),
    b: table(2, transposed === "b" ? [n, k] : [k, n]),
  };
}

/** Multiplications and additions of a product. */
export const operationsOf = ({ m, k, n }: Product): number => 2 * m * k * n;

/** Attention over `[batch, heads, length, dim]`. */
export interface Attention {
  readonly shape: readonly [batch: number, heads: number, length: number, dim: number];
  readonly causal: boolean;
}

/** By the name of the row without its `_fwd` or `_fwdbwd`. */
export const attentions: Readonly<Record<string, Attention>> = {
  attn_8x8x512x64_full: { shape: [8, 8, 512, 64], causal: false },
  attn_8x8x512x64_causal: { shape: [8, 8, 512, 64], causal: true },
  attn_32x4x128x32_full: { shape: [32, 4, 128, 32], causal: false },
  attn_32x4x128x32_causal: { shape: [32, 4, 128, 32], causal: true },
};

/** Queries, keys, values and the gradient that comes from above. */
export function attentionInputs({ shape }: Attention): Record<"q" | "k" | "v" | "dy", NumberTable> {
  const [q, k, v, dy] = [11, 12, 13, 14].map((seed) => table(seed, shape));
  return { q: q!, k: k!, v: v!, dy: dy! };
}

/** Added to variances, by layer norms and batch norms alike. */
export const eps = 1e-5;

/** `[batch, channels, height, width]`, as batch norm takes it. */
export const batchNormShape = [128, 64, 32, 32] as const;

/** Input, weight, bias and the gradient from above. */
export function batchNormInputs(): Record<"x" | "weight" | "bias" | "dy", NumberTable> {
  const channels = batchNormShape[1];
  const [x, dy] = [table(21, batchNormShape), table(22, batchNormShape)];
  return { x, dy, weight: aroundOne(23, channels), bias: table(24, [channels], 0.1) };
}

/** `[rows, columns]` of the rows over four million numbers. */
export const sheet = [4096, 1024] as const;

/** Their numbers, in [-3, 3). */
export const sheetInput = (): NumberTable => table(601, sheet, 3);

/** Weight and bias of the layer norm over the sheet's columns. */
export function layerNormInputs(): Record<"weight" | "bias", NumberTable> {
  return { weight: aroundOne(602, sheet[1]), bias: table(603, [sheet[1]], 0.1) };
}

/** Ten million parameters and their gradient. */
export function adamInputs(): Record<"parameter" | "gradient", NumberTable> {
  return { parameter: table(701, [10_000_000]), gradient: table(702, [10_000_000]) };
}

/** Steps of Adam after which its parameters are compared. */
export const adamSteps = 3;

/** Training steps whose losses are compared. */
export const checkedSteps = 4;

/** How far a step of Adam goes, everywhere. */
export const learningRate = 1e-3;

/** Features of each layer of the perceptron. */
export const mlpSizes = [784, 512, 512, 10] as const;

/** Weights `[inputs, outputs]` of its layers; biases begin at 0. */
export function mlpWeights(): NumberTable[] {
  return mlpSizes.slice(1).map((outputs, layer) => {
    const inputs = mlpSizes[layer]!;
    return { data: glorot(301 + layer, inputs, outputs), shape: [inputs, outputs] };
  });
}

/** A batch for it: `[128, 784]`, and a class each. */
export function mlpBatch(): { x: NumberTable; labels: Int32Array } {
  return { x: table(310, [128, mlpSizes[0]]), labels: noiseIntegers(311, 128, mlpSizes.at(-1)!) };
}

/** Kernels `[outputs, inputs, 3, 3]` of the convolutional network, and its last weight. */
export function cnnWeights(): { kernels: NumberTable[]; dense: NumberTable } {
  const kernels = [
    { seed: 201, inputs: 1, outputs: 32 },
    { seed: 202, inputs: 32, outputs: 64 },
  ].map(({ seed, inputs, outputs }) => {
    const shape = [3, 3, inputs, outputs];
    const drawn = table(seed, shape, Math.sqrt(6 / (9 * (inputs + outputs))));
    return permuted(drawn, [3, 2, 0, 1]);
  });
  // Rows in the order height, width, channels.
  const rows = { data: glorot(203, 3136, 10), shape: [7, 7, 64, 10] };
  return { kernels, dense: { data: permuted(rows, [2, 0, 1, 3]).data, shape: [3136, 10] } };
}

/** A batch for it: `[64, 1, 28, 28]`, and a class each. */
export function cnnBatch(): { x: NumberTable; labels: Int32Array } {
  return { x: table(210, [64, 1, 28, 28]), labels: noiseIntegers(211, 64, 10) };
}
