/**
 * Plain data that nobody should believe: descriptions of models, and saved states. Each is taken as
 * it is or refused with an error of ours, and then nothing has changed.
 * `FERROGRAD_FUZZ=1000000 npx vitest run test/plainDataFuzz.test.ts` tries as many of each.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  FerrogradError,
  init,
  manualSeed,
  metrics,
  modelFiles,
  modelFromFiles,
  nn,
  optim,
  randomState,
  setRandomState,
  shutdown,
  text,
  weightsHash,
} from "../src/index.js";
import * as data from "../src/data/index.js";
import type { FitContext, TrainingState } from "../src/index.js";
import { Generator } from "../src/random.js";
import * as train from "../src/train/entry.js";
import { mutatePlain } from "./mutate.js";

const wanted = Number(process.env.FERROGRAD_FUZZ ?? 0);

beforeAll(() => init({ threads: 1 }));
afterAll(shutdown);

interface Target {
  readonly seeds: readonly unknown[];
  /** Takes it; `as never`: whatever it is. */
  readonly read: (value: never) => unknown;
  /** What may not change where it is refused. */
  readonly kept?: () => unknown;
  /** How many inputs in the suite. */
  readonly inputs: number;
  /** Whether it trains: then there are no millions of inputs. */
  readonly slow?: boolean;
}

async function fuzz(name: string, target: Target): Promise<void> {
  const { seeds, read, kept, inputs, slow = false } = target;
  const random = new Generator(2);
  const count = Math.max(inputs, slow ? wanted / 50 : wanted);
  const outcomes = { taken: 0, refused: 0 };
  for (let i = 0; i < count; i++) {
    // What was given up is collected only between turns.
    if (i % 1000 === 999) await new Promise((go) => setImmediate(go));
    const value = mutatePlain(seeds[random.below(seeds.length)], random);
    const before = kept && JSON.stringify(await kept());
    try {
      await read(value as never);
      outcomes.taken++;
    } catch (error) {
      if (!(error instanceof FerrogradError) || error.message.length > 1000) {
        throw new Error(`${name}, input ${i}: ${JSON.stringify(value)}`, { cause: error });
      }
      const after = kept && JSON.stringify(await kept());
      if (before !== after) throw new Error(`${name}, input ${i} changed it: ${after}`);
      outcomes.refused++;
    }
  }
  if (wanted > 0) console.log(name, outcomes);
  expect(outcomes.refused).toBeGreaterThan(count / 100);
  expect(outcomes.taken).toBeGreaterThan(0);
}

const rows = [
  [1, 2, 3],
  [0, 1, 0],
  [2, 2, 1],
  [4, 3, 2],
];
const labels = [0, 1, 1, 0];

function network(): nn.Sequential {
  const model = nn.sequential(
    nn.linear(3, 4, { activation: "relu" }),
    nn.layerNorm(4),
    nn.dropout(0.1),
    nn.linear(4, 2, { activation: "softmax" }),
  );
  model.compile({
    optimizer: optim.adam({ groups: [{ names: ["*.bias"], weightDecay: 0 }], betas: [0.9, 0.99] }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy", metrics.f1({ average: "macro" })],
  });
  return model;
}

it("descriptions of models", async () => {
  manualSeed(3);
  const vectorizer = text.vectorizer({ maxLength: 3 }).adapt(["a b", "c"]);
  const { description, data: files } = await modelFiles(network(), {
    vectorizer,
    classes: ["x", "y"],
  });
  await fuzz("model", {
    seeds: [JSON.parse(JSON.stringify(description))],
    read: (value) => modelFromFiles({ description: value, data: files }),
    kept: randomState,
    inputs: 2000,
  });
}, 0);

it("vectorizers", async () => {
  const seed = text.vectorizer({ maxLength: 3, split: "ngrams" }).adapt(["ab", "c"]).toJSON();
  await fuzz("vectorizer", {
    seeds: [seed],
    read: (value) => text.vectorizerFromJSON(value).tokens("abc"),
    inputs: 4000,
  });
}, 0);

it("where Datasets stand", async () => {
  const all = data.fromArrays(rows, labels);
  const whole = data
    .interleave<unknown>(
      all.shuffle({ seed: 1 }).batch(2).prefetch(1),
      data.fromIterable(() => rows).shuffle({ bufferSize: 2 }),
      data.concatenate(all, all.sample({ weights: [1, 2, 3, 4] })).cache(),
      all.filter(([, y]) => y.data[0] === 0).map((row) => row, { parallel: 2 }),
    )
    .repeat(3)
    .skip(1);
  const iterator = whole.iterator();
  const seeds: unknown[] = [];
  for (let i = 0; i < 20; i++) {
    await iterator.next();
    seeds.push(structuredClone(iterator.state()));
  }
  await fuzz("Dataset", {
    seeds,
    read: async (value) => {
      const other = whole.iterator();
      try {
        await other.load(value);
        await other.next();
      } finally {
        await other.return();
      }
    },
    inputs: 1500,
  });
}, 0);

it("what metrics have gathered", async () => {
  const [truth, scores] = [
    [0, 1, 1, 0],
    [0.2, 0.7, 0.4, 0.1],
  ];
  const all = [metrics.f1({ classes: 2 }), metrics.rocAuc(), metrics.r2(), metrics.logLoss()];
  for (const metric of all) {
    const seed = metric.update(truth, scores).state();
    await fuzz(metric.name, {
      seeds: [seed],
      read: (value) => {
        metric.load(value);
        metric.result();
        metric.load(seed);
      },
      kept: () => metric.state(),
      inputs: 1500,
    });
  }
}, 0);

it("random states, optimizers and schedules", async () => {
  manualSeed(5);
  await fuzz("random", {
    seeds: [randomState()],
    read: setRandomState,
    kept: randomState,
    inputs: 4000,
  });
  manualSeed(5);
  const optimizer = new optim.NAdam(nn.linear(2, 2).parameters());
  const { steps, learningRate, variables } = await optimizer.stateDict();
  const toPlain = Object.fromEntries(
    [...variables].map(([name, entry]) => [name, { ...entry, data: Array.from(entry.data) }]),
  );
  await fuzz("optimizer", {
    seeds: [{ steps, learningRate, variables: toPlain }],
    read: (value: object) => {
      const { variables: named } = { variables: undefined as unknown, ...value };
      const map = typeof named === "object" && named ? new Map(Object.entries(named)) : named;
      optimizer.checkStateDict({ ...value, variables: map } as never);
    },
    inputs: 1500,
  });
  const schedule = new train.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 10 });
  await fuzz("schedule", {
    seeds: [schedule.stateDict()],
    read: (value) => {
      schedule.loadStateDict(value);
    },
    kept: () => schedule.stateDict(),
    inputs: 1500,
  });
}, 0);

it("trainings to go on with", async () => {
  manualSeed(4);
  const model = network();
  const options = { verbose: 0, batchSize: 2, epochs: 2 } as const;
  const callbacks = (first: (context: FitContext) => void) => [
    { onTrainBegin: first },
    new train.EarlyStopping({ monitor: "loss", patience: 9 }),
    new train.Scheduler((one) => new train.lrScheduler.StepLR(one, { stepSize: 1 })),
    new train.ReduceLROnPlateau({ monitor: "loss" }),
  ];
  const states: TrainingState[] = [];
  let run: FitContext | undefined;
  const keep = {
    onBatchEnd: () => {
      run!.later(async () => void states.push(await run!.state()));
    },
  };
  const first = callbacks((context) => (run = context));
  await model.fit(rows, labels, { ...options, callbacks: [...first, keep] });
  const last = states.at(-1)!;
  await fuzz("training", {
    seeds: [last.values],
    read: async (values) => {
      const resume = callbacks((context) => {
        context.resume({ values, tensors: last.tensors });
      });
      await model.fit(rows, labels, { ...options, callbacks: resume });
    },
    kept: async () => [await weightsHash(model), randomState()],
    inputs: 400,
    slow: true,
  });
}, 0);
