/** Checkpoints in a folder: whole or not used, the one before in the place of a damaged one. */
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ArgumentError, DataError } from "../src/index.js";
import { fromExactJson, toExactJson } from "../src/io/exactJson.js";
import { openFolder, splitPath } from "../src/io/folder.js";
import type { CheckpointContent } from "../src/train/entry.js";
import { Checkpoints } from "../src/train/entry.js";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-checkpoints-"));
});
afterEach(() => rm(folder, { recursive: true }));

function content(version: number): CheckpointContent {
  return {
    values: { version, best: -Infinity, loss: NaN, zero: -0, list: [1, null, { a: Infinity }] },
    tensors: new Map([
      ["model.0.weight", { dtype: "float32", shape: [2], data: Float32Array.of(version, NaN) }],
      ["__proto__", { dtype: "float64", shape: [], data: Float64Array.of(1 / 3) }],
    ]),
  };
}

const names = async (): Promise<string[]> => (await readdir(folder)).sort();
const versionOf = async (checkpoints: Checkpoints): Promise<unknown> =>
  ((await checkpoints.latest())?.values as { version: number } | undefined)?.version;

describe("Checkpoints", () => {
  it("gives back what was saved, numbers that JSON does not know among them", async () => {
    const checkpoints = new Checkpoints(join(folder, "new", "place"));
    expect(await checkpoints.latest()).toBeUndefined();
    await checkpoints.save(7, content(7));
    const found = await new Checkpoints(join(folder, "new", "place")).latest();
    expect(found).toEqual({ step: 7, ...content(7), rejected: [] });
  });

  it("keeps the last ones, and other files", async () => {
    const checkpoints = new Checkpoints(folder, { keep: 3 });
    await writeFile(join(folder, "notes.txt"), "mine");
    await writeFile(join(folder, ".checkpoint-000000000001-x.safetensors.y.tmp"), "cut short");
    for (const step of [1, 2, 9, 10, 11]) await checkpoints.save(step, content(step));
    expect((await names()).map((name) => name.slice(0, 23))).toEqual([
      "checkpoint-000000000009",
      "checkpoint-000000000010",
      "checkpoint-000000000011",
      "notes.txt",
    ]);
    await checkpoints.clear();
    expect(await names()).toEqual(["notes.txt"]);
    expect(await checkpoints.latest()).toBeUndefined();
  });

  it("passes over one that is cut short, at any length", async () => {
    const checkpoints = new Checkpoints(folder);
    await checkpoints.save(1, content(1));
    await checkpoints.save(2, content(2));
    const path = join(folder, (await names())[1]!);
    const bytes = await readFile(path);
    for (let length = bytes.length - 1; length >= 0; length -= 7) {
      await truncate(path, length);
      const found = await checkpoints.latest();
      expect(found?.step).toBe(1);
      expect(found?.rejected.map((one) => one.path)).toEqual([path]);
      expect(found?.rejected[0]?.reason).toContain("cut short or changed");
    }
    await writeFile(path, bytes);
    expect(await versionOf(checkpoints)).toBe(2);
  });

  it("passes over one with any one bit another", async () => {
    const checkpoints = new Checkpoints(folder);
    await checkpoints.save(1, content(1));
    await checkpoints.save(2, content(2));
    const path = join(folder, (await names())[1]!);
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      await writeFile(path, flipped);
      expect(await versionOf(checkpoints)).toBe(1);
    }
  });

  it("lets damaged ones go with the next save, and not the whole ones for their sake", async () => {
    const checkpoints = new Checkpoints(folder, { keep: 2 });
    for (const step of [1, 2, 3]) await checkpoints.save(step, content(step));
    const last = join(folder, (await names())[1]!);
    await truncate(last, 10);
    expect(await versionOf(checkpoints)).toBe(2);
    // What runs again saves what was damaged again, under its name.
    await checkpoints.save(3, content(3));
    expect(await versionOf(checkpoints)).toBe(3);
    expect(await names()).toHaveLength(2);
    await truncate(last, 10);
    expect(await versionOf(checkpoints)).toBe(2);
    await checkpoints.save(4, content(4));
    expect((await checkpoints.latest())?.rejected).toEqual([]);
    expect((await names()).map((name) => Number(name.slice(11, 23)))).toEqual([2, 4]);
  });

  it("says so where none can be used", async () => {
    const checkpoints = new Checkpoints(folder);
    await checkpoints.save(1, content(1));
    const [name] = await names();
    await writeFile(join(folder, name!), "nothing");
    const error: unknown = await checkpoints.latest().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toContain("holds no checkpoint that can be used");
    expect((error as Error).message).toContain(join(folder, name!));
  });

  it("says so where it cannot be written, and then can", async () => {
    const place = join(folder, "file");
    await writeFile(place, "in the way");
    const checkpoints = new Checkpoints(place);
    await expect(checkpoints.save(1, content(1))).rejects.toThrow(`${place} cannot be written`);
    await rm(place);
    await checkpoints.save(1, content(1));
    expect(await versionOf(checkpoints)).toBe(1);
  });

  it("refuses numbers that are none", async () => {
    expect(() => new Checkpoints(folder, { keep: 0 })).toThrow(ArgumentError);
    await expect(new Checkpoints(folder).save(-1, content(1))).rejects.toThrow("step is -1");
  });
});

describe("folders", () => {
  it("add to files, cut them and say their sizes", async () => {
    const place = await openFolder(join(folder, "some", "where"));
    expect(await place.list()).toEqual([]);
    expect(await place.size("log")).toBeUndefined();
    await place.append("log", Uint8Array.of(1, 2));
    await place.append("log", Uint8Array.of(3));
    expect(await place.size("log")).toBe(3);
    await place.truncate("log", 1);
    expect(await place.read("log")).toEqual(Uint8Array.of(1));
    await place.remove("log");
    await place.remove("log");
    expect(await place.list()).toEqual([]);
  });

  it.each([
    ["a/b", "a", "b"],
    ["b", ".", "b"],
    ["/b", "/", "b"],
    ["C:\\a\\b", "C:\\a", "b"],
    ["a/b/", "a", "b"],
  ])("%s is split", (path, place, name) => {
    expect(splitPath(path)).toEqual([place, name]);
  });
});

it("JSON of all numbers", () => {
  const value = { a: [NaN, -Infinity, Infinity, -0, 0, 0.1], b: { c: "NaN", d: null } };
  expect(fromExactJson(toExactJson(value))).toEqual(value);
  expect(JSON.parse(toExactJson([1.5, "x"]))).toEqual([1.5, "x"]);
});
