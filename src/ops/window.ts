/** Windows that slide along an axis: what convolutions and pools have in common. */
import { checkWhole } from "../checks.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** One number for both axes of an image, or one for each: height, width. */
export type Pair = number | readonly [height: number, width: number];

/**
 * One axis as kernels take it: output `o` reads inputs `o·stride − padding + k·dilation` for each
 * tap `k` below `kernel`, of which those outside the input are 0.
 */
export type Axis = readonly [
  input: number,
  output: number,
  kernel: number,
  stride: number,
  dilation: number,
  padding: number,
];

/** The length of an axis's input and output. */
export function inputOf([input]: readonly number[]): number {
  return input!;
}

/** The length of an axis's output. */
export function outputOf([, output]: readonly number[]): number {
  return output!;
}

/** The taps of an axis's windows. */
export function kernelOf([, , kernel]: readonly number[]): number {
  return kernel!;
}

/** Whether windows begin at each position and their taps are neighbours. */
export function isAdjoining([, , , stride, dilation]: readonly number[]): boolean {
  return stride === 1 && dilation === 1;
}

/** A pair as two numbers, whole and at least `least`. Throws ArgumentError naming `what`. */
export function pairOf(what: string, value: Pair, least: number): readonly [number, number] {
  const pair = typeof value === "number" ? ([value, value] as const) : value;
  if (pair.length !== 2) {
    throw new ArgumentError(`${what} is [${pair.join(", ")}]; it must be a number or two`);
  }
  for (const one of pair) checkWhole(what, one, least);
  return pair;
}

/** How many windows fit in `room` positions from the first on; `ceil` counts one that hangs over. */
export function windowsIn(
  room: number,
  { stride, reach, ceil = false }: { stride: number; reach: number; ceil?: boolean },
): number {
  const places = (room - reach) / stride;
  return (ceil ? Math.ceil(places) : Math.floor(places)) + 1;
}

/** Throws ShapeError unless `x` has the axes `names`. */
export function checkAxes(op: string, x: Tensor, names: readonly string[]): void {
  if (x.rank === names.length) return;
  throw new ShapeError(`${op}: [${names.join(", ")}] is needed, not ${formatShape(x.shape)}`);
}

/** The axes of images, and of signals. */
export const imageAxes = ["batch", "channels", "height", "width"];
export const signalAxes = ["batch", "channels", "length"];
