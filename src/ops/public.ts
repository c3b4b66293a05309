/** The ops that users import by name. */
export type { AttentionOptions } from "./attention.js";
export type {
  Conv1dOptions,
  Conv2dOptions,
  ConvTranspose1dOptions,
  ConvTranspose2dOptions,
  Padding,
} from "./conv.js";
export { conv1d, conv2d, convTranspose1d, convTranspose2d } from "./conv.js";
export type { BatchNormOptions } from "./batchNorm.js";
export { batchNorm } from "./batchNorm.js";
export { attentionWeights, scaledDotProductAttention } from "./attention.js";
export { arange, full, normal, ones, uniform, zeros } from "./creation.js";
export type { CrossEntropyOptions } from "./crossEntropy.js";
export { crossEntropy } from "./crossEntropy.js";
export type { DropoutOptions, GeluOptions } from "./elementwise.js";
export {
  abs,
  add,
  cast,
  ceil,
  clamp,
  cos,
  div,
  dropout,
  eq,
  erf,
  exp,
  expm1,
  floor,
  ge,
  gelu,
  gt,
  isFinite,
  isNaN,
  le,
  log,
  log1p,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  pow,
  reciprocal,
  relu,
  remainder,
  round,
  rsqrt,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./elementwise.js";
export type { EmbeddingOptions } from "./embedding.js";
export { embedding, oneHot } from "./embedding.js";
export type { GroupNormOptions, LayerNormOptions, RmsNormOptions } from "./groupNorm.js";
export { groupNorm, instanceNorm, layerNorm, rmsNorm } from "./groupNorm.js";
export { matmul } from "./matmul.js";
export type { FlattenOptions, Range } from "./movement.js";
export {
  broadcastTo,
  concat,
  flatten,
  pad,
  permute,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
} from "./movement.js";
export type {
  AvgPool1dOptions,
  AvgPool2dOptions,
  MaxPool1dOptions,
  MaxPool2dOptions,
} from "./pooling.js";
export {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
} from "./pooling.js";
export type { ArgOptions, ReduceOptions } from "./reduce.js";
export { argMax, argMin, max, mean, min, prod, sum, variance } from "./reduce.js";
export type { RotaryOptions } from "./rotaryEmbedding.js";
export { rotaryEmbedding } from "./rotaryEmbedding.js";
export type { AxisOption } from "./softmax.js";
export { logSoftmax, softmax } from "./softmax.js";
export type { Pair } from "./window.js";
