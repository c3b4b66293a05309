/** NumPy's array files, read strictly: https://numpy.org/neps/nep-0001-npy-format.html */
import type { TypedArray } from "../dtype.js";
import { ArgumentError, DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sizeOf } from "../shape.js";
import type { Bytes } from "./bytes.js";
import type { NumberType } from "./numberTypes.js";
import { machineIsLittle, numberTypes, swapBytes } from "./numberTypes.js";
import type { Table } from "./rows.js";

/** What the head of an array file says. */
export interface NpyHeader {
  readonly type: NumberType;
  /** Whether the bytes of each element come in the other order than this machine's. */
  readonly swapped: boolean;
  readonly shape: Shape;
  /** Where the elements begin. */
  readonly offset: number;
}

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59); // \x93NUMPY
/** A longer header than this is an attack, not an array (NumPy's own limit). */
const maxHeader = 10_000;
/** The data begins at a multiple of this. */
const alignment = 64;

function failing(name: string): (at: number, reason: string) => never {
  return (at, reason) => {
    throw new DataError(`${name} is no valid npy file: byte ${at}: ${reason}`);
  };
}

/** The header in the first bytes of a file of `size`. Throws DataError saying where and why. */
export function parseNpyHeader(start: Uint8Array, size: number, name: string): NpyHeader {
  const fail = failing(name);
  if (start.length < 10) fail(start.length, "it ends in the header");
  if (magic.some((byte, at) => start[at] !== byte)) fail(0, "it does not begin with \\x93NUMPY");
  const version = start[6]!;
  if (version < 1 || version > 3) fail(6, `it is of version ${version}; 1 to 3 can be read`);
  const prefix = version === 1 ? 10 : 12;
  if (start.length < prefix) fail(start.length, "it ends in the header");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > maxHeader)
    fail(8, `its header of ${length} bytes is over the limit of ${maxHeader}`);
  const offset = prefix + length;
  if (offset > start.length || offset > size) fail(8, `its header of ${length} bytes is cut off`);
  // Latin-1 in the first two versions; ASCII is all that an array of numbers needs.
  const text = String.fromCharCode(...start.subarray(prefix, offset));
  const { descr, fortran, shape } = parseDictionary(text, prefix, fail);
  const kind = /^([<>|=])([biuf]\d)$/.exec(descr);
  const type = Object.entries(numberTypes).find(([known]) => known === kind?.[2])?.[1];
  if (!kind || !type) {
    const known = Object.values(numberTypes).map((each) => each.name);
    return fail(prefix, `its elements are of type '${descr}'; ${known.join(", ")} can be read`);
  }
  if (fortran && shape.filter((axis) => axis > 1).length > 1) {
    fail(prefix, "it is in Fortran's order; save it by np.ascontiguousarray(x)");
  }
  const wanted = sizeOf(shape) * type.bytes;
  // A product past 2⁵³ is not exact, and no file is that large: it differs all the same.
  if (wanted !== size - offset) {
    fail(
      offset,
      `${type.name} ${formatShape(shape)} takes ${wanted} bytes, ${size - offset} follow`,
    );
  }
  const swapped = type.bytes > 1 && kind[1] === (machineIsLittle ? ">" : "<");
  return { type, swapped, shape, offset };
}

/** A text, word, number or sign of a header, behind white space. */
const token = /[ \t\n]*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d{1,15})L?|([{}():,]))/y;

/** The dictionary of a header, as Python writes it, in one pass. */
function parseDictionary(
  text: string,
  at: number,
  fail: (at: number, reason: string) => never,
): { descr: string; fortran: boolean; shape: Shape } {
  let position = 0;
  const next = (): { text?: string; truth?: boolean; number?: number; sign?: string } => {
    token.lastIndex = position;
    const match = token.exec(text);
    if (!match) {
      return fail(
        at + position,
        `its header holds ${JSON.stringify(text.slice(position).slice(0, 40))}`,
      );
    }
    position = token.lastIndex;
    const [, single, double, word, digits, sign] = match;
    const string = single ?? double;
    return {
      ...(string !== undefined && { text: string }),
      ...(word !== undefined && { truth: word === "True" }),
      ...(digits !== undefined && { number: Number(digits) }),
      ...(sign !== undefined && { sign }),
    };
  };
  const expect = (sign: string): void => {
    if (next().sign !== sign) fail(at + position, `its header has no ${sign} there`);
  };
  /** What stands before each comma, up to `end`; a last comma may stand before it. */
  const list = (end: string, item: (first: ReturnType<typeof next>) => void): number => {
    let commas = 0;
    for (;;) {
      const first = next();
      if (first.sign === end) return commas;
      item(first);
      const { sign } = next();
      if (sign === end) return commas;
      if (sign !== ",") fail(at + position, `its header has no , or ${end} there`);
      commas++;
    }
  };
  const sizesOf = (): Shape => {
    const sizes: number[] = [];
    const commas = list(")", ({ number }) => {
      if (number === undefined) return fail(at + position, "its shape holds what is no size");
      sizes.push(number);
    });
    // One number in brackets is no tuple.
    if (sizes.length === 1 && commas === 0) fail(at + position, "its shape is no tuple of sizes");
    if (sizes.length > 32) fail(at, `its shape has ${sizes.length} axes; 32 are the most`);
    return sizes;
  };
  let descr: string | undefined;
  let fortran: boolean | undefined;
  let shape: Shape | undefined;
  const known = new Set<string>();
  expect("{");
  list("}", ({ text: key }) => {
    if (key === undefined) return fail(at + position, "its header has a key that is no text");
    if (known.has(key)) fail(at + position, `its header names '${key}' twice`);
    known.add(key);
    expect(":");
    const value = next();
    if (key === "descr") descr = value.text;
    else if (key === "fortran_order") fortran = value.truth;
    else if (key === "shape" && value.sign === "(") shape = sizesOf();
  });
  if (/[^ \n\t\0]/.test(text.slice(position))) fail(at + position, "more follows its header");
  if (known.size !== 3 || descr === undefined || fortran === undefined || shape === undefined) {
    const keys = [...known].join(", ").slice(0, 80);
    return fail(
      at,
      `its header has ${keys}, not a descr, fortran_order and shape as they should be`,
    );
  }
  return { descr, fortran, shape };
}

/** Elements `from` up to `to` of a file, out of their bytes. */
function decode(
  { type, swapped }: NpyHeader,
  bytes: Uint8Array<ArrayBuffer>,
  name: string,
  from: number,
): TypedArray {
  if (swapped) swapBytes(bytes, type.bytes);
  return type.decode(bytes, name, from);
}

/**
 * The array in the bytes of an npy file that errors call `name`; integers become int32, float16
 * float32. Throws DataError, saying where and why, for anything but a whole file of numbers.
 */
export function readNpy(bytes: Uint8Array, name = "npy"): Table {
  const header = parseNpyHeader(bytes.subarray(0, maxHeader + 12), bytes.length, name);
  return { data: decode(header, bytes.slice(header.offset), name, 0), shape: header.shape };
}

/** Rows of an array in a file, of which the whole need not fit in memory. */
export interface NpyFile {
  readonly shape: Shape;
  /** The rows from `start` up to `end`. */
  readonly rows: (start: number, end: number) => Promise<Table>;
}

/** The array in `bytes`, whose header is read. Throws DataError where it is none. */
export async function openNpy(bytes: Bytes): Promise<NpyFile> {
  const { name } = bytes;
  const size = await bytes.size();
  const start = await bytes.read(0, Math.min(size, maxHeader + 12));
  const header = parseNpyHeader(start, size, name);
  const { shape, offset, type } = header;
  if (shape.length === 0) throw new DataError(`${name} is a single number; it has no rows`);
  const inner = shape.slice(1);
  const width = sizeOf(inner);
  return {
    shape,
    rows: async (from, to) => {
      const [begin, end] = [from * width, to * width];
      const found = await bytes.read(offset + begin * type.bytes, offset + end * type.bytes);
      return { data: decode(header, found, name, begin), shape: [to - from, ...inner] };
    },
  };
}

/** NumPy's names of our types, which files say first where a byte comes first. */
function descrOf(data: TypedArray): string {
  if (data instanceof Float32Array) return "<f4";
  if (data instanceof Float64Array) return "<f8";
  return data instanceof Int32Array ? "<i4" : "|b1";
}

/**
 * An array as the bytes of an npy file; `bool` arrays are bytes of 0 and 1. Throws ArgumentError
 * for data that does not fill its shape.
 */
export function writeNpy({ data, shape }: Table): Uint8Array<ArrayBuffer> {
  if (sizeOf(shape) !== data.length) {
    throw new ArgumentError(
      `writeNpy: ${data.length} elements do not fill the shape ${formatShape(shape)}`,
    );
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const text = `{'descr': '${descrOf(data)}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = magic.length + 4;
  const offset = Math.ceil((prefix + text.length + 1) / alignment) * alignment;
  const bytes = new Uint8Array(offset + data.byteLength).fill(0x20, 0, offset);
  bytes.set(magic);
  bytes.set([1, 0], magic.length);
  new DataView(bytes.buffer).setUint16(magic.length + 2, offset - prefix, true);
  bytes.set(new TextEncoder().encode(text), prefix);
  bytes[offset - 1] = 0x0a;
  const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  bytes.set(content, offset);
  if (!machineIsLittle) swapBytes(bytes.subarray(offset), data.BYTES_PER_ELEMENT);
  return bytes;
}
