/** The ops behind attention: flash style, so memory grows with length, not with its square. */
import { gradients, through } from "../autograd.js";
import { dtypes } from "../dtype.js";
import type { Attributes, Spec } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import type { Layout, Shape } from "../shape.js";
import { broadcastLayout, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { arange } from "./creation.js";
import { add, dropoutWith, ge, le, logicalAnd, mul, ne, where } from "./elementwise.js";
import { matmul } from "./matmul.js";
import { reshape, transpose, unsqueeze } from "./movement.js";
import { softmax } from "./softmax.js";

/** What attention is told besides tensors. */
export interface AttentionAttributes extends Attributes {
  readonly scale: number;
  /** Keys that a query sees before and behind its own; `all` of them. */
  readonly before: number;
  readonly after: number;
  readonly dropout: number;
  readonly stream: number;
  /** Which of mask, bias and random key follow query, key and value among the operands. */
  readonly mask: boolean;
  readonly bias: boolean;
  readonly random: boolean;
}

/** As many keys as there are. */
export const all = -1;

/** Operands that may be left out. */
export interface Extras {
  /** Which keys are real, `[batch, keys]`. */
  readonly mask: Tensor | undefined;
  /** What is added to scores, `[batch, heads, queries, keys]` but for the last each all or 1. */
  readonly bias: Tensor | undefined;
  readonly random: Tensor | undefined;
}

/** Where an extra stands among the operands; undefined: nowhere. */
type Positions = { readonly [E in keyof Extras]: number | undefined };

function positionsOf({ mask, bias, random }: AttentionAttributes): Positions {
  let next = 3;
  const take = (present: boolean): number | undefined => (present ? next++ : undefined);
  return { mask: take(mask), bias: take(bias), random: take(random) };
}

function extrasOf(operands: readonly Tensor[], attributes: AttentionAttributes): Extras {
  const { mask, bias, random } = positionsOf(attributes);
  const at = (index: number | undefined): Tensor | undefined =>
    index === undefined ? undefined : operands[index];
  return { mask: at(mask), bias: at(bias), random: at(random) };
}

function listOf({ mask, bias, random }: Extras): Tensor[] {
  return [mask, bias, random].filter((operand) => operand !== undefined);
}

/** Strides that put `[batch, heads, length, dim]` in memory as `[batch, length, heads, dim]`. */
function headsInside([, heads, length, dim]: Shape): number[] {
  return [length! * heads! * dim!, dim!, heads! * dim!, 1];
}

/** The strides of batch, head and position, as kernels take them. */
function outerStrides({ strides }: Pick<Layout, "strides">): readonly number[] {
  return strides.slice(0, 3);
}

/** What the kernels have in common: the first words of their layout, and arguments. */
function describe(
  emitter: Emitter,
  attributes: AttentionAttributes,
  o: Pick<Layout, "strides">,
): { readonly layout: number[]; readonly args: DescribedArguments } {
  const [q, k, v] = [0, 1, 2].map((index) => emitter.denseRows(index));
  const [batch, heads, queries, dim] = q!.layout.shape;
  const [, keyHeads, keys] = k!.layout.shape;
  const at = positionsOf(attributes);
  const bias = at.bias === undefined ? undefined : emitter.denseRows(at.bias);
  const scores = [batch!, heads!, queries!, keys!];
  const biasLayout = bias ? broadcastLayout(bias.layout, scores) : { strides: [0, 0, 0] };
  const { before, after, stream } = attributes;
  const sizes = [batch!, heads!, keyHeads!, queries!, keys!, dim!, v!.layout.shape[3]!];
  return {
    layout: [
      ...sizes,
      before,
      after,
      stream,
      ...[q!.layout, k!.layout, v!.layout, o, biasLayout].flatMap(outerStrides),
    ],
    args: [
      q!.place,
      k!.place,
      v!.place,
      at.mask === undefined ? 0 : emitter.dense(at.mask),
      bias?.place ?? 0,
      at.random === undefined ? 0 : emitter.dense(at.random),
      attributes.scale,
      attributes.dropout,
    ],
  };
}

type Argument = number | Place;
type DescribedArguments = readonly [
  q: Place,
  k: Place,
  v: Place,
  mask: Argument,
  bias: Argument,
  key: Argument,
  scale: number,
  dropout: number,
];

/** Scaled dot-product attention and ln Σ e^score, `[batch, heads, queries]`. */
export const attend: OpFunction<
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
    const strides = headsInside(emitter.outputs[0]!.shape);
    const { layout, args } = describe(emitter, attributes, { strides });
    emitter.call(
      "attention",
      dtypes[emitter.operands[0]!.dtype].code,
      emitter.words(layout),
      ...args,
      emitter.output(0, strides),
      emitter.output(1),
    );
  },
  vjp: (dy, { operands, outputs: [o, lse], attributes, needs }) => {
    const [q, k, v] = operands;
    const extras = extrasOf(operands, attributes);
    const rest = [q!, k!, v!, extras, attributes, o!, lse!, dy] as const;
    const found: (Tensor | undefined)[] = operands.map(() => undefined);
    if (needs[0] || needs[1] || needs[2]) found.splice(0, 3, ...attentionBackward.all(...rest));
    const { bias } = positionsOf(attributes);
    if (bias !== undefined && needs[bias]) found[bias] = attentionBiasBackward(...rest);
    return found;
  },
});

type BackwardArguments = [
  q: Tensor,
  k: Tensor,
  v: Tensor,
  extras: Extras,
  attributes: AttentionAttributes,
  o: Tensor,
  lse: Tensor,
  dy: Tensor,
];

function backwardSignature(...[q, k, v, extras, attributes, o, lse, dy]: BackwardArguments): {
  operands: Tensor[];
  attributes: AttentionAttributes;
} {
  return { operands: [q, k, v, ...listOf(extras), o, lse, dy], attributes };
}

/** What kernels of gradients have in common; the strides of dy end the layout. */
function describeBackward(
  emitter: Emitter,
  attributes: AttentionAttributes,
): {
  readonly layout: number[];
  readonly args: readonly [...DescribedArguments, o: Place, lse: Place, dy: Place, delta: Place];
} {
  const count = emitter.operands.length;
  const [o, dy] = [count - 3, count - 1].map((index) => emitter.denseRows(index));
  const { layout, args } = describe(emitter, attributes, o!.layout);
  const { shape, dtype } = emitter.operands[count - 2]!;
  const delta = emitter.scratch(sizeOf(shape) * dtypes[dtype].bytes);
  return {
    layout: [...layout, ...outerStrides(dy!.layout)],
    args: [...args, o!.place, emitter.dense(count - 2), dy!.place, delta],
  };
}

/** Blocks of work for threads to share, where one for each batch entry and head would be fewer. */
const blocks = 16;
/** Keys that are worth a block. */
const blockKeys = 128;

/** How many parts the keys of each head are cut into: the sizes decide it, and so the bits. */
function partsOf({ shape }: Spec): number {
  const [batch, heads, keys] = shape;
  const wanted = Math.ceil(blocks / Math.max(1, batch! * heads!));
  return Math.max(1, Math.min(wanted, Math.ceil(keys! / blockKeys)));
}

const attentionBackward: OpFunction<BackwardArguments> = defineOp("attentionBackward", {
  signature: backwardSignature,
  infer: ([q, k, v]) => [q!, k!, v!],
  kernel: (emitter, attributes) => {
    const { layout, args } = describeBackward(emitter, attributes);
    const strides = emitter.outputs.map(({ shape }) => headsInside(shape));
    const [dq, dk, dv] = strides.map((inside, index) => emitter.output(index, inside));
    const parts = partsOf(emitter.operands[1]!);
    const { shape, dtype } = emitter.operands[0]!;
    const { code, bytes } = dtypes[dtype];
    const words = [
      ...layout,
      ...strides.flatMap((inside) => outerStrides({ strides: inside })),
      parts,
    ];
    emitter.call(
      "attention_backward",
      code,
      emitter.words(words),
      ...args,
      dq!,
      dk!,
      dv!,
      emitter.scratch((parts - 1) * sizeOf(shape) * bytes),
    );
  },
  vjp: through((operands, attributes) => {
    const [q, k, v] = operands;
    return gradients([attentionFormula(operands, attributes)], [q!, k!, v!], [operands.at(-1)!]);
  }),
});

const attentionBiasBackward: OpFunction<BackwardArguments> = defineOp("attentionBiasBackward", {
  signature: backwardSignature,
  infer: (operands, attributes) => operands[positionsOf(attributes).bias!]!,
  kernel: (emitter, attributes) => {
    const { layout, args } = describeBackward(emitter, attributes);
    const { shape, dtype } = emitter.outputs[0]!;
    emitter.call(
      "attention_bias_backward",
      dtypes[dtype].code,
      emitter.words([...layout, ...shape.slice(0, 3)]),
      ...args,
      emitter.output(0),
    );
  },
  vjp: through((operands, attributes) => {
    const { bias } = extrasOf(operands, attributes);
    return gradients([attentionFormula(operands, attributes)], [bias!], [operands.at(-1)!]);
  }),
});

/** The condition that holds where all of those that are there do. */
function both(a: Tensor | undefined, b: Tensor | undefined): Tensor | undefined {
  return a && b ? logicalAnd(a, b) : (a ?? b);
}

/** Which keys each query sees, broadcastable to `[batch, heads, queries, keys]`; undefined: all. */
function visibleKeys(
  queries: number,
  keys: number,
  { mask, bias }: Extras,
  { before, after }: AttentionAttributes,
): Tensor | undefined {
  const padding = mask && reshape(mask, [mask.shape[0]!, 1, 1, keys]);
  const own = unsqueeze(add(arange(queries), keys - queries), -1);
  const first = before === all ? undefined : ge(arange(keys), add(own, -before));
  const last = after === all ? undefined : le(arange(keys), add(own, after));
  return [padding, first, last, bias && ne(bias, -Infinity)].reduce(both);
}

/** A score no real one reaches, yet finite: a row with no visible key must not become NaN. */
const hidden = -1e30;

/**
 * softmax(q·kᵀ·scale + bias)·v with every score in memory: the definition the kernels are held to.
 */
function attentionFormula(operands: readonly Tensor[], attributes: AttentionAttributes): Tensor {
  const [q, k, v] = operands;
  const extras = extrasOf(operands, attributes);
  const [batch, heads, queries] = q!.shape;
  const [, keyHeads, keys] = k!.shape;
  // Query heads of a group beside one another, and the head of keys they share.
  const grouped = (x: Tensor): Tensor =>
    reshape(x, [batch!, keyHeads!, heads! / Math.max(1, keyHeads!), queries!, x.shape[3]!]);
  const single = (x: Tensor): Tensor => reshape(x, [batch!, heads!, queries!, x.shape[4]!]);
  const products = single(matmul(grouped(q!), transpose(unsqueeze(k!, 2))));
  const scaled = mul(products, attributes.scale);
  const scores = extras.bias ? add(scaled, extras.bias) : scaled;
  const visible = visibleKeys(queries!, keys!, extras, attributes);
  const weights = softmax(visible ? where(visible, scores, hidden) : scores);
  const kept = visible ? where(visible, weights, 0) : weights;
  const { dropout, stream } = attributes;
  const dropped = extras.random ? dropoutWith(kept, extras.random, dropout, stream) : kept;
  return single(matmul(grouped(dropped), unsqueeze(v!, 2)));
}
