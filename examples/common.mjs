/** What the examples share: options, files of data, the engine, a table of results. */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { engine, init, shutdown } from "ferrograd";

/**
 * The options of the command line, those not given as in `defaults`; all are whole numbers but
 * those whose default is a string. Prints `usage` for `--help`.
 */
export function readOptions(usage, defaults) {
  const known = Object.keys(defaults).map((name) => [name, { type: "string" }]);
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== "--"),
    options: { ...Object.fromEntries(known), help: { type: "boolean" } },
  });
  if (values.help) {
    console.log(usage);
    process.exit();
  }
  const read = ([name, ifNone]) => {
    const value = values[name] ?? ifNone;
    if (value === ifNone || typeof ifNone === "string") return [name, value];
    const number = Number(value);
    if (Number.isSafeInteger(number) && number >= 0) return [name, number];
    throw new Error(`--${name} ${value} is not a whole number`);
  };
  return Object.fromEntries(Object.entries(defaults).map(read));
}

/**
 * A file for each of `patterns` in `folder`, or where that is "" in the usual places of the data
 * called `name`. Ends the program where there are none, and says how to get them.
 */
export function findData(folder, name, patterns, howToGet) {
  const here = dirname(fileURLToPath(import.meta.url));
  const usual = ["../data", "../../shared/data"].map((place) => join(here, place, name));
  const places = folder === "" ? usual : [folder];
  for (const place of places.filter((each) => existsSync(each))) {
    const names = readdirSync(place).sort();
    const found = patterns.map((pattern) => names.find((file) => pattern.test(file)));
    if (found.every((file) => file !== undefined)) return found.map((file) => join(place, file));
  }
  const looked = places.map((place) => relative("", place)).join(" and ");
  console.error(`No files like ${patterns.join(", ")} in ${looked}.\n${howToGet}`);
  process.exit(1);
}

/** Runs `body` with the engine, as wide as this host can, after saying which it is. */
export async function withEngine(threads, body) {
  await init({ wide: true, ...(threads !== undefined && { threads }) });
  try {
    const { build, wide, threads: count } = engine().info();
    console.log(`Engine: ${wide ? "wide" : build} build, ${count} thread${count === 1 ? "" : "s"}`);
    await body();
  } finally {
    shutdown();
  }
}

/** Seconds that `body` takes. */
export async function secondsOf(body) {
  const begun = performance.now();
  await body();
  return (performance.now() - begun) / 1000;
}

/** Prints a table; numbers that are not whole with four places. */
export function printTable(head, rows) {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  const shown = (cell) =>
    typeof cell === "number" && !Number.isInteger(cell) ? cell.toFixed(4) : cell;
  for (const row of rows) table.push(row.map(shown));
  console.log(`\n${table.toString()}`);
}
