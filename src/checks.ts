/** Checks of arguments that many places make, in the same words. */
import { ArgumentError } from "./errors.js";

/** Throws ArgumentError unless `value` is a whole number ≥ `least`; `what` is named: `fit: epochs`. */
export function checkWhole(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError(`${what} is ${value}; it must be a whole number ≥ ${least}`);
}

/** Throws ArgumentError unless `low ≤ value < high`; `what` is named: `optimizer: eps`. */
export function checkNumber(what: string, value: number, low: number, high: number): void {
  if (value >= low && value < high) return;
  throw new ArgumentError(`${what} is ${value}; it must be from ${low} to below ${high}`);
}

/** Throws ArgumentError, listing what is known, unless `name` is; `what` is named: `compile: loss`. */
export function checkKnown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  throw new ArgumentError(`${what} "${String(name)}" is none of ${known.join(", ")}`);
}
