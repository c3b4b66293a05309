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
  return parse(text, { delimiter: "," }, options);
}

/** Tab-separated values; quotes are ordinary characters. Throws DataError naming the line. */
export function parseTsv(text: string, options: TableOptions = {}): TextTable {
  // The parser's fast mode is the one that knows no quotes.
  return parse(text, { delimiter: "\t", fastMode: true }, options);
}

/** Whatever ended the lines of `text`, `\n` does. */
function plainLines(text: string): string {
  const content = text.startsWith("\uFEFF") ? text.slice(1) : text;
  return content.replace(/\r\n?/g, "\n");
}

function parse(
  text: string,
  config: { readonly delimiter: string; readonly fastMode?: boolean },
  { name = "the table", header = false }: TableOptions,
): TextTable {
  const { data, errors } = Papa.parse<string[]>(plainLines(text), { ...config, newline: "\n" });
  const fail = (row: number, reason: string): never => {
    // Quoted fields may go over several lines.
    const line = data.slice(0, row).reduce((sum, fields) => sum + linesOf(fields), 1);
    throw new DataError(`${name}: line ${line}${reason}`);
  };
  const [problem] = errors;
  if (problem) fail(problem.row ?? 0, `: ${problem.message}`);
  // An empty line is a row of one empty field; rows keep their numbers, for messages.
  const numbered = data
    .map((fields, row) => ({ fields, row }))
    .filter(({ fields }) => fields.length > 1 || fields[0] !== "");
  const [first] = numbered;
  if (!first) throw new DataError(`${name} is empty`);
  const width = first.fields.length;
  for (const { fields, row } of numbered) {
    if (fields.length === width) continue;
    fail(row, ` has ${fields.length} fields, the first line has ${width}`);
  }
  const rows = numbered.map(({ fields }) => fields);
  if (!header) return { columns: undefined, rows };
  const columns = first.fields;
  const twice = columns.find((column, index) => columns.indexOf(column) < index);
  if (twice !== undefined) fail(first.row, ` names two columns "${twice}"`);
  if (rows.length === 1) throw new DataError(`${name} has a header and no rows`);
  return { columns, rows: rows.slice(1) };
}

/** How many lines of its file a row takes. */
function linesOf(fields: readonly string[]): number {
  return fields.join("").split("\n").length;
}

/** JSON values, one a line; empty lines are passed over. Throws DataError naming the line. */
export function parseJsonl(text: string, { name = "the lines" }: TableOptions = {}): unknown[] {
  const values = plainLines(text)
    .split("\n")
    .flatMap((line, index): unknown[] => {
      if (line.trim() === "") return [];
      try {
        return [JSON.parse(line) as unknown];
      } catch (error) {
        throw new DataError(`${name}: line ${index + 1} is not JSON: ${reasonOf(error)}`, {
          cause: error,
        });
      }
    });
  if (values.length === 0) throw new DataError(`${name} is empty`);
  return values;
}
