/** Datasets of images in files. */
import { ArgumentError, DataError, reasonOf } from "../errors.js";
import type { FileSource } from "./bytes.js";
import { bytesOf, inNode, readAll } from "./bytes.js";
import { Dataset } from "./dataset.js";
import { resize } from "./augment.js";
import type { Channels } from "./images.js";
import { decodeImage } from "./images.js";
import type { Table } from "./rows.js";
import { indexed } from "./source.js";

/** Options of images in files. */
export interface ImageOptions {
  /** Default: 3. */
  readonly channels?: Channels;
  /** What images are brought to. Default: as they are; then all must be of one size for a batch. */
  readonly size?: readonly [height: number, width: number];
}

/** Images of which each is of a class. */
export interface ImageFolder {
  /** Images `[channels, height, width]` from 0 to 1, and class numbers, in any order. */
  readonly dataset: Dataset<[image: Table, label: number]>;
  /** The names of the classes, in the order of their numbers. */
  readonly classes: readonly string[];
  /** The number of each image's class. */
  readonly labels: Int32Array;
}

const isImage = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

async function loadImage(source: FileSource, { channels = 3, size }: ImageOptions): Promise<Table> {
  const bytes = bytesOf(source);
  const image = await decodeImage(await readAll(bytes), { channels, name: bytes.name });
  return size ? resize(image, size) : image;
}

/** PNG and JPEG images, each from its file when it is needed, as `[channels, height, width]`. */
export function fromImages(
  files: readonly FileSource[],
  options: ImageOptions = {},
): Dataset<Table> {
  return new Dataset(indexed(files.length, (index) => loadImage(files[index]!, options)));
}

/**
 * The images in the folders of `folder` (Node), each folder a class, classes and files in the order
 * of their names. Throws DataError where there are none.
 */
export async function fromImageFolder(
  folder: string,
  options: ImageOptions = {},
): Promise<ImageFolder> {
  if (!inNode) {
    throw new ArgumentError("fromImageFolder: pages have no folders; give files to fromImages");
  }
  const { readdir } = await import("node:fs/promises");
  const path = await import("node:path");
  const list = async (place: string, folders: boolean): Promise<string[]> => {
    try {
      const entries = await readdir(place, { withFileTypes: true });
      return entries
        .filter((entry) => (folders ? entry.isDirectory() : isImage(entry.name)))
        .map(({ name }) => name)
        .sort();
    } catch (error) {
      throw new DataError(`${place} cannot be read: ${reasonOf(error)}`, { cause: error });
    }
  };
  const classes = await list(folder, true);
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    for (const file of await list(path.join(folder, name), false)) {
      files.push(path.join(folder, name, file));
      labels.push(label);
    }
  }
  if (files.length === 0) {
    throw new DataError(`${folder} has no folders with PNG or JPEG images in them`);
  }
  const at = async (index: number): Promise<[Table, number]> => [
    await loadImage(files[index]!, options),
    labels[index]!,
  ];
  return {
    dataset: new Dataset(indexed(files.length, at)),
    classes,
    labels: Int32Array.from(labels),
  };
}
