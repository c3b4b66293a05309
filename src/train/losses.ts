/** Losses by name, as `compile` takes them, and as functions of tensors. */
import { checkKnown } from "../checks.js";
import { ShapeError } from "../errors.js";
import type { Signal } from "../nn/module.js";
import { full } from "../ops/creation.js";
import { crossEntropy } from "../ops/crossEntropy.js";
import {
  abs,
  add,
  cast,
  clamp,
  exp,
  log,
  log1p,
  mul,
  neg,
  relu,
  square,
  sub,
} from "../ops/elementwise.js";
import { oneHot } from "../ops/embedding.js";
import { reshape } from "../ops/movement.js";
import { mean, sum } from "../ops/reduce.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** The losses of a batch's entries: `[batch]`, or `[batch, length]` for outputs by position. */
export type EntryLoss = (output: Signal, target: Tensor) => Tensor;

/** The mean of (y − ŷ)² over all elements. */
export function meanSquaredError(prediction: Tensor, target: Tensor): Tensor {
  return mean(square(difference("meanSquaredError", prediction, target)));
}

/** ½·Σ(y − ŷ)² over all elements. */
export function halfSquaredError(prediction: Tensor, target: Tensor): Tensor {
  return mul(sum(square(difference("halfSquaredError", prediction, target))), 0.5);
}

function difference(name: string, prediction: Tensor, target: Tensor): Tensor {
  if (!sameShape(prediction.shape, target.shape)) {
    throw new ShapeError(
      `${name}: the prediction is ${formatShape(prediction.shape)}, ` +
        `the target ${formatShape(target.shape)}`,
    );
  }
  return sub(prediction, cast(target, prediction.dtype));
}

/** Keeps logarithms of probabilities finite (Keras's epsilon). */
const probabilityEps = 1e-7;

/** −Σ y·ln p over the last axis, of probabilities `p: [..., classes]`. */
export function categoricalCrossEntropy(probabilities: Tensor, target: Tensor): Tensor {
  const dense = distributionOf(probabilities, target);
  const safe = clamp(probabilities, probabilityEps, 1);
  return neg(sum(mul(dense, log(safe)), { axis: -1 }));
}

/** `target` as distributions of the prediction's shape: labels become one-hot rows. */
function distributionOf(prediction: Tensor, target: Tensor): Tensor {
  if (sameShape(target.shape, prediction.shape)) return cast(target, prediction.dtype);
  return oneHot(target, prediction.shape.at(-1)!, prediction.dtype);
}

/** −(y·ln p + (1 − y)·ln(1 − p)) of each element. */
export function binaryCrossEntropy(probabilities: Tensor, target: Tensor): Tensor {
  const y = cast(target, probabilities.dtype);
  const p = clamp(probabilities, probabilityEps, 1 - probabilityEps);
  return neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p)))));
}

/** The same from logits: max(x, 0) − x·y + ln(1 + e^−|x|), exact for any x. */
export function binaryCrossEntropyWithLogits(logits: Tensor, target: Tensor): Tensor {
  const y = cast(target, logits.dtype);
  return add(sub(relu(logits), mul(logits, y)), log1p(exp(neg(abs(logits)))));
}

/** Mean over all axes of an entry. */
function perEntry(losses: Tensor, entries: Shape): Tensor {
  const inner = losses.rank - entries.length;
  if (inner <= 0) return losses;
  const axes = Array.from({ length: inner }, (_, axis) => entries.length + axis);
  return mean(losses, { axis: axes });
}

/** Targets `[batch]` meet outputs `[batch, 1]`. */
function fitTarget(name: string, { x }: Signal, target: Tensor): Tensor {
  if (sameShape(x.shape, target.shape)) return target;
  if (sizeOf(x.shape) === target.size && x.shape[0] === target.shape[0]) {
    return reshape(target, x.shape);
  }
  throw new ShapeError(
    `${name}: the model gives ${formatShape(x.shape)}, the target is ${formatShape(target.shape)}`,
  );
}

function ofClasses(output: Signal, target: Tensor): Tensor {
  const { logits, x } = output;
  if (logits?.activation === "softmax") {
    // Classes as one-hot rows of whole numbers are distributions too.
    const rows = sameShape(target.shape, x.shape) ? cast(target, x.dtype) : target;
    return crossEntropy(logits.tensor, rows, { reduction: "none" });
  }
  if (x.shape.at(-1) === 1) {
    throw new ShapeError(
      "categoricalCrossentropy: the model gives one number; " +
        "end it in a layer of as many units as classes with activation softmax",
    );
  }
  return categoricalCrossEntropy(x, target);
}

const entryLosses = {
  meanSquaredError: (output, target) => {
    const fitted = fitTarget("meanSquaredError", output, target);
    const squares = square(difference("meanSquaredError", output.x, fitted));
    return perEntry(squares, output.x.shape.slice(0, 1));
  },
  halfSquaredError: (output, target) => {
    const fitted = fitTarget("halfSquaredError", output, target);
    const squares = square(difference("halfSquaredError", output.x, fitted));
    const axes = squares.shape.slice(1).map((_, axis) => axis + 1);
    return mul(sum(squares, { axis: axes }), 0.5);
  },
  categoricalCrossentropy: ofClasses,
  sparseCategoricalCrossentropy: ofClasses,
  binaryCrossentropy: (output, target) => {
    const fitted = fitTarget("binaryCrossentropy", output, target);
    const { logits, x } = output;
    const losses =
      logits?.activation === "sigmoid"
        ? binaryCrossEntropyWithLogits(logits.tensor, fitted)
        : binaryCrossEntropy(x, fitted);
    return perEntry(losses, x.shape.slice(0, 1));
  },
} satisfies Record<string, EntryLoss>;

/** The losses `compile` knows by name. */
export type LossName = keyof typeof entryLosses | "mse";

/** Their names. */
export const lossNames = [...Object.keys(entryLosses), "mse"] as readonly LossName[];

/** The loss of that name. Throws ArgumentError, listing the names, for others. */
export function entryLoss(name: LossName): EntryLoss {
  checkKnown("compile: loss", name, lossNames);
  return entryLosses[name === "mse" ? "meanSquaredError" : name];
}

/** Weights of rows `[rows]`, or of entries, beside losses `[rows, ...]`. */
function perRow(weights: Tensor, { shape }: Tensor): Tensor {
  if (sameShape(weights.shape, shape)) return weights;
  if (weights.size === shape[0])
    return reshape(
      weights,
      shape.map((_, axis) => (axis ? 1 : shape[0]!)),
    );
  throw new ShapeError(
    `sampleWeight: ${formatShape(weights.shape)} fits neither the rows nor the entries of ` +
      `losses ${formatShape(shape)}`,
  );
}

/** Total and count of the entries that are real: masked positions of a sequence have no loss. */
export function totalOf(
  losses: Tensor,
  mask: Tensor | undefined,
  weights: Tensor | undefined,
): { readonly total: Tensor; readonly count: Tensor } {
  const masked = mask && sameShape(mask.shape, losses.shape);
  const real = masked ? cast(mask, losses.dtype) : undefined;
  const weight = weights && cast(perRow(weights, losses), losses.dtype);
  const both = real && weight ? mul(real, weight) : (real ?? weight);
  if (!both) return { total: sum(losses), count: full([], losses.size, losses.dtype) };
  return { total: sum(mul(losses, both)), count: sum(both) };
}
