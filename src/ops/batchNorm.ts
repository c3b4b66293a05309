/** Batch normalization, with the sum and the ReLU that may follow it. */
import { gradients, through } from "../autograd.js";
import { checkKnown } from "../checks.js";
import { dtypes } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp, noGrad } from "../op.js";
import type { Place } from "../program/place.js";
import { formatShape, sizeOf } from "../shape.js";
import type { Tensor, Variable } from "../tensor.js";
import { add, gt, mul, relu, rsqrt, sub, where } from "./elementwise.js";
import { reshape } from "./movement.js";
import type { AffineAttributes } from "./normalization.js";
import {
  affineOperands,
  affinePlaces,
  checkSameDType,
  checkShapes,
  scaleAndShift,
} from "./normalization.js";
import { checkFloat, mean, sum, variance } from "./reduce.js";

/** Elements, in whole entries, whose sums make one partial sum. */
const elementsPerPiece = 65_536;

/** `[dtype, batch, channels, inner, block]`, as the kernels see it. */
function channelSizes({ shape, dtype }: Spec): readonly [number, number, number, number, number] {
  const [n, channels] = [shape[0]!, shape[1]!];
  const inner = sizeOf(shape.slice(2));
  const block = Math.max(1, Math.floor(elementsPerPiece / Math.max(1, channels * inner)));
  return [dtypes[dtype].code, n, channels, inner, block];
}

/** Room for three constants of each channel, and two sums for each piece of the batch. */
function scratchFor(emitter: Emitter): Place {
  const [, n, channels, , block] = channelSizes(emitter.operands[0]!);
  return emitter.scratch((3 + 2 * Math.ceil(n / block)) * channels * dtypes.float64.bytes);
}

/** A vector of channels shaped to meet `[batch, channels, …]`. */
function alongChannels(vector: Tensor, x: Tensor): Tensor {
  return reshape(vector, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
}

function allButChannels(x: Tensor): number[] {
  return x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

interface BatchNormAttributes extends AffineAttributes {
  readonly eps: number;
  /** Whether a residual follows weight and bias among the operands. */
  readonly residual: boolean;
  readonly relu: boolean;
}

const batchNormTraining: OpFunction<
  [x: Tensor, eps: number, relu: boolean, weight?: Tensor, bias?: Tensor, residual?: Tensor]
> = defineOp("batchNorm", {
  signature: (
    x: Tensor,
    eps: number,
    relu: boolean,
    weight?: Tensor,
    bias?: Tensor,
    residual?: Tensor,
  ) => {
    const [others, affine] = affineOperands(weight, bias);
    const attributes: BatchNormAttributes = { eps, relu, residual: !!residual, ...affine };
    return { operands: [x, ...others, ...(residual ? [residual] : [])], attributes };
  },
  infer: ([x, ...others]) => {
    checkFloat("batchNorm", x!);
    checkSameDType("batchNorm", x!, others);
    const statistic: Spec = { shape: [x!.shape[1]!], dtype: x!.dtype };
    return [x!, statistic, statistic];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const sizes = channelSizes(emitter.operands[0]!);
    const x = emitter.dense(0);
    const [weight, bias] = affinePlaces(emitter, attributes);
    const residual = attributes.residual ? emitter.dense(emitter.operands.length - 1) : 0;
    const [y, centre, spread] = [0, 1, 2].map((index) => emitter.output(index));
    const { eps, relu } = attributes;
    emitter.call(
      "batch_norm",
      ...sizes,
      x,
      weight,
      bias,
      eps,
      residual,
      Number(relu),
      y!,
      centre!,
      spread!,
      scratchFor(emitter),
    );
  },
  vjp: (dy, { operands, outputs: [y, centre, spread], attributes, needs }) => {
    const { relu, residual, weight } = attributes;
    // What is cut off is cut off of the residual's gradient too; else that is dy.
    const passed = relu && residual && needs.at(-1) === true;
    const found = batchNormBackward.all(
      operands[0]!,
      centre!,
      spread!,
      dy,
      { ...attributes, residual: passed },
      relu ? y : undefined,
      weight ? operands[1] : undefined,
    );
    return residual && !relu ? [...found, dy] : found;
  },
});

/** Gradients of the input, and of those of weight, bias and residual that are asked for. */
const batchNormBackward: OpFunction<
  [
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    dy: Tensor,
    how: BatchNormAttributes,
    y?: Tensor,
    weight?: Tensor,
  ]
> = defineOp("batchNormBackward", {
  signature: (
    x: Tensor,
    centre: Tensor,
    spread: Tensor,
    dy: Tensor,
    how: BatchNormAttributes,
    y?: Tensor,
    weight?: Tensor,
  ) => ({
    operands: [x, centre, spread, dy, ...(y ? [y] : []), ...(weight ? [weight] : [])],
    attributes: how,
  }),
  infer: ([x], { weight, bias, residual }) => {
    const channels: Spec = { shape: [x!.shape[1]!], dtype: x!.dtype };
    return [
      x!,
      ...(weight ? [channels] : []),
      ...(bias ? [channels] : []),
      ...(residual ? [x!] : []),
    ];
  },
  kernel: (emitter, { eps, relu, weight, bias, residual }) => {
    const sizes = channelSizes(emitter.operands[0]!);
    const [x, centre, spread, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const y = relu ? emitter.dense(4) : 0;
    const scale = weight ? emitter.dense(relu ? 5 : 4) : 0;
    let outputs = 0;
    const output = (there: boolean): number | Place => (there ? emitter.output(outputs++) : 0);
    const [dx, dWeight, dBias, dResidual] = [true, weight, bias, residual].map(output);
    emitter.call(
      "batch_norm_backward",
      ...sizes,
      x!,
      scale,
      centre!,
      spread!,
      eps,
      y,
      dy!,
      dx!,
      dWeight!,
      dBias!,
      dResidual!,
      scratchFor(emitter),
    );
  },
  vjp: through((operands, { eps, relu, weight, bias, residual }) => {
    const [x, , , dy, y] = operands;
    const scale = weight ? operands.at(-1) : undefined;
    const axis = allButChannels(x!);
    const centre = mean(x!, { axis, keepDims: true });
    const spread = variance(x!, { axis, keepDims: true, correction: 0 });
    const normal = mul(sub(x!, centre), rsqrt(add(spread, eps)));
    const scaled = scaleAndShift(normal, scale && alongChannels(scale, x!));
    const passed = relu ? where(gt(y!, 0), dy!, 0) : dy!;
    const [dx] = gradients([scaled], [x!], [passed]);
    return [
      dx!,
      ...(weight ? [sum(mul(passed, normal), { axis })] : []),
      ...(bias ? [sum(passed, { axis })] : []),
      ...(residual ? [passed] : []),
    ];
  }),
});

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** Scale and shift of each channel, `[channels]`. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Statistics `[channels]` for inference, moved towards each batch's in training. */
  readonly runningMean?: Variable;
  readonly runningVar?: Variable;
  /** Whether to use, and learn from, the batch's own statistics. Default: false. */
  readonly training?: boolean;
  /** How far running statistics move towards a batch's. Default: 0.1. */
  readonly momentum?: number;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** Added to what is normalized, of `x`'s shape. */
  readonly residual?: Tensor;
  /** What comes last, in the same pass over memory. Default: "linear". */
  readonly activation?: "linear" | "relu";
}

/**
 * `(x − μ)/√(σ² + ε)·weight + bias` for each channel of `x: [batch, channels, ...]`, μ and σ² over
 * all other axes in training, the running ones in inference (Ioffe & Szegedy, 2015); then
 * `+ residual`, and `max(0, ·)` if `activation` is "relu".
 */
export function batchNorm(
  x: Tensor,
  {
    weight,
    bias,
    runningMean,
    runningVar,
    training = false,
    momentum = 0.1,
    eps = 1e-5,
    residual,
    activation = "linear",
  }: BatchNormOptions = {},
): Tensor {
  if (x.rank < 2) {
    throw new ShapeError(
      `batchNorm: [batch, channels, ...] is needed, not ${formatShape(x.shape)}`,
    );
  }
  checkKnown("batchNorm: activation", activation, ["linear", "relu"]);
  checkShapes("batchNorm", { weight, bias, runningMean, runningVar }, [x.shape[1]!]);
  checkShapes("batchNorm", { residual }, x.shape);
  const cut = activation === "relu";
  if (!training) {
    const normal = inferenceNorm(x, eps, { weight, bias, runningMean, runningVar });
    const sum = residual ? add(normal, residual) : normal;
    return cut ? relu(sum) : sum;
  }
  const count = x.size / x.shape[1]!;
  if (count <= 1) {
    throw new ShapeError(
      `batchNorm: ${formatShape(x.shape)} has ${count} value a channel; training needs two or more`,
    );
  }
  const [y, centre, spread] = batchNormTraining.all(x, eps, cut, weight, bias, residual);
  noGrad(() => {
    const move = (running: Variable | undefined, batch: Tensor): void =>
      running?.assign(add(mul(running, 1 - momentum), mul(batch, momentum)));
    move(runningMean, centre!.detach());
    // The running variance estimates that of all data: unbiased.
    move(runningVar, mul(spread!.detach(), count / (count - 1)));
  });
  return y!;
}

function inferenceNorm(
  x: Tensor,
  eps: number,
  {
    weight,
    bias,
    runningMean,
    runningVar,
  }: { [name in "weight" | "bias" | "runningMean" | "runningVar"]: Tensor | undefined },
): Tensor {
  if (!runningMean || !runningVar) {
    throw new ArgumentError("batchNorm: inference needs runningMean and runningVar");
  }
  const channel = (vector: Tensor): Tensor => alongChannels(vector, x);
  const scale = scaleAndShift(rsqrt(add(runningVar, eps)), weight);
  const normal = mul(sub(x, channel(runningMean)), channel(scale));
  return bias ? add(normal, channel(bias)) : normal;
}
