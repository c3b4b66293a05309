/** Datasets of text files, read as they are needed: CSV, TSV, JSON lines, plain lines. */
import { DataError } from "../errors.js";
import type { Bytes, BytesOptions, FileSource } from "./bytes.js";
import { bytesOf } from "./bytes.js";
import { Dataset } from "./dataset.js";
import type { Piece } from "./records.js";
import { onceBytes, piecesOf } from "./records.js";
import type { Cursor, Json, Step } from "./source.js";
import { done, fieldOf, wholeIn } from "./source.js";
import type { TableForm } from "./tables.js";
import { checkColumns, csvForm, parseJsonLine, parseRows, plainLines, tsvForm } from "./tables.js";

/** A file, or a stream of its bytes, which can be gone through once. */
export type TextSource = FileSource | ReadableStream<Uint8Array>;

/** Options of tables in files. */
export interface TableFileOptions extends BytesOptions {
  /** Columns that hold numbers, by name or number; true: all of them. Default: none. */
  readonly numbers?: readonly (string | number)[] | true;
}

/** A field of a row. */
export type Field = string | number;

/** What is known of a table before its rows: the columns' names, or how many there are. */
type Head = readonly string[] | number;

/** What a piece of a file comes to: elements, and the line of each for messages. */
interface Parsed<T> {
  readonly elements: readonly T[];
  readonly head?: Head | undefined;
}

/** How pieces become elements; `head` is what earlier ones told. */
type Parse<T> = (piece: Piece, name: string, head: Head | undefined) => Parsed<T>;

function openText(source: TextSource, options: BytesOptions): Bytes {
  if (!(source instanceof ReadableStream)) return bytesOf(source, options);
  return onceBytes(options.name ?? "the stream", {
    async *[Symbol.asyncIterator]() {
      const reader = source.getReader();
      try {
        for (;;) {
          const step = await reader.read();
          if (step.done) return;
          yield step.value;
        }
      } finally {
        await reader.cancel();
      }
    },
  });
}

function textDataset<T>(
  source: TextSource,
  options: BytesOptions,
  quoted: string | undefined,
  parse: Parse<T>,
): Dataset<T> {
  const bytes = openText(source, options);
  return new Dataset({ size: undefined, open: () => new TextCursor(bytes, quoted, parse) });
}

/** Its state is where a piece began, and how many of the elements from there on were given. */
class TextCursor<T> implements Cursor<T> {
  private pieces: AsyncGenerator<Piece, void> | undefined;
  private offset = 0;
  private line = 1;
  private row = 0;
  private head: Head | undefined;
  /** What the piece at `offset` is read with: before the first, no columns are known. */
  private headBefore: Head | undefined;
  private elements: readonly T[] = [];
  private begun = false;

  constructor(
    private readonly bytes: Bytes,
    private readonly quoted: string | undefined,
    private readonly parse: Parse<T>,
  ) {}

  async next(): Promise<Step<T>> {
    while (this.row >= this.elements.length) if (!(await this.advance())) return done;
    return { done: false, value: this.elements[this.row++]! };
  }

  state(): Json {
    const { offset, line, row, headBefore } = this;
    return { offset, line, row, head: headBefore ?? null };
  }

  async load(state: Json): Promise<void> {
    const [offset, line] = [wholeIn(state, "offset"), wholeIn(state, "line")];
    const row = wholeIn(state, "row");
    const head = headIn(fieldOf(state, "head"));
    await this.close();
    Object.assign(this, { offset, line, head, headBefore: head, elements: [], row: 0 });
    this.begun = false;
    this.pieces = undefined;
    // The pieces may be cut otherwise than they were.
    for (let left = row; left > 0;) {
      if (this.row >= this.elements.length && !(await this.advance())) {
        throw new DataError(`${this.bytes.name} is not what it was when the state was saved`);
      }
      const passed = Math.min(left, this.elements.length - this.row);
      this.row += passed;
      left -= passed;
    }
  }

  async close(): Promise<void> {
    await this.pieces?.return();
  }

  /** Goes to the next piece; false where there is none. */
  private async advance(): Promise<boolean> {
    this.pieces ??= piecesOf(this.bytes, { offset: this.offset, line: this.line }, this.quoted);
    const { done: ended, value: piece } = await this.pieces.next();
    if (ended === true) return false;
    if (this.begun) this.headBefore = this.head;
    this.begun = true;
    this.offset = piece.offset;
    this.line = piece.line;
    this.row = 0;
    const { elements, head } = this.parse(piece, this.bytes.name, this.head);
    this.elements = elements;
    this.head = head;
    return true;
  }
}

function headIn(value: Json): Head | undefined {
  if (value === null) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  const names: readonly unknown[] = Array.isArray(value) ? value : [undefined];
  if (names.every((name): name is string => typeof name === "string")) return names;
  throw new DataError("Dataset: the saved columns are no names");
}

function tableParser<T>(
  form: TableForm,
  { numbers = [] }: TableFileOptions,
  header: boolean,
  elementOf: (fields: readonly Field[], columns: readonly string[]) => T,
): Parse<T> {
  return (piece, name, known) => {
    const width = typeof known === "number" ? known : known?.length;
    const { rows, lineOf } = parseRows(piece.text, form, { name, firstLine: piece.line, width });
    const [first] = rows;
    if (!first) return { elements: [], head: known };
    const begins = header && known === undefined;
    if (begins) checkColumns(name, first, lineOf(0));
    const head = known ?? (header ? first : first.length);
    const columns = typeof head === "number" ? [] : head;
    const isNumber = numberColumns(name, head, numbers);
    const elements = rows.slice(begins ? 1 : 0).map((row, index) => {
      const fields = row.map((field, column) => {
        if (!isNumber[column]) return field;
        const value = Number(field);
        if (field.trim() !== "" && !Number.isNaN(value)) return value;
        const line = lineOf(index + (begins ? 1 : 0));
        const which = columns[column] ?? String(column);
        throw new DataError(`${name}: line ${line}: column ${which} holds "${field}", no number`);
      });
      return elementOf(fields, columns);
    });
    return { elements, head };
  };
}

function numberColumns(
  name: string,
  head: Head,
  numbers: NonNullable<TableFileOptions["numbers"]>,
): readonly boolean[] {
  const names = typeof head === "number" ? Array.from({ length: head }, (_, i) => String(i)) : head;
  if (numbers === true) return names.map(() => true);
  for (const column of numbers) {
    const there = typeof column === "number" ? column < names.length : names.includes(column);
    if (there) continue;
    throw new DataError(`${name} has no column ${column}: there are ${names.join(", ")}`);
  }
  return names.map((column, index) => numbers.includes(column) || numbers.includes(index));
}

function tableDataset(
  source: TextSource,
  form: TableForm,
  options: TableFileOptions & { readonly header?: boolean },
): Dataset<Record<string, Field>> | Dataset<readonly Field[]> {
  const quoted = form === csvForm ? form.delimiter : undefined;
  if (options.header === true) {
    const parse = tableParser(form, options, true, (fields, columns): Record<string, Field> =>
      Object.fromEntries(fields.map((field, index) => [columns[index]!, field])),
    );
    return textDataset(source, options, quoted, parse);
  }
  const parse = tableParser(form, options, false, (fields): readonly Field[] => fields);
  return textDataset(source, options, quoted, parse);
}

/** Options of tables whose first row names the columns. */
export type WithHeader = TableFileOptions & { readonly header: true };

/**
 * The rows of comma-separated values, as `readCsv` has them: with `header`, objects by column, else
 * lists. The file may be larger than memory. Reading throws DataError naming the line.
 */
export function fromCsv(source: TextSource, options: WithHeader): Dataset<Record<string, Field>>;
export function fromCsv(source: TextSource, options?: TableFileOptions): Dataset<readonly Field[]>;
export function fromCsv(
  source: TextSource,
  options: TableFileOptions = {},
): Dataset<Record<string, Field>> | Dataset<readonly Field[]> {
  return tableDataset(source, csvForm, options);
}

/** The rows of tab-separated values; quotes are ordinary characters. Otherwise as `fromCsv`. */
export function fromTsv(source: TextSource, options: WithHeader): Dataset<Record<string, Field>>;
export function fromTsv(source: TextSource, options?: TableFileOptions): Dataset<readonly Field[]>;
export function fromTsv(
  source: TextSource,
  options: TableFileOptions = {},
): Dataset<Record<string, Field>> | Dataset<readonly Field[]> {
  return tableDataset(source, tsvForm, options);
}

/** The lines of `piece` that are not blank, each with its number. */
function linesIn(piece: Piece): { text: string; line: number }[] {
  return plainLines(piece.text)
    .split("\n")
    .map((text, index) => ({ text, line: piece.line + index }))
    .filter(({ text }) => text.trim() !== "");
}

/** The JSON values of a file, one a line. Reading throws DataError naming the line. */
export function fromJsonl(source: TextSource, options: BytesOptions = {}): Dataset<unknown> {
  return textDataset(source, options, undefined, (piece, name) => ({
    elements: linesIn(piece).map(({ text, line }) => parseJsonLine(text, name, line)),
  }));
}

/** The lines of a file that are not blank. Reading throws DataError for what is not UTF-8. */
export function fromLines(source: TextSource, options: BytesOptions = {}): Dataset<string> {
  return textDataset(source, options, undefined, (piece) => ({
    elements: linesIn(piece).map(({ text }) => text),
  }));
}
