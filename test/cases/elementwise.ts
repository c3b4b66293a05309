import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { uniforms } from "../philox.js";
import { erf, map, zip } from "../reference.js";
import type { Call, Case, Operand, Sample } from "./case.js";
import { benchShape, integers, operand, sizes, specialPairs, specialValues } from "./case.js";

type Call1 = (x: Tensor) => Tensor;
type Call2 = (a: Tensor, b: Tensor) => Tensor;

function unarySamples(call: Call1, f: (x: number) => number, low: number, high: number): Sample[] {
  const reference = (x: NumberArray): NumberArray => map(x, f);
  const shapes = [...sizes.map((size) => [size]), [2, 3, 5]];
  return [
    ...shapes.map((shape) => ({ operands: [operand(shape, { low, high })], call, reference })),
    ...(["transposed", "sliced"] as const).map((placement) => ({
      operands: [operand([5, 7], { low, high, placement })],
      call,
      reference,
    })),
  ];
}

/** Options of a unary row. */
interface UnaryOptions extends Partial<Case> {
  readonly low?: number;
  readonly high?: number;
}

function unary(
  call: Call1,
  f: (x: number) => number,
  { low = -2, high = 2, ...rest }: UnaryOptions = {},
): Case {
  const special: Sample = {
    operands: [{ shape: [specialValues.length], data: specialValues }],
    call,
    reference: (x) => map(x, f),
  };
  const bench = (): Call => ({ operands: [operand(benchShape, { low, high })], call });
  return { samples: unarySamples(call, f, low, high), special: [special], bench, ...rest };
}

/** Options of a binary row: the range of the second operand, and whether int32 stays int32. */
interface BinaryOptions extends UnaryOptions {
  readonly whole?: true;
  readonly low2?: number;
  readonly high2?: number;
}

/** int32 to divide by. */
function fromOne(shape: readonly number[]): Operand {
  const found = integers(shape, 5, 2);
  return { ...found, data: found.data.map((x) => x + 1) };
}

function binary(
  call: Call2,
  f: (a: number, b: number) => number,
  { low = -2, high = 2, low2 = low, high2 = high, whole, ...rest }: BinaryOptions = {},
): Case {
  const pairs: [number[], number[]][] = [
    ...sizes.map((size): [number[], number[]] => [[size], [size]]),
    [[2, 3, 5], [5]],
    [[4, 1], [3]],
    [[], [3, 2]],
    [
      [3, 1, 2],
      [1, 4, 1],
    ],
  ];
  const reference = (a: NumberArray, b: NumberArray): NumberArray => zip([a, b], f);
  const samples: Sample[] = [
    ...pairs.map(([a, b]) => ({
      operands: [operand(a, { low, high }), operand(b, { low: low2, high: high2, salt: 2 })],
      call,
      reference,
    })),
    {
      operands: [
        operand([5, 7], { low, high, placement: "transposed" }),
        operand([5, 7], { low: low2, high: high2, salt: 2, placement: "sliced" }),
      ],
      call,
      reference,
    },
  ];
  if (whole) samples.push({ operands: [integers([17], 9), fromOne([17])], call, reference });
  const bench = (): Call => ({
    operands: [
      operand(benchShape, { low, high }),
      operand(benchShape.slice(1), { low: low2, high: high2, salt: 2 }),
    ],
    call,
  });
  return { samples, special: [{ operands: specialPairs(), call, reference }], bench, ...rest };
}

const truth = (x: boolean): number => (x ? 1 : 0);
const whole = true;
const comparison = { noGradient: "gives truth values", whole } as const;
const predicate = { noGradient: comparison.noGradient };
const steps = { noGradient: "constant between its steps" };

/** Whole multiples of ½, so that equal operands, ties and exact comparisons occur. */
function coarse(row: Case): Case {
  return {
    ...row,
    samples: row.samples.map((sample) => ({
      ...sample,
      operands: sample.operands.map((one) => ({
        ...one,
        data: one.data.map((x) => Math.round(x * 2) / 2),
      })),
    })),
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const gelu = (x: number): number => 0.5 * x * (1 + erf(x / Math.SQRT2));
const geluTanh = (x: number): number =>
  0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const even = (x: number): number => {
  const near = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && near % 2 !== 0 ? near - 1 : near;
};

/** IEEE 754's power, which is 1 for ±1 to the ±∞ where JavaScript's is NaN. */
function power(a: number, b: number): number {
  if (a === 1 || (a === -1 && Math.abs(b) === Infinity)) return 1;
  return a ** b;
}

/** `where` of a mask and two operands of these shapes. */
function choice(c: readonly number[], a: readonly number[], b: readonly number[]): Sample {
  return {
    operands: [
      { shape: c, data: operand(c).data.map((x) => truth(x > 0)), dtype: "bool" },
      operand(a, { salt: 2 }),
      operand(b, { salt: 3 }),
    ],
    call: (condition, a, b) => op.where(condition, a, b),
    reference: (c, a, b) => zip([c, a, b], (c, a, b) => (c !== 0 ? a : b)),
  };
}

/** Any seed: calls of random ops set it, so that the reference draws the same numbers. */
const seed = 11;

function dropped(shape: readonly number[], p: number): Sample {
  return {
    operands: [operand(shape)],
    call: (x) => {
      op.manualSeed(seed);
      return op.dropout(x, { p });
    },
    reference: (x) => zip([x, uniforms(x.shape, seed)], (x, u) => (u < p ? 0 : x / (1 - p))),
  };
}

const pairsOfSpecials = [...specialValues, ...specialValues];

export const elementwiseCases = {
  add: binary(op.add, (a, b) => a + b, { whole }),
  sub: binary(op.sub, (a, b) => a - b, { whole }),
  mul: binary(op.mul, (a, b) => a * b, { whole }),
  div: binary(op.div, (a, b) => a / b, { low2: 0.5, high2: 3 }),
  pow: binary(op.pow, power, { low: 0.2, high: 3 }),
  maximum: binary(op.maximum, (a, b) => Math.max(a, b), { whole }),
  minimum: binary(op.minimum, (a, b) => Math.min(a, b), { whole }),
  remainder: binary(op.remainder, (a, b) => a - b * Math.floor(a / b), {
    low2: 0.5,
    high2: 2,
    whole,
  }),
  eq: coarse(binary(op.eq, (a, b) => truth(a === b), comparison)),
  ne: coarse(binary(op.ne, (a, b) => truth(a !== b), comparison)),
  lt: coarse(binary(op.lt, (a, b) => truth(a < b), comparison)),
  le: coarse(binary(op.le, (a, b) => truth(a <= b), comparison)),
  gt: coarse(binary(op.gt, (a, b) => truth(a > b), comparison)),
  ge: coarse(binary(op.ge, (a, b) => truth(a >= b), comparison)),
  logicalAnd: coarse(binary(op.logicalAnd, (a, b) => truth(a !== 0 && b !== 0), comparison)),
  logicalOr: coarse(binary(op.logicalOr, (a, b) => truth(a !== 0 || b !== 0), comparison)),
  logicalXor: coarse(binary(op.logicalXor, (a, b) => truth((a !== 0) !== (b !== 0)), comparison)),
  logicalNot: coarse(unary(op.logicalNot, (x) => truth(x === 0), predicate)),
  isNaN: unary(op.isNaN, (x) => truth(Number.isNaN(x)), predicate),
  isFinite: unary(op.isFinite, (x) => truth(Number.isFinite(x)), predicate),
  neg: unary(op.neg, (x) => -x),
  abs: unary(op.abs, Math.abs),
  sign: unary(op.sign, Math.sign, steps),
  floor: unary(op.floor, Math.floor, steps),
  ceil: unary(op.ceil, Math.ceil, steps),
  round: coarse(unary(op.round, even, steps)),
  square: unary(op.square, (x) => x * x),
  reciprocal: unary(op.reciprocal, (x) => 1 / x, { low: 0.3 }),
  sqrt: unary(op.sqrt, Math.sqrt, { low: 0.1 }),
  rsqrt: unary(op.rsqrt, (x) => 1 / Math.sqrt(x), { low: 0.1 }),
  exp: unary(op.exp, Math.exp, { low: -8, high: 8 }),
  expm1: unary(op.expm1, Math.expm1),
  log: unary(op.log, Math.log, { low: 0.05, high: 8 }),
  log1p: unary(op.log1p, Math.log1p, { low: -0.9, high: 4 }),
  sin: unary(op.sin, Math.sin, { low: -7, high: 7 }),
  cos: unary(op.cos, Math.cos, { low: -7, high: 7 }),
  tanh: unary(op.tanh, Math.tanh, { low: -4, high: 4 }),
  sigmoid: unary(op.sigmoid, sigmoid, { low: -6, high: 6 }),
  relu: unary(op.relu, (x) => (x < 0 ? 0 : x)),
  softplus: unary(op.softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  silu: unary(op.silu, (x) => x * sigmoid(x)),
  erf: unary(op.erf, erf),
  gelu: {
    ...unary((x) => op.gelu(x), gelu),
    samples: [
      ...unarySamples((x) => op.gelu(x), gelu, -2, 2),
      ...unarySamples((x) => op.gelu(x, { approximate: "tanh" }), geluTanh, -4, 4),
    ],
  },
  where: {
    samples: [
      [[17], [17], [17]],
      [[0], [1], [0]],
      [[3, 1], [4], [1, 1]],
      [[1], [], [2, 3]],
    ].map(([c, a, b]) => choice(c!, a!, b!)),
    special: [
      {
        ...choice([2], [], []),
        operands: [
          { shape: [2], data: [1, 0], dtype: "bool" },
          ...specialPairs().map(({ shape, data }) => ({ shape: [...shape, 1], data })),
        ],
      },
    ],
    bench: () => choice(benchShape, benchShape, benchShape.slice(1)),
  },
  clamp: unary(
    (x) => op.clamp(x, -0.5, 1),
    (x) => (x < -0.5 ? -0.5 : x > 1 ? 1 : x),
  ),
  cast: {
    ...unary((x) => op.cast(op.cast(x, "int32"), "float64"), Math.trunc, steps),
    special: "integers hold none",
  },
  detach: unary(
    (x) => x.detach(),
    (x) => x,
    { noGradient: "cuts the history on purpose" },
  ),
  dropout: {
    samples: [0, 0.3, 0.5, 1].flatMap((p) => sizes.map((size) => dropped([size], p))),
    special: [{ ...dropped([2, 8], 0.5), operands: [{ shape: [2, 8], data: pairsOfSpecials }] }],
    bench: () => dropped(benchShape, 0.3),
    random: true,
  },
} satisfies Record<string, Case>;
