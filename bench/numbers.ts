/** Numbers from a hash of their position: any language makes the same ones from a few lines. */

/** `count` float32 numbers in [-scale, scale), those of `seed`. */
export function noise(seed: number, count: number, scale = 1): Float32Array {
  const start = Math.imul(seed, 0x9e3779b9);
  return Float32Array.from({ length: count }, (_, index) => {
    // The finalizer of MurmurHash3 (Appleby, 2011).
    let word = start + index;
    word = Math.imul(word ^ (word >>> 16), 0x85ebca6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2b2ae35);
    word ^= word >>> 16;
    return ((word >>> 0) / 2 ** 31 - 1) * scale;
  });
}

/** `count` whole numbers from 0 up to `limit`. */
export function noiseIntegers(seed: number, count: number, limit: number): Int32Array {
  const share = (x: number): number => Math.floor((x * 0.5 + 0.5) * limit);
  return Int32Array.from(noise(seed, count), (x) => Math.min(share(x), limit - 1));
}

/** A weight `[inputs, outputs]`, uniform within ±√(6/(inputs + outputs)). */
export function glorot(seed: number, inputs: number, outputs: number): Float32Array {
  return noise(seed, inputs * outputs, Math.sqrt(6 / (inputs + outputs)));
}

/** `[rows, columns]` → `[columns, rows]`. */
export function transposed(matrix: Float32Array, rows: number, columns: number): Float32Array {
  return matrix.map((_, index) => matrix[(index % rows) * columns + Math.floor(index / rows)]!);
}
