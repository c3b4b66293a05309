/** How parts of a config are described: by zod, with messages of our own. */
import { z } from "zod";
import { FerrogradError } from "../errors.js";
import { nearest, notAmong } from "./nearest.js";

/** Numbers as JSON and YAML have them. */
export const whole = z.int();
export const positive = z.int().min(1);
export const number = z.number();
export const flag = z.boolean();
export const text = z.string();
export const pair = z.union([whole, z.tuple([whole, whole])]);

const kindNames: { readonly [type: string]: string } = {
  int: "a whole number",
  number: "a number",
  string: "a text",
  boolean: "true or false",
  array: "a list",
  tuple: "a list",
  object: "keys with values",
  record: "keys with values",
};

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** What a value should have been, by the schema's own words. */
function wanted(schema: unknown): string {
  const type = schema instanceof z.ZodType ? schema.def.type : "";
  if (schema instanceof z.ZodOptional) return wanted(schema.unwrap());
  if (schema instanceof z.ZodEnum) return schema.options.join(" or ");
  if (schema instanceof z.ZodLiteral) return [...schema.values].join(" or ");
  if (schema instanceof z.ZodNumberFormat) return kindNames.int!;
  if (schema instanceof z.ZodTuple) {
    return `a list of ${schema.def.items.length}`;
  }
  return kindNames[type] ?? "something else";
}

/** Says what is wrong with a value, for `safeParse`. */
export const messages: z.core.$ZodErrorMap = (issue) => {
  const { input } = issue;
  if (issue.code !== "unrecognized_keys" && input === undefined) return "is missing";
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = issue.inst instanceof z.ZodObject ? Object.keys(issue.inst.shape) : [];
      return issue.keys.map((key) => unknownKey(key, known)).join("; ");
    }
    case "invalid_value": {
      const values = issue.values.map(String);
      return typeof input === "string"
        ? notAmong(input, values)
        : `${shown(input)} is none of ${values.join(", ")}`;
    }
    case "invalid_union": {
      const options = issue.inst instanceof z.ZodUnion ? issue.inst.options : [];
      return `${shown(input)} is not ${options.map(wanted).join(", or ")}`;
    }
    case "too_small":
      return issue.origin === "array" || issue.origin === "object"
        ? "is empty"
        : `${shown(input)} is below ${issue.minimum}`;
    case "too_big":
      return `${shown(input)} is above ${issue.maximum}`;
    case "invalid_type":
      return `${shown(input)} is not ${wanted(issue.inst)}`;
    default:
      return undefined;
  }
};

function unknownKey(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  const help =
    meant === undefined ? `known are ${known.join(", ") || "none"}` : `did you mean ${meant}?`;
  return `"${key}" is no key here; ${help}`;
}

/** One of several things that are chosen by name: its options, and what they come to. */
export interface Kind<T> {
  readonly options: readonly string[];
  readonly schema: z.ZodType<T>;
}

/** A kind whose options `schema` describes; what `make` throws is told of its key. */
export function kind<S extends z.ZodObject, T>(
  schema: S,
  make: (options: z.output<S>) => T,
): Kind<T> {
  const made = schema.transform((options, context) => {
    try {
      return make(options);
    } catch (error) {
      if (!(error instanceof FerrogradError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input: options });
      return z.NEVER;
    }
  });
  return { options: Object.keys(schema.shape), schema: made };
}

/**
 * A thing of `kinds`: `{ [key]: name, ...options }`, or the name alone. What is wrong with it is
 * told under the keys it is under.
 */
export function named<T>(key: string, kinds: { readonly [name: string]: Kind<T> }): z.ZodType<T> {
  const names = Object.keys(kinds);
  return z.unknown().transform((value, context): T => {
    const fail = (message: string, path: PropertyKey[] = []): T => {
      context.issues.push({ code: "custom", message, path, input: value });
      return z.NEVER;
    };
    if (value === undefined) return fail("is missing");
    const given = typeof value === "string" ? { [key]: value } : value;
    if (typeof given !== "object" || given === null || Array.isArray(given)) {
      return fail(`${shown(value)} is neither a name nor { ${key}: name, … }`);
    }
    const { [key]: name, ...options } = given as { readonly [key: string]: unknown };
    if (typeof name !== "string") {
      return fail(name === undefined ? "is missing" : `${shown(name)} is no name`, [key]);
    }
    const path = typeof value === "string" ? [] : [key];
    const found = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
    if (!found) return fail(notAmong(name, names), path);
    const result = found.schema.safeParse(options, { error: messages });
    if (result.success) return result.data;
    for (const { message, path: inner } of result.error.issues) fail(message, [...inner]);
    return z.NEVER;
  });
}
