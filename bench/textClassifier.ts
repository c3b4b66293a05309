/** A training step of the text classifier: 32 texts of up to 128 tokens. */
import { nn, tensor } from "../src/index.js";
import { glorot, noise, noiseIntegers, transposed } from "./numbers.js";
import type { Row } from "./row.js";
import { setWeights, trainingRow } from "./trainingRow.js";

const batch = 32;
const length = 128;
const tokens = 10_000;
const dim = 128;
const heads = 4;
const classes = 2;

function makeModel(dropout: number): nn.Sequential {
  const model = nn.sequential(
    nn.embedding(tokens, dim, { maskZero: true, positions: length }),
    nn.transformerEncoderLayer({ modelDim: dim, heads, feedForwardDim: dim, dropout, eps: 1e-6 }),
    nn.globalAveragePooling1d(),
    nn.dropout(dropout),
    nn.linear(dim, classes),
  );
  const square = (seed: number): Float32Array => transposed(glorot(seed, dim, dim), dim, dim);
  setWeights(model, {
    "0.weight": noise(101, tokens * dim, 0.05),
    "0.position": noise(102, length * dim, 0.05),
    // Queries, keys and values.
    "1.self_attn.in_proj_weight": Float32Array.from([103, 104, 105].flatMap((s) => [...square(s)])),
    "1.self_attn.out_proj.weight": square(106),
    "1.linear1.weight": square(110),
    "1.linear2.weight": square(111),
    "4.weight": transposed(glorot(112, dim, classes), dim, classes),
  });
  return model;
}

/** Texts of 16 tokens and more, padded with zeros. */
function makeBatch(): { x: ReturnType<typeof tensor>; labels: ReturnType<typeof tensor> } {
  const lengths = noiseIntegers(120, batch, length - 15);
  const ids = noiseIntegers(121, batch * length, tokens - 1);
  const isReal = (index: number): boolean =>
    index % length < lengths[Math.floor(index / length)]! + 16;
  return {
    x: tensor(
      ids.map((id, index) => (isReal(index) ? id + 1 : 0)),
      { shape: [batch, length] },
    ),
    labels: tensor(noiseIntegers(122, batch, classes), { shape: [batch] }),
  };
}

/** The row. */
export const textClassifier: Row = trainingRow("clf_step", { makeModel, makeBatch, dropout: 0.1 });
