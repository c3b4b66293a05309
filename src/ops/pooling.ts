/** Pools: the largest, or the mean, of each window of an image or signal. */
import { checkWhole } from "../checks.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { convolution } from "./convolution.js";
import { full } from "./creation.js";
import { div } from "./elementwise.js";
import type { PoolSizes } from "./maxPool.js";
import { maxPool } from "./maxPool.js";
import type { Range } from "./movement.js";
import { concat, reshape, slice } from "./movement.js";
import { checkFloat, max, mean } from "./reduce.js";
import type { Axis, Pair } from "./window.js";
import {
  checkAxes,
  imageAxes,
  inputOf,
  kernelOf,
  outputOf,
  pairOf,
  signalAxes,
  windowsIn,
} from "./window.js";

/** The most taps of a window: float32 counts no further. */
const mostTaps = 2 ** 24;

/** Options of `maxPool1d`. */
export interface MaxPool1dOptions {
  /** From one window to the next. Default: the kernel's size, so that windows touch. */
  readonly stride?: number;
  /** Positions around the input that are never the largest; less than the window. Default: 0. */
  readonly padding?: number;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: number;
  /** Keeps a last window that hangs over the end. Default: false. */
  readonly ceilMode?: boolean;
}

/** Options of `maxPool2d`. */
export interface MaxPool2dOptions {
  /** From one window to the next. Default: the kernel's size, so that windows touch. */
  readonly stride?: Pair;
  /** Positions around the input that are never the largest; less than the window. Default: 0. */
  readonly padding?: Pair;
  /** From one tap of a window to the next. Default: 1. */
  readonly dilation?: Pair;
  /** Keeps a last window that hangs over the end. Default: false. */
  readonly ceilMode?: boolean;
}

/** Options of `avgPool1d`. */
export interface AvgPool1dOptions {
  /** From one window to the next. Default: the kernel's size, so that windows touch. */
  readonly stride?: number;
  /** Zeros around the input; less than the window. Default: 0. */
  readonly padding?: number;
  /** Keeps a last window that hangs over the end. Default: false. */
  readonly ceilMode?: boolean;
  /** Counts the padding's zeros in the mean. Default: true. */
  readonly countIncludePad?: boolean;
}

/** Options of `avgPool2d`. */
export interface AvgPool2dOptions {
  /** From one window to the next. Default: the kernel's size, so that windows touch. */
  readonly stride?: Pair;
  /** Zeros around the input; less than the window. Default: 0. */
  readonly padding?: Pair;
  /** Keeps a last window that hangs over the end. Default: false. */
  readonly ceilMode?: boolean;
  /** Counts the padding's zeros in the mean. Default: true. */
  readonly countIncludePad?: boolean;
}

/**
 * The largest of each window, the first of equals; NaN where one is.
 * `x: [batch, channels, height, width]` → `[batch, channels, height′, width′]` with
 * `height′ = ⌊(height + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1`, rounded up in
 * `ceilMode` where that window begins before the padding's end. Throws ShapeError where the window is
 * larger than the padded image.
 */
export function maxPool2d(x: Tensor, kernelSize: Pair, options: MaxPool2dOptions = {}): Tensor {
  return poolMax("maxPool2d", x, kernelSize, options);
}

/** The largest of each window: `x: [batch, channels, length]`; otherwise as `maxPool2d`. */
export function maxPool1d(
  x: Tensor,
  kernelSize: number,
  { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: MaxPool1dOptions = {},
): Tensor {
  return asImage("maxPool1d", x, (image) =>
    poolMax("maxPool1d", image, [1, kernelSize], {
      stride: [1, stride],
      padding: [0, padding],
      dilation: [1, dilation],
      ceilMode,
    }),
  );
}

/**
 * The mean of each window. `x: [batch, channels, height, width]` →
 * `[batch, channels, height′, width′]`, sized as by `maxPool2d`. What hangs over the padding in
 * `ceilMode` is not counted. Throws ShapeError where the window is larger than the padded image.
 */
export function avgPool2d(x: Tensor, kernelSize: Pair, options: AvgPool2dOptions = {}): Tensor {
  return poolMean("avgPool2d", x, kernelSize, options);
}

/** The mean of each window: `x: [batch, channels, length]`; otherwise as `avgPool2d`. */
export function avgPool1d(
  x: Tensor,
  kernelSize: number,
  { stride = kernelSize, padding = 0, ...rest }: AvgPool1dOptions = {},
): Tensor {
  return asImage("avgPool1d", x, (image) =>
    poolMean("avgPool1d", image, [1, kernelSize], {
      ...rest,
      stride: [1, stride],
      padding: [0, padding],
    }),
  );
}

/**
 * The largest of each of `outputSize` windows that share the image evenly: window `i` of `n` is
 * `⌊i·height/n⌋` to `⌈(i + 1)·height/n⌉`. `x: [batch, channels, height, width]`.
 */
export function adaptiveMaxPool2d(x: Tensor, outputSize: Pair): Tensor {
  return adaptive("adaptiveMaxPool2d", x, outputSize, { pool: maxPool2d, whole: max });
}

/** The largest of each of `outputSize` even windows: `x: [batch, channels, length]`. */
export function adaptiveMaxPool1d(x: Tensor, outputSize: number): Tensor {
  return asImage("adaptiveMaxPool1d", x, (image) =>
    adaptive("adaptiveMaxPool1d", image, [1, outputSize], { pool: maxPool2d, whole: max }),
  );
}

/**
 * The mean of each of `outputSize` windows that share the image evenly, as for `adaptiveMaxPool2d`.
 * `x: [batch, channels, height, width]`.
 */
export function adaptiveAvgPool2d(x: Tensor, outputSize: Pair): Tensor {
  return adaptive("adaptiveAvgPool2d", x, outputSize, { pool: avgPool2d, whole: mean });
}

/** The mean of each of `outputSize` even windows: `x: [batch, channels, length]`. */
export function adaptiveAvgPool1d(x: Tensor, outputSize: number): Tensor {
  return asImage("adaptiveAvgPool1d", x, (image) =>
    adaptive("adaptiveAvgPool1d", image, [1, outputSize], { pool: avgPool2d, whole: mean }),
  );
}

/** `body` on signals as images of one row. */
function asImage(op: string, x: Tensor, body: (image: Tensor) => Tensor): Tensor {
  checkAxes(op, x, signalAxes);
  const [batch, channels, length] = x.shape;
  const y = body(reshape(x, [batch!, channels!, 1, length!]));
  return reshape(y, [batch!, channels!, y.shape[3]!]);
}

/** The axes of a pool. */
function axesOf(
  op: string,
  x: Tensor,
  kernelSize: Pair,
  { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }: MaxPool2dOptions,
): PoolSizes {
  checkAxes(op, x, imageAxes);
  checkFloat(op, x);
  const kernels = pairOf(`${op}: kernelSize`, kernelSize, 1);
  const strides = pairOf(`${op}: stride`, stride, 1);
  const paddings = pairOf(`${op}: padding`, padding, 0);
  const dilations = pairOf(`${op}: dilation`, dilation, 1);
  const axis = (which: 0 | 1): Axis => {
    const [kernel, pad] = [kernels[which], paddings[which]];
    const reach = dilations[which] * (kernel - 1) + 1;
    if (pad >= reach) {
      throw new ArgumentError(
        `${op}: padding ${pad} is not less than the window of ${reach}, which it would fill`,
      );
    }
    const input = x.shape[2 + which]!;
    const room = input + 2 * pad;
    const windows = windowsIn(room, { stride: strides[which], reach, ceil: ceilMode });
    if (windows < 1) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)}: a window of ${reach} does not fit in ${room} positions, ` +
          "padding included",
      );
    }
    // The last must begin in the input or before it.
    const output = (windows - 1) * strides[which] >= input + pad ? windows - 1 : windows;
    return [input, output, kernel, strides[which], dilations[which], pad];
  };
  return { rows: axis(0), columns: axis(1) };
}

function poolMax(op: string, x: Tensor, kernelSize: Pair, options: MaxPool2dOptions): Tensor {
  const sizes = axesOf(op, x, kernelSize, options);
  if (kernelOf(sizes.rows) * kernelOf(sizes.columns) > mostTaps) {
    throw new ArgumentError(`${op}: a window of more than ${mostTaps} positions`);
  }
  return maxPool(x, sizes);
}

function poolMean(
  op: string,
  x: Tensor,
  kernelSize: Pair,
  { countIncludePad = true, ...options }: AvgPool2dOptions,
): Tensor {
  const { rows, columns } = axesOf(op, x, kernelSize, options);
  const sums = windowSums(x, rows, columns);
  const isWhole = ([input, output, kernel, stride, , padding]: Axis): boolean =>
    (countIncludePad || padding === 0) && (output - 1) * stride + kernel <= input + 2 * padding;
  if (isWhole(rows) && isWhole(columns)) return div(sums, kernelOf(rows) * kernelOf(columns));
  // As many as there are positions: of the input, or of the input with its padding.
  const counted = ([input, output, kernel, stride, dilation, padding]: Axis): Axis =>
    countIncludePad
      ? [input + 2 * padding, output, kernel, stride, dilation, 0]
      : [input, output, kernel, stride, dilation, padding];
  const [high, wide] = [counted(rows), counted(columns)];
  const ones = full([1, 1, inputOf(high), inputOf(wide)], 1, x.dtype);
  return div(sums, windowSums(ones, high, wide));
}

/** The sum of each window: a convolution of each channel with ones. */
function windowSums(x: Tensor, rows: Axis, columns: Axis): Tensor {
  const [batch, channels] = x.shape;
  const planes = batch! * channels!;
  const image = reshape(x, [planes, 1, inputOf(rows), inputOf(columns)]);
  const ones = full([1, 1, kernelOf(rows), kernelOf(columns)], 1, x.dtype);
  const sizes = { batch: planes, groups: 1, inputs: 1, outputs: 1, rows, columns };
  const sums = convolution(sizes, image, ones);
  return reshape(sums, [batch!, channels!, outputOf(rows), outputOf(columns)]);
}

/** A pool of windows of one size, and of the whole image. */
interface Pool {
  readonly pool: (x: Tensor, kernelSize: Pair) => Tensor;
  readonly whole: (x: Tensor, options: { axis: number[]; keepDims: boolean }) => Tensor;
}

function adaptive(op: string, x: Tensor, outputSize: Pair, { pool, whole }: Pool): Tensor {
  checkAxes(op, x, imageAxes);
  checkFloat(op, x);
  const outputs = pairOf(`${op}: outputSize`, outputSize, 1);
  const inputs = [x.shape[2]!, x.shape[3]!] as const;
  inputs.forEach((input, which) => checkWhole(`${op}: axis ${2 + which}`, input, 1));
  if (outputs[0] === 1 && outputs[1] === 1) return whole(x, { axis: [2, 3], keepDims: true });
  const evenly = (which: 0 | 1): boolean => inputs[which] % outputs[which] === 0;
  if (evenly(0) && evenly(1)) {
    return pool(x, [inputs[0] / outputs[0], inputs[1] / outputs[1]]);
  }
  // A largest of largest ones, a mean of means of as many: one axis after the other.
  return ([0, 1] as const).reduce((y, which) => {
    const [input, output] = [inputs[which], outputs[which]];
    const size = (length: number): Pair => (which === 0 ? [length, 1] : [1, length]);
    if (evenly(which)) return pool(y, size(input / output));
    const windows = Array.from({ length: output }, (_, i) => {
      const start = Math.floor((i * input) / output);
      const end = Math.ceil(((i + 1) * input) / output);
      const window: Range = [start, end];
      const cut = slice(y, which === 0 ? [null, null, window] : [null, null, null, window]);
      return pool(cut, size(end - start));
    });
    return concat(windows, 2 + which);
  }, x);
}
