/** Attention weights: asked of a model, and drawn. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { init, manualSeed, nn, shutdown, tensor } from "../src/index.js";
import { attentionOf, plotAttention } from "../src/plot/attention.js";
import { drawn } from "./drawn.js";

beforeAll(() => init({ threads: 1 }));
afterAll(shutdown);

function encoder() {
  manualSeed(7);
  return nn.sequential(
    nn.embedding(11, 8),
    nn.transformerEncoderLayer({ modelDim: 8, heads: 2, dropout: 0.5 }),
    nn.transformerEncoderLayer({ modelDim: 8, heads: 4, normFirst: true }),
  );
}

it("gives the weights of every attention layer by its path, of what it met", async () => {
  const model = encoder();
  const ids = tensor([[1, 2, 3, 4, 5]], { dtype: "int32" });
  const found = attentionOf(model, ids);
  expect([...found.keys()]).toEqual(["1.self_attn", "2.self_attn"]);
  expect([...found.values()].map(({ shape }) => shape)).toEqual([
    [1, 2, 5, 5],
    [1, 4, 5, 5],
  ]);
  for (const weights of found.values()) {
    for (const sum of await weights.sum({ axis: -1 }).data()) expect(sum).toBeCloseTo(1, 5);
  }
  // Of the first layer, whose input is the embedding: what the layer itself gives for it.
  const [embedding, first] = model.layers;
  const embedded = embedding!.forward(ids);
  const { selfAttn } = first as InstanceType<typeof nn.TransformerEncoderLayer>;
  const expected = selfAttn.weights(embedded, embedded);
  expect(await found.get("1.self_attn")!.data()).toEqual(await expected.data());
  expect(model.training).toBe(true);
});

it("gives padding no weight", async () => {
  const mask = tensor([[1, 1, 0]], { dtype: "bool" });
  const layer = nn.transformerEncoderLayer({ modelDim: 2, heads: 2 });
  const x = tensor([
    [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
  ]);
  const weights = attentionOf(layer, x, { mask }).get("self_attn")!;
  const data = await weights.data();
  expect(data.filter((_, index) => index % 3 === 2)).toEqual(new Float32Array(6));
});

const two = tensor([
  [
    [
      [1, 0],
      [0.25, 0.75],
    ],
    [
      [0.5, 0.5],
      [0, 1],
    ],
  ],
]);

it("is drawn a head beside the other, tokens as they are", async () => {
  const { texts, marks } = drawn(await plotAttention(two, { keys: ["the", "<cat>"] }));
  expect(marks("rect mark").get("query <cat>, key the: 0.25")!.getAttribute("d")).toBe(
    "M0,32h32v32h-32Z",
  );
  expect(marks("rect mark").size).toBe(8);
  expect(texts).toEqual(expect.arrayContaining(["head 0", "head 1", "weight"]));
  expect(texts.filter((text) => text === "<cat>")).toHaveLength(4);
});

it("is drawn as the mean of the heads", async () => {
  const { texts, marks } = drawn(await plotAttention(two, { averageHeads: true }));
  expect(texts).toContain("mean of 2 heads");
  expect([...marks("rect mark").keys()]).toEqual([
    "query 0, key 0: 0.75",
    "query 0, key 1: 0.25",
    "query 1, key 0: 0.125",
    "query 1, key 1: 0.875",
  ]);
});

it("of long sequences is drawn as means of blocks", async () => {
  const long = tensor(
    Float32Array.from({ length: 600 * 600 }, (_, i) => i % 5),
    {
      shape: [600, 600],
    },
  );
  const { svg } = await plotAttention(long);
  expect(drawn({ svg }).texts).toContain("each cell is the mean of 5 × 5 positions");
  expect(svg.length).toBeLessThan(2e6);
});

it.each([
  ["a vector", tensor([1, 2]), {}, "weights [batch, heads, queries, keys]"],
  ["no row", two, { row: 1 }, "row is 1; the batch has 1"],
  ["too few names", two, { keys: ["a"] }, "keys has 1 names; there are 2 positions"],
])("refuses %s", async (_, weights, options, message) => {
  await expect(plotAttention(weights, options)).rejects.toThrow(message);
});
