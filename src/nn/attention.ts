/** Attention layers. */
import { ArgumentError, ShapeError } from "../errors.js";
import type { AttentionOptions } from "../ops/attention.js";
import { attentionWeights, reachOf, scaledDotProductAttention } from "../ops/attention.js";
import { add, checkProbability } from "../ops/elementwise.js";
import { matmul } from "../ops/matmul.js";
import { permute, reshape, slice, transpose } from "../ops/movement.js";
import type { RotaryOptions } from "../ops/rotaryEmbedding.js";
import { checkRotary, rotaryEmbedding } from "../ops/rotaryEmbedding.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import * as init from "./init.js";
import { checkSizes, Linear } from "./layers.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  readonly modelDim: number;
  readonly heads: number;
  /** Heads of keys and values, each for several neighbouring ones of the queries. Default: `heads`. */
  readonly keyHeads?: number;
  /** With what probability attention weights are dropped in training. Default: 0. */
  readonly dropout?: number;
  /** Each position sees only itself and those before it. Default: false. */
  readonly causal?: boolean;
  /** Each position sees so many before it, and so many behind. Default: all. */
  readonly window?: AttentionOptions["window"];
  /** Turns queries and keys by their positions (`rotaryEmbedding`). Default: false. */
  readonly rotary?: boolean | RotaryOptions;
}

/** The options, those that have defaults with them. */
type Settled = MultiheadAttentionOptions &
  Required<Omit<MultiheadAttentionOptions, "window" | "rotary">>;

/** Attention in several heads (Vaswani et al., 2017). `[batch, length, modelDim]` in and out. */
export class MultiheadAttention extends Module {
  readonly type = "multiheadAttention";
  /** The projections of queries, keys and values, one below the other. */
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter;
  readonly outProj: Linear;
  private readonly options: Settled;

  constructor(options: MultiheadAttentionOptions) {
    super();
    const { modelDim, heads, keyHeads = heads, dropout = 0, causal = false } = options;
    const { window, rotary } = options;
    checkSizes("multiheadAttention", { modelDim, heads, keyHeads });
    checkProbability("multiheadAttention", dropout);
    reachOf("multiheadAttention", options);
    if (modelDim % heads !== 0) {
      throw new ArgumentError(
        `multiheadAttention: modelDim ${modelDim} does not divide into ${heads} heads`,
      );
    }
    if (heads % keyHeads !== 0) {
      throw new ArgumentError(
        `multiheadAttention: ${heads} heads do not divide into groups for ${keyHeads} of keys`,
      );
    }
    const turning = rotaryOf(options);
    if (turning) checkRotary("multiheadAttention: rotary", turning, modelDim / heads);
    this.options = {
      modelDim,
      heads,
      keyHeads,
      dropout,
      causal,
      ...(window !== undefined && { window }),
      ...(rotary !== undefined && { rotary }),
    };
    const keyDim = (modelDim / heads) * keyHeads;
    const projections = [modelDim, keyDim, keyDim].map((rows) =>
      init.xavierUniform([rows, modelDim]),
    );
    const rows = modelDim + 2 * keyDim;
    const weights = new Float32Array(rows * modelDim);
    let at = 0;
    for (const part of projections) {
      weights.set(part, at);
      at += part.length;
    }
    this.inProjWeight = new Parameter(weights, [rows, modelDim]);
    this.inProjBias = new Parameter(init.zeros([rows]), [rows]);
    this.outProj = new Linear({ inFeatures: modelDim, outFeatures: modelDim });
  }

  run({ x, mask }: Signal): Signal {
    return { x: this.attend(x, x, { mask }), mask };
  }

  /**
   * Attention from `query: [batch, queries, modelDim]` to `memory: [batch, keys, modelDim]`, whose
   * `mask` is bool `[batch, keys]`.
   */
  attend(query: Tensor, memory: Tensor, { mask }: { readonly mask?: Signal["mask"] } = {}): Tensor {
    const { q, k, options } = this.prepare(query, memory, mask);
    const dropout = this.training ? this.options.dropout : 0;
    const v = this.project(memory, "value");
    const attended = scaledDotProductAttention(q, k, v, { ...options, dropout });
    return this.outProj.forward(reshape(permute(attended, [0, 2, 1, 3]), query.shape));
  }

  /**
   * What `attend` weighs values with, to look at: `[batch, heads, queries, keys]`, all of it in
   * memory. Nothing is dropped. PyTorch's `need_weights`, before it averages over heads.
   */
  weights(
    query: Tensor,
    memory: Tensor,
    { mask }: { readonly mask?: Signal["mask"] } = {},
  ): Tensor {
    const { q, k, options } = this.prepare(query, memory, mask);
    return attentionWeights(q, k, options);
  }

  /** Queries, keys, and what each query sees. */
  private prepare(
    query: Tensor,
    memory: Tensor,
    mask: Signal["mask"],
  ): { q: Tensor; k: Tensor; options: AttentionOptions } {
    const { modelDim, causal, window } = this.options;
    for (const { rank, shape } of [query, memory]) {
      if (rank === 3 && shape[2] === modelDim) continue;
      throw new ShapeError(
        `multiheadAttention: [batch, length, ${modelDim}] is needed, not ${formatShape(shape)}`,
      );
    }
    const [q, k] = [this.project(query, "query"), this.project(memory, "key")];
    const options = {
      causal,
      enableGqa: true,
      ...(mask && { mask }),
      ...(window !== undefined && { window }),
    };
    const turning = rotaryOf(this.options);
    if (!turning) return { q, k, options };
    const { start = 0 } = turning;
    // The last query stands at the last key.
    const first = start + Math.max(0, memory.shape[1]! - query.shape[1]!);
    const turned = rotaryEmbedding(q, { ...turning, start: first });
    return { q: turned, k: rotaryEmbedding(k, turning), options };
  }

  /** A projection of `x`, `[batch, heads, length, dim]`. */
  private project(x: Tensor, part: "query" | "key" | "value"): Tensor {
    const { modelDim, heads, keyHeads } = this.options;
    const dim = modelDim / heads;
    const keyDim = dim * keyHeads;
    const rows = {
      query: [0, modelDim],
      key: [modelDim, modelDim + keyDim],
      value: [modelDim + keyDim],
    } as const;
    const weight = slice(this.inProjWeight, [rows[part]]);
    const projected = add(matmul(x, transpose(weight)), slice(this.inProjBias, [rows[part]]));
    const [batch, length] = x.shape;
    const width = part === "query" ? heads : keyHeads;
    return permute(reshape(projected, [batch!, length!, width, dim]), [0, 2, 1, 3]);
  }

  config(): MultiheadAttentionOptions {
    return this.options;
  }
}

/** How positions are told by rotation; undefined: not at all. */
function rotaryOf({ rotary = false }: MultiheadAttentionOptions): RotaryOptions | undefined {
  if (rotary === false) return undefined;
  return rotary === true ? {} : rotary;
}
