/** Positions told by rotation. */
import { checkWhole } from "../checks.js";
import { ArgumentError, ShapeError } from "../errors.js";
import { formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { arange } from "./creation.js";
import { add, cast, cos, mul, pow, sin, sub } from "./elementwise.js";
import { concat, reshape, slice, stack, unsqueeze } from "./movement.js";
import { checkFloat } from "./reduce.js";

/** Options of `rotaryEmbedding`. */
export interface RotaryOptions {
  /** The slowest pair turns by about one radian every `base` positions. Default: 10,000. */
  readonly base?: number;
  /** The position of the first row. Default: 0. */
  readonly start?: number;
  /**
   * Pairs are neighbours, as in the paper and GPT-J; otherwise an element's partner is half the row
   * away, as in GPT-NeoX and Llama. Default: false.
   */
  readonly interleaved?: boolean;
}

/** That of the paper. */
const defaultBase = 10_000;

/**
 * Turns each pair `i` of elements of the row at position `p` by the angle `p·base^(−2i/dim)`, so that
 * products of queries and keys depend on the distance of their positions (Su et al., 2021).
 * `x: [..., length, dim]` → the same shape; `dim` is even, else a ShapeError.
 */
export function rotaryEmbedding(
  x: Tensor,
  { base = defaultBase, start = 0, interleaved = false }: RotaryOptions = {},
): Tensor {
  checkFloat("rotaryEmbedding", x);
  const [length, dim] = x.shape.slice(-2);
  if (length === undefined || dim === undefined) {
    throw new ShapeError(
      `rotaryEmbedding: [..., length, dim] is needed, not ${formatShape(x.shape)}`,
    );
  }
  checkRotary("rotaryEmbedding", { base, start }, dim);
  const half = dim / 2;
  // In float64, since angles grow with the position, and with them their errors.
  const dtype = "float64";
  const speeds = pow(base, mul(arange(0, half, { dtype }), -2 / dim));
  const angles = mul(unsqueeze(arange(start, start + length, { dtype }), -1), speeds);
  const [c, s] = [cos(angles), sin(angles)].map((table) => cast(table, x.dtype));
  const turn = (a: Tensor, b: Tensor): [Tensor, Tensor] => [
    sub(mul(a, c!), mul(b, s!)),
    add(mul(b, c!), mul(a, s!)),
  ];
  const rows = x.shape.slice(0, -1).map(() => null);
  if (!interleaved) {
    return concat(turn(slice(x, [...rows, [0, half]]), slice(x, [...rows, [half]])), -1);
  }
  const pairs = [0, 1].map((first) => slice(x, [...rows, [first, dim, 2]]));
  return reshape(stack(turn(pairs[0]!, pairs[1]!), -1), x.shape);
}

/** Throws unless rows of `dim` elements can be turned as the options say; `what` is named. */
export function checkRotary(
  what: string,
  { base = defaultBase, start = 0 }: RotaryOptions,
  dim: number,
): void {
  checkWhole(`${what}: start`, start, 0);
  if (!(base > 0 && Number.isFinite(base))) {
    throw new ArgumentError(`${what}: base is ${base}; it must be a number above 0`);
  }
  if (dim % 2 === 0) return;
  throw new ShapeError(`${what}: rows of ${dim} elements have no pairs; an even number is needed`);
}
