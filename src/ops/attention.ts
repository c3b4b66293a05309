/** Scaled dot-product attention. */
import { checkWhole } from "../checks.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import { nextKey } from "../seed.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { full } from "./creation.js";
import { checkProbability, where } from "./elementwise.js";
import type { Extras } from "./flashAttention.js";
import { all, attend } from "./flashAttention.js";
import { broadcastTo, reshape } from "./movement.js";
import { checkFloat } from "./reduce.js";

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /**
   * Where attention goes: bool `[batch, keys]` says which keys are real, bool `[batch, heads,
   * queries, keys]`, the first three of which may be 1, which keys each query sees.
   */
  readonly mask?: Tensor;
  /** Added to scores: floats `[batch, heads, queries, keys]`, or what broadcasts to it. */
  readonly bias?: Tensor;
  /** Query `i` sees keys up to `i` (counted from the last, where there are more keys). */
  readonly causal?: boolean;
  /** Each query sees so many keys before its own, and so many behind. One number: both. */
  readonly window?: number | readonly [before: number, behind: number];
  /** `k` and `v` may have fewer heads, of which each serves several neighbouring ones of `q`. */
  readonly enableGqa?: boolean;
  /** With what probability each weight is dropped in training. Default: 0. */
  readonly dropout?: number;
  /** What products of queries and keys are multiplied by. Default: 1/√dim. */
  readonly scale?: number;
}

const op = "scaledDotProductAttention";

/**
 * softmax(q·kᵀ·scale + bias)·v (Vaswani et al., 2017), computed in tiles (Dao, 2023).
 * `q: [batch, heads, queries, dim]`, `k: [batch, heads, keys, dim]`, `v: [batch, heads, keys,
 * valueDim]` → `[batch, heads, queries, valueDim]`; with `enableGqa` the heads of `k` and `v` may be
 * a divisor of those of `q` (Ainslie et al., 2023). A query that sees no key gives zeros. Throws
 * ShapeError, DTypeError or ArgumentError where operands or options do not fit.
 */
export function scaledDotProductAttention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor {
  const { enableGqa = false, dropout = 0, scale } = options;
  checkShapes([q, k, v], enableGqa);
  checkProbability(op, dropout);
  const [before, after] = reachOf(options);
  const { mask, bias } = extrasOf(q, k, options);
  const { key, stream } = dropout > 0 ? nextKey() : { key: undefined, stream: 0 };
  return attend(
    q,
    k,
    v,
    { mask, bias, random: key },
    {
      scale: scale ?? 1 / Math.sqrt(q.shape[3]!),
      before,
      after,
      dropout,
      stream,
      mask: !!mask,
      bias: !!bias,
      random: !!key,
    },
  );
}

/** How many keys a query sees before and behind its own. */
function reachOf({
  causal = false,
  window,
}: AttentionOptions): readonly [before: number, after: number] {
  if (window === undefined) return [all, causal ? 0 : all];
  const [before, behind] = typeof window === "number" ? [window, window] : window;
  checkWhole(`${op}: window`, before, 0);
  checkWhole(`${op}: window`, behind, 0);
  // As far as any key lies, and as far as the kernels count.
  const most = 2 ** 31 - 1;
  return [Math.min(before, most), causal ? 0 : Math.min(behind, most)];
}

/** Mask and bias as the kernels take them. */
function extrasOf(
  q: Tensor,
  k: Tensor,
  { mask, bias }: AttentionOptions,
): Pick<Extras, "mask" | "bias"> {
  const [batch, heads, queries] = q.shape;
  const keys = k.shape[2]!;
  const scores = [batch!, heads!, queries!, keys];
  if (bias && bias.dtype !== q.dtype) {
    throw new DTypeError(`${op}: the bias is ${bias.dtype}, q ${q.dtype}; cast it`);
  }
  if (bias && !broadcasts(bias.shape, scores)) {
    throw new ShapeError(
      `${op}: a bias that broadcasts to [batch, heads, queries, keys] = ${formatShape(scores)} ` +
        `is needed, not ${formatShape(bias.shape)}`,
    );
  }
  const added = bias && withKeys(bias, keys);
  if (!mask) return { mask, bias: added };
  const padding = sameShape(mask.shape, [batch!, keys]);
  if (mask.dtype !== "bool" || !(padding || (mask.rank === 4 && broadcasts(mask.shape, scores)))) {
    throw new ShapeError(
      `${op}: the mask is bool [batch, keys] = [${batch}, ${keys}] or broadcasts to [batch, ` +
        `heads, queries, keys] = ${formatShape(scores)}, not ${mask.dtype} ` +
        formatShape(mask.shape),
    );
  }
  if (padding) return { mask, bias: added };
  if (sameShape(mask.shape, [batch!, 1, 1, keys])) {
    return { mask: reshape(mask, [batch!, keys]), bias: added };
  }
  const shown = added ?? full([], 0, q.dtype);
  const masked = where(mask, shown, full([], -Infinity, q.dtype));
  return { mask: undefined, bias: withKeys(masked, keys) };
}

/** Whether `shape` broadcasts to `to`. */
function broadcasts(shape: Shape, to: Shape): boolean {
  const lead = to.length - shape.length;
  return lead >= 0 && shape.every((size, axis) => size === 1 || size === to[lead + axis]);
}

/** The bias with four axes, the last of which has all keys. */
function withKeys(bias: Tensor, keys: number): Tensor {
  const four = [1, 1, 1, 1, ...bias.shape].slice(-4);
  return broadcastTo(reshape(bias, four), [...four.slice(0, 3), keys]);
}

function checkShapes(operands: readonly [q: Tensor, k: Tensor, v: Tensor], grouped: boolean): void {
  const [q, k, v] = operands;
  checkFloat(op, q);
  if (q.dtype !== k.dtype || q.dtype !== v.dtype) {
    throw new DTypeError(`${op}: q, k, v are ${q.dtype}, ${k.dtype}, ${v.dtype}; one is needed`);
  }
  const fits =
    operands.every((operand) => operand.rank === 4) &&
    sameShape([k.shape[0]!, k.shape[3]!], [q.shape[0]!, q.shape[3]!]) &&
    sameShape(v.shape.slice(0, 3), k.shape.slice(0, 3));
  if (!fits) {
    throw new ShapeError(
      `${op}: q [batch, heads, queries, dim], k [batch, heads, keys, dim] and ` +
        `v [batch, heads, keys, valueDim] are needed, not ${operands.map(({ shape }) => formatShape(shape)).join(", ")}`,
    );
  }
  const [heads, keyHeads] = [q.shape[1]!, k.shape[1]!];
  if (heads === keyHeads) return;
  if (!grouped) {
    throw new ShapeError(
      `${op}: q has ${heads} heads, k and v ${keyHeads}; set enableGqa for heads of k and v that ` +
        "several of q share",
    );
  }
  if (keyHeads > 0 && heads % keyHeads === 0) return;
  throw new ArgumentError(
    `${op}: ${heads} heads of q do not divide into groups for ${keyHeads} of k and v`,
  );
}
