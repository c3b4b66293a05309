import type { DType, TypedArray } from "../dtype.js";
import type { Shape } from "../shape.js";
import { Variable } from "../tensor.js";

/** A variable that training changes. */
export class Parameter extends Variable {
  constructor(data: TypedArray, shape: Shape, dtype: DType = "float32") {
    super(data, shape, dtype, { requiresGrad: true });
  }
}

/** A variable that belongs to a module's state but has no gradient: running statistics. */
export class BufferVariable extends Variable {
  constructor(data: TypedArray, shape: Shape, dtype: DType = "float32") {
    super(data, shape, dtype);
  }
}
