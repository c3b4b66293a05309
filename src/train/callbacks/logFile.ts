/** A file that grows as training goes. */
import { DataError, reasonOf } from "../../errors.js";
import type { Folder } from "../../io/folder.js";
import { openFolder, splitPath } from "../../io/folder.js";

/**
 * A file that is added to. What is there is kept until the first line is added, so that a run which
 * goes on from a checkpoint finds it.
 */
export class LogFile {
  private readonly place: string;
  private readonly name: string;
  private folder: Folder | undefined;
  private length = 0;
  private stale = false;

  constructor(path: string) {
    [this.place, this.name] = splitPath(path);
  }

  /** Bytes that count. */
  get size(): number {
    return this.length;
  }

  /** Begins at the start, or with `keep` at the end of what is there. */
  async begin({ keep }: { readonly keep: boolean }): Promise<void> {
    await this.attempt(async (folder) => {
      const found = await folder.size(this.name);
      this.length = keep ? (found ?? 0) : 0;
      this.stale = found !== undefined && !keep;
    });
  }

  /** Goes on where a run stood at `size` bytes; what was added later is cut off. */
  async goTo(size: number): Promise<void> {
    await this.attempt(async (folder) => {
      const found = (await folder.size(this.name)) ?? 0;
      if (found < size) {
        throw new Error(`it has ${found} bytes where the checkpoint saw ${size}`);
      }
      if (found > size) await folder.truncate(this.name, size);
      this.length = size;
      this.stale = false;
    });
  }

  /** Adds to the end. Throws DataError where the file cannot be written. */
  async append(content: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await this.attempt(async (folder) => {
      if (this.stale) await folder.truncate(this.name, this.length);
      this.stale = false;
      await folder.append(this.name, bytes);
      this.length += bytes.length;
    });
  }

  private async attempt(body: (folder: Folder) => Promise<void>): Promise<void> {
    try {
      this.folder ??= await openFolder(this.place);
      await body(this.folder);
    } catch (error) {
      const path = this.folder?.pathOf(this.name) ?? this.name;
      throw new DataError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }
}
