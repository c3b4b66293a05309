/** Elementwise ops: each is one instruction of the blocked machine in `elementwise.rs`. */
import { shown } from "../checks.js";
import { Opcode } from "../../wasm/plain/engine.js";
import type { DType } from "../dtype.js";
import { isFloat, promote } from "../dtype.js";
import { ArgumentError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { Binary, OpFunction, Unary, Vjp } from "../op.js";
import { defineOp } from "../op.js";
import { nextKey } from "../seed.js";
import { broadcastShapes } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { constant } from "./creation.js";
import { sumTo } from "./reduce.js";

type Scalar = Tensor | number;

/** Both operands as tensors: a number takes the other's dtype, or float32 if it has a fraction. */
function pair(a: Scalar, b: Scalar): [Tensor, Tensor] {
  const lift = (value: number, other: Scalar): Tensor => {
    const near = typeof other === "number" ? "float32" : other.dtype;
    const fits = isFloat(near) || Number.isInteger(value);
    const dtype = near === "bool" ? "int32" : near;
    return constant(value, fits ? dtype : "float32");
  };
  return [typeof a === "number" ? lift(a, b) : a, typeof b === "number" ? lift(b, a) : b];
}

/** int32 and bool compute as float32 where the result is a fraction. */
function floatOf(dtype: DType): DType {
  return isFloat(dtype) ? dtype : "float32";
}

type UnaryVjp = (dy: Tensor, x: Tensor, y: Tensor) => Tensor;

/** An op of one operand; `dtypeOf` says the result's dtype, the operand's as a float by default. */
function unary(
  name: string,
  opcode: Opcode,
  rule: UnaryVjp | null,
  dtypeOf: (dtype: DType) => DType = floatOf,
): Unary {
  return defineOp(name, {
    signature: (x: Tensor) => ({ operands: [x], attributes: {} }),
    infer: ([x]) => ({ shape: x!.shape, dtype: dtypeOf(x!.dtype) }),
    elementwise: () => ({ opcode }),
    vjp: rule && ((dy, { operands: [x], outputs: [y] }) => [rule(dy, x!, y!)]),
  });
}

type BinaryVjp = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => [() => Tensor, () => Tensor];

/** An op of two operands that broadcast; each gradient is recorded only where it is wanted. */
function binary(
  name: string,
  opcode: Opcode,
  rule: BinaryVjp | null,
  dtypeOf: (dtype: DType) => DType = (dtype) => (dtype === "bool" ? "int32" : dtype),
): Binary {
  const vjp: Vjp | null =
    rule &&
    ((dy, { operands: [a, b], outputs: [y], needs }) => {
      const grads = rule(dy, a!, b!, y!);
      return [a!, b!].map((operand, i) =>
        needs[i] ? sumTo(grads[i]!(), operand.shape) : undefined,
      );
    });
  return defineOp(name, {
    signature: (a: Scalar, b: Scalar) => ({ operands: pair(a, b), attributes: {} }),
    infer: ([a, b]) => ({
      shape: broadcastShapes(name, a!.shape, b!.shape),
      dtype: dtypeOf(promote(a!.dtype, b!.dtype)),
    }),
    elementwise: () => ({ opcode }),
    vjp,
  });
}

const toBool = (): DType => "bool";
const same = (dtype: DType): DType => dtype;

/** `a + b`. */
export const add: Binary = binary("add", Opcode.Add, (dy) => [() => dy, () => dy]);
/** `a − b`. */
export const sub: Binary = binary("sub", Opcode.Sub, (dy) => [() => dy, () => neg(dy)]);
/** `a · b`. */
export const mul: Binary = binary("mul", Opcode.Mul, (dy, a, b) => [
  () => mul(dy, b),
  () => mul(dy, a),
]);
/** `a / b`, a float even of integers. dA = dY/B, dB = −dY·Y/B. */
export const div: Binary = binary(
  "div",
  Opcode.Div,
  (dy, _, b, y) => [() => div(dy, b), () => neg(div(mul(dy, y), b))],
  floatOf,
);
/** `a` to the power of `b`. dA = dY·b·a^(b−1), dB = dY·Y·ln a (0 where a = 0). */
export const pow: Binary = binary(
  "pow",
  Opcode.Pow,
  (dy, a, b, y) => [
    () => mul(dy, mul(b, pow(a, sub(b, 1)))),
    () => mul(dy, where(eq(a, 0), 0, mul(y, log(a)))),
  ],
  floatOf,
);
/** The larger of `a` and `b`; NaN where either is. Equal operands share the gradient. */
export const maximum: Binary = binary("maximum", Opcode.Maximum, (dy, a, b) => [
  () => mul(dy, share(gt(a, b), eq(a, b), dy.dtype)),
  () => mul(dy, share(gt(b, a), eq(a, b), dy.dtype)),
]);
/** The smaller of `a` and `b`; NaN where either is. Equal operands share the gradient. */
export const minimum: Binary = binary("minimum", Opcode.Minimum, (dy, a, b) => [
  () => mul(dy, share(lt(a, b), eq(a, b), dy.dtype)),
  () => mul(dy, share(lt(b, a), eq(a, b), dy.dtype)),
]);
/** `a − b·⌊a/b⌋`, with the sign of `b`. */
export const remainder: Binary = binary("remainder", Opcode.Remainder, (dy, a, b) => [
  () => dy,
  () => neg(mul(dy, floor(div(a, b)))),
]);

/** 1 where `wins`, ½ where `ties`. */
function share(wins: Tensor, ties: Tensor, dtype: DType): Tensor {
  return add(cast(wins, dtype), mul(cast(ties, dtype), 0.5));
}

/** Whether `a = b`, as bool. */
export const eq: Binary = binary("eq", Opcode.Eq, null, toBool);
/** Whether `a ≠ b`, as bool. */
export const ne: Binary = binary("ne", Opcode.Ne, null, toBool);
/** Whether `a < b`, as bool. */
export const lt: Binary = binary("lt", Opcode.Lt, null, toBool);
/** Whether `a ≤ b`, as bool. */
export const le: Binary = binary("le", Opcode.Le, null, toBool);
/** Whether `a > b`, as bool. */
export const gt: Binary = binary("gt", Opcode.Gt, null, toBool);
/** Whether `a ≥ b`, as bool. */
export const ge: Binary = binary("ge", Opcode.Ge, null, toBool);
/** Whether both are not 0, as bool. */
export const logicalAnd: Binary = binary("logicalAnd", Opcode.And, null, toBool);
/** Whether either is not 0, as bool. */
export const logicalOr: Binary = binary("logicalOr", Opcode.Or, null, toBool);
/** Whether one of them is not 0, as bool. */
export const logicalXor: Binary = binary("logicalXor", Opcode.Xor, null, toBool);
/** Whether it is 0, as bool. */
export const logicalNot: Unary = unary("logicalNot", Opcode.Not, null, toBool);
/** Whether it is NaN, as bool. */
export const isNaN: Unary = unary("isNaN", Opcode.IsNan, null, toBool);
/** Whether it is neither NaN nor infinite, as bool. */
export const isFinite: Unary = unary("isFinite", Opcode.IsFinite, null, toBool);

/** `−x`. */
export const neg: Unary = unary("neg", Opcode.Neg, (dy) => neg(dy), same);
/** `|x|`; the gradient at 0 is 0. */
export const abs: Unary = unary("abs", Opcode.Abs, (dy, x) => mul(dy, sign(x)), same);
/** −1, 0 or 1. */
export const sign: Unary = unary("sign", Opcode.Sign, null, same);
/** The whole number at or below. */
export const floor: Unary = unary("floor", Opcode.Floor, null, same);
/** The whole number at or above. */
export const ceil: Unary = unary("ceil", Opcode.Ceil, null, same);
/** The nearest whole number; halves go to the even one. */
export const round: Unary = unary("round", Opcode.Round, null, same);
/** `x²`. */
export const square: Unary = unary("square", Opcode.Square, (dy, x) => mul(dy, mul(x, 2)), same);
/** `1/x`. dX = −dY·Y². */
export const reciprocal: Unary = unary("reciprocal", Opcode.Recip, (dy, _, y) =>
  neg(mul(dy, square(y))),
);
/** `√x`. dX = dY/(2Y). */
export const sqrt: Unary = unary("sqrt", Opcode.Sqrt, (dy, _, y) => div(dy, mul(y, 2)));
/** `1/√x`. dX = −dY·Y³/2. */
export const rsqrt: Unary = unary("rsqrt", Opcode.Rsqrt, (dy, _, y) =>
  mul(mul(dy, -0.5), mul(y, square(y))),
);
/** `eˣ`. */
export const exp: Unary = unary("exp", Opcode.Exp, (dy, _, y) => mul(dy, y));
/** `eˣ − 1`, exact near 0. */
export const expm1: Unary = unary("expm1", Opcode.Expm1, (dy, _, y) => mul(dy, add(y, 1)));
/** The natural logarithm. */
export const log: Unary = unary("log", Opcode.Log, (dy, x) => div(dy, x));
/** `ln(1 + x)`, exact near 0. */
export const log1p: Unary = unary("log1p", Opcode.Log1p, (dy, x) => div(dy, add(x, 1)));
/** The sine of an angle in radians. */
export const sin: Unary = unary("sin", Opcode.Sin, (dy, x) => mul(dy, cos(x)));
/** The cosine of an angle in radians. */
export const cos: Unary = unary("cos", Opcode.Cos, (dy, x) => neg(mul(dy, sin(x))));
/** The hyperbolic tangent. dX = dY·(1 − Y²). */
export const tanh: Unary = unary("tanh", Opcode.Tanh, (dy, _, y) => mul(dy, sub(1, square(y))));
/** `1/(1 + e⁻ˣ)`. dX = dY·Y·(1 − Y). */
export const sigmoid: Unary = unary("sigmoid", Opcode.Sigmoid, (dy, _, y) =>
  mul(dy, mul(y, sub(1, y))),
);
/** `max(x, 0)`; the gradient at 0 is 0. */
export const relu: Unary = unary("relu", Opcode.Relu, (dy, x) => where(gt(x, 0), dy, 0), same);
/** `ln(1 + eˣ)`. dX = dY·σ(x). */
export const softplus: Unary = unary("softplus", Opcode.Softplus, (dy, x) => mul(dy, sigmoid(x)));
/** σ·(1 + x·(1 − σ)), whose derivative is σ·(1 − σ)·(2 + x·(1 − 2σ)). */
const siluSlope: Unary = unary("siluSlope", Opcode.SiluSlope, (dy, x) => {
  const s = sigmoid(x);
  const bent = mul(mul(s, sub(1, s)), add(2, mul(x, sub(1, mul(s, 2)))));
  return mul(dy, bent);
});
/** `x·σ(x)` (Elfwing et al., 2017). */
export const silu: Unary = unary("silu", Opcode.Silu, (dy, x) => mul(dy, siluSlope(x)));
/** The error function. dX = dY·2/√π·e^(−x²). */
export const erf: Unary = unary("erf", Opcode.Erf, (dy, x) =>
  mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
);

/** Φ(x) + x·φ(x), whose derivative is φ(x)·(2 − x²): Φ and φ of the standard normal distribution. */
const geluSlope: Unary = unary("geluSlope", Opcode.GeluSlope, (dy, x) => {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, mul(density, sub(2, square(x))));
});

const geluExact: Unary = unary("gelu", Opcode.Gelu, (dy, x) => mul(dy, geluSlope(x)));

/** The curve's slope and cubic term of GELU's tanh form (Hendrycks & Gimpel, 2016). */
const [tanhSlope, tanhCubic] = [Math.sqrt(2 / Math.PI), 0.044715] as const;

/** The derivative of x·s, s = σ(v), v = 2·tanhSlope·(x + tanhCubic·x³). */
const geluTanhSlope: Unary = unary("geluTanhSlope", Opcode.GeluTanhSlope, (dy, x) => {
  const s = sigmoid(mul(mul(x, 2 * tanhSlope), add(mul(square(x), tanhCubic), 1)));
  const first = mul(add(mul(square(x), 3 * tanhCubic), 1), 2 * tanhSlope);
  const second = mul(x, 12 * tanhSlope * tanhCubic);
  // s·(1 − s)·(v′·(2 + x·(1 − 2s)·v′) + x·v″)
  const bent = mul(first, add(2, mul(mul(x, sub(1, mul(s, 2))), first)));
  return mul(dy, mul(mul(s, sub(1, s)), add(bent, mul(x, second))));
});

const geluTanh: Unary = unary("geluTanh", Opcode.GeluTanh, (dy, x) => mul(dy, geluTanhSlope(x)));

/** `x·Φ(x)`, by the error function or, with `approximate: "tanh"`, by its tanh form. */
export function gelu(x: Tensor, { approximate = "none" }: GeluOptions = {}): Tensor {
  return approximate === "tanh" ? geluTanh(x) : geluExact(x);
}

/** Options of `gelu`. */
export interface GeluOptions {
  readonly approximate?: "none" | "tanh";
}

/** `a` where `condition` is not 0, else `b`; all three broadcast. */
export const where: OpFunction<[condition: Tensor, a: Scalar, b: Scalar]> = defineOp("where", {
  signature: (condition: Tensor, a: Scalar, b: Scalar) => ({
    operands: [condition, ...pair(a, b)],
    attributes: {},
  }),
  infer: ([condition, a, b]) => ({
    shape: broadcastShapes("where", condition!.shape, broadcastShapes("where", a!.shape, b!.shape)),
    dtype: promote(a!.dtype, b!.dtype),
  }),
  elementwise: () => ({ opcode: Opcode.Where }),
  vjp: (dy, { operands: [condition, a, b], needs }) => [
    undefined,
    needs[1] ? sumTo(where(condition!, dy, 0), a!.shape) : undefined,
    needs[2] ? sumTo(where(condition!, 0, dy), b!.shape) : undefined,
  ],
});

/** `x` held between `min` and `max`; outside them the gradient is 0. */
export function clamp(x: Tensor, min: number, max: number): Tensor {
  if (!(min <= max)) throw new ArgumentError(`clamp: min ${min} is not below max ${max}`);
  return where(lt(x, min), min, where(gt(x, max), max, x));
}

const convert: OpFunction<[x: Tensor, dtype: DType]> = defineOp("cast", {
  signature: (x: Tensor, dtype: DType) => ({ operands: [x], attributes: { dtype } }),
  infer: ([x], { dtype }): Spec => ({ shape: x!.shape, dtype }),
  elementwise: () => ({ opcode: Opcode.Copy }),
  vjp: (dy, { operands: [x] }) => [convert(dy, x!.dtype)],
});

/** The same numbers in another dtype; fractions are cut off for int32, bool is `x ≠ 0`. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  if (dtype === "bool") return ne(x, 0);
  const whole = dtype === "int32" && isFloat(x.dtype);
  return convert(whole ? where(lt(x, 0), ceil(x), floor(x)) : x, dtype);
}

/** The same content with no history. */
export const detach: Unary = defineOp("detach", {
  signature: (x: Tensor) => ({ operands: [x], attributes: {} }),
  infer: ([x]) => ({ shape: x!.shape, dtype: x!.dtype }),
  view: (layout) => layout,
  vjp: null,
});

/** Random ops record the key they drew: the gradient, or a formula, draws the same numbers. */
export const dropoutWith: OpFunction<[x: Tensor, key: Tensor, p: number, stream: number]> =
  defineOp("dropout", {
    signature: (x: Tensor, key: Tensor, p: number, stream: number) => ({
      operands: [x, key],
      attributes: { p, stream },
    }),
    infer: ([x]) => ({ shape: x!.shape, dtype: floatOf(x!.dtype) }),
    elementwise: ({ p, stream }) => ({
      opcode: Opcode.Dropout,
      immediate: p,
      random: { key: 1, stream },
    }),
    vjp: (dy, { operands: [, key], attributes: { p, stream } }) => [
      dropoutWith(dy, key!, p, stream),
    ],
  });

/** Throws ArgumentError where `p` is no probability. */
export function checkProbability(op: string, p: number): void {
  if (typeof p === "number" && p >= 0 && p <= 1) return;
  throw new ArgumentError(`${op}: p = ${shown(p)} is not a probability from 0 to 1`);
}

/**
 * Zeroes each element with probability `p` and divides the rest by `1 − p` (Srivastava et al.,
 * 2014); with `training: false`, `x` itself. The mask is drawn again for the gradient, not stored.
 */
export function dropout(x: Tensor, { p = 0.5, training = true }: DropoutOptions = {}): Tensor {
  checkProbability("dropout", p);
  if (!training || p === 0) return x;
  const { key, stream } = nextKey();
  return dropoutWith(x, key, p, stream);
}

/** Options of `dropout`. */
export interface DropoutOptions {
  readonly p?: number;
  readonly training?: boolean;
}
