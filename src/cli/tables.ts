/** Rows of tables, whatever file they are in. */
import { reasonOf, DataError } from "../errors.js";
import { readText } from "../data/files.js";
import { fromParquet } from "../data/parquet.js";
import { parseCsv, parseJsonl, parseTsv } from "../data/tables.js";

/** The formats that hold rows of fields. */
export type TableFormat = "csv" | "tsv" | "jsonl" | "parquet";

/** Rows of fields; columns have names, or only numbers. */
export interface Rows {
  readonly name: string;
  readonly columns: readonly string[] | undefined;
  readonly rows: readonly (readonly unknown[])[];
}

/** Where rows are: in a file, or in text that was read already. */
export interface RowsSource {
  readonly name: string;
  readonly format: TableFormat;
  readonly header: boolean;
  /** The content, where it is not to be read from the file `name`. */
  readonly text?: string;
}

/** The rows of a table. Throws DataError where it cannot be read. */
export async function readRows({ name, format, header, text }: RowsSource): Promise<Rows> {
  if (format === "parquet") {
    if (text !== undefined) throw new DataError(`${name}: Parquet is read from files only`);
    return fromObjects(name, await (await fromParquet(name)).toArray());
  }
  const content = text ?? (await readText(name));
  if (format === "jsonl") return fromJson(name, parseJsonl(content, { name }));
  const parse = format === "csv" ? parseCsv : parseTsv;
  return { name, ...parse(content, { name, header }) };
}

function fromJson(name: string, values: readonly unknown[]): Rows {
  if (Array.isArray(values[0])) {
    const rows = values.map((value, row) => {
      if (Array.isArray(value)) return value as readonly unknown[];
      throw new DataError(`${name}: line ${row + 1} is no list, as the first one is`);
    });
    return { name, columns: undefined, rows };
  }
  return fromObjects(name, values);
}

function fromObjects(name: string, values: readonly unknown[]): Rows {
  const columns = Object.keys(Object(values[0]) as object);
  const rows = values.map((value, row) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new DataError(`${name}: row ${row + 1} is no object of columns`);
    }
    const fields = new Map(Object.entries(value));
    return columns.map((column) => {
      if (fields.has(column)) return fields.get(column) as unknown;
      throw new DataError(`${name}: row ${row + 1} has no "${column}", which the first one has`);
    });
  });
  if (rows.length === 0) throw new DataError(`${name} has no rows`);
  return { name, columns, rows };
}

/** The place of a column in the rows. Throws DataError, listing what there is, where it is none. */
export function columnIndex({ name, columns, rows }: Rows, column: string | number): number {
  const index = typeof column === "number" ? column : (columns?.indexOf(column) ?? -1);
  if (index >= 0 && index < (rows[0]?.length ?? 0)) return index;
  const known = columns?.join(", ") ?? `${rows[0]?.length ?? 0} without names`;
  throw new DataError(`${name} has no column ${column}: there are ${known}`);
}

/** What column `index` is called in messages. */
function columnName({ columns }: Rows, index: number): string {
  return columns?.[index] ?? String(index);
}

/** A column of texts. */
export function textsOf(table: Rows, column: string | number): string[] {
  const index = columnIndex(table, column);
  return table.rows.map((fields, row) => {
    const value = fields[index];
    if (typeof value === "string") return value;
    throw new DataError(
      `${table.name}: row ${row + 1}, column ${columnName(table, index)}: ` +
        `${JSON.stringify(value)} is no text`,
    );
  });
}

/** The numbers of columns side by side, of which each may hold a list. */
export function numbersOf(
  table: Rows,
  columns: readonly (string | number)[],
): { readonly data: Float32Array; readonly width: number } {
  const indexes = columns.map((column) => columnIndex(table, column));
  const rows = table.rows.map((fields, row) =>
    indexes.flatMap((index) => {
      const value = fields[index];
      const list: readonly unknown[] = Array.isArray(value) ? value : [value];
      return list.map((one) =>
        numberOf(one, () => {
          return `${table.name}: row ${row + 1}, column ${columnName(table, index)}`;
        }),
      );
    }),
  );
  const width = rows[0]!.length;
  const ragged = rows.findIndex(({ length }) => length !== width);
  if (ragged >= 0) {
    throw new DataError(
      `${table.name}: row ${ragged + 1} has ${rows[ragged]!.length} numbers, the first has ${width}`,
    );
  }
  return { data: Float32Array.from(rows.flat()), width };
}

function numberOf(value: unknown, where: () => string): number {
  const number =
    typeof value === "string" && value.trim() !== "" ? Number(value) : Number(value ?? NaN);
  const isNumber = ["string", "number", "boolean"].includes(typeof value) && value !== "";
  if (isNumber && Number.isFinite(number)) return number;
  throw new DataError(`${where()}: ${JSON.stringify(value) ?? "nothing"} is no number`);
}

/** All of standard input, as UTF-8. */
export async function readStdin(): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of process.stdin) pieces.push(piece as Buffer);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(pieces));
  } catch (error) {
    throw new DataError(`standard input is not UTF-8: ${reasonOf(error)}`, { cause: error });
  }
}
