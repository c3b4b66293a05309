/** Layers: classes, and functions that make them. */
import type { ActivationName } from "./activation.js";
import type { Pair } from "../ops/window.js";
import * as convolution from "./convolution.js";
import * as attention from "./attention.js";
import * as layers from "./layers.js";
import * as pooling from "./pooling.js";
import * as norms from "./normalization.js";
import * as transformer from "./transformer.js";

export type { ActivationName } from "./activation.js";
export * from "./convolution.js";
export * as init from "./init.js";
export * from "./layers.js";
export type { LayerConfig, Logits, Signal, StateEntry } from "./module.js";
export { Module } from "./module.js";
export * from "./normalization.js";
export { BufferVariable, Parameter } from "./parameter.js";
export * from "./pooling.js";
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

/** Divides the last axis, `[..., features]`, by its root mean square. */
export function rmsNorm(
  features: number,
  options: Rest<norms.RmsNormLayerOptions, "features"> = {},
): norms.RmsNorm {
  return new norms.RmsNorm({ features, ...options });
}

/** Normalizes each of `groups` groups of channels of `[batch, channels, ...]`. */
export function groupNorm(
  groups: number,
  channels: number,
  options: Rest<norms.GroupNormLayerOptions, "groups" | "channels"> = {},
): norms.GroupNorm {
  return new norms.GroupNorm({ groups, channels, ...options });
}

/** Normalizes each channel of `[batch, features, length]` by itself. */
export function instanceNorm1d(
  features: number,
  options: Rest<norms.InstanceNormLayerOptions, "features"> = {},
): norms.InstanceNorm {
  return new norms.InstanceNorm({ features, ...options });
}

/** Normalizes each channel of `[batch, features, height, width]` by itself. */
export const instanceNorm2d = instanceNorm1d;

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

/** A convolution of `[batch, inChannels, length]`. */
export function conv1d(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  options: Rest<convolution.Conv1dLayerOptions, "inChannels" | "outChannels" | "kernelSize"> = {},
): convolution.Conv1d {
  return new convolution.Conv1d({ inChannels, outChannels, kernelSize, ...options });
}

/** A convolution of `[batch, inChannels, height, width]`. */
export function conv2d(
  inChannels: number,
  outChannels: number,
  kernelSize: Pair,
  options: Rest<convolution.Conv2dLayerOptions, "inChannels" | "outChannels" | "kernelSize"> = {},
): convolution.Conv2d {
  return new convolution.Conv2d({ inChannels, outChannels, kernelSize, ...options });
}

/** A transposed convolution of `[batch, inChannels, length]`. */
export function convTranspose1d(
  inChannels: number,
  outChannels: number,
  kernelSize: number,
  options: Rest<
    convolution.ConvTranspose1dLayerOptions,
    "inChannels" | "outChannels" | "kernelSize"
  > = {},
): convolution.ConvTranspose1d {
  return new convolution.ConvTranspose1d({ inChannels, outChannels, kernelSize, ...options });
}

/** A transposed convolution of `[batch, inChannels, height, width]`. */
export function convTranspose2d(
  inChannels: number,
  outChannels: number,
  kernelSize: Pair,
  options: Rest<
    convolution.ConvTranspose2dLayerOptions,
    "inChannels" | "outChannels" | "kernelSize"
  > = {},
): convolution.ConvTranspose2d {
  return new convolution.ConvTranspose2d({ inChannels, outChannels, kernelSize, ...options });
}

/** The largest of each window of `[batch, channels, length]`. */
export function maxPool1d(
  kernelSize: number,
  options: Rest<pooling.MaxPool1dLayerOptions, "kernelSize"> = {},
): pooling.MaxPool1d {
  return new pooling.MaxPool1d({ kernelSize, ...options });
}

/** The largest of each window of `[batch, channels, height, width]`. */
export function maxPool2d(
  kernelSize: Pair,
  options: Rest<pooling.MaxPool2dLayerOptions, "kernelSize"> = {},
): pooling.MaxPool2d {
  return new pooling.MaxPool2d({ kernelSize, ...options });
}

/** The mean of each window of `[batch, channels, length]`. */
export function avgPool1d(
  kernelSize: number,
  options: Rest<pooling.AvgPool1dLayerOptions, "kernelSize"> = {},
): pooling.AvgPool1d {
  return new pooling.AvgPool1d({ kernelSize, ...options });
}

/** The mean of each window of `[batch, channels, height, width]`. */
export function avgPool2d(
  kernelSize: Pair,
  options: Rest<pooling.AvgPool2dLayerOptions, "kernelSize"> = {},
): pooling.AvgPool2d {
  return new pooling.AvgPool2d({ kernelSize, ...options });
}

/** The largest of each of `outputSize` even windows of `[batch, channels, length]`. */
export function adaptiveMaxPool1d(outputSize: number): pooling.AdaptiveMaxPool1d {
  return new pooling.AdaptiveMaxPool1d({ outputSize });
}

/** The largest of each of `outputSize` even windows of `[batch, channels, height, width]`. */
export function adaptiveMaxPool2d(outputSize: Pair): pooling.AdaptiveMaxPool2d {
  return new pooling.AdaptiveMaxPool2d({ outputSize });
}

/** The mean of each of `outputSize` even windows of `[batch, channels, length]`. */
export function adaptiveAvgPool1d(outputSize: number): pooling.AdaptiveAvgPool1d {
  return new pooling.AdaptiveAvgPool1d({ outputSize });
}

/** The mean of each of `outputSize` even windows of `[batch, channels, height, width]`. */
export function adaptiveAvgPool2d(outputSize: Pair): pooling.AdaptiveAvgPool2d {
  return new pooling.AdaptiveAvgPool2d({ outputSize });
}

/** The mean of each channel: `[batch, channels, height, width]` → `[batch, channels]`. */
export function globalAveragePooling2d(): pooling.GlobalAveragePooling2d {
  return new pooling.GlobalAveragePooling2d();
}

/** The largest of each channel: `[batch, channels, height, width]` → `[batch, channels]`. */
export function globalMaxPooling2d(): pooling.GlobalMaxPooling2d {
  return new pooling.GlobalMaxPooling2d();
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
