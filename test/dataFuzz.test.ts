/**
 * Files that nobody should believe: each parser gives data or a DataError, whatever the bytes.
 * `FERROGRAD_FUZZ=1000000 npx vitest run test/dataFuzz.test.ts` tries as many a parser.
 */
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { expect, it } from "vitest";
import { DataError } from "../src/index.js";
import * as data from "../src/data/index.js";
import { fromExactJson, toExactJson } from "../src/io/exactJson.js";
import { readSafetensors, writeSafetensors } from "../src/io/index.js";
import { readSafetensorsMetadata } from "../src/io/safetensors.js";
import { Generator } from "../src/random.js";
import { numpyFiles, parquetFiles } from "./foreignFiles.js";
import { mutate } from "./mutate.js";
import { everything, file, one } from "./safetensorsFiles.js";

const wanted = Number(process.env.FERROGRAD_FUZZ ?? 0);

const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const pixels = Uint8Array.from({ length: 12 * 12 * 4 }, (_, i) => (i * 37) % 256);
const npys = Object.entries(numpyFiles).flatMap(([name, bytes]) =>
  name.startsWith("npz") ? [] : [bytes],
);
const idx = [
  data.writeIdx({ data: Float32Array.of(1, 2), shape: [2] }),
  data.writeIdx({ data: Uint8Array.of(1, 2, 3, 4), shape: [2, 1, 2] }),
];
const tables = ['a,b\n1,"x\ny"\n\n3,""\n', "a\tb\r\n1\t2\r\n", '"",,\n"a""b",c,d'].map(text);
const lines = ['{"a":[1,{"b":null}]}\n\n"x"\r\n3', "[]\n{}\n"].map(text);

const tensors = [
  writeSafetensors(everything(), { format: "ferrograd", values: '{"a":{"$number":"NaN"}}' }),
  file(one("F16", "[2]", "[0,4]"), 4),
  file(one("BF16", "[1,2]", "[0,4]"), 4),
];
const header = (bytes: Uint8Array): Uint8Array =>
  bytes.subarray(8, 8 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
const exact = [{ a: [NaN, -0, 1.5], b: { c: -Infinity } }, "x", []].map(toExactJson).map(text);

interface Target {
  readonly seeds: readonly Uint8Array[];
  readonly read: (bytes: Uint8Array) => unknown;
  /** How many inputs in the suite. */
  readonly inputs: number;
  /** Whether it is a library's parser that is behind it: then there are no millions of inputs. */
  readonly slow?: boolean;
}

const targets: Record<string, Target> = {
  npy: { seeds: npys, read: (bytes) => data.readNpy(bytes), inputs: 8000 },
  "npy, by rows": {
    seeds: npys,
    read: async (bytes) => (await data.fromNpy(bytes)).take(3).toArray(),
    inputs: 2000,
  },
  npz: {
    seeds: [numpyFiles.npz, numpyFiles.npzPacked],
    read: (bytes) => data.readNpz(bytes),
    inputs: 2000,
  },
  IDX: { seeds: idx, read: (bytes) => data.readIdx(bytes), inputs: 8000 },
  "IDX, as a stream": { seeds: idx, read: (bytes) => data.readIdxFile(bytes), inputs: 2000 },
  CSV: {
    seeds: tables,
    read: (bytes) => data.fromCsv(bytes, { header: true }).toArray(),
    inputs: 3000,
  },
  TSV: { seeds: tables, read: (bytes) => data.fromTsv(bytes).toArray(), inputs: 2000 },
  "JSON lines": { seeds: lines, read: (bytes) => data.fromJsonl(bytes).toArray(), inputs: 2000 },
  safetensors: {
    seeds: tensors,
    read: (bytes) => [readSafetensorsMetadata(bytes), readSafetensors(bytes)],
    inputs: 8000,
  },
  "safetensors, by its header": {
    seeds: tensors.map(header),
    // The header's length is right, and so is the data's: what is left to doubt is what it says.
    read: (bytes) => readSafetensors(file(bytes, bytes.length % 2 ? 4 : 8)),
    inputs: 8000,
  },
  "JSON of all numbers": {
    seeds: exact,
    read: (bytes) => fromExactJson(new TextDecoder().decode(bytes)),
    inputs: 4000,
  },
  PNG: {
    seeds: [
      encodePng({ width: 12, height: 12, data: pixels, channels: 4 }),
      encodePng({ width: 3, height: 2, data: pixels.subarray(0, 6), channels: 1 }),
    ],
    read: (bytes) => data.decodeImage(bytes),
    inputs: 1500,
    slow: true,
  },
  JPEG: {
    seeds: [jpeg.encode({ width: 12, height: 12, data: pixels }, 60).data],
    read: (bytes) => data.decodeImage(bytes),
    inputs: 800,
    slow: true,
  },
  Parquet: {
    seeds: Object.values(parquetFiles),
    read: async (bytes) => (await data.fromParquet(bytes)).toArray(),
    inputs: 800,
    slow: true,
  },
};

it.each(Object.entries(targets))(
  "%s: data, or an error that says what is wrong",
  async (name, { seeds, read, inputs, slow = false }) => {
    const random = new Generator(1);
    const count = Math.max(inputs, slow ? wanted / 50 : wanted);
    const outcomes = { read: 0, refused: 0 };
    for (let i = 0; i < count; i++) {
      const seed = seeds[random.below(seeds.length)]!;
      const other = seeds[random.below(seeds.length)]!;
      const bytes = mutate(seed, other, random);
      try {
        await read(bytes);
        outcomes.read++;
      } catch (error) {
        if (!(error instanceof DataError)) {
          throw new Error(`${name}, input ${i}: ${Buffer.from(bytes).toString("base64")}`, {
            cause: error,
          });
        }
        if (error.message.length >= 600) throw error;
        outcomes.refused++;
      }
    }
    // A fuzzer that only ever meets one of both shows little.
    expect(outcomes.refused).toBeGreaterThan(count / 100);
    expect(outcomes.read).toBeGreaterThan(0);
  },
  0,
);
