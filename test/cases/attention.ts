import * as op from "../../src/index.js";
import { uniforms } from "../philox.js";
import type { NumberArray } from "../reference.js";
import { at, build, mapRows, matmul, permute, softmaxRow } from "../reference.js";
import type { Call, Case, Operand, Sample } from "./case.js";
import { operand } from "./case.js";

/** What a query sees, and the weights dropped. */
interface Options {
  readonly causal?: boolean;
  readonly window?: number | readonly [number, number];
  /** How many keys of each of the batch are real. */
  readonly lengths?: readonly number[];
  /** The shape of a mask by query; every third of its elements hides. */
  readonly maskShape?: readonly number[];
  /** The shape of the bias. */
  readonly biasShape?: readonly number[];
  /** Heads of keys and values. Default: those of the queries. */
  readonly keyHeads?: number;
  readonly dropout?: number;
  readonly scale?: number;
}

/** Any seed: calls with dropout set it, so that the reference draws the same numbers. */
const seed = 3;

/** The element of `x` that broadcasts to `index`. */
function broadcastAt(x: NumberArray, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length);
  return at(
    x,
    own.map((i, axis) => (x.shape[axis] === 1 ? 0 : i)),
  );
}

/** Each head of `x` so often that there are `heads`. */
function repeatHeads(x: NumberArray, heads: number): NumberArray {
  const [batch, keyHeads, ...rest] = x.shape;
  return build([batch!, heads, ...rest], ([b, h, ...inner]) =>
    at(x, [b!, Math.floor((h! * keyHeads!) / heads), ...inner]),
  );
}

function attention(
  [q, ...others]: readonly [q: NumberArray, k: NumberArray, v: NumberArray],
  { causal = false, window = Infinity, lengths, dropout = 0, scale }: Options,
  { mask, bias }: { readonly mask?: NumberArray; readonly bias?: NumberArray },
): NumberArray {
  const [batch, heads, queries, dim] = q.shape;
  const [k, v] = others.map((x) => repeatHeads(x, heads!));
  const keys = k!.shape[2]!;
  const [before, behind] = typeof window === "number" ? [window, window] : window;
  const products = matmul(q, permute(k!, [0, 1, 3, 2]));
  const shape = [batch!, heads!, queries!, keys];
  const scores = build(shape, (index) => {
    const [b, , i, j] = index;
    const distance = j! - (i! + keys - queries!);
    const visible =
      (!lengths || j! < lengths[b!]!) &&
      distance <= (causal ? 0 : behind) &&
      distance >= -before &&
      (!mask || broadcastAt(mask, index) !== 0);
    const added = bias ? broadcastAt(bias, index) : 0;
    return visible ? at(products, index) * (scale ?? 1 / Math.sqrt(dim!)) + added : -Infinity;
  });
  const weights = mapRows(scores, (row) =>
    row.every((x) => x === -Infinity) ? row.map(() => 0) : softmaxRow(row),
  );
  const drawn = uniforms(shape, seed);
  const kept = build(shape, (index) =>
    at(drawn, index) < dropout ? 0 : at(weights, index) / (1 - dropout),
  );
  return matmul(dropout > 0 ? kept : weights, v!);
}

type Sizes = readonly [
  batch: number,
  heads: number,
  queries: number,
  keys: number,
  dim: number,
  valueDim: number,
];

/** The bool operand that `options` ask for. */
function maskOf(batch: number, keys: number, { lengths, maskShape }: Options): Operand | undefined {
  if (lengths) {
    const real = (length: number): number[] =>
      Array.from({ length: keys }, (_, j) => Number(j < length));
    return { shape: [batch, keys], data: lengths.flatMap(real), dtype: "bool" };
  }
  if (!maskShape) return undefined;
  const length = maskShape.reduce((size, n) => size * n, 1);
  const data = Array.from({ length }, (_, i) => Number(i % 3 !== 1));
  return { shape: maskShape, data, dtype: "bool" };
}

/** q, k, v, then the bias and the mask, where there are. */
function attentionCall(
  [batch, heads, queries, keys, dim, valueDim]: Sizes,
  options: Options = {},
): Call {
  const { lengths, maskShape, biasShape, keyHeads = heads, ...rest } = options;
  const mask = maskOf(batch, keys, options);
  return {
    operands: [
      operand([batch, heads, queries, dim]),
      operand([batch, keyHeads, keys, dim], { salt: 2 }),
      operand([batch, keyHeads, keys, valueDim], { salt: 3 }),
      ...(biasShape ? [operand(biasShape, { salt: 4 })] : []),
      ...(mask ? [mask] : []),
    ],
    call: (q, k, v, ...extras) => {
      op.manualSeed(seed);
      return op.scaledDotProductAttention(q, k, v, {
        ...rest,
        enableGqa: keyHeads !== heads,
        ...extrasOf(options, extras),
      });
    },
  };
}

function extrasOf<T>({ biasShape }: Options, extras: readonly T[]): { bias?: T; mask?: T } {
  const [bias, mask] = biasShape ? extras : [undefined, ...extras];
  return { ...(bias && { bias }), ...(mask && { mask }) };
}

function sample(sizes: Sizes, options: Options = {}): Sample {
  return {
    ...attentionCall(sizes, options),
    reference: (q, k, v, ...extras) =>
      attention(
        [q, k, v],
        options,
        extrasOf(options, options.lengths ? extras.slice(0, -1) : extras),
      ),
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

/** Scores that the bias makes −∞: one query sees nothing, the next one key. */
function hiddenByBias(): Sample {
  const { operands, ...rest } = sample([1, 1, 2, 2, 2, 2], { biasShape: [2, 2] });
  const bias = { shape: [2, 2], data: [-Infinity, -Infinity, 1, -Infinity] };
  return { ...rest, operands: [...operands.slice(0, 3), bias] };
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
      sample([1, 2, 5, 7, 2, 3], { window: 1 }),
      sample([1, 1, 6, 6, 2, 2], { window: [2, 1], dropout: 0.3 }),
      sample([2, 1, 4, 9, 2, 2], { window: [3, 5], causal: true, lengths: [9, 6] }),
      sample([1, 1, 140, 140, 2, 2], { window: [20, 0] }),
      sample([2, 4, 3, 5, 2, 3], { keyHeads: 2 }),
      sample([1, 3, 4, 4, 2, 2], { keyHeads: 1, causal: true, dropout: 0.4 }),
      sample([2, 2, 3, 4, 2, 2], { biasShape: [2, 2, 3, 4] }),
      sample([2, 2, 3, 4, 2, 2], { biasShape: [1, 2, 3, 4], causal: true }),
      sample([2, 4, 3, 4, 2, 2], { biasShape: [2, 1, 1, 4], keyHeads: 2, lengths: [3, 4] }),
      sample([1, 2, 3, 4, 2, 2], { biasShape: [3, 1], window: 2 }),
      sample([1, 2, 3, 4, 2, 2], { biasShape: [], dropout: 0.2 }),
      sample([2, 2, 3, 4, 2, 2], { maskShape: [2, 1, 3, 4] }),
      sample([2, 2, 3, 4, 2, 2], { maskShape: [1, 2, 1, 4], biasShape: [2, 3, 4] }),
      sample([2, 1, 3, 4, 2, 2], { maskShape: [2, 1, 1, 4] }),
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
      hiddenByBias(),
    ],
    random: true,
    bench: () =>
      attentionCall([2, 4, 128, 128, 32, 32], {
        causal: true,
        lengths: [128, 90],
        biasShape: [1, 4, 128, 128],
        keyHeads: 2,
        dropout: 0.1,
      }),
  },
} satisfies Record<string, Case>;
