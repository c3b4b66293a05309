/** Texts with labels, out of tables. */
import { DataError } from "../errors.js";
import type { TextTable } from "./tables.js";

/** Options of `labelledTexts`. */
export interface LabelledTextsOptions {
  /** Column of the text, by number or name. Default: 0. */
  readonly text?: number | string;
  /** Column of the label, by number or name. Default: 1. */
  readonly label?: number | string;
  /** The labels, in the order of their numbers. Default: all there are, sorted. */
  readonly classes?: readonly string[];
  /** What errors call the table; a file name, say. */
  readonly name?: string;
}

/** Texts, the number of each one's class, and the classes. */
export interface LabelledTexts {
  readonly texts: string[];
  readonly labels: Int32Array;
  readonly classes: readonly string[];
}

/**
 * Texts and labels of a table with a column each. Labels are numbered in sorted order, numbers by
 * value. Throws DataError for a column that is not there and a label that is none of `classes`.
 */
export function labelledTexts(
  { columns, rows }: TextTable,
  { text = 0, label = 1, classes, name = "the table" }: LabelledTextsOptions = {},
): LabelledTexts {
  const columnOf = (column: number | string): number => {
    const index = typeof column === "number" ? column : (columns?.indexOf(column) ?? -1);
    if (rows[0]?.[index] !== undefined) return index;
    throw new DataError(
      `${name} has no column ${column}: there are ` +
        (columns?.join(", ") ?? `${rows[0]?.length ?? 0} without names`),
    );
  };
  const [from, to] = [columnOf(text), columnOf(label)];
  const known = classes ?? sortedLabels(new Set(rows.map((row) => row[to]!)));
  const numbers = new Map(known.map((value, index) => [value, index]));
  const labels = Int32Array.from(rows, (row, index) => {
    const number = numbers.get(row[to]!);
    if (number !== undefined) return number;
    throw new DataError(
      `${name}: row ${index + 1} has the label "${row[to]}", which is none of ${known.join(", ")}`,
    );
  });
  return { texts: rows.map((row) => row[from]!), labels, classes: known };
}

/** Whole numbers by value, so that 10 stands behind 9; other labels by their characters. */
function sortedLabels(labels: ReadonlySet<string>): string[] {
  const sorted = [...labels].sort();
  const areNumbers = sorted.every((label) => /^-?\d+$/.test(label));
  return areNumbers ? sorted.sort((a, b) => Number(a) - Number(b)) : sorted;
}
