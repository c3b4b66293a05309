/** JSON of all numbers: it has none for NaN, infinities and −0. */
import { DataError, reasonOf } from "../errors.js";

const key = "$number";

/** `value` as JSON; such numbers are objects of one field. Throws DataError for a field like it. */
export function toExactJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field === "object" && field !== null && Object.hasOwn(field, key)) {
      throw new DataError(`plain data may have no field "${key}"`);
    }
    if (typeof field !== "number") return field;
    if (Object.is(field, -0)) return { [key]: "-0" };
    return Number.isFinite(field) ? field : { [key]: String(field) };
  });
}

/** What JSON has no number for. */
const special = new Map([NaN, Infinity, -Infinity].map((n) => [String(n), n])).set("-0", -0);

/** What `toExactJson` made the text of. Throws DataError for what it did not. */
export function fromExactJson(text: string): unknown {
  try {
    return JSON.parse(text, (_, field: unknown) => numberOf(field)) as unknown;
  } catch (error) {
    throw new DataError(`it holds no plain data: ${reasonOf(error)}`, { cause: error });
  }
}

function numberOf(field: unknown): unknown {
  if (typeof field !== "object" || field === null || !Object.hasOwn(field, key)) return field;
  const [[, value], ...more] = Object.entries(field) as [[string, unknown]];
  const number = typeof value === "string" && more.length === 0 ? special.get(value) : undefined;
  if (number === undefined) throw new DataError(`a field "${key}" is no number that JSON lacks`);
  return number;
}
