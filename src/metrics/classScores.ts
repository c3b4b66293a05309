/** What a confusion matrix comes to. */
import { ArgumentError, DataError } from "../errors.js";

/** Weights of `[true class][predicted class]`. */
export type Matrix = readonly (readonly number[])[];

/** Precision, recall and F-score of a class, and how much of it there truly was. */
export interface ClassScore {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly support: number;
}

/** How scores of classes become one number; `none` leaves one a class. */
export type Average = "binary" | "micro" | "macro" | "weighted" | "none";

/** What of a class is asked for. */
export type ScoreName = "precision" | "recall" | "f1";

/** Options of scores. */
export interface ScoreOptions {
  /** β: how many times as much recall counts as precision in the F-score. Default: 1. */
  readonly beta?: number;
  /** What 0 / 0 is. Default: 0. */
  readonly zeroDivision?: 0 | 1;
}

/** Sums of a matrix, from which all else follows. */
export interface Margins {
  /** Weight of each class in truth. */
  readonly truth: readonly number[];
  /** Weight of each class in predictions. */
  readonly predicted: readonly number[];
  /** Weight of each class that was recognised. */
  readonly hits: readonly number[];
  readonly total: number;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** The sums of `matrix`. */
export function marginsOf(matrix: Matrix): Margins {
  const truth = matrix.map(sum);
  const predicted = matrix.map((_, column) => sum(matrix.map((row) => row[column]!)));
  return { truth, predicted, hits: matrix.map((row, i) => row[i]!), total: sum(truth) };
}

/** Classes that occur, in truth or in predictions. */
export function presentClasses({ truth, predicted }: Margins): number[] {
  return truth.flatMap((weight, index) => (weight + predicted[index]! > 0 ? [index] : []));
}

/** F_β = (1 + β²)·hits / (β²·truth + predicted); precision and recall are its halves. */
export function scoreOf(
  hits: number,
  truth: number,
  predicted: number,
  { beta = 1, zeroDivision = 0 }: ScoreOptions = {},
): ClassScore {
  const ratio = (a: number, b: number): number => (b === 0 ? zeroDivision : a / b);
  const square = beta * beta;
  return {
    precision: ratio(hits, predicted),
    recall: ratio(hits, truth),
    f1: ratio((1 + square) * hits, square * truth + predicted),
    support: truth,
  };
}

/** The scores of a class of a matrix. */
export function classScore(margins: Margins, index: number, options: ScoreOptions): ClassScore {
  const { hits, truth, predicted } = margins;
  return scoreOf(hits[index] ?? 0, truth[index] ?? 0, predicted[index] ?? 0, options);
}

/** The scores of all entries together. */
export function microScore({ hits, total }: Margins, options: ScoreOptions): ClassScore {
  return scoreOf(sum(hits), total, total, options);
}

/** The mean over classes, each as much as `weights` says. */
export function meanScore(
  scores: readonly ClassScore[],
  weighted: boolean,
  { zeroDivision = 0 }: ScoreOptions,
): ClassScore {
  const weights = scores.map(({ support }) => (weighted ? support : 1));
  const total = sum(weights);
  const mean = (name: ScoreName): number =>
    total === 0 ? zeroDivision : sum(scores.map((score, i) => score[name] * weights[i]!)) / total;
  return {
    precision: mean("precision"),
    recall: mean("recall"),
    f1: mean("f1"),
    support: sum(scores.map(({ support }) => support)),
  };
}

/** The mean of the recalls of classes that there truly were. */
export function balancedAccuracyOf(matrix: Matrix): number {
  const { truth, hits } = marginsOf(matrix);
  const recalls = truth.flatMap((weight, i) => (weight > 0 ? [hits[i]! / weight] : []));
  return sum(recalls) / recalls.length;
}

/** How disagreements count in Cohen's kappa: all the same, or by how far apart the classes are. */
export type KappaWeights = "none" | "linear" | "quadratic";

/** Cohen's kappa: 1 − Σ w·observed / Σ w·expected, of disagreements w (Cohen, 1960 and 1968). */
export function kappaOf(matrix: Matrix, weights: KappaWeights): number {
  const { truth, predicted, total } = marginsOf(matrix);
  let [observed, expected] = [0, 0];
  matrix.forEach((row, i) =>
    row.forEach((weight, j) => {
      const distance = Math.abs(i - j);
      const w = weights === "none" ? Number(i !== j) : distance ** (weights === "linear" ? 1 : 2);
      observed += w * weight;
      expected += (w * truth[i]! * predicted[j]!) / total;
    }),
  );
  return 1 - observed / expected;
}

/** Matthews' correlation of true and predicted classes; 0 where either is always the same. */
export function matthewsOf(matrix: Matrix): number {
  const { truth, predicted, hits, total } = marginsOf(matrix);
  const products = (a: readonly number[], b: readonly number[]): number =>
    sum(a.map((value, i) => value * b[i]!));
  const covariance = sum(hits) * total - products(truth, predicted);
  const spreads = [truth, predicted].map((side) => total * total - products(side, side));
  return spreads.includes(0) ? 0 : covariance / Math.sqrt(spreads[0]! * spreads[1]!);
}

/** Throws ArgumentError for options that no score has. */
export function checkScoreOptions(
  name: string,
  { beta = 1, zeroDivision = 0 }: ScoreOptions,
): void {
  if (!(beta > 0 && beta < Infinity)) {
    throw new ArgumentError(`${name}: beta is ${beta}; it must be above 0`);
  }
  if (zeroDivision !== 0 && zeroDivision !== 1) {
    throw new ArgumentError(`${name}: zeroDivision is ${String(zeroDivision)}; it must be 0 or 1`);
  }
}

/** Throws DataError where a score of class 1 is asked of more than two classes. */
export function checkBinary(name: string, { truth }: Margins, positive: number): void {
  if (truth.length <= 2 || positive > 1) return;
  throw new DataError(
    `${name}: average is binary, and there are ${truth.length} classes: ` +
      "choose micro, macro, weighted or none",
  );
}
