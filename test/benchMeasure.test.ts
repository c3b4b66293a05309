/** How the benchmarks measure; nothing here is timed. */
import { expect, it } from "vitest";
import { enterProcess } from "../bench/childProcess.js";
import type { Entrant } from "../bench/entrant.js";
import { startingAnew } from "../bench/entrant.js";
import { enter, takeTurn } from "../bench/driver.js";
import { measure, median, plan } from "../bench/measure.js";
import { noise, noiseIntegers } from "../bench/numbers.js";
import { chooseRows, readOptions } from "../bench/options.js";
import { lossError, outputError } from "../bench/references.js";
import { permuted } from "../bench/workloads.js";

const ready = { version: "1", threads: 1, error: 0 };

/** An entrant whose samples take what `times` says, one after the other, then the last again. */
function entrantOf(times: readonly number[], calls: string[], name: string): Entrant {
  let next = 0;
  return {
    ready,
    async take(samples) {
      calls.push(name);
      const ms = Array.from({ length: samples }, () => times[Math.min(next++, times.length - 1)]!);
      return { ms, peak: 7 };
    },
    leave: async () => undefined,
  };
}

it("takes turns, and counts no warm-up", async () => {
  const calls: string[] = [];
  // Three warm-ups and a second look, then three turns of one sample.
  const slow = entrantOf([90, 90, 90, 900, 70, 80, 60], calls, "slow");
  const slower = entrantOf([100], calls, "slower");
  const [first, second] = await measure([slow, slower], 1e-9);
  expect(first).toEqual({ min: 60, median: 70, samples: 3, peak: 7 });
  expect(second).toEqual({ min: 100, median: 100, samples: 3, peak: 7 });
  const turn = ["slow", "slower"];
  expect(calls).toEqual(["slow", "slow", "slower", "slower", ...turn, ...turn, ...turn]);
});

it("goes on without an entrant that dies", async () => {
  const dying: Entrant = {
    ready,
    take: () => Promise.reject(new Error("out of memory\nat 0x0")),
    leave: async () => undefined,
  };
  const [first, second] = await measure([dying, entrantOf([50], [], "other")], 1e-9);
  expect(first).toEqual({ cannot: "out of memory" });
  expect(second).toMatchObject({ min: 50 });
});

it("puts short work into samples of several runs, and long work into short turns", () => {
  expect(plan(0.01)).toEqual({ runs: 200, samples: 20 });
  expect(plan(20)).toEqual({ runs: 1, samples: 3 });
  expect(plan(5000)).toEqual({ runs: 1, samples: 1 });
});

it("takes the middle sample for the median, and leaves the samples in their order", () => {
  const values = [3, 1, 2];
  expect(median(values)).toBe(2);
  expect(values).toEqual([3, 1, 2]);
});

it("runs the work as often as a turn says", async () => {
  let runs = 0;
  const run = async (): Promise<void> => {
    runs++;
  };
  expect(await takeTurn({ run, error: 0 }, 3, 5)).toHaveLength(3);
  expect(runs).toBe(15);
});

it("says what a driver cannot do in the driver's words", async () => {
  const start = async () => ({ version: "1", threads: 1 });
  const prepare = () => Promise.reject(new Error("no such kernel"));
  const { said, work } = await enter(async () => ({ start, prepare }), "row", { threads: 1 });
  expect(said).toEqual({ cannot: "no such kernel" });
  expect(work).toBeUndefined();
});

/** A process that answers as drivers do, and says things of its own between. */
const script = `
  console.log("welcome");
  console.log(JSON.stringify({ version: "2", threads: 1, error: 0.5, ms: [4] }));
  process.stdin.on("data", (line) => {
    const [samples, runs] = String(line).split(" ").map(Number);
    if (runs === 0) { console.error("died of zero"); process.exit(3); }
    console.log(JSON.stringify({ ms: Array(samples).fill(runs) }));
  });`;

it("talks with processes", async () => {
  const entrant = await enterProcess([process.execPath, "-e", script], "row");
  expect(entrant.ready).toEqual({ version: "2", threads: 1, error: 0.5, ms: [4] });
  expect(await entrant.take(2, 9)).toEqual({ ms: [9, 9] });
  await expect(entrant.take(1, 0)).rejects.toThrow("ended with 3: died of zero");
  await entrant.leave();
});

it("says that a program is not there", async () => {
  await expect(enterProcess(["no-such-program"], "row")).rejects.toThrow("ENOENT");
});

it("starts anew for each sample of the row cold", async () => {
  let starts = 0;
  const entrant = await startingAnew(async () => ({
    ...entrantOf([], [], ""),
    ready: { ...ready, ms: [++starts] },
  }));
  expect(await entrant.take(2, 1)).toEqual({ ms: [2, 3] });
});

it("makes the numbers that PyTorch makes", () => {
  expect([...noise(101, 3, 0.05)].map((x) => x.toFixed(6))).toMatchInlineSnapshot(`
    [
      "0.044628",
      "-0.010421",
      "-0.038869",
    ]
  `);
  expect([...noiseIntegers(500, 6, 256)]).toMatchInlineSnapshot(`
    [
      227,
      215,
      148,
      250,
      152,
      107,
    ]
  `);
});

it("permutes tables", () => {
  const data = Float32Array.of(0, 1, 2, 3, 4, 5);
  const { data: moved, shape } = permuted({ data, shape: [1, 2, 3] }, [2, 0, 1]);
  expect(shape).toEqual([3, 1, 2]);
  expect([...moved]).toEqual([0, 3, 1, 4, 2, 5]);
});

it("finds results wrong that are", () => {
  expect(lossError("mlp_step", [2.37099841624, 1.7])).toBeCloseTo(0.00374, 4);
  expect(lossError("mlp_step", [NaN])).toBe(Infinity);
  expect(outputError("gemm_nn_64", { y: new Float32Array(64 * 64) })).toBeGreaterThan(0.9);
});

it("reads options", () => {
  expect(readOptions(["--help"])).toBeUndefined();
  expect(readOptions([])).toMatchObject({ builds: ["plain", "relaxed", "wide"], kept: true });
  const args = ["--only", "gemm_nn_1024,clf_step", "--threads", "1", "--wide", "--json"];
  expect(readOptions(args)).toMatchObject({
    only: ["gemm_nn_1024", "clf_step"],
    threads: [1],
    builds: ["wide"],
    json: true,
    kept: false,
  });
  expect(readOptions(["--json"])).toMatchObject({ builds: [], kept: false });
  expect(readOptions(["--only", "gemm"])).toMatchObject({ kept: true });
});

it.each([
  [["--threads", "0"], '--threads has "0"'],
  [["--build", "wider"], '--build is "wider", not one of plain, relaxed, wide'],
  [["--browser", "opera"], '--browser is "opera"'],
  [["--seconds", "soon"], '--seconds is "soon"'],
  [["--json", "--threads", "1,2"], "--json is for one build"],
])("refuses %s", (args, message) => {
  expect(() => readOptions(args)).toThrow(message);
});

it("chooses rows by their names, or by parts of names, in the order they run", () => {
  const [main, ops] = [
    ["gemm_nn_1024", "gemm_nn_128", "clf_step"],
    ["op_exp", "op_expm1"],
  ];
  expect(chooseRows([], main, ops)).toEqual(main);
  expect(chooseRows(["clf_step", "gemm"], main, ops)).toEqual(main);
  expect(chooseRows(["op_exp"], main, ops)).toEqual(["op_exp"]);
  expect(() => chooseRows(["conv"], main, ops)).toThrow("no row is called conv");
});
