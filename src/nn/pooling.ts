/** Pooling layers of images and signals. */
import type {
  AvgPool1dOptions,
  AvgPool2dOptions,
  MaxPool1dOptions,
  MaxPool2dOptions,
} from "../ops/pooling.js";
import {
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveMaxPool1d,
  adaptiveMaxPool2d,
  avgPool1d,
  avgPool2d,
  maxPool1d,
  maxPool2d,
} from "../ops/pooling.js";
import { max, mean } from "../ops/reduce.js";
import type { Pair } from "../ops/window.js";
import { checkAxes, imageAxes, pairOf } from "../ops/window.js";
import type { Tensor } from "../tensor.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";

/** Options of `MaxPool1d`. */
export interface MaxPool1dLayerOptions extends MaxPool1dOptions {
  readonly kernelSize: number;
}

/** Options of `MaxPool2d`. */
export interface MaxPool2dLayerOptions extends MaxPool2dOptions {
  readonly kernelSize: Pair;
}

/** Options of `AvgPool1d`. */
export interface AvgPool1dLayerOptions extends AvgPool1dOptions {
  readonly kernelSize: number;
}

/** Options of `AvgPool2d`. */
export interface AvgPool2dLayerOptions extends AvgPool2dOptions {
  readonly kernelSize: Pair;
}

/** Options of `AdaptiveAvgPool1d` and `AdaptiveMaxPool1d`. */
export interface AdaptivePool1dLayerOptions {
  /** How many windows share the signal. */
  readonly outputSize: number;
}

/** Options of `AdaptiveAvgPool2d` and `AdaptiveMaxPool2d`. */
export interface AdaptivePool2dLayerOptions {
  /** How many windows share the image, down and across. */
  readonly outputSize: Pair;
}

/** Sizes, each at least 1, but for the padding. */
interface Sizes {
  readonly kernelSize?: Pair;
  readonly stride?: Pair;
  readonly dilation?: Pair;
  readonly outputSize?: Pair;
  readonly padding?: Pair;
}

/** A layer of one pool. */
abstract class Pool<Options extends Sizes> extends Module {
  protected constructor(
    layer: string,
    protected readonly options: Options,
  ) {
    super();
    const { padding = 0, kernelSize, stride, dilation, outputSize } = options;
    pairOf(`${layer}: padding`, padding, 0);
    for (const [name, size] of Object.entries({ kernelSize, stride, dilation, outputSize })) {
      if (size !== undefined) pairOf(`${layer}: ${name}`, size, 1);
    }
  }

  protected abstract pool(x: Tensor): Tensor;

  run({ x }: Signal): Signal {
    return { x: this.pool(x) };
  }

  config(): Options {
    return this.options;
  }
}

/** The largest of each window: `x: [batch, channels, length]`. */
export class MaxPool1d extends Pool<MaxPool1dLayerOptions> {
  readonly type = "maxPool1d";

  constructor(options: MaxPool1dLayerOptions) {
    super("maxPool1d", options);
  }

  protected pool(x: Tensor): Tensor {
    return maxPool1d(x, this.options.kernelSize, this.options);
  }
}

/** The largest of each window: `x: [batch, channels, height, width]`. */
export class MaxPool2d extends Pool<MaxPool2dLayerOptions> {
  readonly type = "maxPool2d";

  constructor(options: MaxPool2dLayerOptions) {
    super("maxPool2d", options);
  }

  protected pool(x: Tensor): Tensor {
    return maxPool2d(x, this.options.kernelSize, this.options);
  }
}

/** The mean of each window: `x: [batch, channels, length]`. */
export class AvgPool1d extends Pool<AvgPool1dLayerOptions> {
  readonly type = "avgPool1d";

  constructor(options: AvgPool1dLayerOptions) {
    super("avgPool1d", options);
  }

  protected pool(x: Tensor): Tensor {
    return avgPool1d(x, this.options.kernelSize, this.options);
  }
}

/** The mean of each window: `x: [batch, channels, height, width]`. */
export class AvgPool2d extends Pool<AvgPool2dLayerOptions> {
  readonly type = "avgPool2d";

  constructor(options: AvgPool2dLayerOptions) {
    super("avgPool2d", options);
  }

  protected pool(x: Tensor): Tensor {
    return avgPool2d(x, this.options.kernelSize, this.options);
  }
}

/** The mean of each of `outputSize` even windows: `x: [batch, channels, length]`. */
export class AdaptiveAvgPool1d extends Pool<AdaptivePool1dLayerOptions> {
  readonly type = "adaptiveAvgPool1d";

  constructor(options: AdaptivePool1dLayerOptions) {
    super("adaptiveAvgPool1d", options);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveAvgPool1d(x, this.options.outputSize);
  }
}

/** The mean of each of `outputSize` even windows: `x: [batch, channels, height, width]`. */
export class AdaptiveAvgPool2d extends Pool<AdaptivePool2dLayerOptions> {
  readonly type = "adaptiveAvgPool2d";

  constructor(options: AdaptivePool2dLayerOptions) {
    super("adaptiveAvgPool2d", options);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveAvgPool2d(x, this.options.outputSize);
  }
}

/** The largest of each of `outputSize` even windows: `x: [batch, channels, length]`. */
export class AdaptiveMaxPool1d extends Pool<AdaptivePool1dLayerOptions> {
  readonly type = "adaptiveMaxPool1d";

  constructor(options: AdaptivePool1dLayerOptions) {
    super("adaptiveMaxPool1d", options);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveMaxPool1d(x, this.options.outputSize);
  }
}

/** The largest of each of `outputSize` even windows: `x: [batch, channels, height, width]`. */
export class AdaptiveMaxPool2d extends Pool<AdaptivePool2dLayerOptions> {
  readonly type = "adaptiveMaxPool2d";

  constructor(options: AdaptivePool2dLayerOptions) {
    super("adaptiveMaxPool2d", options);
  }

  protected pool(x: Tensor): Tensor {
    return adaptiveMaxPool2d(x, this.options.outputSize);
  }
}

/** The mean of each channel: `[batch, channels, height, width]` → `[batch, channels]`. */
export class GlobalAveragePooling2d extends Module {
  readonly type = "globalAveragePooling2d";

  run({ x }: Signal): Signal {
    checkAxes("globalAveragePooling2d", x, imageAxes);
    return { x: mean(x, { axis: [2, 3] }) };
  }

  config(): Record<string, never> {
    return {};
  }
}

/** The largest of each channel: `[batch, channels, height, width]` → `[batch, channels]`. */
export class GlobalMaxPooling2d extends Module {
  readonly type = "globalMaxPooling2d";

  run({ x }: Signal): Signal {
    checkAxes("globalMaxPooling2d", x, imageAxes);
    return { x: max(x, { axis: [2, 3] }) };
  }

  config(): Record<string, never> {
    return {};
  }
}
