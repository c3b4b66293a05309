/**
 * TensorBoard's event files: records with checksums, each an `Event` message of protocol buffers.
 * Four messages of numbers and texts, only ever written: a library and its generated code would be
 * larger than this file.
 */

/** A distribution of numbers: counts in buckets, each up to a limit. */
export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/** A number or a distribution under a name. */
export interface SummaryValue {
  readonly tag: string;
  readonly value: number | Histogram;
}

/** The first record of a file, without which readers do not take it for one. */
export function versionRecord(wallTime: number): Uint8Array<ArrayBuffer> {
  return record([double(1, wallTime), text(3, "brain.Event:2")]);
}

/** A record of values at a step. `wallTime`: seconds since 1970. */
export function summaryRecord(
  wallTime: number,
  step: number,
  values: readonly SummaryValue[],
): Uint8Array<ArrayBuffer> {
  const summary = values.map(({ tag, value }) =>
    message(1, [
      text(1, tag),
      typeof value === "number" ? float(2, value) : message(5, histogram(value)),
    ]),
  );
  return record([double(1, wallTime), whole(2, step), message(5, summary)]);
}

function histogram({ min, max, count, sum, sumOfSquares, limits, counts }: Histogram): Bytes[] {
  return [
    double(1, min),
    double(2, max),
    double(3, count),
    double(4, sum),
    double(5, sumOfSquares),
    doubles(6, limits),
    doubles(7, counts),
  ];
}

/** The distribution of the finite numbers of `data` over buckets of one width. */
export function histogramOf(data: Iterable<number>, buckets = 30): Histogram {
  const finite = Array.from(data).filter(Number.isFinite);
  const min = finite.reduce((a, b) => Math.min(a, b), finite[0] ?? 0);
  const max = finite.reduce((a, b) => Math.max(a, b), finite[0] ?? 0);
  // Equal values have a bucket of some width all the same.
  const width = (max - min) / buckets || 1;
  const counts = new Array<number>(buckets).fill(0);
  for (const value of finite) {
    counts[Math.min(buckets - 1, Math.floor((value - min) / width))]!++;
  }
  return {
    min,
    max,
    count: finite.length,
    sum: finite.reduce((a, b) => a + b, 0),
    sumOfSquares: finite.reduce((a, b) => a + b * b, 0),
    limits: counts.map((_, bucket) => min + (bucket + 1) * width),
    counts,
  };
}

type Bytes = Uint8Array<ArrayBuffer>;

function record(fields: readonly Bytes[]): Bytes {
  const data = join(fields);
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(data.length), true);
  return join([head, checksum(head), data, checksum(data)]);
}

/** CRC-32C, masked as the format wants it: a checksum of data with checksums in it is weak. */
function checksum(bytes: Bytes): Bytes {
  const crc = crc32c(bytes);
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const result = new Uint8Array(4);
  new DataView(result.buffer).setUint32(0, masked, true);
  return result;
}

/** The polynomial of Castagnoli, bits reversed. */
const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
  return crc;
});

/** The CRC-32C of `bytes`. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** How the value of a field is encoded. */
const wire = { varint: 0, eight: 1, counted: 2, four: 5 } as const;

function key(field: number, type: number): Bytes {
  return varint(field * 8 + type);
}

function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Uint8Array.from([...bytes, rest]);
}

function whole(field: number, value: number): Bytes {
  return join([key(field, wire.varint), varint(value)]);
}

function double(field: number, value: number): Bytes {
  return join([key(field, wire.eight), bytesOf(Float64Array.of(value), 8)]);
}

function float(field: number, value: number): Bytes {
  return join([key(field, wire.four), bytesOf(Float32Array.of(value), 4)]);
}

function doubles(field: number, values: readonly number[]): Bytes {
  return counted(field, bytesOf(Float64Array.from(values), 8));
}

function text(field: number, value: string): Bytes {
  return counted(field, new TextEncoder().encode(value));
}

function message(field: number, fields: readonly Bytes[]): Bytes {
  return counted(field, join(fields));
}

function counted(field: number, bytes: Bytes): Bytes {
  return join([key(field, wire.counted), varint(bytes.length), bytes]);
}

/** Little-endian, whatever the machine is. */
function bytesOf(values: Float32Array | Float64Array, size: 4 | 8): Bytes {
  const view = new DataView(new ArrayBuffer(values.length * size));
  values.forEach((value, index) => {
    if (size === 4) view.setFloat32(index * size, value, true);
    else view.setFloat64(index * size, value, true);
  });
  return new Uint8Array(view.buffer);
}

/** One after the other. */
export function join(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
