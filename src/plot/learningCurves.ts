/** Learning curves. */
import { DataError, StateError } from "../errors.js";
import type { Diagram } from "./draw.js";
import { boundsOf, draw, lineColours, safeText } from "./draw.js";
import type { Picture } from "./picture.js";
import { thinned } from "./thin.js";

/** What a training reported: `epoch`, from 0, and each value over the epochs. */
export interface Course {
  readonly epoch: readonly number[];
  readonly history: { readonly [name: string]: readonly number[] };
}

/** Options of `history.plot`. */
export interface LearningCurvesOptions {
  /** Default: Learning curves. */
  readonly title?: string;
  /** What to show, each with its validation: `["loss", "accuracy"]`. Default: all there is. */
  readonly names?: readonly string[];
}

const series = ["training", "validation"] as const;
const [width, height] = [360, 220];
/** With more epochs than this, points would hide the line. */
const mostPoints = 40;

/** Numbers beyond it have no axis: distances between them are infinite. */
const largest = 1e300;

interface Row {
  readonly x: number;
  readonly y: number | null;
  readonly series: (typeof series)[number];
  /** At which edge an epoch without a finite value is marked. */
  readonly edge: "top" | "bottom" | null;
}

/** One diagram for each value, training and validation in it, over the epochs. */
export async function plotHistory(
  course: Course,
  { title = "Learning curves", names }: LearningCurvesOptions = {},
): Promise<Picture> {
  if (course.epoch.length === 0) {
    throw new StateError("history.plot: no epoch has been recorded; train first");
  }
  const panels = panelsOf(course);
  const missing = names?.find((name) => !panels.has(name));
  if (missing !== undefined) {
    const known = [...panels.keys()].join(", ");
    throw new DataError(`history.plot: there is no ${missing}; there are ${known}`);
  }
  const shown = names ?? [...panels.keys()];
  const rows = shown.map((name) => panels.get(name)!);
  const lost = new Set(rows.flat().filter(({ edge }) => edge !== null));
  const both = series.filter((one) => rows.flat().some((row) => row.series === one));
  return draw(
    { title, notes: lost.size > 0 ? ["✕ at an edge: a value that is not finite"] : [] },
    {
      columns: 2,
      concat: shown.map((name, index) => panel(name, rows[index]!, both)),
      resolve: { scale: { color: "shared", strokeDash: "shared" } },
    },
  );
}

/** Rows by the name of what they are of; `valLoss` is the validation of `loss`. */
function panelsOf({ epoch, history }: Course): Map<string, Row[]> {
  const panels = new Map<string, Row[]>();
  for (const [name, values] of Object.entries(history)) {
    const of = validated(name, history);
    const rows = panels.get(of ?? name) ?? [];
    panels.set(of ?? name, rows);
    // What was not reported from the beginning was to the end.
    const skipped = epoch.length - values.length;
    values.forEach((value, index) => {
      const finite = Math.abs(value) <= largest;
      rows.push({
        x: (epoch[skipped + index] ?? index) + 1,
        y: finite ? value : null,
        series: series[of === undefined ? 0 : 1],
        edge: finite ? null : value > 0 ? "top" : "bottom",
      });
    });
  }
  return panels;
}

/** What `name` is the validation of: `accuracy` for `valAccuracy`. */
function validated(name: string, history: Course["history"]): string | undefined {
  const rest = /^val(\p{Lu}.*)$/su.exec(name)?.[1];
  if (rest === undefined) return undefined;
  return Object.hasOwn(history, rest) ? rest : rest[0]!.toLowerCase() + rest.slice(1);
}

/** The diagram of one value. */
function panel(name: string, rows: readonly Row[], legend: readonly string[]): Diagram {
  const lines = series.flatMap((one) =>
    thinned(
      rows.filter((row) => row.series === one),
      width,
    ),
  );
  const epochs = boundsOf(rows.map(({ x }) => x));
  const heights = boundsOf(rows.flatMap(({ y }) => (y === null ? [] : [y])));
  const scale = { domain: [...series], range: lineColours };
  const dashes = {
    domain: [...series],
    range: [
      [1, 0],
      [5, 3],
    ],
  };
  const shownLegend =
    legend.length > 1
      ? { title: null, values: [...legend], symbolType: "stroke" as const, symbolSize: 300 }
      : null;
  const points = rows.length <= mostPoints * legend.length;
  return {
    width,
    height,
    data: { values: lines.map((row) => ({ ...row })) },
    encoding: {
      x: {
        field: "x",
        type: "quantitative",
        title: "epoch",
        scale: { domain: epochs, nice: false, zero: false },
        axis: { tickMinStep: 1, format: "~d", grid: false },
      },
      color: { field: "series", type: "nominal", scale, legend: shownLegend },
    },
    layer: [
      {
        mark: { type: "line", invalid: "break-paths-show-domains", strokeWidth: 2, point: points },
        encoding: {
          y: {
            field: "y",
            type: "quantitative",
            title: safeText(name),
            scale: { domain: heights, nice: true, zero: false },
            axis: { format: "~g" },
          },
          strokeDash: {
            field: "series",
            type: "nominal",
            scale: dashes,
            legend: shownLegend,
          },
        },
      },
      ...(["top", "bottom"] as const).map((edge) => ({
        transform: [{ filter: { field: "edge", equal: edge } }],
        mark: { type: "text" as const, text: "✕", fontSize: 12, fontWeight: "bold" as const },
        encoding: { y: { value: edge === "top" ? 8 : height - 8 } },
      })),
    ],
  };
}
