/** True and predicted values, entry by entry, with what each counts for. */
import type { Input } from "../data/inputs.js";
import { rawTable } from "../data/inputs.js";
import type { TypedArray } from "../dtype.js";
import { DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape } from "../shape.js";
import type { UpdateOptions } from "./metric.js";

/** Entries of a batch: rows, or the positions of rows. */
export interface Entries {
  readonly count: number;
  /** Numbers of an entry in `predicted`: 1, or as many as there are classes. */
  readonly width: number;
  readonly predicted: TypedArray;
  /** One number an entry, or `width` where `dense`. */
  readonly truth: TypedArray;
  readonly dense: boolean;
  /** What each entry counts for; 0 for those that are masked. */
  readonly weights: Float64Array;
}

/** The entries of numbers: `yTrue` and `yPred` of one size, each row an entry of `width` numbers. */
export function numberEntries(
  name: string,
  yTrue: Input,
  yPred: Input,
  options: UpdateOptions = {},
): Entries {
  const [truth, predicted] = [
    rawTable("yTrue", yTrue, "float64"),
    rawTable("yPred", yPred, "float64"),
  ];
  if (!sameShape(squeezed(truth.shape), squeezed(predicted.shape))) {
    throw mismatch(name, truth.shape, predicted.shape);
  }
  const { length } = predicted.data;
  const count = weightCount(options, length) ?? predicted.shape[0] ?? 1;
  return {
    count,
    width: count === 0 ? 1 : length / count,
    predicted: predicted.data,
    truth: truth.data,
    dense: true,
    weights: weightsOf(name, count, options),
  };
}

/** The entries of a classification, by rows or by position. */
export function classEntries(
  name: string,
  yTrue: Input,
  yPred: Input,
  options: UpdateOptions = {},
): Entries {
  const truth = rawTable("yTrue", yTrue, "float64");
  const predicted = rawTable("yPred", yPred, "float64");
  const { width, dense } = formOf(name, truth.shape, predicted.shape);
  const count = width === 0 ? 0 : predicted.data.length / width;
  const weights = weightsOf(name, count, options);
  return { count, width, predicted: predicted.data, truth: truth.data, dense, weights };
}

function formOf(name: string, truth: Shape, predicted: Shape): { width: number; dense: boolean } {
  const last = predicted.at(-1) ?? 1;
  if (sameShape(truth, predicted)) {
    const dense = truth.length > 1 && last > 1;
    return { width: dense ? last : 1, dense };
  }
  // Labels with or without an axis of 1 behind, beside scores of each class.
  if (sameShape(squeezed(truth), predicted.slice(0, -1))) return { width: last, dense: false };
  if (sameShape(squeezed(truth), squeezed(predicted))) return { width: 1, dense: false };
  throw mismatch(name, truth, predicted);
}

function squeezed(shape: Shape): Shape {
  return shape.length > 1 && shape.at(-1) === 1 ? shape.slice(0, -1) : shape;
}

function mismatch(name: string, truth: Shape, predicted: Shape): DataError {
  return new DataError(
    `${name}: yTrue is ${formatShape(truth)}, yPred ${formatShape(predicted)}: ` +
      "they have an entry for an entry, and yPred may have an axis of classes behind",
  );
}

/** How many weights there are, where `size` numbers can be told apart by them. */
function weightCount({ mask, sampleWeight }: UpdateOptions, size: number): number | undefined {
  const lengths = [mask, sampleWeight].flatMap((input) =>
    input === undefined ? [] : [rawTable("weights", input, "float64").data.length],
  );
  const most = Math.max(...lengths);
  return lengths.length > 0 && size % most === 0 ? most : undefined;
}

/** Each entry's weight: of its row where weights are by row. */
function weightsOf(
  name: string,
  count: number,
  { mask, sampleWeight }: UpdateOptions,
): Float64Array {
  const weights = new Float64Array(count).fill(1);
  const parts = { mask, sampleWeight };
  for (const [option, input] of Object.entries(parts)) {
    if (input === undefined) continue;
    const { data, shape } = rawTable(option, input, "float64");
    const factor = count / data.length;
    if (!(Number.isInteger(factor) || (count === 0 && data.length === 0))) {
      throw new DataError(`${name}: ${option} ${formatShape(shape)} does not fit ${count} entries`);
    }
    for (let i = 0; i < count; i++) {
      const weight = data[Math.floor(i / factor)]!;
      if (!(weight >= 0 && weight < Infinity)) {
        throw new DataError(`${name}: ${option} of entry ${i} is ${weight}, which is no weight`);
      }
      weights[i]! *= weight;
    }
  }
  return weights;
}

/** The true class of an entry: a whole number, or where its one-hot row is greatest. */
export function trueClass(name: string, entries: Entries, entry: number): number {
  const { truth, dense, width } = entries;
  if (dense) return greatest(name, truth, entry, width, "yTrue");
  const label = truth[entry]!;
  if (Number.isInteger(label) && label >= 0) return label;
  throw new DataError(`${name}: yTrue of entry ${entry} is ${label}; classes are numbered from 0`);
}

/**
 * The predicted class of an entry: where its scores are greatest; of a single score, the whole
 * number it is, or whether it is a probability from `threshold` on.
 */
export function predictedClass(
  name: string,
  { predicted, width }: Entries,
  entry: number,
  threshold: number,
): number {
  if (width > 1) return greatest(name, predicted, entry, width, "yPred");
  const score = predicted[entry]!;
  if (Number.isInteger(score) && score >= 0) return score;
  if (score > 0 && score < 1) return score >= threshold ? 1 : 0;
  throw new DataError(
    `${name}: yPred of entry ${entry} is ${score}, neither a class number nor a probability`,
  );
}

function greatest(
  name: string,
  data: TypedArray,
  entry: number,
  width: number,
  side: string,
): number {
  let best = 0;
  for (let i = 0; i < width; i++) {
    const score = data[entry * width + i]!;
    if (Number.isNaN(score)) throw new DataError(`${name}: ${side} of entry ${entry} holds NaN`);
    if (score > data[entry * width + best]!) best = i;
  }
  return best;
}
