/** Checks of arguments that many places make, in the same words. */
import { ArgumentError, DataError } from "./errors.js";

/** Throws ArgumentError unless `value` is a whole number ≥ `least`; `what` is named: `fit: epochs`. */
export function checkWhole(what: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError(`${what} is ${shown(value)}; it must be a whole number ≥ ${least}`);
}

/** Throws ArgumentError unless `low ≤ value < high`; `what` is named: `optimizer: eps`. */
export function checkNumber(what: string, value: number, low: number, high: number): void {
  if (typeof value === "number" && value >= low && value < high) return;
  throw new ArgumentError(`${what} is ${shown(value)}; it must be from ${low} to below ${high}`);
}

/** Throws ArgumentError, listing what is known, unless `name` is; `what` is named: `compile: loss`. */
export function checkKnown(what: string, name: string, known: readonly string[]): void {
  if (known.includes(name)) return;
  const given = typeof name === "string" ? `"${name}"` : shown(name);
  throw new ArgumentError(`${what} ${given} is none of ${known.join(", ")}`);
}

/** Throws ArgumentError unless `value` is true or false. */
export function checkFlag(what: string, value: boolean): void {
  if (typeof value === "boolean") return;
  throw new ArgumentError(`${what} is ${shown(value)}; it must be true or false`);
}

/** Throws ArgumentError unless `value` is a function. */
export function checkFunction(what: string, value: unknown): void {
  if (typeof value === "function") return;
  throw new ArgumentError(`${what} is ${shown(value)}; it must be a function`);
}

/** Throws ArgumentError unless `value` is a list. */
export function checkList(what: string, value: readonly unknown[]): void {
  if (Array.isArray(value)) return;
  throw new ArgumentError(`${what} is ${shown(value)}; it must be a list`);
}

/** Throws ArgumentError unless `options` is an object that has none but the options in `known`. */
export function checkOptions(
  caller: string,
  options: object,
  known: { readonly [name: string]: true },
): void {
  if (!isObject(options)) {
    throw new ArgumentError(`${caller}: the options are ${shown(options)}, not an object`);
  }
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  throw new ArgumentError(
    `${caller}: there is no option ${shown(unknown)}; there are ${Object.keys(known).join(", ")}`,
  );
}

/** `value`, saved plain data, by its fields. Throws DataError where it is no object. */
export function fieldsOf<T extends object>(what: string, value: T): Readonly<Partial<T>> {
  if (isObject(value)) return value;
  throw new DataError(`${what} is ${shown(value)}, not an object`);
}

/** Whether `value` is an object, and no list or function. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The beginning of a text, long enough to know it by. */
export function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** A value, whatever it is, as errors show it. */
export function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(cut(value));
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? "a list" : "an object";
}
