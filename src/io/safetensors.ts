/** Tensors in a file: the safetensors format, read strictly. */
import type { DType, TypedArray } from "../dtype.js";
import { dtypes } from "../dtype.js";
import { DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import { findDuplicateKey } from "./jsonKeys.js";

/** A tensor's content. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** The format's names of the dtypes. */
const names: { readonly [D in DType]: string } = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  bool: "BOOL",
};

/** Bytes before the header: its length. */
const prefix = 8;
/** A longer header than this is an attack, not a model (the format's own limit). */
const maxHeader = 100_000_000;
/** Data begins at a multiple of this, so that readers need not copy it. */
const alignment = 8;

/** The tensors, in the order of the map, as the bytes of a file. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata?: { readonly [name: string]: string },
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = [...tensors].map(([name, { dtype, shape, data }]) => {
    const start = end;
    end += data.byteLength;
    return [name, { dtype: names[dtype], shape, data_offsets: [start, end] }] as const;
  });
  const fields = metadata ? [["__metadata__", metadata] as const, ...entries] : entries;
  const text = JSON.stringify(Object.fromEntries(fields));
  const header = new TextEncoder().encode(text);
  const length = Math.ceil(header.length / alignment) * alignment;
  const bytes = new Uint8Array(prefix + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(0x20, prefix, prefix + length);
  bytes.set(header, prefix);
  let at = prefix + length;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * The tensors in the bytes of a file that errors call `name`. Throws DataError, saying why, for
 * anything but a whole and unambiguous file.
 */
export function readSafetensors(bytes: Uint8Array, name = "safetensors"): Map<string, TensorData> {
  const fail = (reason: string): never => {
    throw new DataError(`${name} is no valid safetensors file: ${reason}`);
  };
  if (bytes.length < prefix) fail(`${bytes.length} bytes hold no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader) fail(`its header of ${length} bytes is over the limit of ${maxHeader}`);
  if (prefix + length > bytes.length) fail(`its header of ${length} bytes is cut off`);
  const header = parseHeader(bytes.subarray(prefix, prefix + length), fail);
  const body = bytes.subarray(prefix + length);
  const found = Object.entries(header)
    .filter(([key]) => key !== "__metadata__")
    .map(([key, entry]) => ({ key, ...checkEntry(key, entry, fail) }))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { key, start, end } of found) {
    if (start !== at) fail(`tensor "${key}" begins at byte ${start}, not ${at}`);
    at = end;
  }
  if (at !== body.length) fail(`tensors end at byte ${at}, the data at ${body.length}`);
  return new Map(
    found.map(({ key, dtype, shape, start, end }) => {
      const data = new dtypes[dtype].make(body.slice(start, end).buffer);
      return [key, { dtype, shape, data }];
    }),
  );
}

type Fail = (reason: string) => never;

function parseHeader(bytes: Uint8Array, fail: Fail): object {
  if (bytes[0] !== 0x7b) fail("its header does not begin with {");
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    fail("its header is not UTF-8");
  }
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof header !== "object" || header === null) return fail("its header is no object");
  const twice = findDuplicateKey(text);
  if (twice !== undefined) fail(`its header names "${twice}" twice`);
  return header;
}

interface Entry {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly start: number;
  readonly end: number;
}

function checkEntry(key: string, entry: unknown, fail: Fail): Entry {
  const { dtype, shape, data_offsets: offsets } = record(entry, key, fail);
  const known = Object.entries(names).find(([, code]) => code === dtype);
  if (!known) {
    const read = Object.values(names).join(", ");
    return fail(`tensor "${key}" is of dtype ${String(dtype)}; ${read} can be read`);
  }
  const kind = known[0] as DType;
  const sizes = wholeNumbers(shape, `shape of tensor "${key}"`, fail);
  const [start, end, ...more] = wholeNumbers(offsets, `offsets of tensor "${key}"`, fail);
  if (start === undefined || end === undefined || more.length > 0 || end < start) {
    return fail(`tensor "${key}" has no begin and end`);
  }
  const bytes = sizeOf(sizes) * dtypes[kind].bytes;
  if (!Number.isSafeInteger(bytes) || end - start !== bytes) {
    fail(`tensor "${key}" of shape [${sizes.join(", ")}] has ${end - start} bytes, not ${bytes}`);
  }
  return { dtype: kind, shape: sizes, start, end };
}

function record(entry: unknown, key: string, fail: Fail): Record<string, unknown> {
  if (typeof entry !== "object" || entry === null || Array.isArray(entry)) {
    return fail(`tensor "${key}" is not described by an object`);
  }
  return { ...entry };
}

function wholeNumbers(list: unknown, what: string, fail: Fail): number[] {
  if (!Array.isArray(list)) return fail(`the ${what} is no list`);
  return list.map((n: unknown) => {
    if (typeof n === "number" && Number.isSafeInteger(n) && n >= 0) return n;
    return fail(`the ${what} holds ${String(n)}, which is no size`);
  });
}
