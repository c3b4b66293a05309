import type { DType } from "../../src/index.js";
import * as op from "../../src/index.js";
import { uniforms } from "../philox.js";
import type { NumberArray } from "../reference.js";
import { at, build, mapRows, matmul, permute, softmaxRow } from "../reference.js";
import type { Call, Case, Sample } from "./case.js";
import { operand } from "./case.js";

/** What a query sees, and the weights dropped. */
interface Options {
  readonly causal?: boolean;
  /** How many keys of each of the batch are real. */
  readonly lengths?: readonly number[];
  readonly dropout?: number;
  readonly scale?: number;
}

/** Any seed: calls with dropout set it, so that the reference draws the same numbers. */
const seed = 3;

function attention(
  q: NumberArray,
  k: NumberArray,
  v: NumberArray,
  { causal = false, lengths, dropout = 0, scale }: Options,
): NumberArray {
  const [batch, heads, queries, dim] = q.shape;
  const keys = k.shape[2]!;
  const products = matmul(q, permute(k, [0, 1, 3, 2]));
  const shape = [batch!, heads!, queries!, keys];
  const scores = build(shape, (index) => {
    const [b, , i, j] = index;
    const visible = (!lengths || j! < lengths[b!]!) && (!causal || j! <= i! + keys - queries!);
    return visible ? at(products, index) * (scale ?? 1 / Math.sqrt(dim!)) : -Infinity;
  });
  const weights = mapRows(scores, (row) =>
    row.every((x) => x === -Infinity) ? row.map(() => 0) : softmaxRow(row),
  );
  const drawn = uniforms(shape, seed);
  const kept = build(shape, (index) =>
    at(drawn, index) < dropout ? 0 : at(weights, index) / (1 - dropout),
  );
  return matmul(dropout > 0 ? kept : weights, v);
}

type Sizes = readonly [
  batch: number,
  heads: number,
  queries: number,
  keys: number,
  dim: number,
  valueDim: number,
];

function attentionCall(
  [batch, heads, queries, keys, dim, valueDim]: Sizes,
  { lengths, ...options }: Options = {},
): Call {
  const bool: DType = "bool";
  const mask = lengths && {
    shape: [batch, keys],
    data: lengths.flatMap((length) => Array.from({ length: keys }, (_, j) => Number(j < length))),
    dtype: bool,
  };
  return {
    operands: [
      operand([batch, heads, queries, dim]),
      operand([batch, heads, keys, dim], { salt: 2 }),
      operand([batch, heads, keys, valueDim], { salt: 3 }),
      ...(mask ? [mask] : []),
    ],
    call: (q, k, v, mask) => {
      op.manualSeed(seed);
      return op.scaledDotProductAttention(q, k, v, { ...options, ...(mask && { mask }) });
    },
  };
}

function sample(sizes: Sizes, options: Options = {}): Sample {
  return {
    ...attentionCall(sizes, options),
    reference: (q, k, v) => attention(q, k, v, options),
  };
}

/** Heads beside one another in memory, as a projection leaves them. */
function headsInside(): Sample {
  const { call, reference, operands } = sample([2, 3, 4, 4, 5, 5]);
  return {
    operands: operands.map((one) => ({ ...one, shape: [2, 4, 3, 5] })),
    call: (...all) => call(...all.map((x) => op.permute(x, [0, 2, 1, 3]))),
    reference: (...all) => reference(...all.map((x) => permute(x, [0, 2, 1, 3]))),
  };
}

export const attentionCases = {
  scaledDotProductAttention: {
    samples: [
      sample([1, 1, 1, 1, 1, 1]),
      sample([0, 1, 3, 3, 2, 2]),
      sample([2, 2, 3, 3, 3, 3]),
      sample([2, 2, 5, 7, 4, 3], { lengths: [7, 3] }),
      sample([1, 2, 6, 6, 4, 4], { causal: true }),
      sample([2, 1, 3, 6, 4, 2], { causal: true, lengths: [6, 4] }),
      sample([2, 1, 3, 4, 2, 2], { lengths: [0, 4] }),
      sample([1, 1, 3, 17, 2, 2], { scale: 0.7 }),
      sample([2, 2, 3, 5, 2, 2], { dropout: 0.4 }),
      sample([1, 2, 4, 4, 2, 2], { dropout: 0.3, causal: true, lengths: [3] }),
      sample([1, 1, 70, 150, 8, 8], { lengths: [140] }),
      headsInside(),
    ],
    special: [
      {
        ...sample([1, 1, 2, 2, 1, 1]),
        operands: [
          { shape: [1, 1, 2, 1], data: [NaN, 1] },
          { shape: [1, 1, 2, 1], data: [1, 2] },
          { shape: [1, 1, 2, 1], data: [3, 4] },
        ],
      },
    ],
    random: true,
    bench: () =>
      attentionCall([2, 4, 128, 128, 32, 32], { causal: true, lengths: [128, 90], dropout: 0.1 }),
  },
} satisfies Record<string, Case>;
