/** Draws what Vega-Lite calls a specification. */
import type { TopLevelSpec } from "vega-lite";
import { reasonOf, StateError } from "../errors.js";
import { Picture } from "./picture.js";

/** One of several diagrams in a picture. */
export type Diagram = Extract<TopLevelSpec, { concat: unknown }>["concat"][number];

/** The look of all pictures: light, quiet, and legible where they are printed. */
const look = {
  font: "sans-serif",
  background: "#ffffff",
  padding: 12,
  view: { stroke: "#d0d0d0" },
  axis: {
    labelFontSize: 11,
    titleFontSize: 12,
    titleFontWeight: "normal",
    gridColor: "#ebebeb",
    domainColor: "#888888",
    tickColor: "#888888",
    labelColor: "#333333",
    titleColor: "#333333",
    labelFlush: false,
  },
  legend: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", labelLimit: 240 },
  title: {
    fontSize: 14,
    anchor: "start",
    offset: 14,
    subtitleColor: "#666666",
    subtitleFontSize: 11,
  },
  concat: { spacing: 28 },
} as const;

/** Of lines, by Okabe and Ito: distinct for all eyes. */
export const lineColours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/** Words of a picture above its drawing. */
export interface Heading {
  readonly title: string;
  /** Said in small below the title. */
  readonly notes?: readonly string[];
}

/** The picture of `spec`. Throws StateError where the libraries that draw are not installed. */
export async function draw({ title, notes = [] }: Heading, spec: TopLevelSpec): Promise<Picture> {
  const { parse, View, compile, expressionInterpreter } = await libraries();
  const heading = { text: safeText(title), subtitle: notes.map(safeText) };
  const program = compile({ ...spec, title: heading, config: look }).spec;
  // Expressions are interpreted, not compiled: pages whose policy forbids eval can draw.
  const runtime = parse(program, undefined, { ast: true });
  const view = new View(runtime, { expr: expressionInterpreter, renderer: "none" });
  try {
    return new Picture(title, await view.toSVG());
  } finally {
    view.finalize();
  }
}

/** They are large: a program that draws nothing never loads them. */
async function libraries() {
  try {
    const [{ parse, View }, { compile }, { expressionInterpreter }] = await Promise.all([
      import("vega"),
      import("vega-lite"),
      import("vega-interpreter"),
    ]);
    return { parse, View, compile, expressionInterpreter };
  } catch (error) {
    throw new StateError(
      "pictures are drawn by vega, vega-lite and vega-interpreter, which cannot be loaded: " +
        `npm install vega vega-lite vega-interpreter (${reasonOf(error)})`,
    );
  }
}

/** `text` on one line, for labels. */
export function safeText(text: string): string {
  return safeLines(text.replace(/\s+/g, " "));
}

/** `text` with □ for the signs that XML, and with it SVG, must not hold. */
export function safeLines(text: string): string {
  return text.replace(/(?![\t\n\r])[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, "□");
}

/** Bounds of an axis that holds all of `values`, with room where they are one. */
export function boundsOf(values: readonly number[]): [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  const [low, high] = values.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [values[0]!, values[0]!],
  );
  if (low < high) return [low, high];
  const room = Math.abs(low) / 10 || 1;
  return [low - room, high + room];
}
