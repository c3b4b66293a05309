/** NumPy's archives of arrays: zip files of npy files. */
import { cut } from "../checks.js";
import { DataError, reasonOf } from "../errors.js";
import { readNpy, writeNpy } from "./npy.js";
import type { Table } from "./rows.js";

/** No deflated file is smaller than this share of its content (the format's own limit). */
const greatestRatio = 1032;
const ending = ".npy";

/**
 * The arrays in the bytes of an npz file, by name; errors call it `name`. Throws DataError, saying
 * which array and why, for anything but a whole archive of arrays of numbers.
 */
export async function readNpz(bytes: Uint8Array, name = "npz"): Promise<Map<string, Table>> {
  const { unzipSync } = await import("fflate");
  const names: string[] = [];
  const unpack = (): Record<string, Uint8Array> =>
    unzipSync(bytes, {
      // Sizes are checked before memory is taken.
      filter: (member) => {
        const { name: path, size, originalSize } = member;
        const told = cut(path);
        if (!path.endsWith(ending)) throw new DataError(`${name} holds ${told}, which is no array`);
        if (names.includes(path)) throw new DataError(`${name} holds ${told} twice`);
        if (size > bytes.length || originalSize > size * greatestRatio) {
          throw new DataError(
            `${name}: ${told} is said to be ${originalSize} bytes out of ${size}, which cannot be`,
          );
        }
        names.push(path);
        return true;
      },
    });
  let files: Record<string, Uint8Array>;
  try {
    files = unpack();
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${name} is no valid npz file: ${reasonOf(error)}`, { cause: error });
  }
  return new Map(
    names.map((path) => {
      const found = Object.entries(files).find(([key]) => key === path)?.[1];
      const told = `${name}: ${cut(path)}`;
      if (!found) throw new DataError(`${told} cannot be read`);
      return [path.slice(0, -ending.length), readNpy(found, told)];
    }),
  );
}

/** Options of `writeNpz`. */
export interface NpzOptions {
  /** Whether arrays are compressed. Default: false. */
  readonly compress?: boolean;
}

/** Arrays by name as the bytes of an npz file. Throws as `writeNpy` does. */
export async function writeNpz(
  arrays: ReadonlyMap<string, Table>,
  { compress = false }: NpzOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { zipSync } = await import("fflate");
  const files = Object.fromEntries(
    [...arrays].map(([name, table]) => [name + ending, writeNpy(table)]),
  );
  // Of no particular time: the same arrays make the same bytes.
  return zipSync(files, { level: compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}
