/** Folders of files: on the disk in Node, in the page's own storage (OPFS) in browsers. */

/** Files by name. All of it rejects with what the system says. */
export interface Folder {
  /** What errors call a file in it. */
  pathOf(name: string): string;
  /** The names of its files and folders; none where the folder is missing. */
  list(): Promise<string[]>;
  read(name: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Makes the folder if it is missing, and replaces the file at once or not at all. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Adds to the end of a file; makes folder and file if they are missing. */
  append(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** The bytes of a file; undefined where there is none. */
  size(name: string): Promise<number | undefined>;
  /** Keeps the first `size` bytes of a file. */
  truncate(name: string, size: number): Promise<void>;
  /** Removes a file, or a folder with all that is in it, if it is there. */
  remove(name: string): Promise<void>;
}

/** The folder at `place`: a path. It need not be there before something is written. */
export async function openFolder(place: string): Promise<Folder> {
  const storage = pageStorage();
  if (storage) return (await import("./pageFolder.js")).openPageFolder(storage, place);
  return (await import("./diskFolder.js")).openDiskFolder(place);
}

/** What only browsers have: a file system of the page's own. */
function pageStorage(): StorageManager | undefined {
  const { navigator } = globalThis as { readonly navigator?: Partial<Navigator> };
  return navigator?.storage;
}

/** A path as its folder and the name in it. */
export function splitPath(path: string): readonly [place: string, name: string] {
  const parts = /^(.*)[/\\]([^/\\]+)[/\\]*$/s.exec(path);
  return parts ? [parts[1] === "" ? "/" : parts[1]!, parts[2]!] : [".", path];
}
