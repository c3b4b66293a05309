/** A confusion matrix as a heat map. */
import { StateError } from "../errors.js";
import { draw } from "./draw.js";
import { heatMap } from "./heatMap.js";
import type { Picture } from "./picture.js";

/** Options of `confusionMatrix.plot`. */
export interface ConfusionMatrixPlotOptions {
  /** Default: Confusion matrix. */
  readonly title?: string;
  /** Shows shares instead of counts: of each true class, of each predicted class, or of all. */
  readonly normalize?: "true" | "predicted" | "all";
}

/** The widest matrix, and the largest cell, in pixels. */
const [widest, largestCell, smallestCell] = [640, 48, 5];

/** `values[true class][predicted class]`, each number in its cell where there is room. */
export async function plotConfusionMatrix(
  values: readonly (readonly number[])[],
  names: readonly string[],
  { title = "Confusion matrix", normalize }: ConfusionMatrixPlotOptions = {},
): Promise<Picture> {
  if (values.length === 0) {
    throw new StateError("confusionMatrix.plot: nothing has been counted; call update first");
  }
  const most = values.flat().reduce((a, b) => Math.max(a, b), 0);
  const cell = Math.floor(widest / values.length);
  return draw(
    { title },
    {
      concat: [
        heatMap({
          values,
          rows: { title: "true class", names },
          columns: { title: "predicted class", names },
          most: normalize === undefined ? most : 1,
          legend: normalize === undefined ? "count" : shareOf[normalize],
          cell: Math.max(smallestCell, Math.min(largestCell, cell)),
          write: normalize === undefined ? writeCount : (share) => `${Math.round(share * 100)}%`,
        }),
      ],
    },
  );
}

const shareOf = {
  true: "share of the true class",
  predicted: "share of the predicted class",
  all: "share of all",
};

const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

/** Counts as they are as far as they are short: `1234`, `12.3K`, weights `0.333`. */
const writeCount = (count: number): string =>
  Number.isInteger(count) && count < 10_000 ? String(count) : compact.format(count);
