/** Folders in a page's own file system (OPFS), in browsers. */
import { StateError } from "../errors.js";
import type { Folder } from "./folder.js";

/** The folder at `place` in the page's storage. */
export function openPageFolder(storage: StorageManager, place: string): Folder {
  const names = place.split(/[/\\]/).filter((name) => name !== "" && name !== ".");
  const at = async (create: boolean): Promise<FileSystemDirectoryHandle> => {
    let folder = await storage.getDirectory();
    for (const name of names) folder = await folder.getDirectoryHandle(name, { create });
    return folder;
  };
  const file = async (name: string, create = false): Promise<FileSystemFileHandle> =>
    (await at(create)).getFileHandle(name, { create });
  const contentOf = async (name: string): Promise<File> => (await file(name)).getFile();
  // What is written appears in the file all at once, when the stream is closed.
  const change = async (
    handle: FileSystemFileHandle,
    keepExistingData: boolean,
    body: (stream: FileSystemWritableFileStream) => Promise<void>,
  ): Promise<void> => {
    if (!("createWritable" in handle)) {
      throw new StateError("this browser's pages cannot write files (createWritable)");
    }
    const stream = await handle.createWritable({ keepExistingData });
    try {
      await body(stream);
    } catch (error) {
      await stream.abort();
      throw error;
    }
    await stream.close();
  };
  return {
    pathOf: (name) => [...names, name].join("/"),
    list: async () => {
      const folder = await unlessMissing(at(false));
      if (!folder) return [];
      const found: string[] = [];
      for await (const name of folder.keys()) found.push(name);
      return found;
    },
    read: async (name) => new Uint8Array(await (await contentOf(name)).arrayBuffer()),
    write: async (name, bytes) =>
      change(await file(name, true), false, (stream) => stream.write(bytes)),
    append: async (name, bytes) => {
      const handle = await file(name, true);
      const { size } = await handle.getFile();
      await change(handle, true, async (stream) => {
        await stream.seek(size);
        await stream.write(bytes);
      });
    },
    size: async (name) => (await unlessMissing(contentOf(name)))?.size,
    truncate: async (name, size) =>
      change(await file(name), true, (stream) => stream.truncate(size)),
    remove: async (name) => {
      await unlessMissing(
        at(false).then((folder) => folder.removeEntry(name, { recursive: true })),
      );
    },
  };
}

async function unlessMissing<T>(found: Promise<T>): Promise<T | undefined> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof DOMException && error.name === "NotFoundError") return undefined;
    throw error;
  }
}
