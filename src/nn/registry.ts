/** Layers by the type that saved files name. */
import { isObject, shown } from "../checks.js";
import { DataError } from "../errors.js";
import * as convolution from "./convolution.js";
import * as attention from "./attention.js";
import * as layers from "./layers.js";
import type { LayerConfig, Module } from "./module.js";
import * as pooling from "./pooling.js";
import * as norms from "./normalization.js";
import * as transformer from "./transformer.js";

/** A way to build a layer from its saved options, which its constructor checks. */
type Builder = (options: never) => Module;

const builders: { readonly [type: string]: Builder } = {
  linear: (options: layers.LinearOptions) => new layers.Linear(options),
  embedding: (options: layers.EmbeddingLayerOptions) => new layers.Embedding(options),
  layerNorm: (options: layers.LayerNormLayerOptions) => new layers.LayerNorm(options),
  batchNorm: (options: layers.BatchNormLayerOptions) => new layers.BatchNorm(options),
  rmsNorm: (options: norms.RmsNormLayerOptions) => new norms.RmsNorm(options),
  groupNorm: (options: norms.GroupNormLayerOptions) => new norms.GroupNorm(options),
  instanceNorm: (options: norms.InstanceNormLayerOptions) => new norms.InstanceNorm(options),
  dropout: (options: layers.DropoutLayerOptions) => new layers.Dropout(options),
  activation: (options: layers.ActivationLayerOptions) => new layers.Activation(options),
  flatten: () => new layers.Flatten(),
  globalAveragePooling1d: () => new layers.GlobalAveragePooling1d(),
  globalMaxPooling1d: () => new layers.GlobalMaxPooling1d(),
  conv1d: (options: convolution.Conv1dLayerOptions) => new convolution.Conv1d(options),
  conv2d: (options: convolution.Conv2dLayerOptions) => new convolution.Conv2d(options),
  convTranspose1d: (options: convolution.ConvTranspose1dLayerOptions) =>
    new convolution.ConvTranspose1d(options),
  convTranspose2d: (options: convolution.ConvTranspose2dLayerOptions) =>
    new convolution.ConvTranspose2d(options),
  maxPool1d: (options: pooling.MaxPool1dLayerOptions) => new pooling.MaxPool1d(options),
  avgPool1d: (options: pooling.AvgPool1dLayerOptions) => new pooling.AvgPool1d(options),
  adaptiveAvgPool1d: (options: pooling.AdaptivePool1dLayerOptions) =>
    new pooling.AdaptiveAvgPool1d(options),
  adaptiveMaxPool1d: (options: pooling.AdaptivePool1dLayerOptions) =>
    new pooling.AdaptiveMaxPool1d(options),
  maxPool2d: (options: pooling.MaxPool2dLayerOptions) => new pooling.MaxPool2d(options),
  avgPool2d: (options: pooling.AvgPool2dLayerOptions) => new pooling.AvgPool2d(options),
  adaptiveAvgPool2d: (options: pooling.AdaptivePool2dLayerOptions) =>
    new pooling.AdaptiveAvgPool2d(options),
  adaptiveMaxPool2d: (options: pooling.AdaptivePool2dLayerOptions) =>
    new pooling.AdaptiveMaxPool2d(options),
  globalAveragePooling2d: () => new pooling.GlobalAveragePooling2d(),
  globalMaxPooling2d: () => new pooling.GlobalMaxPooling2d(),
  multiheadAttention: (options: attention.MultiheadAttentionOptions) =>
    new attention.MultiheadAttention(options),
  transformerEncoderLayer: (options: transformer.TransformerEncoderLayerOptions) =>
    new transformer.TransformerEncoderLayer(options),
};

/** The types that there are. */
export const layerTypes: readonly string[] = Object.keys(builders);

/** A layer's type and options, as saved files hold them. */
export function describeLayer(layer: Module): LayerConfig {
  return { type: layer.type, options: layer.config() };
}

/** The layer that `config` describes. Throws DataError for an unknown type. */
export function buildLayer({ type, options }: LayerConfig): Module {
  const build = Object.hasOwn(builders, type) ? builders[type] : undefined;
  if (!build) {
    const known = layerTypes.join(", ");
    throw new DataError(`the model has a layer of type ${shown(type)}; known are ${known}`);
  }
  if (!isObject(options)) {
    throw new DataError(`the options of a saved ${type} are ${shown(options)}, not an object`);
  }
  // The options come from a file: constructors check what they take from them.
  return build(options as never);
}
