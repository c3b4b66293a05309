/** A library under measurement, as its own process or page sees it; and what is said across. */
import type { Work } from "./row.js";

/** What a driver starts its library with. */
export interface DriverOptions {
  readonly threads: number;
  /** Which of the library's builds; only Ferrograd has several. */
  readonly build?: string;
  /** In a page: the address of the folder with the peers' packages, without a slash at the end. */
  readonly packages?: string;
}

/** What has started. */
export interface Started {
  readonly version: string;
  readonly threads: number;
  readonly build?: string;
  /** Why it is not what was asked for. */
  readonly reasons?: readonly string[];
}

/** The module of a library under measurement. */
export interface Driver {
  /** Loads and starts the library, up to the first result of a product of matrices. */
  start(options: DriverOptions): Promise<Started>;
  /** The work of a row. Rejects, with the library's own message, if the library cannot do it. */
  prepare(row: string): Promise<Work>;
}

/** Said first. */
export interface Ready extends Started {
  readonly error: number;
  /** The row `cold`: how long the start took. */
  readonly ms?: readonly number[];
}

/** Said instead, if it cannot. */
export interface Refusal {
  readonly cannot: string;
}

/** Said after each turn. */
export interface Turn {
  /** The milliseconds of a run, by sample. */
  readonly ms: readonly number[];
  /** The most memory the process has had, in bytes, where that is known. */
  readonly peak?: number;
}

/** The row that is the start itself: a new process or page for each sample. */
export const coldRow = "cold";

/** Starts `load`'s driver and prepares `row`. Resolves to a refusal where that fails. */
export async function enter(
  load: () => Promise<Driver>,
  row: string,
  options: DriverOptions,
): Promise<{ said: Ready | Refusal; work?: Work }> {
  try {
    const begun = performance.now();
    const driver = await load();
    const started = await driver.start(options);
    if (row === coldRow) {
      return { said: { ...started, error: 0, ms: [performance.now() - begun] } };
    }
    const work = await driver.prepare(row);
    return { said: { ...started, error: work.error }, work };
  } catch (error) {
    return { said: { cannot: firstLine(error) } };
  }
}

/** Does `work` `samples` times `runs` times, and times each sample. */
export async function takeTurn({ run }: Work, samples: number, runs: number): Promise<number[]> {
  const times: number[] = [];
  while (times.length < samples) {
    const begun = performance.now();
    for (let i = 0; i < runs; i++) await run();
    times.push((performance.now() - begun) / runs);
  }
  return times;
}

/** The first line of what was thrown. */
export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]!;
}
