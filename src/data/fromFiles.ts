/** Datasets of arrays in files: npy, npz and IDX. */
import { DataError } from "../errors.js";
import type { FileSource } from "./bytes.js";
import { bytesOf, readAll } from "./bytes.js";
import { Dataset } from "./dataset.js";
import { fromArrays, rowOf } from "./fromMemory.js";
import { loadIdx } from "./idx.js";
import { openNpy, readNpy } from "./npy.js";
import { readNpz } from "./npz.js";
import type { Table } from "./rows.js";
import { indexed } from "./source.js";

/** The array in an npy file. Throws DataError where it cannot be read, or is none. */
export async function readNpyFile(source: FileSource): Promise<Table> {
  const bytes = bytesOf(source);
  return readNpy(await readAll(bytes), bytes.name);
}

/** The arrays in an npz file, by name. Throws DataError where it cannot be read, or is none. */
export async function readNpzFile(source: FileSource): Promise<Map<string, Table>> {
  const bytes = bytesOf(source);
  return readNpz(await readAll(bytes), bytes.name);
}

/** The array in an IDX file, compressed or not. Throws DataError where it is none. */
export async function readIdxFile(source: FileSource): Promise<Table> {
  return loadIdx(bytesOf(source));
}

/** A table for each file. */
type Rows<F extends readonly unknown[]> = { -readonly [I in keyof F]: Table };

/**
 * The rows of npy files side by side, `[x, y]` or as many as are given, read from the files as they
 * are needed and in any order. Throws DataError for what is no array, and unequal numbers of rows.
 */
export async function fromNpy<const F extends readonly [FileSource, ...FileSource[]]>(
  ...files: F
): Promise<Dataset<Rows<F>>> {
  const opened = await Promise.all(
    files.map(async (file) => {
      const bytes = bytesOf(file);
      return { name: bytes.name, array: await openNpy(bytes) };
    }),
  );
  const [first, ...others] = opened;
  const size = first!.array.shape[0]!;
  for (const { name, array } of others) {
    if (array.shape[0] === size) continue;
    throw new DataError(`${first!.name} has ${size} rows, ${name} has ${array.shape[0]}`);
  }
  return new Dataset(
    indexed(size, async (row) => {
      const tables = await Promise.all(opened.map(({ array }) => array.rows(row, row + 1)));
      const rows: unknown = tables.map((table) => rowOf(table, 0));
      return rows as Rows<F>;
    }),
  );
}

/** Options of `fromIdx`. */
export interface IdxOptions {
  /** What pixels are multiplied by. Default: 1/255, so that they are from 0 to 1. */
  readonly scale?: number;
}

/**
 * Images `[1, height, width]` and labels of IDX files such as MNIST's, which may be compressed.
 * Throws DataError where a file cannot be read, or they do not fit.
 */
export async function fromIdx(
  images: FileSource,
  labels: FileSource,
  { scale = 1 / 255 }: IdxOptions = {},
): Promise<Dataset<[image: Table, label: Table]>> {
  const [pixels, classes] = await Promise.all([readIdxFile(images), readIdxFile(labels)]);
  const [count, height, width, ...more] = pixels.shape;
  if (count === undefined || height === undefined || width === undefined || more.length > 0) {
    throw new DataError(`fromIdx: images have 3 axes, these have ${pixels.shape.length}`);
  }
  const data = new Float32Array(pixels.data);
  for (let i = 0; i < data.length; i++) data[i]! *= scale;
  return fromArrays({ data, shape: [count, 1, height, width] }, classes);
}
