/**
 * Checkpoints in a folder, one file each: tensors as safetensors, and plain data in its header. A
 * file's name has the checksum of its content, so a file that is cut short or changed is known for
 * what it is, and the one before it is used. One process at a time may save in a folder.
 */
import { checkWhole } from "../checks.js";
import { DataError, reasonOf } from "../errors.js";
import { fromExactJson, toExactJson } from "./exactJson.js";
import type { Folder } from "./folder.js";
import { openFolder } from "./folder.js";
import { sha256 } from "./modelFiles.js";
import type { TensorData } from "./safetensors.js";
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from "./safetensors.js";

/** What a checkpoint holds. */
export interface CheckpointContent {
  /** Plain data: JSON, and NaN and infinities beside. */
  readonly values: object;
  readonly tensors: ReadonlyMap<string, TensorData>;
}

/** A checkpoint that could not be used. */
export interface RejectedCheckpoint {
  readonly path: string;
  readonly reason: string;
}

/** A checkpoint read from its folder. */
export interface FoundCheckpoint extends CheckpointContent {
  /** The number it was saved under. */
  readonly step: number;
  /** Later ones, which could not be used. */
  readonly rejected: readonly RejectedCheckpoint[];
}

/** Options of `Checkpoints`. */
export interface CheckpointsOptions {
  /** How many are kept, the last ones. Default: 2. */
  readonly keep?: number;
}

/** How much of a checksum is in a file's name. */
const nameDigits = 32;
const stepDigits = 12;
const fileName = new RegExp(
  `^checkpoint-(\\d{${stepDigits},})-([0-9a-f]{${nameDigits}})\\.safetensors$`,
);
/** What a save that was cut short leaves. */
const leftover = /^\.checkpoint-.*\.tmp$/;
/** Where the plain data is in the file's header. */
const valuesKey = "values";

/** The checkpoints in a folder: on the disk in Node, in the page's own storage in browsers. */
export class Checkpoints {
  private readonly keep: number;
  private folder: Promise<Folder> | undefined;
  /** Files that could not be used: they count for nothing, and go with the next save. */
  private damaged: readonly string[] = [];

  /** `place`: the path of the folder, which is made when something is saved. */
  constructor(
    private readonly place: string,
    { keep = 2 }: CheckpointsOptions = {},
  ) {
    checkWhole("Checkpoints: keep", keep, 1);
    this.keep = keep;
  }

  /**
   * Saves under a number that grows from save to save, at once or not at all, and removes those that
   * are too many. Throws DataError where the folder cannot be written; those before are whole then.
   */
  async save(step: number, { values, tensors }: CheckpointContent): Promise<void> {
    checkWhole("Checkpoints: step", step, 0);
    const bytes = writeSafetensors(tensors, { [valuesKey]: toExactJson(values) });
    const digest = (await sha256(bytes)).slice(0, nameDigits);
    const number = String(step).padStart(stepDigits, "0");
    try {
      const folder = await this.open();
      const name = `checkpoint-${number}-${digest}.safetensors`;
      await folder.write(name, bytes);
      this.damaged = this.damaged.filter((other) => other !== name);
      await this.prune(folder);
    } catch (error) {
      throw new DataError(`${this.place} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  /**
   * The last checkpoint that is whole; undefined where none was saved. Throws DataError where there
   * are some and none is whole.
   */
  async latest(): Promise<FoundCheckpoint | undefined> {
    const folder = await this.open();
    const found = await this.listed(folder);
    const rejected: RejectedCheckpoint[] = [];
    this.damaged = [];
    for (const { name, step, digest } of newestFirst(found)) {
      try {
        return { step, ...(await readCheckpoint(folder, name, digest)), rejected };
      } catch (error) {
        this.damaged = [...this.damaged, name];
        rejected.push({ path: folder.pathOf(name), reason: reasonOf(error) });
      }
    }
    if (rejected.length === 0) return undefined;
    const list = rejected.map(({ path, reason }) => `${path}: ${reason}`).join("; ");
    throw new DataError(`${this.place} holds no checkpoint that can be used: ${list}`);
  }

  /** Removes all checkpoints; other files stay. */
  async clear(): Promise<void> {
    const folder = await this.open();
    for (const name of await folder.list()) {
      if (fileName.test(name) || leftover.test(name)) await folder.remove(name);
    }
  }

  private async listed(folder: Folder): Promise<string[]> {
    try {
      return await folder.list();
    } catch (error) {
      throw new DataError(`${this.place} cannot be read: ${reasonOf(error)}`, { cause: error });
    }
  }

  private open(): Promise<Folder> {
    return (this.folder ??= openFolder(this.place));
  }

  private async prune(folder: Folder): Promise<void> {
    const names = await folder.list();
    const whole = names.filter((name) => !this.damaged.includes(name));
    const old = newestFirst(whole)
      .slice(this.keep)
      .map(({ name }) => name);
    const cutShort = names.filter((name) => leftover.test(name));
    for (const name of [...old, ...cutShort, ...this.damaged]) await folder.remove(name);
    this.damaged = [];
  }
}

interface Named {
  readonly name: string;
  readonly step: number;
  readonly digest: string;
}

function newestFirst(names: readonly string[]): Named[] {
  return names
    .flatMap((name): Named[] => {
      const [, step, digest] = fileName.exec(name) ?? [];
      return digest === undefined ? [] : [{ name, step: Number(step), digest }];
    })
    .sort((a, b) => b.step - a.step);
}

async function readCheckpoint(
  folder: Folder,
  name: string,
  digest: string,
): Promise<CheckpointContent> {
  const bytes = await folder.read(name);
  if ((await sha256(bytes)).slice(0, nameDigits) !== digest) {
    throw new DataError("it is cut short or changed: its checksum is not the one in its name");
  }
  const values = fromExactJson(readSafetensorsMetadata(bytes, name)[valuesKey] ?? "");
  if (typeof values !== "object" || values === null) throw new DataError("it holds no values");
  return { values, tensors: readSafetensors(bytes, name) };
}
