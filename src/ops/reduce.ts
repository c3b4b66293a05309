/** Reductions over axes. */
import type { DType } from "../dtype.js";
import { dtypes, isFloat } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { Emitter, OpFunction, Vjp } from "../op.js";
import { defineOp } from "../op.js";
import type { Shape } from "../shape.js";
import { formatShape, normalizeAxes, normalizeAxis, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { cast, div, eq, mul, square, sub, where } from "./elementwise.js";
import { broadcastTo, reshape } from "./movement.js";

/** Elements of a piece: pieces are reduced apart and combined in order, so any threads agree. */
const pieceSize = 16_384;
/** The shortest piece of an axis, however wide its rows: scratch must stay small beside them. */
const leastPiece = 16;
/** Bytes of scratch for each piece: a float64 value and, for argMax, a float64 index. */
const scratchPerPiece = 16;

/** The kinds of reduction, as `reduce.rs` numbers them. */
const kinds = { sum: 0, max: 1, min: 2, argMax: 3, argMin: 4, prod: 5 } as const;

/** A run of neighbouring axes, `first` to `last`, reduced to length 1. */
interface Run {
  readonly [name: string]: number;
  readonly first: number;
  readonly last: number;
}

type Reduction = OpFunction<[x: Tensor, first: number, last: number]>;

function keptShape(shape: Shape, { first, last }: Run): Shape {
  return shape.map((length, axis) => (axis >= first && axis <= last ? 1 : length));
}

function emitReduction(kind: number, emitter: Emitter, { first, last }: Run): void {
  const { shape, dtype } = emitter.operands[0]!;
  const outer = sizeOf(shape.slice(0, first));
  const axis = sizeOf(shape.slice(first, last + 1));
  const inner = sizeOf(shape.slice(last + 1));
  if (outer * inner === 0) {
    emitter.output(0);
    return;
  }
  const pieceLength = Math.max(leastPiece, Math.floor(pieceSize / inner));
  const pieces = Math.max(1, Math.ceil(axis / pieceLength));
  const scratch = emitter.scratch(outer * pieces * inner * scratchPerPiece);
  const { code } = dtypes[dtype];
  const x = emitter.dense(0);
  const out = emitter.output(0);
  emitter.call("reduce", code, kind, outer, axis, inner, x, out, scratch, pieceLength);
}

function reduction(
  name: keyof typeof kinds,
  vjp: Vjp<Run> | null,
  dtypeOf: (dtype: DType) => DType = (dtype) => dtype,
): Reduction {
  return defineOp(name, {
    signature: (x: Tensor, first: number, last: number) => ({
      operands: [x.dtype === "bool" ? cast(x, "int32") : x],
      attributes: { first, last },
    }),
    infer: ([x], run): Spec => ({ shape: keptShape(x!.shape, run), dtype: dtypeOf(x!.dtype) }),
    kernel: (emitter, run) => emitReduction(kinds[name], emitter, run),
    vjp,
  });
}

const reduceSum: Reduction = reduction("sum", (dy, { operands: [x] }) => [
  broadcastTo(dy, x!.shape),
]);

// Equal extremes share the gradient evenly.
const extremeVjp: Vjp<Run> = (dy, { operands: [x], outputs: [y], attributes }) => {
  const hits = cast(eq(x!, y!), dy.dtype);
  return [mul(hits, div(dy, reduceSum(hits, attributes.first, attributes.last)))];
};

const reduceMax: Reduction = reduction("max", extremeVjp);
const reduceMin: Reduction = reduction("min", extremeVjp);
const reduceProd: Reduction = reduction("prod", (dy, { operands: [x], attributes }) => {
  const { first, last } = attributes;
  // Products of all others: exact with zeros, where y/x is not.
  const zero = eq(x!, 0);
  const others = reduceProd(where(zero, 1, x!), first, last);
  const zeros = reduceSum(cast(zero, dy.dtype), first, last);
  const noZero = where(eq(zeros, 0), div(others, where(zero, 1, x!)), 0);
  const oneZero = where(eq(zeros, 1), others, 0);
  return [mul(dy, where(zero, oneZero, noZero))];
});
const reduceArgMax: Reduction = reduction("argMax", null, () => "int32");
const reduceArgMin: Reduction = reduction("argMin", null, () => "int32");

/** Options of reductions. */
export interface ReduceOptions {
  /** Which axes are reduced; negative ones count from the back. Default: all of them. */
  readonly axis?: number | readonly number[];
  /** Keeps reduced axes with length 1. Default: false. */
  readonly keepDims?: boolean;
}

/** Reduces runs of neighbouring axes from the back, then drops them. */
function over(
  name: string,
  reduce: Reduction,
  x: Tensor,
  { axis, keepDims = false }: ReduceOptions,
): Tensor {
  const axes = normalizeAxes(name, axis, x.rank);
  let result = x;
  for (let at = axes.length - 1; at >= 0; at--) {
    const last = axes[at]!;
    while (at > 0 && axes[at - 1] === axes[at]! - 1) at--;
    result = reduce(result, axes[at]!, last);
  }
  if (axes.length === 0) return x;
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return keepDims ? result : reshape(result, shape);
}

/** The sum over axes. */
export function sum(x: Tensor, options: ReduceOptions = {}): Tensor {
  return over("sum", reduceSum, x, options);
}

/** The product over axes. */
export function prod(x: Tensor, options: ReduceOptions = {}): Tensor {
  return over("prod", reduceProd, x, options);
}

/** The mean over axes; a float even of integers, NaN of nothing. */
export function mean(x: Tensor, options: ReduceOptions = {}): Tensor {
  const values = isFloat(x.dtype) ? x : cast(x, "float32");
  const axes = normalizeAxes("mean", options.axis, x.rank);
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  return div(sum(values, options), count);
}

/** The variance over axes: squared distances from the mean over `count − correction`. */
export function variance(
  x: Tensor,
  { correction = 1, ...options }: ReduceOptions & { readonly correction?: number } = {},
): Tensor {
  const axes = normalizeAxes("variance", options.axis, x.rank);
  const count = sizeOf(axes.map((axis) => x.shape[axis]!));
  const centre = mean(x, { axis: axes, keepDims: true });
  return div(sum(square(sub(x, centre)), options), Math.max(0, count - correction));
}

/** The largest element over axes; NaN where one is. Throws ShapeError over nothing. */
export function max(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkSome("max", x, options);
  return over("max", reduceMax, x, options);
}

/** The smallest element over axes; NaN where one is. Throws ShapeError over nothing. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkSome("min", x, options);
  return over("min", reduceMin, x, options);
}

/** Options of `argMax` and `argMin`. */
export interface ArgOptions {
  /** Default: the last axis. */
  readonly axis?: number;
  readonly keepDims?: boolean;
}

/** Where along an axis the largest element is, the first of equals, as int32. */
export function argMax(x: Tensor, { axis = -1, keepDims = false }: ArgOptions = {}): Tensor {
  return argument("argMax", reduceArgMax, x, axis, keepDims);
}

/** Where along an axis the smallest element is, the first of equals, as int32. */
export function argMin(x: Tensor, { axis = -1, keepDims = false }: ArgOptions = {}): Tensor {
  return argument("argMin", reduceArgMin, x, axis, keepDims);
}

function argument(
  name: string,
  reduce: Reduction,
  x: Tensor,
  axis: number,
  keepDims: boolean,
): Tensor {
  const normal = normalizeAxis(name, axis, x.rank);
  checkSome(name, x, { axis: normal });
  return over(name, reduce, x, { axis: normal, keepDims });
}

function checkSome(name: string, x: Tensor, { axis }: ReduceOptions): void {
  const axes = normalizeAxes(name, axis, x.rank);
  if (axes.every((i) => x.shape[i]! > 0)) return;
  throw new ShapeError(`${name}: ${formatShape(x.shape)} has no elements along the axes reduced`);
}

/** `x` summed down to a shape it was broadcast from: what a broadcast operand's gradient is. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((length, axis) =>
    axis < lead || (shape[axis - lead] === 1 && length !== 1) ? [axis] : [],
  );
  return reshape(axes.length > 0 ? sum(x, { axis: axes }) : x, shape);
}

/** Throws DTypeError unless `x` is a float tensor. */
export function checkFloat(op: string, { dtype }: Spec): void {
  if (!isFloat(dtype)) {
    throw new DTypeError(`${op}: takes float32 or float64, not ${dtype}; cast() it first`);
  }
}
