/** Philox4x32-10 (Salmon, Moraes, Dror & Shaw, 2011) in big integers: what random ops must draw. */
import type { NumberArray } from "./reference.js";
import { sizeOf } from "./reference.js";

const word = (1n << 32n) - 1n;

function philox(counter: readonly bigint[], key: readonly bigint[]): bigint[] {
  let [a, b, c, d] = counter as [bigint, bigint, bigint, bigint];
  let [k0, k1] = key as [bigint, bigint];
  for (let round = 0; round < 10; round++) {
    const first = 0xd2511f53n * a;
    const second = 0xcd9e8d57n * c;
    [a, b, c, d] = [(second >> 32n) ^ b ^ k0, second & word, (first >> 32n) ^ d ^ k1, first & word];
    [k0, k1] = [(k0 + 0x9e3779b9n) & word, (k1 + 0xbb67ae85n) & word];
  }
  return [a, b, c, d];
}

/** The numbers from 0 to 1 of draw `draw` after `manualSeed(seed)`. */
export function uniforms(shape: readonly number[], seed: number, draw = 0): NumberArray {
  const size = sizeOf(shape);
  const quads = Array.from({ length: Math.ceil(size / 4) }, (_, quad) =>
    philox([BigInt(quad), 0n, 0n, BigInt(draw)], [BigInt(seed), 0n]),
  );
  const data = quads.flat().map((bits) => Number(bits >> 8n) / 2 ** 24);
  return { shape, data: data.slice(0, size) };
}
