/** Ops that move elements without computing: views where strides can say it, copies elsewhere. */
import { promote } from "../dtype.js";
import type { DType } from "../dtype.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Layout, Shape } from "../shape.js";
import {
  broadcastLayout,
  broadcastShapes,
  checkShape,
  formatShape,
  normalizeAxis,
  reshapeLayout,
  sameShape,
  sizeOf,
  stridesOf,
} from "../shape.js";
import type { Tensor } from "../tensor.js";
import { full } from "./creation.js";
import { sumTo } from "./reduce.js";

/** The same elements in row-major order under another shape; one size may be −1, to be found. */
export const reshape: OpFunction<[x: Tensor, shape: Shape]> = defineOp("reshape", {
  signature: (x: Tensor, shape: Shape) => ({
    operands: [x],
    attributes: { shape: infer(x, shape) },
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  view: (layout, { shape }) => reshapeLayout(layout, shape),
  vjp: (dy, { operands: [x] }) => [reshape(dy, x!.shape)],
});

function infer(x: Tensor, shape: Shape): Shape {
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, axis) => axis !== open));
  const found = shape.map((size, axis) => (axis === open ? x.size / known : size));
  const whole = found.every((size) => Number.isInteger(size) && size >= 0);
  if (!whole || sizeOf(found) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, ` +
        `which do not fill ${formatShape(shape)}`,
    );
  }
  return found;
}

/** One axis of the elements of axes `start` to `end` (both included). */
export function flatten(x: Tensor, { start = 0, end = -1 }: FlattenOptions = {}): Tensor {
  if (x.rank === 0) return reshape(x, [1]);
  const first = normalizeAxis("flatten", start, x.rank);
  const last = normalizeAxis("flatten", end, x.rank);
  const merged = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)]);
}

/** Options of `flatten`. */
export interface FlattenOptions {
  readonly start?: number;
  readonly end?: number;
}

/** An axis of length 1 put in at `axis`. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const at = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}

/** The axis, whose length must be 1, left out; all axes of length 1 where none is named. */
export function squeeze(x: Tensor, axis?: number): Tensor {
  if (axis === undefined)
    return reshape(
      x,
      x.shape.filter((length) => length !== 1),
    );
  const at = normalizeAxis("squeeze", axis, x.rank);
  if (x.shape[at] !== 1) {
    throw new ShapeError(`squeeze: axis ${axis} of ${formatShape(x.shape)} is not of length 1`);
  }
  return reshape(x, [...x.shape.slice(0, at), ...x.shape.slice(at + 1)]);
}

/** The axes in another order: axis `i` of the result is axis `axes[i]` of `x`. */
export const permute: OpFunction<[x: Tensor, axes: readonly number[]]> = defineOp("permute", {
  signature: (x: Tensor, axes: readonly number[]) => {
    const order = axes.map((axis) => normalizeAxis("permute", axis, x.rank));
    if (new Set(order).size !== x.rank || axes.length !== x.rank) {
      throw new ArgumentError(
        `permute: [${axes.join(", ")}] does not name each of the ${x.rank} axes of ` +
          `${formatShape(x.shape)} once`,
      );
    }
    return { operands: [x], attributes: { axes: order } };
  },
  infer: ([x], { axes }) => ({ shape: axes.map((axis) => x!.shape[axis]!), dtype: x!.dtype }),
  view: ({ shape, strides, offset }, { axes }) => ({
    shape: axes.map((axis) => shape[axis]!),
    strides: axes.map((axis) => strides[axis]!),
    offset,
  }),
  vjp: (dy, { attributes: { axes } }) => [
    permute(
      dy,
      axes.map((_, axis) => axes.indexOf(axis)),
    ),
  ],
});

/** Two axes exchanged; the last two where none is named. */
export function transpose(x: Tensor, axis0 = -2, axis1 = -1): Tensor {
  const a = normalizeAxis("transpose", axis0, x.rank);
  const b = normalizeAxis("transpose", axis1, x.rank);
  const swapped = (axis: number): number => (axis === a ? b : axis === b ? a : axis);
  return permute(
    x,
    x.shape.map((_, axis) => swapped(axis)),
  );
}

/** `x` repeated along axes of length 1, and new leading ones, up to `shape`. */
export const broadcastTo: OpFunction<[x: Tensor, shape: Shape]> = defineOp("broadcastTo", {
  signature: (x: Tensor, shape: Shape) => {
    checkShape("broadcastTo", shape);
    if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
      throw new ShapeError(
        `broadcastTo: ${formatShape(x.shape)} does not stretch to ${formatShape(shape)}`,
      );
    }
    return { operands: [x], attributes: { shape } };
  },
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  view: (layout, { shape }) => broadcastLayout(layout, shape),
  vjp: (dy, { operands: [x] }) => [sumTo(dy, x!.shape)],
});

/** Where a slice begins, ends (not included) and how far it steps; `null`: the whole axis. */
export type Range = readonly [start: number, end?: number, step?: number] | null;

const strided: OpFunction<
  [x: Tensor, starts: readonly number[], steps: readonly number[], shape: Shape]
> = defineOp("slice", {
  signature: (x: Tensor, starts: readonly number[], steps: readonly number[], shape: Shape) => ({
    operands: [x],
    attributes: { starts, steps, shape },
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  view: ({ strides, offset }, { starts, steps, shape }) => ({
    shape,
    strides: strides.map((stride, axis) => stride * steps[axis]!),
    offset: starts.reduce((sum, start, axis) => sum + start * strides[axis]!, offset),
  }),
  vjp: (dy, { operands: [x], attributes: { starts, steps } }) => [
    embed(dy, x!.shape, starts, steps),
  ],
});

/** `x` at every `steps`-th place from `starts` on in zeros of `shape`: the gradient of a slice. */
const embed: OpFunction<
  [x: Tensor, shape: Shape, starts: readonly number[], steps: readonly number[]]
> = defineOp("embed", {
  signature: (x: Tensor, shape: Shape, starts: readonly number[], steps: readonly number[]) => ({
    operands: [x],
    attributes: { shape, starts, steps },
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x!.dtype }),
  kernel: (emitter, { shape, starts, steps }) => {
    emitter.output(0);
    emitter.fill(0);
    emitter.copyInto(0, region(shape, emitter.operands[0]!.shape, starts, steps));
  },
  vjp: (dy, { operands: [x], attributes: { starts, steps } }) => [
    strided(dy, starts, steps, x!.shape),
  ],
});

/** The elements of a dense tensor of `outer` shape that a block of `inner` shape covers. */
function region(
  outer: Shape,
  inner: Shape,
  starts: readonly number[],
  steps: readonly number[],
): Layout {
  const strides = stridesOf(outer);
  return {
    shape: inner,
    strides: strides.map((stride, axis) => stride * steps[axis]!),
    offset: starts.reduce((sum, start, axis) => sum + start * strides[axis]!, 0),
  };
}

/**
 * Part of `x`: a range for each leading axis, as `[start, end, step]`. Negative starts and ends
 * count from the back, ends beyond the axis stop at it. Throws ArgumentError for steps below 1.
 */
export function slice(x: Tensor, ranges: readonly Range[]): Tensor {
  if (ranges.length > x.rank) {
    throw new ArgumentError(
      `slice: ${ranges.length} ranges for the ${x.rank} axes of ${formatShape(x.shape)}`,
    );
  }
  const bounds = x.shape.map((length, axis) => {
    const [start, end = length, step = 1] = ranges[axis] ?? [0];
    if (!Number.isInteger(step) || step < 1 || !Number.isInteger(start) || !Number.isInteger(end)) {
      throw new ArgumentError(
        `slice: [${start}, ${end}, ${step}] on axis ${axis}: whole numbers, and a step of ≥ 1`,
      );
    }
    const clip = (at: number): number => Math.min(Math.max(at < 0 ? at + length : at, 0), length);
    const from = clip(start);
    return { from, step, count: Math.max(0, Math.ceil((clip(end) - from) / step)) };
  });
  const whole = bounds.every(({ step, count }, axis) => step === 1 && count === x.shape[axis]);
  if (whole) return x;
  return strided(
    x,
    bounds.map(({ from }) => from),
    bounds.map(({ step }) => step),
    bounds.map(({ count }) => count),
  );
}

const join: OpFunction<[tensors: readonly Tensor[], axis: number]> = defineOp("concat", {
  signature: (tensors: readonly Tensor[], axis: number) => {
    const [first] = tensors;
    if (!first) throw new ArgumentError("concat: no tensors");
    return { operands: tensors, attributes: { axis: normalizeAxis("concat", axis, first.rank) } };
  },
  infer: ([first, ...others], { axis }) => {
    let length = first!.shape[axis]!;
    let dtype: DType = first!.dtype;
    for (const { shape, dtype: other } of others) {
      const fits =
        shape.length === first!.shape.length &&
        shape.every((size, i) => i === axis || size === first!.shape[i]);
      if (!fits) {
        throw new ShapeError(
          `concat: ${formatShape(first!.shape)} and ${formatShape(shape)} ` +
            `differ outside axis ${axis}`,
        );
      }
      length += shape[axis]!;
      dtype = promote(dtype, other);
    }
    return { shape: first!.shape.map((size, i) => (i === axis ? length : size)), dtype };
  },
  kernel: (emitter, { axis }) => {
    emitter.output(0);
    const { shape } = emitter.outputs[0]!;
    const steps = shape.map(() => 1);
    let at = 0;
    emitter.operands.forEach((operand, index) => {
      const starts = shape.map((_, i) => (i === axis ? at : 0));
      emitter.copyInto(index, region(shape, operand.shape, starts, steps));
      at += operand.shape[axis]!;
    });
  },
  vjp: (dy, { operands, attributes: { axis } }) => {
    let at = 0;
    return operands.map(({ shape }) => {
      const start = at;
      at += shape[axis]!;
      return slice(
        dy,
        shape.map((_, i) => (i === axis ? [start, at] : null)),
      );
    });
  },
});

/** The tensors one after the other along `axis`; they agree in all other axes. */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  return join(tensors, axis);
}

/** The tensors, all of one shape, side by side along a new `axis`. */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  return concat(
    tensors.map((tensor) => unsqueeze(tensor, axis)),
    axis,
  );
}

/** `x` cut along `axis` into pieces of these lengths. Throws ShapeError unless they add up. */
export function split(x: Tensor, lengths: readonly number[], axis = 0): Tensor[] {
  const at = normalizeAxis("split", axis, x.rank);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  if (total !== x.shape[at]) {
    throw new ShapeError(
      `split: lengths [${lengths.join(", ")}] add up to ${total}, ` +
        `axis ${axis} of ${formatShape(x.shape)} is ${x.shape[at]}`,
    );
  }
  let start = 0;
  return lengths.map((length) => {
    const range: Range = [start, (start += length)];
    return slice(
      x,
      x.shape.map((_, i) => (i === at ? range : null)),
    );
  });
}

/** `x` with `value` before and after it: `[before, after]` counts for each axis. */
export function pad(
  x: Tensor,
  widths: readonly (readonly [before: number, after: number])[],
  { value = 0 }: { value?: number } = {},
): Tensor {
  if (widths.length !== x.rank || widths.flat().some((n) => !Number.isInteger(n) || n < 0)) {
    throw new ArgumentError(
      `pad: ${formatShape(x.shape)} needs [before, after] ≥ 0 for each of its ${x.rank} axes`,
    );
  }
  let padded = x;
  widths.forEach(([before, after], axis) => {
    const side = (length: number): Tensor =>
      full(
        padded.shape.map((size, i) => (i === axis ? length : size)),
        value,
        x.dtype,
      );
    if (before + after > 0) padded = concat([side(before), padded, side(after)], axis);
  });
  return padded;
}
