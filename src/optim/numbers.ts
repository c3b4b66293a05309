/** Numbers that optimizers and schedules are told, and arithmetic that no engine does its own way. */
import { ArgumentError } from "../errors.js";

/** Throws ArgumentError unless `low ≤ value < high`. */
export function checkNumber(name: string, value: number, low: number, high: number): void {
  if (value >= low && value < high) return;
  throw new ArgumentError(
    `optimizer: ${name} is ${value}; it must be from ${low} to below ${high}`,
  );
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
