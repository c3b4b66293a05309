/** Text files read piece by piece: the same rows as at once, wherever the pieces are cut. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataError, StateError } from "../src/index.js";
import * as data from "../src/data/index.js";
import type { Dataset, Json } from "../src/data/index.js";
import { Generator } from "../src/random.js";

/** `text` as a stream of pieces of at most `most` bytes. */
function streamOf(
  text: string | Uint8Array,
  most: number,
  random = new Generator(1),
): ReadableStream<Uint8Array> {
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else {
        const end = at + 1 + random.below(most);
        controller.enqueue(bytes.slice(at, end));
        at = end;
      }
    },
  });
}

/** What came before it failed, and how. */
async function outcome(dataset: Dataset<unknown>): Promise<unknown> {
  try {
    return await dataset.toArray();
  } catch (error) {
    expect(error).toBeInstanceOf(DataError);
    return (error as Error).message;
  }
}

function whole(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return (error as Error).message;
  }
}

describe("cut anywhere", () => {
  it("CSV has the rows that it has at once, or an error where it has one", async () => {
    const random = new Generator(7);
    const signs = ['"', '"', '""', ",", ",", "\n", "\r\n", "\r", "a", "б", "😀", " ", '",', '\n"'];
    let errors = 0;
    for (let round = 0; round < 1500; round++) {
      const pick = (): string => signs[random.below(signs.length)]!;
      // Half of them well formed: rows of two fields.
      const quoted = (): string =>
        random.below(2)
          ? `"${Array.from({ length: random.below(4) }, () => ["a", ",", '""', "\r\n", "б"][random.below(5)]!).join("")}"`
          : "x";
      const text =
        round % 2
          ? Array.from({ length: random.below(12) }, pick).join("")
          : Array.from(
              { length: 1 + random.below(4) },
              () => `${quoted()},${quoted()}${["\n", "\r\n", "\r"][random.below(3)]}`,
            ).join("");
      const wanted = whole(() => data.parseCsv(text, { name: "t" }).rows);
      const found = await outcome(data.fromCsv(streamOf(text, 3, random), { name: "t" }));
      if (wanted === "t is empty") expect(found).toEqual([]);
      else if (typeof wanted !== "string") expect(found).toEqual(wanted);
      else {
        // Of several errors, the first is met first.
        expect(found).toMatch(/^t: line \d/);
        errors++;
      }
    }
    expect(errors).toBeGreaterThan(100);
    expect(errors).toBeLessThan(1000);
  });

  it("TSV, JSON lines and plain lines, too", async () => {
    const random = new Generator(8);
    for (let round = 0; round < 300; round++) {
      const end = (): string => ["\n", "\r\n", "\r", "\n\n"][random.below(4)]!;
      const texts = Array.from({ length: 1 + random.below(5) }, () => `"т${random.below(99)}"`);
      const lines = texts.map((text) => text + end()).join("");
      const stream = (): ReadableStream<Uint8Array> => streamOf(lines, 4, random);
      expect(await data.fromJsonl(stream()).toArray()).toEqual(data.parseJsonl(lines));
      expect(await data.fromTsv(stream()).toArray()).toEqual(data.parseTsv(lines).rows);
      expect(await data.fromLines(stream()).toArray()).toEqual(texts);
    }
  });

  it("a mark at the beginning is no text, one elsewhere is", async () => {
    const text = "\uFEFFa\n\uFEFFb\n";
    for (const most of [1, 2, 100]) {
      expect(await data.fromLines(streamOf(text, most)).toArray()).toEqual(["a", "\uFEFFb"]);
    }
  });
});

describe("options", () => {
  const text = 'name,age,"note"\nAnn,31,"a, b"\nБоб,4.5,""\n';

  it("a header names the fields, and columns of numbers are numbers", async () => {
    const rows = data.fromCsv(streamOf(text, 5), { header: true, numbers: ["age"] });
    expect(await rows.toArray()).toEqual([
      { name: "Ann", age: 31, note: "a, b" },
      { name: "Боб", age: 4.5, note: "" },
    ]);
    const all = data.fromTsv(streamOf("1\t2\n-3e2\t 4 \n", 3), { numbers: true });
    expect(await all.toArray()).toEqual([
      [1, 2],
      [-300, 4],
    ]);
    const [batch] = await data
      .fromCsv(streamOf(text, 5), { header: true, numbers: [1] })
      .batch(2)
      .toArray();
    expect(batch).toEqual({
      name: ["Ann", "Боб"],
      age: { data: Float32Array.of(31, 4.5), shape: [2] },
      note: ["a, b", ""],
    });
  });

  it.each<[string, string, data.TableFileOptions & { header?: boolean }]>([
    [
      't: line 3: column age holds "x", no number',
      "name,age\nA,1\nB,x\n",
      { header: true, numbers: ["age"] },
    ],
    ['t: line 1: column 0 holds "", no number', '"",1\n', { numbers: true }],
    [
      "t has no column size: there are name, age",
      "name,age\nA,1\n",
      { header: true, numbers: ["size"] },
    ],
    ["t has no column 2: there are 0, 1", "A,1\n", { numbers: [2] }],
    ['t: line 2 names two columns "a"', "\na,b,a\n", { header: true }],
    ["t: line 5 has 1 fields, the first line has 2", '"a\n\nb",c\n\nd\n', {}],
    ["t: line 2: Quoted field unterminated", 'a,b\n"c,d\n', {}],
  ])("%s", async (message, content, options) => {
    for (const most of [1, 4, 100]) {
      const rows = data.fromCsv(streamOf(content, most), { ...options, name: "t" });
      expect(await outcome(rows)).toBe(message);
    }
  });

  it("names the line that is no JSON, and bytes that are no text", async () => {
    expect(await outcome(data.fromJsonl(streamOf('1\n\n{"a":\n', 3), { name: "t" }))).toMatch(
      /^t: line 3 is not JSON/,
    );
    const latin = Uint8Array.of(0x61, 0x0a, 0xe9, 0x0a);
    expect(await outcome(data.fromLines(streamOf(latin, 1), { name: "t" }))).toBe(
      "t: bytes 2 to 4, from line 2 on, are not UTF-8",
    );
    expect(await outcome(data.fromLines(latin))).toBe(
      "the bytes: bytes 0 to 4, from line 1 on, are not UTF-8",
    );
  });
});

describe("files", () => {
  let folder = "";
  const lines = Array.from({ length: 5000 }, (_, i) => `${i},"value\n${i}",${"x".repeat(i % 50)}`);
  const text = `id,v,w\n${lines.join("\n")}\n`;
  const compressed = gzipSync(text);
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    ranges.push(request.headers.range);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const partial = request.url === "/parts.csv" && start > 0;
    response.statusCode = request.url === "/missing.csv" ? 404 : partial ? 206 : 200;
    response.end(Buffer.from(text).subarray(partial ? start : 0));
  });
  let address = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ferrograd-text-"));
    await writeFile(join(folder, "a.csv"), text);
    await writeFile(join(folder, "a.csv.gz"), compressed);
    await new Promise<void>((listening) => void server.listen(0, "127.0.0.1", listening));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  const sources = {
    "a file": () => join(folder, "a.csv"),
    "a compressed file": () => join(folder, "a.csv.gz"),
    "an address that gives parts": () => `${address}/parts.csv`,
    "an address that gives all": () => `${address}/all.csv`,
    "a blob": () => new Blob([text]),
    bytes: () => new TextEncoder().encode(text),
  };

  it.each(Object.entries(sources))("go on from a saved state: %s", async (_, source) => {
    const rows = data.fromCsv(source(), { header: true, numbers: ["id"] });
    const iterator = rows.iterator();
    for (const stop of [0, 1, 700, 2500, 4999, 5000]) {
      const restored = rows.iterator();
      await restored.load({
        epoch: 0,
        ended: 0,
        cursor: { offset: 0, line: 1, row: stop, head: null },
      });
      const { value } = await restored.next();
      expect(value?.id).toBe(stop < 5000 ? stop : undefined);
      await restored.return();
    }
    for (let id = 0; id < 5000; id++) {
      if (id % 1111 === 0) {
        const state = JSON.parse(JSON.stringify(iterator.state())) as Json;
        const other = await rows.iterator().load(state);
        expect((await other.next()).value).toMatchObject({ id, v: `value\n${id}` });
        await other.return();
      }
      expect((await iterator.next()).value?.id).toBe(id);
    }
    expect((await iterator.next()).done).toBe(true);
    expect(await rows.shuffle({ bufferSize: 100 }).take(50).toArray()).toHaveLength(50);
  });

  it("ask servers only for what is to come", () => {
    expect(ranges.some((range) => range !== undefined && range !== "bytes=0-")).toBe(true);
  });

  it("say what cannot be read", async () => {
    const missing = join(folder, "none.csv");
    expect(await outcome(data.fromCsv(missing))).toMatch(`${missing} cannot be read: ENOENT`);
    expect(await outcome(data.fromCsv(`${address}/missing.csv`))).toBe(
      `${address}/missing.csv cannot be read: 404 Not Found`,
    );
    const broken = compressed.subarray(0, compressed.length - 100);
    expect(await outcome(data.fromCsv(broken, { gzip: true, name: "z" }))).toMatch(
      "z cannot be read",
    );
    expect(await outcome(data.fromCsv(join(folder, "a.csv"), { gzip: true }))).toMatch(
      "cannot be read",
    );
  });

  it("streams are read once", async () => {
    const rows = data.fromLines(streamOf("a\nb\n", 2));
    expect(await rows.toArray()).toEqual(["a", "b"]);
    await expect(rows.toArray()).rejects.toThrow(StateError);
    await expect(rows.toArray()).rejects.toThrow("the stream can be read once, and was");
    const other = data.fromLines(streamOf("a\nb\nc\n", 2));
    const state = { epoch: 0, ended: 0, cursor: { offset: 2, line: 2, row: 1, head: null } };
    const iterator = await other.iterator().load(state);
    expect((await iterator.next()).value).toBe("c");
  });

  it("a state of a longer file is refused", async () => {
    const rows = data.fromLines(new TextEncoder().encode("a\nb\n"));
    const state = { epoch: 0, ended: 0, cursor: { offset: 0, line: 1, row: 3, head: null } };
    await expect(rows.iterator().load(state)).rejects.toThrow("is not what it was");
    const odd = { ...state, cursor: { ...state.cursor, head: [1] } };
    await expect(rows.iterator().load(odd)).rejects.toThrow("saved columns are no names");
  });

  it("what is not asked for is not read, and the stream is given up", async () => {
    let [pulls, cancelled] = [0, false];
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        pulls++;
        controller.enqueue(new TextEncoder().encode("1,2\n3,4\n"));
      },
      cancel() {
        cancelled = true;
      },
    });
    const rows: unknown[] = [];
    for await (const row of data.fromCsv(endless, { numbers: true }).skip(3).prefetch(2)) {
      rows.push(row);
      if (rows.length === 2) break;
    }
    expect(rows).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect(pulls).toBeLessThan(10);
    expect(cancelled).toBe(true);
  });

  it("a record that never ends does not fill the memory", async () => {
    const endless = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode('a\n"'));
      },
      pull(controller) {
        controller.enqueue(new Uint8Array(2 ** 22).fill(0x78));
      },
    });
    expect(await outcome(data.fromCsv(endless, { name: "t" }))).toBe(
      "t: the record that begins in line 2 is longer than 67108864 bytes: is a quote left open?",
    );
  });
});
