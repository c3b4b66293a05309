/** JSON of all numbers: it has none for NaN, infinities and −0. */

const key = "$number";

/** `value` as JSON; such numbers are objects of one field. */
export function toExactJson(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (typeof field !== "number") return field;
    if (Object.is(field, -0)) return { [key]: "-0" };
    return Number.isFinite(field) ? field : { [key]: String(field) };
  });
}

/** What `toExactJson` made the text of. Throws SyntaxError for what is no JSON. */
export function fromExactJson(text: string): unknown {
  return JSON.parse(text, (_, field: unknown) =>
    typeof field === "object" && field !== null && key in field ? Number(field[key]) : field,
  ) as unknown;
}
