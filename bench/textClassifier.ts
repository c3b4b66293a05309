/** A training step of the text classifier: 32 texts of up to 128 tokens, with Adam. */
import { compile, crossEntropy, nn, optim, tensor } from "../src/index.js";
import { glorot, noise, noiseIntegers, transposed } from "./numbers.js";
import type { Row } from "./row.js";

const batch = 32;
const length = 128;
const tokens = 10_000;
const dim = 128;
const heads = 4;
const classes = 2;

/** The first losses without dropout, by PyTorch in float64 (`bench/pytorch.py clf_step --losses`). */
const losses = [0.9437242673214494, 0.6128457864916778, 0.4227449705819519, 0.1816916004968945];

function makeModel(dropout: number): nn.Sequential {
  const model = nn.sequential(
    nn.embedding(tokens, dim, { maskZero: true, positions: length }),
    nn.transformerEncoderLayer({ modelDim: dim, heads, feedForwardDim: dim, dropout, eps: 1e-6 }),
    nn.globalAveragePooling1d(),
    nn.dropout(dropout),
    nn.linear(dim, classes),
  );
  const square = (seed: number): Float32Array => transposed(glorot(seed, dim, dim), dim, dim);
  const weights = {
    "0.weight": noise(101, tokens * dim, 0.05),
    "0.position": noise(102, length * dim, 0.05),
    // Queries, keys and values.
    "1.self_attn.in_proj_weight": Float32Array.from([103, 104, 105].flatMap((s) => [...square(s)])),
    "1.self_attn.out_proj.weight": square(106),
    "1.linear1.weight": square(110),
    "1.linear2.weight": square(111),
    "4.weight": transposed(glorot(112, dim, classes), dim, classes),
  };
  const parameters = model.namedParameters();
  for (const [name, data] of Object.entries(weights)) parameters.get(name)!.set(data);
  return model;
}

function data(): { ids: Int32Array; labels: Int32Array } {
  const lengths = noiseIntegers(120, batch, length - 15);
  const ids = noiseIntegers(121, batch * length, tokens - 1);
  const isReal = (index: number): boolean =>
    index % length < lengths[Math.floor(index / length)]! + 16;
  return {
    ids: ids.map((id, index) => (isReal(index) ? id + 1 : 0)),
    labels: noiseIntegers(122, batch, classes),
  };
}

/** The step, which gives the loss. */
function makeStep(dropout: number): () => Promise<number> {
  const model = makeModel(dropout);
  const optimizer = new optim.Adam(model.parameters(), { learningRate: 1e-3 });
  const step = compile((ids: ReturnType<typeof tensor>, labels: ReturnType<typeof tensor>) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(ids), labels);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const { ids, labels } = data();
  const x = tensor(ids, { shape: [batch, length] });
  const y = tensor(labels, { shape: [batch] });
  return async () => {
    const loss = await step(x, y);
    return loss.item();
  };
}

/** The row. */
export const textClassifier: Row = {
  name: "clf_step",
  inTorch: true,
  async prepare() {
    const checked = makeStep(0);
    let error = 0;
    for (const loss of losses) error = Math.max(error, Math.abs((await checked()) / loss - 1));
    const step = makeStep(0.1);
    return {
      error,
      run: async () => {
        await step();
      },
    };
  },
};
