/** Cross-entropy from logits, fused with its softmax: probabilities are never stored. */
import { through } from "../autograd.js";
import { dtypes, isFloat } from "../dtype.js";
import { ArgumentError, DTypeError, ShapeError } from "../errors.js";
import type { Attributes, Spec } from "../graph.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { add, cast, div, mul, ne, neg, sub } from "./elementwise.js";
import { oneHot } from "./embedding.js";
import { reshape, unsqueeze } from "./movement.js";
import { checkFloat, mean, sum } from "./reduce.js";
import { logSoftmax, softmax } from "./softmax.js";

interface LabelAttributes extends Attributes {
  readonly smoothing: number;
  readonly ignoreIndex: number;
}

function lossSpecs(logits: Spec): readonly Spec[] {
  checkFloat("crossEntropy", logits);
  const spec = { shape: logits.shape.slice(0, -1), dtype: logits.dtype };
  return [spec, spec];
}

function sizesOf({ shape, dtype }: Spec): readonly [number, number, number] {
  return [dtypes[dtype].code, sizeOf(shape.slice(0, -1)), shape.at(-1)!];
}

/** The distribution a label stands for: mostly its class, `smoothing` spread over all. */
function smoothed(
  logits: Tensor,
  labels: Tensor,
  { smoothing, ignoreIndex }: LabelAttributes,
): Tensor {
  const classes = logits.shape.at(-1)!;
  const hard = oneHot(labels, classes, logits.dtype);
  const soft = add(mul(hard, 1 - smoothing), smoothing / classes);
  return mul(soft, unsqueeze(cast(ne(labels, ignoreIndex), logits.dtype), -1));
}

const ofLabels: OpFunction<
  [logits: Tensor, labels: Tensor, smoothing: number, ignoreIndex: number]
> = defineOp("crossEntropy", {
  signature: (logits: Tensor, labels: Tensor, smoothing: number, ignoreIndex: number) => ({
    operands: [logits, labels],
    attributes: { smoothing, ignoreIndex },
  }),
  infer: ([logits]) => lossSpecs(logits!),
  differentiable: 1,
  kernel: (emitter, { smoothing, ignoreIndex }) => {
    const sizes = sizesOf(emitter.operands[0]!);
    emitter.note(`of ${sizes[2]} classes`);
    const [x, labels] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy", ...sizes, x, labels, smoothing, ignoreIndex, loss, lse);
  },
  vjp: (dy, { operands: [logits, labels], outputs: [, lse], attributes }) => [
    labelsBackward(logits!, labels!, lse!, dy, attributes),
  ],
});

const labelsBackward: OpFunction<
  [logits: Tensor, labels: Tensor, lse: Tensor, dy: Tensor, attributes: LabelAttributes]
> = defineOp("crossEntropyBackward", {
  signature: (
    logits: Tensor,
    labels: Tensor,
    lse: Tensor,
    dy: Tensor,
    attributes: LabelAttributes,
  ) => ({ operands: [logits, labels, lse, dy], attributes }),
  infer: ([logits]) => ({ shape: logits!.shape, dtype: logits!.dtype }),
  kernel: (emitter, { smoothing, ignoreIndex }) => {
    const sizes = sizesOf(emitter.operands[0]!);
    const [x, labels, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    emitter.call(
      "cross_entropy_backward",
      ...sizes,
      x!,
      labels!,
      smoothing,
      ignoreIndex,
      lse!,
      dy!,
      emitter.output(0),
    );
  },
  // dX = (softmax(x)·Σt − t)·dLoss, t the smoothed one-hot label
  vjp: through(([logits, labels, , dy], attributes) => {
    const target = smoothed(logits!, labels!, attributes);
    return [distributionGradient(logits!, target, dy!)];
  }),
});

function distributionGradient(logits: Tensor, target: Tensor, dy: Tensor): Tensor {
  const weight = sum(target, { axis: -1, keepDims: true });
  return mul(sub(mul(softmax(logits), weight), target), unsqueeze(dy, -1));
}

const ofDistributions: OpFunction<[logits: Tensor, target: Tensor]> = defineOp("crossEntropySoft", {
  signature: (logits: Tensor, target: Tensor) => ({ operands: [logits, target], attributes: {} }),
  infer: ([logits]) => lossSpecs(logits!),
  differentiable: 1,
  kernel: (emitter) => {
    const sizes = sizesOf(emitter.operands[0]!);
    const [x, target] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy_soft", ...sizes, x, target, loss, lse);
  },
  // dX = (softmax(x)·Σt − t)·dLoss, dT = −ln softmax(x)·dLoss
  vjp: (dy, { operands: [logits, target], outputs: [, lse], needs }) => [
    needs[0] ? distributionsBackward(logits!, target!, lse!, dy) : undefined,
    needs[1] ? mul(neg(logSoftmax(logits!)), unsqueeze(dy, -1)) : undefined,
  ],
});

const distributionsBackward: OpFunction<[logits: Tensor, target: Tensor, lse: Tensor, dy: Tensor]> =
  defineOp("crossEntropySoftBackward", {
    signature: (logits: Tensor, target: Tensor, lse: Tensor, dy: Tensor) => ({
      operands: [logits, target, lse, dy],
      attributes: {},
    }),
    infer: ([logits]) => ({ shape: logits!.shape, dtype: logits!.dtype }),
    kernel: (emitter) => {
      const sizes = sizesOf(emitter.operands[0]!);
      const [x, target, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
      emitter.call(
        "cross_entropy_soft_backward",
        ...sizes,
        x!,
        target!,
        lse!,
        dy!,
        emitter.output(0),
      );
    },
    vjp: through(([logits, target, , dy]) => [distributionGradient(logits!, target!, dy!)]),
  });

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions {
  /** `mean` over the rows that count, `sum`, or `none`: a loss a row. Default: `mean`. */
  readonly reduction?: "mean" | "sum" | "none";
  /** How much of each label is spread over all classes (Szegedy et al., 2016). Default: 0. */
  readonly labelSmoothing?: number;
  /** Rows with this label have no loss and no gradient. Default: −100. */
  readonly ignoreIndex?: number;
  /** A weight for each row, `[...]`; the mean is over the weights. */
  readonly weight?: Tensor;
}

/**
 * Cross-entropy of `logits: [..., classes]` with `target`: int32 labels `[...]`, or float
 * distributions `[..., classes]`. A label outside the classes is an IndexError when it runs.
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  { reduction = "mean", labelSmoothing = 0, ignoreIndex = -100, weight }: CrossEntropyOptions = {},
): Tensor {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing ${labelSmoothing} is not from 0 to 1`);
  }
  const rows = logits.shape.slice(0, -1);
  const soft = isFloat(target.dtype);
  const expected = soft ? logits.shape : rows;
  if (logits.rank === 0 || !sameShape(target.shape, expected)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} take int32 labels ${formatShape(rows)} ` +
        `or distributions ${formatShape(logits.shape)}, not ${target.dtype} ` +
        formatShape(target.shape),
    );
  }
  if (target.dtype === "bool") {
    throw new DTypeError("crossEntropy: labels are int32, not bool; cast() them first");
  }
  const classes = logits.shape.at(-1)!;
  const losses = soft
    ? ofDistributions(
        logits,
        add(mul(cast(target, logits.dtype), 1 - labelSmoothing), labelSmoothing / classes),
      )
    : ofLabels(logits, target, labelSmoothing, ignoreIndex);
  const weighted = weight ? mul(losses, reshape(weight, rows)) : losses;
  if (reduction === "none") return weighted;
  if (reduction === "sum") return sum(weighted);
  if (soft && !weight) return mean(weighted);
  const counts = soft ? undefined : cast(ne(target, ignoreIndex), logits.dtype);
  const weights = weight && reshape(weight, rows);
  const counted = weights && counts ? mul(weights, counts) : (weights ?? counts!);
  return div(sum(weighted), sum(counted));
}
