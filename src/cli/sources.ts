/** Inputs and labels as they are in files, before anything is learned of them. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../data/dataset.js";
import { readIdxFile, readNpyFile, readNpzFile } from "../data/fromFiles.js";
import type { ImageOptions } from "../data/imageFolder.js";
import { fromImageFolder, fromImages } from "../data/imageFolder.js";
import type { Table } from "../data/rows.js";
import { DataError, reasonOf } from "../errors.js";
import type { Format } from "./config.js";
import { formatOf } from "./preprocessing.js";
import type { Rows } from "./tables.js";
import { columnIndex, numbersOf, readRows, textsOf } from "./tables.js";

/** Where data is; paths are whole, or from where the process runs. */
export interface Place {
  readonly path?: string | undefined;
  readonly format?: Format | undefined;
  readonly inputs?: string | undefined;
  readonly labels?: string | undefined;
  /** The content of a table that was read from standard input. */
  readonly text?: string | undefined;
}

/** What of a table is input and label. */
export interface Fields {
  readonly header: boolean;
  readonly text?: string | number | undefined;
  readonly columns?: readonly (string | number)[] | undefined;
  readonly label?: string | number | undefined;
  readonly image?: ImageOptions | undefined;
}

/** Inputs as they are. */
export type RawInputs =
  | { readonly of: "texts"; readonly texts: readonly string[] }
  | {
      readonly of: "numbers";
      readonly table: Table;
      /** The columns they are from, of a table. */
      readonly columns?: readonly (string | number)[];
    }
  | { readonly of: "images"; readonly images: Dataset<Table>; readonly size: number };

/** Labels as they are: names, or an array. */
export type RawLabels =
  | {
      readonly of: "names";
      readonly names: readonly string[];
      readonly classes?: readonly string[];
    }
  | { readonly of: "numbers"; readonly table: Table };

/** Inputs, and labels a row for a row, unless only inputs were asked for. */
export interface Raw {
  readonly name: string;
  readonly format: Format;
  readonly inputs: RawInputs;
  readonly labels: RawLabels | undefined;
}

/** Reads what is at `place`. Throws DataError where it cannot be read or is something else. */
export async function readSource(
  place: Place,
  fields: Fields,
  want: "labels" | "inputs",
): Promise<Raw> {
  const name = place.path ?? place.inputs ?? "the data";
  const format = place.format ?? (await detect(name));
  const labelled = want === "labels";
  switch (format) {
    case "csv":
    case "tsv":
    case "jsonl":
    case "parquet": {
      const { header } = fields;
      const { text } = place;
      const rows = await readRows({ name, format, header, ...(text !== undefined && { text }) });
      return { name, format, ...fieldsOf(rows, fields, labelled) };
    }
    case "npy":
      return { name, format, ...(await arrays(place, readNpyFile, labelled)) };
    case "idx":
      return { name, format, ...(await arrays(place, readIdxFile, labelled)) };
    case "npz":
      return { name, format, ...(await members(name, place, labelled)) };
    case "imageFolder":
      return { name, format, ...(await images(name, fields.image ?? {}, labelled)) };
  }
}

async function detect(path: string): Promise<Format> {
  try {
    return formatOf(path, (await stat(path)).isDirectory());
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${path} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

type Parts = Pick<Raw, "inputs" | "labels">;

function fieldsOf(rows: Rows, fields: Fields, labelled: boolean): Parts {
  const { text, label } = fields;
  if (labelled && label === undefined) {
    throw new DataError(`${rows.name} is a table: say by data.label which column is predicted`);
  }
  const labels = labelled ? labelsOf(rows, label!) : undefined;
  if (text !== undefined) return { inputs: { of: "texts", texts: textsOf(rows, text) }, labels };
  const columns = fields.columns ?? otherColumns(rows, label);
  const { data, width } = numbersOf(rows, columns);
  const table = { data, shape: [rows.rows.length, width] };
  return { inputs: { of: "numbers", table, columns }, labels };
}

function labelsOf(rows: Rows, label: string | number): RawLabels {
  const index = columnIndex(rows, label);
  return {
    of: "names",
    names: rows.rows.map((fields, row) => {
      const value = fields[index];
      if (["string", "number", "boolean"].includes(typeof value)) return String(value);
      throw new DataError(
        `${rows.name}: row ${row + 1}: the label ${JSON.stringify(value) ?? "nothing"} is no name`,
      );
    }),
  };
}

/** All columns but the label's, by their names if they have some. */
function otherColumns(rows: Rows, label: string | number | undefined): (string | number)[] {
  const without = label === undefined ? -1 : columnIndex(rows, label);
  const all = rows.columns ?? rows.rows[0]!.map((_, index) => index);
  return all.filter((_, index) => index !== without);
}

async function arrays(
  { path, inputs = path, labels }: Place,
  read: (path: string) => Promise<Table>,
  labelled: boolean,
): Promise<Parts> {
  if (labelled && labels === undefined) {
    throw new DataError(`${inputs} holds inputs only; say which file holds the labels`);
  }
  return {
    inputs: { of: "numbers", table: await read(inputs!) },
    labels: labelled ? { of: "numbers", table: await read(labels!) } : undefined,
  };
}

async function members(
  name: string,
  { inputs = "x", labels = "y" }: Place,
  labelled: boolean,
): Promise<Parts> {
  const found = await readNpzFile(name);
  const member = (key: string): Table => {
    const table = found.get(key);
    if (table) return table;
    throw new DataError(`${name} has no array "${key}": there are ${[...found.keys()].join(", ")}`);
  };
  return {
    inputs: { of: "numbers", table: member(inputs) },
    labels: labelled ? { of: "numbers", table: member(labels) } : undefined,
  };
}

const isImage = (path: string): boolean => /\.(png|jpe?g)$/i.test(path);

async function images(place: string, options: ImageOptions, labelled: boolean): Promise<Parts> {
  if (!labelled) {
    const files = await imageFiles(place);
    const loose = fromImages(files, options);
    return { inputs: { of: "images", images: loose, size: files.length }, labels: undefined };
  }
  const { dataset, classes, labels } = await fromImageFolder(place, options);
  const names = Array.from(labels, (label) => classes[label]!);
  return {
    inputs: { of: "images", images: dataset.map(([image]) => image), size: labels.length },
    labels: { of: "names", names, classes },
  };
}

/** The images at a path: itself, or all that are in the folder, in the order of their names. */
async function imageFiles(place: string): Promise<string[]> {
  if (isImage(place)) return [place];
  const entries = await readdir(place, { recursive: true });
  const files = entries.filter(isImage).sort();
  if (files.length === 0) throw new DataError(`${place} has no PNG or JPEG images in it`);
  return files.map((file) => join(place, file));
}
