/** Functions of float64 of the same bits on every engine: `Math` makes no such promise. */
import { logarithm } from "../random.js";

/** 1 + z/d₁·(1 + z/d₂·(1 + …)): a Taylor series by its ratios, the last one first. */
function series(z: number, ratios: readonly number[]): number {
  return ratios.reduce((sum, ratio) => 1 + (z / ratio) * sum, 1);
}

// Divisors (2k − 1)·2k and 2k·(2k + 1): terms beyond these vanish for angles up to π/4.
const cosineRatios = [8, 7, 6, 5, 4, 3, 2, 1].map((k) => (2 * k - 1) * 2 * k);
const sineRatios = [8, 7, 6, 5, 4, 3, 2, 1].map((k) => 2 * k * (2 * k + 1));
const exponentialRatios = Array.from({ length: 16 }, (_, k) => 16 - k);

/** cos(π·x) for x ≥ 0, to a unit or two in the last place of 1. */
export function cosineOfPi(x: number): number {
  const turn = x % 2;
  const half = turn > 1 ? 2 - turn : turn;
  const [angle, sign] = half > 0.5 ? [1 - half, -1] : [half, 1];
  if (angle <= 0.25) return sign * series(-((Math.PI * angle) ** 2), cosineRatios);
  const rest = Math.PI * (0.5 - angle);
  return sign * rest * series(-(rest * rest), sineRatios);
}

/** x to any power ≥ 0, for x from 0 to 1. */
export function powerOf(x: number, exponent: number): number {
  if (Number.isSafeInteger(exponent)) return power(x, exponent);
  if (x === 0 || x === 1) return x;
  // x = 2^(y/ln 2), y = exponent·ln x ≤ 0.
  const y = exponent * logarithm(x);
  const halvings = Math.round(-y / Math.LN2);
  return power(0.5, halvings) * series(y + halvings * Math.LN2, exponentialRatios);
}

/** `base` to a whole power by multiplication alone: the same bits on every engine. */
export function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
