/** IDX files, as MNIST comes in: http://yann.lecun.com/exdb/mnist describes them. */
import type { TypedArray } from "../dtype.js";
import { ArgumentError, DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sizeOf } from "../shape.js";
import type { Bytes } from "./bytes.js";
import { joined } from "./bytes.js";
import type { NumberType } from "./numberTypes.js";
import { machineIsLittle, numberTypes, swapBytes } from "./numberTypes.js";
import type { Table } from "./rows.js";

/** The format's numbers of its types. */
const types = new Map<number, NumberType>([
  [0x08, numberTypes.u1],
  [0x09, numberTypes.i1],
  [0x0b, numberTypes.i2],
  [0x0c, numberTypes.i4],
  [0x0d, numberTypes.f4],
  [0x0e, numberTypes.f8],
]);

/** More axes than this no data has. */
const mostAxes = 8;
const headerOf = (axes: number): number => 4 + 4 * axes;

interface IdxHeader {
  readonly type: NumberType;
  readonly shape: Shape;
  readonly offset: number;
}

/** The header at the beginning of a file. Throws DataError saying where and why. */
export function parseIdxHeader(start: Uint8Array, name: string): IdxHeader {
  const fail = (at: number, reason: string): never => {
    throw new DataError(`${name} is no valid IDX file: byte ${at}: ${reason}`);
  };
  if (start.length < 4) fail(start.length, "it ends in the header");
  if (start[0] !== 0 || start[1] !== 0) fail(0, "it does not begin with two zeros");
  const type = types.get(start[2]!);
  if (!type) {
    const known = [...types].map(([code, each]) => `${code} (${each.name})`).join(", ");
    return fail(2, `its type is ${start[2]}; ${known} can be read`);
  }
  const axes = start[3]!;
  if (axes < 1 || axes > mostAxes) fail(3, `it has ${axes} axes; 1 to ${mostAxes} can be read`);
  const offset = headerOf(axes);
  if (start.length < offset) fail(start.length, "it ends in the header");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  return { type, shape, offset };
}

function decode(type: NumberType, bytes: Uint8Array<ArrayBuffer>, name: string): TypedArray {
  if (machineIsLittle && type.bytes > 1) swapBytes(bytes, type.bytes);
  return type.decode(bytes, name, 0);
}

/**
 * The array in the bytes of an IDX file that errors call `name`; integers become int32. Throws
 * DataError, saying where and why, for anything but a whole file.
 */
export function readIdx(bytes: Uint8Array, name = "IDX"): Table {
  const { type, shape, offset } = parseIdxHeader(bytes, name);
  const wanted = sizeOf(shape) * type.bytes;
  if (wanted !== bytes.length - offset) {
    throw new DataError(
      `${name} is no valid IDX file: byte ${offset}: ${type.name} ${formatShape(shape)} takes ` +
        `${wanted} bytes, ${bytes.length - offset} follow`,
    );
  }
  return { data: decode(type, bytes.slice(offset), name), shape };
}

/** The array in `bytes`, of which as much is read as its header says. Throws as `readIdx` does. */
export async function loadIdx(bytes: Bytes): Promise<Table> {
  const pieces: Uint8Array[] = [];
  let [length, most] = [0, headerOf(mostAxes)];
  let header: IdxHeader | undefined;
  for await (const piece of bytes.stream()) {
    pieces.push(piece);
    length += piece.length;
    if (!header && length >= headerOf(mostAxes)) {
      header = parseIdxHeader(joined(pieces, length), bytes.name);
      most = header.offset + sizeOf(header.shape) * header.type.bytes;
    }
    // What follows would only show that there is too much.
    if (header && length > most) break;
  }
  return readIdx(joined(pieces, length), bytes.name);
}

/**
 * An array as the bytes of an IDX file; `bool` arrays are bytes. Throws ArgumentError for data that
 * does not fill its shape, and shapes that the format cannot say.
 */
export function writeIdx({ data, shape }: Table): Uint8Array<ArrayBuffer> {
  const fits = shape.every((size) => size < 2 ** 32);
  if (shape.length < 1 || shape.length > mostAxes || !fits || sizeOf(shape) !== data.length) {
    throw new ArgumentError(
      `writeIdx: ${data.length} elements of shape ${formatShape(shape)} are no IDX array`,
    );
  }
  const code =
    data instanceof Float32Array
      ? 0x0d
      : data instanceof Float64Array
        ? 0x0e
        : data instanceof Int32Array
          ? 0x0c
          : 0x08;
  const offset = headerOf(shape.length);
  const bytes = new Uint8Array(offset + data.byteLength);
  bytes.set([0, 0, code, shape.length]);
  const view = new DataView(bytes.buffer);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), offset);
  const { bytes: size } = types.get(code)!;
  if (machineIsLittle && size > 1) swapBytes(bytes.subarray(offset), size);
  return bytes;
}
