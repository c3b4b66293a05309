/** How a score tells classes apart at every threshold: ROC and precision-recall curves. */
import { checkKnown } from "../checks.js";
import type { Input } from "../data/inputs.js";
import { DataError } from "../errors.js";
import type { Entries } from "./entries.js";
import { classEntries, trueClass } from "./entries.js";
import type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
import { valuesOf } from "./metric.js";
import { loadNumbers } from "./state.js";

/** Scores with what they are scores of: `positive` is 1 or 0. */
interface Scored {
  readonly scores: readonly number[];
  readonly positive: readonly boolean[];
  readonly weights: readonly number[];
}

/** Weights of the true and false positives from each threshold on, thresholds falling. */
interface Steps {
  readonly thresholds: readonly number[];
  readonly hits: readonly number[];
  readonly falses: readonly number[];
}

function stepsOf({ scores, positive, weights }: Scored): Steps {
  const order = Uint32Array.from(scores, (_, index) => index);
  order.sort((a, b) => scores[b]! - scores[a]!);
  const steps = { thresholds: [] as number[], hits: [] as number[], falses: [] as number[] };
  let [hits, falses] = [0, 0];
  order.forEach((index, at) => {
    if (positive[index]) hits += weights[index]!;
    else falses += weights[index]!;
    const next = order[at + 1];
    // Equal scores pass together.
    if (next !== undefined && scores[next] === scores[index]) return;
    steps.thresholds.push(scores[index]!);
    steps.hits.push(hits);
    steps.falses.push(falses);
  });
  return steps;
}

/** ∫ of the true over the false positive rate: trapezoids. */
function rocArea({ hits, falses }: Steps): number {
  let area = 0;
  hits.forEach((hit, i) => {
    area += ((falses[i]! - (falses[i - 1] ?? 0)) * (hit + (hits[i - 1] ?? 0))) / 2;
  });
  return area / (hits.at(-1)! * falses.at(-1)!);
}

/** Average precision: Σ (Rᵢ − Rᵢ₋₁)·Pᵢ. */
function averagePrecision({ hits, falses }: Steps): number {
  let area = 0;
  hits.forEach((hit, i) => {
    const gained = hit - (hits[i - 1] ?? 0);
    if (gained > 0) area += (gained * hit) / (hit + falses[i]!);
  });
  // As scikit-learn has it: without positives there is nothing to be precise about.
  return hits.at(-1) === 0 ? 0 : area / hits.at(-1)!;
}

/** How the areas of several classes become one. */
export type CurveAverage = "macro" | "weighted" | "none";

/** Options of areas under curves. */
export interface CurveOptions {
  /**
   * Of more than two classes, each against the rest: macro: the mean; weighted: by how many there
   * are of each; none: one a class. Default: macro.
   */
  readonly average?: CurveAverage;
}

class AreaMetric implements Metric<number | number[]> {
  readonly costly = true;
  private width = 0;
  private scores: number[] = [];
  private labels: number[] = [];
  private weights: number[] = [];

  constructor(
    readonly name: string,
    private readonly average: CurveAverage,
    private readonly area: (steps: Steps) => number,
  ) {
    checkKnown(`${name}: average`, average, ["macro", "weighted", "none"]);
  }

  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this {
    const entries = classEntries(this.name, yTrue, yPred, options);
    const { count, width, predicted, weights } = entries;
    if (count === 0) return this;
    if (this.width !== 0 && this.width !== width) {
      throw new DataError(
        `${this.name}: entries had ${this.width} scores each, and now ${width}: reset() first`,
      );
    }
    const chosen: number[] = [];
    for (let entry = 0; entry < count; entry++) if (weights[entry]! > 0) chosen.push(entry);
    const labels = chosen.map((entry) => this.label(entries, entry));
    const scores = chosen.flatMap((entry) => [
      ...predicted.subarray(entry * width, (entry + 1) * width),
    ]);
    if (scores.some((score) => Number.isNaN(score))) {
      throw new DataError(`${this.name}: yPred holds NaN, which has no place in an order`);
    }
    this.width = width;
    for (const score of scores) this.scores.push(score);
    for (const label of labels) this.labels.push(label);
    for (const entry of chosen) this.weights.push(weights[entry]!);
    return this;
  }

  result(): number | number[] {
    if (this.labels.length === 0) return NaN;
    if (this.width <= 2) return this.areaOf(1, this.width - 1);
    const classes = Array.from({ length: this.width }, (_, index) => index);
    const areas = classes.map((index) => this.areaOf(index, index));
    if (this.average === "none") return areas;
    const support = classes.map((index) =>
      this.average === "macro"
        ? 1
        : this.labels.reduce(
            (sum, label, i) => sum + Number(label === index) * this.weights[i]!,
            0,
          ),
    );
    const total = support.reduce((a, b) => a + b, 0);
    return areas.reduce((sum, area, index) => sum + area * support[index]!, 0) / total;
  }

  reset(): void {
    this.width = 0;
    this.scores = [];
    this.labels = [];
    this.weights = [];
  }

  values(): Values {
    return valuesOf(this.name, this.result());
  }

  state(): MetricState {
    const { width, scores, labels, weights } = this;
    return { width: [width], scores: [...scores], labels: [...labels], weights: [...weights] };
  }

  load(state: MetricState): void {
    const [width] = loadNumbers(this.name, state, "width", 1);
    const labels = loadNumbers(this.name, state, "labels");
    const weights = loadNumbers(this.name, state, "weights", labels.length);
    const scores = loadNumbers(this.name, state, "scores", labels.length * width!);
    this.width = width!;
    this.scores = [...scores];
    this.labels = [...labels];
    this.weights = [...weights];
  }

  toJSON(): MetricConfig {
    return { metric: this.name, options: { average: this.average } };
  }

  private label(entries: Entries, entry: number): number {
    const label = trueClass(this.name, entries, entry);
    const classes = Math.max(entries.width, 2);
    if (label < classes) return label;
    throw new DataError(
      `${this.name}: entry ${entry} is of class ${label}, the scores are of ${classes} classes`,
    );
  }

  /** The area of the scores in `column`, for whether an entry is of `positive`. */
  private areaOf(positive: number, column: number): number {
    const { labels, scores, weights, width } = this;
    return this.area(
      stepsOf({
        scores: labels.map((_, i) => scores[i * width + column]!),
        positive: labels.map((label) => label === positive),
        weights,
      }),
    );
  }
}

/** Options for one area a class. */
export type PerClassCurve = CurveOptions & { readonly average: "none" };

/** The area under the ROC curve: how likely a positive scores above a negative. NaN without both. */
export function rocAuc(options: PerClassCurve): Metric<number | number[]>;
export function rocAuc(options?: CurveOptions): Metric<number>;
export function rocAuc({ average = "macro" }: CurveOptions = {}): Metric<number | number[]> {
  return new AreaMetric("rocAuc", average, rocArea);
}

/** The area under the precision-recall curve, as average precision. */
export function prAuc(options: PerClassCurve): Metric<number | number[]>;
export function prAuc(options?: CurveOptions): Metric<number>;
export function prAuc({ average = "macro" }: CurveOptions = {}): Metric<number | number[]> {
  return new AreaMetric("prAuc", average, averagePrecision);
}

/** A ROC curve, a point a threshold, thresholds falling from +∞. */
export interface RocCurve {
  readonly falsePositiveRate: number[];
  readonly truePositiveRate: number[];
  readonly thresholds: number[];
}

/** The ROC curve of scores of class 1, `[rows]`. */
export function rocCurve(yTrue: Input, yPred: Input, options?: UpdateOptions): RocCurve {
  const { hits, falses, thresholds } = stepsOf(scored("rocCurve", yTrue, yPred, options));
  const share = (weights: readonly number[]): number[] =>
    [0, ...weights].map((weight) => weight / weights.at(-1)!);
  return {
    falsePositiveRate: share(falses),
    truePositiveRate: share(hits),
    thresholds: [Infinity, ...thresholds],
  };
}

/** A precision-recall curve, a point a threshold, thresholds rising; it ends at recall 0. */
export interface PrecisionRecallCurve {
  readonly precision: number[];
  readonly recall: number[];
  readonly thresholds: number[];
}

/** The precision-recall curve of scores of class 1, `[rows]`. */
export function precisionRecallCurve(
  yTrue: Input,
  yPred: Input,
  options?: UpdateOptions,
): PrecisionRecallCurve {
  const { hits, falses, thresholds } = stepsOf(
    scored("precisionRecallCurve", yTrue, yPred, options),
  );
  return {
    precision: [1, ...hits.map((hit, i) => hit / (hit + falses[i]!))].reverse(),
    recall: [0, ...hits.map((hit) => hit / hits.at(-1)!)].reverse(),
    thresholds: [...thresholds].reverse(),
  };
}

function scored(name: string, yTrue: Input, yPred: Input, options?: UpdateOptions): Scored {
  const entries = classEntries(name, yTrue, yPred, options);
  if (entries.width !== 1) {
    throw new DataError(`${name}: one score an entry is expected, there are ${entries.width}`);
  }
  const chosen = Array.from(entries.weights.keys()).filter((entry) => entries.weights[entry]! > 0);
  const classes = chosen.map((entry) => trueClass(name, entries, entry));
  const other = classes.find((label) => label > 1);
  if (other !== undefined) {
    throw new DataError(`${name}: labels are 0 or 1, and there is a ${other}`);
  }
  return {
    scores: chosen.map((entry) => entries.predicted[entry]!),
    positive: classes.map((label) => label === 1),
    weights: chosen.map((entry) => entries.weights[entry]!),
  };
}
