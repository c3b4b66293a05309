/** What was measured, as bench/results keeps it. */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, release, type } from "node:os";
import { join } from "node:path";
import type { Size } from "./sizes.js";

/** Where it was measured. */
export interface Machine {
  readonly cpu: string;
  readonly threads: number;
  readonly system: string;
  /** Node or a browser, with its version. */
  readonly host: string;
}

/** What one competitor did of one row; either `cannot` or times. */
export interface Figure {
  readonly competitor: string;
  readonly threads: number;
  readonly own: boolean;
  readonly version?: string;
  readonly min_ms?: number;
  readonly med_ms?: number;
  readonly n?: number;
  readonly gflops?: number;
  readonly err?: number;
  /** The most memory its process has had, in MB. */
  readonly peak_mb?: number;
  readonly cannot?: string;
}

/** A row. All its figures are of one run, in turns. */
export interface RowResult {
  readonly w: string;
  /** The day of the run. */
  readonly date: string;
  readonly figures: readonly Figure[];
}

/** The results of a machine and host. */
export interface Results {
  readonly machine: Machine;
  readonly rows: readonly RowResult[];
  readonly sizes: readonly Size[];
}

/** This machine, with `host`. */
export function thisMachine(host: string): Machine {
  const cpu = cpus()[0]?.model.trim() ?? "unknown";
  return { cpu, threads: availableParallelism(), system: `${type()} ${release()}`, host };
}

/** `before` with new rows in the place of old ones of the same name; in the order of `names`. */
export function withRows(
  before: Results | undefined,
  { machine, rows, sizes }: Results,
  names: readonly string[],
): Results {
  const same = before && JSON.stringify(before.machine) === JSON.stringify(machine);
  const all = new Map([...(same ? before.rows : []), ...rows].map((row) => [row.w, row]));
  return {
    machine,
    rows: names.flatMap((name) => all.get(name) ?? []),
    sizes: sizes.length > 0 ? sizes : same ? before.sizes : [],
  };
}

/** Reads the results of `stage`, if there are any. */
export async function readResults(folder: string, stage: string): Promise<Results | undefined> {
  const file = join(folder, `${stage}.json`);
  if (!existsSync(file)) return undefined;
  return JSON.parse(await readFile(file, "utf8")) as Results;
}

/** Writes them: a line a figure, so that differences read well. */
export async function writeResults(folder: string, stage: string, all: Results): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${stage}.json`), textOf(all));
}

function textOf({ machine, rows, sizes }: Results): string {
  const listed = (items: readonly unknown[], indent: string): string =>
    items.map((item) => `${indent}${JSON.stringify(item)}`).join(",\n");
  const rowTexts = rows.map(({ w, date, figures }) => {
    const head = `"w": ${JSON.stringify(w)}, "date": ${JSON.stringify(date)}`;
    return `    { ${head}, "figures": [\n${listed(figures, "      ")}\n    ] }`;
  });
  return `{
  "machine": ${JSON.stringify(machine)},
  "sizes": [\n${listed(sizes, "    ")}\n  ],
  "rows": [\n${rowTexts.join(",\n")}\n  ]
}
`;
}
