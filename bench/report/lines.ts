/** Results as JSON lines, one a row. */
import type { RowResult } from "../results.js";
import type { Size } from "../sizes.js";
import { rounded } from "../survey.js";

/** Ferrograd's figures under their own names, and those of each peer with its name before them. */
export function lineOf({ w, figures }: RowResult): string {
  const own = figures.find((figure) => figure.own)!;
  const { competitor, own: _own, threads, min_ms, version: _version, ...measured } = own;
  const line: Record<string, string | number> = {
    w,
    build: competitor,
    threads,
    ...(min_ms !== undefined && { min_ms }),
    ...measured,
  };
  for (const peer of figures.filter((figure) => !figure.own)) {
    const { competitor: name, own: _ignored, threads: count, ...rest } = peer;
    if (count !== threads) line[`${name}_threads`] = count;
    for (const [field, value] of Object.entries(rest)) line[`${name}_${field}`] = value;
    if (min_ms !== undefined && peer.min_ms !== undefined) {
      line[`${name}_ratio`] = rounded(min_ms / peer.min_ms);
    }
  }
  return JSON.stringify(line);
}

/** The sizes as one line, by library. */
export function sizeLine(sizes: readonly Size[]): string {
  const entries = sizes.map(({ library, ...bytes }) => [library, bytes] as const);
  return JSON.stringify({ w: "size", ...Object.fromEntries(entries) });
}
