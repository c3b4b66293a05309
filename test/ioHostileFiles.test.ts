/** Files in the safetensors format that nobody should believe. */
import { describe, expect, it } from "vitest";
import { DataError } from "../src/errors.js";
import { readSafetensors, writeSafetensors } from "../src/io/index.js";
import { findDuplicateKey } from "../src/io/jsonKeys.js";
import { Generator } from "../src/random.js";
import { entry, everything, file, one } from "./safetensorsFiles.js";

describe("hostile files", () => {
  const two = (a: string, b: string): string =>
    `{"a":${entry("F32", "[1]", a)},"b":${entry("F32", "[1]", b)}}`;
  const huge = "9".repeat(15);

  it.each<[string, Uint8Array, string]>([
    ["no bytes", new Uint8Array(0), "0 bytes hold no header"],
    ["seven bytes", new Uint8Array(7), "7 bytes hold no header"],
    ["a header of no bytes", file(""), "does not begin with {"],
    ["a header longer than the file", file("{}", 0, 3n), "header of 3 bytes is cut off"],
    ["a header of 2^63 bytes", file("{}", 0, 2n ** 63n), "over the limit"],
    ["a header of 2^64 - 1 bytes", file("{}", 0, 2n ** 64n - 1n), "over the limit"],
    ["a header over 100 MB", file("{}", 0, 100_000_001n), "over the limit of 100000000"],
    ["a list as header", file("[]"), "does not begin with {"],
    ["a space before the header", file(" {}"), "does not begin with {"],
    ["a byte order mark", file("\uFEFF{}"), "does not begin with {"],
    ["bytes that are not UTF-8", file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22)), "is not UTF-8"],
    ["half a header", file('{"a":'), "is not JSON"],
    ["a header and a half", file("{}{}"), "is not JSON"],
    ["a zero behind the header", file("{}\0"), "is not JSON"],
    ["a tensor twice", file(`${one().slice(0, -1)},${one().slice(1)}`, 8), 'names "a" twice'],
    [
      "a tensor twice, once in disguise",
      file(two("[0,4]", "[4,8]").replace('"b"', '"\\u0061"'), 8),
      'names "a" twice',
    ],
    ["__proto__ twice", file('{"__proto__":1,"__proto__":2}'), 'names "__proto__" twice'],
    ["a field twice", file('{"a":{"dtype":"F32","dtype":"I32"}}'), 'names "dtype" twice'],
    ["a tensor that is a list", file('{"a":[]}'), 'tensor "a" is not described by an object'],
    ["a tensor that is null", file('{"a":null}'), 'tensor "a" is not described by an object'],
    ["a tensor called __proto__ that is null", file('{"__proto__":null}'), 'tensor "__proto__"'],
    ["no fields", file('{"a":{}}'), "is of dtype undefined; F32, F64, I32, BOOL, F16, BF16 can"],
    ["a dtype we have no tensors for", file(one("I64", "[1]", "[0,8]"), 8), "is of dtype I64"],
    ["a dtype in small letters", file(one("f32"), 8), "is of dtype f32"],
    ["a dtype that every object has", file(one("constructor"), 8), "is of dtype constructor"],
    [
      "a dtype in a list",
      file(one().replace('"F32"', '["F32"]'), 8),
      "is of dtype a list or object",
    ],
    [
      "a dtype that cannot be text",
      file(one().replace('"F32"', '{"toString":1}'), 8),
      "is of dtype a list",
    ],
    [
      "no shape",
      file('{"a":{"dtype":"F32","data_offsets":[0,0]}}'),
      'shape of tensor "a" is no list',
    ],
    ["a shape that is a number", file(one("F32", "2"), 8), "is no list"],
    ["a negative size", file(one("F32", "[-2]"), 8), "holds -2, which is no size"],
    ["two negative sizes", file(one("F32", "[-1,-2]"), 8), "holds -1, which is no size"],
    ["a broken size", file(one("F32", "[1.5]"), 8), "holds 1.5, which is no size"],
    ["a size past 2^53", file(one("F32", "[9007199254740993]"), 8), "which is no size"],
    ["a size that is text", file(one("F32", '["2"]'), 8), "holds 2, which is no size"],
    ["a size that is a list", file(one("F32", "[[2]]"), 8), "holds a list or object"],
    ["an infinite size", file(one("F32", "[1e999]"), 8), "holds Infinity"],
    ["a product past 2^53", file(one("F32", `[${huge},${huge}]`), 8), "has 8 bytes, not"],
    [
      "a product that wraps to 8 in 64 bits",
      file(one("F32", "[4294967296,4294967296,2]"), 8),
      "has 8 bytes",
    ],
    [
      "infinite times nothing",
      file(one("F32", `[${Array(30).fill(huge).join()},0]`, "[0,0]")),
      "not NaN",
    ],
    ["no offsets", file('{"a":{"dtype":"F32","shape":[0]}}'), "data_offsets of tensor"],
    ["one offset", file(one("F32", "[2]", "[0]"), 8), "are no begin and end"],
    ["three offsets", file(one("F32", "[2]", "[0,8,8]"), 8), "are no begin and end"],
    ["an end before the beginning", file(one("F32", "[2]", "[8,0]"), 8), "are no begin and end"],
    ["a negative offset", file(one("F32", "[2]", "[-8,0]"), 8), "holds -8"],
    [
      "offsets past 2^53",
      file(one("F32", "[2]", "[9007199254740992,9007199254741000]"), 8),
      "no size",
    ],
    ["fewer bytes than the shape", file(one("F32", "[3]"), 8), "of shape [3] has 8 bytes, not 12"],
    ["more bytes than the shape", file(one("F32", "[1]"), 8), "of shape [1] has 8 bytes, not 4"],
    ["data that is cut short", file(one(), 7), "tensors end at byte 8, its data at 7"],
    ["a tail behind the data", file(one(), 9), "tensors end at byte 8, its data at 9"],
    ["data of no tensor", file("{}", 1), "tensors end at byte 0, its data at 1"],
    [
      "data that begins late",
      file(one("F32", "[1]", "[4,8]"), 8),
      'tensor "a" begins at byte 4, not 0',
    ],
    ["a hole", file(two("[0,4]", "[8,12]"), 12), 'tensor "b" begins at byte 8, not 4'],
    ["an overlap", file(two("[0,4]", "[2,6]"), 6), 'tensor "b" begins at byte 2, not 4'],
    ["two tensors of the same bytes", file(two("[0,4]", "[0,4]"), 4), "begins at byte 0, not 4"],
    [
      "an empty tensor within another",
      file(`{"a":${entry("F32", "[2]", "[0,8]")},"b":${entry("F32", "[0]", "[4,4]")}}`, 8),
      'tensor "b" begins at byte 4, not 8',
    ],
    ["metadata that is a number", file('{"__metadata__":5}'), "__metadata__ is no object of texts"],
    [
      "metadata that is a text",
      file('{"__metadata__":"np"}'),
      "__metadata__ is no object of texts",
    ],
    ["metadata that is null", file('{"__metadata__":null}'), "__metadata__ is no object of texts"],
    ["metadata with a number in it", file('{"__metadata__":{"a":1}}'), "__metadata__ is no object"],
  ])("%s", (_, bytes, message) => {
    const read = (): unknown => readSafetensors(bytes, "some.safetensors");
    expect(read).toThrow(DataError);
    expect(read).toThrow("some.safetensors is no valid safetensors file: ");
    expect(read).toThrow(message);
  });

  it("booleans that are neither 0 nor 1", () => {
    const bytes = file(one("BOOL", "[2]", "[0,2]"), 2);
    bytes.set([1, 2], bytes.length - 2);
    expect(() => readSafetensors(bytes)).toThrow(/"a" is of dtype BOOL and holds other bytes/);
  });

  it("names and nesting of megabytes, without a stack overflow or a message as long", () => {
    const long = "a".repeat(5_000_000);
    const deep = "[".repeat(1_000_000) + "]".repeat(1_000_000);
    const headers = [
      `{"${long}":1}`,
      `{"${long}":1,"${long}":1}`,
      one(long),
      `{"a":${deep}}`,
      one("F32", deep),
    ];
    for (const header of headers) {
      const read = (): unknown => readSafetensors(file(header, 8));
      expect(read).toThrow(DataError);
      expect(read).toThrow(/^.{20,300}$/s);
    }
    const named = readSafetensors(file(`{"${long}":${entry("F32", "[2]", "[0,8]")}}`, 8));
    expect([...named.keys()]).toEqual([long]);
  });

  it("bits flipped at random: an error of ours, or tensors that fill the file", () => {
    const bytes = writeSafetensors(everything(), { format: "ferrograd" });
    const header = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
    const generator = new Generator(1);
    let refused = 0;
    const rounds = 20_000;
    for (let i = 0; i < rounds; i++) {
      const broken = bytes.slice();
      for (let flips = 1 + generator.below(3); flips > 0; flips--) {
        broken[generator.below(header)]! ^= 1 << generator.below(8);
      }
      try {
        let total = 0;
        for (const { shape, data, dtype } of readSafetensors(broken).values()) {
          expect(data).toHaveLength(shape.reduce((product, size) => product * size, 1));
          total += data.length * { float32: 4, float64: 8, int32: 4, bool: 1 }[dtype];
        }
        expect(total).toBe(bytes.length - header);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
        refused++;
      }
    }
    // What goes through: other names, another dtype of the same size, spaces.
    expect(refused).toBeGreaterThan(rounds / 2);
  });
});

describe("duplicate keys", () => {
  it.each([
    ['{"a":1,"b":{"a":2},"c":[{"a":1},{"a":2}]}', undefined],
    ['{"a":"a","b":"a","c":["a","a"]}', undefined],
    ['{"a":"\\"b\\":","b":"{\\"b\\":1}"}', undefined],
    ['{"a\\\\":1,"a":2}', undefined],
    ['{"a":{},"b":{},"a":1}', "a"],
    ['{"x":[{"y" : 1, "y"\n: 2}]}', "y"],
    ['{"é":1,"\\u00e9":2}', "é"],
    ['{"a":{"b":1},"c":{"d":[1,{}],"d":1}}', "d"],
    ['{"":1,"":2}', ""],
    ["{}", undefined],
  ])("of %s", (text, key) => {
    expect(findDuplicateKey(text)).toBe(key);
    expect(() => JSON.parse(text) as unknown).not.toThrow();
  });
});
