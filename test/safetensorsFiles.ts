/** Files in the safetensors format, made by hand. */
import type { TensorData } from "../src/io/index.js";

/** A file with this header, its length as it is or as given, and `body` bytes of data. */
export function file(header: string | Uint8Array, body = 0, length?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + body);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

/** What a header says of a tensor. */
export const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;
/** A header of one tensor "a", of two float32 unless said otherwise. */
export const one = (dtype = "F32", shape = "[2]", offsets = "[0,8]"): string =>
  `{"a":${entry(dtype, shape, offsets)}}`;

/** All four dtypes, a scalar, an empty tensor, odd sizes, and names that objects are wary of. */
export function everything(): Map<string, TensorData> {
  return new Map<string, TensorData>([
    [
      "layers.0.weight",
      { dtype: "float32", shape: [2, 2], data: Float32Array.of(1.5, -0, NaN, 1e-40) },
    ],
    ["mask", { dtype: "bool", shape: [3], data: Uint8Array.of(1, 0, 1) }],
    ["wide", { dtype: "float64", shape: [1, 2], data: Float64Array.of(1 / 3, -Infinity) }],
    ["step", { dtype: "int32", shape: [], data: Int32Array.of(-(2 ** 31)) }],
    ["empty", { dtype: "float32", shape: [0, 5], data: new Float32Array(0) }],
    ["__proto__", { dtype: "int32", shape: [1], data: Int32Array.of(7) }],
    ["constructor", { dtype: "int32", shape: [1], data: Int32Array.of(8) }],
    ["10", { dtype: "int32", shape: [1], data: Int32Array.of(9) }],
    ['quotes " and \\ and 名前 \ud83d', { dtype: "int32", shape: [1], data: Int32Array.of(10) }],
  ]);
}
