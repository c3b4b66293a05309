/**
 * The ops of convolutions. They are each other's gradients: the convolution, its gradient by the
 * input, which is the transposed convolution, and its gradient by the weight.
 */
import { dtypes } from "../dtype.js";
import type { Attributes } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { sum } from "./reduce.js";
import type { Axis } from "./window.js";
import { isAdjoining, inputOf, kernelOf, outputOf } from "./window.js";

/** Weights whose gradient is work enough for a thread, and tasks enough for all threads. */
const [weightsPerTask, tasks] = [4096, 16];

/**
 * A convolution of `[batch, groups·inputs, rows, columns]` with weights
 * `[groups·outputs, inputs, rows, columns]`, by the sizes that its kernels take.
 */
export interface ConvolutionSizes extends Attributes {
  readonly batch: number;
  readonly groups: number;
  /** Input and output channels of a group. */
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: Axis;
  readonly columns: Axis;
}

type Sizes = ConvolutionSizes;

/** Channels of input and of output from which on tiles are quicker. */
const tiledFrom = 16;

/** Whether kernels compute by tiles: 3 × 3 taps with fewer multiplications, see `winograd.rs`. */
function isTiled({ inputs, outputs, rows, columns }: Sizes): boolean {
  return Math.min(inputs, outputs) >= tiledFrom && [rows, columns].every(isTiledAxis);
}

function isTiledAxis(axis: Axis): boolean {
  return kernelOf(axis) === 3 && isAdjoining(axis);
}

function wordsOf(sizes: Sizes): number[] {
  const { batch, groups, inputs, outputs, rows, columns } = sizes;
  return [batch, groups, inputs, outputs, ...rows, ...columns, Number(isTiled(sizes))];
}

/** Memory beside the tensors: tiles take 16 numbers for each 3 × 3 weights, and one. */
function scratchOf(emitter: Emitter, sizes: Sizes, otherwise: number, pieces = 1): Place | number {
  const weights = sizeOf(weightShape(sizes));
  const count = isTiled(sizes) ? (weights / 9) * 16 * pieces + 1 : otherwise * weights * pieces;
  const { bytes } = dtypes[emitter.outputs[0]!.dtype];
  return count > 0 ? emitter.scratch(count * bytes) : 0;
}

function inputShape({ batch, groups, inputs, rows, columns }: Sizes): Shape {
  return [batch, groups * inputs, inputOf(rows), inputOf(columns)];
}

function outputShape({ batch, groups, outputs, rows, columns }: Sizes): Shape {
  return [batch, groups * outputs, outputOf(rows), outputOf(columns)];
}

function weightShape({ groups, inputs, outputs, rows, columns }: Sizes): Shape {
  return [groups * outputs, inputs, kernelOf(rows), kernelOf(columns)];
}

/** The dtype's code, the words of the sizes, and the operands; 0 where there is no third. */
function kernelArguments(
  emitter: Emitter,
  sizes: Sizes,
): readonly [dtype: number, sizes: Place, a: Place, b: Place, bias: number | Place] {
  const { code } = dtypes[emitter.outputs[0]!.dtype];
  const bias = emitter.operands.length > 2 ? emitter.dense(2) : 0;
  return [code, emitter.words(wordsOf(sizes)), emitter.dense(0), emitter.dense(1), bias];
}

/** The gradient of a bias, if there is one. */
function biasGradient(dy: Tensor, needed: boolean | undefined): Tensor | undefined {
  return needed ? sum(dy, { axis: [0, 2, 3] }) : undefined;
}

/** `weight ∗ x + bias`. */
export const convolution: OpFunction<
  [sizes: Sizes, x: Tensor, weight: Tensor, bias?: Tensor | undefined]
> = defineOp("convolution", {
  signature: (sizes: Sizes, x: Tensor, weight: Tensor, bias?: Tensor) => ({
    operands: [x, weight, ...(bias ? [bias] : [])],
    attributes: sizes,
  }),
  infer: ([x], sizes) => ({ shape: outputShape(sizes), dtype: x!.dtype }),
  kernel: (emitter, sizes) => {
    const operands = kernelArguments(emitter, sizes);
    emitter.call("convolution", ...operands, emitter.output(0), scratchOf(emitter, sizes, 0));
  },
  vjp: (dy, { operands: [x, weight], attributes, needs }) => [
    needs[0] ? convolutionInput(attributes, dy, weight!) : undefined,
    needs[1] ? convolutionWeight(attributes, x!, dy) : undefined,
    biasGradient(dy, needs[2]),
  ],
});

/** The gradient of `weight ∗ x` by x, plus a bias: the transposed convolution of `dy`. */
export const convolutionInput: OpFunction<
  [sizes: Sizes, dy: Tensor, weight: Tensor, bias?: Tensor | undefined]
> = defineOp("convolutionInput", {
  signature: (sizes: Sizes, dy: Tensor, weight: Tensor, bias?: Tensor) => ({
    operands: [dy, weight, ...(bias ? [bias] : [])],
    attributes: sizes,
  }),
  infer: ([dy], sizes) => ({ shape: inputShape(sizes), dtype: dy!.dtype }),
  kernel: (emitter, sizes) => {
    const operands = kernelArguments(emitter, sizes);
    const scratch = scratchOf(emitter, sizes, 1);
    emitter.call("convolution_input", ...operands, emitter.output(0), scratch);
  },
  vjp: (g, { operands: [dy, weight], attributes, needs }) => [
    needs[0] ? convolution(attributes, g, weight!) : undefined,
    needs[1] ? convolutionWeight(attributes, g, dy!) : undefined,
    biasGradient(g, needs[2]),
  ],
});

/** The gradient of `weight ∗ x` by the weight. */
const convolutionWeight: OpFunction<[sizes: Sizes, x: Tensor, dy: Tensor]> = defineOp(
  "convolutionWeight",
  {
    signature: (sizes: Sizes, x: Tensor, dy: Tensor) => ({ operands: [x, dy], attributes: sizes }),
    infer: ([x], sizes) => ({ shape: weightShape(sizes), dtype: x!.dtype }),
    kernel: (emitter, sizes) => {
      const [code, words, x, dy] = kernelArguments(emitter, sizes);
      const weights = sizeOf(weightShape(sizes));
      const wanted = Math.ceil(tasks / Math.ceil(weights / weightsPerTask));
      const pieces = Math.max(1, Math.min(sizes.batch, wanted));
      const scratch = scratchOf(emitter, sizes, 1, pieces);
      const dw = emitter.output(0);
      emitter.call("convolution_weight", code, words, x, dy, dw, scratch, pieces);
    },
    vjp: (g, { operands: [x, dy], attributes, needs }) => [
      needs[0] ? convolutionInput(attributes, dy!, g) : undefined,
      needs[1] ? convolution(attributes, x!, g) : undefined,
    ],
  },
);
