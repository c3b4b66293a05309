/** Scaled dot-product attention, flash style: memory grows with length, not with its square. */
import { gradients, through } from "../autograd.js";
import { dtypes } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { Attributes, Spec } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import { nextKey } from "../seed.js";
import type { Layout, Shape } from "../shape.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { arange } from "./creation.js";
import { add, checkProbability, dropoutWith, le, logicalAnd, mul, where } from "./elementwise.js";
import { matmul } from "./matmul.js";
import { reshape, transpose, unsqueeze } from "./movement.js";
import { checkFloat } from "./reduce.js";
import { softmax } from "./softmax.js";

interface AttentionAttributes extends Attributes {
  readonly scale: number;
  readonly causal: boolean;
  readonly dropout: number;
  readonly stream: number;
  /** Which of mask and random key follow query, key and value among the operands. */
  readonly mask: boolean;
  readonly random: boolean;
}

interface Extras {
  readonly mask: Tensor | undefined;
  readonly random: Tensor | undefined;
}

function extrasOf(operands: readonly Tensor[], attributes: AttentionAttributes): Extras {
  return {
    mask: attributes.mask ? operands[3] : undefined,
    random: attributes.random ? operands[attributes.mask ? 4 : 3] : undefined,
  };
}

function listOf({ mask, random }: Extras): Tensor[] {
  return [mask, random].filter((operand) => operand !== undefined);
}

/** Mask and key as the kernels take them: 0 where there is none. */
function extraPlaces(emitter: Emitter, { mask, random }: AttentionAttributes): (number | Place)[] {
  return [mask ? emitter.dense(3) : 0, random ? emitter.dense(mask ? 4 : 3) : 0];
}

/** Strides that put `[batch, heads, length, dim]` in memory as `[batch, length, heads, dim]`. */
function headsInside([, heads, length, dim]: Shape): number[] {
  return [length! * heads! * dim!, dim!, heads! * dim!, 1];
}

/** The strides of batch, head and position, as kernels take them. */
function outerStrides({ strides }: Pick<Layout, "strides">): readonly number[] {
  return strides.slice(0, 3);
}

function sizesOf([q, k, v]: readonly Spec[]): number[] {
  const [batch, heads, queries, dim] = q!.shape;
  return [batch!, heads!, queries!, k!.shape[2]!, dim!, v!.shape[3]!];
}

const attend: OpFunction<
  [q: Tensor, k: Tensor, v: Tensor, extras: Extras, attributes: AttentionAttributes]
> = defineOp("attention", {
  signature: (
    q: Tensor,
    k: Tensor,
    v: Tensor,
    extras: Extras,
    attributes: AttentionAttributes,
  ) => ({ operands: [q, k, v, ...listOf(extras)], attributes }),
  infer: ([q, , v]) => {
    const [batch, heads, queries] = q!.shape;
    const { dtype } = q!;
    return [
      { shape: [batch!, heads!, queries!, v!.shape[3]!], dtype },
      { shape: [batch!, heads!, queries!], dtype },
    ];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const [q, k, v] = [0, 1, 2].map((index) => emitter.denseRows(index));
    const [mask, random] = extraPlaces(emitter, attributes);
    const strides = headsInside(emitter.outputs[0]!.shape);
    const [o, lse] = [emitter.output(0, strides), emitter.output(1)];
    const layout = [
      ...sizesOf(emitter.operands),
      ...[q!, k!, v!].flatMap(({ layout }) => outerStrides(layout)),
      ...outerStrides({ strides }),
    ];
    emitter.call(
      "attention",
      dtypes[emitter.operands[0]!.dtype].code,
      emitter.words(layout),
      q!.place,
      k!.place,
      v!.place,
      mask!,
      random!,
      attributes.scale,
      Number(attributes.causal),
      attributes.dropout,
      attributes.stream,
      o,
      lse,
    );
  },
  vjp: (dy, { operands, outputs: [o, lse], attributes }) => {
    const [q, k, v] = operands;
    const extras = extrasOf(operands, attributes);
    return attentionBackward.all(q!, k!, v!, extras, attributes, o!, lse!, dy);
  },
});

const attentionBackward: OpFunction<
  [
    q: Tensor,
    k: Tensor,
    v: Tensor,
    extras: Extras,
    attributes: AttentionAttributes,
    o: Tensor,
    lse: Tensor,
    dy: Tensor,
  ]
> = defineOp("attentionBackward", {
  signature: (
    q: Tensor,
    k: Tensor,
    v: Tensor,
    extras: Extras,
    attributes: AttentionAttributes,
    o: Tensor,
    lse: Tensor,
    dy: Tensor,
  ) => ({ operands: [q, k, v, ...listOf(extras), o, lse, dy], attributes }),
  infer: ([q, k, v]) => [q!, k!, v!],
  kernel: (emitter, attributes) => {
    const count = emitter.operands.length;
    const [q, k, v, o, dy] = [0, 1, 2, count - 3, count - 1].map((i) => emitter.denseRows(i));
    const [mask, random] = extraPlaces(emitter, attributes);
    const lse = emitter.dense(count - 2);
    const { dtype } = emitter.operands[0]!;
    const [batch, heads, queries] = emitter.operands[0]!.shape;
    const delta = emitter.scratch(batch! * heads! * queries! * dtypes[dtype].bytes);
    const strides = emitter.outputs.map(({ shape }) => headsInside(shape));
    const [dq, dk, dv] = strides.map((inside, index) => emitter.output(index, inside));
    const layout = [q!, k!, v!, o!].flatMap((operand) => outerStrides(operand.layout));
    const gradientLayout = [
      ...outerStrides(dy!.layout),
      ...strides.flatMap((inside) => outerStrides({ strides: inside })),
    ];
    emitter.call(
      "attention_backward",
      dtypes[dtype].code,
      emitter.words([...sizesOf(emitter.operands), ...layout]),
      emitter.words(gradientLayout),
      q!.place,
      k!.place,
      v!.place,
      mask!,
      random!,
      attributes.scale,
      Number(attributes.causal),
      attributes.dropout,
      attributes.stream,
      o!.place,
      lse,
      dy!.place,
      dq!,
      dk!,
      dv!,
      delta,
    );
  },
  vjp: through((operands, attributes) => {
    const [q, k, v] = operands;
    const dy = operands.at(-1)!;
    const o = attentionFormula(q!, k!, v!, extrasOf(operands, attributes), attributes);
    return gradients([o], [q!, k!, v!], [dy]);
  }),
});

/** Which keys each query sees, `[batch, 1, queries, keys]` or broadcastable to it. */
function visibleKeys(
  queries: number,
  keys: number,
  mask: Tensor | undefined,
  causal: boolean,
): Tensor | undefined {
  const padding = mask && reshape(mask, [mask.shape[0]!, 1, 1, keys]);
  if (!causal) return padding;
  const last = add(arange(queries), keys - queries);
  const before = le(arange(keys), unsqueeze(last, -1));
  return padding ? logicalAnd(padding, before) : before;
}

/** A score no real one reaches, yet finite: a row with no visible key must not become NaN. */
const hidden = -1e30;

/** softmax(q·kᵀ·scale)·v with every score in memory: the definition the kernels are held to. */
function attentionFormula(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { mask, random }: Extras,
  { scale, causal, dropout, stream }: AttentionAttributes,
): Tensor {
  const scores = mul(matmul(q, transpose(k)), scale);
  const visible = visibleKeys(q.shape[2]!, k.shape[2]!, mask, causal);
  const shown = visible ? where(visible, scores, hidden) : scores;
  const weights = softmax(shown);
  const kept = visible ? where(visible, weights, 0) : weights;
  return matmul(random ? dropoutWith(kept, random, dropout, stream) : kept, v);
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /** Which keys are real, bool `[batch, keys]`; padding is not attended to. */
  readonly mask?: Tensor;
  /** Query `i` sees keys up to `i` (counted from the last, where there are more keys). */
  readonly causal?: boolean;
  /** With what probability each weight is dropped in training. Default: 0. */
  readonly dropout?: number;
  /** What scores are multiplied by. Default: 1/√dim. */
  readonly scale?: number;
}

/**
 * softmax(q·kᵀ·scale)·v (Vaswani et al., 2017), computed in tiles (Dao, 2023).
 * `q: [batch, heads, queries, dim]`, `k: [batch, heads, keys, dim]`, `v: [batch, heads, keys,
 * valueDim]` → `[batch, heads, queries, valueDim]`. A query that sees no key gives zeros.
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  { mask, causal = false, dropout = 0, scale }: AttentionOptions = {},
): Tensor {
  checkShapes(q, k, v);
  checkProbability("scaledDotProductAttention", dropout);
  const [batch, , , dim] = q.shape;
  const keys = k.shape[2]!;
  if (mask && (mask.dtype !== "bool" || !sameShape(mask.shape, [batch!, keys]))) {
    throw new ShapeError(
      `scaledDotProductAttention: the mask is bool [batch, keys] = [${batch}, ${keys}], ` +
        `not ${mask.dtype} ${formatShape(mask.shape)}`,
    );
  }
  const { key, stream } = dropout > 0 ? nextKey() : { key: undefined, stream: 0 };
  return attend(
    q,
    k,
    v,
    { mask, random: key },
    {
      scale: scale ?? 1 / Math.sqrt(dim!),
      causal,
      dropout,
      stream,
      mask: !!mask,
      random: !!key,
    },
  );
}

function checkShapes(q: Tensor, k: Tensor, v: Tensor): void {
  checkFloat("scaledDotProductAttention", q);
  if (q.dtype !== k.dtype || q.dtype !== v.dtype) {
    throw new DTypeError(
      `scaledDotProductAttention: q, k, v are ${q.dtype}, ${k.dtype}, ${v.dtype}; one is needed`,
    );
  }
  const [batch, heads, , dim] = q.shape;
  const fits =
    [q, k, v].every((operand) => operand.rank === 4) &&
    sameShape([k.shape[0]!, k.shape[1]!, k.shape[3]!], [batch!, heads!, dim!]) &&
    sameShape(v.shape.slice(0, 3), k.shape.slice(0, 3));
  if (fits) return;
  throw new ShapeError(
    "scaledDotProductAttention: q [batch, heads, queries, dim], k [batch, heads, keys, dim] and " +
      `v [batch, heads, keys, valueDim] are needed, not ${formatShape(q.shape)}, ` +
      `${formatShape(k.shape)}, ${formatShape(v.shape)}`,
  );
}
