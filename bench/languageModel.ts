/** A training step of a small GPT: 8 texts of 256 characters, 4 blocks of 256 features. */
import { add, gelu, nn, tensor } from "../src/index.js";
import { glorot, noise, noiseIntegers, transposed } from "./numbers.js";
import type { Row } from "./row.js";
import { setWeights, trainingRow } from "./trainingRow.js";

const batch = 8;
const length = 256;
const tokens = 256;
const dim = 256;
const heads = 8;
const blocks = 4;

/** Causal attention and a feed-forward network, each on normalized input and added to it. */
class Block extends nn.Module {
  readonly type = "block";
  readonly norm1 = nn.layerNorm(dim);
  readonly attention = nn.multiheadAttention({ modelDim: dim, heads, causal: true });
  readonly norm2 = nn.layerNorm(dim);
  readonly linear1 = nn.linear(dim, 4 * dim);
  readonly linear2 = nn.linear(4 * dim, dim);

  run({ x }: nn.Signal): nn.Signal {
    const attended = add(x, this.attention.forward(this.norm1.forward(x)));
    const hidden = this.linear1.forward(this.norm2.forward(attended));
    // GPT-2's form of GELU, which `activation: "gelu"` is not.
    return { x: add(attended, this.linear2.forward(gelu(hidden, { approximate: "tanh" }))) };
  }

  config(): object {
    return {};
  }
}

function makeModel(): nn.Sequential {
  const model = nn.sequential(
    nn.embedding(tokens, dim, { positions: length }),
    ...Array.from({ length: blocks }, () => new Block()),
    nn.layerNorm(dim),
    nn.linear(dim, tokens, { bias: false }),
  );
  const weight = (seed: number, inputs: number, outputs: number): Float32Array =>
    transposed(glorot(seed, inputs, outputs), inputs, outputs);
  setWeights(model, {
    "0.weight": noise(401, tokens * dim, 0.05),
    "0.position": noise(402, length * dim, 0.05),
    [`${blocks + 2}.weight`]: weight(499, dim, tokens),
  });
  for (let block = 0; block < blocks; block++) {
    const seed = 410 + 10 * block;
    setWeights(model.layers[block + 1]!, {
      "attention.in_proj_weight": weight(seed, dim, 3 * dim),
      "attention.out_proj.weight": weight(seed + 1, dim, dim),
      "linear1.weight": weight(seed + 2, dim, 4 * dim),
      "linear2.weight": weight(seed + 3, 4 * dim, dim),
    });
  }
  return model;
}

/** Texts, and for each of their characters the next one. */
function makeBatch(): { x: ReturnType<typeof tensor>; labels: ReturnType<typeof tensor> } {
  const drawn = noiseIntegers(500, batch * (length + 1), tokens);
  const from = (first: number): ReturnType<typeof tensor> => {
    const place = (_: unknown, index: number): number =>
      drawn[Math.floor(index / length) * (length + 1) + (index % length) + first]!;
    const data = Int32Array.from({ length: batch * length }, place);
    return tensor(data, { shape: [batch, length] });
  };
  return { x: from(0), labels: from(1) };
}

/** The row. */
export const languageModel: Row = trainingRow("gpt_step", { makeModel, makeBatch });
