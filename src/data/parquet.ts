/** Parquet files, a row group at a time, by hyparquet, which is loaded when it is needed. */
import type { AsyncBuffer, Compressors, FileMetaData, SchemaTree } from "hyparquet";
import { ArgumentError, DataError, reasonOf } from "../errors.js";
import type { Bytes, BytesOptions, FileSource } from "./bytes.js";
import { bytesOf } from "./bytes.js";
import { Dataset } from "./dataset.js";
import type { Cursor, Json, Step } from "./source.js";
import { done, wholeIn } from "./source.js";

/** A value of a column; 64-bit integers come as numbers. */
export type ParquetValue =
  | number
  | string
  | boolean
  | Date
  | Uint8Array
  | null
  | readonly ParquetValue[]
  | { readonly [name: string]: ParquetValue };

/** A row, by column. */
export type ParquetRow = { readonly [column: string]: ParquetValue };

/** Options of `fromParquet`. */
export interface ParquetOptions extends BytesOptions {
  /** The columns to read. Default: all. */
  readonly columns?: readonly string[];
}

/** A page of more bytes than this is an attack, or needs a larger machine. */
const greatestPage = 2 ** 30;

/** The library, and what it reads by. */
async function load(name: string): Promise<{
  readonly library: typeof import("hyparquet");
  readonly compressors: Compressors;
}> {
  const [library, { compressors }] = await Promise.all([
    import("hyparquet"),
    import("hyparquet-compressors"),
  ]);
  const bounded = Object.entries(compressors).map(([codec, unpack]) => [
    codec,
    (input: Uint8Array, length: number): Uint8Array => {
      if (length <= greatestPage) return unpack(input, length);
      throw new DataError(`${name} has a page of ${length} bytes; ${greatestPage} are the most`);
    },
  ]);
  return { library, compressors: Object.fromEntries(bounded) as Compressors };
}

/** Runs `read`; what it throws becomes a DataError. */
async function readable<T>(name: string, read: () => T | Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${name} is no Parquet file that can be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * The rows of a Parquet file, objects by column; a row group is in memory at a time. Throws
 * DataError for a file that cannot be read, and columns that it does not have.
 */
export async function fromParquet(
  source: FileSource,
  { columns, ...options }: ParquetOptions = {},
): Promise<Dataset<ParquetRow>> {
  const bytes = bytesOf(source, options);
  const { library } = await load(bytes.name);
  const byteLength = await bytes.size();
  const file: AsyncBuffer = {
    byteLength,
    slice: (start, end = byteLength) => {
      const read = bytes.read(start, end).then(({ buffer }) => buffer);
      // The library asks for several parts at once, and awaits no more of them after a failure.
      read.catch(() => undefined);
      return read;
    },
  };
  const metadata = await readable(bytes.name, () => library.parquetMetadataAsync(file));
  const groups = await readable(bytes.name, () =>
    metadata.row_groups.map(({ num_rows: rows }) => Number(rows)),
  );
  const size = groups.reduce((a, b) => a + b, 0);
  if (!Number.isSafeInteger(size) || size < 0 || size !== Number(metadata.num_rows)) {
    throw new DataError(
      `${bytes.name} says it has ${metadata.num_rows} rows; its groups have ${size}`,
    );
  }
  const schema = await readable(bytes.name, () => library.parquetSchema(metadata));
  // The types promise more than a file does.
  await readable(bytes.name, () => {
    checkColumns(bytes.name, schema, metadata);
  });
  const known = schema.children.map(({ element }) => element.name);
  const missing = columns?.find((column) => !known.includes(column));
  if (missing !== undefined) {
    throw new DataError(`${bytes.name} has no column ${missing}: there are ${known.join(", ")}`);
  }
  const opened = { bytes, file, metadata, columns, groups };
  return new Dataset({ size, open: () => new ParquetCursor(opened) });
}

/** The paths of the columns that hold values. */
function leavesOf({ children, path }: SchemaTree): string[] {
  return children.length === 0 ? [path.join(".")] : children.flatMap(leavesOf);
}

/** Throws unless every group has the columns of the schema: the library relies on it. */
function checkColumns(
  name: string,
  schema: SchemaTree,
  { row_groups: groups }: FileMetaData,
): void {
  const leaves = leavesOf(schema);
  const twice = leaves.find((leaf, index) => leaves.indexOf(leaf) < index);
  if (twice !== undefined) throw new DataError(`${name} has two columns ${twice}`);
  for (const [index, { columns }] of groups.entries()) {
    const paths = columns.map(({ meta_data: about }) => about?.path_in_schema.join(".") ?? "");
    if (paths.length === leaves.length && paths.every((path, at) => path === leaves[at])) continue;
    throw new DataError(
      `${name}: group ${index} has the columns ${paths.join(", ").slice(0, 200)}, ` +
        `the schema ${leaves.join(", ").slice(0, 200)}`,
    );
  }
}

interface Opened {
  readonly bytes: Bytes;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly columns: readonly string[] | undefined;
  /** Rows of each group. */
  readonly groups: readonly number[];
}

class ParquetCursor implements Cursor<ParquetRow> {
  private row = 0;
  private start = 0;
  private rows: readonly ParquetRow[] = [];

  constructor(private readonly opened: Opened) {}

  async next(): Promise<Step<ParquetRow>> {
    if (this.row >= this.start + this.rows.length && !(await this.read())) return done;
    return { done: false, value: this.rows[this.row++ - this.start]! };
  }

  state(): Json {
    return { parquetRow: this.row };
  }

  load(state: Json): void {
    const total = this.opened.groups.reduce((a, b) => a + b, 0);
    this.row = wholeIn(state, "parquetRow", total);
    this.start = 0;
    this.rows = [];
  }

  close(): void {
    this.rows = [];
    this.start = this.row;
  }

  /** Reads the group that `row` is in; false behind the last one. */
  private async read(): Promise<boolean> {
    const { bytes, file, metadata, columns, groups } = this.opened;
    let start = 0;
    const group = groups.findIndex((rows) => (start += rows) > this.row);
    if (group < 0) return false;
    const rowEnd = start;
    const rowStart = rowEnd - groups[group]!;
    const { library, compressors } = await load(bytes.name);
    const found = await readable(bytes.name, () =>
      library.parquetReadObjects({
        file,
        metadata,
        compressors,
        rowStart,
        rowEnd,
        ...(columns && { columns: [...columns] }),
      }),
    );
    if (found.length !== rowEnd - rowStart) {
      throw new DataError(
        `${bytes.name}: group ${group} gives ${found.length} rows, not ${rowEnd - rowStart}`,
      );
    }
    this.rows = found.map((row) => plainRow(bytes.name, row));
    this.start = rowStart;
    return true;
  }
}

function plainRow(name: string, row: Record<string, unknown>): ParquetRow {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, plainValue(name, column, value)]),
  );
}

function plainValue(name: string, column: string, value: unknown): ParquetValue {
  if (typeof value === "bigint") {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new DataError(`${name}: column ${column} holds ${value}, over what numbers hold exactly`);
  }
  if (typeof value === "number" || typeof value === "string" || typeof value === "boolean") {
    return value;
  }
  if (value instanceof Date || value instanceof Uint8Array) return value;
  if (value === undefined || value === null) return null;
  if (Array.isArray(value)) return value.map((entry) => plainValue(name, column, entry));
  if (typeof value === "object") return plainRow(name, value as Record<string, unknown>);
  throw new DataError(`${name}: column ${column} holds a ${typeof value}`);
}

/** What a column is written from. */
export type ParquetColumn =
  | Float32Array
  | Float64Array
  | Int32Array
  | readonly number[]
  | readonly string[]
  | readonly boolean[];

/** Columns of one length as the bytes of a Parquet file; number lists are written as float64. */
export async function writeParquet(columns: {
  readonly [name: string]: ParquetColumn;
}): Promise<Uint8Array<ArrayBuffer>> {
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const entries = Object.entries(columns);
  const [first] = entries;
  if (!first) throw new ArgumentError("writeParquet: there are no columns");
  const wrong = entries.find(([, data]) => data.length !== first[1].length);
  if (wrong) {
    throw new ArgumentError(
      `writeParquet: column ${first[0]} has ${first[1].length} rows, ` +
        `${wrong[0]} has ${wrong[1].length}`,
    );
  }
  const columnData = entries.map(([name, data]) => ({
    name,
    data: data instanceof Float32Array || data instanceof Int32Array ? data : [...data],
    type: columnType(name, data),
    nullable: false,
  }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function columnType(
  name: string,
  data: ParquetColumn,
): "FLOAT" | "DOUBLE" | "INT32" | "STRING" | "BOOLEAN" {
  if (data instanceof Float32Array) return "FLOAT";
  if (data instanceof Float64Array) return "DOUBLE";
  if (data instanceof Int32Array) return "INT32";
  const kinds = new Set(Array.from(data as readonly unknown[], (value) => typeof value));
  if (kinds.size > 1) {
    throw new ArgumentError(`writeParquet: column ${name} is of ${[...kinds].join(" and ")}`);
  }
  const [kind = "number"] = kinds;
  if (kind === "number") return "DOUBLE";
  if (kind === "string") return "STRING";
  if (kind === "boolean") return "BOOLEAN";
  throw new ArgumentError(`writeParquet: column ${name} is of ${kind}; it cannot be written`);
}
