/** Pictures, tables and words in one HTML file. */
import { safeLines } from "./draw.js";
import { Picture } from "./picture.js";

/** A table of a report. */
export interface ReportTable {
  readonly title?: string;
  readonly columns: readonly string[];
  /** A cell a column; numbers stand to the right. */
  readonly rows: readonly (readonly (string | number)[])[];
}

/** Text of a report as it is, line by line: `model.summary()`, a classification report. */
export interface ReportText {
  readonly title?: string;
  readonly text: string;
}

/** What a report is made of. */
export type ReportPart = Picture | ReportTable | ReportText;

/** Options of `report`. */
export interface ReportOptions {
  /** Default: Report. */
  readonly title?: string;
}

const style = `
body { margin: 2rem auto; padding: 0 1rem; max-width: 70rem; color: #222; background: #fff;
  font: 15px/1.45 system-ui, sans-serif; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.05rem; margin: 0 0 .5rem; }
section { margin: 0 0 2rem; overflow-x: auto; }
figure { margin: 0; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #ddd; text-align: left; }
td.number { text-align: right; }
pre { margin: 0; font: 13px/1.4 ui-monospace, monospace; }`;

/** The parts, one below the other, as an HTML page that needs nothing outside itself. */
export function report(
  parts: readonly ReportPart[],
  { title = "Report" }: ReportOptions = {},
): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<link rel="icon" href="data:,">
<title>${escaped(title)}</title>
<style>${style}
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${parts.map((part) => `<section>${section(part)}</section>`).join("\n")}
</body>
</html>
`;
}

function section(part: ReportPart): string {
  if (part instanceof Picture) {
    return `<figure role="img" aria-label="${escaped(part.title)}">${part.svg}</figure>`;
  }
  const head = part.title === undefined ? "" : `<h2>${escaped(part.title)}</h2>\n`;
  return head + ("text" in part ? `<pre>${escaped(part.text)}</pre>` : table(part));
}

function table({ columns, rows }: ReportTable): string {
  const heads = columns.map((name) => `<th scope="col">${escaped(name)}</th>`).join("");
  const cell = (value: string | number): string =>
    typeof value === "number" ? `<td class="number">${value}</td>` : `<td>${escaped(value)}</td>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`).join("\n");
  return `<table>\n<thead><tr>${heads}</tr></thead>\n<tbody>\n${body}\n</tbody>\n</table>`;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

const escaped = (text: string): string =>
  safeLines(text).replace(/[&<>"']/g, (sign) => entities[sign]!);
