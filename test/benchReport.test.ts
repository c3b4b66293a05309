/** How the benchmarks report what they measured. */
import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { chart, logScale } from "../bench/report/chart.js";
import { allFigures } from "../bench/report/files.js";
import { digits, grid, refusals, threadCounts } from "../bench/report/grid.js";
import { lineOf } from "../bench/report/lines.js";
import { figuresText, withFigures } from "../bench/report/page.js";
import { terminalText } from "../bench/report/terminal.js";
import type { Figure, Results, RowResult } from "../bench/results.js";
import { withRows } from "../bench/results.js";

function figure(
  competitor: string,
  threads: number,
  min: number,
  more: Partial<Figure> = {},
): Figure {
  const own = ["plain", "relaxed", "wide"].includes(competitor);
  const times = { min_ms: min, med_ms: min, n: 3, err: 1e-7 };
  return { competitor, threads, own, ...times, ...more };
}

const product: RowResult = {
  w: "gemm_nn_512",
  date: "2026-01-02",
  figures: [
    figure("plain", 1, 8),
    figure("wide", 1, 4, { gflops: 67.1, peak_mb: 80 }),
    figure("plain", 2, 5),
    figure("wide", 2, 2.5, { gflops: 107 }),
    figure("torch", 1, 2, { version: "2.9" }),
    figure("torch", 2, 1),
    figure("tfjs", 1, 10),
    figure("ort", 2, 5),
  ],
};
const step: RowResult = {
  w: "clf_step",
  date: "2026-01-03",
  figures: [
    figure("plain", 1, 100, { peak_mb: 150 }),
    { competitor: "tfjs", threads: 1, own: false, cannot: "no <kernel> & no way" },
    { competitor: "wide", threads: 1, own: true, cannot: "Node is too old" },
  ],
};
const results: Results = {
  machine: { cpu: "Zen", threads: 2, system: "Linux 6", host: "Node 24" },
  rows: [product, step],
  sizes: [{ library: "Ferrograd", js: 56_000, workers: 14_000, wasm: 83_000 }],
};

it("tabulates, with ratios of Ferrograd's quickest build to its peers", () => {
  expect(threadCounts(results.rows)).toEqual([1, 2]);
  expect(grid(results.rows, 1)).toEqual([
    [
      ...["row", "plain", "wide", "PyTorch", "tfjs-wasm", "ORT web"],
      ...["÷ PyTorch", "÷ best Wasm", "GFLOP/s", "error"],
    ],
    ["gemm_nn_512", "8.00", "4.00", "2.00", "10.0", "–", "2.0", "0.40", "67.1", "1e-7"],
    ["clf_step", "100", "–", "–", "–", "–", "–", "–", "–", "1e-7"],
  ]);
});

it("compares with the most threads that a peer can have", () => {
  expect(grid([product], 2)[1]).toEqual([
    ...["gemm_nn_512", "5.00", "2.50", "1.00", "10.0", "5.00", "2.5", "0.50", "107", "1e-7"],
  ]);
});

it("says why figures are missing", () => {
  expect(refusals(results.rows)).toEqual([
    "tfjs-wasm: no <kernel> & no way (clf_step)",
    "wide: Node is too old (clf_step)",
  ]);
  const text = terminalText(results.rows);
  expect(text).toContain("milliseconds, 1 thread");
  expect(text).toContain("milliseconds, 2 threads");
  expect(text).toContain("wide: Node is too old (clf_step)");
});

it("writes a JSON line a row, with the peers' figures under their names", () => {
  const wide = product.figures.filter(({ competitor, threads }) => {
    return competitor !== "plain" && (threads === 1 || competitor === "ort");
  });
  expect(JSON.parse(lineOf({ ...product, figures: wide }))).toEqual({
    ...{ w: "gemm_nn_512", build: "wide", threads: 1 },
    ...{ min_ms: 4, med_ms: 4, n: 3, gflops: 67.1, err: 1e-7, peak_mb: 80 },
    ...{ torch_version: "2.9", torch_min_ms: 2, torch_med_ms: 2, torch_n: 3, torch_err: 1e-7 },
    torch_ratio: 2,
    ...{ tfjs_min_ms: 10, tfjs_med_ms: 10, tfjs_n: 3, tfjs_err: 1e-7, tfjs_ratio: 0.4 },
    ...{ ort_threads: 2, ort_min_ms: 5, ort_med_ms: 5, ort_n: 3, ort_err: 1e-7, ort_ratio: 0.8 },
  });
  expect(JSON.parse(lineOf(step))).toMatchObject({ tfjs_cannot: "no <kernel> & no way" });
});

it("puts new rows in the place of old ones, unless the machine is another", () => {
  const again = { ...product, date: "2026-02-01" };
  const names = ["clf_step", "gemm_nn_512"];
  const next: Results = { ...results, rows: [again], sizes: [] };
  expect(withRows(results, next, names)).toEqual({ ...results, rows: [step, again] });
  const machine = { ...results.machine, host: "Node 26" };
  const moved = { ...next, machine };
  expect(withRows(results, moved, names)).toEqual(moved);
});

it("writes the page between its markers", () => {
  const text = figuresText([["node", results]]);
  expect(text).toContain("## Node 24\n\nZen, 2 threads, Linux 6; 2026-01-02 to 2026-01-03;");
  expect(text).toContain("peers: PyTorch 2.9.");
  expect(text).toContain("| clf_step | 150 | – | – | – | – |");
  expect(text).toContain("| Ferrograd | 56.0 | 14.0 | 83.0 |");
  expect(() => withFigures("no markers", text)).toThrow("markers");
});

it("has the page that its results make", async () => {
  const page = await readFile("docs/benchmarks.md", "utf8");
  expect(withFigures(page, await allFigures())).toBe(page);
});

it("draws each time at its place", () => {
  const svg = chart(results, 1);
  // Four competitors of the product and one of the step, and five in the legend.
  expect(svg.match(/<circle/g)).toHaveLength(5 + 5);
  expect(svg).toContain("<title>gemm_nn_512, wide: 4.00 ms</title>");
  expect(svg).toContain(">0.5×</text>");
  const { ticks, place } = logScale([0.5, 20]);
  expect(ticks).toEqual([0.5, 1, 2, 5, 10, 20]);
  expect(place(2) - place(1)).toBeCloseTo(place(20) - place(10));
});

it("draws even if all take the same time", () => {
  const { place } = logScale([1]);
  expect(place(1)).toBeGreaterThan(0);
});

it.each([
  [0.000123456, "0.000123"],
  [0.01234, "0.0123"],
  [9.876, "9.88"],
  [123.4, "123"],
  [98_765, "98765"],
])("writes %d with three digits", (x, text) => {
  expect(digits(x, 3)).toBe(text);
});
