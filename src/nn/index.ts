/** Layers: classes, and functions that make them. */
import type { ActivationName } from "./activation.js";
import * as attention from "./attention.js";
import * as layers from "./layers.js";
import * as transformer from "./transformer.js";

export type { ActivationName } from "./activation.js";
export * as init from "./init.js";
export * from "./layers.js";
export type { LayerConfig, Logits, Signal, StateEntry } from "./module.js";
export { Module } from "./module.js";
export { BufferVariable, Parameter } from "./parameter.js";
export * from "./attention.js";
export * from "./transformer.js";

type Rest<Options, Named extends keyof Options> = Omit<Options, Named>;

/** `x·Wᵀ + b`, then an activation. `[..., inFeatures]` → `[..., outFeatures]`. */
export function linear(
  inFeatures: number,
  outFeatures: number,
  options: Rest<layers.LinearOptions, "inFeatures" | "outFeatures"> = {},
): layers.Linear {
  return new layers.Linear({ inFeatures, outFeatures, ...options });
}

/** Rows of a learned table. `[batch, length]` int32 → `[batch, length, embeddingDim]`. */
export function embedding(
  numEmbeddings: number,
  embeddingDim: number,
  options: Rest<layers.EmbeddingLayerOptions, "numEmbeddings" | "embeddingDim"> = {},
): layers.Embedding {
  return new layers.Embedding({ numEmbeddings, embeddingDim, ...options });
}

/** Normalizes the last axis, `[..., features]`. */
export function layerNorm(
  features: number,
  options: Rest<layers.LayerNormLayerOptions, "features"> = {},
): layers.LayerNorm {
  return new layers.LayerNorm({ features, ...options });
}

/** Normalizes each channel of `[batch, features]`. */
export function batchNorm1d(
  features: number,
  options: Rest<layers.BatchNormLayerOptions, "features"> = {},
): layers.BatchNorm {
  return new layers.BatchNorm({ features, ...options });
}

/** Normalizes each channel of `[batch, features, height, width]`. */
export const batchNorm2d = batchNorm1d;

/** Drops elements with probability `p` in training. */
export function dropout(p: number): layers.Dropout {
  return new layers.Dropout({ p });
}

/** An activation as a layer of its own. */
export function activation(name: ActivationName): layers.Activation {
  return new layers.Activation({ name });
}

/** All axes but the batch's as one. */
export function flatten(): layers.Flatten {
  return new layers.Flatten();
}

/** The mean over real positions: `[batch, length, features]` → `[batch, features]`. */
export function globalAveragePooling1d(): layers.GlobalAveragePooling1d {
  return new layers.GlobalAveragePooling1d();
}

/** The largest over real positions: `[batch, length, features]` → `[batch, features]`. */
export function globalMaxPooling1d(): layers.GlobalMaxPooling1d {
  return new layers.GlobalMaxPooling1d();
}

/** Attention in several heads. `[batch, length, modelDim]` in and out. */
export function multiheadAttention(
  options: attention.MultiheadAttentionOptions,
): attention.MultiheadAttention {
  return new attention.MultiheadAttention(options);
}

/** Self-attention and a feed-forward network, each added to its input and normalized. */
export function transformerEncoderLayer(
  options: transformer.TransformerEncoderLayerOptions,
): transformer.TransformerEncoderLayer {
  return new transformer.TransformerEncoderLayer(options);
}
