/** Numbers in rows and columns as shades. */
import type { Diagram } from "./draw.js";
import { safeText } from "./draw.js";

/** What the rows or the columns of a matrix are, and what each of them is called. */
interface Side {
  readonly title: string;
  readonly names: readonly string[];
}

/** A matrix with what its rows and columns are. */
export interface HeatMap {
  readonly values: readonly (readonly number[])[];
  readonly rows: Side;
  readonly columns: Side;
  /** What the darkest shade stands for; the lightest is 0. */
  readonly most: number;
  /** What the shades are of. */
  readonly legend: string;
  /** Pixels of a cell's side. */
  readonly cell: number;
  /** How numbers are written into cells, where all of them have room; otherwise none is. */
  readonly write?: (value: number) => string;
  readonly title?: string;
}

/** From white to the darkest of ColorBrewer's Blues. */
const shades = ["#ffffff", "#c6dbef", "#6baed6", "#2171b5", "#08306b"];
/** From this share of the darkest shade on, white letters are more legible than black ones. */
const darkFrom = 0.62;
/** Letters in cells, and the width of a digit of theirs. */
const [letters, digit] = [11, 6.2];
/** Names longer than this many pixels end in an ellipsis. */
const longestName = 150;
/** More cells than this are not described one by one to those who cannot see them. */
const mostDescribed = 1024;

/** The diagram of a matrix. */
export function heatMap(map: HeatMap): Diagram {
  const { values, rows, columns, most, legend, cell, write = () => "", title } = map;
  const cells = values.flatMap((row, y) =>
    row.map((value, x) => ({
      ...{ x, y, value, text: write(value) },
      said: safeText(
        `${rows.title} ${rows.names[y]!}, ${columns.title} ${columns.names[x]!}: ${value}`,
      ),
    })),
  );
  const longest = cells.reduce((most, { text }) => Math.max(most, text.length), 0);
  const written = longest > 0 && longest * digit < cell;
  return {
    ...(title !== undefined && {
      title: { text: safeText(title), fontSize: 12, fontWeight: "normal", anchor: "middle" },
    }),
    width: cell * columns.names.length,
    height: cell * rows.names.length,
    data: { values: cells },
    encoding: {
      x: { field: "x", ...axis(columns, cell, { labelAngle: -45, labelAlign: "right" }) },
      y: { field: "y", ...axis(rows, cell, {}) },
    },
    layer: [
      {
        mark: { type: "rect", aria: cells.length <= mostDescribed },
        encoding: {
          description: { field: "said" },
          color: {
            field: "value",
            type: "quantitative",
            title: legend,
            scale: { domain: [0, most || 1], range: shades, interpolate: "rgb" },
          },
        },
      },
      ...(written
        ? [
            {
              mark: { type: "text" as const, fontSize: letters, aria: false },
              encoding: {
                text: { field: "text" },
                color: {
                  value: "#222222",
                  condition: { test: `datum.value > ${most * darkFrom}`, value: "#ffffff" },
                },
              },
            },
          ]
        : []),
    ],
  };
}

/** An axis of whole numbers, shown by their names: several may have the same one. */
function axis(
  { title, names }: Side,
  cell: number,
  labels: { readonly labelAngle?: number; readonly labelAlign?: "right" },
) {
  // Slanted lines are further apart.
  const lineHeight = labels.labelAngle === undefined ? 13 : 18;
  const every = Math.ceil(lineHeight / cell);
  const places = names.map((_, index) => index);
  return {
    type: "ordinal" as const,
    title,
    scale: { domain: places, padding: 0 },
    axis: {
      values: places.filter((place) => place % every === 0),
      labelExpr: `${JSON.stringify(names.map(safeText))}[datum.value]`,
      labelLimit: longestName,
      labelOverlap: false,
      labelPadding: 4,
      ticks: false,
      domain: false,
      ...labels,
    },
  };
}
