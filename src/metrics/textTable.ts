/** Tables as text. */

/** Rows of cells as lines: the first columns, of texts, to the left, numbers to the right. */
export function textTable(rows: readonly (readonly string[])[], texts = 1): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) =>
          column < texts ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
        )
        .join("  "),
    )
    .join("\n");
}
