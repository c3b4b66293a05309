/** The figures of docs/benchmarks.md, between its markers. */
import type { Results } from "../results.js";
import { competitorsOf, digits, grid, refusals, threadCounts, timeOf, titles } from "./grid.js";

const begin = "<!-- figures: written by `./build.sh bench`; do not edit -->";
const end = "<!-- end of figures -->";

/** `page` with `text` in the place of what is between its markers. Throws if it has none. */
export function withFigures(page: string, text: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error("docs/benchmarks.md has lost its markers");
  return `${page.slice(0, from + begin.length)}\n\n${text}\n\n${page.slice(to)}`;
}

/** All results as Markdown, by the name of their file. */
export function figuresText(all: readonly (readonly [file: string, results: Results])[]): string {
  if (all.length === 0) return "None have been measured yet.";
  return all.map(([file, results]) => sectionOf(file, results)).join("\n\n");
}

function sectionOf(file: string, { machine, rows, sizes }: Results): string {
  const { host, cpu, threads, system } = machine;
  const dates = rows.map(({ date }) => date).sort();
  const [first, last] = [dates[0], dates.at(-1)];
  const when = first === last ? first : `${first} to ${last}`;
  const tables = threadCounts(rows).map(
    (count) => `### ${host}, ${countOf(count)}\n\n${markdown(grid(rows, count))}`,
  );
  const missing = refusals(rows).map((text) => `- ${text}`);
  return [
    `## ${host}`,
    `${cpu}, ${countOf(threads)}, ${system}; ${when}; peers: ${versionsOf(rows)}.`,
    `![Times relative to Ferrograd](../bench/results/${file}.svg)`,
    ...tables,
    ...(missing.length > 0 ? [`Missing figures:\n\n${missing.join("\n")}`] : []),
    ...memorySection(rows),
    ...(sizes.length > 0 ? [`### Sizes, in kB after gzip\n\n${markdown(sizeGrid(sizes))}`] : []),
  ].join("\n\n");
}

const countOf = (threads: number): string => (threads === 1 ? "1 thread" : `${threads} threads`);

function versionsOf(rows: Results["rows"]): string {
  const figures = rows.flatMap((row) => row.figures);
  const versions = competitorsOf(rows).flatMap((name) => {
    const found = figures.find(({ competitor, version }) => competitor === name && version);
    return found ? [`${titles[name]!} ${found.version!}`] : [];
  });
  return versions.join(", ") || "none";
}

/** Rows whose memory tells something of a whole program. */
const rowsOfMemory = ["adam_10m", "mlp_step", "clf_step", "cnn_step", "gpt_step"];

function memorySection(rows: Results["rows"]): string[] {
  const names = competitorsOf(rows);
  const lines = rows
    .filter(({ w }) => rowsOfMemory.includes(w))
    .map((row) => [row.w, ...names.map((name) => String(timeOf(row, name, 1)?.peak_mb ?? "–"))])
    .filter((line) => line.some((cell) => /^\d+$/.test(cell)));
  if (lines.length === 0) return [];
  const head = ["row", ...names.map((name) => titles[name]!)];
  return [`### Peak memory of the process, in MB\n\n${markdown([head, ...lines])}`];
}

function sizeGrid(sizes: Results["sizes"]): string[][] {
  const kilobytes = (bytes: number): string => (bytes === 0 ? "–" : digits(bytes / 1000, 3));
  return [
    ["library", "JavaScript", "its workers'", "WebAssembly, one build"],
    ...sizes.map(({ library, js, workers, wasm }) => [
      library,
      ...[js, workers, wasm].map(kilobytes),
    ]),
  ];
}

function markdown([head, ...lines]: string[][]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  const rule = head!.map((_, column) => (column === 0 ? "---" : "---:"));
  return [row(head!), row(rule), ...lines.map(row)].join("\n");
}
