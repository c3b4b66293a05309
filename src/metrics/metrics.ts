/** Metrics that training reports: each batch adds to a total and a count. */
import { isFloat } from "../dtype.js";
import { checkKnown } from "../checks.js";
import type { Signal } from "../nn/module.js";
import { abs, cast, eq, ge, square, sub } from "../ops/elementwise.js";
import { reshape } from "../ops/movement.js";
import { argMax, mean } from "../ops/reduce.js";
import { sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** What each entry of a batch counts for: `[batch]`, or `[batch, length]` by position. */
export type EntryMetric = (output: Signal, target: Tensor) => Tensor;

/** From what probability on a single output means yes. */
const threshold = 0.5;

const entryMetrics = {
  accuracy: ({ x }, target) => {
    const classes = x.shape.at(-1)!;
    if (classes === 1 || sameShape(x.shape, target.shape) === false) {
      const predicted = classes === 1 ? cast(ge(x, threshold), "int32") : argMax(x);
      const labels = reshape(cast(target, "int32"), predicted.shape);
      return toEntries(cast(eq(predicted, labels), x.dtype));
    }
    const labels = isFloat(target.dtype) ? argMax(target) : argMax(cast(target, "float32"));
    return cast(eq(argMax(x), labels), x.dtype);
  },
  meanSquaredError: ({ x }, target) =>
    meanOfEntry(square(sub(x, cast(reshape(target, x.shape), x.dtype)))),
  meanAbsoluteError: ({ x }, target) =>
    meanOfEntry(abs(sub(x, cast(reshape(target, x.shape), x.dtype)))),
} satisfies Record<string, EntryMetric>;

/** `[batch, 1]` as `[batch]`. */
function toEntries(x: Tensor): Tensor {
  return x.rank > 1 && x.shape.at(-1) === 1 ? reshape(x, x.shape.slice(0, -1)) : x;
}

function meanOfEntry(x: Tensor): Tensor {
  const axes = x.shape.slice(1).map((_, axis) => axis + 1);
  return axes.length > 0 ? mean(x, { axis: axes }) : x;
}

/** The metrics `compile` knows by name. */
export type MetricName = keyof typeof entryMetrics;

/** The metric of that name. Throws ArgumentError, listing the names, for others. */
export function entryMetric(name: MetricName): EntryMetric {
  checkKnown("compile: metric", name, Object.keys(entryMetrics));
  return entryMetrics[name];
}
