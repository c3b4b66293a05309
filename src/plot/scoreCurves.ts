/** How well scores tell classes apart at every threshold. */
import { ArgumentError, DataError } from "../errors.js";
import type { Diagram } from "./draw.js";
import { draw, lineColours, safeText } from "./draw.js";
import type { Picture } from "./picture.js";
import { thinned } from "./thin.js";

/** What of `metrics.rocCurve` is drawn. */
export interface RocPoints {
  readonly falsePositiveRate: readonly number[];
  readonly truePositiveRate: readonly number[];
}

/** What of `metrics.precisionRecallCurve` is drawn. */
export interface PrecisionRecallPoints {
  readonly precision: readonly number[];
  readonly recall: readonly number[];
}

/** Options of pictures of curves. */
export interface ScoreCurvesOptions {
  readonly title?: string;
}

/**
 * ROC curves by the names of what they are of, with the diagonal of mere chance. Throws DataError
 * for a curve of labels that were all the same.
 */
export async function plotRocCurve(
  curves: { readonly [name: string]: RocPoints },
  { title = "ROC curve" }: ScoreCurvesOptions = {},
): Promise<Picture> {
  const lines = Object.entries(curves).map(([name, curve]) =>
    lineOf("plotRocCurve", name, curve.falsePositiveRate, curve.truePositiveRate),
  );
  const diagonal: Layer = {
    data: {
      values: [
        { x: 0, y: 0 },
        { x: 1, y: 1 },
      ],
    },
    mark: { type: "line", color: "#999999", strokeDash: [4, 4], strokeWidth: 1, aria: false },
    encoding: { x: { field: "x", type: "quantitative" }, y: { field: "y", type: "quantitative" } },
  };
  const axes = { x: "false positive rate", y: "true positive rate" };
  return drawLines(title, lines, axes, "linear", [diagonal]);
}

/**
 * Precision-recall curves by the names of what they are of, in steps. Throws DataError for a curve
 * of labels without positives.
 */
export async function plotPrecisionRecallCurve(
  curves: { readonly [name: string]: PrecisionRecallPoints },
  { title = "Precision-recall curve" }: ScoreCurvesOptions = {},
): Promise<Picture> {
  // They are told by rising thresholds: from high recall to low.
  const lines = Object.entries(curves).map(([name, { recall, precision }]) =>
    lineOf("plotPrecisionRecallCurve", name, [...recall].reverse(), [...precision].reverse()),
  );
  const axes = { x: "recall", y: "precision" };
  return drawLines(title, lines, axes, "step-before", []);
}

type Layer = Extract<Diagram, { layer: unknown }>["layer"][number];

/** A curve from left to right. */
interface Line {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** The side of the square of all rates, in pixels. */
const side = 320;

function lineOf(op: string, name: string, xs: readonly number[], ys: readonly number[]): Line {
  if (xs.length === 0 || xs.length !== ys.length || ![...xs, ...ys].every(Number.isFinite)) {
    throw new DataError(
      `${op}: the curve "${name}" is undefined; it is of entries of both classes`,
    );
  }
  return {
    name,
    points: thinned(
      xs.map((x, index) => ({ x, y: ys[index]! })),
      side,
    ),
  };
}

async function drawLines(
  title: string,
  lines: readonly Line[],
  axes: { readonly x: string; readonly y: string },
  interpolate: "linear" | "step-before",
  under: readonly Layer[],
): Promise<Picture> {
  if (lines.length === 0) throw new ArgumentError(`${title}: there is no curve to draw`);
  const names = JSON.stringify(lines.map(({ name }) => safeText(name)));
  const axis = (name: string) => ({
    type: "quantitative" as const,
    title: name,
    scale: { domain: [0, 1] },
    axis: { format: "~g" },
  });
  return draw(
    { title },
    {
      width: side,
      height: side,
      layer: [
        ...under,
        {
          data: {
            values: lines.flatMap(({ points }, line) =>
              points.map((point, place) => ({ ...point, line, place })),
            ),
          },
          mark: { type: "line", interpolate, strokeWidth: 2 },
          encoding: {
            x: { field: "x", ...axis(axes.x) },
            y: { field: "y", ...axis(axes.y) },
            // As they come: many points are above each other.
            order: { field: "place", type: "quantitative" },
            color: {
              field: "line",
              type: "nominal",
              scale: { domain: lines.map((_, line) => line), range: lineColours },
              legend: {
                title: null,
                labelExpr: `${names}[datum.value]`,
                symbolType: "stroke",
                symbolSize: 300,
              },
            },
          },
        },
      ],
    },
  );
}
