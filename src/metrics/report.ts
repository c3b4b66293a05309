/** Precision, recall and F1 of every class, as a table. */
import type { Input } from "../data/inputs.js";
import type { ClassScore } from "./classScores.js";
import { classScore, marginsOf, meanScore, microScore, presentClasses } from "./classScores.js";
import type { ClassOptions } from "./classification.js";
import { ConfusionMatrix } from "./confusionMatrix.js";
import type { UpdateOptions } from "./metric.js";

/** Options of `classificationReport`. */
export interface ReportOptions extends ClassOptions, UpdateOptions {
  /** Digits behind the point. Default: 2. */
  readonly digits?: number;
  /** What 0 / 0 is. Default: 0. */
  readonly zeroDivision?: 0 | 1;
}

/** The scores of a class, under its name. */
export interface NamedScore extends ClassScore {
  readonly name: string;
}

/** What `classificationReport` gives. */
export interface ClassificationReport {
  readonly classes: readonly NamedScore[];
  readonly accuracy: number;
  /** The mean over classes. */
  readonly macro: ClassScore;
  /** The mean over classes, each by how many there are of it. */
  readonly weighted: ClassScore;
  /** The confusion matrix that it follows from. */
  readonly confusion: ConfusionMatrix;
  /** The table, laid out as scikit-learn does. */
  toString(): string;
}

/** How wide a column of numbers is. */
const columnWidth = 9;

/**
 * The scores of every class that `classes` names, or that occurs. Throws DataError for values that
 * do not fit.
 */
export function classificationReport(
  yTrue: Input,
  yPred: Input,
  { mask, sampleWeight, digits = 2, zeroDivision = 0, ...options }: ReportOptions = {},
): ClassificationReport {
  const confusion = new ConfusionMatrix({ ...options, name: "classificationReport" });
  confusion.update(yTrue, yPred, { mask, sampleWeight });
  const margins = marginsOf(confusion.result());
  const all = margins.truth.map((_, index) => index);
  const present = options.classes === undefined ? presentClasses(margins) : all;
  const classes = present.map((index) => ({
    name: confusion.classNames?.[index] ?? String(index),
    ...classScore(margins, index, { zeroDivision }),
  }));
  const scores = {
    classes,
    accuracy: microScore(margins, {}).recall,
    macro: meanScore(classes, false, { zeroDivision }),
    weighted: meanScore(classes, true, { zeroDivision }),
    confusion,
  };
  return { ...scores, toString: () => layOut(scores, digits) };
}

function layOut(
  { classes, accuracy, macro, weighted }: Omit<ClassificationReport, "toString">,
  digits: number,
): string {
  const names = classes.map(({ name }) => name);
  const width = Math.max(digits, ...[...names, "weighted avg"].map(({ length }) => length));
  const line = (name: string, cells: readonly string[]): string =>
    [`${name.padStart(width)} `, ...cells.map((cell) => cell.padStart(columnWidth))].join(" ");
  const { support: total } = macro;
  const row = (name: string, { precision, recall, f1, support }: ClassScore): string => {
    const shown = [precision, recall, f1].map((value) => value.toFixed(digits));
    return line(name, [...shown, String(support)]);
  };
  const head = line("", ["precision", "recall", "f1-score", "support"]);
  return [
    head,
    "",
    ...classes.map((score) => row(score.name, score)),
    "",
    line("accuracy", ["", "", accuracy.toFixed(digits), String(total)]),
    row("macro avg", macro),
    row("weighted avg", weighted),
    "",
  ].join("\n");
}
