/** Layers of a config: the options of each type that `nn` has. */
import { z } from "zod";
import type { LayerConfig } from "../nn/module.js";
import { activationNames } from "../nn/activation.js";
import { buildLayer } from "../nn/registry.js";
import type { Kind } from "./schema.js";
import { flag, kind, named, number, pair, whole } from "./schema.js";

const activation = z.enum(activationNames);

const normalized = { features: whole, eps: number.optional() };
const none = {};

/** A convolution whose sizes are of the form `size`. */
function convolution<S extends z.ZodType>(size: S, padding: z.ZodType) {
  return {
    inChannels: whole,
    outChannels: whole,
    kernelSize: size,
    stride: size.optional(),
    padding: padding.optional(),
    dilation: size.optional(),
    groups: whole.optional(),
    bias: flag.optional(),
    activation: activation.optional(),
  };
}

function maxPool<S extends z.ZodType>(size: S) {
  return {
    kernelSize: size,
    stride: size.optional(),
    padding: size.optional(),
    dilation: size.optional(),
    ceilMode: flag.optional(),
  };
}

function avgPool<S extends z.ZodType>(size: S) {
  const { dilation: _, ...rest } = maxPool(size);
  return { ...rest, countIncludePad: flag.optional() };
}

const attention = {
  modelDim: whole,
  heads: whole,
  keyHeads: whole.optional(),
  dropout: number.optional(),
  causal: flag.optional(),
  window: z.union([whole, z.tuple([whole, whole])]).optional(),
  rotary: z
    .union([
      flag,
      z.strictObject({
        base: number.optional(),
        start: whole.optional(),
        interleaved: flag.optional(),
      }),
    ])
    .optional(),
};

const named1d = (size: z.ZodType): z.ZodType => z.union([size, z.enum(["same", "valid"])]);

/** The options of each type of layer. */
export const layerOptions: { readonly [type: string]: z.core.$ZodShape } = {
  linear: {
    inFeatures: whole,
    outFeatures: whole,
    bias: flag.optional(),
    activation: activation.optional(),
  },
  embedding: {
    numEmbeddings: whole,
    embeddingDim: whole,
    maskZero: flag.optional(),
    positions: whole.optional(),
  },
  layerNorm: normalized,
  batchNorm: {
    ...normalized,
    momentum: number.optional(),
    activation: activation.optional(),
  },
  rmsNorm: normalized,
  groupNorm: {
    groups: whole,
    channels: whole,
    eps: number.optional(),
    affine: flag.optional(),
  },
  instanceNorm: { ...normalized, affine: flag.optional() },
  dropout: { p: number },
  activation: { name: activation },
  flatten: none,
  globalAveragePooling1d: none,
  globalMaxPooling1d: none,
  conv1d: convolution(whole, named1d(whole)),
  conv2d: convolution(pair, named1d(pair)),
  convTranspose1d: { ...convolution(whole, whole), outputPadding: whole.optional() },
  convTranspose2d: { ...convolution(pair, pair), outputPadding: pair.optional() },
  maxPool1d: maxPool(whole),
  avgPool1d: avgPool(whole),
  adaptiveAvgPool1d: { outputSize: whole },
  adaptiveMaxPool1d: { outputSize: whole },
  maxPool2d: maxPool(pair),
  avgPool2d: avgPool(pair),
  adaptiveAvgPool2d: { outputSize: pair },
  adaptiveMaxPool2d: { outputSize: pair },
  globalAveragePooling2d: none,
  globalMaxPooling2d: none,
  multiheadAttention: attention,
  transformerEncoderLayer: {
    ...attention,
    feedForwardDim: whole.optional(),
    attentionDropout: number.optional(),
    activation: activation.optional(),
    normFirst: flag.optional(),
    eps: number.optional(),
  },
};

/** Layers by their type; each is built once, so that its own checks are made. */
export const layerKinds: { readonly [type: string]: Kind<LayerConfig> } = Object.fromEntries(
  Object.entries(layerOptions).map(([type, shape]) => [
    type,
    kind(z.strictObject(shape), (options): LayerConfig => {
      buildLayer({ type, options });
      return { type, options };
    }),
  ]),
);

/** A layer as `{ type, ...options }`. */
export const layer = named("type", layerKinds);
