/** Files that are never seen half-written, in folders that outlast a power cut. */

/** Makes `folder` and those it lies in, where they are missing. */
export async function makeFolder(folder: string): Promise<void> {
  const { mkdir } = await import("node:fs/promises");
  const path = await import("node:path");
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  // A new folder's name is in the one above it.
  for (let made = path.resolve(folder); ; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
    if (made.length <= first.length) return;
  }
}

/** Writes beside, syncs, renames, and syncs the folder: the file is the old one or the new. */
export async function writeAtomically(
  folder: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
  const path = await import("node:path");
  const temporary = path.join(folder, `.${name}.${crypto.randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path.join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}

/** Writes the names in a folder to the disk. */
async function syncFolder(folder: string): Promise<void> {
  // Windows opens no folders, and writes names through.
  if (process.platform === "win32") return;
  const { open } = await import("node:fs/promises");
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
