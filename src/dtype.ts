/** The element types a tensor may have; JavaScript numbers are `float32` unless said otherwise. */
export type DType = "float32" | "float64" | "int32" | "bool";

/** The typed array that holds elements of each dtype; booleans are bytes of 0 or 1. */
export interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  bool: Uint8Array;
}

/** Any array that can hold a tensor's elements. */
export type TypedArray = TypedArrays[DType];

interface DTypeFacts<D extends DType> {
  /** The number kernels know the dtype by (the same list is in `crates/engine/src/lib.rs`). */
  readonly code: number;
  readonly bytes: number;
  readonly make: new (source: number | ArrayLike<number> | ArrayBuffer) => TypedArrays[D];
}

/** What is true of each dtype, in order of promotion: the later one wins a mixed operation. */
export const dtypes: { readonly [D in DType]: DTypeFacts<D> } = {
  bool: { code: 3, bytes: 1, make: Uint8Array },
  int32: { code: 2, bytes: 4, make: Int32Array },
  float32: { code: 0, bytes: 4, make: Float32Array },
  float64: { code: 1, bytes: 8, make: Float64Array },
};

/** Whether `value` is an array that can hold a tensor's elements. */
export function isTypedArray(value: unknown): value is TypedArray {
  return Object.values(dtypes).some(({ make }) => value instanceof make);
}

const promotion: readonly DType[] = ["bool", "int32", "float32", "float64"];

/** The dtype in which `a` and `b` meet: bool < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return promotion.indexOf(a) >= promotion.indexOf(b) ? a : b;
}

/** Whether gradients can flow through values of this dtype. */
export function isFloat(dtype: DType): dtype is "float32" | "float64" {
  return dtype === "float32" || dtype === "float64";
}
