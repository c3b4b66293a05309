/** Crashes while a model is saved, at every change of the file system. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { DataError } from "../src/errors.js";
import { readModelFiles, writeModelFiles } from "../src/io/modelFiles.js";
import { model, versionOf } from "./savedModels.js";

/** Runs before each change of the file system; throws to stop it, as a crash would. */
const beforeChange = vi.hoisted((): { run: (name: string) => void } => ({ run: () => undefined }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof fs>();
  const watched =
    <A extends unknown[], R>(name: string, change: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> => {
      beforeChange.run(name);
      return change(...args);
    };
  const open: typeof real.open = async (...args) => {
    beforeChange.run("open");
    const file = await real.open(...args);
    const writeFile = file.writeFile.bind(file);
    file.sync = watched("sync", file.sync.bind(file));
    file.writeFile = watched("write", async (content) => {
      // A crash may leave half of what was written.
      const bytes = content as Uint8Array;
      await writeFile(bytes.subarray(0, bytes.length / 2));
      beforeChange.run("write the rest");
      await writeFile(bytes.subarray(bytes.length / 2));
    });
    return file;
  };
  return {
    ...real,
    open,
    mkdir: watched("mkdir", real.mkdir),
    rename: watched("rename", real.rename),
    rm: watched("rm", real.rm),
  };
});

let folder = "";
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "ferrograd-model-"));
});
afterEach(async () => {
  beforeChange.run = () => undefined;
  await fs.rm(folder, { recursive: true });
});

const saved = async (): Promise<number> => versionOf(await readModelFiles(folder));
const names = async (): Promise<string[]> => (await fs.readdir(folder)).sort();

describe("a crash at any change of the file system", () => {
  /** Saves version 2 over version 1, and crashes before change number `last`. */
  async function crash(last: number): Promise<{ crashed: boolean; renames: number }> {
    await writeModelFiles(folder, model(1));
    let changes = 0;
    let renames = 0;
    beforeChange.run = (name) => {
      // After a crash nothing happens any more, not even cleaning up.
      if (changes >= last) throw new Error("crash");
      changes++;
      if (name === "rename") renames++;
    };
    const save = writeModelFiles(folder, model(2));
    const crashed = await save.then(
      () => changes >= last,
      (error: unknown) => {
        expect(error).toBeInstanceOf(DataError);
        return true;
      },
    );
    beforeChange.run = () => undefined;
    return { crashed, renames };
  }

  it("leaves a whole model, old before the last rename and new after it", async () => {
    let last = 0;
    const versions: number[] = [];
    for (; ; last++) {
      const { crashed, renames } = await crash(last);
      // Two data files and the index: the third rename is what saves.
      const version = await saved();
      expect(version).toBe(renames < 3 ? 1 : 2);
      versions.push(version);
      // Whatever the crash left, the next save works and clears it away.
      await writeModelFiles(folder, model(3));
      expect(await saved()).toBe(3);
      expect(await names()).toHaveLength(3);
      if (!crashed) break;
    }
    // For each file: open, write, write the rest, sync, rename; open and sync of the folder.
    expect(last).toBeGreaterThanOrEqual(3 * 7);
    expect(new Set(versions)).toEqual(new Set([1, 2]));
  });

  it("syncs a file before its name is given, and its folder after", async () => {
    const changes: string[] = [];
    beforeChange.run = (name) => void changes.push(name);
    await writeModelFiles(folder, model(1));
    const file = ["open", "write", "write the rest", "sync", "rename", "open", "sync"];
    expect(changes).toEqual(["mkdir", ...file, ...file, ...file]);
    // The names of new folders too: those above two of them.
    changes.length = 0;
    await writeModelFiles(join(folder, "some", "where"), model(1));
    const above = ["open", "sync", "open", "sync"];
    expect(changes).toEqual(["mkdir", ...above, ...file, ...file, ...file]);
  });
});
