/** The training run that must go the same way wherever it runs. */
import type * as Ferrograd from "../../src/index.js";

/** What a run shows of itself; all of it can be posted. */
export interface Course {
  /** The mean loss of each epoch. */
  readonly losses: number[];
  /** SHA-256 of the parameters' bytes at the end. */
  readonly weights: string;
  readonly info: Ferrograd.EngineInfo;
}

const rows = 96;
const length = 12;
const tokens = 50;

/** Trains a small text classifier on made-up texts, on an engine of its own. */
export async function trainingRun(
  { engine, init, manualSeed, nn, optim, shutdown }: typeof Ferrograd,
  options: Ferrograd.InitOptions,
): Promise<Course> {
  await init(options);
  try {
    manualSeed(7);
    const model = nn.sequential(
      nn.embedding(tokens, 16, { maskZero: true, positions: length }),
      nn.transformerEncoderLayer({ modelDim: 16, heads: 2, feedForwardDim: 32, dropout: 0.1 }),
      nn.globalAveragePooling1d(),
      nn.linear(16, 3, { activation: "softmax" }),
    );
    model.compile({
      optimizer: optim.adamW({ learningRate: 3e-3 }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy"],
    });
    const { texts, labels } = madeUp();
    const { history } = await model.fit({ data: texts, shape: [rows, length] }, labels, {
      batchSize: 16,
      epochs: 5,
      verbose: 0,
    });
    const bytes: number[] = [];
    for (const parameter of model.parameters()) {
      const { buffer, byteOffset, byteLength } = await parameter.data();
      bytes.push(...new Uint8Array(buffer, byteOffset, byteLength));
    }
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
    const weights = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { losses: history.loss!, weights, info: engine().info() };
  } finally {
    shutdown();
  }
}

/** Texts of different lengths, padded with zeros; a text's first word tells its label. */
function madeUp(): { texts: Int32Array; labels: Int32Array } {
  const texts = new Int32Array(rows * length);
  const labels = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const words = 3 + ((row * 5) % (length - 2));
    for (let at = 0; at < words; at++) texts[row * length + at] = 1 + ((row * 31 + at * 17) % 49);
    labels[row] = texts[row * length]! % 3;
  }
  return { texts, labels };
}
