/** The safetensors format: what the reference writes, and round trips. */
import { describe, expect, it } from "vitest";
import { ArgumentError, DataError } from "../src/errors.js";
import { fromBfloat16, fromFloat16 } from "../src/data/halfFloats.js";
import type { TensorData } from "../src/io/index.js";
import { readSafetensors, readSafetensorsMetadata, writeSafetensors } from "../src/io/index.js";
import { entry, everything, file, one } from "./safetensorsFiles.js";

describe("a file that the reference implementation (safetensors 0.8.0 for Python) wrote", () => {
  const bytes = Uint8Array.from(
    Buffer.from(
      "iAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJucCJ9LCJ3aWRlIjp7ImR0eXBlIjoiRjY0Iiwic2hh" +
        "cGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbMCwxNl19LCJub25lIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlswLDNd" +
        "LCJkYXRhX29mZnNldHMiOlsxNiwxNl19LCJ3ZWlnaHQiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRh" +
        "dGFfb2Zmc2V0cyI6WzE2LDQwXX0sInN0ZXAiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0" +
        "cyI6WzQwLDQ0XX0sImhhbGYiOnsiZHR5cGUiOiJGMTYiLCJzaGFwZSI6WzVdLCJkYXRhX29mZnNldHMiOls0NCw1" +
        "NF19LCJmbGFnIjp7ImR0eXBlIjoiQk9PTCIsInNoYXBlIjpbM10sImRhdGFfb2Zmc2V0cyI6WzU0LDU3XX19ICAg" +
        "ICAgIFVVVVVVVdU/GC1EVPshCUAAAMA/AAAAwAAAAAAAAFBAbxKDOgAAAIAHAAAAADwAuP97AQAAfAEAAQ==",
      "base64",
    ),
  );

  it("has its tensors", () => {
    expect([...readSafetensors(bytes)]).toEqual([
      ["wide", { dtype: "float64", shape: [2], data: Float64Array.of(1 / 3, Math.PI) }],
      ["none", { dtype: "float32", shape: [0, 3], data: new Float32Array(0) }],
      [
        "weight",
        { dtype: "float32", shape: [2, 3], data: Float32Array.of(1.5, -2, 0, 3.25, 1e-3, -0) },
      ],
      ["step", { dtype: "int32", shape: [], data: Int32Array.of(7) }],
      [
        "half",
        { dtype: "float32", shape: [5], data: Float32Array.of(1, -0.5, 65504, 2 ** -24, Infinity) },
      ],
      ["flag", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ]);
    expect(readSafetensorsMetadata(bytes)).toEqual({ format: "np" });
  });

  it("has them too as a Buffer, whose slices are views", () => {
    expect(readSafetensors(Buffer.from(bytes))).toEqual(readSafetensors(bytes));
  });

  it("is read from the middle of a buffer, at any alignment", () => {
    for (const offset of [1, 2, 3, 8]) {
      const shifted = new Uint8Array(bytes.length + offset + 5);
      shifted.set(bytes, offset);
      const inner = shifted.subarray(offset, offset + bytes.length);
      expect(readSafetensors(inner)).toEqual(readSafetensors(bytes));
    }
  });

  it("cannot be cut short or added to anywhere", () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(() => readSafetensors(bytes.subarray(0, length))).toThrow(DataError);
    }
    const longer = new Uint8Array(bytes.length + 1);
    longer.set(bytes);
    expect(() => readSafetensors(longer)).toThrow("its tensors end at byte 57, its data at 58");
  });
});

describe("writing", () => {
  it("gives back every bit of every tensor, in their order", () => {
    const tensors = everything();
    const read = readSafetensors(writeSafetensors(tensors));
    expect([...read.keys()]).toEqual([...tensors.keys()]);
    const bits = ({ data }: TensorData): Uint8Array =>
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    for (const [name, tensor] of tensors) {
      const { dtype, shape } = read.get(name)!;
      expect({ dtype, shape }).toEqual({ dtype: tensor.dtype, shape: tensor.shape });
      expect(bits(read.get(name)!)).toEqual(bits(tensor));
    }
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
  });

  it("takes the part of a buffer that an array shows", () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3);
    const tensor = { dtype: "float32", shape: [2], data } as const;
    const read = readSafetensors(writeSafetensors(new Map([["a", tensor]])));
    expect(read.get("a")!.data).toEqual(Float32Array.of(1, 2));
  });

  it("reads empty tensors before what begins at the same byte", () => {
    const header = `{"a":${entry("F32", "[2]", "[0,8]")},"b":${entry("F32", "[0]", "[0,0]")}}`;
    expect([...readSafetensors(file(header, 8)).keys()]).toEqual(["b", "a"]);
  });

  it("pads the header with spaces, so that data begins at a multiple of 8", () => {
    for (const name of ["a", "ab", "abc", "abcd", "abcde", "é"]) {
      const tensor = { dtype: "int32", shape: [1], data: Int32Array.of(1) } as const;
      const bytes = writeSafetensors(new Map([[name, tensor]]));
      const header = Number(new DataView(bytes.buffer).getBigUint64(0, true));
      expect(header % 8).toBe(0);
      expect(bytes).toHaveLength(8 + header + 4);
      expect(new TextDecoder().decode(bytes.subarray(8, 8 + header))).toMatch(/^\{"[^ ]*\}\} *$/);
    }
  });

  it("keeps what the file says of itself", () => {
    const about = { format: "ferrograd", constructor: "1", note: 'a "b"\n' };
    expect(readSafetensorsMetadata(writeSafetensors(everything(), about))).toEqual(about);
    expect(readSafetensors(writeSafetensors(everything(), about)).size).toBe(everything().size);
    expect(readSafetensorsMetadata(writeSafetensors(new Map()))).toEqual({});
  });

  it("of nothing is a file", () => {
    expect(readSafetensors(writeSafetensors(new Map()))).toEqual(new Map());
  });

  const data = Float32Array.of(1, 2);
  it.each<[string, string, TensorData]>([
    ["of shape [3] has 2 elements, not 3", "a", { dtype: "float32", shape: [3], data }],
    ["of shape [] has 2 elements, not 1", "a", { dtype: "float32", shape: [], data }],
    ["is of dtype int32: its data must be a Int32Array", "a", { dtype: "int32", shape: [2], data }],
    ["has the one name", "__metadata__", { dtype: "float32", shape: [2], data }],
  ])("refuses a tensor that %s", (message, name, tensor) => {
    const write = (): unknown => writeSafetensors(new Map([[name, tensor]]));
    expect(write).toThrow(ArgumentError);
    expect(write).toThrow(`writeSafetensors: tensor "${name}" ${message}`);
  });
});

describe("16-bit floats", () => {
  const halves = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);

  it("F16: all 65,536 of them", () => {
    const widened = fromFloat16(halves);
    for (const bits of halves) {
      const sign = bits >> 15 ? -1 : 1;
      const exponent = (bits >> 10) & 31;
      const fraction = (bits & 1023) / 1024;
      let value = sign * 2 ** (exponent - 15) * (1 + fraction);
      if (exponent === 0) value = sign * 2 ** -14 * fraction;
      if (exponent === 31) value = fraction === 0 ? sign * Infinity : NaN;
      if (!Object.is(widened[bits], value)) expect([bits, widened[bits]]).toEqual([bits, value]);
    }
  });

  it("BF16: the upper halves of float32", () => {
    const widened = fromBfloat16(halves);
    for (const bits of halves) {
      const view = new DataView(new ArrayBuffer(4));
      view.setUint16(0, bits);
      const value = view.getFloat32(0);
      if (!Object.is(widened[bits], value)) expect([bits, widened[bits]]).toEqual([bits, value]);
    }
    const read = readSafetensors(file(one("BF16", "[2]", "[0,4]"), 4)).get("a")!;
    expect(read).toEqual({ dtype: "float32", shape: [2], data: new Float32Array(2) });
  });
});
