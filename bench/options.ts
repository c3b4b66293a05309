/** The options of `./build.sh bench`. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { BuildName } from "./ferrograd.js";
import { builds } from "./ferrograd.js";

/** What is wanted. */
export interface Options {
  /** Names of rows, or parts of names; none: all but those of single ops. */
  readonly only: readonly string[];
  readonly threads: readonly number[];
  /** Builds of Ferrograd; none: the one that `init` chooses. */
  readonly builds: readonly BuildName[];
  /** Seconds of measuring, by row and competitor. */
  readonly seconds: number;
  /** One JSON line a row, for one configuration, and nothing is written. */
  readonly json: boolean;
  /** Whether to measure Ferrograd without peers. */
  readonly alone: boolean;
  /** Whether what is measured is kept: nobody is left out who would be measured otherwise. */
  readonly kept: boolean;
  /** Whether to install the peers first. */
  readonly installPeers: boolean;
  readonly browser?: BrowserName;
  /** The Node that measures. */
  readonly node?: string;
  /** The Python that has PyTorch. */
  readonly torch?: string;
}

const browsers = ["chromium", "firefox"] as const;

/** A browser to measure in. */
export type BrowserName = (typeof browsers)[number];

/** What `--help` prints. */
export const help = `./build.sh bench -- [options]

Measures Ferrograd's builds on 1 and on all threads, turn about with the peers that are installed,
and prints tables. Unless builds, threads or peers are left out, the rows measured take the place of
the old ones in bench/results and docs/benchmarks.md.

  --peers            first install the peers into bench/peers (3 GB, most of it PyTorch)
  --alone            measure no peers
  --only NAMES       rows, or parts of their names, with commas; "op_" for single ops
  --threads COUNTS   default: 1,all
  --build NAMES      of ${builds.join()}; default: all of them
  --wide             the same as --build wide
  --seconds N        by row and competitor; default: 2
  --browser NAME     ${browsers.join(" or ")}: measure in pages instead of Node
  --node PATH        the Node that measures; default: that of the peers, or this one
  --torch PYTHON     the Python that has PyTorch; default: that of the peers
  --json             one JSON line a row instead, for one build and number of threads
                     (default: what init() chooses)`;

/** Reads the command line; undefined: help is wanted. Throws an Error that says what is wrong. */
export function readOptions(args: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      threads: { type: "string" },
      build: { type: "string" },
      wide: { type: "boolean", default: false },
      seconds: { type: "string", default: "2" },
      json: { type: "boolean", default: false },
      alone: { type: "boolean", default: false },
      peers: { type: "boolean", default: false },
      browser: { type: "string" },
      node: { type: "string" },
      torch: { type: "string" },
    },
  });
  if (values.help) return undefined;
  const { json, alone, peers: installPeers, node, torch } = values;
  const threads = listOf(values.threads ?? (json ? "all" : "1,all")).map(threadCount);
  const wanted = values.wide ? ["wide"] : listOf(values.build ?? (json ? "" : builds.join()));
  if (json && (threads.length > 1 || wanted.length > 1)) {
    throw new Error("--json is for one build and one number of threads");
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) throw new Error(`--seconds is "${values.seconds}", not a number above 0`);
  return {
    only: listOf(values.only),
    threads: [...new Set(threads)],
    builds: wanted.map((name) => oneOf("--build", builds, name)),
    seconds,
    json,
    alone,
    kept: !json && !alone && !values.wide && values.threads === undefined && !values.build,
    installPeers,
    ...(values.browser !== undefined && {
      browser: oneOf("--browser", browsers, values.browser),
    }),
    ...(node !== undefined && { node }),
    ...(torch !== undefined && { torch }),
  };
}

function listOf(text: string): string[] {
  return text.split(",").filter((part) => part !== "");
}

function threadCount(text: string): number {
  const count = text === "all" ? availableParallelism() : Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new Error(`--threads has "${text}", which is neither a whole number above 0 nor "all"`);
}

function oneOf<Name extends string>(option: string, names: readonly Name[], name: string): Name {
  const found = names.find((known) => known === name);
  if (found !== undefined) return found;
  throw new Error(`${option} is "${name}", not one of ${names.join(", ")}`);
}

/** The names that `only` means: an exact one, or all that it is part of. Throws if there are none. */
export function chooseRows(
  only: readonly string[],
  main: readonly string[],
  ops: readonly string[],
): string[] {
  if (only.length === 0) return [...main];
  const all = [...main, ...ops];
  const chosen = only.flatMap((part) => {
    const found = all.includes(part) ? [part] : all.filter((name) => name.includes(part));
    if (found.length === 0) throw new Error(`no row is called ${part}; there are ${main.join()}`);
    return found;
  });
  return all.filter((name) => chosen.includes(name));
}
