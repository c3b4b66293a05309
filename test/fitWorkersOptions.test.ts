/** Workers beside everything else that `fit` can be told, and what they cannot do. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as library from "../src/index.js";
import {
  ArgumentError,
  DataError,
  IndexError,
  init,
  nn,
  NonFiniteError,
  optim,
  regularizers,
  shutdown,
  TrainingControl,
  weightsHash,
} from "../src/index.js";
import * as data from "../src/data/index.js";
import type { FitCallbacks, FitOptions } from "../src/index.js";
import * as training from "../src/train/entry.js";
import { model as ownModel } from "./workerModule.mjs";
import type { Training } from "./workerModels.js";
import { cnn, mlp, outcomeOf, train } from "./workerModels.js";

let folder = "";
beforeAll(async () => {
  await init({ threads: 1 });
  folder = await mkdtemp(join(tmpdir(), "ferrograd-workers-"));
});
afterAll(async () => {
  shutdown();
  await rm(folder, { recursive: true });
});

/** All that an optimizer and `compile` may be told. */
const full: Training = {
  ...mlp,
  make: () => {
    const model = nn.sequential(
      nn.linear(6, 12, { activation: "tanh" }),
      nn.batchNorm1d(12),
      nn.dropout(0.25),
      nn.linear(12, 3, { activation: "softmax" }),
    );
    model.compile({
      optimizer: optim.adamW({
        learningRate: 0.02,
        clipValue: 0.5,
        emaMomentum: 0.9,
        groups: [{ maxRank: 1, weightDecay: 0, learningRate: 0.01 }],
      }),
      loss: "sparseCategoricalCrossentropy",
      metrics: ["accuracy", "f1"],
      regularizers: [regularizers.l2(0.01)],
    });
    return model;
  },
};

/** Begins with a frozen convolution and batch norm; lets them go in the second epoch. */
const frozenFirst: Training = {
  ...cnn,
  make: () => {
    const model = cnn.make();
    for (const [path, module] of model.namedModules()) if (path < "2") module.freeze();
    return model;
  },
};

function unfreezing(): FitCallbacks {
  let run: training.FitContext | undefined;
  return {
    onTrainBegin: (context) => {
      run = context;
    },
    onEpochBegin: (epoch) => {
      if (epoch === 1) run!.model.unfreeze();
    },
  };
}

const schedule = (): FitCallbacks =>
  new training.Scheduler(
    (optimizer) => new training.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 9, etaMin: 1e-3 }),
    { interval: "step" },
  );

const weights = Float32Array.from({ length: 63 }, (_, i) => (i % 4) / 2);

const cases: readonly (readonly [string, Training, () => FitOptions])[] = [
  ["gradient accumulation", full, () => ({ gradientAccumulationSteps: 3 })],
  [
    "class and sample weights, and validation",
    full,
    () => ({ classWeight: "balanced", sampleWeight: weights, validationSplit: 0.2 }),
  ],
  [
    "schedules and averaged weights",
    full,
    () => ({ callbacks: [new training.SwapEMAWeights(), schedule()] }),
  ],
  ["layers that are frozen at first", frozenFirst, () => ({ callbacks: [unfreezing()] })],
];

describe.each(cases)("with %s", (_, of, options) => {
  it("comes to the same bits on 1 and 2 workers", async () => {
    const one = await train(of, { ...options(), workers: 1 });
    expect((await train(of, { ...options(), workers: 2 })).outcome).toEqual(one.outcome);
  });

  it("learns what it learns without workers, where the batch is one shard", async () => {
    const alone = await train(of, options());
    const { history, model } = await train(of, { ...options(), workers: 1, shards: 1 });
    expect(Object.keys(history.history)).toEqual(Object.keys(alone.history.history));
    for (const [name, values] of Object.entries(alone.history.history)) {
      history.history[name]!.forEach((value, epoch) => {
        expect(value, name).toBeCloseTo(values[epoch]!, 4);
      });
    }
    const state = await model.stateDict();
    for (const [name, { data: expected }] of await alone.model.stateDict()) {
      const found = state.get(name)!.data;
      const distance = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
      expect(distance, name).toBeLessThan(1e-4);
    }
  });
});

it("leaves the statistics of a frozen batch norm as they are, to the bit", async () => {
  const before = Float32Array.of(0.1, 0.7, -0.3, 1 / 3);
  const of: Training = {
    ...cnn,
    make: () => {
      const model = cnn.make();
      model.namedModules().get("1")!.freeze();
      model.namedVariables().get("1.running_mean")!.set(before);
      return model;
    },
  };
  // Shards of unequal shares, which do not add up to 1 in float32.
  const { model } = await train({ ...of, batchSize: 11 }, { workers: 2, shards: 3, epochs: 4 });
  expect((await model.stateDict()).get("1.running_mean")!.data).toEqual(before);
});

it("trains on a Dataset, by steps", async () => {
  const course = async (workers: number): Promise<object> => {
    library.manualSeed(5);
    const model = mlp.make();
    const rows = Array.from({ length: 63 }, (_, i) => i);
    const batches = data
      .fromList(rows)
      .map((row): [Float32Array, number] => [
        Float32Array.from(mlp.x.data.subarray(6 * row, 6 * row + 6)),
        mlp.y[row]!,
      ])
      .shuffle()
      .batch(8);
    const options = { epochs: 3, stepsPerEpoch: 5, verbose: 0, workers } as const;
    return outcomeOf(model, await model.fit(batches, options));
  };
  expect(await course(2)).toEqual(await course(1));
});

describe("a run that is stopped", () => {
  it("goes on from a checkpoint on another number of workers, to the same bits", async () => {
    const options = { epochs: 3, gradientAccumulationSteps: 2, workers: 2 };
    const whole = await train(full, options);
    const controller = new AbortController();
    let batches = 0;
    const stopping: FitCallbacks = {
      onBatchEnd: () => {
        if (++batches === 6) controller.abort();
      },
    };
    const backup = (): FitCallbacks => new training.BackupAndRestore(join(folder, "backup"));
    const { signal } = controller;
    const first = train(full, { ...options, signal, callbacks: [backup(), stopping] });
    await expect(first).rejects.toThrow(/abort/);
    const other = train(full, { ...options, shards: 2, callbacks: [backup()] });
    await expect(other).rejects.toThrow(DataError);
    await expect(other).rejects.toThrow("a run with shards 4, not 2");
    const alone = train(full, { ...options, workers: undefined, callbacks: [backup()] });
    await expect(alone).rejects.toThrow("a run with shards 4, not 0");
    const second = await train(full, { ...options, workers: 1, callbacks: [backup()] });
    expect(second.outcome).toEqual(whole.outcome);
  });

  it("pauses, and ends when it is told to", async () => {
    const control = new TrainingControl();
    let batches = 0;
    const counting: FitCallbacks = {
      onBatchEnd: () => {
        if (++batches !== 2) return;
        control.pause();
        setTimeout(() => control.stop(), 20);
      },
    };
    await train(mlp, { workers: 2, control, callbacks: [counting] });
    expect(batches).toBe(2);
  });
});

describe("what goes wrong", () => {
  it("leaves the model as it was where a loss is not finite", async () => {
    const bad = { ...full.x, data: Float32Array.from(full.x.data) };
    bad.data[6 * 15] = NaN;
    const at = { ...full, x: bad };
    library.manualSeed(5);
    const before = await weightsHash(full.make());
    let model: library.nn.Model | undefined;
    const keeping: FitCallbacks = {
      onTrainBegin: (context) => {
        ({ model } = context);
      },
    };
    const options = { workers: 2, shuffle: false, callbacks: [keeping] };
    const failed = train(at, options);
    await expect(failed).rejects.toThrow(NonFiniteError);
    await expect(failed).rejects.toThrow("not finite at epoch 1, step 1");
    expect(await weightsHash(model!)).toBe(before);
    const { data: mean } = (await model!.stateDict()).get("1.running_mean")!;
    expect([...mean]).toEqual(Array<number>(12).fill(0));
    // Those who stop the run instead get what was reported.
    const tolerant = [keeping, new training.TerminateOnNaN()];
    const { history } = await train(at, { ...options, callbacks: tolerant });
    expect(history.epoch).toEqual([]);
    expect(await weightsHash(model!)).toBe(before);
  });

  it("says which label is none", async () => {
    const y = Int32Array.from(mlp.y);
    y[40] = 7;
    await expect(train({ ...mlp, y }, { workers: 2 })).rejects.toThrow(IndexError);
  });

  it.each<readonly [FitOptions, string]>([
    [{ workers: 0 }, "fit: workers is 0; it must be a whole number ≥ 1"],
    [{ workers: 1.5 }, "fit: workers is 1.5"],
    [{ workers: 2, shards: 1 }, "1 shards leave some of 2 workers without work"],
    [{ shards: 4 }, "fit: shards is for workers"],
    [{ workerModule: "x" }, "fit: workerModule is for workers"],
    [{ workers: 1, workerModule: "model.js" }, 'workerModule "model.js" is no address'],
  ])("refuses %o", async (options, message) => {
    const failed = train(mlp, options);
    await expect(failed).rejects.toThrow(ArgumentError);
    await expect(failed).rejects.toThrow(message);
  });
});

describe("a model of one's own layers", () => {
  const own: Training = {
    ...mlp,
    make: () => {
      const model = ownModel(library);
      model.compile({ optimizer: optim.adam(), loss: "sparseCategoricalCrossentropy" });
      return model;
    },
  };
  const workerModule = new URL("workerModule.mjs", import.meta.url);

  it("comes from a module", async () => {
    const one = await train(own, { workers: 1, workerModule });
    expect((await train(own, { workers: 2, workerModule })).outcome).toEqual(one.outcome);
    expect(one.history.history.loss![1]).toBeLessThan(one.history.history.loss![0]!);
  });

  it("is refused without, and where the module makes another", async () => {
    const failed = train(own, { workers: 1 });
    await expect(failed).rejects.toThrow(ArgumentError);
    await expect(failed).rejects.toThrow(/type "doubled".*pass workerModule/);
    const another = train(cnn, { workers: 1, workerModule });
    await expect(another).rejects.toThrow(ArgumentError);
    await expect(another).rejects.toThrow(
      "the parameter 0.weight [8, 6] float32 in the place of the parameter 0.weight [4, 1, 3, 3]",
    );
    const missing = train(own, { workers: 1, workerModule: new URL("none.mjs", import.meta.url) });
    await expect(missing).rejects.toThrow(ArgumentError);
    await expect(missing).rejects.toThrow(/none.mjs cannot be loaded/);
    const none = new URL("data:text/javascript,export const model = 1");
    await expect(train(own, { workers: 1, workerModule: none })).rejects.toThrow("no function");
    const strange = new URL("data:text/javascript,export const model = () => 1");
    await expect(train(own, { workers: 1, workerModule: strange })).rejects.toThrow("no model");
  });

  it("says so where a description would be another model", async () => {
    const shared = nn.linear(6, 6);
    class Linear extends nn.Linear {
      override run(signal: nn.Signal): nn.Signal {
        return super.run(super.run(signal));
      }
    }
    const models: readonly (readonly [nn.Sequential, RegExp])[] = [
      [nn.sequential(shared, shared), /1.weight.* in the place of .*shared with 0.weight/],
      [nn.sequential(new Linear({ inFeatures: 6, outFeatures: 6 })), /layer 0 is a Linear/],
    ];
    for (const [model, message] of models) {
      model.compile({ optimizer: optim.sgd(), loss: "sparseCategoricalCrossentropy" });
      const failed = train({ ...mlp, make: () => model }, { workers: 1 });
      await expect(failed).rejects.toThrow(ArgumentError);
      await expect(failed).rejects.toThrow(message);
    }
  });
});

it("says so where there is no script for workers", async () => {
  shutdown();
  await init({ threads: 1, replicaUrl: new URL("noSuchReplica.js", import.meta.url) });
  await expect(train(mlp, { workers: 1 })).rejects.toThrow("noSuchReplica.js");
  shutdown();
  await init({ threads: 1 });
});
