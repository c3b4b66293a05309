/** Folders on the disk, in Node. */
import { makeFolder, writeAtomically } from "./atomicFile.js";
import type { Folder } from "./folder.js";

/** The folder at `place`. */
export async function openDiskFolder(place: string): Promise<Folder> {
  const fs = await import("node:fs/promises");
  const path = await import("node:path");
  const pathOf = (name: string): string => path.join(place, name);
  let made: Promise<void> | undefined;
  const make = async (): Promise<void> => {
    made ??= makeFolder(place);
    try {
      await made;
    } catch (error) {
      made = undefined;
      throw error;
    }
  };
  return {
    pathOf,
    list: () => unlessMissing(fs.readdir(place), []),
    read: async (name) => new Uint8Array(await fs.readFile(pathOf(name))),
    write: async (name, bytes) => {
      await make();
      await writeAtomically(place, name, bytes);
    },
    append: async (name, bytes) => {
      await make();
      const file = await fs.open(pathOf(name), "a");
      try {
        await file.writeFile(bytes);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    size: async (name) => (await unlessMissing(fs.stat(pathOf(name)), undefined))?.size,
    truncate: (name, size) => fs.truncate(pathOf(name), size),
    remove: (name) => fs.rm(pathOf(name), { recursive: true, force: true }),
  };
}

async function unlessMissing<T, U>(found: Promise<T>, missing: U): Promise<T | U> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return missing;
    throw error;
  }
}
