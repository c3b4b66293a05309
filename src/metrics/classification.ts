/** Metrics that follow from a confusion matrix. */
import { checkKnown, checkWhole } from "../checks.js";
import type { Input } from "../data/inputs.js";
import type {
  Average,
  ClassScore,
  KappaWeights,
  Margins,
  Matrix,
  ScoreName,
} from "./classScores.js";
import {
  balancedAccuracyOf,
  checkBinary,
  checkScoreOptions,
  classScore,
  kappaOf,
  marginsOf,
  matthewsOf,
  meanScore,
  microScore,
  presentClasses,
} from "./classScores.js";
import type { ConfusionMatrixOptions } from "./confusionMatrix.js";
import { ConfusionMatrix } from "./confusionMatrix.js";
import type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
import { valuesOf } from "./metric.js";

/** Options of metrics that a confusion matrix gathers for. */
export type ClassOptions = Omit<ConfusionMatrixOptions, "name">;

class MatrixMetric<R> implements Metric<R> {
  private readonly matrix: ConfusionMatrix;

  constructor(
    readonly name: string,
    private readonly options: ClassOptions,
    private readonly of: (matrix: Matrix) => R,
  ) {
    this.matrix = new ConfusionMatrix({ ...options, name });
  }

  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this {
    this.matrix.update(yTrue, yPred, options);
    return this;
  }

  result(): R {
    return this.of(this.matrix.result());
  }

  reset(): void {
    this.matrix.reset();
  }

  values(): Values {
    return valuesOf(this.name, this.result());
  }

  state(): MetricState {
    return this.matrix.state();
  }

  load(state: MetricState): void {
    this.matrix.load(state);
  }

  toJSON(): MetricConfig {
    return { metric: this.name, options: this.options };
  }
}

/** Options of `precision` and `recall`. */
export interface AverageOptions extends ClassOptions {
  /**
   * binary: of class `positive`; macro: the mean over classes; weighted: by how many there are of
   * each; micro: over all entries; none: one a class. Default: binary where there are no more than
   * two classes, else macro.
   */
  readonly average?: Average;
  /** The class that `binary` is about. Default: 1. */
  readonly positive?: number;
  /** What 0 / 0 is. Default: 0. */
  readonly zeroDivision?: 0 | 1;
}

/** Options of `fBeta`. */
export interface FBetaOptions extends AverageOptions {
  /** β: how many times as much recall counts as precision. Default: 1. */
  readonly beta?: number;
}

/** Options for one score a class. */
export type PerClass<O> = O & { readonly average: "none" };

const averages: readonly Average[] = ["binary", "micro", "macro", "weighted", "none"];

function checkOptions(name: string, options: FBetaOptions): void {
  if (options.average !== undefined) checkKnown(`${name}: average`, options.average, averages);
  checkWhole(`${name}: positive`, options.positive ?? 1, 0);
  checkScoreOptions(name, options);
}

/** Classes that an average is over: those given, else those that occur. */
function averaged(margins: Margins, { classes }: ClassOptions): readonly number[] {
  return classes === undefined ? presentClasses(margins) : margins.truth.map((_, index) => index);
}

function averagedScore(name: string, matrix: Matrix, options: FBetaOptions): ClassScore {
  const margins = marginsOf(matrix);
  const { average = matrix.length <= 2 ? "binary" : "macro", positive = 1 } = options;
  if (average === "micro") return microScore(margins, options);
  if (average === "binary") {
    checkBinary(name, margins, positive);
    return classScore(margins, positive, options);
  }
  const scores = averaged(margins, options).map((index) => classScore(margins, index, options));
  return meanScore(scores, average === "weighted", options);
}

function scoreMetric(
  name: string,
  score: ScoreName,
  options: FBetaOptions,
): Metric<number> | Metric<number[]> {
  checkOptions(name, options);
  if (options.average !== "none") {
    const of = (matrix: Matrix): number => averagedScore(name, matrix, options)[score];
    return new MatrixMetric(name, options, of);
  }
  return new MatrixMetric(name, options, (matrix) => {
    const margins = marginsOf(matrix);
    return matrix.map((_, index) => classScore(margins, index, options)[score]);
  });
}

/** How many of the entries taken for a class are of it. */
export function precision(options: PerClass<AverageOptions>): Metric<number[]>;
export function precision(options?: AverageOptions): Metric<number>;
export function precision(options: AverageOptions = {}): Metric<number> | Metric<number[]> {
  return scoreMetric("precision", "precision", options);
}

/** How many of the entries of a class are taken for it. */
export function recall(options: PerClass<AverageOptions>): Metric<number[]>;
export function recall(options?: AverageOptions): Metric<number>;
export function recall(options: AverageOptions = {}): Metric<number> | Metric<number[]> {
  return scoreMetric("recall", "recall", options);
}

/** The harmonic mean of precision and recall. */
export function f1(options: PerClass<AverageOptions>): Metric<number[]>;
export function f1(options?: AverageOptions): Metric<number>;
export function f1(options: AverageOptions = {}): Metric<number> | Metric<number[]> {
  return scoreMetric("f1", "f1", options);
}

/** The F-score in which recall counts β times as much as precision. */
export function fBeta(options: PerClass<FBetaOptions>): Metric<number[]>;
export function fBeta(options?: FBetaOptions): Metric<number>;
export function fBeta(options: FBetaOptions = {}): Metric<number> | Metric<number[]> {
  return scoreMetric("fBeta", "f1", options);
}

/** The mean of the classes' recalls. */
export function balancedAccuracy(options: ClassOptions = {}): Metric<number> {
  return new MatrixMetric("balancedAccuracy", options, balancedAccuracyOf);
}

/** Options of `cohensKappa`. */
export interface KappaOptions extends ClassOptions {
  /** Whether classes further apart disagree more. Default: none. */
  readonly weights?: KappaWeights;
}

/** Agreement beyond chance, Cohen's κ: 1 where all agree, 0 where no more do than by chance. */
export function cohensKappa({ weights = "none", ...options }: KappaOptions = {}): Metric<number> {
  checkKnown("cohensKappa: weights", weights, ["none", "linear", "quadratic"]);
  const all = { ...options, weights };
  return new MatrixMetric("cohensKappa", all, (matrix) => kappaOf(matrix, weights));
}

/** Matthews' correlation coefficient, of any number of classes (Gorodkin, 2004). */
export function matthewsCorrelation(options: ClassOptions = {}): Metric<number> {
  return new MatrixMetric("matthewsCorrelation", options, matthewsOf);
}
