/** Matrix products. */
import { dtypes, promote } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import type { Layout, Shape } from "../shape.js";
import {
  broadcastLayout,
  broadcastShapes,
  columnsFirst,
  denseLayout,
  formatShape,
  reshapeLayout,
  sizeOf,
} from "../shape.js";
import type { Tensor } from "../tensor.js";
import { cast } from "./elementwise.js";
import { reshape, transpose, unsqueeze } from "./movement.js";
import { checkFloat, sumTo } from "./reduce.js";

function productShape(a: Shape, b: Shape): Shape {
  const [m, k] = a.slice(-2);
  const [inner, n] = b.slice(-2);
  if (k !== inner) {
    throw new ShapeError(
      `matmul: ${formatShape(a)} × ${formatShape(b)}: inner sizes ${k} and ${inner} differ`,
    );
  }
  return [...broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2)), m!, n!];
}

/** The last two axes as the kernel walks them: the elements between rows, and between columns. */
function matrixOf({ strides }: Layout): readonly [row: number, column: number] {
  return [strides.at(-2)!, strides.at(-1)!];
}

/** An operand as the kernel takes it: where it is, its matrices' strides, and those of the batches. */
interface Side {
  readonly place: Place;
  readonly matrix: readonly [row: number, column: number];
  readonly batches: readonly number[];
}

function transposed({ matrix: [row, column], ...rest }: Side): Side {
  return { ...rest, matrix: [column, row] };
}

/** The strides between an operand's matrices, which broadcast to `batch`. */
function batchStrides({ shape, strides, offset }: Layout, batch: Shape): readonly number[] {
  const outer = { shape: shape.slice(0, -2), strides: strides.slice(0, -2), offset };
  return broadcastLayout(outer, batch).strides;
}

/** The operand with one of its last two axes dense, which the kernel is fast on. */
function matrix(emitter: Emitter, index: number): ReturnType<Emitter["strided"]> {
  const found = emitter.strided(index);
  return matrixOf(found.layout).includes(1) ? found : emitter.denseRows(index);
}

/** Results of a product up to which its depth is cut: a few tiles, too few for all threads. */
const fewResults = 2 ** 16;
/** The depth of a piece, and the most pieces: each costs another pass over the results. */
const pieceDepth = 1024;
const mostPieces = 8;

/** In how many pieces the depth `k` is summed up; it decides bits, so it heeds sizes alone. */
function piecesOf(results: number, k: number): number {
  if (results > fewResults) return 1;
  return Math.min(mostPieces, Math.max(1, Math.floor(k / pieceDepth)));
}

const product: OpFunction<[a: Tensor, b: Tensor]> = defineOp("matmul", {
  signature: (a: Tensor, b: Tensor) => {
    const dtype = promote(a.dtype, b.dtype);
    return { operands: [cast(a, dtype), cast(b, dtype)], attributes: {} };
  },
  infer: ([a, b]) => {
    checkFloat("matmul", a!);
    return { shape: productShape(a!.shape, b!.shape), dtype: a!.dtype };
  },
  kernel: (emitter) => {
    const { shape, dtype } = emitter.outputs[0]!;
    if (sizeOf(shape) === 0) {
      emitter.output(0);
      return;
    }
    const a = matrix(emitter, 0);
    const b = matrix(emitter, 1);
    const k = a.layout.shape.at(-1)!;
    const [m, n] = [shape.at(-2)!, shape.at(-1)!];
    // With one matrix on the right, rows of all batches are rows of one product.
    const rows = b.layout.shape.length === 2 ? sizeOf(shape.slice(0, -1)) : m;
    const flat = rows === m ? undefined : reshapeLayout(a.layout, [rows, k]);
    const batch = flat ? [] : shape.slice(0, -2);
    const side = (place: Place, layout: Layout): Side => ({
      place,
      matrix: matrixOf(layout),
      batches: flat ? [] : batchStrides(layout, batch),
    });
    const left = side(a.place, flat ?? a.layout);
    const right = side(b.place, b.layout);
    // Cᵀ = Bᵀ·Aᵀ: its rows are the columns of C, and its bits the same.
    const swapped = emitter.inColumns && !flat;
    const [first, second] = swapped ? [transposed(right), transposed(left)] : [left, right];
    const pieces = piecesOf(sizeOf(shape), k);
    const addend = emitter.addend();
    emitter.call(
      "gemm",
      dtypes[dtype].code,
      ...(swapped ? ([n, m] as const) : ([rows, n] as const)),
      k,
      sizeOf(batch),
      emitter.words([batch.length, ...batch, ...first.batches, ...second.batches]),
      first.place,
      ...first.matrix,
      second.place,
      ...second.matrix,
      emitter.output(0, swapped ? columnsFirst(denseLayout(shape)).strides : undefined),
      addend.place,
      addend.row,
      pieces,
      pieces > 1 ? emitter.scratch((pieces - 1) * sizeOf(shape) * dtypes[dtype].bytes) : 0,
    );
  },
  takesAddend: true,
  // dA = dY·Bᵀ, dB = Aᵀ·dY
  vjp: (dy, { operands: [a, b], needs }) => [
    needs[0] ? sumTo(product(dy, transpose(b!)), a!.shape) : undefined,
    needs[1] ? rightGradient(a!, dy, b!.shape) : undefined,
  ],
});

function rightGradient(a: Tensor, dy: Tensor, shape: Shape): Tensor {
  if (shape.length > 2) return sumTo(product(transpose(a), dy), shape);
  // One matrix for all batches: one product over all their rows sums over the batches too.
  const rows = (x: Tensor): Tensor => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]);
  return product(transpose(rows(a)), rows(dy));
}

/**
 * Matrix product. `a: [..., m, k]`, `b: [..., k, n]` → `[..., m, n]`; leading axes broadcast. A
 * vector stands for one row on the left, one column on the right. Throws ShapeError where inner
 * sizes differ.
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} × ${formatShape(b.shape)}: a scalar has no rows; use mul`,
    );
  }
  const left = a.rank === 1 ? unsqueeze(a, 0) : a;
  const right = b.rank === 1 ? unsqueeze(b, 1) : b;
  const full = product(left, right);
  const dropRow = a.rank === 1 ? full.rank - 2 : -1;
  const dropColumn = b.rank === 1 ? full.rank - 1 : -1;
  if (dropRow < 0 && dropColumn < 0) return full;
  return reshape(
    full,
    full.shape.filter((_, axis) => axis !== dropRow && axis !== dropColumn),
  );
}
