/** Results as rows of text, for the terminal and for the page alike. */
import { peerTitles } from "../competitors.js";
import { builds } from "../ferrograd.js";
import type { Figure, RowResult } from "../results.js";

/** Competitors as their columns are called, in the order of the columns. */
export const titles: Readonly<Record<string, string>> = {
  ...Object.fromEntries(builds.map((build) => [build, build])),
  ...peerTitles,
};

/** A figure with times. */
export interface Timed extends Figure {
  readonly min_ms: number;
}

const isTimed = (figure: Figure): figure is Timed => figure.min_ms !== undefined;

/** The counts of threads that Ferrograd was measured with. */
export function threadCounts(rows: readonly RowResult[]): number[] {
  const counts = rows.flatMap(({ figures }) => figures.filter(({ own }) => own));
  return [...new Set(counts.map(({ threads }) => threads))].sort((a, b) => a - b);
}

/** The competitors that have figures, in the order of the columns. */
export function competitorsOf(rows: readonly RowResult[]): string[] {
  const present = new Set(rows.flatMap(({ figures }) => figures.filter(isTimed)).map(nameOf));
  return Object.keys(titles).filter((name) => present.has(name));
}

const nameOf = ({ competitor }: Figure): string => competitor;

/** What `competitor` did with `threads`, or with as many of them as it can have. */
export function timeOf(row: RowResult, competitor: string, threads: number): Timed | undefined {
  return row.figures
    .filter(isTimed)
    .filter((figure) => figure.competitor === competitor && figure.threads <= threads)
    .reduce<Timed | undefined>((a, b) => (a && a.threads > b.threads ? a : b), undefined);
}

/** The quickest of `names`. */
export function quickest(
  row: RowResult,
  names: readonly string[],
  threads: number,
): Timed | undefined {
  return names
    .map((name) => timeOf(row, name, threads))
    .filter((figure) => figure !== undefined)
    .reduce<Timed | undefined>((a, b) => (a && a.min_ms <= b.min_ms ? a : b), undefined);
}

const wasmPeers = Object.keys(peerTitles).filter((name) => name !== "torch");
const absent = "–";

/** A table of `rows` with `threads`: its head, then a line a row; times are milliseconds. */
export function grid(rows: readonly RowResult[], threads: number): string[][] {
  const columns = competitorsOf(rows);
  const hasTorch = columns.includes("torch");
  const hasPeers = columns.some((name) => wasmPeers.includes(name));
  const head = [
    "row",
    ...columns.map((name) => titles[name]!),
    ...(hasTorch ? ["÷ PyTorch"] : []),
    ...(hasPeers ? ["÷ best Wasm"] : []),
    "GFLOP/s",
    "error",
  ];
  const lines = rows.map((row) => {
    const own = quickest(row, builds, threads);
    const ratio = (peer: Timed | undefined): string =>
      own && peer ? digits(own.min_ms / peer.min_ms, 2) : absent;
    return [
      row.w,
      ...columns.map((name) => milliseconds(timeOf(row, name, threads))),
      ...(hasTorch ? [ratio(timeOf(row, "torch", threads))] : []),
      ...(hasPeers ? [ratio(quickest(row, wasmPeers, threads))] : []),
      own?.gflops === undefined ? absent : digits(own.gflops, 3),
      own?.err ? own.err.toExponential(0) : absent,
    ];
  });
  return [head, ...lines];
}

function milliseconds(figure: Timed | undefined): string {
  return figure ? digits(figure.min_ms, 3) : absent;
}

/** `x` with `count` significant digits, never in powers of ten. */
export function digits(x: number, count: number): string {
  const decimals = count - 1 - Math.floor(Math.log10(x));
  return x.toFixed(Math.max(0, Math.min(6, decimals)));
}

/** Why figures are missing: for each competitor and message, the rows. */
export function refusals(rows: readonly RowResult[]): string[] {
  const found = new Map<string, string[]>();
  for (const { w, figures } of rows) {
    for (const { competitor, cannot } of figures) {
      if (cannot === undefined) continue;
      const reason = `${titles[competitor] ?? competitor}: ${cannot}`;
      const names = found.get(reason) ?? [];
      if (!names.includes(w)) names.push(w);
      found.set(reason, names);
    }
  }
  const all = rows.length;
  return [...found].map(([reason, names]) => {
    return `${reason} (${names.length === all && all > 1 ? "all rows" : names.join(", ")})`;
  });
}
