/** Tensors from nothing: constants, ranges, random numbers. */
import { Opcode } from "../../wasm/plain/engine.js";
import type { DType } from "../dtype.js";
import { ArgumentError } from "../errors.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import { nextKey } from "../seed.js";
import type { Shape } from "../shape.js";
import { checkShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { add, cos, log, mul, sqrt, sub } from "./elementwise.js";
import { broadcastTo } from "./movement.js";

/** A number written into the Program: a scalar tensor `[]`. */
export const constant: OpFunction<[value: number, dtype?: DType]> = defineOp("constant", {
  signature: (value: number, dtype: DType = "float32") => ({
    operands: [],
    attributes: { value, dtype },
  }),
  infer: (_, { dtype }) => ({ shape: [], dtype }),
  elementwise: ({ value }) => ({ opcode: Opcode.Const, immediate: value }),
  vjp: null,
});

/** A tensor of `shape` with `value` everywhere. It takes no memory until a kernel wants it. */
export function full(shape: Shape, value: number, dtype: DType = "float32"): Tensor {
  return broadcastTo(constant(value, dtype), shape);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = "float32"): Tensor {
  return full(shape, 0, dtype);
}

/** A tensor of ones. */
export function ones(shape: Shape, dtype: DType = "float32"): Tensor {
  return full(shape, 1, dtype);
}

const iota: OpFunction<[length: number, dtype: DType]> = defineOp("arange", {
  signature: (length: number, dtype: DType) => ({ operands: [], attributes: { length, dtype } }),
  infer: (_, { length, dtype }) => ({ shape: [length], dtype }),
  elementwise: () => ({ opcode: Opcode.Iota }),
  vjp: null,
});

/**
 * The numbers `start`, `start + step`, … below `end`, int32 unless said otherwise; with one
 * argument, those from 0 below it. Throws ArgumentError for a step of 0.
 */
export function arange(
  startOrEnd: number,
  end?: number,
  { step = 1, dtype = "int32" }: { step?: number; dtype?: DType } = {},
): Tensor {
  const [start, stop] = end === undefined ? [0, startOrEnd] : [startOrEnd, end];
  if (step === 0) throw new ArgumentError("arange: the step is 0");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  checkShape("arange", [length]);
  return add(mul(iota(length, dtype), step), start);
}

/** Random numbers of `[0, 1)`, evenly distributed, from the library's seed. */
export const uniform: OpFunction<[shape: Shape, dtype?: "float32" | "float64"]> = defineOp(
  "uniform",
  {
    signature: (shape: Shape, dtype: DType = "float32") => {
      checkShape("uniform", shape);
      const { key, stream } = nextKey();
      return { operands: [key], attributes: { shape, dtype, stream } };
    },
    infer: (_, { shape, dtype }) => ({ shape, dtype }),
    elementwise: ({ stream }) => ({ opcode: Opcode.Uniform, random: { key: 0, stream } }),
    vjp: null,
  },
);

/** Random numbers of the standard normal distribution (Box & Muller, 1958). */
export function normal(shape: Shape, dtype: "float32" | "float64" = "float32"): Tensor {
  const radius = sqrt(mul(log(sub(1, uniform(shape, dtype))), -2));
  return mul(radius, cos(mul(uniform(shape, dtype), 2 * Math.PI)));
}
