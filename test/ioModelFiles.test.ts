/** A model's folder: what is saved is whole, what is not whole is refused. */
import * as fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataError } from "../src/errors.js";
import { readModelFiles, sha256, writeModelFiles } from "../src/io/modelFiles.js";
import { model, versionOf } from "./savedModels.js";

let folder = "";
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), "ferrograd-model-"));
});
afterEach(async () => {
  await fs.rm(folder, { recursive: true });
});

const saved = async (): Promise<number> => versionOf(await readModelFiles(folder));
const names = async (): Promise<string[]> => (await fs.readdir(folder)).sort();

describe("saving", () => {
  it("makes the folder, and gives back what was saved", async () => {
    const inner = join(folder, "some", "where");
    await writeModelFiles(inner, model(1));
    const files = await readModelFiles(inner);
    expect(versionOf(files)).toBe(1);
    expect([...files.data.keys()]).toEqual(["weights", "optimizer"]);
    expect(await fs.readdir(inner)).toHaveLength(3);
  });

  it("replaces an older model, and leaves nothing of it", async () => {
    await writeModelFiles(folder, model(1));
    const before = await names();
    await writeModelFiles(folder, model(2));
    expect(await saved()).toBe(2);
    const after = await names();
    expect(after).toHaveLength(3);
    expect(after.filter((name) => before.includes(name))).toEqual(["model.json"]);
  });

  it("saves the same model again", async () => {
    await writeModelFiles(folder, model(1));
    await writeModelFiles(folder, model(1));
    expect(await saved()).toBe(1);
    expect(await names()).toHaveLength(3);
  });

  it("leaves files of others alone", async () => {
    const others = [
      "weights.safetensors",
      "mine-0123456789abcde.safetensors",
      "model.safetensors",
      "notes.txt",
      ".hidden.tmp",
    ];
    for (const name of others) await fs.writeFile(join(folder, name), "mine");
    await writeModelFiles(folder, model(1));
    await writeModelFiles(folder, model(2));
    expect(await names()).toEqual(expect.arrayContaining(others));
    expect(await names()).toHaveLength(others.length + 3);
  });

  it("saves that are not waited for: the last one stays, and is whole", async () => {
    const versions = Array.from({ length: 8 }, (_, version) => version);
    await Promise.all(versions.map((version) => writeModelFiles(folder, model(version))));
    expect(await saved()).toBe(7);
    expect(await names()).toHaveLength(3);
  });

  it("can be read while it is replaced", async () => {
    await writeModelFiles(folder, model(0));
    let done = false;
    const saving = (async () => {
      for (let version = 1; version <= 20; version++) await writeModelFiles(folder, model(version));
      done = true;
    })();
    let reads = 0;
    for (; !done; reads++) await saved();
    await saving;
    expect(reads).toBeGreaterThan(5);
  });

  it("says where it cannot write, and goes on after", async () => {
    const file = join(folder, "file");
    await fs.writeFile(file, "");
    await expect(writeModelFiles(file, model(1))).rejects.toThrow(DataError);
    await expect(writeModelFiles(file, model(1))).rejects.toThrow(
      `${file} cannot be written: EEXIST`,
    );
    await fs.rm(file);
    await writeModelFiles(file, model(1));
    expect(versionOf(await readModelFiles(file))).toBe(1);
  });
});

describe("reading", () => {
  const dataFile = async (kind: string): Promise<string> => {
    const name = (await names()).find((found) => found.startsWith(`${kind}-`))!;
    return join(folder, name);
  };
  /** Writes `model.json` anew, with a checksum that is right. */
  async function rewrite(change: (index: Record<string, unknown>) => unknown): Promise<void> {
    const place = join(folder, "model.json");
    const index = JSON.parse(await fs.readFile(place, "utf8")) as Record<string, unknown>;
    const { checksum: _, ...whole } = { ...index, ...(change(index) as object) };
    const checksum = await sha256(new TextEncoder().encode(JSON.stringify(whole)));
    await fs.writeFile(place, JSON.stringify({ ...whole, checksum }));
  }
  async function expectRefused(...reasons: string[]): Promise<void> {
    await expect(readModelFiles(folder)).rejects.toThrow(DataError);
    for (const reason of reasons) await expect(readModelFiles(folder)).rejects.toThrow(reason);
  }
  beforeEach(() => writeModelFiles(folder, model(1)));

  it("refuses a folder that is not there, and one without a model", async () => {
    await fs.rm(join(folder, "model.json"));
    await expectRefused(join(folder, "model.json"), "cannot be read: ENOENT");
    await expect(readModelFiles(join(folder, "nowhere"))).rejects.toThrow(DataError);
  });

  it.each(["weights", "optimizer"])("refuses a model whose %s are missing", async (kind) => {
    const place = await dataFile(kind);
    await fs.rm(place);
    await expectRefused(place, "cannot be read: ENOENT");
  });

  it("refuses a data file that is cut short or added to", async () => {
    const place = await dataFile("weights");
    const bytes = await fs.readFile(place);
    for (const length of [0, 1, bytes.length - 1]) {
      await fs.writeFile(place, bytes.subarray(0, length));
      await expectRefused(place, `has ${length} bytes where ${bytes.length} were saved`);
    }
    await fs.writeFile(place, Buffer.concat([bytes, Buffer.of(0)]));
    await expectRefused(place, `has ${bytes.length + 1} bytes`);
  });

  it("refuses every single bit that is flipped in a data file", async () => {
    const place = await dataFile("weights");
    const bytes = await fs.readFile(place);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await fs.writeFile(place, bytes);
      await expect(readModelFiles(folder)).rejects.toThrow(`${place} is corrupt: its checksum`);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    await fs.writeFile(place, bytes);
    expect(await saved()).toBe(1);
  });

  it("refuses every index that is cut short, and a flipped bit unless it says the same", async () => {
    const place = join(folder, "model.json");
    const bytes = await fs.readFile(place);
    // Without its last line end it is whole.
    for (let length = 0; length < bytes.length - 1; length++) {
      await fs.writeFile(place, bytes.subarray(0, length));
      await expect(readModelFiles(folder)).rejects.toThrow(DataError);
    }
    const original = JSON.stringify(JSON.parse(bytes.toString()));
    let refused = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      await fs.writeFile(place, bytes);
      try {
        await readModelFiles(folder);
        expect(JSON.stringify(JSON.parse(bytes.toString()))).toBe(original);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        refused++;
      }
      bytes[bit >> 3]! ^= 1 << (bit & 7);
    }
    expect(refused).toBeGreaterThan(bytes.length * 7);
  });

  it("refuses files of two models mixed", async () => {
    const place = await dataFile("weights");
    await fs.copyFile(await dataFile("optimizer"), place);
    await expectRefused(place, "is corrupt");
  });

  it.each<[string, string, (index: Record<string, unknown>) => unknown]>([
    ["without files", "does not list a model's files", () => ({ files: undefined })],
    ["with a list of nothing", "does not list a model's files", () => ({ files: null })],
    [
      "with a file that is no record",
      "has no name, size and checksum of the x",
      () => ({ files: { x: 1 } }),
    ],
    [
      "with a record that lacks its size",
      "of the x",
      () => ({ files: { x: { name: "x.safetensors", sha256: "" } } }),
    ],
    ...[
      "../x.safetensors",
      "/x.safetensors",
      "a/x.safetensors",
      "..\\x.safetensors",
      "x.js",
      ".",
    ].map((name): [string, string, () => unknown] => [
      `with a file called ${name}`,
      "has no name, size and checksum of the x",
      () => ({ files: { x: { name, bytes: 0, sha256: "" } } }),
    ]),
  ])("refuses an index %s", async (_, reason, change) => {
    await rewrite(change);
    await expectRefused(join(folder, "model.json"), reason);
  });

  it("takes an index that is set in another way", async () => {
    await rewrite((index) => index);
    expect(await saved()).toBe(1);
  });

  it.each(["", "null", "[]", "5", "{}", '{"files":{}}', "{", "\u0000"])(
    "refuses the index %j",
    async (text) => {
      await fs.writeFile(join(folder, "model.json"), text);
      await expectRefused(join(folder, "model.json"));
    },
  );
});

it("sha256 is SHA-256", async () => {
  // FIPS 180-4's own example.
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(await sha256(new TextEncoder().encode("abc"))).toBe(digest);
});
