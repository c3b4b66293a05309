/** Attention beyond its row in test/cases: what it refuses, its layer, and the memory it takes. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { gradients } from "../src/autograd.js";
import type { AttentionOptions, DType, Tensor } from "../src/index.js";
import {
  ArgumentError,
  broadcastTo,
  compile,
  concat,
  DTypeError,
  flush,
  init,
  manualSeed,
  matmul,
  nn,
  normal,
  ones,
  permute,
  reshape,
  scaledDotProductAttention,
  ShapeError,
  shutdown,
  slice,
  split,
  sum,
  tensor,
  transpose,
  zeros,
} from "../src/index.js";
import { buildLayer, describeLayer } from "../src/nn/registry.js";

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
    [
      "another dtype",
      () => attend({}, 4, "float64"),
      DTypeError,
      "float32, float64, float64; one dtype is needed",
    ],
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

describe("MultiheadAttention", () => {
  const layer = (options: Partial<nn.MultiheadAttentionOptions> = {}): nn.MultiheadAttention => {
    manualSeed(1);
    return nn.multiheadAttention({ modelDim: 12, heads: 6, ...options });
  };
  const input = (length = 5): Tensor => {
    manualSeed(2);
    return normal([2, length, 12]);
  };
  const values = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

  it("has fewer projections of keys and values than of queries, if told so", () => {
    const { inProjWeight, inProjBias } = layer({ keyHeads: 2 });
    expect(inProjWeight.shape).toEqual([12 + 4 + 4, 12]);
    expect(inProjBias.shape).toEqual([20]);
  });

  it("attends as with all heads where those of a group have the same keys and values", async () => {
    const grouped = layer({ keyHeads: 2 });
    const single = layer();
    const [q, k, v] = split(grouped.inProjWeight, [12, 4, 4]);
    // Heads have 2 rows each; a head of keys serves 3.
    const repeated = [k!, v!].map((x) =>
      reshape(broadcastTo(reshape(x, [2, 1, 2, 12]), [2, 3, 2, 12]), [12, 12]),
    );
    single.inProjWeight.assign(concat([q!, ...repeated]));
    single.outProj.weight.assign(grouped.outProj.weight);
    flush();
    const x = input();
    const expected = await values(single.forward(x));
    expect(await values(grouped.forward(x))).toEqual(
      expected.map((value): unknown => expect.closeTo(value, 5)),
    );
  });

  it.each<Partial<nn.MultiheadAttentionOptions>>([
    {},
    { causal: true, keyHeads: 3 },
    { window: 1, rotary: true },
    { window: [2, 0], rotary: { base: 100, start: 3, interleaved: true } },
  ])("shows its weights, %o", async (options) => {
    const attention = layer({ ...options, dropout: 0.5 });
    const x = input();
    const mask = tensor([true, true, true, true, false, true, true, true, true, true], {
      shape: [2, 5],
    });
    const weights = attention.eval().weights(x, x, { mask });
    expect(weights.shape).toEqual([2, 6, 5, 5]);
    const sums = await values(sum(weights, { axis: -1 }));
    expect(sums).toEqual(sums.map((): unknown => expect.closeTo(1, 5)));
    // Times the values, through the last projection, they are the layer's output.
    const { keyHeads = 6 } = options;
    const [, , v] = split(attention.inProjWeight, [12, 2 * keyHeads, 2 * keyHeads]);
    const rows = reshape(matmul(x, transpose(v!)), [2, 5, keyHeads, 1, 2]);
    const perHead = reshape(broadcastTo(rows, [2, 5, keyHeads, 6 / keyHeads, 2]), [2, 5, 6, 2]);
    const mixed = permute(matmul(weights, permute(perHead, [0, 2, 1, 3])), [0, 2, 1, 3]);
    const expected = await values(attention.outProj.forward(reshape(mixed, [2, 5, 12])));
    expect(await values(attention.forward(x, { mask }))).toEqual(
      expected.map((value): unknown => expect.closeTo(value, 5)),
    );
  });

  it("knows with rotary embeddings how far apart positions are, and no more", async () => {
    const x = input();
    const [at0, at9] = [0, 9].map((start) => layer({ rotary: { start } }).weights(x, x));
    const expected = await values(at0!);
    expect(await values(at9!)).toEqual(expected.map((value): unknown => expect.closeTo(value, 5)));
    expect(await values(layer().weights(x, x))).not.toEqual(
      expected.map((value): unknown => expect.closeTo(value, 3)),
    );
  });

  it("gives the last query of fewer the position of the last key", async () => {
    const attention = layer({ rotary: true, causal: true });
    const x = input();
    const last = slice(x, [null, [-1]]);
    const expected = await values(slice(attention.forward(x), [null, [-1]]));
    expect(await values(attention.attend(last, x))).toEqual(
      expected.map((value): unknown => expect.closeTo(value, 5)),
    );
  });

  it.each<[string, () => nn.Module]>([
    ["itself", () => layer({ keyHeads: 3, window: [1, 2], rotary: { base: 50 } })],
    [
      "an encoder layer with it",
      () =>
        nn.transformerEncoderLayer({
          modelDim: 12,
          heads: 6,
          keyHeads: 2,
          window: 1,
          rotary: true,
        }),
    ],
  ])("lets %s be built again from options", (_, make) => {
    const one = make();
    const again = buildLayer(describeLayer(one));
    expect(again.config()).toEqual(one.config());
    expect([...again.namedParameters()].map(([path, { shape }]) => [path, shape])).toEqual(
      [...one.namedParameters()].map(([path, { shape }]) => [path, shape]),
    );
  });

  it.each<[string, Partial<nn.MultiheadAttentionOptions>, string]>([
    ["groups that do not divide", { keyHeads: 4 }, "6 heads do not divide into groups for 4"],
    ["half a window", { window: 0.5 }, "multiheadAttention: window is 0.5"],
    ["a base of 0", { rotary: { base: 0 } }, "multiheadAttention: rotary: base is 0"],
    ["a start of −1", { rotary: { start: -1 } }, "rotary: start is -1"],
    ["rows without pairs", { heads: 4, rotary: true }, "rows of 3 elements have no pairs"],
  ])("refuses %s", (_, options, message) => {
    expect(() => layer(options)).toThrow(message);
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
