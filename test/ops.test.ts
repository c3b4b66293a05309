import { createHash } from "node:crypto";
import { setFlagsFromString } from "node:v8";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  batchNorm,
  dropout,
  embedding,
  init,
  manualSeed,
  normal,
  shutdown,
  tensor,
  uniform,
  Variable,
  vjp,
} from "../src/index.js";
import { gradients } from "../src/autograd.js";
import { ops } from "../src/ops/index.js";
import { cases } from "./cases.js";
import type { Case } from "./cases/case.js";
import { operand } from "./cases/case.js";
import { bytesOf, checks, difference, tolerances } from "./opChecks.js";
import { total } from "./reference.js";

const rows = Object.entries(cases) as [string, Case][];

describe("every op", () => {
  beforeAll(() => init({ threads: 2 }));
  afterAll(shutdown);

  for (const { title, skip, wrong } of checks) {
    test.each(rows.filter(([, row]) => skip(row) === undefined))(`${title}: %s`, async (_, row) => {
      expect(await wrong(row)).toBeUndefined();
    });
  }
});

describe("every op with relaxed SIMD", () => {
  beforeAll(async () => {
    // Node 20 has it behind a flag, which later versions do not know.
    if (Number.parseFloat(process.versions.v8) < 11.4) {
      setFlagsFromString("--experimental-wasm-relaxed-simd");
    }
    await init({ threads: 1, build: "relaxed" });
  });
  afterAll(shutdown);

  const forward = checks.filter(({ title }) => !/gradient|leak/.test(title));
  for (const { title, skip, wrong } of forward) {
    test.each(rows.filter(([, row]) => skip(row) === undefined))(`${title}: %s`, async (_, row) => {
      expect(await wrong(row)).toBeUndefined();
    });
  }
});

test("one thread and two give the same bits, op by op", async () => {
  const hashes = async (threads: number): Promise<Map<string, string>> => {
    await init({ threads });
    manualSeed(7);
    const found = new Map<string, string>();
    for (const [name, row] of rows) {
      found.set(
        name,
        createHash("sha256")
          .update(await bytesOf(row))
          .digest("hex"),
      );
    }
    shutdown();
    return found;
  };
  expect(await hashes(2)).toEqual(await hashes(1));
});

test("a table of cases with a row missing does not compile", () => {
  const { add, ...others } = cases;
  // @ts-expect-error: `add` is missing
  const incomplete: Record<keyof typeof ops, Case> = others;
  expect(Object.keys(incomplete)).not.toContain("add");
  expect({ ...incomplete, add }).toEqual(cases);
  expect(Object.keys(cases).sort()).toEqual(Object.keys(ops).sort());
});

describe("what a single call does not show", () => {
  beforeAll(() => init({ threads: 1 }));
  afterAll(shutdown);

  test("batchNorm learns running statistics, and infers with them", async () => {
    const x = operand([4, 2, 3]);
    const values = tensor(Float64Array.from(x.data), { shape: x.shape });
    const channel = (c: number): number[] => x.data.filter((_, i) => Math.floor(i / 3) % 2 === c);
    const mean = (v: number[]): number => total(v) / v.length;
    const unbiased = (v: number[]): number =>
      total(v.map((one) => (one - mean(v)) ** 2)) / (v.length - 1);
    const runningMean = new Variable(Float64Array.of(0, 0), [2], "float64");
    const runningVar = new Variable(Float64Array.of(1, 1), [2], "float64");
    await batchNorm(values, { runningMean, runningVar, training: true, momentum: 0.25 }).data();
    const means = [0, 1].map((c) => 0.25 * mean(channel(c)));
    const variances = [0, 1].map((c) => 0.75 + 0.25 * unbiased(channel(c)));
    const close = (actual: ArrayLike<number>, wanted: number[]): void =>
      expect(
        difference(actual, { shape: [wanted.length], data: wanted }, tolerances.float64),
      ).toBeUndefined();
    close(await runningMean.data(), means);
    close(await runningVar.data(), variances);
    const y = await batchNorm(values, { runningMean, runningVar }).data();
    close(
      y,
      x.data.map((one, i) => {
        const c = Math.floor(i / 3) % 2;
        return (one - means[c]!) / Math.sqrt(variances[c]! + 1e-5);
      }),
    );
  });

  test("embedding gives the padding's row no gradient", async () => {
    const ids = tensor(Int32Array.of(0, 2, 0, 1, 2));
    const options = { shape: [3, 2], requiresGrad: true };
    const table = tensor(new Float32Array(6), options);
    const seed = tensor(new Float32Array(10).fill(1), { shape: [5, 2], requiresGrad: true });
    const rows = embedding(ids, table, { paddingIndex: 2 });
    const [grad] = gradients([rows], [table], [seed]);
    expect(Array.from(await grad!.data())).toEqual([2, 2, 1, 1, 0, 0]);
    const weights = tensor(Float32Array.of(1, 2, 3, 4, 5, 6), options);
    const [second] = gradients([grad!], [seed], [weights]);
    expect(Array.from(await second!.data())).toEqual([1, 2, 0, 0, 1, 2, 3, 4, 0, 0]);
  });

  test("a function's result may be read before its pullback runs", async () => {
    const x = tensor([0, 3]);
    const [y, pullback] = vjp((x) => x.square().mul(x), x);
    expect(Array.from(await y.data())).toEqual([0, 27]);
    const [dx] = pullback(tensor([1, 1]));
    expect(Array.from(await dx!.data())).toEqual([0, 27]);
    expect(x.requiresGrad).toBe(false);
  });

  test("uniform numbers are even, normal ones normal, and the seed decides", async () => {
    manualSeed(3);
    const u = Array.from(await uniform([20_000]).data());
    const n = Array.from(await normal([20_000]).data());
    const mean = (x: number[]): number => x.reduce((sum, v) => sum + v, 0) / x.length;
    const spread = (x: number[]): number => mean(x.map((v) => (v - mean(x)) ** 2));
    expect(Math.min(...u)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...u)).toBeLessThan(1);
    expect(mean(u)).toBeCloseTo(0.5, 1);
    expect(spread(u)).toBeCloseTo(1 / 12, 2);
    expect(mean(n)).toBeCloseTo(0, 1);
    expect(spread(n)).toBeCloseTo(1, 1);
    manualSeed(3);
    expect(Array.from(await uniform([20_000]).data())).toEqual(u);
    manualSeed(4);
    expect(Array.from(await uniform([20_000]).data())).not.toEqual(u);
  });

  test("dropout keeps the mean, and its gradient has the same mask", async () => {
    manualSeed(1);
    const x = tensor(new Float32Array(10_000).fill(1));
    const y = dropout(x, { p: 0.3 });
    const [dx] = gradients([y.sum()], [x]);
    const kept = Array.from(await y.data());
    expect(Array.from(await dx!.data())).toEqual(kept);
    const zeros = kept.filter((v) => v === 0).length;
    expect(zeros / kept.length).toBeCloseTo(0.3, 1);
    expect(kept.every((v) => v === 0 || Math.abs(v - 1 / 0.7) < 1e-6)).toBe(true);
    expect(Array.from(await dropout(x, { p: 1 }).data()).every((v) => v === 0)).toBe(true);
    expect(Array.from(await dropout(x, { p: 0.3, training: false }).data())[0]).toBe(1);
  });
});

test("docs/ops.md is the table of ops and checks", async () => {
  const titles = [...checks.map(({ title }) => title), "1 = 2 threads"];
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  const body = rows.map(([name, row]) => {
    const cells = checks.map(({ skip }) => {
      const reason = skip(row);
      return reason === undefined ? "✓" : `– ${reason}`;
    });
    return line([`\`${name}\``, ...cells, "✓"]);
  });
  const text = [
    "# Ops, and what is checked of each",
    "",
    "Written by `test/ops.test.ts` from the rows in `test/cases/`; do not edit. Forward values are held",
    "against a float64 reference on sizes 0, 1, 3, 17 and more, dense, transposed, sliced and broadcast:",
    "relative error at most 1e-5 in float32 and 1e-12 in float64, a tenth of it absolute; random ops",
    "against Philox in big integers. Gradients, and gradients of gradients, are held against finite",
    "differences in float64, element by element (of large samples, in two directions): step 1e-6,",
    "absolute 1e-5, relative 1e-3. After forward and backward no byte may stay live; random keys, 64",
    "bytes a draw, are freed with the garbage. One thread and two must give the same bits, on samples",
    "and on work large enough to share.",
    "",
    line(["op", ...titles]),
    line(["---", ...titles.map(() => "---")]),
    ...body,
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../docs/ops.md");
});
