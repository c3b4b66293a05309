/** Where a model's attention goes. */
import { checkWhole } from "../checks.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { MultiheadAttention } from "../nn/attention.js";
import type { Module, Signal } from "../nn/module.js";
import { inMode, watching } from "../nn/module.js";
import { noGrad } from "../op.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { draw } from "./draw.js";
import { heatMap } from "./heatMap.js";
import type { Picture } from "./picture.js";

/**
 * The attention weights of every `MultiheadAttention` layer in `model` for the input `x`, in
 * inference mode: `[batch, heads, queries, keys]` by the layer's path, `0.self_attn`. They are
 * recorded by the formula, as the layer itself never has them in memory.
 */
export function attentionOf(
  model: Module,
  x: Tensor,
  { mask }: { readonly mask?: Tensor } = {},
): Map<string, Tensor> {
  const inputs = new Map<Module, Signal>();
  const watch = (module: Module, _: Signal, input: Signal): void => {
    if (module instanceof MultiheadAttention) inputs.set(module, input);
  };
  return noGrad(() =>
    inMode("inference", model, () => {
      watching(watch, () => model.apply({ x, mask }));
      const found = new Map<string, Tensor>();
      for (const [path, module] of [["", model] as const, ...model.namedModules()]) {
        const input = inputs.get(module);
        if (module instanceof MultiheadAttention && input) {
          found.set(path, module.weights(input.x, input.x, input));
        }
      }
      return found;
    }),
  );
}

/** Options of `plotAttention`. */
export interface AttentionPlotOptions {
  /** Default: Attention weights. */
  readonly title?: string;
  /** What the keys are called, and the queries where `queries` is not given: tokens, say. */
  readonly keys?: readonly string[];
  readonly queries?: readonly string[];
  /** Which row of a batch is shown. Default: 0. */
  readonly row?: number;
  /** Shows the mean over the heads instead of each. Default: false. */
  readonly averageHeads?: boolean;
}

/** Pixels that a head's diagram fills, the least and the most of a cell's side. */
const [headWidth, smallestCell, largestCell] = [260, 4, 32];
/** A picture of more cells, over all heads, would be too large. */
const mostCells = 16_384;
/** Diagrams beside each other. */
const columns = 4;

/** A matrix of weights, queries by keys. */
type Matrix = readonly (readonly number[])[];

/**
 * Attention weights, `[batch, heads, queries, keys]` or without the first axes: a heat map a head.
 * Of long sequences each cell is the mean of neighbouring positions. Throws ShapeError for other
 * shapes, ArgumentError for a row that is not there or names that are not one a position.
 */
export async function plotAttention(
  weights: Tensor,
  {
    title = "Attention weights",
    row = 0,
    averageHeads = false,
    ...named
  }: AttentionPlotOptions = {},
): Promise<Picture> {
  const heads = await headsOf(weights, row);
  const [queries, keys] = [weights.shape.at(-2)!, weights.shape.at(-1)!];
  const keyNames = namesOf("keys", named.keys, keys);
  const forBoth = queries === keys ? named.keys : undefined;
  const queryNames = namesOf("queries", named.queries ?? forBoth, queries);
  const shown = averageHeads ? [meanOf(heads)] : heads;
  const block = Math.ceil(Math.sqrt((shown.length * queries * keys) / mostCells));
  const pooled = shown.map((head) => pool(head, block));
  const cell = Math.floor(headWidth / pooled[0]![0]!.length);
  const most = pooled.flat(2).reduce((a, b) => Math.max(a, b), 0);
  const notes = block > 1 ? [`each cell is the mean of ${block} × ${block} positions`] : [];
  return draw(
    { title, notes },
    {
      columns,
      concat: pooled.map((values, head) =>
        heatMap({
          values,
          rows: { title: "query", names: joined(queryNames, block) },
          columns: { title: "key", names: joined(keyNames, block) },
          most,
          legend: "weight",
          cell: Math.max(smallestCell, Math.min(largestCell, cell)),
          title: averageHeads ? `mean of ${heads.length} heads` : `head ${head}`,
        }),
      ),
      resolve: { scale: { color: "shared" } },
    },
  );
}

/** The weights of one row of a batch, a matrix a head. */
async function headsOf(weights: Tensor, row: number): Promise<readonly Matrix[]> {
  const [batch, heads, queries, keys] = [1, 1, 1, ...weights.shape].slice(-4) as [
    number,
    number,
    number,
    number,
  ];
  if (weights.rank < 2 || weights.rank > 4 || weights.size === 0) {
    throw new ShapeError(
      "plotAttention: weights [batch, heads, queries, keys], none of them 0, are needed, not " +
        formatShape(weights.shape),
    );
  }
  checkWhole("plotAttention: row", row, 0);
  if (row >= batch) {
    throw new ArgumentError(`plotAttention: row is ${row}; the batch has ${batch}`);
  }
  const data = await weights.data();
  return range(heads).map((head) =>
    range(queries).map((query) => {
      const start = ((row * heads + head) * queries + query) * keys;
      return Array.from(data.subarray(start, start + keys), Number);
    }),
  );
}

function namesOf(what: string, names: readonly string[] | undefined, count: number): string[] {
  if (names && names.length !== count) {
    throw new ArgumentError(
      `plotAttention: ${what} has ${names.length} names; there are ${count} positions`,
    );
  }
  return range(count).map((index) => names?.[index] ?? String(index));
}

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function meanOf(heads: readonly Matrix[]): Matrix {
  return heads[0]!.map((row, i) => row.map((_, j) => average(heads.map((head) => head[i]![j]!))));
}

/** `list` in pieces of `size`, the last of which may be shorter. */
function pieces<T>(list: readonly T[], size: number): T[][] {
  return range(Math.ceil(list.length / size)).map((i) => list.slice(i * size, (i + 1) * size));
}

/** Means of blocks of `size` × `size`. */
function pool(matrix: Matrix, size: number): Matrix {
  return pieces(matrix, size).map((rows) =>
    pieces(range(rows[0]!.length), size).map((inside) =>
      average(rows.flatMap((row) => inside.map((column) => row[column]!))),
    ),
  );
}

/** What blocks of `size` positions are called. */
function joined(names: readonly string[], size: number): string[] {
  return pieces(names, size).map((inside) =>
    inside.length > 1 ? `${inside[0]!} … ${inside.at(-1)!}` : inside[0]!,
  );
}
