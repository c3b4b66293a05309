/** Transformer layers. */
import { add, checkProbability, dropout } from "../ops/elementwise.js";
import type { Tensor } from "../tensor.js";
import type { ActivationName } from "./activation.js";
import { activate, checkActivation } from "./activation.js";
import type { MultiheadAttentionOptions } from "./attention.js";
import { MultiheadAttention } from "./attention.js";
import { checkSizes, LayerNorm, Linear } from "./layers.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";

/** Options of `TransformerEncoderLayer`, among them those of its attention. */
export interface TransformerEncoderLayerOptions extends Omit<MultiheadAttentionOptions, "dropout"> {
  /** Default: 4 · modelDim. */
  readonly feedForwardDim?: number;
  /** Drops what attention and feed-forward add, in training. Default: 0.1. */
  readonly dropout?: number;
  /** Drops attention weights, in training. Default: 0. */
  readonly attentionDropout?: number;
  readonly activation?: ActivationName;
  /** Normalizes before attention and feed-forward instead of behind. Default: false. */
  readonly normFirst?: boolean;
  /** Of the layer norms. Default: 1e-5. */
  readonly eps?: number;
}

/** The options, those that `run` needs with their defaults. */
type Settled = TransformerEncoderLayerOptions &
  Required<Pick<TransformerEncoderLayerOptions, "activation" | "dropout" | "normFirst">>;

/** Self-attention and a feed-forward network, each added to its input and normalized. */
export class TransformerEncoderLayer extends Module {
  readonly type = "transformerEncoderLayer";
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  private readonly options: Settled;

  constructor(options: TransformerEncoderLayerOptions) {
    super();
    const {
      feedForwardDim = 4 * options.modelDim,
      dropout = 0.1,
      attentionDropout = 0,
      activation = "relu",
      normFirst = false,
      eps = 1e-5,
      ...attention
    } = options;
    const { modelDim } = attention;
    checkSizes("transformerEncoderLayer", { feedForwardDim });
    checkProbability("transformerEncoderLayer", dropout);
    checkActivation("transformerEncoderLayer", activation);
    this.selfAttn = new MultiheadAttention({ ...attention, dropout: attentionDropout });
    this.options = {
      ...this.selfAttn.config(),
      feedForwardDim,
      dropout,
      attentionDropout,
      activation,
      normFirst,
      eps,
    };
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

  config(): TransformerEncoderLayerOptions {
    return this.options;
  }
}
