/**
 * The op table: every op users can call, by name. `Tensor`'s methods, the tests' rows and
 * `docs/ops.md` follow from it.
 */
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from "./conv.js";
import { batchNorm } from "./batchNorm.js";
import { attentionWeights, scaledDotProductAttention } from "./attention.js";
import { arange, full, normal, ones, uniform, zeros } from "./creation.js";
import { crossEntropy } from "./crossEntropy.js";
import * as elementwise from "./elementwise.js";
import { embedding, oneHot } from "./embedding.js";
import { groupNorm, instanceNorm, layerNorm, rmsNorm } from "./groupNorm.js";
import { matmul } from "./matmul.js";
import * as movement from "./movement.js";
import * as pooling from "./pooling.js";
import * as reduce from "./reduce.js";
import { rotaryEmbedding } from "./rotaryEmbedding.js";
import { logSoftmax, softmax } from "./softmax.js";

const { dropoutWith, checkProbability, ...elementwiseOps } = elementwise;
const { sumTo, checkFloat, ...reductions } = reduce;

/** Ops whose first argument is the tensor they work on: `Tensor` has them as methods too. */
export const tensorOps = {
  ...elementwiseOps,
  ...movement,
  ...reductions,
  ...pooling,
  matmul,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
  softmax,
  logSoftmax,
  crossEntropy,
  layerNorm,
  rmsNorm,
  groupNorm,
  instanceNorm,
  batchNorm,
  embedding,
  oneHot,
  scaledDotProductAttention,
  attentionWeights,
  rotaryEmbedding,
};

/** Ops that make tensors. */
export const creationOps = { full, zeros, ones, arange, uniform, normal };

/** All ops. */
export const ops = { ...tensorOps, ...creationOps };
