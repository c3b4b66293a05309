/** Tables of text, from text and from files. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LabelledTextsOptions } from "../src/data/index.js";
import {
  labelledTexts,
  parseCsv,
  parseJsonl,
  parseTsv,
  readCsv,
  readJsonl,
  readText,
  readTsv,
} from "../src/data/index.js";
import { DataError } from "../src/errors.js";

/** Expects a DataError with exactly this message. */
function expectDataError(body: () => unknown, message: string): void {
  expect(body).toThrow(DataError);
  expect(body).toThrow(new DataError(message));
}

describe("CSV", () => {
  it.each<[string, string, string[][]]>([
    [
      "LF",
      "a,b\nc,d\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "no end of the last line",
      "a,b\nc,d",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CRLF",
      "a,b\r\nc,d\r\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    [
      "CR",
      "a,b\rc,d\r",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["all of them in one file", "a\r\nb\nc\rd\n", [["a"], ["b"], ["c"], ["d"]]],
    ["a byte order mark", "\uFEFFa,b\n", [["a", "b"]]],
    ["commas and quotes in quotes", '"a, b","say ""hi"""\n', [["a, b", 'say "hi"']]],
    ["line breaks in quotes", '"a\r\nb",c\n', [["a\nb", "c"]]],
    ["a quote within a field", 'it"s,5"\n', [['it"s', '5"']]],
    [
      "empty fields",
      ",\na,\n",
      [
        ["", ""],
        ["a", ""],
      ],
    ],
    [
      "empty lines",
      "\na,b\n\n\nc,d\n\n",
      [
        ["a", "b"],
        ["c", "d"],
      ],
    ],
    ["tabs and semicolons", "a\tb;c,d\n", [["a\tb;c", "d"]]],
    ["spaces, which are kept", " a , b \n", [[" a ", " b "]]],
    ["other scripts", "привет,😀\n", [["привет", "😀"]]],
  ])("with %s", (_, text, rows) => {
    expect(parseCsv(text)).toEqual({ columns: undefined, rows });
  });

  it("with a header", () => {
    const { columns, rows } = parseCsv("\nlabel,text\n1,good\n0,bad\n", { header: true });
    expect(columns).toEqual(["label", "text"]);
    expect(rows).toEqual([
      ["1", "good"],
      ["0", "bad"],
    ]);
  });

  it.each<[string, string, string]>([
    ["a row too short", "a,b\nc\n", "line 2 has 1 fields, the first line has 2"],
    ["a row too long", "a,b\nc,d,e\n", "line 2 has 3 fields, the first line has 2"],
    ["after empty lines", "a,b\n\n\nc,d\n\nx\n", "line 6 has 1 fields, the first line has 2"],
    [
      "after long fields",
      'a,b\n"1\n2\n3","4\n5"\nx\n',
      "line 6 has 1 fields, the first line has 2",
    ],
    ["after CRLF", "a,b\r\n\r\nx\r\n", "line 3 has 1 fields, the first line has 2"],
    ["a quote that stays open", 'a,b\n\n"c,d\ne,f\n', "line 3: Quoted field unterminated"],
    ["text behind a quote", 'a,b\n"c"x,d\n', "line 2: Trailing quote on quoted field is malformed"],
  ])("names the line of %s", (_, text, message) => {
    expectDataError(() => parseCsv(text, { name: "my.csv" }), `my.csv: ${message}`);
  });

  it.each(["", "\n", "\r\n\r\n", "\uFEFF", "\uFEFF\n"])("is empty: %j", (text) => {
    expectDataError(() => parseCsv(text), "the table is empty");
    expectDataError(() => parseCsv(text, { name: "x", header: true }), "x is empty");
  });

  it("has more than a header, and no column twice", () => {
    const header = { name: "x", header: true };
    expectDataError(() => parseCsv("a,b\n", header), "x has a header and no rows");
    expectDataError(() => parseCsv("\na,b,a\n1,2,3\n", header), 'x: line 2 names two columns "a"');
  });
});

describe("TSV", () => {
  it("takes quotes and commas as they are", () => {
    const text = 'say "hi", he said\t1\n"open\t0\n""\t1\n';
    expect(parseTsv(text).rows).toEqual([
      ['say "hi", he said', "1"],
      ['"open', "0"],
      ['""', "1"],
    ]);
  });

  it("takes every other character as it is", () => {
    const text = "\u0000a\u0000\t\\t\n#no comment\t \u2028\n";
    expect(parseTsv(text).rows).toEqual([
      ["\u0000a\u0000", "\\t"],
      ["#no comment", " \u2028"],
    ]);
  });

  it.each<[string, string, string]>([
    ["a row too short", "a\tb\n\nc\n", "line 3 has 1 fields, the first line has 2"],
    ["a row too long", "a\tb\r\nc\td\te\r\n", "line 2 has 3 fields, the first line has 2"],
    ["nothing", "\n\n", " is empty"],
  ])("names the line of %s", (_, text, message) => {
    expect(() => parseTsv(text, { name: "my.tsv" })).toThrow(DataError);
    expect(() => parseTsv(text, { name: "my.tsv" })).toThrow(message);
  });
});

describe("JSON lines", () => {
  it("are values, whatever ends the lines", () => {
    const text = '\uFEFF{"a":1}\r\n\n[2]\r"three"\n  \nnull';
    expect(parseJsonl(text)).toEqual([{ a: 1 }, [2], "three", null]);
  });

  it("name the line that is none", () => {
    const read = (): unknown => parseJsonl('{"a":1}\n\n{"a":\n', { name: "my.jsonl" });
    expect(read).toThrow(DataError);
    expect(read).toThrow("my.jsonl: line 3 is not JSON: ");
  });

  it.each(["", "\n \n"])("are not empty: %j", (text) => {
    expectDataError(() => parseJsonl(text), "the lines is empty");
  });
});

describe("labelledTexts", () => {
  const table = parseCsv("text,label\ngood,pos\nbad,neg\nfine,pos\n", { header: true });

  it("numbers labels in sorted order", () => {
    expect(labelledTexts(table)).toEqual({
      texts: ["good", "bad", "fine"],
      labels: Int32Array.of(1, 0, 1),
      classes: ["neg", "pos"],
    });
  });

  it("sorts whole numbers by value", () => {
    const { classes, labels } = labelledTexts(parseTsv("a\t10\nb\t9\nc\t-1\n"));
    expect(classes).toEqual(["-1", "9", "10"]);
    expect(labels).toEqual(Int32Array.of(2, 1, 0));
    expect(labelledTexts(parseTsv("a\t10\nb\t9x\n")).classes).toEqual(["10", "9x"]);
  });

  it("takes columns by number and by name, and classes in a given order", () => {
    const swapped = { text: "label", label: "text", classes: ["good", "fine", "bad"] };
    const { texts, labels } = labelledTexts(table, swapped);
    expect(texts).toEqual(["pos", "neg", "pos"]);
    expect(labels).toEqual(Int32Array.of(0, 2, 1));
    expect(labelledTexts(table, { text: 1, label: 1 }).texts).toEqual(texts);
  });

  it.each<[string, LabelledTextsOptions]>([
    ["the table has no column score: there are text, label", { label: "score" }],
    ["the table has no column 2: there are text, label", { label: 2 }],
    ["x has no column -1", { text: -1, name: "x" }],
    ['row 1 has the label "pos", which is none of neg, other', { classes: ["neg", "other"] }],
  ])("%s", (message, options) => {
    expect(() => labelledTexts(table, options)).toThrow(DataError);
    expect(() => labelledTexts(table, options)).toThrow(message);
  });

  it("says how many columns there are where they have no names", () => {
    const read = (): unknown => labelledTexts(parseTsv("only text\n"));
    expectDataError(read, "the table has no column 1: there are 1 without names");
  });
});

describe("reading", () => {
  let folder = "";
  let place: (name: string) => string;
  const server = createServer((request, response) => {
    response.statusCode = request.url === "/table.csv" ? 200 : 404;
    response.end(request.url === "/table.csv" ? "a,b\n" : "");
  });
  let address = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "ferrograd-data-"));
    place = (name) => join(folder, name);
    await writeFile(place("table.csv"), "\uFEFFпривет,b\r\n");
    await writeFile(place("table.tsv"), 'a\t"\n');
    await writeFile(place("values.jsonl"), "1\n2\n");
    await writeFile(place("ragged.tsv"), "a\tb\nc\n");
    await writeFile(place("latin1.csv"), Buffer.from("caf\u00e9,1\n", "latin1"));
    await new Promise<void>((done) => void server.listen(0, "127.0.0.1", done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  it("takes paths, file addresses and web addresses", async () => {
    const file = place("table.csv");
    expect((await readCsv(file)).rows).toEqual([["привет", "b"]]);
    expect((await readCsv(pathToFileURL(file))).rows).toEqual([["привет", "b"]]);
    expect((await readCsv(pathToFileURL(file).href)).rows).toEqual([["привет", "b"]]);
    expect((await readCsv(`${address}/table.csv`)).rows).toEqual([["a", "b"]]);
    expect((await readCsv("data:text/csv,x%2Cy")).rows).toEqual([["x", "y"]]);
    expect((await readTsv(place("table.tsv"))).rows).toEqual([["a", '"']]);
    expect(await readJsonl(place("values.jsonl"))).toEqual([1, 2]);
  });

  it("names the file, what is wrong with it, and passes options on", async () => {
    const ragged = `${place("ragged.tsv")}: line 2 has 1 fields, the first line has 2`;
    await expect(readTsv(place("ragged.tsv"))).rejects.toThrow(new DataError(ragged));
    await expect(readTsv(place("ragged.tsv"), { name: "mine" })).rejects.toThrow(/^mine: line 2/);
    await expect(readCsv(place("table.csv"), { header: true })).rejects.toThrow("no rows");
  });

  it.each<[string, () => string, string]>([
    ["a missing file", () => place("nowhere.csv"), "ENOENT"],
    ["a folder", () => folder, "EISDIR"],
    ["a missing page", () => `${address}/nowhere`, "404 Not Found"],
    ["bytes that are not UTF-8", () => place("latin1.csv"), "not valid for encoding"],
  ])("rejects %s", async (_, source, reason) => {
    await expect(readText(source())).rejects.toThrow(DataError);
    await expect(readText(source())).rejects.toThrow(`${source()} cannot be read: `);
    await expect(readText(source())).rejects.toThrow(reason);
  });
});
