/** Tables of text: CSV, TSV and JSON lines. */
import Papa from "papaparse";
import { DataError, reasonOf } from "../errors.js";

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
  return parse(text, csvForm, options);
}

/** Tab-separated values; quotes are ordinary characters. Throws DataError naming the line. */
export function parseTsv(text: string, options: TableOptions = {}): TextTable {
  return parse(text, tsvForm, options);
}

/** How a table of text is written. */
export interface TableForm {
  readonly delimiter: string;
  readonly fastMode?: boolean;
}

/** Commas, and quotes as RFC 4180 has them. */
export const csvForm: TableForm = { delimiter: "," };
/** Tabs; the parser's fast mode is the one that knows no quotes. */
export const tsvForm: TableForm = { delimiter: "\t", fastMode: true };

/** Whatever ended the lines of `text`, `\n` does. */
export function plainLines(text: string): string {
  return text.replace(/\r\n?/g, "\n");
}

function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

/** Rows of a part of a table. */
export interface TableRows {
  readonly rows: readonly (readonly string[])[];
  /** The line of the file that a row begins in. */
  readonly lineOf: (row: number) => number;
}

/** Where a part of a table is from. */
export interface TablePart {
  readonly name: string;
  /** The line of the file that the part begins in. Default: 1. */
  readonly firstLine?: number;
  /** How many fields a row has. Default: as many as the first one. */
  readonly width?: number | undefined;
}

/** The rows of `text` that are not empty. Throws DataError naming the line. */
export function parseRows(
  text: string,
  form: TableForm,
  { name, firstLine = 1, width }: TablePart,
): TableRows {
  const { data, errors } = Papa.parse<string[]>(plainLines(text), { ...form, newline: "\n" });
  // Quoted fields may go over several lines.
  const lineAt = (row: number): number =>
    data.slice(0, row).reduce((sum, fields) => sum + linesOf(fields), firstLine);
  const [problem] = errors;
  if (problem) {
    throw new DataError(`${name}: line ${lineAt(problem.row ?? 0)}: ${problem.message}`);
  }
  // An empty line is a row of one empty field; rows keep their numbers, for messages.
  const numbered = data
    .map((fields, row) => ({ fields, row }))
    .filter(({ fields }) => fields.length > 1 || fields[0] !== "");
  const wanted = width ?? numbered[0]?.fields.length;
  for (const { fields, row } of numbered) {
    if (fields.length === wanted) continue;
    throw new DataError(
      `${name}: line ${lineAt(row)} has ${fields.length} fields, the first line has ${wanted}`,
    );
  }
  return {
    rows: numbered.map(({ fields }) => fields),
    lineOf: (row) => lineAt(numbered[row]!.row),
  };
}

/** Throws DataError where two columns have one name. */
export function checkColumns(name: string, columns: readonly string[], line: number): void {
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice === undefined) return;
  throw new DataError(`${name}: line ${line} names two columns "${twice}"`);
}

function parse(
  text: string,
  form: TableForm,
  { name = "the table", header = false }: TableOptions,
): TextTable {
  const { rows, lineOf } = parseRows(withoutMark(text), form, { name });
  const [columns] = rows;
  if (!columns) throw new DataError(`${name} is empty`);
  if (!header) return { columns: undefined, rows };
  checkColumns(name, columns, lineOf(0));
  if (rows.length === 1) throw new DataError(`${name} has a header and no rows`);
  return { columns, rows: rows.slice(1) };
}

/** How many lines of its file a row takes. */
function linesOf(fields: readonly string[]): number {
  return fields.join("").split("\n").length;
}

/** A JSON value on a line of its own. Throws DataError naming the line. */
export function parseJsonLine(text: string, name: string, line: number): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new DataError(`${name}: line ${line} is not JSON: ${reasonOf(error)}`, { cause: error });
  }
}

/** JSON values, one a line; empty lines are passed over. Throws DataError naming the line. */
export function parseJsonl(text: string, { name = "the lines" }: TableOptions = {}): unknown[] {
  const values = plainLines(withoutMark(text))
    .split("\n")
    .flatMap((line, index) => (line.trim() === "" ? [] : [parseJsonLine(line, name, index + 1)]));
  if (values.length === 0) throw new DataError(`${name} is empty`);
  return values;
}
