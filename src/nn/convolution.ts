/** Convolutional layers. */
import { checkKnown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Padding } from "../ops/conv.js";
import { conv1d, conv2d, convTranspose1d, convTranspose2d } from "../ops/conv.js";
import type { Pair } from "../ops/window.js";
import { pairOf } from "../ops/window.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { ActivationName } from "./activation.js";
import { activate, checkActivation } from "./activation.js";
import * as init from "./init.js";
import { checkSizes } from "./layers.js";
import type { Signal } from "./module.js";
import { Module } from "./module.js";
import { Parameter } from "./parameter.js";

/** Options that all convolutional layers have; `Size` is a number, or a pair for images. */
export interface ConvolutionLayerOptions<Size> {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly kernelSize: Size;
  /** From one window to the next. Default: 1. */
  readonly stride?: Size;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: Size;
  /** Parts the channels are cut into, each convolved by itself. Default: 1. */
  readonly groups?: number;
  /** Whether a learned number is added to each output channel. Default: true. */
  readonly bias?: boolean;
  readonly activation?: ActivationName;
}

/** Options of `Conv1d`. */
export interface Conv1dLayerOptions extends ConvolutionLayerOptions<number> {
  /** Zeros around the input. Default: 0. */
  readonly padding?: Padding<number>;
}

/** Options of `Conv2d`. */
export interface Conv2dLayerOptions extends ConvolutionLayerOptions<Pair> {
  /** Zeros around the input. Default: 0. */
  readonly padding?: Padding<Pair>;
}

/** Options of `ConvTranspose1d`. */
export interface ConvTranspose1dLayerOptions extends ConvolutionLayerOptions<number> {
  /** Outputs cut off on both sides. Default: 0. */
  readonly padding?: number;
  /** Outputs added at the end. Default: 0. */
  readonly outputPadding?: number;
}

/** Options of `ConvTranspose2d`. */
export interface ConvTranspose2dLayerOptions extends ConvolutionLayerOptions<Pair> {
  /** Outputs cut off on both sides. Default: 0. */
  readonly padding?: Pair;
  /** Outputs added at the end. Default: 0. */
  readonly outputPadding?: Pair;
}

const defaults = {
  stride: 1,
  dilation: 1,
  groups: 1,
  bias: true,
  activation: "linear",
  padding: 0,
} as const;

type Settings = Required<ConvolutionLayerOptions<Pair>> & { readonly padding: Padding<Pair> };

/** A layer of one convolution; weight and bias begin within ±1/√fanIn, as PyTorch's do. */
abstract class ConvolutionLayer<Options extends Settings> extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter | undefined;

  protected constructor(
    layer: string,
    protected readonly options: Options,
    weightShape: (perGroup: readonly [inputs: number, outputs: number]) => Shape,
  ) {
    super();
    const { inChannels, outChannels, groups, activation, padding } = options;
    checkSizes(layer, { inChannels, outChannels, groups });
    checkActivation(layer, activation);
    for (const name of ["kernelSize", "stride", "dilation"] as const) {
      pairOf(`${layer}: ${name}`, options[name], 1);
    }
    if (typeof padding === "string") checkKnown(`${layer}: padding`, padding, ["same", "valid"]);
    else pairOf(`${layer}: padding`, padding, 0);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `${layer}: ${inChannels} and ${outChannels} channels cannot be cut into ${groups} groups`,
      );
    }
    const shape = weightShape([inChannels / groups, outChannels / groups]);
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    const parameter = (of: Shape): Parameter => new Parameter(init.uniform(-bound, bound)(of), of);
    this.weight = parameter(shape);
    this.bias = options.bias ? parameter([outChannels]) : undefined;
  }

  /** The convolution without the activation. */
  protected abstract convolve(x: Tensor): Tensor;

  run({ x }: Signal): Signal {
    return activate(this.options.activation, this.convolve(x), undefined);
  }

  config(): Options {
    return this.options;
  }
}

/** A convolution of signals: `x: [batch, inChannels, length]` → `[batch, outChannels, length′]`. */
export class Conv1d extends ConvolutionLayer<Required<Conv1dLayerOptions>> {
  readonly type = "conv1d";

  constructor(options: Conv1dLayerOptions) {
    const all = { ...defaults, ...options };
    super("conv1d", all, ([inputs]) => [all.outChannels, inputs, all.kernelSize]);
  }

  protected convolve(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this.options;
    return conv1d(x, this.weight, { bias: this.bias, stride, padding, dilation, groups });
  }
}

/**
 * A convolution of images: `x: [batch, inChannels, height, width]` →
 * `[batch, outChannels, height′, width′]`.
 */
export class Conv2d extends ConvolutionLayer<Required<Conv2dLayerOptions>> {
  readonly type = "conv2d";

  constructor(options: Conv2dLayerOptions) {
    const all = { ...defaults, ...options };
    const kernel = pairOf("conv2d: kernelSize", all.kernelSize, 1);
    super("conv2d", all, ([inputs]) => [all.outChannels, inputs, ...kernel]);
  }

  protected convolve(x: Tensor): Tensor {
    const { stride, padding, dilation, groups } = this.options;
    return conv2d(x, this.weight, { bias: this.bias, stride, padding, dilation, groups });
  }
}

/** A transposed convolution of signals: `x: [batch, inChannels, length]`. */
export class ConvTranspose1d extends ConvolutionLayer<Required<ConvTranspose1dLayerOptions>> {
  readonly type = "convTranspose1d";

  constructor(options: ConvTranspose1dLayerOptions) {
    const all = { ...defaults, outputPadding: 0, ...options };
    pairOf("convTranspose1d: outputPadding", all.outputPadding, 0);
    super("convTranspose1d", all, ([, outputs]) => [all.inChannels, outputs, all.kernelSize]);
  }

  protected convolve(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose1d(x, this.weight, { bias: this.bias, ...options });
  }
}

/** A transposed convolution of images: `x: [batch, inChannels, height, width]`. */
export class ConvTranspose2d extends ConvolutionLayer<Required<ConvTranspose2dLayerOptions>> {
  readonly type = "convTranspose2d";

  constructor(options: ConvTranspose2dLayerOptions) {
    const all = { ...defaults, outputPadding: 0, ...options };
    pairOf("convTranspose2d: outputPadding", all.outputPadding, 0);
    const kernel = pairOf("convTranspose2d: kernelSize", all.kernelSize, 1);
    super("convTranspose2d", all, ([, outputs]) => [all.inChannels, outputs, ...kernel]);
  }

  protected convolve(x: Tensor): Tensor {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose2d(x, this.weight, { bias: this.bias, ...options });
  }
}
