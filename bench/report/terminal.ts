/** Results as tables for the terminal. */
import Table from "cli-table3";
import type { RowResult } from "../results.js";
import { grid, refusals, threadCounts } from "./grid.js";

/** A table for each count of threads, then why figures are missing. */
export function terminalText(rows: readonly RowResult[]): string {
  const tables = threadCounts(rows).map((threads) => {
    const [head, ...lines] = grid(rows, threads);
    const alignOf = (column: number): "left" | "right" => (column === 0 ? "left" : "right");
    const colAligns = head!.map((_, column) => alignOf(column));
    const table = new Table({ head: head!, colAligns, style: { compact: true, head: [] } });
    table.push(...lines);
    return `milliseconds, ${threads} ${threads === 1 ? "thread" : "threads"}\n${table.toString()}`;
  });
  return [...tables, ...refusals(rows)].join("\n");
}
