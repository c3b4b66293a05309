/** How rows become a model's input: learned from what is trained on, and saved with the model. */
import { z } from "zod";
import { resize } from "../data/augment.js";
import type { Table } from "../data/rows.js";
import { DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sizeOf } from "../shape.js";
import type { DataConfig, Format } from "./config.js";
import { formats } from "./config.js";
import { messages, positive } from "./schema.js";

const column = z.union([z.string(), z.int()]);

const preprocessingSchema = z.object({
  format: z.enum(formats),
  header: z.boolean(),
  target: z.enum(["class", "number"]),
  label: column.optional(),
  /** The column of the text; the vectorizer is saved beside. */
  text: column.optional(),
  columns: z.array(column).optional(),
  /** Whether inputs are whole numbers, as token ids are. */
  whole: z.boolean(),
  /** What is subtracted and then multiplied, for each entry of a row's first axis, or for all. */
  scaling: z.object({ offset: z.array(z.number()), factor: z.array(z.number()) }).optional(),
  shape: z.array(positive).min(1),
  image: z.object({ channels: z.union([z.literal(1), z.literal(3), z.literal(4)]) }).optional(),
});

/** What must be known to make inputs of rows, besides the vectorizer and the classes. */
export type Preprocessing = z.output<typeof preprocessingSchema>;

/** What was saved with a model. Throws DataError where it was not saved by the command line. */
export function preprocessingFrom(saved: object | undefined, place: string): Preprocessing {
  if (!saved) {
    throw new DataError(
      `${place} says nothing of how rows become its input: it was not trained by \`ferrograd train\``,
    );
  }
  const result = preprocessingSchema.safeParse(saved, { error: messages });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new DataError(`${place}: preprocessing.${issue!.path.join(".")}: ${issue!.message}`);
}

export type Scaling = NonNullable<Preprocessing["scaling"]>;

/** What bytes of pixels are divided by. */
const greatestByte = 255;

/** Tables of rows, `[rows, ...]`, as often as they are gone through. */
type Passes = () => AsyncIterable<Table> | Iterable<Table>;

/** The scaling that `how` asks for: by entry of a row's first axis, so that images go by channel. */
export async function learnScaling(
  how: NonNullable<DataConfig["scaling"]>,
  passes: Passes,
): Promise<Scaling | undefined> {
  if (how === "none") return undefined;
  if (how === "pixels") return { offset: [0], factor: [1 / greatestByte] };
  const { offset, spread } = how === "minMax" ? await ranges(passes) : await spreads(passes);
  // What is always the same says nothing, and stays.
  return { offset, factor: spread.map((one) => (one > 0 ? 1 / one : 1)) };
}

interface Ranges {
  readonly offset: number[];
  readonly spread: number[];
}

/** Goes through all numbers of all rows, with the group of each. */
async function each(passes: Passes, see: (value: number, group: number) => void): Promise<void> {
  for await (const { data, shape } of passes()) {
    const [, groups = 1, ...inner] = shape;
    const width = sizeOf(inner);
    for (let i = 0; i < data.length; i++) see(Number(data[i]), Math.floor(i / width) % groups);
  }
}

async function ranges(passes: Passes): Promise<Ranges> {
  const [least, most]: [number[], number[]] = [[], []];
  await each(passes, (value, group) => {
    least[group] = Math.min(least[group] ?? Infinity, value);
    most[group] = Math.max(most[group] ?? -Infinity, value);
  });
  return { offset: least, spread: most.map((one, group) => one - least[group]!) };
}

async function spreads(passes: Passes): Promise<Ranges> {
  const [counts, sums, squares]: [number[], number[], number[]] = [[], [], []];
  await each(passes, (value, group) => {
    counts[group] = (counts[group] ?? 0) + 1;
    sums[group] = (sums[group] ?? 0) + value;
  });
  const means = sums.map((sum, group) => sum / counts[group]!);
  // From the means, in a second pass: squares of large numbers would leave no digits.
  await each(passes, (value, group) => {
    squares[group] = (squares[group] ?? 0) + (value - means[group]!) ** 2;
  });
  return { offset: means, spread: squares.map((sum, i) => Math.sqrt(sum / counts[i]!)) };
}

/** `table`, `[rows, ...]`, as the model takes it: scaled, and each row of the model's shape. */
export function applyTo(table: Table, how: Preprocessing, name: string): Table {
  const [rows = 0, ...inner] = table.shape;
  if (sizeOf(inner) !== sizeOf(how.shape)) {
    throw new DataError(
      `${name}: a row has ${sizeOf(inner)} numbers; the model takes ${formatShape(how.shape)}`,
    );
  }
  const shape: Shape = [rows, ...how.shape];
  if (how.whole) return { data: Int32Array.from(table.data, Number), shape };
  const data = Float32Array.from(table.data, Number);
  if (how.scaling) scale(data, how.scaling, how.scaling.offset.length > 1 ? inner : [1]);
  return { data, shape };
}

function scale(data: Float32Array, { offset, factor }: Scaling, inner: Shape): void {
  const groups = offset.length;
  const width = groups > 1 ? sizeOf(inner.slice(1)) : data.length;
  for (let i = 0; i < data.length; i++) {
    const group = Math.floor(i / width) % groups;
    data[i] = (data[i]! - offset[group]!) * factor[group]!;
  }
}

/** An image as the model takes it. */
export function applyToImage(image: Table, how: Preprocessing): Table {
  const [, height, width] = how.shape;
  const fitted = resize(image, [height!, width!]);
  const { data } = applyTo({ ...fitted, shape: [1, ...fitted.shape] }, how, "the image");
  return { data, shape: fitted.shape };
}

/** The format of a file by its ending. Throws DataError where that tells nothing. */
export function formatOf(path: string, isFolder: boolean): Format {
  if (isFolder) return "imageFolder";
  const name = path.toLowerCase().replace(/\.gz$/, "");
  const ending = /\.(\w+)$/.exec(name)?.[1] ?? "";
  if (/(idx\d-ubyte|\.idx)$/.test(name)) return "idx";
  const byEnding: { readonly [ending: string]: Format } = {
    csv: "csv",
    tsv: "tsv",
    jsonl: "jsonl",
    ndjson: "jsonl",
    parquet: "parquet",
    npy: "npy",
    npz: "npz",
  };
  const found = Object.hasOwn(byEnding, ending) ? byEnding[ending] : undefined;
  if (found) return found;
  throw new DataError(`${path}: the ending tells no format; say format: ${formats.join(", ")}`);
}
