/** Images as numbers: PNG and JPEG, by the same decoders in Node and in browsers. */
import { shown } from "../checks.js";
import { ArgumentError, DataError, reasonOf } from "../errors.js";
import { joined } from "./bytes.js";
import type { Table } from "./rows.js";

/** How many channels an image is given: 1 is its luma, 3 red, green and blue, 4 opacity too. */
export type Channels = 1 | 3 | 4;

/** Options of `decodeImage`. */
export interface DecodeOptions {
  /** Default: 3. */
  readonly channels?: Channels;
  /** What errors call it. Default: the image. */
  readonly name?: string;
}

/** Interleaved pixels as a decoder gives them. */
interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: ArrayLike<number>;
  /** Numbers a pixel: luma, or colours, each with or without opacity. */
  readonly channels: number;
  /** The greatest number there may be. */
  readonly most: number;
}

/** Images of more pixels than this are attacks, or need another tool. */
const mostPixels = 2 ** 26;
/** No deflated data is smaller than this share of its content (the format's own limit). */
const greatestRatio = 1032;
/** What is inflated without being measured first. */
const harmless = 2 ** 26;
/** What an image may need without anything being asked. */
const slack = 2 ** 12;
/** Pixels a byte of JPEG: a block of 64 takes at least the one bit of the shortest code. */
const pixelsOfByte = 64 * 8;

const pngSign = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const jpegSign = [0xff, 0xd8, 0xff];

const begins = (bytes: Uint8Array, sign: readonly number[]): boolean =>
  sign.every((byte, at) => bytes[at] === byte);

/**
 * A PNG or JPEG image as float32 `[channels, height, width]` from 0 to 1. It stands as it is stored:
 * a note in the file on how to turn it is not heeded. Throws DataError where it is no such image,
 * broken, or of more than 67 million pixels.
 */
export async function decodeImage(
  bytes: Uint8Array,
  { channels = 3, name = "the image" }: DecodeOptions = {},
): Promise<Table> {
  const given: unknown = bytes;
  if (!(given instanceof Uint8Array)) {
    throw new ArgumentError(`${name} is ${shown(given)}; its bytes, a Uint8Array, are expected`);
  }
  if (![1, 3, 4].includes(channels)) {
    throw new ArgumentError(`${name}: channels is ${shown(channels)}; it must be 1, 3 or 4`);
  }
  const decode = begins(bytes, pngSign)
    ? decodePng
    : begins(bytes, jpegSign)
      ? decodeJpeg
      : undefined;
  if (!decode) throw new DataError(`${name} is neither PNG nor JPEG; convert it to one of them`);
  try {
    return planes(await decode(bytes, name), channels);
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw new DataError(`${name} cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
}

function checkPixels(name: string, width: number, height: number): void {
  if (width >= 1 && height >= 1 && width * height <= mostPixels) return;
  throw new DataError(
    `${name} is said to be ${width} × ${height} pixels; 1 to ${mostPixels} can be read`,
  );
}

/** Throws where an image needs more than its data can hold, before memory is taken for it. */
function checkFilled(name: string, needed: number, most: number): void {
  if (needed <= most + slack) return;
  throw new DataError(`${name} is said to be larger than its data can hold`);
}

/** Channels that a PNG colour type has in the file. */
const pngChannels = new Map([
  [0, 1],
  [2, 3],
  [3, 1],
  [4, 2],
  [6, 4],
]);

async function decodePng(bytes: Uint8Array, name: string): Promise<Pixels> {
  const chunks = pngChunks(bytes, name);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = chunks[0]!.start;
  const [width, height] = [view.getUint32(header), view.getUint32(header + 4)];
  checkPixels(name, width, height);
  const content = chunks.filter(({ type }) => type === "IDAT");
  const depth = bytes[header + 8]! * (pngChannels.get(bytes[header + 9]!) ?? 0);
  // A byte of filter a row; interlacing has rows of its own, twice as many at the most.
  const expected = (Math.ceil((width * depth) / 8) + 8) * height * 2 + 64;
  const packed = content.reduce((sum, { length }) => sum + length, 0);
  checkFilled(name, (width * height * depth) / 8, packed * greatestRatio);
  if (packed * greatestRatio > harmless) await checkInflated(name, bytes, content, expected);
  const { convertIndexedToRgb, decode } = await import("fast-png");
  // What only describes the image may hide attacks of its own.
  const kept = ["IHDR", "PLTE", "tRNS", "IDAT", "IEND"];
  const parts = chunks.filter(({ type }) => kept.includes(type));
  const pieces = [
    bytes.subarray(0, pngSign.length),
    ...parts.map(({ start, length }) => bytes.subarray(start - 8, start + length + 4)),
  ];
  const image = decode(
    joined(
      pieces,
      pieces.reduce((sum, { length }) => sum + length, 0),
    ),
    {
      checkCrc: true,
    },
  );
  if (image.palette) {
    const data = convertIndexedToRgb(image);
    return { width, height, data, channels: data.length / (width * height), most: 255 };
  }
  const most = 2 ** image.depth - 1;
  const data = image.depth < 8 ? unpacked(image.data, width, height, image.depth) : image.data;
  return { width, height, data, channels: image.channels, most };
}

interface Chunk {
  readonly type: string;
  /** Where its content begins. */
  readonly start: number;
  readonly length: number;
}

/** The chunks of a PNG file, up to its end. */
function pngChunks(bytes: Uint8Array, name: string): Chunk[] {
  const fail = (at: number, reason: string): never => {
    throw new DataError(`${name} is no valid PNG: byte ${at}: ${reason}`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = pngSign.length; ;) {
    if (at + 12 > bytes.length) fail(at, "it ends before its IEND");
    const length = view.getUint32(at);
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    if (at + 12 + length > bytes.length) fail(at, `its ${type} of ${length} bytes is cut off`);
    if (chunks.length === 0 && (type !== "IHDR" || length !== 13)) fail(at, "it has no header");
    if (chunks.length > 0 && type === "IHDR") fail(at, "it has two headers");
    chunks.push({ type, start: at + 8, length });
    at += 12 + length;
    if (type === "IEND") return chunks;
  }
}

/** Throws where the data of an image holds more than its size says, before it is kept. */
async function checkInflated(
  name: string,
  bytes: Uint8Array,
  content: readonly Chunk[],
  expected: number,
): Promise<void> {
  const { Unzlib } = await import("fflate");
  let found = 0;
  const inflate = new Unzlib((piece) => {
    found += piece.length;
    if (found > expected) {
      throw new DataError(`${name} holds more data than an image of its size has`);
    }
  });
  const step = 2 ** 16;
  for (const { start, length } of content) {
    for (let at = start; at < start + length; at += step) {
      inflate.push(bytes.subarray(at, Math.min(start + length, at + step)));
    }
  }
}

/** Pixels of 1, 2 or 4 bits, which rows of whole bytes hold. */
function unpacked(
  data: ArrayLike<number>,
  width: number,
  height: number,
  depth: number,
): Uint8Array {
  // The decoder may have done it.
  if (data.length === width * height) return Uint8Array.from(data);
  const perByte = 8 / depth;
  const row = Math.ceil(width / perByte);
  const mask = 2 ** depth - 1;
  return Uint8Array.from({ length: width * height }, (_, pixel) => {
    const [y, x] = [Math.floor(pixel / width), pixel % width];
    const byte = data[y * row + Math.floor(x / perByte)]!;
    return (byte >> (8 - depth * ((x % perByte) + 1))) & mask;
  });
}

async function decodeJpeg(bytes: Uint8Array, name: string): Promise<Pixels> {
  const [columns, rows] = jpegSize(bytes, name);
  checkPixels(name, columns, rows);
  checkFilled(name, columns * rows, bytes.length * pixelsOfByte);
  const { default: jpeg } = await import("jpeg-js");
  const { width, height, data } = jpeg.decode(bytes, {
    useTArray: true,
    formatAsRGBA: false,
    tolerantDecoding: false,
    maxResolutionInMP: Math.ceil(mostPixels / 1e6),
    maxMemoryUsageInMB: 2048,
  });
  return { width, height, data, channels: data.length / (width * height), most: 255 };
}

/** The size that the frame header of a JPEG file says. */
function jpegSize(bytes: Uint8Array, name: string): [width: number, height: number] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 9 <= bytes.length;) {
    if (bytes[at] !== 0xff) break;
    const marker = bytes[at + 1]!;
    if (marker === 0xff) {
      at++;
      continue;
    }
    // All of C0 to CF are frame headers but three.
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return [view.getUint16(at + 7), view.getUint16(at + 5)];
    if (marker === 0xda || marker === 0xd9) break;
    at += 2 + Math.max(2, view.getUint16(at + 2));
  }
  throw new DataError(`${name} is no valid JPEG: it has no frame header`);
}

/** Parts of red, green and blue in luma (ITU-R BT.601). */
const luma = [0.299, 0.587, 0.114] as const;

/** Interleaved pixels as a plane a channel, from 0 to 1. */
function planes({ width, height, data, channels, most }: Pixels, wanted: Channels): Table {
  const size = width * height;
  if (data.length !== size * channels || !Number.isInteger(channels)) {
    throw new DataError(`its ${data.length} numbers do not fill ${width} × ${height} pixels`);
  }
  const out = new Float32Array(size * wanted);
  const colours = channels >= 3 ? 3 : 1;
  const scale = 1 / most;
  for (let pixel = 0; pixel < size; pixel++) {
    const at = pixel * channels;
    if (wanted === 1) {
      out[pixel] =
        colours === 1
          ? data[at]! * scale
          : (luma[0] * data[at]! + luma[1] * data[at + 1]! + luma[2] * data[at + 2]!) * scale;
      continue;
    }
    for (let channel = 0; channel < 3; channel++) {
      out[channel * size + pixel] = data[at + (colours === 1 ? 0 : channel)]! * scale;
    }
    // Opacity stands last.
    if (wanted === 4)
      out[3 * size + pixel] = channels === colours ? 1 : data[at + colours]! * scale;
  }
  return { data: out, shape: [wanted, height, width] };
}
