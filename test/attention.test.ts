/** Attention beyond its row in test/cases: what it refuses, and the memory it takes. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { gradients } from "../src/autograd.js";
import type { AttentionOptions, DType, Tensor } from "../src/index.js";
import {
  ArgumentError,
  compile,
  DTypeError,
  init,
  ones,
  scaledDotProductAttention,
  ShapeError,
  shutdown,
  zeros,
} from "../src/index.js";

beforeEach(() => init({ threads: 2 }));
afterAll(shutdown);

const bool = (...shape: number[]): Tensor => zeros(shape, "bool");

describe("scaledDotProductAttention refuses", () => {
  /** Attention of 4 heads, 3 queries and 5 keys, in two batch entries. */
  const attend = (options: AttentionOptions, keyHeads = 4, dtype: DType = "float32"): Tensor =>
    scaledDotProductAttention(
      ones([2, 4, 3, 8]),
      ones([2, keyHeads, 5, 8], dtype),
      ones([2, keyHeads, 5, 6], dtype),
      options,
    );

  it.each<[string, () => unknown, new (message: string) => Error, string]>([
    ["heads that differ", () => attend({}, 2), ShapeError, "set enableGqa"],
    [
      "heads that do not divide",
      () => attend({ enableGqa: true }, 3),
      ArgumentError,
      "4 heads of q do not divide into groups for 3",
    ],
    [
      "keys of another width",
      () => scaledDotProductAttention(ones([1, 1, 2, 3]), ones([1, 1, 2, 4]), ones([1, 1, 2, 4])),
      ShapeError,
      "not [1, 1, 2, 3], [1, 1, 2, 4], [1, 1, 2, 4]",
    ],
    ["another dtype", () => attend({}, 4, "float64"), DTypeError, "float32, float64, float64"],
    [
      "a mask of another length",
      () => attend({ mask: bool(2, 4) }),
      ShapeError,
      "bool [batch, keys] = [2, 5]",
    ],
    [
      "a mask that is no bool",
      () => attend({ mask: zeros([2, 5]) }),
      ShapeError,
      "not float32 [2, 5]",
    ],
    [
      "a mask by query of another size",
      () => attend({ mask: bool(2, 1, 2, 5) }),
      ShapeError,
      "= [2, 4, 3, 5], not bool [2, 1, 2, 5]",
    ],
    [
      "a bias that does not broadcast",
      () => attend({ bias: zeros([2, 3, 5]) }),
      ShapeError,
      "= [2, 4, 3, 5] is needed, not [2, 3, 5]",
    ],
    [
      "a bias of another dtype",
      () => attend({ bias: zeros([3, 5], "float64") }),
      DTypeError,
      "the bias is float64, q float32",
    ],
    ["half a window", () => attend({ window: 1.5 }), ArgumentError, "window is 1.5"],
    ["a negative window", () => attend({ window: [0, -1] }), ArgumentError, "window is -1"],
    ["a dropout of 2", () => attend({ dropout: 2 }), ArgumentError, "p = 2 is not a probability"],
  ])("%s", (_, body, kind, message) => {
    expect(body).toThrow(kind);
    expect(body).toThrow(message);
  });
});

describe("the memory of attention", () => {
  it("grows with the length, not with its square, forwards and backwards", () => {
    const program = compile((q: Tensor, k: Tensor, v: Tensor) =>
      gradients([scaledDotProductAttention(q, k, v, { causal: true })], [q, k, v], [q]),
    );
    const bytes = (length: number): number => {
      const x = zeros([1, 1, length, 64]);
      return program.peakBytes(x, x, x);
    };
    // Scores of 4096 queries and keys would take 64 MiB.
    expect(bytes(4096)).toBeLessThan(32 * 2 ** 20);
    expect(bytes(8192) / bytes(4096)).toBeCloseTo(2, 1);
  });
});
