/** Layers of one input. */
import { checkNumber, checkWhole } from "../checks.js";
import { DTypeError, ShapeError } from "../errors.js";
import {
  add,
  cast,
  checkProbability,
  div,
  dropout,
  maximum,
  mul,
  ne,
  where,
} from "../ops/elementwise.js";
import { embedding as lookUp } from "../ops/embedding.js";
import { matmul } from "../ops/matmul.js";
import { flatten as flattenAxes, slice, transpose, unsqueeze } from "../ops/movement.js";
import { batchNorm } from "../ops/batchNorm.js";
import { layerNorm } from "../ops/groupNorm.js";
import { max, mean, sum } from "../ops/reduce.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { ActivationName } from "./activation.js";
import { activate, checkActivation } from "./activation.js";
import * as init from "./init.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";
import { BufferVariable, Parameter } from "./parameter.js";

/** Throws ArgumentError unless every named size is a whole number ≥ 1. */
export function checkSizes(layer: string, sizes: { readonly [name: string]: number }): void {
  for (const [name, size] of Object.entries(sizes)) checkWhole(`${layer}: ${name}`, size, 1);
}

/** Options of `Linear`. */
export interface LinearOptions {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly bias?: boolean;
  readonly activation?: ActivationName;
}

/** `x·Wᵀ + b`, then an activation. `x: [..., inFeatures]` → `[..., outFeatures]`. */
export class Linear extends Module {
  readonly type = "linear";
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;
  private readonly options: Required<LinearOptions>;

  constructor({ inFeatures, outFeatures, bias = true, activation = "linear" }: LinearOptions) {
    super();
    checkSizes("linear", { inFeatures, outFeatures });
    checkActivation("linear", activation);
    this.options = { inFeatures, outFeatures, bias, activation };
    const shape = [outFeatures, inFeatures];
    this.weight = new Parameter(init.xavierUniform(shape), shape);
    this.bias = bias ? new Parameter(init.zeros([outFeatures]), [outFeatures]) : undefined;
  }

  run({ x, mask }: Signal): Signal {
    const { inFeatures, activation } = this.options;
    if (x.shape.at(-1) !== inFeatures) {
      throw new ShapeError(
        `linear: the last axis of ${formatShape(x.shape)} should have ${inFeatures} features`,
      );
    }
    const product = matmul(x, transpose(this.weight));
    return activate(activation, this.bias ? add(product, this.bias) : product, mask);
  }

  config(): Required<LinearOptions> {
    return this.options;
  }
}

/** Options of `Embedding`. */
export interface EmbeddingLayerOptions {
  /** How many ids there are: the rows of the table. */
  readonly numEmbeddings: number;
  /** The width of a row. */
  readonly embeddingDim: number;
  /** Id 0 is padding: it makes the mask that later layers heed, and learns nothing. */
  readonly maskZero?: boolean;
  /** The longest input for which each position has a learned vector that is added; 0: none. */
  readonly positions?: number;
}

/** Rows of a learned table. `ids: [batch, length]` int32 → `[batch, length, embeddingDim]`. */
export class Embedding extends Module {
  readonly type = "embedding";
  readonly weight: Parameter;
  readonly position: Parameter | undefined;
  private readonly options: Required<EmbeddingLayerOptions>;

  constructor({
    numEmbeddings,
    embeddingDim,
    maskZero = false,
    positions = 0,
  }: EmbeddingLayerOptions) {
    super();
    checkSizes("embedding", { numEmbeddings, embeddingDim, positions: positions || 1 });
    this.options = { numEmbeddings, embeddingDim, maskZero, positions };
    const table = (rows: number): Parameter => {
      const shape = [rows, embeddingDim];
      return new Parameter(init.uniform(-spread, spread)(shape), shape);
    };
    this.weight = table(numEmbeddings);
    this.position = positions > 0 ? table(positions) : undefined;
  }

  run({ x }: Signal): Signal {
    const { maskZero, positions } = this.options;
    if (x.dtype !== "int32") {
      throw new DTypeError(`embedding: ids are int32, not ${x.dtype}`);
    }
    const rows = lookUp(x, this.weight, maskZero ? { paddingIndex: 0 } : {});
    const mask = maskZero ? ne(x, 0) : undefined;
    if (!this.position) return { x: rows, mask };
    const length = x.shape.at(-1) ?? 1;
    if (length > positions) {
      throw new ShapeError(
        `embedding: ${formatShape(x.shape)} is longer than the ${positions} positions learned`,
      );
    }
    return { x: add(rows, slice(this.position, [[0, length]])), mask };
  }

  config(): Required<EmbeddingLayerOptions> {
    return this.options;
  }
}

/** Half the width of the range embeddings start in (Keras's default). */
const spread = 0.05;

/** Options of `LayerNorm`. */
export interface LayerNormLayerOptions {
  readonly features: number;
  readonly eps?: number;
}

/** Normalizes the last axis, `[..., features]`. */
export class LayerNorm extends Module {
  readonly type = "layerNorm";
  readonly weight: Parameter;
  readonly bias: Parameter;
  private readonly options: Required<LayerNormLayerOptions>;

  constructor({ features, eps = 1e-5 }: LayerNormLayerOptions) {
    super();
    checkSizes("layerNorm", { features });
    checkNumber("layerNorm: eps", eps, 0, Infinity);
    this.options = { features, eps };
    this.weight = new Parameter(init.ones([features]), [features]);
    this.bias = new Parameter(init.zeros([features]), [features]);
  }

  run({ x, mask }: Signal): Signal {
    const { weight, bias } = this;
    return { x: layerNorm(x, { weight, bias, eps: this.options.eps }), mask };
  }

  config(): Required<LayerNormLayerOptions> {
    return this.options;
  }
}

/** Options of `BatchNorm`. */
export interface BatchNormLayerOptions {
  readonly features: number;
  readonly eps?: number;
  readonly momentum?: number;
  /** What follows; "relu" takes no pass over memory of its own. Default: "linear". */
  readonly activation?: ActivationName;
}

/**
 * Normalizes each channel of `[batch, features]` or `[batch, features, ...]` over all else, then an
 * activation.
 */
export class BatchNorm extends Module {
  readonly type = "batchNorm";
  readonly weight: Parameter;
  readonly bias: Parameter;
  readonly runningMean: BufferVariable;
  readonly runningVar: BufferVariable;
  private readonly options: Required<BatchNormLayerOptions>;

  constructor({
    features,
    eps = 1e-5,
    momentum = 0.1,
    activation = "linear",
  }: BatchNormLayerOptions) {
    super();
    checkSizes("batchNorm", { features });
    checkNumber("batchNorm: eps", eps, 0, Infinity);
    checkNumber("batchNorm: momentum", momentum, 0, 1 + Number.EPSILON);
    checkActivation("batchNorm", activation);
    this.options = { features, eps, momentum, activation };
    this.weight = new Parameter(init.ones([features]), [features]);
    this.bias = new Parameter(init.zeros([features]), [features]);
    this.runningMean = new BufferVariable(init.zeros([features]), [features]);
    this.runningVar = new BufferVariable(init.ones([features]), [features]);
  }

  run({ x, mask }: Signal): Signal {
    return this.normalize(x, mask);
  }

  protected override runWith(next: Module, { x, mask }: Signal): Signal | undefined {
    const last = this.options.activation === "linear" && next instanceof Activation;
    return last ? this.normalize(x, mask, { activation: next.config().name }) : undefined;
  }

  /** The activation of `x`, normalized, plus `residual`, of the same shape: a residual block's end. */
  addTo(residual: Tensor, x: Tensor): Tensor {
    return this.normalize(x, undefined, { residual }).x;
  }

  private normalize(
    x: Tensor,
    mask: Signal["mask"],
    last: { readonly residual?: Tensor; readonly activation?: ActivationName } = {},
  ): Signal {
    const { weight, bias, runningMean, runningVar, training } = this;
    const { eps, momentum, activation, residual } = { ...this.options, ...last };
    const fused = activation === "relu" ? activation : "linear";
    const y = batchNorm(x, {
      weight,
      bias,
      runningMean,
      runningVar,
      training,
      eps,
      momentum,
      activation: fused,
      ...(residual && { residual }),
    });
    return fused === activation ? { x: y, mask } : activate(activation, y, mask);
  }

  config(): Required<BatchNormLayerOptions> {
    return this.options;
  }
}

/** Options of `Dropout`. */
export interface DropoutLayerOptions {
  readonly p: number;
}

/** Drops elements with probability `p` in training. */
export class Dropout extends Module {
  readonly type = "dropout";

  constructor(private readonly options: DropoutLayerOptions) {
    super();
    checkProbability("dropout", options.p);
  }

  run({ x, mask }: Signal): Signal {
    return { x: dropout(x, { p: this.options.p, training: this.training }), mask };
  }

  config(): DropoutLayerOptions {
    return this.options;
  }
}

/** Options of `Activation`. */
export interface ActivationLayerOptions {
  readonly name: ActivationName;
}

/** An activation as a layer of its own. */
export class Activation extends Module {
  readonly type = "activation";

  constructor(private readonly options: ActivationLayerOptions) {
    super();
    checkActivation("activation", options.name);
  }

  run({ x, mask }: Signal): Signal {
    return activate(this.options.name, x, mask);
  }

  config(): ActivationLayerOptions {
    return this.options;
  }
}

/** All axes but the batch's as one: `[batch, ...]` → `[batch, features]`. */
export class Flatten extends Module {
  readonly type = "flatten";

  run({ x }: Signal): Signal {
    return { x: flattenAxes(x, { start: 1 }) };
  }

  config(): Record<string, never> {
    return {};
  }
}

function checkSequence(layer: string, { rank, shape }: Tensor): void {
  if (rank === 3) return;
  throw new ShapeError(`${layer}: [batch, length, features] is needed, not ${formatShape(shape)}`);
}

/** The mean over real positions: `[batch, length, features]` → `[batch, features]`. */
export class GlobalAveragePooling1d extends Module {
  readonly type = "globalAveragePooling1d";

  run({ x, mask }: Signal): Signal {
    checkSequence("globalAveragePooling1d", x);
    if (!mask) return { x: mean(x, { axis: 1 }) };
    const real = cast(mask, x.dtype);
    const total = sum(mul(x, unsqueeze(real, -1)), { axis: 1 });
    // A row of padding alone has no mean: it gives zeros.
    const count = maximum(sum(real, { axis: 1, keepDims: true }), 1);
    return { x: div(total, count) };
  }

  config(): Record<string, never> {
    return {};
  }
}

/** The largest over real positions: `[batch, length, features]` → `[batch, features]`. */
export class GlobalMaxPooling1d extends Module {
  readonly type = "globalMaxPooling1d";

  run({ x, mask }: Signal): Signal {
    checkSequence("globalMaxPooling1d", x);
    const shown = mask ? where(unsqueeze(mask, -1), x, -Infinity) : x;
    return { x: max(shown, { axis: 1 }) };
  }

  config(): Record<string, never> {
    return {};
  }
}
