/** Layers that normalize groups of channels, or rows by their root mean square. */
import { checkNumber } from "../checks.js";
import { ArgumentError } from "../errors.js";
import { groupNorm, instanceNorm, rmsNorm } from "../ops/groupNorm.js";
import * as init from "./init.js";
import { checkSizes } from "./layers.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

function ones(size: number): Parameter {
  return new Parameter(init.ones([size]), [size]);
}

function zeros(size: number): Parameter {
  return new Parameter(init.zeros([size]), [size]);
}

/** Options of `GroupNorm`. */
export interface GroupNormLayerOptions {
  /** How many groups the channels are divided into. */
  readonly groups: number;
  readonly channels: number;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** Whether each channel learns a scale and a shift. Default: true. */
  readonly affine?: boolean;
}

/** Normalizes each group of channels of `[batch, channels, ...]` (Wu & He, 2018). */
export class GroupNorm extends Module {
  readonly type = "groupNorm";
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  private readonly options: Required<GroupNormLayerOptions>;

  constructor({ groups, channels, eps = 1e-5, affine = true }: GroupNormLayerOptions) {
    super();
    checkSizes("groupNorm", { groups, channels });
    checkNumber("groupNorm: eps", eps, 0, Infinity);
    if (channels % groups !== 0) {
      throw new ArgumentError(
        `groupNorm: ${channels} channels do not divide into ${groups} groups`,
      );
    }
    this.options = { groups, channels, eps, affine };
    this.weight = affine ? ones(channels) : undefined;
    this.bias = affine ? zeros(channels) : undefined;
  }

  run({ x, mask }: Signal): Signal {
    const { groups, eps } = this.options;
    return { x: groupNorm(x, groups, { ...parametersOf(this), eps }), mask };
  }

  config(): Required<GroupNormLayerOptions> {
    return this.options;
  }
}

/** Options of `InstanceNorm`. */
export interface InstanceNormLayerOptions {
  readonly features: number;
  /** Added to the variance. Default: 1e-5. */
  readonly eps?: number;
  /** Whether each channel learns a scale and a shift. Default: false. */
  readonly affine?: boolean;
}

/** Normalizes each channel of `[batch, features, ...]` by itself (Ulyanov et al., 2016). */
export class InstanceNorm extends Module {
  readonly type = "instanceNorm";
  readonly weight: Parameter | undefined;
  readonly bias: Parameter | undefined;
  private readonly options: Required<InstanceNormLayerOptions>;

  constructor({ features, eps = 1e-5, affine = false }: InstanceNormLayerOptions) {
    super();
    checkSizes("instanceNorm", { features });
    checkNumber("instanceNorm: eps", eps, 0, Infinity);
    this.options = { features, eps, affine };
    this.weight = affine ? ones(features) : undefined;
    this.bias = affine ? zeros(features) : undefined;
  }

  run({ x, mask }: Signal): Signal {
    return { x: instanceNorm(x, { ...parametersOf(this), eps: this.options.eps }), mask };
  }

  config(): Required<InstanceNormLayerOptions> {
    return this.options;
  }
}

/** The scale and shift that a layer has. */
function parametersOf({ weight, bias }: GroupNorm | InstanceNorm): {
  readonly weight?: Parameter;
  readonly bias?: Parameter;
} {
  return weight && bias ? { weight, bias } : {};
}

/** Options of `RmsNorm`. */
export interface RmsNormLayerOptions {
  readonly features: number;
  /** Added to the mean square. Default: 2⁻²³, the distance from 1 to the next float32. */
  readonly eps?: number;
}

/** Divides the last axis, `[..., features]`, by its root mean square (Zhang & Sennrich, 2019). */
export class RmsNorm extends Module {
  readonly type = "rmsNorm";
  readonly weight: Parameter;
  private readonly options: Required<RmsNormLayerOptions>;

  constructor({ features, eps = 2 ** -23 }: RmsNormLayerOptions) {
    super();
    checkSizes("rmsNorm", { features });
    checkNumber("rmsNorm: eps", eps, 0, Infinity);
    this.options = { features, eps };
    this.weight = ones(features);
  }

  run({ x, mask }: Signal): Signal {
    return { x: rmsNorm(x, { weight: this.weight, eps: this.options.eps }), mask };
  }

  config(): Required<RmsNormLayerOptions> {
    return this.options;
  }
}
