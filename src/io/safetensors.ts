/** Tensors in a file: the safetensors format, read strictly. */
import { cut, isObject } from "../checks.js";
import type { DType, TypedArray } from "../dtype.js";
import { dtypes } from "../dtype.js";
import { ArgumentError, DataError, reasonOf } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sizeOf } from "../shape.js";
import { fromBfloat16, fromFloat16 } from "../data/halfFloats.js";
import { findDuplicateKey } from "./jsonKeys.js";

/** A tensor's content. */
export interface TensorData {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What a file says of itself. */
export type Metadata = { readonly [name: string]: string };

/** The format's names of the dtypes. */
const names: { readonly [D in DType]: string } = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  bool: "BOOL",
};

/** A dtype in files: its element's bytes, and how such bytes become a tensor's data. */
interface FileType {
  readonly bytes: number;
  readonly dtype: DType;
  readonly decode: (buffer: ArrayBuffer) => TypedArray;
}

/** What can be read, by the format's names; 16-bit floats are widened. */
const fileTypes = new Map<string, FileType>([
  ["F32", whole("float32")],
  ["F64", whole("float64")],
  ["I32", whole("int32")],
  ["BOOL", whole("bool")],
  ["F16", half(fromFloat16)],
  ["BF16", half(fromBfloat16)],
]);

function whole(dtype: DType): FileType {
  const { bytes, make } = dtypes[dtype];
  return { bytes, dtype, decode: (buffer) => new make(buffer) };
}

function half(widen: (halves: Uint16Array) => Float32Array): FileType {
  return { bytes: 2, dtype: "float32", decode: (buffer) => widen(new Uint16Array(buffer)) };
}

/** Bytes before the header: its length. */
const prefix = 8;
/** A longer header than this is an attack, not a model (the format's own limit). */
const maxHeader = 100_000_000;
/** Data begins at a multiple of this, so that readers need not copy it. */
const alignment = 8;
/** The entry of the header that is no tensor. */
const metadataKey = "__metadata__";

/**
 * The tensors, in the order of the map, as the bytes of a file. Throws ArgumentError for data that
 * does not fill its shape or is not of its dtype.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, TensorData>,
  metadata?: Metadata,
): Uint8Array<ArrayBuffer> {
  let end = 0;
  const entries = [...tensors].map(([name, tensor]) => {
    checkTensor(name, tensor);
    const { dtype, shape, data } = tensor;
    const start = end;
    end += data.byteLength;
    return [name, { dtype: names[dtype], shape, data_offsets: [start, end] }] as const;
  });
  const fields = metadata ? [[metadataKey, metadata] as const, ...entries] : entries;
  const header = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const length = Math.ceil(header.length / alignment) * alignment;
  if (length > maxHeader) {
    throw new ArgumentError(`writeSafetensors: names and shapes take ${length} bytes of header`);
  }
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

function checkTensor(name: string, { dtype, shape, data }: TensorData): void {
  const fail = (reason: string): never => {
    throw new ArgumentError(`writeSafetensors: tensor "${name}" ${reason}`);
  };
  if (name === metadataKey) fail("has the one name that the format keeps for itself");
  if (!(data instanceof dtypes[dtype].make)) {
    fail(`is of dtype ${dtype}: its data must be a ${dtypes[dtype].make.name}`);
  }
  if (data.length !== sizeOf(shape)) {
    fail(`of shape ${formatShape(shape)} has ${data.length} elements, not ${sizeOf(shape)}`);
  }
}

/**
 * The tensors in the bytes of a file that errors call `name`, in the order of their data. Throws
 * DataError, saying why, for anything but a whole and unambiguous file.
 */
export function readSafetensors(bytes: Uint8Array, name = "safetensors"): Map<string, TensorData> {
  const fail = failing(name);
  const { entries, body } = splitFile(bytes, fail);
  const found = entries
    .map(([key, entry]) => checkEntry(key, entry, fail))
    .sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { key, start, end } of found) {
    if (start !== at) fail(`tensor "${cut(key)}" begins at byte ${start}, not ${at}`);
    at = end;
  }
  if (at !== body.length) fail(`its tensors end at byte ${at}, its data at ${body.length}`);
  return new Map(
    found.map(({ key, type, shape, start, end }) => {
      // A copy whatever the bytes are: the slice of a Buffer is a view.
      const data = type.decode(new Uint8Array(body.subarray(start, end)).buffer);
      if (type.dtype === "bool" && data.some((byte) => byte > 1)) {
        fail(`tensor "${cut(key)}" is of dtype BOOL and holds other bytes than 0 and 1`);
      }
      return [key, { dtype: type.dtype, shape, data }];
    }),
  );
}

/** What a file says of itself; empty where it says nothing. Throws as `readSafetensors` does. */
export function readSafetensorsMetadata(bytes: Uint8Array, name = "safetensors"): Metadata {
  return splitFile(bytes, failing(name)).metadata;
}

type Fail = (reason: string) => never;

function failing(name: string): Fail {
  return (reason) => {
    throw new DataError(`${name} is no valid safetensors file: ${reason}`);
  };
}

interface Parts {
  readonly entries: readonly (readonly [key: string, entry: unknown])[];
  readonly metadata: Metadata;
  readonly body: Uint8Array;
}

function splitFile(bytes: Uint8Array, fail: Fail): Parts {
  if (bytes.length < prefix) fail(`${bytes.length} bytes hold no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader) fail(`its header of ${length} bytes is over the limit of ${maxHeader}`);
  if (prefix + length > bytes.length) fail(`its header of ${length} bytes is cut off`);
  // As entries: a tensor may be called `__proto__`.
  const fields = Object.entries(parseHeader(bytes.subarray(prefix, prefix + length), fail));
  const about: unknown = fields.find(([key]) => key === metadataKey)?.[1];
  return {
    entries: fields.filter(([key]) => key !== metadataKey),
    metadata: about === undefined ? {} : checkMetadata(about, fail),
    body: bytes.subarray(prefix + length),
  };
}

function checkMetadata(about: unknown, fail: Fail): Metadata {
  return isMetadata(about) ? about : fail(`its ${metadataKey} is no object of texts`);
}

function isMetadata(value: unknown): value is Metadata {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}

function parseHeader(bytes: Uint8Array, fail: Fail): object {
  if (bytes[0] !== 0x7b) fail("its header does not begin with {");
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    fail("its header is not UTF-8");
  }
  let header: object = {};
  try {
    header = JSON.parse(text) as object;
  } catch (error) {
    fail(`its header is not JSON: ${reasonOf(error)}`);
  }
  const twice = findDuplicateKey(text);
  if (twice !== undefined) fail(`its header names "${cut(twice)}" twice`);
  return header;
}

interface Entry {
  readonly key: string;
  readonly type: FileType;
  readonly shape: Shape;
  readonly start: number;
  readonly end: number;
}

function checkEntry(key: string, entry: unknown, fail: Fail): Entry {
  const tensor = `tensor "${cut(key)}"`;
  if (!isObject(entry)) return fail(`${tensor} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = typeof dtype === "string" ? fileTypes.get(dtype) : undefined;
  if (!type) {
    const read = [...fileTypes.keys()].join(", ");
    return fail(`${tensor} is of dtype ${show(dtype)}; ${read} can be read`);
  }
  const sizes = wholeNumbers(shape, `shape of ${tensor}`, fail);
  const [start, end, ...more] = wholeNumbers(offsets, `data_offsets of ${tensor}`, fail);
  if (start === undefined || end === undefined || more.length > 0 || end < start) {
    return fail(`the data_offsets of ${tensor} are no begin and end`);
  }
  const bytes = sizeOf(sizes) * type.bytes;
  // A product past 2⁵³ is not exact, and no file is that large: it differs all the same.
  if (end - start !== bytes) {
    fail(`${tensor} of shape ${formatShape(sizes)} has ${end - start} bytes, not ${bytes}`);
  }
  return { key, type, shape: sizes, start, end };
}

function wholeNumbers(list: unknown, what: string, fail: Fail): number[] {
  if (!Array.isArray(list)) return fail(`the ${what} is no list`);
  return list.map((n: unknown) => {
    if (typeof n === "number" && Number.isSafeInteger(n) && n >= 0) return n;
    return fail(`the ${what} holds ${show(n)}, which is no size`);
  });
}

/** A value as messages show it; what is nested may be too deep to print. */
function show(value: unknown): string {
  return isObject(value) || Array.isArray(value) ? "a list or object" : cut(String(value));
}
