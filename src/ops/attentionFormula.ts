/** Attention by its definition, in simpler ops. */
import type { Attributes } from "../graph.js";
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
 * softmax(q·kᵀ·scale + bias) with every score in memory; rows of a query that sees no key are 0.
 */
export function weightsFormula(
  q: Tensor,
  k: Tensor,
  extras: Extras,
  attributes: AttentionAttributes,
): Tensor {
  const products = joinGroups(matmul(splitGroups(q, k), transpose(unsqueeze(k, 2))));
  const scaled = mul(products, attributes.scale);
  const scores = extras.bias ? add(scaled, extras.bias) : scaled;
  const visible = visibleKeys(q.shape[2]!, k.shape[2]!, extras, attributes);
  const weights = softmax(visible ? where(visible, scores, hidden) : scores);
  return visible ? where(visible, weights, 0) : weights;
}

/** The weights times `v`: the definition that the kernels are held to. */
export function attentionFormula(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  extras: Extras,
  attributes: AttentionAttributes,
): Tensor {
  const weights = weightsFormula(q, k, extras, attributes);
  const { dropout, stream } = attributes;
  const kept = extras.random ? dropoutWith(weights, extras.random, dropout, stream) : weights;
  return joinGroups(matmul(splitGroups(kept, v), unsqueeze(v, 2)));
}

/** `x: [batch, heads, ...]` with heads in groups that share a head of `k`, on an axis of their own. */
function splitGroups(x: Tensor, k: Tensor): Tensor {
  const [batch, heads, ...rest] = x.shape;
  const keyHeads = k.shape[1]!;
  return reshape(x, [batch!, keyHeads, heads! / Math.max(1, keyHeads), ...rest]);
}

/** The inverse of `splitGroups`. */
function joinGroups(x: Tensor): Tensor {
  const [batch, keyHeads, group, ...rest] = x.shape;
  return reshape(x, [batch!, keyHeads! * group!, ...rest]);
}
