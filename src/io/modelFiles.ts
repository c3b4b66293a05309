/**
 * A model's files in a folder: `model.json`, and data files it names with their checksums. Data
 * files are written first, under names made of their content; replacing `model.json` in one rename
 * is what saves. So at every moment, and after any crash, the folder holds a whole model. One
 * process at a time may save in a folder; any number may read.
 */
import { DataError, StateError, reasonOf } from "../errors.js";
import type { Folder } from "./folder.js";
import { openFolder } from "./folder.js";

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
/** Names that a save gives, of data files and of files that are not complete yet. */
const ownName = /^\w+-[0-9a-f]{16}\.safetensors$|^\.(model\.json|\w+-[0-9a-f]{16}\.\w+)\..*\.tmp$/;

/** The SHA-256 checksum of `bytes`, in hexadecimal digits. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  // The types do not say that pages without HTTPS have none.
  const subtle = crypto.subtle as SubtleCrypto | undefined;
  if (!subtle) throw new StateError("sha256: the page needs a secure context (HTTPS or localhost)");
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Saves under way, by folder: they wait for each other, since each removes what it replaces. */
const saves = new Map<string, Promise<void>>();

/**
 * Saves `files` in `folder`, which is made if it is missing; an older model is replaced. Throws
 * DataError where the folder cannot be written, and an older model is still whole then.
 */
export async function writeModelFiles(folder: string, files: ModelFiles): Promise<void> {
  const opened = await openFolder(folder);
  const place = opened.pathOf(index);
  const earlier = saves.get(place) ?? Promise.resolve();
  // A save that failed has told its own caller.
  const save = earlier.catch(() => undefined).then(() => saveFiles(opened, files));
  saves.set(place, save);
  try {
    await save;
  } catch (error) {
    throw new DataError(`${folder} cannot be written: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (saves.get(place) === save) saves.delete(place);
  }
}

async function saveFiles(folder: Folder, { description, data }: ModelFiles): Promise<void> {
  const records: Record<string, FileRecord> = {};
  for (const [kind, bytes] of data) {
    const digest = await sha256(bytes);
    const name = `${kind}-${digest.slice(0, nameDigits)}.safetensors`;
    await folder.write(name, bytes);
    records[kind] = { name, bytes: bytes.length, sha256: digest };
  }
  const whole = { ...description, files: records };
  const text = JSON.stringify({ ...whole, checksum: await checksumOf(whole) }, undefined, 2);
  await folder.write(index, new TextEncoder().encode(`${text}\n`));
  await removeReplaced(folder, new Set(Object.values(records).map(({ name }) => name)));
}

/** Removes what earlier saves left, whether they were replaced or cut short. */
async function removeReplaced(folder: Folder, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await folder.list()) {
    if (!ownName.test(name) || kept.has(name)) continue;
    // The model is saved; what is in use now goes with the next save.
    await folder.remove(name).catch(() => undefined);
  }
}

/**
 * The model saved in `folder`. Throws DataError, saying which file and why, where one is missing,
 * cut short or changed.
 */
export async function readModelFiles(place: string): Promise<ModelFiles> {
  const folder = await openFolder(place);
  const read = async (): Promise<string> =>
    new TextDecoder().decode(await readBytes(folder, index));
  for (let text = await read(); ;) {
    try {
      return await readListed(folder, await parseIndex(folder.pathOf(index), text));
    } catch (error) {
      // A save since the index was read may have removed the files that it lists.
      const now = await read();
      if (now === text) throw error;
      text = now;
    }
  }
}

interface Index {
  readonly description: object;
  readonly files: readonly (readonly [kind: string, file: FileRecord])[];
}

async function parseIndex(place: string, text: string): Promise<Index> {
  const fail = (reason: string): never => {
    throw new DataError(`${place} ${reason}`);
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON: ${reasonOf(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || !("checksum" in parsed)) {
    return fail("does not describe a saved model");
  }
  const { checksum, ...description } = parsed;
  if (checksum !== (await checksumOf(description))) {
    fail("is corrupt: its checksum is not the one that was saved");
  }
  const files: unknown = "files" in description ? description.files : undefined;
  if (typeof files !== "object" || files === null) return fail("does not list a model's files");
  return {
    description,
    files: Object.entries(files).map(([kind, file]: [string, unknown]) =>
      isFileRecord(file) ? [kind, file] : fail(`has no name, size and checksum of the ${kind}`),
    ),
  };
}

/** Of what an object says, however its JSON is set. */
function checksumOf(description: object): Promise<string> {
  return sha256(new TextEncoder().encode(JSON.stringify(description)));
}

function isFileRecord(file: unknown): file is FileRecord {
  if (typeof file !== "object" || file === null) return false;
  const { name, bytes, sha256: digest } = file as Partial<FileRecord>;
  return (
    // A name is a name, not a way out of the folder.
    typeof name === "string" &&
    /^[\w-]+\.safetensors$/.test(name) &&
    typeof bytes === "number" &&
    typeof digest === "string"
  );
}

async function readListed(folder: Folder, { description, files }: Index): Promise<ModelFiles> {
  const data = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const [kind, { name, bytes: size, sha256: expected }] of files) {
    const place = folder.pathOf(name);
    const bytes = await readBytes(folder, name);
    if (bytes.length !== size) {
      throw new DataError(`${place} has ${bytes.length} bytes where ${size} were saved`);
    }
    if ((await sha256(bytes)) !== expected) {
      throw new DataError(`${place} is corrupt: its checksum is not the one that was saved`);
    }
    data.set(kind, bytes);
  }
  return { description, data };
}

async function readBytes(folder: Folder, name: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await folder.read(name);
  } catch (error) {
    throw new DataError(`${folder.pathOf(name)} cannot be read: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
