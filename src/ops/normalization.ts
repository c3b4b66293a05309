/** Layer and batch normalization. */
import { gradients, through } from "../autograd.js";
import { dtypes } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Attributes, Spec } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp, noGrad } from "../op.js";
import type { Place } from "../program/place.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor, Variable } from "../tensor.js";
import { add, mul, rsqrt, sub } from "./elementwise.js";
import { reshape } from "./movement.js";
import { checkFloat, mean, sum, variance } from "./reduce.js";

/** Rows whose gradients of weight and bias are added up before the pieces are combined. */
const rowsPerPiece = 64;

interface NormAttributes extends Attributes {
  readonly eps: number;
  /** Which of weight and bias follow the input among the operands. */
  readonly weight: boolean;
  readonly bias: boolean;
}

function optional(eps: number, weight?: Tensor, bias?: Tensor): [Tensor[], NormAttributes] {
  const operands = [weight, bias].filter((operand) => operand !== undefined);
  return [operands, { eps, weight: !!weight, bias: !!bias }];
}

/** Weight and bias as the kernels take them: 0 where there is none. */
function affine(
  emitter: Emitter,
  { weight, bias }: NormAttributes,
): [number | Place, number | Place] {
  return [weight ? emitter.dense(1) : 0, bias ? emitter.dense(weight ? 2 : 1) : 0];
}

function affineTensors(
  operands: readonly Tensor[],
  { weight, bias }: NormAttributes,
): {
  readonly weight: Tensor | undefined;
  readonly bias: Tensor | undefined;
} {
  return {
    weight: weight ? operands[1] : undefined,
    bias: bias ? operands[weight ? 2 : 1] : undefined,
  };
}

function scaleAndShift(x: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
}

/** Gradients in the order of the operands: input, then those of weight and bias there are. */
function operandGradients(all: readonly Tensor[], { weight, bias }: NormAttributes): Tensor[] {
  return [all[0]!, ...(weight ? [all[1]!] : []), ...(bias ? [all[2]!] : [])];
}

const layerNormRows: OpFunction<[x: Tensor, eps: number, weight?: Tensor, bias?: Tensor]> =
  defineOp("layerNorm", {
    signature: (x: Tensor, eps: number, weight?: Tensor, bias?: Tensor) => {
      const [others, attributes] = optional(eps, weight, bias);
      return { operands: [x, ...others], attributes };
    },
    infer: ([x]) => {
      checkFloat("layerNorm", x!);
      const statistic: Spec = { shape: x!.shape.slice(0, -1), dtype: x!.dtype };
      return [x!, statistic, statistic];
    },
    differentiable: 1,
    kernel: (emitter, attributes) => {
      const { shape, dtype } = emitter.operands[0]!;
      const rows = sizeOf(shape.slice(0, -1));
      const x = emitter.dense(0);
      const [weight, bias] = affine(emitter, attributes);
      const [y, centre, rstd] = [0, 1, 2].map((index) => emitter.output(index));
      emitter.call(
        "layer_norm",
        dtypes[dtype].code,
        rows,
        shape.at(-1)!,
        x,
        weight,
        bias,
        attributes.eps,
        y!,
        centre!,
        rstd!,
      );
    },
    vjp: (dy, { operands, outputs: [, centre, rstd], attributes }) => {
      const { weight } = affineTensors(operands, attributes);
      const all = layerNormBackward.all(operands[0]!, centre!, rstd!, dy, attributes.eps, weight);
      return operandGradients(all, attributes);
    },
  });

/** Gradients of the input, and of weight and bias as if there were both. */
const layerNormBackward: OpFunction<
  [x: Tensor, mean: Tensor, rstd: Tensor, dy: Tensor, eps: number, weight?: Tensor]
> = defineOp("layerNormBackward", {
  signature: (
    x: Tensor,
    centre: Tensor,
    rstd: Tensor,
    dy: Tensor,
    eps: number,
    weight?: Tensor,
  ) => ({
    operands: [x, centre, rstd, dy, ...(weight ? [weight] : [])],
    attributes: { eps },
  }),
  infer: ([x]) => {
    const row: Spec = { shape: x!.shape.slice(-1), dtype: x!.dtype };
    return [x!, row, row];
  },
  kernel: (emitter) => {
    const { shape, dtype } = emitter.operands[0]!;
    const rows = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1)!;
    const [x, centre, rstd, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const pieces = Math.max(1, Math.ceil(rows / rowsPerPiece));
    const bytes = pieces * 2 * columns * dtypes.float64.bytes;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "layer_norm_backward",
      dtypes[dtype].code,
      rows,
      columns,
      x!,
      weight,
      centre!,
      rstd!,
      dy!,
      dx!,
      dWeight!,
      dBias!,
      emitter.scratch(bytes),
      rowsPerPiece,
    );
  },
  vjp: through(([x, , , dy, weight], { eps }) => {
    const formula = (input: Tensor): Tensor => {
      const centre = mean(input, { axis: -1, keepDims: true });
      const spread = variance(input, { axis: -1, keepDims: true, correction: 0 });
      return mul(sub(input, centre), rsqrt(add(spread, eps)));
    };
    const normal = formula(x!);
    const [dx] = gradients([scaleAndShift(normal, weight)], [x!], [dy!]);
    const rows = Array.from({ length: dy!.rank - 1 }, (_, axis) => axis);
    return [dx!, sum(mul(dy!, normal), { axis: rows }), sum(dy!, { axis: rows })];
  }),
});

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Scale and shift of each element of a row, of the normalized axes' shape. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** The axes normalized over, as their shape: the last ones of `x`. Default: the last axis. */
  readonly normalizedShape?: Shape;
}

/** `(x − mean)/√(var + ε)·weight + bias` over the last axes (Ba, Kiros & Hinton, 2016). */
export function layerNorm(
  x: Tensor,
  { weight, bias, eps = 1e-5, normalizedShape = x.shape.slice(-1) }: LayerNormOptions = {},
): Tensor {
  const tail = x.shape.slice(x.rank - normalizedShape.length);
  if (normalizedShape.length === 0 || !sameShape(tail, normalizedShape)) {
    throw new ShapeError(
      `layerNorm: ${formatShape(x.shape)} does not end in ${formatShape(normalizedShape)}`,
    );
  }
  for (const [name, operand] of Object.entries({ weight, bias })) {
    if (operand && !sameShape(operand.shape, tail)) {
      throw new ShapeError(
        `layerNorm: ${name} is ${formatShape(operand.shape)}, not ${formatShape(tail)}`,
      );
    }
  }
  const width = [sizeOf(tail)];
  const row = (operand?: Tensor): Tensor | undefined => operand && reshape(operand, width);
  const lead = x.shape.slice(0, x.rank - tail.length);
  const rows = tail.length === 1 ? x : reshape(x, [...lead, ...width]);
  return reshape(layerNormRows(rows, eps, row(weight), row(bias)), x.shape);
}

/** `[batch, channels, …]` as the kernels see it. */
function channelSizes({ shape, dtype }: Spec): readonly [number, number, number, number] {
  return [dtypes[dtype].code, shape[0]!, shape[1]!, sizeOf(shape.slice(2))];
}

/** A vector of channels shaped to meet `[batch, channels, …]`. */
function alongChannels(vector: Tensor, x: Tensor): Tensor {
  return reshape(vector, [x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);
}

function allButChannels(x: Tensor): number[] {
  return x.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
}

const batchNormTraining: OpFunction<[x: Tensor, eps: number, weight?: Tensor, bias?: Tensor]> =
  defineOp("batchNorm", {
    signature: (x: Tensor, eps: number, weight?: Tensor, bias?: Tensor) => {
      const [others, attributes] = optional(eps, weight, bias);
      return { operands: [x, ...others], attributes };
    },
    infer: ([x]) => {
      checkFloat("batchNorm", x!);
      const statistic: Spec = { shape: [x!.shape[1]!], dtype: x!.dtype };
      return [x!, statistic, statistic];
    },
    differentiable: 1,
    kernel: (emitter, attributes) => {
      const sizes = channelSizes(emitter.operands[0]!);
      const x = emitter.dense(0);
      const [weight, bias] = affine(emitter, attributes);
      const [y, centre, spread] = [0, 1, 2].map((index) => emitter.output(index));
      emitter.call("batch_norm", ...sizes, x, weight, bias, attributes.eps, y!, centre!, spread!);
    },
    vjp: (dy, { operands, outputs: [, centre, spread], attributes }) => {
      const { weight } = affineTensors(operands, attributes);
      const { eps } = attributes;
      const all = batchNormBackward.all(operands[0]!, centre!, spread!, dy, eps, weight);
      return operandGradients(all, attributes);
    },
  });

const batchNormBackward: OpFunction<
  [x: Tensor, mean: Tensor, variance: Tensor, dy: Tensor, eps: number, weight?: Tensor]
> = defineOp("batchNormBackward", {
  signature: (
    x: Tensor,
    centre: Tensor,
    spread: Tensor,
    dy: Tensor,
    eps: number,
    weight?: Tensor,
  ) => ({
    operands: [x, centre, spread, dy, ...(weight ? [weight] : [])],
    attributes: { eps },
  }),
  infer: ([x]) => {
    const channels: Spec = { shape: [x!.shape[1]!], dtype: x!.dtype };
    return [x!, channels, channels];
  },
  kernel: (emitter, { eps }) => {
    const sizes = channelSizes(emitter.operands[0]!);
    const [x, centre, spread, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "batch_norm_backward",
      ...sizes,
      x!,
      weight,
      centre!,
      spread!,
      eps,
      dy!,
      dx!,
      dWeight!,
      dBias!,
    );
  },
  vjp: through(([x, , , dy, weight], { eps }) => {
    const axis = allButChannels(x!);
    const centre = mean(x!, { axis, keepDims: true });
    const spread = variance(x!, { axis, keepDims: true, correction: 0 });
    const normal = mul(sub(x!, centre), rsqrt(add(spread, eps)));
    const scaled = weight ? mul(normal, alongChannels(weight, x!)) : normal;
    const [dx] = gradients([scaled], [x!], [dy!]);
    return [dx!, sum(mul(dy!, normal), { axis }), sum(dy!, { axis })];
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
}

/**
 * `(x − μ)/√(σ² + ε)·weight + bias` for each channel of `x: [batch, channels, ...]`, μ and σ² over
 * all other axes in training, the running ones in inference (Ioffe & Szegedy, 2015).
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
  }: BatchNormOptions = {},
): Tensor {
  if (x.rank < 2) {
    throw new ShapeError(
      `batchNorm: [batch, channels, ...] is needed, not ${formatShape(x.shape)}`,
    );
  }
  const channels = [x.shape[1]!];
  for (const [name, operand] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (operand && !sameShape(operand.shape, channels)) {
      throw new ShapeError(
        `batchNorm: ${name} is ${formatShape(operand.shape)}, not ${formatShape(channels)}`,
      );
    }
  }
  if (!training) return inferenceNorm(x, eps, { weight, bias, runningMean, runningVar });
  const count = x.size / x.shape[1]!;
  if (count <= 1) {
    throw new ShapeError(
      `batchNorm: ${formatShape(x.shape)} has ${count} value a channel; training needs two or more`,
    );
  }
  const [y, centre, spread] = batchNormTraining.all(x, eps, weight, bias);
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
  const normal = mul(sub(x, channel(runningMean)), rsqrt(add(channel(runningVar), eps)));
  return scaleAndShift(normal, weight && channel(weight), bias && channel(bias));
}
