/** Element types of files that kernels have no tensors of, and what becomes of them. */
import type { TypedArray } from "../dtype.js";
import { DataError } from "../errors.js";
import { fromFloat16 } from "./halfFloats.js";

/** An element type of a file. */
export interface NumberType {
  readonly name: string;
  readonly bytes: number;
  /** Elements out of bytes in the machine's order; `name` and `at` say where, in messages. */
  readonly decode: (bytes: Uint8Array<ArrayBuffer>, name: string, at: number) => TypedArray;
}

type Wide = BigInt64Array | BigUint64Array | Uint32Array;

/** 64-bit and unsigned integers as int32, where they fit. */
function narrowed(values: Wide, name: string, at: number): Int32Array {
  const narrow = new Int32Array(values.length);
  values.forEach((value: number | bigint, index: number) => {
    const number = Number(value);
    if ((number | 0) !== number) {
      throw new DataError(
        `${name}: element ${at + index} is ${value}, over what int32 holds; ` +
          "save the array as float64 or int32",
      );
    }
    narrow[index] = number;
  });
  return narrow;
}

/** The types by NumPy's kind and size. */
export const numberTypes = {
  b1: {
    name: "bool",
    bytes: 1,
    decode: (bytes, name, at) => {
      const wrong = bytes.findIndex((byte) => byte > 1);
      if (wrong < 0) return bytes;
      throw new DataError(`${name}: element ${at + wrong} of a bool array is ${bytes[wrong]}`);
    },
  },
  i1: { name: "int8", bytes: 1, decode: ({ buffer }) => new Int32Array(new Int8Array(buffer)) },
  u1: { name: "uint8", bytes: 1, decode: (bytes) => new Int32Array(bytes) },
  i2: { name: "int16", bytes: 2, decode: ({ buffer }) => new Int32Array(new Int16Array(buffer)) },
  u2: {
    name: "uint16",
    bytes: 2,
    decode: ({ buffer }) => new Int32Array(new Uint16Array(buffer)),
  },
  i4: { name: "int32", bytes: 4, decode: ({ buffer }) => new Int32Array(buffer) },
  u4: {
    name: "uint32",
    bytes: 4,
    decode: ({ buffer }, name, at) => narrowed(new Uint32Array(buffer), name, at),
  },
  i8: {
    name: "int64",
    bytes: 8,
    decode: ({ buffer }, name, at) => narrowed(new BigInt64Array(buffer), name, at),
  },
  u8: {
    name: "uint64",
    bytes: 8,
    decode: ({ buffer }, name, at) => narrowed(new BigUint64Array(buffer), name, at),
  },
  f2: { name: "float16", bytes: 2, decode: ({ buffer }) => fromFloat16(new Uint16Array(buffer)) },
  f4: { name: "float32", bytes: 4, decode: ({ buffer }) => new Float32Array(buffer) },
  f8: { name: "float64", bytes: 8, decode: ({ buffer }) => new Float64Array(buffer) },
} satisfies Record<string, NumberType>;

/** Whether this machine keeps the low byte of a number first; all that run WebAssembly do. */
export const machineIsLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Turns the bytes of each element round, in place. */
export function swapBytes(bytes: Uint8Array, size: number): void {
  for (let start = 0; start < bytes.length; start += size) {
    bytes.subarray(start, start + size).reverse();
  }
}
