/** Tables of text: CSV, TSV and JSON lines. */
import Papa from "papaparse";
import { DataError } from "../errors.js";

/** Options of the readers. */
export interface TableOptions {
  /** What errors call the source; a file name, say. */
  readonly name?: string;
  /** Whether the first line names the columns. Default: false. */
  readonly header?: boolean;
}

/** Rows of a table, each of as many fields, and the columns' names where there is a header. */
export interface TextTable {
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly string[])[];
}

/** Comma-separated values, quoted as RFC 4180 has it. Throws DataError naming the line. */
export function parseCsv(text: string, options: TableOptions = {}): TextTable {
  return parse(text, { delimiter: ",", quoteChar: '"' }, options);
}

/** Tab-separated values; quotes are ordinary characters. Throws DataError naming the line. */
export function parseTsv(text: string, options: TableOptions = {}): TextTable {
  // A character no text has: the parser wants one.
  return parse(text, { delimiter: "\t", quoteChar: "\u0000" }, options);
}

function parse(
  text: string,
  config: { readonly delimiter: string; readonly quoteChar: string },
  { name = "the table", header = false }: TableOptions,
): TextTable {
  const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
  const { data, errors } = Papa.parse<string[]>(source, { ...config, skipEmptyLines: true });
  const [problem] = errors;
  if (problem) {
    throw new DataError(`${name}: line ${(problem.row ?? 0) + 1}: ${problem.message}`);
  }
  const [first] = data;
  if (!first) throw new DataError(`${name} is empty`);
  data.forEach((row, index) => {
    if (row.length === first.length) return;
    throw new DataError(
      `${name}: line ${index + 1} has ${row.length} fields, line 1 has ${first.length}`,
    );
  });
  const rows = header ? data.slice(1) : data;
  if (rows.length === 0) throw new DataError(`${name} has a header and no rows`);
  return { columns: header ? first : undefined, rows };
}

/** JSON values, one a line; empty lines are passed over. Throws DataError naming the line. */
export function parseJsonl(text: string, { name = "the lines" }: TableOptions = {}): unknown[] {
  const values = text.split(/\r?\n/).flatMap((line, index): unknown[] => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line) as unknown];
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new DataError(`${name}: line ${index + 1} is not JSON: ${reason}`);
    }
  });
  if (values.length === 0) throw new DataError(`${name} is empty`);
  return values;
}

/** Texts and labels of a table with a column each; labels are numbered in sorted order. */
export function labelledTexts(
  { columns, rows }: TextTable,
  {
    text = 0,
    label = 1,
    classes,
    name = "the table",
  }: {
    /** Column of the text, by number or name. */
    readonly text?: number | string;
    readonly label?: number | string;
    /** The labels, in the order of their numbers. Default: all there are, sorted. */
    readonly classes?: readonly string[];
    readonly name?: string;
  } = {},
): { readonly texts: string[]; readonly labels: Int32Array; readonly classes: readonly string[] } {
  const at = (column: number | string): number => {
    const index = typeof column === "number" ? column : (columns?.indexOf(column) ?? -1);
    if (rows[0]![index] !== undefined) return index;
    throw new DataError(
      `${name} has no column ${column}: there are ` +
        (columns?.join(", ") ?? `${rows[0]!.length} without names`),
    );
  };
  const [from, to] = [at(text), at(label)];
  const known = classes ?? [...new Set(rows.map((row) => row[to]!))].sort();
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
