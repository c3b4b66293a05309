/** Batches mixed with themselves: mixup and cutmix, for `map` behind `batch`. */
import { checkWhole } from "../checks.js";
import { ArgumentError, DataError, ShapeError } from "../errors.js";
import type { Generator } from "../random.js";
import { exponential, logarithm } from "../random.js";
import { formatShape, sameShape } from "../shape.js";
import { checkRandom } from "./changes.js";
import type { Table } from "./rows.js";

/** Options of `mixup` and `cutmix`. */
export interface MixOptions {
  /** How many classes there are. */
  readonly classes: number;
  /** α of the Beta(α, α) distribution that shares come from, up to 8. Default: 1, all alike. */
  readonly alpha?: number;
}

/** A batch of inputs and class numbers `[batch]` or distributions `[batch, classes]`. */
export type MixableBatch = readonly [x: Table, y: Table];

/** A random change of a batch, whose targets become distributions over the classes. */
export type BatchChange = (batch: MixableBatch, random: Generator) => [x: Table, y: Table];

/** Above it draws are refused too often, and all shares are near a half anyway. */
const mostAlpha = 8;

/** A number of the Beta(α, α) distribution (Jöhnk, 1964). */
function beta(alpha: number, random: Generator): number {
  if (alpha === 1) return random.uniform();
  // uᵅ⁻¹ of both, drawn anew until they sum to 1 at the most; by logarithms they stay above 0.
  for (;;) {
    const [a, b] = [random, random].map((each) => logarithm(1 - each.uniform()) / alpha);
    const most = Math.max(a!, b!);
    const sum = most + logarithmOfSum(a! - most, b! - most);
    if (sum <= 0) return exponential(a! - sum);
  }
}

/** ln(eᵃ + eᵇ) where the greater of both is 0. */
function logarithmOfSum(a: number, b: number): number {
  return Math.LN2 + logarithm((exponential(a) + exponential(b)) / 2);
}

function checkMixOptions(name: string, { classes, alpha = 1 }: MixOptions): void {
  checkWhole(`${name}: classes`, classes, 2);
  if (alpha > 0 && alpha <= mostAlpha) return;
  throw new ArgumentError(`${name}: alpha is ${alpha}; it must be above 0, up to ${mostAlpha}`);
}

/** Targets as distributions. */
function distributions(name: string, { data, shape }: Table, classes: number): Float32Array {
  if (sameShape(shape.slice(1), [classes])) return Float32Array.from(data);
  if (data.length !== shape[0]) {
    throw new ShapeError(
      `${name}: targets are [batch] or [batch, ${classes}], these are ${formatShape(shape)}`,
    );
  }
  const rows = new Float32Array(data.length * classes);
  data.forEach((label: number, row: number) => {
    if (!(Number.isInteger(label) && label >= 0 && label < classes)) {
      throw new DataError(`${name}: row ${row} is of class ${label}; there are ${classes}`);
    }
    rows[row * classes + label] = 1;
  });
  return rows;
}

/** A partner for each row. */
function partners(rows: number, random: Generator): Int32Array {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  random.shuffle(order);
  return order;
}

/** λ·a + (1 − λ)·b of each row and its partner, of `width` numbers. */
function blended(
  data: ArrayLike<number>,
  width: number,
  other: Int32Array,
  share: number,
): Float32Array {
  const mixed = new Float32Array(data.length);
  other.forEach((partner, row) => {
    for (let at = row * width, from = partner * width; at < (row + 1) * width; at++, from++) {
      mixed[at] = share * data[at]! + (1 - share) * data[from]!;
    }
  });
  return mixed;
}

/** Each row blended with another of its batch, and so their targets (Zhang et al., 2017). */
export function mixup(options: MixOptions): BatchChange {
  checkMixOptions("mixup", options);
  const { classes, alpha = 1 } = options;
  return ([x, y], random) => {
    checkRandom("mixup", random);
    const rows = x.shape[0]!;
    const targets = distributions("mixup", y, classes);
    const share = beta(alpha, random);
    const other = partners(rows, random);
    return [
      { data: blended(x.data, x.data.length / rows, other, share), shape: x.shape },
      { data: blended(targets, classes, other, share), shape: [rows, classes] },
    ];
  };
}

/**
 * A rectangle of each image `[batch, channels, height, width]` replaced by that of another of its
 * batch; targets are blended by their areas (Yun et al., 2019).
 */
export function cutmix(options: MixOptions): BatchChange {
  checkMixOptions("cutmix", options);
  const { classes, alpha = 1 } = options;
  return ([x, y], random) => {
    checkRandom("cutmix", random);
    const [rows = 0, channels = 0, height = 0, width = 0] = x.shape;
    if (x.shape.length !== 4) {
      throw new ShapeError(
        `cutmix: inputs are [batch, channels, height, width], these are ${formatShape(x.shape)}`,
      );
    }
    const targets = distributions("cutmix", y, classes);
    const side = Math.sqrt(1 - beta(alpha, random));
    const other = partners(rows, random);
    const [tall, wide] = [Math.round(height * side), Math.round(width * side)];
    const [top, left] = [random.below(height - tall + 1), random.below(width - wide + 1)];
    const size = channels * height * width;
    const data = new Float32Array(x.data);
    other.forEach((partner, row) => {
      for (let line = 0; line < channels * height; line++) {
        if (line % height < top || line % height >= top + tall) continue;
        const at = line * width + left;
        const from = partner * size + at;
        data.set(x.data.subarray(from, from + wide), row * size + at);
      }
    });
    const kept = 1 - (tall * wide) / (height * width);
    return [
      { data, shape: x.shape },
      { data: blended(targets, classes, other, kept), shape: [rows, classes] },
    ];
  };
}
