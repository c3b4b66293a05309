/** What a metric is: numbers gathered batch by batch, and what they come to. */
import type { Input } from "../data/inputs.js";
import { ArgumentError } from "../errors.js";

/** Options of `update`. */
export interface UpdateOptions {
  /** Which entries are real, as true and false or 1 and 0: `[rows]` or `[rows, length]`. */
  readonly mask?: Input | undefined;
  /** How much each row counts, `[rows]`, or each entry, `[rows, length]`. Default: 1. */
  readonly sampleWeight?: Input | undefined;
}

/** Numbers under the names that reports give them. */
export type Values = { readonly [name: string]: number };

/** What a metric has gathered, as plain data; saved in checkpoints. */
export type MetricState = { readonly [part: string]: readonly number[] };

/** A metric as plain data: what `compile` and saved models make it from. */
export interface MetricConfig {
  readonly metric: string;
  readonly options: object;
}

/** A metric that goes along with batches: `update` adds one, `result` says what all come to. */
export interface Metric<R = unknown> {
  /** What reports call it. */
  readonly name: string;
  /** Whether `result` takes time in proportion to all that was seen; then batches do not report it. */
  readonly costly?: boolean;
  /**
   * Adds a batch. `yTrue` are numbers, class numbers `[rows]` or one-hot rows; `yPred` numbers,
   * class numbers, probabilities of class 1 `[rows]`, or of each class `[rows, classes]`. Throws
   * DataError for values that do not fit; nothing is added then.
   */
  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this;
  /** What the batches come to; NaN where they say nothing. */
  result(): R;
  /** Forgets all batches. */
  reset(): void;
  /** The result as numbers for a report; none for what is no number. */
  values(): Values;
  /** What was gathered, for `load` to go on from. */
  state(): MetricState;
  /** Goes on from what `state` gave. Throws DataError for what it did not. */
  load(state: MetricState): void;
  /** What it can be made from again. */
  toJSON(): MetricConfig;
}

/** A number under a metric's name, or several as `f1_0`, `f1_1`, … */
export function valuesOf(name: string, result: unknown): Values {
  if (typeof result === "number") return { [name]: result };
  if (!Array.isArray(result)) return {};
  const numbers = result.filter((value) => typeof value === "number");
  if (numbers.length < result.length) return {};
  return Object.fromEntries(numbers.map((value, index) => [`${name}_${index}`, value]));
}

/** Throws ArgumentError, naming the metric and option, unless `value` is from `least` to `most`. */
export function checkRange(what: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  throw new ArgumentError(`${what} is ${value}; it must be from ${least} to ${most}`);
}
