/** What a survey leaves behind: JSON and a chart for each host, and the page with their figures. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { resultsFolder, root } from "../folders.js";
import type { Results } from "../results.js";
import { readResults, withRows, writeResults } from "../results.js";
import { chart } from "./chart.js";
import { threadCounts } from "./grid.js";
import { figuresText, withFigures } from "./page.js";

/** Hosts as their files are called, in the order of the page. */
export const hosts = ["node", "chromium", "firefox"] as const;

/** The name of a host's files. */
export type Host = (typeof hosts)[number];

/**
 * Adds `results` to those of `host`, whose rows are `names` in this order, and redraws all. Rows of
 * other names are not kept.
 */
export async function save(host: Host, results: Results, names: readonly string[]): Promise<void> {
  if (results.rows.some(({ w }) => !names.includes(w))) return;
  const all = withRows(await readResults(resultsFolder, host), results, names);
  await writeResults(resultsFolder, host, all);
  const threads = threadCounts(all.rows)[0];
  if (threads !== undefined) {
    await writeFile(join(resultsFolder, `${host}.svg`), chart(all, threads));
  }
  const page = join(root, "docs/benchmarks.md");
  await writeFile(page, withFigures(await readFile(page, "utf8"), await allFigures()));
}

/** The text of the figures of all hosts. */
export async function allFigures(): Promise<string> {
  const read = hosts.map(async (host) => [host, await readResults(resultsFolder, host)] as const);
  const found = await Promise.all(read);
  return figuresText(
    found.flatMap(([host, results]) => (results ? [[host, results] as const] : [])),
  );
}
