/**
 * The ops of maximum pools. Beside each maximum stands which tap of its window it was, in the
 * tensor's own dtype, for the gradients: they scatter by it and gather by it.
 */
import { dtypes } from "../dtype.js";
import type { Attributes, Spec } from "../graph.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import type { Axis } from "./window.js";
import { inputOf, outputOf } from "./window.js";

/** The axes of a pool. */
export interface PoolSizes extends Attributes {
  readonly rows: Axis;
  readonly columns: Axis;
}

function wordsOf({ shape }: Spec, { rows, columns }: PoolSizes): number[] {
  return [sizeOf(shape.slice(0, 2)), ...rows, ...columns];
}

function pooled({ shape, dtype }: Spec, { rows, columns }: PoolSizes): Spec {
  return { shape: [...shape.slice(0, 2), outputOf(rows), outputOf(columns)], dtype };
}

function unpooled({ shape, dtype }: Spec, { rows, columns }: PoolSizes): Spec {
  return { shape: [...shape.slice(0, 2), inputOf(rows), inputOf(columns)], dtype };
}

/** The largest of each window, and which tap it is. */
export const maxPool: OpFunction<[x: Tensor, sizes: PoolSizes]> = defineOp("maxPool", {
  signature: (x: Tensor, sizes: PoolSizes) => ({ operands: [x], attributes: sizes }),
  infer: ([x], sizes) => [pooled(x!, sizes), pooled(x!, sizes)],
  differentiable: 1,
  kernel: (emitter, sizes) => {
    const [x] = emitter.operands;
    const words = emitter.words(wordsOf(x!, sizes));
    const from = emitter.dense(0);
    const [y, taps] = [emitter.output(0), emitter.output(1)];
    emitter.call("max_pool", dtypes[x!.dtype].code, words, from, y, taps);
  },
  vjp: (dy, { outputs: [, taps], attributes }) => [maxPoolBackward(dy, taps!, attributes)],
});

type TapsOp = OpFunction<[x: Tensor, taps: Tensor, sizes: PoolSizes]>;

// Both are linear, and each is the other's gradient.
const maxPoolBackward: TapsOp = defineOp("maxPoolBackward", {
  signature: (dy: Tensor, taps: Tensor, sizes: PoolSizes) => ({
    operands: [dy, taps],
    attributes: sizes,
  }),
  infer: ([dy], sizes) => unpooled(dy!, sizes),
  kernel: (emitter, sizes) => {
    const [dy] = emitter.operands;
    const words = emitter.words(wordsOf(dy!, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_backward", dtypes[dy!.dtype].code, words, from, taps, emitter.output(0));
  },
  vjp: (g, { operands: [, taps], attributes }) => [maxPoolGather(g, taps!, attributes), undefined],
});

const maxPoolGather: TapsOp = defineOp("maxPoolGather", {
  signature: (x: Tensor, taps: Tensor, sizes: PoolSizes) => ({
    operands: [x, taps],
    attributes: sizes,
  }),
  infer: ([x], sizes) => pooled(x!, sizes),
  kernel: (emitter, sizes) => {
    const [x] = emitter.operands;
    const words = emitter.words(wordsOf(x!, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_gather", dtypes[x!.dtype].code, words, from, taps, emitter.output(0));
  },
  vjp: (dy, { operands: [, taps], attributes }) => [
    maxPoolBackward(dy, taps!, attributes),
    undefined,
  ],
});
