/** Convolutions and transposed ones of images and signals. */
import { checkWhole } from "../checks.js";
import { promote } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { ConvolutionSizes } from "./convolution.js";
import { convolution, convolutionInput } from "./convolution.js";
import { cast } from "./elementwise.js";
import { reshape } from "./movement.js";
import { checkFloat } from "./reduce.js";
import type { Axis, Pair } from "./window.js";
import { checkAxes, imageAxes, pairOf, signalAxes, windowsIn } from "./window.js";

/** Zeros around the input: so many on both sides, `"same"` for an output as long, or none. */
export type Padding<T> = T | "same" | "valid";

interface ConvolutionOptions {
  /** Added to each output channel: `[out]`. */
  readonly bias?: Tensor | undefined;
  /** Parts the channels are cut into, each convolved by itself. Default: 1. */
  readonly groups?: number;
}

/** Options of `conv1d`. */
export interface Conv1dOptions extends ConvolutionOptions {
  /** From one window to the next. Default: 1. */
  readonly stride?: number;
  /** Zeros around the input. Default: 0. */
  readonly padding?: Padding<number>;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: number;
}

/** Options of `conv2d`. */
export interface Conv2dOptions extends ConvolutionOptions {
  /** From one window to the next. Default: 1. */
  readonly stride?: Pair;
  /** Zeros around the input. Default: 0. */
  readonly padding?: Padding<Pair>;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: Pair;
}

/** Options of `convTranspose1d`. */
export interface ConvTranspose1dOptions extends ConvolutionOptions {
  /** From one input to the next, in outputs. Default: 1. */
  readonly stride?: number;
  /** Outputs cut off on both sides. Default: 0. */
  readonly padding?: number;
  /** Outputs added at the end: less than the stride or the dilation. Default: 0. */
  readonly outputPadding?: number;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: number;
}

/** Options of `convTranspose2d`. */
export interface ConvTranspose2dOptions extends ConvolutionOptions {
  /** From one input to the next, in outputs. Default: 1. */
  readonly stride?: Pair;
  /** Outputs cut off on both sides. Default: 0. */
  readonly padding?: Pair;
  /** Outputs added at the end: less than the stride or the dilation. Default: 0. */
  readonly outputPadding?: Pair;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: Pair;
}

/**
 * Convolution (in truth, correlation) of images. `x: [batch, in, height, width]`,
 * `weight: [out, in/groups, kernelHeight, kernelWidth]` → `[batch, out, height′, width′]` with
 * `height′ = ⌊(height + 2·padding − dilation·(kernelHeight − 1) − 1)/stride⌋ + 1`. Throws ShapeError
 * where channels do not fit or the window is larger than the padded image.
 */
export function conv2d(x: Tensor, weight: Tensor, options: Conv2dOptions = {}): Tensor {
  return convolve("conv2d", x, weight, options);
}

/**
 * Convolution of signals. `x: [batch, in, length]`, `weight: [out, in/groups, kernel]` →
 * `[batch, out, length′]`; otherwise as `conv2d`.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  { stride = 1, padding = 0, dilation = 1, ...rest }: Conv1dOptions = {},
): Tensor {
  return asImages("conv1d", x, weight, (images, filters) =>
    convolve("conv1d", images, filters, {
      ...rest,
      stride: [1, stride],
      padding: typeof padding === "number" ? [0, padding] : padding,
      dilation: [1, dilation],
    }),
  );
}

/**
 * Transposed convolution of images: the gradient of a `conv2d` of the same options by its input.
 * `x: [batch, in, height, width]`, `weight: [in, out/groups, kernelHeight, kernelWidth]` →
 * `[batch, out, height′, width′]` with
 * `height′ = (height − 1)·stride − 2·padding + dilation·(kernelHeight − 1) + outputPadding + 1`.
 * Throws ShapeError where channels do not fit or nothing is left of the output.
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: ConvTranspose2dOptions = {},
): Tensor {
  return convolveTransposed("convTranspose2d", x, weight, options);
}

/**
 * Transposed convolution of signals. `x: [batch, in, length]`, `weight: [in, out/groups, kernel]` →
 * `[batch, out, length′]`; otherwise as `convTranspose2d`.
 */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  {
    stride = 1,
    padding = 0,
    outputPadding = 0,
    dilation = 1,
    ...rest
  }: ConvTranspose1dOptions = {},
): Tensor {
  return asImages("convTranspose1d", x, weight, (images, filters) =>
    convolveTransposed("convTranspose1d", images, filters, {
      ...rest,
      stride: [1, stride],
      padding: [0, padding],
      outputPadding: [0, outputPadding],
      dilation: [1, dilation],
    }),
  );
}

/** `body` on signals as images of one row. */
function asImages(
  op: string,
  x: Tensor,
  weight: Tensor,
  body: (images: Tensor, filters: Tensor) => Tensor,
): Tensor {
  checkAxes(op, x, signalAxes);
  checkAxes(`${op}: weight`, weight, ["out", "in", "kernel"]);
  const oneRow = ({ shape: [a, b, length] }: Tensor): number[] => [a!, b!, 1, length!];
  const y = body(reshape(x, oneRow(x)), reshape(weight, oneRow(weight)));
  return reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]);
}

function convolve(op: string, x: Tensor, weight: Tensor, options: Conv2dOptions): Tensor {
  const { groups = 1, bias, padding = 0 } = options;
  const [image, filters] = operands(op, x, weight);
  checkGroups(op, groups, { "output channels": filters.shape[0]! });
  const [out, inputs, ...kernel] = filters.shape;
  checkChannels(op, x, weight, inputs! * groups);
  const stride = pairOf(`${op}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op}: dilation`, options.dilation ?? 1, 1);
  const axis = (which: 0 | 1): Axis => {
    const input = image.shape[2 + which]!;
    const reach = dilation[which] * (kernel[which]! - 1) + 1;
    const [before, after] = paddings(op, padding, { which, stride, reach });
    const room = input + before + after;
    if (reach > room || kernel[which] === 0) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)} × ${formatShape(weight.shape)}: a window of ${reach} ` +
          `does not fit in ${room} positions, padding included`,
      );
    }
    const output = windowsIn(room, { stride: stride[which], reach });
    return [input, output, kernel[which]!, stride[which], dilation[which], before];
  };
  const sizes: ConvolutionSizes = {
    batch: image.shape[0]!,
    groups,
    inputs: inputs!,
    outputs: out! / groups,
    rows: axis(0),
    columns: axis(1),
  };
  return convolution(sizes, image, filters, biasOf(op, bias, out!, image));
}

function convolveTransposed(
  op: string,
  x: Tensor,
  weight: Tensor,
  options: ConvTranspose2dOptions,
): Tensor {
  const { groups = 1, bias } = options;
  const [image, filters] = operands(op, x, weight);
  const [inputs, out, ...kernel] = filters.shape;
  checkGroups(op, groups, { "input channels": inputs! });
  checkChannels(op, x, weight, inputs!);
  const stride = pairOf(`${op}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op}: dilation`, options.dilation ?? 1, 1);
  const padding = pairOf(`${op}: padding`, options.padding ?? 0, 0);
  const outputPadding = pairOf(`${op}: outputPadding`, options.outputPadding ?? 0, 0);
  const axis = (which: 0 | 1): Axis => {
    const most = Math.max(stride[which], dilation[which]);
    if (outputPadding[which] >= most) {
      throw new ArgumentError(
        `${op}: outputPadding is ${outputPadding[which]}; it must be less than the stride or the ` +
          `dilation, so than ${most}`,
      );
    }
    const input = image.shape[2 + which]!;
    const reach = dilation[which] * (kernel[which]! - 1) + 1;
    const whole = (input - 1) * stride[which] + reach + outputPadding[which];
    const output = whole - 2 * padding[which];
    if (output < 1 || input < 1 || kernel[which] === 0) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)} × ${formatShape(weight.shape)}: padding ` +
          `${padding[which]} on both sides leaves nothing of ${whole} positions`,
      );
    }
    return [output, input, kernel[which]!, stride[which], dilation[which], padding[which]];
  };
  // The convolution that this is the gradient of goes from the output to the input.
  const sizes: ConvolutionSizes = {
    batch: image.shape[0]!,
    groups,
    inputs: out!,
    outputs: inputs! / groups,
    rows: axis(0),
    columns: axis(1),
  };
  return convolutionInput(sizes, image, filters, biasOf(op, bias, out! * groups, image));
}

/** Images and filters in one dtype. */
function operands(op: string, x: Tensor, weight: Tensor): readonly [Tensor, Tensor] {
  checkAxes(op, x, imageAxes);
  checkAxes(`${op}: weight`, weight, ["out", "in", "height", "width"]);
  const dtype = promote(x.dtype, weight.dtype);
  checkFloat(op, { shape: x.shape, dtype });
  return [cast(x, dtype), cast(weight, dtype)];
}

function checkGroups(
  op: string,
  groups: number,
  channels: { readonly [name: string]: number },
): void {
  checkWhole(`${op}: groups`, groups, 1);
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups === 0) continue;
    throw new ArgumentError(`${op}: ${count} ${name} cannot be cut into ${groups} groups`);
  }
}

function checkChannels(op: string, x: Tensor, weight: Tensor, expected: number): void {
  if (x.shape[1] === expected) return;
  throw new ShapeError(
    `${op}: ${formatShape(x.shape)} × ${formatShape(weight.shape)}: ${x.shape[1]} channels, not ` +
      `the ${expected} that the weight is for`,
  );
}

function biasOf(
  op: string,
  bias: Tensor | undefined,
  channels: number,
  { dtype }: Tensor,
): Tensor | undefined {
  if (!bias) return undefined;
  if (!sameShape(bias.shape, [channels])) {
    throw new ShapeError(`${op}: bias is ${formatShape(bias.shape)}, not [${channels}]`);
  }
  return cast(bias, dtype);
}

/** Zeros before and after the input along one axis. */
function paddings(
  op: string,
  padding: Padding<Pair>,
  { which, stride, reach }: { which: 0 | 1; stride: readonly [number, number]; reach: number },
): readonly [before: number, after: number] {
  if (padding === "valid") return [0, 0];
  if (padding !== "same") {
    const both = pairOf(`${op}: padding`, padding, 0)[which];
    return [both, both];
  }
  if (stride[which] !== 1) {
    throw new ArgumentError(
      `${op}: padding "same" needs stride 1, not ${stride[which]}; give the padding as a number`,
    );
  }
  const before = Math.floor((reach - 1) / 2);
  return [before, reach - 1 - before];
}
