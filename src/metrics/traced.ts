/** Metrics that are computed in the step itself: each batch adds to a total and a count. */
import { isFloat } from "../dtype.js";
import type { Signal } from "../nn/module.js";
import { crossEntropy } from "../ops/crossEntropy.js";
import { abs, cast, clamp, eq, ge, log, square, sub } from "../ops/elementwise.js";
import { reshape } from "../ops/movement.js";
import { argMax, mean } from "../ops/reduce.js";
import { exponential } from "../random.js";
import { sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** What each entry of a batch counts for: `[batch]`, or `[batch, length]` by position. */
export type EntryMetric = (output: Signal, target: Tensor) => Tensor;

/** A metric of a step: a value an entry, and what their mean comes to. */
export interface TracedMetric {
  readonly entry: EntryMetric;
  /** Default: the mean itself. */
  readonly finish?: (mean: number) => number;
}

/** From what probability on a single output means yes. */
const threshold = 0.5;
/** Keeps logarithms of probabilities finite (Keras's epsilon). */
const probabilityEps = 1e-7;

const accuracy: EntryMetric = ({ x }, target) => {
  const classes = x.shape.at(-1)!;
  if (classes === 1 || sameShape(x.shape, target.shape) === false) {
    const predicted = classes === 1 ? cast(ge(x, threshold), "int32") : argMax(x);
    const labels = reshape(cast(target, "int32"), predicted.shape);
    return toEntries(cast(eq(predicted, labels), x.dtype));
  }
  const labels = isFloat(target.dtype) ? argMax(target) : argMax(cast(target, "float32"));
  return cast(eq(argMax(x), labels), x.dtype);
};

const squaredError: EntryMetric = ({ x }, target) =>
  meanOfEntry(square(sub(x, cast(reshape(target, x.shape), x.dtype))));

const absoluteError: EntryMetric = ({ x }, target) =>
  meanOfEntry(abs(sub(x, cast(reshape(target, x.shape), x.dtype))));

/** −Σ y·ln p of the classes on the last axis, from logits where there are any. */
const negativeLogLikelihood: EntryMetric = ({ x, logits }, target) => {
  const scores =
    logits?.activation === "softmax" ? logits.tensor : log(clamp(x, probabilityEps, 1));
  const dense = sameShape(target.shape, x.shape);
  const truth = dense ? cast(target, x.dtype) : cast(target, "int32");
  const labels = dense ? truth : reshape(truth, x.shape.slice(0, -1));
  return crossEntropy(scores, labels, { reduction: "none" });
};

/** The metrics that a step computes, by name. */
export const tracedMetrics = {
  accuracy: { entry: accuracy },
  meanSquaredError: { entry: squaredError },
  meanAbsoluteError: { entry: absoluteError },
  rootMeanSquaredError: { entry: squaredError, finish: Math.sqrt },
  perplexity: { entry: negativeLogLikelihood, finish: exponential },
} satisfies Record<string, TracedMetric>;

/** `[batch, 1]` as `[batch]`. */
function toEntries(x: Tensor): Tensor {
  return x.rank > 1 && x.shape.at(-1) === 1 ? reshape(x, x.shape.slice(0, -1)) : x;
}

function meanOfEntry(x: Tensor): Tensor {
  const axes = x.shape.slice(1).map((_, axis) => axis + 1);
  return axes.length > 0 ? mean(x, { axis: axes }) : x;
}
