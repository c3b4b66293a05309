/** Tensors of any shapes end to end, in a vector for each dtype: so few buffers cross threads. */
import type { DType, TypedArray } from "../dtype.js";
import { dtypes } from "../dtype.js";
import { StateError } from "../errors.js";
import type { Spec } from "../graph.js";
import { concat, reshape, slice } from "../ops/movement.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

/** The order of the vectors. */
const order: readonly DType[] = ["float32", "float64", "int32", "bool"];

/** Records `tensors` end to end: a vector for each dtype that there is among them. */
export function pack(tensors: readonly Tensor[]): Tensor[] {
  return order.flatMap((dtype) => {
    const parts = tensors.filter((tensor) => tensor.dtype === dtype);
    return parts.length === 0 ? [] : [concat(parts.map((part) => reshape(part, [part.size])))];
  });
}

/** The same on the host: copies of `arrays`. */
export function packArrays(arrays: readonly TypedArray[]): TypedArray[] {
  return order.flatMap((dtype) => {
    const { make } = dtypes[dtype];
    const parts = arrays.filter((array) => array instanceof make);
    if (parts.length === 0) return [];
    const vector = new make(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      vector.set(part, at);
      at += part.length;
    }
    return [vector];
  });
}

/** Records the tensors, of the shapes and dtypes of `specs`, that `pack` made `vectors` of. */
export function unpack(vectors: readonly Tensor[], specs: readonly Spec[]): Tensor[] {
  const byDType = new Map(vectors.map((vector) => [vector.dtype, vector]));
  return placesOf(specs).map(({ dtype, start, end, shape }) =>
    reshape(slice(found(byDType.get(dtype)), [[start, end]]), shape),
  );
}

/** The same on the host: views of `vectors`. */
export function unpackArrays(vectors: readonly TypedArray[], specs: readonly Spec[]): TypedArray[] {
  return placesOf(specs).map(({ dtype, start, end }) =>
    found(vectors.find((vector) => vector instanceof dtypes[dtype].make)).subarray(start, end),
  );
}

/** Where each tensor begins and ends in the vector of its dtype. */
function placesOf(specs: readonly Spec[]): (Spec & { start: number; end: number })[] {
  const ends = new Map<DType, number>();
  return specs.map(({ shape, dtype }) => {
    const start = ends.get(dtype) ?? 0;
    const end = start + sizeOf(shape);
    ends.set(dtype, end);
    return { shape, dtype, start, end };
  });
}

function found<Vector>(vector: Vector | undefined): Vector {
  if (vector) return vector;
  throw new StateError("workers: a vector of tensors is missing");
}
