/** Attention layers. */
import { ArgumentError, ShapeError } from "../errors.js";
import { scaledDotProductAttention } from "../ops/attention.js";
import { add, checkProbability, dropout } from "../ops/elementwise.js";
import { matmul } from "../ops/matmul.js";
import { permute, reshape, slice, transpose } from "../ops/movement.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { ActivationName } from "./activation.js";
import { activate, checkActivation } from "./activation.js";
import * as init from "./init.js";
import { checkSizes, LayerNorm, Linear } from "./layers.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions {
  readonly modelDim: number;
  readonly heads: number;
  /** With what probability attention weights are dropped in training. Default: 0. */
  readonly dropout?: number;
  /** Each position sees only itself and those before it. Default: false. */
  readonly causal?: boolean;
}

/** Attention in several heads (Vaswani et al., 2017). `[batch, length, modelDim]` in and out. */
export class MultiheadAttention extends Module {
  readonly type = "multiheadAttention";
  /** The projections of queries, keys and values, one below the other. */
  readonly inProjWeight: Parameter;
  readonly inProjBias: Parameter;
  readonly outProj: Linear;
  private readonly options: Required<MultiheadAttentionOptions>;

  constructor({ modelDim, heads, dropout = 0, causal = false }: MultiheadAttentionOptions) {
    super();
    checkSizes("multiheadAttention", { modelDim, heads });
    checkProbability("multiheadAttention", dropout);
    if (modelDim % heads !== 0) {
      throw new ArgumentError(
        `multiheadAttention: modelDim ${modelDim} does not divide into ${heads} heads`,
      );
    }
    this.options = { modelDim, heads, dropout, causal };
    const square = [modelDim, modelDim];
    const projections = [0, 1, 2].map(() => init.xavierUniform(square));
    const weights = new Float32Array(3 * modelDim * modelDim);
    projections.forEach((part, index) => weights.set(part, index * part.length));
    this.inProjWeight = new Parameter(weights, [3 * modelDim, modelDim]);
    this.inProjBias = new Parameter(init.zeros([3 * modelDim]), [3 * modelDim]);
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
    const { modelDim, causal, dropout } = this.options;
    for (const { rank, shape } of [query, memory]) {
      if (rank === 3 && shape[2] === modelDim) continue;
      throw new ShapeError(
        `multiheadAttention: [batch, length, ${modelDim}] is needed, not ${formatShape(shape)}`,
      );
    }
    const q = this.heads(query, 0);
    const k = this.heads(memory, 1);
    const v = this.heads(memory, 2);
    const attended = scaledDotProductAttention(q, k, v, {
      ...(mask && { mask }),
      causal,
      dropout: this.training ? dropout : 0,
    });
    return this.outProj.forward(reshape(permute(attended, [0, 2, 1, 3]), query.shape));
  }

  /** Projection `part` of `x`, `[batch, heads, length, dim]`. */
  private heads(x: Tensor, part: 0 | 1 | 2): Tensor {
    const { modelDim, heads } = this.options;
    const rows = [part * modelDim, (part + 1) * modelDim] as const;
    const weight = slice(this.inProjWeight, [rows]);
    const projected = add(matmul(x, transpose(weight)), slice(this.inProjBias, [rows]));
    const [batch, length] = x.shape;
    const split = reshape(projected, [batch!, length!, heads, modelDim / heads]);
    return permute(split, [0, 2, 1, 3]);
  }

  config(): Required<MultiheadAttentionOptions> {
    return this.options;
  }
}

/** Options of `TransformerEncoderLayer`. */
export interface TransformerEncoderLayerOptions {
  readonly modelDim: number;
  readonly heads: number;
  /** Default: 4 · modelDim. */
  readonly feedForwardDim?: number;
  /** Drops what attention and feed-forward add, in training. Default: 0.1. */
  readonly dropout?: number;
  /** Drops attention weights, in training. Default: 0. */
  readonly attentionDropout?: number;
  readonly activation?: ActivationName;
  /** Normalizes before attention and feed-forward instead of behind. Default: false. */
  readonly normFirst?: boolean;
  readonly causal?: boolean;
  /** Of the layer norms. Default: 1e-5. */
  readonly eps?: number;
}

/** Self-attention and a feed-forward network, each added to its input and normalized. */
export class TransformerEncoderLayer extends Module {
  readonly type = "transformerEncoderLayer";
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  private readonly options: Required<TransformerEncoderLayerOptions>;

  constructor({
    modelDim,
    heads,
    feedForwardDim = 4 * modelDim,
    dropout = 0.1,
    attentionDropout = 0,
    activation = "relu",
    normFirst = false,
    causal = false,
    eps = 1e-5,
  }: TransformerEncoderLayerOptions) {
    super();
    checkSizes("transformerEncoderLayer", { feedForwardDim });
    checkProbability("transformerEncoderLayer", dropout);
    checkActivation("transformerEncoderLayer", activation);
    this.options = {
      modelDim,
      heads,
      feedForwardDim,
      dropout,
      attentionDropout,
      activation,
      normFirst,
      causal,
      eps,
    };
    this.selfAttn = new MultiheadAttention({ modelDim, heads, dropout: attentionDropout, causal });
    this.linear1 = new Linear({ inFeatures: modelDim, outFeatures: feedForwardDim });
    this.linear2 = new Linear({ inFeatures: feedForwardDim, outFeatures: modelDim });
    this.norm1 = new LayerNorm({ features: modelDim, eps });
    this.norm2 = new LayerNorm({ features: modelDim, eps });
  }

  run({ x, mask }: Signal): Signal {
    const attend = (input: Tensor): Tensor => this.drop(this.selfAttn.forward(input, { mask }));
    const feed = (input: Tensor): Tensor => this.drop(this.feedForward(input));
    if (this.options.normFirst) {
      const attended = add(x, attend(this.norm1.forward(x)));
      return { x: add(attended, feed(this.norm2.forward(attended))), mask };
    }
    const attended = this.norm1.forward(add(x, attend(x)));
    return { x: this.norm2.forward(add(attended, feed(attended))), mask };
  }

  private feedForward(x: Tensor): Tensor {
    const hidden = activate(this.options.activation, this.linear1.forward(x), undefined);
    return this.linear2.forward(hidden.x);
  }

  private drop(x: Tensor): Tensor {
    return dropout(x, { p: this.options.dropout, training: this.training });
  }

  config(): Required<TransformerEncoderLayerOptions> {
    return this.options;
  }
}
