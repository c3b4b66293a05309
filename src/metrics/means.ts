/** Metrics that are means over entries: accuracies, errors, log loss. */
import { checkWhole } from "../checks.js";
import type { Input } from "../data/inputs.js";
import { DataError } from "../errors.js";
import { exponential, logarithm } from "../random.js";
import type { Entries } from "./entries.js";
import { classEntries, numberEntries, predictedClass, trueClass } from "./entries.js";
import type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
import { checkRange, valuesOf } from "./metric.js";
import { loadNumbers } from "./state.js";

/** What a metric of means does with a batch. */
interface MeanRule {
  readonly entries: (name: string, yTrue: Input, yPred: Input, options?: UpdateOptions) => Entries;
  /** The value of an entry. */
  readonly value: (entries: Entries, entry: number) => number;
  /** What the mean comes to. Default: itself. */
  readonly finish?: (mean: number) => number;
}

class MeanMetric implements Metric<number> {
  private total = 0;
  private weight = 0;

  constructor(
    readonly name: string,
    private readonly rule: MeanRule,
    private readonly options: object = {},
  ) {}

  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this {
    const entries = this.rule.entries(this.name, yTrue, yPred, options);
    let [total, weight] = [0, 0];
    for (let entry = 0; entry < entries.count; entry++) {
      const counts = entries.weights[entry]!;
      if (counts === 0) continue;
      total += counts * this.rule.value(entries, entry);
      weight += counts;
    }
    this.total += total;
    this.weight += weight;
    return this;
  }

  result(): number {
    const mean = this.total / this.weight;
    return this.rule.finish ? this.rule.finish(mean) : mean;
  }

  reset(): void {
    this.total = 0;
    this.weight = 0;
  }

  values(): Values {
    return valuesOf(this.name, this.result());
  }

  state(): MetricState {
    return { sums: [this.total, this.weight] };
  }

  load(state: MetricState): void {
    const [total, weight] = loadNumbers(this.name, state, "sums", 2);
    this.total = total!;
    this.weight = weight!;
  }

  toJSON(): MetricConfig {
    return { metric: this.name, options: this.options };
  }
}

/** Options of metrics that make a class of a probability. */
export interface ThresholdOptions {
  /** From what probability on an entry is of class 1. Default: 0.5. */
  readonly threshold?: number;
}

/** The share of entries whose class is right; one number an entry is a probability of class 1. */
export function accuracy({ threshold = 0.5 }: ThresholdOptions = {}): Metric<number> {
  return classAccuracy("accuracy", threshold);
}

/** `accuracy` of one-hot targets, by its Keras name. */
export function categoricalAccuracy(): Metric<number> {
  return classAccuracy("categoricalAccuracy", 0.5);
}

/** `accuracy` of class numbers, by its Keras name. */
export function sparseCategoricalAccuracy(): Metric<number> {
  return classAccuracy("sparseCategoricalAccuracy", 0.5);
}

function classAccuracy(name: string, threshold: number): Metric<number> {
  checkRange(`${name}: threshold`, threshold, 0, 1);
  const value = (entries: Entries, entry: number): number => {
    const truth = trueClass(name, entries, entry);
    return Number(predictedClass(name, entries, entry, threshold) === truth);
  };
  const options = threshold === 0.5 ? {} : { threshold };
  return new MeanMetric(name, { entries: classEntries, value }, options);
}

/** The share of numbers that are on the right side: each is a yes or no of its own (multi-label). */
export function binaryAccuracy({ threshold = 0.5 }: ThresholdOptions = {}): Metric<number> {
  checkRange("binaryAccuracy: threshold", threshold, 0, 1);
  const value = meanOver((truth, predicted) => Number(predicted >= threshold === truth >= 0.5));
  return new MeanMetric("binaryAccuracy", { entries: numberEntries, value }, { threshold });
}

/** Options of `topKAccuracy`. */
export interface TopKOptions {
  /** How many classes may be named. Default: 5. */
  readonly k?: number;
}

/**
 * The share of entries whose true class is among the `k` of highest score; of equal scores at the
 * border, those of the higher class numbers, as scikit-learn has it.
 */
export function topKAccuracy({ k = 5 }: TopKOptions = {}): Metric<number> {
  const name = "topKAccuracy";
  checkWhole(`${name}: k`, k, 1);
  const value = (entries: Entries, entry: number): number => {
    const { predicted, width } = entries;
    const truth = trueClass(name, entries, entry);
    if (truth >= width) {
      throw new DataError(
        `${name}: entry ${entry} is of class ${truth}, there are ${width} scores`,
      );
    }
    const own = predicted[entry * width + truth]!;
    let before = 0;
    for (let other = 0; other < width; other++) {
      const score = predicted[entry * width + other]!;
      if (score > own || (score === own && other > truth)) before++;
    }
    return Number(before < k);
  };
  return new MeanMetric(name, { entries: classEntries, value }, { k });
}

/** The mean over an entry's numbers. */
function meanOver(of: (truth: number, predicted: number) => number): MeanRule["value"] {
  return ({ truth, predicted, width }, entry) => {
    let total = 0;
    for (let i = entry * width; i < (entry + 1) * width; i++) total += of(truth[i]!, predicted[i]!);
    return total / width;
  };
}

const squaredError = meanOver((truth, predicted) => (truth - predicted) ** 2);
const absoluteError = meanOver((truth, predicted) => Math.abs(truth - predicted));

/** The mean of (y − ŷ)². */
export function meanSquaredError(): Metric<number> {
  return new MeanMetric("meanSquaredError", { entries: numberEntries, value: squaredError });
}

/** The mean of |y − ŷ|. */
export function meanAbsoluteError(): Metric<number> {
  return new MeanMetric("meanAbsoluteError", { entries: numberEntries, value: absoluteError });
}

/** The root of the mean of (y − ŷ)². */
export function rootMeanSquaredError(): Metric<number> {
  const rule = { entries: numberEntries, value: squaredError, finish: Math.sqrt };
  return new MeanMetric("rootMeanSquaredError", rule);
}

/** The mean of |y − ŷ| / |y|, which is great where y is near 0. */
export function meanAbsolutePercentageError(): Metric<number> {
  const value = meanOver(
    (truth, predicted) => Math.abs(truth - predicted) / Math.max(Math.abs(truth), Number.EPSILON),
  );
  return new MeanMetric("meanAbsolutePercentageError", { entries: numberEntries, value });
}

/** The mean of −ln p of the true class: of class 1 where an entry has one probability. */
export function logLoss(): Metric<number> {
  return new MeanMetric("logLoss", { entries: classEntries, value: negativeLogLikelihood });
}

/** e to the log loss: as uncertain as a choice among so many equal classes. */
export function perplexity(): Metric<number> {
  const rule = { entries: classEntries, value: negativeLogLikelihood, finish: exponential };
  return new MeanMetric("perplexity", rule);
}

/** −Σ y·ln p; logarithms stay finite. */
function negativeLogLikelihood(entries: Entries, entry: number): number {
  const { predicted, truth, dense, width } = entries;
  // The least that differs from 1 in the type of the probabilities.
  const eps = predicted instanceof Float64Array ? Number.EPSILON : 2 ** -23;
  const ln = (p: number): number => {
    if (p >= 0 && p <= 1 + 1e-5) return logarithm(Math.min(Math.max(p, eps), 1 - eps));
    throw new DataError(`logLoss: yPred of entry ${entry} holds ${p}, which is no probability`);
  };
  if (dense) {
    let total = 0;
    for (let i = entry * width; i < (entry + 1) * width; i++) {
      if (truth[i] !== 0) total -= truth[i]! * ln(predicted[i]!);
    }
    return total;
  }
  const label = trueClass("logLoss", entries, entry);
  if (label >= Math.max(width, 2)) {
    throw new DataError(
      `logLoss: entry ${entry} is of class ${label}, there are ${Math.max(width, 2)} classes`,
    );
  }
  if (width === 1) return -ln(label === 1 ? predicted[entry]! : 1 - predicted[entry]!);
  return -ln(predicted[entry * width + label]!);
}
