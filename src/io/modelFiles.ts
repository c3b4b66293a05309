/**
 * A model's files in a folder: `model.json`, and data files it names with their checksums. Data
 * files are written first, under names made of their content; replacing `model.json` in one rename
 * is what saves. So at every moment, and after any crash, the folder holds a whole model.
 */
import { DataError } from "../errors.js";

/** What `model.json` says of a data file. */
export interface FileRecord {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A model as files: a description, and data by what it is (`weights`, `optimizer`). */
export interface ModelFiles {
  readonly description: object;
  readonly data: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

const index = "model.json";
/** How much of a checksum makes a file name. */
const nameDigits = 16;

/** The SHA-256 checksum of `bytes`, in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Saves `files` in `folder`, which is made if it is missing; an older model is replaced. */
export async function writeModelFiles(folder: string, files: ModelFiles): Promise<void> {
  const { mkdir, readdir, rm } = await import("node:fs/promises");
  const path = await import("node:path");
  await mkdir(folder, { recursive: true });
  const records: Record<string, FileRecord> = {};
  for (const [kind, bytes] of files.data) {
    const digest = await sha256(bytes);
    const name = `${kind}-${digest.slice(0, nameDigits)}.safetensors`;
    await writeAtomically(folder, name, bytes);
    records[kind] = { name, bytes: bytes.length, sha256: digest };
  }
  const text = JSON.stringify({ ...files.description, files: records }, undefined, 2);
  await writeAtomically(folder, index, new TextEncoder().encode(`${text}\n`));
  const kept = new Set(Object.values(records).map(({ name }) => name));
  for (const name of await readdir(folder)) {
    if (name.endsWith(".safetensors") && !kept.has(name)) await rm(path.join(folder, name));
  }
}

/**
 * The model saved in `folder`. Throws DataError, saying which file and why, where one is missing,
 * cut short or changed.
 */
export async function readModelFiles(folder: string): Promise<ModelFiles> {
  const path = await import("node:path");
  const text = new TextDecoder().decode(await readBytes(path.join(folder, index)));
  let description: unknown;
  try {
    description = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path.join(folder, index)} is not JSON: ${reason}`);
  }
  const data = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [kind, { name, bytes: size, sha256: expected }] of recordsOf(folder, description)) {
    const place = path.join(folder, name);
    const bytes = await readBytes(place);
    if (bytes.length !== size) {
      throw new DataError(
        `${place} has ${bytes.length} bytes, ${size} were saved: it is cut short`,
      );
    }
    if ((await sha256(bytes)) !== expected) {
      throw new DataError(`${place} is corrupt: its checksum is not the one that was saved`);
    }
    data.set(kind, bytes);
  }
  return { description: description as object, data };
}

function recordsOf(folder: string, description: unknown): [string, FileRecord][] {
  const fail = (): never => {
    throw new DataError(`${folder}/${index} does not list the files of a model`);
  };
  if (typeof description !== "object" || description === null) return fail();
  const files: unknown = "files" in description ? description.files : undefined;
  if (typeof files !== "object" || files === null) return fail();
  return Object.entries(files).map(([kind, record]: [string, unknown]) =>
    // A name is a name, not a way out of the folder.
    isRecord(record) && /^[\w-]+\.safetensors$/.test(record.name) ? [kind, record] : fail(),
  );
}

function isRecord(record: unknown): record is FileRecord {
  if (typeof record !== "object" || record === null) return false;
  const { name, bytes, sha256: digest } = record as Partial<FileRecord>;
  return typeof name === "string" && typeof bytes === "number" && typeof digest === "string";
}

async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await import("node:fs/promises");
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${path} cannot be read: ${reason}`, { cause: error });
  }
}

/** Writes beside, syncs, renames, and syncs the folder: the file is the old one or the new. */
async function writeAtomically(folder: string, name: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = await import("node:fs/promises");
  const path = await import("node:path");
  const temporary = path.join(folder, `.${name}.${process.pid}.tmp`);
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
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
