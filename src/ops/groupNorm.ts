/** Normalization of groups of channels: all of a row's, one, or any number between. */
import { gradients, through } from "../autograd.js";
import { checkWhole } from "../checks.js";
import type { DType } from "../dtype.js";
import { dtypes } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { add, mul, rsqrt, square, sub } from "./elementwise.js";
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

/** Entries whose gradients of weight and bias are added up before the pieces are combined. */
const entriesPerPiece = 64;

/** How a tensor is seen: `[n, groups, channels, inner]`; each of `[n, groups]` is normalized. */
interface Groups {
  readonly groups: number;
  readonly channels: number;
  readonly inner: number;
}

interface NormAttributes extends AffineAttributes, Groups {
  readonly eps: number;
  /** Whether the mean is taken away. */
  readonly centred: boolean;
}

/** The kernels' sizes: `[dtype, n, groups, channels, inner]`. */
function sizesOf(
  { shape, dtype }: Spec,
  { groups, channels, inner }: Groups,
): readonly [number, number, number, number, number] {
  const entry = groups * channels * inner;
  const n = entry === 0 ? 0 : sizeOf(shape) / entry;
  return [dtypes[dtype].code, n, groups, channels, inner];
}

type NormOp = OpFunction<
  [x: Tensor, how: Groups & { eps: number; centred: boolean }, weight?: Tensor, bias?: Tensor]
>;

function normOp(name: string): NormOp {
  const row: NormOp = defineOp(name, {
    signature: (
      x: Tensor,
      how: Groups & { eps: number; centred: boolean },
      weight?: Tensor,
      bias?: Tensor,
    ) => {
      const [others, affine] = affineOperands(weight, bias);
      const attributes: NormAttributes = { ...how, ...affine };
      return { operands: [x, ...others], attributes };
    },
    infer: ([x, ...others], attributes) => {
      checkFloat(name, x!);
      checkSameDType(name, x!, others);
      const [, n] = sizesOf(x!, attributes);
      const statistic: Spec = { shape: [n, attributes.groups], dtype: x!.dtype };
      return attributes.centred ? [x!, statistic, statistic] : [x!, statistic];
    },
    differentiable: 1,
    kernel: (emitter, attributes) => {
      const sizes = sizesOf(emitter.operands[0]!, attributes);
      const x = emitter.dense(0);
      const [weight, bias] = affinePlaces(emitter, attributes);
      const y = emitter.output(0);
      const centre = attributes.centred ? emitter.output(1) : 0;
      const rstd = emitter.output(attributes.centred ? 2 : 1);
      emitter.call("group_norm", ...sizes, x, weight, bias, attributes.eps, y, centre, rstd);
    },
    vjp: (dy, { operands: [x, ...affine], outputs: [, ...statistics], attributes }) =>
      groupNormBackward.all(
        x!,
        statistics,
        dy,
        attributes,
        attributes.weight ? affine[0] : undefined,
      ),
  });
  return row;
}

/** Gradients of the input, and of those of weight and bias there are. */
const groupNormBackward: OpFunction<
  [x: Tensor, statistics: readonly Tensor[], dy: Tensor, how: NormAttributes, weight?: Tensor]
> = defineOp("groupNormBackward", {
  signature: (
    x: Tensor,
    statistics: readonly Tensor[],
    dy: Tensor,
    how: NormAttributes,
    weight?: Tensor,
  ) => ({
    operands: [x, dy, ...statistics, ...(weight ? [weight] : [])],
    attributes: how,
  }),
  infer: ([x], { groups, channels, weight, bias }) => {
    const parameter: Spec = { shape: [groups * channels], dtype: x!.dtype };
    return [x!, ...(weight ? [parameter] : []), ...(bias ? [parameter] : [])];
  },
  kernel: (emitter, attributes) => {
    const { centred, weight, bias } = attributes;
    const sizes = sizesOf(emitter.operands[0]!, attributes);
    const [, n, groups, channels, inner] = sizes;
    const [x, dy] = [emitter.dense(0), emitter.dense(1)];
    const centre = centred ? emitter.dense(2) : 0;
    const rstd = emitter.dense(centred ? 3 : 2);
    const scale = weight ? emitter.dense(centred ? 4 : 3) : 0;
    // Channels of many elements are summed as they come: a piece need not be long.
    const block = inner === 1 ? entriesPerPiece : 1;
    const bytes = Math.max(1, Math.ceil(n / block)) * 2 * groups * channels * dtypes.float64.bytes;
    const dx = emitter.output(0);
    const dWeight = weight ? emitter.output(1) : 0;
    const dBias = bias ? emitter.output(weight ? 2 : 1) : 0;
    emitter.call(
      "group_norm_backward",
      ...sizes,
      x,
      scale,
      centre,
      rstd,
      dy,
      dx,
      dWeight,
      dBias,
      emitter.scratch(bytes),
      block,
    );
  },
  vjp: through((operands, how) => {
    const [x, dy] = operands;
    const weight = how.weight ? operands.at(-1) : undefined;
    const [, n, groups, channels, inner] = sizesOf(x!, how);
    const perChannel = [n, groups * channels, inner];
    const rows = reshape(x!, [n, groups, channels * inner]);
    const axis = { axis: -1, keepDims: true };
    const spread = how.centred
      ? variance(rows, { ...axis, correction: 0 })
      : mean(square(rows), axis);
    const distance = how.centred ? sub(rows, mean(rows, axis)) : rows;
    const normal = reshape(mul(distance, rsqrt(add(spread, how.eps))), perChannel);
    const scaled = scaleAndShift(normal, weight && reshape(weight, [groups * channels, 1]));
    const arrived = reshape(dy!, perChannel);
    const [dx] = gradients([scaled], [x!], [arrived]);
    const perWeight = { axis: [0, 2] };
    return [
      dx!,
      ...(how.weight ? [sum(mul(arrived, normal), perWeight)] : []),
      ...(how.bias ? [sum(arrived, perWeight)] : []),
    ];
  }),
});

const layerNormRows = normOp("layerNorm");
const rmsNormRows = normOp("rmsNorm");
const groupNormRows = normOp("groupNorm");
const instanceNormRows = normOp("instanceNorm");

/** The last axes of `x` as a row. Throws ShapeError unless they are `normalizedShape`. */
function rowsOf(op: string, x: Tensor, normalizedShape: Shape): Groups {
  const tail = x.shape.slice(x.rank - normalizedShape.length);
  if (normalizedShape.length === 0 || !sameShape(tail, normalizedShape)) {
    throw new ShapeError(
      `${op}: ${formatShape(x.shape)} does not end in ${formatShape(normalizedShape)}`,
    );
  }
  return { groups: 1, channels: sizeOf(tail), inner: 1 };
}

/** A weight or bias of any shape as a row of numbers. */
function asRow(parameter: Tensor | undefined): Tensor | undefined {
  return parameter && reshape(parameter, [parameter.size]);
}

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
  const how = { ...rowsOf("layerNorm", x, normalizedShape), eps, centred: true };
  checkShapes("layerNorm", { weight, bias }, normalizedShape);
  return layerNormRows(x, how, asRow(weight), asRow(bias));
}

/** Options of `rmsNorm`. */
export interface RmsNormOptions {
  /** The scale of each element of a row, of the normalized axes' shape. */
  readonly weight?: Tensor;
  /** Added to the mean square. Default: the distance from 1 to the dtype's next number. */
  readonly eps?: number;
  /** The axes normalized over, as their shape: the last ones of `x`. Default: the last axis. */
  readonly normalizedShape?: Shape;
}

/** The distance from 1 to the next number. */
const epsilons: { readonly [D in DType]?: number } = {
  float32: 2 ** -23,
  float64: Number.EPSILON,
};

/** `x/√(mean(x²) + ε)·weight` over the last axes (Zhang & Sennrich, 2019). */
export function rmsNorm(
  x: Tensor,
  {
    weight,
    eps = epsilons[x.dtype] ?? 0,
    normalizedShape = x.shape.slice(-1),
  }: RmsNormOptions = {},
): Tensor {
  const how = { ...rowsOf("rmsNorm", x, normalizedShape), eps, centred: false };
  checkShapes("rmsNorm", { weight }, normalizedShape);
  return rmsNormRows(x, how, asRow(weight));
}

/** Options of `groupNorm` and `instanceNorm`. */
export interface GroupNormOptions {
  /** Scale and shift of each channel, `[channels]`. */
  readonly weight?: Tensor;
  readonly bias?: Tensor;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
}

/**
 * `(x − mean)/√(var + ε)·weight + bias` of `x: [batch, channels, ...]`, mean and variance over each
 * of `groups` groups of neighbouring channels and all axes behind (Wu & He, 2018).
 */
export function groupNorm(
  x: Tensor,
  groups: number,
  { weight, bias, eps = 1e-5 }: GroupNormOptions = {},
): Tensor {
  checkWhole("groupNorm: groups", groups, 1);
  const channels = checkChannels("groupNorm", x, 2);
  if (channels % groups !== 0) {
    throw new ShapeError(
      `groupNorm: the ${channels} channels of ${formatShape(x.shape)} ` +
        `do not divide into ${groups} groups`,
    );
  }
  checkShapes("groupNorm", { weight, bias }, [channels]);
  const inner = sizeOf(x.shape.slice(2));
  const how = { groups, channels: channels / groups, inner, eps, centred: true };
  return groupNormRows(x, how, weight, bias);
}

/**
 * `(x − mean)/√(var + ε)·weight + bias` of `x: [batch, channels, ...]`, mean and variance over all
 * axes behind each channel (Ulyanov, Vedaldi & Lempitsky, 2016).
 */
export function instanceNorm(
  x: Tensor,
  { weight, bias, eps = 1e-5 }: GroupNormOptions = {},
): Tensor {
  const groups = checkChannels("instanceNorm", x, 3);
  checkShapes("instanceNorm", { weight, bias }, [groups]);
  const inner = sizeOf(x.shape.slice(2));
  return instanceNormRows(x, { groups, channels: 1, inner, eps, centred: true }, weight, bias);
}

/** The channels of `x`. Throws ShapeError where it has too few axes. */
function checkChannels(op: string, { rank, shape }: Tensor, least: number): number {
  if (rank >= least) return shape[1]!;
  const wanted = ["batch", "channels", "length"].slice(0, least).join(", ");
  throw new ShapeError(`${op}: [${wanted}, ...] is needed, not ${formatShape(shape)}`);
}
