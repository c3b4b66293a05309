/** Arrays and tables in files: NumPy's, IDX, Parquet, images, there and back. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ArgumentError, DataError } from "../src/index.js";
import * as data from "../src/data/index.js";
import type { Table } from "../src/data/rows.js";
import { Generator } from "../src/random.js";
import { numpyFiles, parquetFiles } from "./foreignFiles.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-formats-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a file and gives its path. */
async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

const tables: readonly Table[] = [
  { data: Float32Array.of(1.5, -2, 3, 4, 5e-7, 6), shape: [2, 3] },
  { data: Float64Array.of(1 / 3, -Infinity, NaN), shape: [3] },
  { data: Int32Array.of(-(2 ** 31)), shape: [1, 1, 1] },
  { data: Uint8Array.of(1, 0), shape: [2] },
  { data: new Float32Array(0), shape: [0, 4] },
];

describe("npy", () => {
  it.each<[keyof typeof numpyFiles, Table]>([
    ["f4", tables[0]!],
    ["f8", tables[1]!],
    ["i8", { data: Int32Array.of(1, -2, 2 ** 31 - 1), shape: [3] }],
    ["big", { data: Int32Array.of(1, -2, 300), shape: [3] }],
    ["f2", { data: Float32Array.of(1.5, -65504), shape: [2] }],
    ["b1", { data: Uint8Array.of(1, 0), shape: [1, 2] }],
    ["scalar", { data: Float32Array.of(3), shape: [] }],
    ["empty", { data: new Float32Array(0), shape: [0, 4] }],
    ["fortran1", { data: Float32Array.of(0, 1, 2), shape: [3, 1] }],
  ])("NumPy's file is read: %s", (name, table) => {
    expect(data.readNpy(numpyFiles[name])).toEqual(table);
  });

  it.each(["f4", "f8", "b1", "scalar", "empty"] as const)(
    "is written byte for byte as NumPy does: %s",
    (name) => {
      const bytes = numpyFiles[name];
      expect(data.writeNpy(data.readNpy(bytes))).toEqual(bytes);
    },
  );

  it.each(tables.map((table) => [table.shape.join(), table] as const))(
    "goes there and back: [%s]",
    (_, table) => {
      expect(data.readNpy(data.writeNpy(table))).toEqual(table);
    },
  );

  it.each<[string, keyof typeof numpyFiles]>([
    ["byte 10: it is in Fortran's order; save it by np.ascontiguousarray(x)", "fortran"],
    ["x: element 1 is 2147483648, over what int32 holds", "over"],
    ["type '<U2'; bool, int8", "object"],
    ["type '<c16'; bool, int8", "complex"],
  ])("what cannot be read says so: %s", (message, name) => {
    expect(() => data.readNpy(numpyFiles[name], "x")).toThrow(DataError);
    expect(() => data.readNpy(numpyFiles[name], "x")).toThrow(message);
  });

  it("does not write what does not fill its shape", () => {
    expect(() => data.writeNpy({ data: new Float32Array(3), shape: [2] })).toThrow(ArgumentError);
  });

  it("is a Dataset of rows in files, in any order", async () => {
    const x = { data: Float32Array.from({ length: 40 }, (_, i) => i), shape: [10, 2, 2] };
    const y = { data: Int32Array.from({ length: 10 }, (_, i) => i), shape: [10] };
    const paths = [await file("x.npy", data.writeNpy(x)), await file("y.npy", data.writeNpy(y))];
    const dataset = await data.fromNpy(paths[0]!, paths[1]!);
    expect(dataset.size).toBe(10);
    const [batch] = await dataset.batch(10).toArray();
    expect(batch).toEqual([x, y]);
    const [shuffled] = await dataset.shuffle({ seed: 1 }).batch(10).toArray();
    shuffled![1].data.forEach((label: number, row: number) => {
      expect(shuffled![0].data[row * 4]).toBe(label * 4);
    });
    const fromBlob = await data.fromNpy(new Blob([data.writeNpy(x)]));
    expect(await fromBlob.at(3)).toEqual([{ data: x.data.slice(12, 16), shape: [2, 2] }]);
    const packed = await file("x.npy.gz", gzipSync(data.writeNpy(x)));
    expect(await (await data.fromNpy(packed)).at(9)).toEqual([
      { data: x.data.slice(36), shape: [2, 2] },
    ]);
    expect(await data.readNpyFile(paths[1]!)).toEqual(y);
  });

  it("names the file that does not fit", async () => {
    const [long, short] = [
      await file("long.npy", data.writeNpy({ data: new Float32Array(4), shape: [4] })),
      await file("short.npy", data.writeNpy({ data: new Float32Array(3), shape: [3] })),
    ];
    await expect(data.fromNpy(long, short)).rejects.toThrow(`${long} has 4 rows, ${short} has 3`);
    const scalar = await file("scalar.npy", numpyFiles.scalar);
    await expect(data.fromNpy(scalar)).rejects.toThrow("is a single number; it has no rows");
    const missing = join(folder, "missing.npy");
    await expect(data.fromNpy(missing)).rejects.toThrow(DataError);
    await expect(data.fromNpy(missing)).rejects.toThrow(`${missing} cannot be read: ENOENT`);
    await expect(data.fromNpy(3 as never)).rejects.toThrow(ArgumentError);
  });
});

describe("npz", () => {
  it("NumPy's archives are read", async () => {
    expect([...(await data.readNpz(numpyFiles.npz))]).toEqual([
      ["x", { data: Float32Array.of(0, 1, 2), shape: [3] }],
      ["y", { data: Int32Array.of(1, 2), shape: [2] }],
    ]);
    const packed = await data.readNpz(numpyFiles.npzPacked);
    expect(packed.get("x")).toEqual({ data: new Float32Array(50), shape: [50] });
  });

  it.each([false, true])("goes there and back, compressed: %s", async (compress) => {
    const arrays = new Map(tables.map((table, i) => [`array ${i}`, table]));
    const bytes = await data.writeNpz(arrays, { compress });
    expect(await data.readNpz(bytes)).toEqual(arrays);
    expect(await data.writeNpz(arrays, { compress })).toEqual(bytes);
    expect(await data.readNpzFile(await file("a.npz", bytes))).toEqual(arrays);
  });

  it("holds nothing but arrays, each once, of possible sizes", async () => {
    const { zipSync } = await import("fflate");
    const npy = data.writeNpy(tables[0]!);
    const other = zipSync({ "a.npy": npy, "b.txt": npy });
    await expect(data.readNpz(other, "z")).rejects.toThrow("z holds b.txt, which is no array");
    const twice = zipSync({ "a.npy": npy, "b.npy": npy });
    const renamed = twice.map((byte, at) =>
      byte === 0x62 && twice[at + 1] === 0x2e && twice[at + 2] === 0x6e ? 0x61 : byte,
    );
    await expect(data.readNpz(renamed, "z")).rejects.toThrow("z holds a.npy twice");
    const bad = zipSync({ "a.npy": npy.subarray(0, 20) });
    await expect(data.readNpz(bad, "z")).rejects.toThrow("z: a.npy is no valid npy file: byte 8");
    await expect(data.readNpz(new Uint8Array(100), "z")).rejects.toThrow("z is no valid npz file");
    // A member said to be 4 GB: its size stands at byte 24 of its entry in the directory.
    const bomb = zipSync({ "a.npy": npy });
    const at = bomb.findIndex((_, i) =>
      [0x50, 0x4b, 1, 2].every((sign, j) => bomb[i + j] === sign),
    );
    new DataView(bomb.buffer).setUint32(at + 24, 2 ** 32 - 2, true);
    await expect(data.readNpz(bomb, "z")).rejects.toThrow("is said to be 4294967294 bytes out of");
  });
});

describe("IDX", () => {
  const ints = { data: Int32Array.of(-1, 2, 300), shape: [3] };
  it.each([...tables.slice(0, 3), ints].map((table) => [table.shape.join(), table] as const))(
    "goes there and back: [%s]",
    (_, table) => {
      expect(data.readIdx(data.writeIdx(table))).toEqual(table);
    },
  );

  it("of each type, most significant byte first", () => {
    const idx = (type: number, ...bytes: number[]): Uint8Array =>
      Uint8Array.of(0, 0, type, 1, 0, 0, 0, 1, ...bytes);
    expect(data.readIdx(idx(8, 255)).data).toEqual(Int32Array.of(255));
    expect(data.readIdx(idx(9, 255)).data).toEqual(Int32Array.of(-1));
    expect(data.readIdx(idx(0x0b, 1, 2)).data).toEqual(Int32Array.of(258));
    expect(data.readIdx(idx(0x0c, 1, 2, 3, 4)).data).toEqual(Int32Array.of(0x01020304));
    expect(data.readIdx(idx(0x0d, 0x3f, 0x80, 0, 0)).data).toEqual(Float32Array.of(1));
    expect(data.readIdx(idx(0x0e, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0)).data).toEqual(Float64Array.of(1));
  });

  it("images and labels are a Dataset, compressed or not", async () => {
    const images = { data: new Uint8Array(2 * 3 * 4).map((_, i) => i * 10), shape: [2, 3, 4] };
    const labels = { data: Uint8Array.of(7, 1), shape: [2] };
    const paths = [
      await file("images-idx3-ubyte.gz", gzipSync(data.writeIdx(images))),
      await file("labels-idx1-ubyte", data.writeIdx(labels)),
    ];
    const dataset = await data.fromIdx(paths[0]!, paths[1]!);
    const [batch] = await dataset.batch(2).toArray();
    expect(batch![0].shape).toEqual([2, 1, 3, 4]);
    expect(batch![0].data[23]).toBe(Math.fround(230 / 255));
    expect(batch![1]).toEqual({ data: Int32Array.of(7, 1), shape: [2] });
    await expect(data.fromIdx(paths[1]!, paths[1]!)).rejects.toThrow("images have 3 axes");
    const cut = gzipSync(data.writeIdx(images)).subarray(0, 30);
    const broken = await file("cut.gz", cut);
    await expect(data.readIdxFile(broken)).rejects.toThrow(DataError);
    await expect(data.readIdxFile(broken)).rejects.toThrow(broken);
    // Zeros without end, behind a header of two numbers.
    const long = data.writeIdx({ data: Uint8Array.of(1, 2), shape: [2] });
    const bomb = await file("bomb.gz", gzipSync(Buffer.concat([long, Buffer.alloc(2 ** 24)])));
    await expect(data.readIdxFile(bomb)).rejects.toThrow("uint8 [2] takes 2 bytes");
  });

  it("does not write what the format cannot say", () => {
    expect(() => data.writeIdx({ data: new Float32Array(1), shape: [] })).toThrow(ArgumentError);
    expect(() => data.writeIdx({ data: new Float32Array(1), shape: [2] })).toThrow(ArgumentError);
  });
});

describe("Parquet", () => {
  const rows = [
    { text: "a", n: 1, x: 0.5, ok: true, list: [1, 2] },
    { text: "bc", n: -2, x: 1.5, ok: false, list: [] },
    { text: null, n: 3, x: NaN, ok: true, list: [3] },
  ];

  it.each(["snappy", "zstd"] as const)("PyArrow's file is read, by groups: %s", async (codec) => {
    const dataset = await data.fromParquet(parquetFiles[codec]);
    expect(dataset.size).toBe(3);
    expect(await dataset.toArray()).toEqual(rows);
    const some = await data.fromParquet(parquetFiles[codec], { columns: ["n", "ok"] });
    expect(await some.toArray()).toEqual(rows.map(({ n, ok }) => ({ n, ok })));
    const iterator = dataset.iterator();
    for (let at = 0; at <= 3; at++) {
      const other = await dataset.iterator().load(iterator.state());
      const rest: unknown[] = [];
      for await (const row of other) rest.push(row);
      expect(rest).toEqual(rows.slice(at));
      await iterator.next();
    }
  });

  it("goes there and back, from a file", async () => {
    const columns = {
      text: ["one", "two", "три"],
      x: Float32Array.of(0.5, -1, 1e-40),
      wide: Float64Array.of(1 / 3, 2, 3),
      plain: [1, 2.5, 3],
      n: Int32Array.of(1, -2, 2 ** 31 - 1),
      ok: [true, false, true],
    };
    const path = await file("t.parquet", await data.writeParquet(columns));
    expect(await (await data.fromParquet(path)).toArray()).toEqual(
      [0, 1, 2].map((row) =>
        Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, column[row]])),
      ),
    );
  });

  it.each<[string, Uint8Array, data.ParquetOptions?]>([
    ["no Parquet file that can be read", new Uint8Array(0)],
    ["no Parquet file that can be read", new TextEncoder().encode("PAR1 and no more PAR1")],
    ["no Parquet file that can be read", parquetFiles.zstd.subarray(0, -20)],
    ["has no column m: there are text, n, x", parquetFiles.zstd, { columns: ["m"] }],
  ])("%s", async (message, bytes, options = {}) => {
    const read = data.fromParquet(bytes, { ...options, name: "t" });
    await expect(read).rejects.toThrow(DataError);
    await expect(read).rejects.toThrow(message);
  });

  it("integers that numbers do not hold exactly are refused, not rounded", async () => {
    const dataset = await data.fromParquet(parquetFiles.over);
    await expect(dataset.toArray()).rejects.toThrow("column n holds 1152921504606846976");
  });

  it.each<[string, Record<string, data.ParquetColumn>]>([
    ["there are no columns", {}],
    ["column a has 1 rows, b has 2", { a: [1], b: [1, 2] }],
    ["column a is of number and string", { a: [1, "x"] as never }],
    ["column a is of object; it cannot", { a: [null] as never }],
  ])("is not written: %s", async (message, columns) => {
    await expect(data.writeParquet(columns)).rejects.toThrow(ArgumentError);
    await expect(data.writeParquet(columns)).rejects.toThrow(message);
  });
});

describe("images", () => {
  const rgb = Uint8Array.of(255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30, 40, 50, 60, 70, 80, 90);
  const png = encodePng({ width: 3, height: 2, data: rgb, channels: 3 });

  it("PNG: a plane a channel, from 0 to 1", async () => {
    const image = await data.decodeImage(png);
    expect(image.shape).toEqual([3, 2, 3]);
    const red = [255, 0, 0, 10, 40, 70].map((value) => Math.fround(value / 255));
    expect([...image.data.subarray(0, 6)]).toEqual(
      red.map((value) => expect.closeTo(value, 6) as number),
    );
    const grey = await data.decodeImage(png, { channels: 1 });
    expect(grey.shape).toEqual([1, 2, 3]);
    expect(grey.data[0]).toBeCloseTo(0.299, 6);
    const four = await data.decodeImage(png, { channels: 4 });
    expect([...four.data.subarray(18)]).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it.each<[string, Parameters<typeof encodePng>[0], number[]]>([
    ["grey", { width: 2, height: 1, data: Uint8Array.of(0, 255), channels: 1 }, [0, 1]],
    [
      "16 bits",
      { width: 2, height: 1, data: Uint16Array.of(0, 65535), channels: 1, depth: 16 },
      [0, 1],
    ],
    ["grey and opacity", { width: 1, height: 1, data: Uint8Array.of(255, 0), channels: 2 }, [1]],
  ])("PNG of %s", async (_, source, first) => {
    const image = await data.decodeImage(encodePng(source), { channels: 3 });
    expect([...image.data.subarray(0, first.length)]).toEqual(first);
  });

  it("PNG of few bits and of palettes, as another encoder writes them", async () => {
    for (const { base64, shape, plane } of otherPngs) {
      const image = await data.decodeImage(Buffer.from(base64, "base64"), { channels: 1 });
      expect(image.shape).toEqual([1, ...shape]);
      expect([...image.data].map((value) => Math.round(value * 255))).toEqual(plane);
    }
  });

  it("JPEG", async () => {
    const side = 16;
    const pixels = new Uint8Array(side * side * 4).map((_, i) => (i % 4 === 0 ? 200 : 100));
    const { data: bytes } = jpeg.encode({ width: side, height: side, data: pixels }, 95);
    const image = await data.decodeImage(bytes);
    expect(image.shape).toEqual([3, side, side]);
    expect(image.data[0]! * 255).toBeGreaterThan(190);
    expect(image.data[side * side]! * 255).toBeLessThan(110);
    const size = bytes.findIndex((byte, at) => byte === 0xff && bytes[at + 1] === 0xc0);
    const huge = Uint8Array.from(bytes);
    huge.set([0xff, 0xff, 0xff, 0xff], size + 5);
    await expect(data.decodeImage(huge, { name: "j" })).rejects.toThrow(
      "j is said to be 65535 × 65535 pixels",
    );
    await expect(data.decodeImage(bytes.subarray(0, 200))).rejects.toThrow(DataError);
  });

  it.each<[string, Uint8Array]>([
    ["neither PNG nor JPEG", new TextEncoder().encode("GIF89a")],
    ["neither PNG nor JPEG", new Uint8Array(0)],
    ["byte 8: it ends before its IEND", png.subarray(0, 12)],
    ["is cut off", png.subarray(0, 50)],
    ["said to be 0 × 2", png.map((byte, at) => (at >= 16 && at < 20 ? 0 : byte))],
    ["said to be 4294967295 × 2", png.map((byte, at) => (at >= 16 && at < 20 ? 255 : byte))],
    ["it has no header", png.map((byte, at) => (at === 12 ? 0x4a : byte))],
    ["cannot be decoded: CRC", png.map((byte, at) => (at === 45 ? byte ^ 1 : byte))],
    ["it has no frame header", Uint8Array.of(0xff, 0xd8, 0xff, 0xd9, 0, 0, 0, 0, 0, 0, 0, 0)],
  ])("broken: %s", async (message, bytes) => {
    const decoded = data.decodeImage(bytes, { name: "i" });
    await expect(decoded).rejects.toThrow(DataError);
    await expect(decoded).rejects.toThrow(message);
  });

  it("PNG that inflates to more than it says", async () => {
    const random = new Generator(1);
    const noise = Uint8Array.from({ length: 300 * 300 }, () => random.below(256));
    const lie = Uint8Array.from(encodePng({ width: 300, height: 300, data: noise, channels: 1 }));
    const view = new DataView(lie.buffer);
    view.setUint32(16, 16);
    view.setUint32(20, 16);
    const decoded = data.decodeImage(lie, { name: "i" });
    await expect(decoded).rejects.toThrow(DataError);
    await expect(decoded).rejects.toThrow("i holds more data than an image of its size has");
  });

  it("folders of them are classes", async () => {
    for (const [name, files] of Object.entries({
      b: ["2.PNG", "1.png", "no.txt"],
      a: ["x.png"],
      c: [],
    })) {
      await mkdir(join(folder, "set", name), { recursive: true });
      for (const each of files) await writeFile(join(folder, "set", name, each), png);
    }
    const { dataset, classes, labels } = await data.fromImageFolder(join(folder, "set"), {
      size: [4, 4],
      channels: 1,
    });
    expect(classes).toEqual(["a", "b", "c"]);
    expect(labels).toEqual(Int32Array.of(0, 1, 1));
    const [batch] = await dataset.batch(3).toArray();
    expect(batch![0].shape).toEqual([3, 1, 4, 4]);
    expect(batch![1].data).toEqual(Float32Array.of(0, 1, 1));
    await expect(data.fromImageFolder(join(folder, "set", "a"))).rejects.toThrow("has no folders");
    await expect(data.fromImageFolder(join(folder, "none"))).rejects.toThrow(
      "cannot be read: ENOENT",
    );
    const mixed = await data
      .fromImages([png, new Blob([Uint8Array.from(png)])])
      .batch(2)
      .toArray();
    expect(mixed[0]!.shape).toEqual([2, 3, 2, 3]);
  });
});

/** Written by Pillow, with their luma: 5 × 3 of 1 bit, and a palette of 2 bits on 4 × 2. */
const otherPngs: readonly { base64: string; shape: number[]; plane: number[] }[] = [
  {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAAAUAAAADAQAAAABzTfhVAAAADklEQVR4nGPYwKDB8AEABN4ByUR6xSIAAAAASUVORK5CYII=",
    shape: [3, 5],
    plane: [255, 0, 255, 255, 0, 0, 0, 255, 0, 255, 255, 255, 255, 255, 0],
  },
  {
    base64:
      "iVBORw0KGgoAAAANSUhEUgAAAAQAAAACAgMAAAACxpXwAAAACVBMVEX/AAAA/wAKCgoX5aZFAAAADElEQVR4nGOQYFgCAADwAL3Gv5VaAAAAAElFTkSuQmCC",
    shape: [2, 4],
    plane: [76, 150, 10, 76, 10, 10, 150, 76],
  },
];
