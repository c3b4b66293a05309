/** The examples, each to its end: on small data made here, in the forms that they read. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { random } from "../src/index.js";
import * as data from "../src/data/index.js";

/** Milliseconds that a busy machine may take for trainings of seconds. */
const patience = 600_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ferrograd-examples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function run(example: string, ...args: string[]): { code: number; out: string; error: string } {
  const script = new URL(`../examples/${example}.mjs`, import.meta.url).pathname;
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    encoding: "utf8",
  });
  return { code: status ?? -1, out: stdout, error: stderr };
}

/** The rows of the table that an example ended with, by the first cell, as columns by name. */
function tableOf(out: string): Map<string, Record<string, string>> {
  const lines = out.split("\n").filter((line) => line.startsWith("│"));
  const [head, ...rows] = lines.map((line) =>
    line
      .split("│")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return new Map(
    rows.map((row) => [row[0]!, Object.fromEntries(head!.map((name, at) => [name, row[at]!]))]),
  );
}

/** Images of noise with a bar whose height is the class, and their classes. */
function writeDigits(name: string, count: number): void {
  const generator = new random.Generator(count);
  const [side, thickness] = [28, 2];
  const labels = Uint8Array.from({ length: count }, () => generator.below(10));
  const pixels = Uint8Array.from({ length: count * side * side }, (_, at) => {
    const row = Math.floor(at / side) % side;
    const bar = 2 * labels[Math.floor(at / side / side)]! + 4;
    return row >= bar && row < bar + thickness ? 255 : generator.below(64);
  });
  const write = (kind: string, bytes: Uint8Array): void =>
    writeFileSync(join(folder, `${name}-${kind}-ubyte`), bytes);
  write("images-idx3", data.writeIdx({ data: pixels, shape: [count, side, side] }));
  write("labels-idx1", data.writeIdx({ data: labels, shape: [count] }));
}

/** Texts of six words, one of which tells the class. */
function writeTexts(name: string, count: number): void {
  const generator = new random.Generator(count);
  const lines = Array.from({ length: count }, (_, row) => {
    const words = Array.from({ length: 6 }, () => `word${generator.below(50)}`);
    words[generator.below(6)] = row % 2 === 0 ? "awful" : "lovely";
    return `${words.join(" ")}\t${row % 2}\n`;
  });
  writeFileSync(join(folder, `${name}.tsv`), lines.join(""));
}

describe("digits-cnn", { timeout: patience }, () => {
  beforeAll(() => {
    writeDigits("train", 400);
    writeDigits("t10k", 100);
  });

  it("trains plainly and on changed images, to the same bits for any number of threads", () => {
    const args = ["--data", folder, "--plain", "2", "--augmented", "4", "--limit", "256"];
    const [one, two] = ["1", "2"].map((threads) => {
      const { code, out, error } = run("digits-cnn", ...args, "--threads", threads);
      expect(error).toBe("");
      expect(code).toBe(0);
      return tableOf(out);
    });
    expect([...one!.keys()]).toEqual(["plain", "augmented"]);
    for (const [name, row] of one!) {
      expect(row.epochs).toBe(name === "plain" ? "2" : "4");
      expect(row["test accuracy"]).toMatch(/^([01]|0\.\d{4})$/);
      expect(row.weights).toMatch(/^[0-9a-f]{12}$/);
      expect(two!.get(name)!.weights).toBe(row.weights);
    }
  });

  it("says which files are missing, and where to get them", () => {
    const { code, error } = run("digits-cnn", "--data", join(folder, "nowhere"));
    expect(code).toBe(1);
    expect(error).toMatch(/^No files like .*train-images.* in .*nowhere\.\n.*--data/);
  });

  it("refuses options that are none", () => {
    const { code, error } = run("digits-cnn", "--plain", "few");
    expect(code).toBe(1);
    expect(error).toContain("--plain few is not a whole number");
  });
});

describe("imbalanced-text", { timeout: patience }, () => {
  it("trains in each of its ways, for each seed", () => {
    writeTexts("train", 400);
    writeTexts("test", 60);
    const args = ["--data", folder, "--limit", "180", "--epochs", "3", "--seeds", "1"];
    const { code, out, error } = run("imbalanced-text", ...args);
    expect(error).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("200 training texts, 20 of them positive");
    const rows = tableOf(out);
    expect([...rows.keys()]).toEqual([
      "plain",
      "class weights",
      "balanced draws",
      "draws, words changed",
    ]);
    for (const row of rows.values()) {
      expect(Number(row["F1, seed 0"])).toBeGreaterThan(0);
      expect(row["mean F1"]).toBe(row["F1, seed 0"]);
    }
    // One word tells the class: draws that have both alike make it plain to see.
    expect(Number(rows.get("balanced draws")!["mean F1"])).toBeGreaterThan(0.6);
  });
});

describe("text-classifier", { timeout: patience }, () => {
  it("trains, tests, saves, and predicts with what it saved", () => {
    writeTexts("train", 200);
    writeTexts("test", 60);
    const saved = join(folder, "model");
    const files = ["--data", join(folder, "train.tsv"), "--test", join(folder, "test.tsv")];
    const { code, out, error } = run("text-classifier", ...files, "--json", "--save", saved);
    expect(error).toBe("");
    expect(code).toBe(0);
    const results: unknown = JSON.parse(out.trimEnd().split("\n").at(-1)!);
    expect(results).toMatchObject({
      epochs: 3,
      steps: 21,
      weightsHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    expect(run("text-classifier", "--save", saved, "--predict", "word1 lovely").out).toMatch(
      /→ {2}1 \d\.\d+, 0 0\.\d+/,
    );
  });
});
