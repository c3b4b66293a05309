/** Results as a picture: for each row, how long each competitor takes, relative to Ferrograd. */
import { builds } from "../ferrograd.js";
import type { Results, RowResult } from "../results.js";
import { competitorsOf, digits, quickest, timeOf, titles } from "./grid.js";

/** Of Okabe and Ito: distinct for all eyes. */
const colours: Readonly<Record<string, string>> = {
  plain: "#999999",
  relaxed: "#56b4e9",
  wide: "#0072b2",
  torch: "#d55e00",
  tfjs: "#e69f00",
  jax: "#009e73",
  ort: "#cc79a7",
};

const width = 900;
const lineHeight = 18;
const left = 210;
const right = 30;
const top = 64;
const radius = 4.5;

/** An SVG of `results` with `threads`; rows that Ferrograd has no figure of are left out. */
export function chart({ machine, rows }: Results, threads: number): string {
  const shown = rows.filter((row) => quickest(row, builds, threads));
  const names = competitorsOf(shown);
  const points = shown.flatMap((row, line) => pointsOf(row, line, names, threads));
  const scale = logScale(points.map(({ ratio }) => ratio));
  const height = top + shown.length * lineHeight + 40;
  const title = `Time relative to Ferrograd's quickest build, ${threadText(threads)}, ${machine.host}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    text(left, 20, title, `font-size="14" font-weight="bold"`),
    ...legend(names),
    ...scale.ticks.flatMap((tick) => gridLine(scale.place(tick), tick, height)),
    ...shown.map((row, line) => text(left - 10, middle(line) + 4, row.w, `text-anchor="end"`)),
    ...points.map(({ name, ratio, line, hint }) => {
      const at = `cx="${fixed(scale.place(ratio))}" cy="${middle(line)}"`;
      const look = `r="${radius}" fill="${colours[name]!}" fill-opacity="0.85"`;
      return `<circle ${at} ${look}><title>${escaped(hint)}</title></circle>`;
    }),
    text(left, height - 10, "less is quicker; 1 is Ferrograd", `fill="#666666"`),
    "</svg>",
    "",
  ].join("\n");
}

interface Point {
  readonly name: string;
  readonly line: number;
  readonly ratio: number;
  readonly hint: string;
}

function pointsOf(
  row: RowResult,
  line: number,
  names: readonly string[],
  threads: number,
): Point[] {
  const own = quickest(row, builds, threads)!;
  return names.flatMap((name) => {
    const figure = timeOf(row, name, threads);
    if (!figure) return [];
    const hint = `${row.w}, ${titles[name]!}: ${digits(figure.min_ms, 3)} ms`;
    return [{ name, line, ratio: figure.min_ms / own.min_ms, hint }];
  });
}

/** Ratios to places along a line, a decade as long as another; its ticks are 1, 2 and 5 of each. */
export function logScale(ratios: readonly number[]): {
  readonly ticks: number[];
  place(ratio: number): number;
} {
  const all = [-2, -1, 0, 1, 2, 3].flatMap((power) => [1, 2, 5].map((n) => n * 10 ** power));
  const [least, most] = [Math.min(1, ...ratios), Math.max(1, ...ratios)];
  const low = all.filter((tick) => tick <= least).at(-1) ?? all[0]!;
  const high = all.find((tick) => tick >= most) ?? all.at(-1)!;
  const share = (ratio: number): number => Math.log(ratio / low) / Math.log(high / low || 1);
  return {
    ticks: all.filter((tick) => tick >= low && tick <= high),
    place: (ratio) => left + (low === high ? 0 : share(ratio)) * (width - left - right),
  };
}

function gridLine(x: number, tick: number, height: number): string[] {
  const bottom = height - 34;
  const stroke = tick === 1 ? "#000000" : "#dddddd";
  const ends = `x1="${fixed(x)}" x2="${fixed(x)}" y1="${top - 4}" y2="${bottom}"`;
  return [
    `<line ${ends} stroke="${stroke}"/>`,
    text(x, top - 10, `${Number(tick.toPrecision(1))}×`, `text-anchor="middle" fill="#666666"`),
  ];
}

function legend(names: readonly string[]): string[] {
  return names.flatMap((name, index) => {
    const x = left + index * 92;
    return [
      `<circle cx="${x}" cy="36" r="${radius}" fill="${colours[name]!}"/>`,
      text(x + 9, 40, titles[name]!),
    ];
  });
}

const threadText = (threads: number): string => (threads === 1 ? "1 thread" : `${threads} threads`);

const middle = (line: number): number => top + line * lineHeight + lineHeight / 2;

const fixed = (x: number): string => x.toFixed(1);

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${more}>${escaped(content)}</text>`;
}

const escaped = (content: string): string => content.replace(/&/g, "&amp;").replace(/</g, "&lt;");
