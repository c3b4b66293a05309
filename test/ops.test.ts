import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dropout, init, manualSeed, normal, shutdown, tensor, uniform } from "../src/index.js";
import { gradients } from "../src/autograd.js";
import { cases } from "./cases.js";
import type { Case } from "./cases/case.js";
import { operand } from "./cases/case.js";
import { bytesOf, checks } from "./opChecks.js";

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

test("one thread and two give the same bits, op by op", async () => {
  // Enough work that threads share it.
  const large: Case = {
    ...cases.matmul,
    samples: [
      ...cases.matmul.samples,
      { ...cases.matmul.samples[0]!, operands: [operand([257, 300]), operand([300, 129])] },
    ],
  };
  const hashes = async (threads: number): Promise<Map<string, string>> => {
    await init({ threads });
    manualSeed(7);
    const found = new Map<string, string>();
    for (const [name, row] of [...rows, ["large matmul", large] as const]) {
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

describe("random ops", () => {
  beforeAll(() => init({ threads: 1 }));
  afterAll(shutdown);

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
    "against a float64 reference on sizes 0, 1, 3, 17 and more, dense, transposed, sliced and broadcast;",
    "gradients, and gradients of gradients, against finite differences in float64 (step 1e-6, absolute",
    "1e-5, relative 1e-3).",
    "",
    line(["op", ...titles]),
    line(["---", ...titles.map(() => "---")]),
    ...body,
    "",
  ].join("\n");
  await expect(text).toMatchFileSnapshot("../docs/ops.md");
});
