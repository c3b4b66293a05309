/** How often each class was taken for each other. */
import { checkWhole } from "../checks.js";
import type { Input } from "../data/inputs.js";
import { DataError } from "../errors.js";
import type { ConfusionMatrixPlotOptions } from "../plot/confusionMatrix.js";
import type { Picture } from "../plot/picture.js";
import { classEntries, predictedClass, trueClass } from "./entries.js";
import type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
import { checkRange } from "./metric.js";
import { loadNumbers } from "./state.js";
import { textTable } from "./textTable.js";

/** Options of `ConfusionMatrix`. */
export interface ConfusionMatrixOptions {
  /** How many classes there are, or their names. Default: as many as are met. */
  readonly classes?: number | readonly string[];
  /** From what probability on an entry is of class 1. Default: 0.5. */
  readonly threshold?: number;
  /** What errors and saved models call it. Default: confusionMatrix. */
  readonly name?: string;
}

/** A matrix of more classes than this, where no number of them was given, is a mistake. */
const mostClasses = 4096;

/** Weights of `[true class][predicted class]`, gathered over batches. */
export class ConfusionMatrix implements Metric<number[][]> {
  readonly name: string;
  /** The names of the classes, where they were given. */
  readonly classNames: readonly string[] | undefined;
  private readonly fixed: number | undefined;
  private readonly threshold: number;
  private counts: number[][] = [];

  /** Throws ArgumentError for a number of classes below 1, or a threshold that is none. */
  constructor({ classes, threshold = 0.5, name = "confusionMatrix" }: ConfusionMatrixOptions = {}) {
    this.name = name;
    this.classNames = typeof classes === "object" ? classes : undefined;
    this.fixed = typeof classes === "object" ? classes.length : classes;
    this.threshold = threshold;
    checkRange(`${name}: threshold`, threshold, 0, 1);
    if (this.fixed !== undefined) checkWhole(`${name}: classes`, this.fixed, 1);
    this.reset();
  }

  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this {
    const entries = classEntries(this.name, yTrue, yPred, options);
    const most = this.fixed ?? mostClasses;
    const rows = new Int32Array(entries.count);
    const columns = new Int32Array(entries.count);
    let highest = (entries.width > 1 ? entries.width : 0) - 1;
    for (let entry = 0; entry < entries.count; entry++) {
      if (entries.weights[entry] === 0) continue;
      const truth = trueClass(this.name, entries, entry);
      const predicted = predictedClass(this.name, entries, entry, this.threshold);
      highest = Math.max(highest, truth, predicted);
      if (highest >= most) {
        throw new DataError(
          `${this.name}: entry ${entry} is class ${truth} taken for ${predicted}; ` +
            `there are ${this.fixed === undefined ? `at most ${most}` : most} classes`,
        );
      }
      rows[entry] = truth;
      columns[entry] = predicted;
    }
    this.grow(highest + 1);
    for (let entry = 0; entry < entries.count; entry++) {
      this.counts[rows[entry]!]![columns[entry]!]! += entries.weights[entry]!;
    }
    return this;
  }

  /** A row a true class, a column a predicted one. */
  result(): number[][] {
    return this.counts.map((row) => [...row]);
  }

  /** The same as shares: of each true class, of each predicted class, or of all. */
  normalized(by: "true" | "predicted" | "all"): number[][] {
    const counts = this.result();
    const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
    const columns = counts.map((_, j) => sum(counts.map((row) => row[j]!)));
    const all = sum(columns);
    return counts.map((row) =>
      row.map((value, j) => {
        const whole = by === "true" ? sum(row) : by === "predicted" ? columns[j]! : all;
        return whole === 0 ? 0 : value / whole;
      }),
    );
  }

  reset(): void {
    this.counts = [];
    this.grow(this.fixed ?? 0);
  }

  values(): Values {
    return {};
  }

  state(): MetricState {
    return { counts: this.counts.flat() };
  }

  load(state: MetricState): void {
    const counts = loadNumbers(this.name, state, "counts");
    const side = Math.round(Math.sqrt(counts.length));
    if (side * side !== counts.length || side > (this.fixed ?? side)) {
      throw new DataError(`${this.name}: ${counts.length} saved counts are no square matrix`);
    }
    this.counts = Array.from({ length: side }, (_, i) => counts.slice(i * side, (i + 1) * side));
    this.grow(this.fixed ?? 0);
  }

  toJSON(): MetricConfig {
    const classes = this.classNames ?? this.fixed;
    const options = { ...(classes !== undefined && { classes }), threshold: this.threshold };
    return { metric: "confusionMatrix", options };
  }

  /** A table of true classes by predicted ones. */
  toString(): string {
    const names = this.names();
    const head = ["true \\ predicted", ...names];
    return textTable([head, ...this.counts.map((row, i) => [names[i]!, ...row.map(String)])]);
  }

  /** A heat map of true classes by predicted ones, with the numbers in it where they have room. */
  async plot(options: ConfusionMatrixPlotOptions = {}): Promise<Picture> {
    const { normalize } = options;
    const values = normalize === undefined ? this.result() : this.normalized(normalize);
    const { plotConfusionMatrix } = await import("../plot/confusionMatrix.js");
    return plotConfusionMatrix(values, this.names(), options);
  }

  private names(): string[] {
    return this.counts.map((_, i) => this.classNames?.[i] ?? String(i));
  }

  private grow(size: number): void {
    while (this.counts.length < size) {
      for (const row of this.counts) row.push(0);
      this.counts.push(new Array<number>(this.counts.length + 1).fill(0));
    }
  }
}

/**
 * Counts of `[true class][predicted class]`. Throws DataError for labels outside the classes, and
 * numbers of labels and predictions that differ.
 */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predictions.length) {
    throw new DataError(
      `confusionMatrix: ${labels.length} labels and ${predictions.length} predictions`,
    );
  }
  const matrix = new ConfusionMatrix({ classes });
  return matrix.update(Float64Array.from(labels), Float64Array.from(predictions)).result();
}
