/** Small trainings to spread over workers: what they end in must not depend on how. */
import type { Model } from "../src/train/nn.js";
import { manualSeed, nn, optim, weightsHash } from "../src/index.js";
import type { FitOptions, History, Table } from "../src/index.js";

/** A model with something to learn. */
export interface Training {
  readonly make: () => Model;
  readonly x: Table;
  readonly y: Int32Array;
  readonly batchSize: number;
}

const pseudo = (count: number, shape: readonly number[]): Table => ({
  data: Float32Array.from({ length: count }, (_, i) => ((i * 7919) % 97) / 48 - 1),
  shape,
});

const classifier = { loss: "sparseCategoricalCrossentropy", metrics: ["accuracy", "f1"] } as const;

/** Rows of 6 numbers; the last batch, of 3 rows, is too small for 4 shards. */
export const mlp: Training = {
  make: () => {
    const model = nn.sequential(
      nn.linear(6, 12, { activation: "tanh" }),
      nn.dropout(0.25),
      nn.linear(12, 3, { activation: "softmax" }),
    );
    model.compile({ optimizer: optim.adamW({ learningRate: 0.02, clipNorm: 1 }), ...classifier });
    return model;
  },
  x: pseudo(63 * 6, [63, 6]),
  y: Int32Array.from({ length: 63 }, (_, i) => (i * i) % 3),
  batchSize: 20,
};

/** Images of 8×8. */
export const cnn: Training = {
  make: () => {
    const model = nn.sequential(
      nn.conv2d(1, 4, 3, { padding: 1 }),
      nn.batchNorm2d(4, { activation: "relu" }),
      nn.maxPool2d(2),
      nn.flatten(),
      nn.dropout(0.2),
      nn.linear(64, 3, { activation: "softmax" }),
    );
    model.compile({ optimizer: optim.sgd({ learningRate: 0.05, momentum: 0.9 }), ...classifier });
    return model;
  },
  x: pseudo(50 * 64, [50, 1, 8, 8]),
  y: Int32Array.from({ length: 50 }, (_, i) => (i * 5) % 3),
  batchSize: 22,
};

/** Texts of up to 10 tokens, padded with zeros, so that shards have different counts. */
export const transformer: Training = {
  make: () => {
    const model = nn.sequential(
      nn.embedding(30, 8, { maskZero: true, positions: 10 }),
      nn.transformerEncoderLayer({ modelDim: 8, heads: 2, feedForwardDim: 16, dropout: 0.1 }),
      nn.globalAveragePooling1d(),
      nn.linear(8, 3, { activation: "softmax" }),
    );
    model.compile({ optimizer: optim.adam({ learningRate: 0.01 }), ...classifier });
    return model;
  },
  x: {
    data: Int32Array.from({ length: 40 * 10 }, (_, i) => {
      const [row, at] = [Math.floor(i / 10), i % 10];
      return at < 2 + (row % 8) ? 1 + ((row * 31 + at * 17) % 29) : 0;
    }),
    shape: [40, 10],
  },
  y: Int32Array.from({ length: 40 }, (_, i) => (i * 31) % 3),
  batchSize: 16,
};

/** What a training ends in. */
export interface Ended {
  readonly model: Model;
  readonly history: History;
  /** Of all variables, statistics too, and of what was reported. */
  readonly outcome: { readonly weights: string; readonly statistics: string; report: object };
}

/** Trains from the same first weights. */
export async function train(
  { make, x, y, batchSize }: Training,
  options: FitOptions,
): Promise<Ended> {
  manualSeed(5);
  const model = make();
  const history = await model.fit(x, y, { batchSize, epochs: 2, verbose: 0, ...options });
  return { model, history, outcome: await outcomeOf(model, history) };
}

/** What `model` is now, and what was reported of it. */
export async function outcomeOf(model: Model, history: History): Promise<Ended["outcome"]> {
  const state = [...(await model.stateDict())];
  const statistics = state
    .filter(([name]) => name.includes("running"))
    .map(([name, { data }]) => `${name} ${data.join()}`);
  return {
    weights: await weightsHash(model),
    statistics: statistics.join("\n"),
    report: { ...history.history },
  };
}
