/** `fit` in full: what counts how much, shared updates, moments, stopping, pausing and going on. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArgumentError,
  DataError,
  engine,
  init,
  manualSeed,
  nn,
  optim,
  randomState,
  regularizers,
  shutdown,
  TrainingControl,
  weightsHash,
} from "../src/index.js";
import * as data from "../src/data/index.js";
import type {
  CompileOptions,
  FitCallbacks,
  FitContext,
  FitEvent,
  FitOptions,
  TrainingState,
} from "../src/index.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const silent = { verbose: 0 } as const;
const rows = Array.from({ length: 20 }, (_, i) => [i / 20, Math.sin(i), (i % 4) - 1.5]);
const labels = Int32Array.from({ length: 20 }, (_, i) => (i % 5 === 0 ? 1 : 0));

function classifier(options: Partial<CompileOptions> = {}, dropout = 0): nn.Sequential {
  manualSeed(4);
  const model = nn.sequential(
    nn.linear(3, 6, { activation: "tanh" }),
    nn.dropout(dropout),
    nn.linear(6, 2, { activation: "softmax" }),
  );
  model.compile({
    optimizer: optim.adam({ learningRate: 0.02 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
    ...options,
  });
  return model;
}

async function weightsOf(model: nn.Sequential): Promise<number[]> {
  const all: number[] = [];
  for (const parameter of model.parameters()) all.push(...(await parameter.data()));
  return all;
}

async function trained(options: FitOptions, model = classifier()): Promise<string> {
  await model.fit(rows, labels, { ...silent, batchSize: 4, ...options });
  return weightsHash(model);
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error("it did not reject"),
    (error: unknown) => error as Error,
  );
}

describe("class weights", () => {
  it("are sample weights by class", async () => {
    const sampleWeight = Array.from(labels, (label) => (label ? 4 : 0.5));
    const expected = await trained({ sampleWeight });
    expect(await trained({ classWeight: [0.5, 4] })).toBe(expected);
    expect(await trained({ classWeight: { 1: 4, 0: 0.5 } })).toBe(expected);
    expect(await trained({})).not.toBe(expected);
    // On top of those of rows.
    const half = Array.from(labels, () => 2);
    expect(await trained({ classWeight: [0.25, 2], sampleWeight: half })).toBe(expected);
  });

  it("balanced: rows over classes times rows of the class, as scikit-learn has it", async () => {
    // 16 rows of class 0, 4 of class 1.
    const expected = await trained({ classWeight: { 0: 20 / (2 * 16), 1: 20 / (2 * 4) } });
    expect(await trained({ classWeight: "balanced" })).toBe(expected);
    const oneHot = Array.from(labels, (label) => [1 - label, label]);
    const model = classifier({ loss: "categoricalCrossentropy" });
    await model.fit(rows, oneHot, { ...silent, batchSize: 4, classWeight: "balanced" });
    const plain = classifier({ loss: "categoricalCrossentropy" });
    const sampleWeight = Array.from(labels, (label) => (label ? 2.5 : 0.625));
    await plain.fit(rows, oneHot, { ...silent, batchSize: 4, sampleWeight });
    expect(await weightsHash(model)).toBe(await weightsHash(plain));
  });

  it("do not count in validation", async () => {
    const options = { ...silent, validationSplit: 0.25, classWeight: [0.1, 5] };
    const model = classifier();
    const { history } = await model.fit(rows, labels, options);
    const { loss } = await model.evaluate(rows.slice(15), labels.slice(15));
    expect(history.valLoss![0]).toBeCloseTo(loss!, 6);
  });

  it("weigh the batches of a Dataset", async () => {
    const batches = (): data.Dataset<[number[][], Int32Array]> =>
      data
        .fromList([0, 4, 8, 12, 16])
        .map((from): [number[][], Int32Array] => [
          rows.slice(from, from + 4),
          labels.slice(from, from + 4),
        ]);
    const [one, other] = [classifier(), classifier()];
    await one.fit(batches(), { ...silent, classWeight: [0.5, 4] });
    await other.fit(rows, labels, {
      ...silent,
      batchSize: 4,
      shuffle: false,
      classWeight: [0.5, 4],
    });
    expect(await weightsHash(one)).toBe(await weightsHash(other));
    await expect(one.fit(batches(), { ...silent, classWeight: "balanced" })).rejects.toThrow(
      "counts the classes, which takes arrays",
    );
  });

  it("refuse classes without one, and targets that are none", async () => {
    const fit = (classWeight: FitOptions["classWeight"], y: number[] | Int32Array = labels) =>
      rejection(classifier().fit(rows, y, { ...silent, classWeight }));
    expect((await fit([1])).message).toContain("classWeight has no weight of class 1, which row 0");
    expect((await fit([1, -1])).message).toContain("classWeight of class 1 is -1");
    const halves = Array.from(labels, (label) => label / 2);
    expect((await fit([1, 1], halves)).message).toContain("row 0 of y is 0.5");
    const error = await rejection(
      classifier().fit(rows, { data: new Int32Array(80), shape: [20, 2, 2] }, { classWeight: [1] }),
    );
    expect(error.message).toContain("one class a row; y is [20, 2, 2]: use sampleWeight");
  });
});

describe("gradient accumulation", () => {
  // Rounding apart, several batches are as one.
  it.each([
    { batchSize: 5, gradientAccumulationSteps: 2, whole: 10 },
    { batchSize: 2, gradientAccumulationSteps: 4, whole: 8 },
    { batchSize: 3, gradientAccumulationSteps: 2, whole: 6 },
    { batchSize: 20, gradientAccumulationSteps: 3, whole: 20 },
  ])("of $batchSize rows $gradientAccumulationSteps times is a step of $whole", async (options) => {
    const { whole, ...accumulating } = options;
    const sampleWeight = rows.map((_, i) => 0.5 + (i % 3));
    const common = { ...silent, epochs: 3, shuffle: false, sampleWeight };
    const setting = { optimizer: optim.sgd({ learningRate: 0.5, momentum: 0.9, clipNorm: 0.5 }) };
    const [one, other] = [classifier(setting), classifier(setting)];
    const a = await one.fit(rows, labels, { ...common, ...accumulating });
    const b = await other.fit(rows, labels, { ...common, batchSize: whole });
    const [found, expected] = [await weightsOf(one), await weightsOf(other)];
    found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
    expect(one.setup("test").optimizer.steps).toBe(other.setup("test").optimizer.steps);
    expect(a.history.loss!.length).toBe(b.history.loss!.length);
  });

  it("updates with what is left where a Dataset of unknown length ends", async () => {
    const pairs = rows.map((row, i) => [[row], labels.slice(i, i + 1)] as const);
    const dataset = data.fromIterable(function* () {
      yield* pairs.slice(0, 7);
    });
    const model = classifier({ optimizer: optim.sgd({ learningRate: 0.5 }) });
    expect(dataset.size).toBeUndefined();
    await model.fit(dataset, { ...silent, gradientAccumulationSteps: 3, epochs: 2 });
    expect(model.setup("test").optimizer.steps).toBe(6);
    const other = classifier({ optimizer: optim.sgd({ learningRate: 0.5 }) });
    await other.fit(rows.slice(0, 7), labels.slice(0, 7), {
      ...silent,
      batchSize: 3,
      shuffle: false,
      epochs: 2,
    });
    const expected = await weightsOf(other);
    (await weightsOf(model)).forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 5));
  });

  it("keeps what a bad batch would have spoilt, and begins anew in the next fit", async () => {
    const model = classifier({ optimizer: optim.sgd({ learningRate: 0.1 }) });
    const before = await weightsHash(model);
    const bad = rows.map((row, i) => (i === 3 ? [NaN, 0, 0] : row));
    const options = { ...silent, batchSize: 2, gradientAccumulationSteps: 5, shuffle: false };
    const error = await rejection(model.fit(bad, labels, options));
    expect(error.message).toContain("epoch 1, step 2");
    expect(await weightsHash(model)).toBe(before);
    expect(model.setup("test").optimizer.steps).toBe(0);
    await model.fit(rows, labels, options);
    const clean = classifier({ optimizer: optim.sgd({ learningRate: 0.1 }) });
    await clean.fit(rows, labels, options);
    expect(await weightsHash(model)).toBe(await weightsHash(clean));
  });
});

describe("regularizers", () => {
  it("add their penalty to the loss, in training and evaluation, and to gradients", async () => {
    const plain = classifier();
    const punished = classifier({
      regularizers: [
        regularizers.l2(0.1, { names: ["0.*"] }),
        regularizers.l1(0.3, { names: ["2.weight"] }),
      ],
    });
    const [first, , last] = punished.parameters();
    const squares = Array.from(await first!.data()).reduce((sum, w) => sum + w * w, 0);
    const absolutes = Array.from(await last!.data()).reduce((sum, w) => sum + Math.abs(w), 0);
    const penalty = 0.1 * squares + 0.3 * absolutes;
    const a = await plain.evaluate(rows, labels, { batchSize: 7 });
    const b = await punished.evaluate(rows, labels, { batchSize: 7 });
    expect(b.loss).toBeCloseTo(a.loss! + penalty, 5);
    expect(b.accuracy).toBe(a.accuracy);
    const options = { ...silent, batchSize: 20 };
    const fitted = await punished.fit(rows, labels, options);
    expect(fitted.history.loss![0]).toBeCloseTo(b.loss!, 5);
  });

  it("l2 is SGD's weight decay of twice the factor", async () => {
    const make = (options: Partial<CompileOptions>) => classifier(options);
    const decayed = make({
      optimizer: optim.sgd({
        learningRate: 0.1,
        weightDecay: 0,
        groups: [{ minRank: 2, weightDecay: 0.2 }],
      }),
    });
    const punished = make({
      optimizer: optim.sgd({ learningRate: 0.1 }),
      regularizers: [regularizers.l2(0.1)],
    });
    for (const gradientAccumulationSteps of [1, 2]) {
      const options = { ...silent, batchSize: 5, gradientAccumulationSteps };
      await decayed.fit(rows, labels, options);
      await punished.fit(rows, labels, options);
      const expected = await weightsOf(decayed);
      (await weightsOf(punished)).forEach((w, i) => expect(w).toBeCloseTo(expected[i]!, 5));
    }
  });

  it("refuse what cannot be meant", () => {
    const make = (regularizer: regularizers.Regularizer) => () =>
      classifier({ regularizers: [regularizer] });
    expect(make({})).toThrow("compile: regularizers[0] has neither l1 nor l2");
    expect(make({ l2: -1 })).toThrow("regularizers[0].l2 is -1");
    expect(make(regularizers.l1l2({ l1: 1, l2: 1 }, { names: ["9.*"] }))).toThrow(
      "regularizers[0] selects no parameter",
    );
  });
});

describe("epochs", () => {
  it("begin with initialEpoch: two fits are as one", async () => {
    const [whole, parts] = [classifier({}, 0.3), classifier({}, 0.3)];
    const a = await whole.fit(rows, labels, { ...silent, epochs: 4, batchSize: 8 });
    manualSeed(4);
    const again = classifier({}, 0.3);
    const first = await again.fit(rows, labels, { ...silent, epochs: 2, batchSize: 8 });
    const then = { ...silent, initialEpoch: 2, epochs: 4, batchSize: 8 };
    const rest = await again.fit(rows, labels, then);
    expect(rest.epoch).toEqual([2, 3]);
    expect([...first.history.loss!, ...rest.history.loss!]).toEqual(a.history.loss);
    expect(await weightsHash(again)).toBe(await weightsHash(whole));
    const error = await rejection(parts.fit(rows, labels, { initialEpoch: 3, epochs: 3 }));
    expect(error).toBeInstanceOf(ArgumentError);
    expect(error.message).toContain("initialEpoch 3 is not before epoch 3");
  });

  it("overfitBatches trains on the first rows only, and measures on them", async () => {
    const [few, same] = [classifier(), classifier()];
    const options = { ...silent, batchSize: 4, epochs: 3 };
    const { history } = await few.fit(rows, labels, {
      ...options,
      overfitBatches: 2,
      validationSplit: 0.2,
    });
    await same.fit(rows.slice(0, 8), labels.slice(0, 8), { ...options, shuffle: false });
    expect(await weightsHash(few)).toBe(await weightsHash(same));
    const { loss } = await few.evaluate(rows.slice(0, 8), labels.slice(0, 8), { batchSize: 4 });
    expect(history.valLoss!.at(-1)).toBeCloseTo(loss!, 6);
    const shuffled = data
      .fromList(rows.map((row, i) => [[row], labels.slice(i, i + 1)] as const))
      .shuffle({ seed: 3 });
    const seen: number[] = [];
    const onBatchEnd = (_: number, { loss: value }: Readonly<Record<string, number>>): void =>
      void seen.push(value!);
    const still = classifier({ optimizer: optim.sgd({ learningRate: 0 }) });
    await still.fit(shuffled, {
      ...silent,
      epochs: 2,
      overfitBatches: 2,
      callbacks: [{ onBatchEnd }],
    });
    expect(seen.slice(2)).toEqual(seen.slice(0, 2));
  });

  it("fastDevRun tries a batch of everything, and leaves nothing behind", async () => {
    const called: string[] = [];
    const callbacks: FitCallbacks[] = [
      {
        onBatchEnd: (step) => void called.push(`batch ${step}`),
        onTestEnd: () => void called.push("test"),
      },
      { skipInDevRun: true, onEpochEnd: () => void called.push("saved") },
    ];
    const options = { ...silent, batchSize: 4, epochs: 9, validationSplit: 0.5, callbacks };
    const { epoch } = await classifier().fit(rows, labels, { ...options, fastDevRun: true });
    expect(epoch).toEqual([0]);
    expect(called).toEqual(["batch 1", "test"]);
    called.length = 0;
    await classifier().fit(rows, labels, { ...options, fastDevRun: 2 });
    expect(called).toEqual(["batch 1", "batch 2", "test"]);
    const error = await rejection(classifier().fit(rows, labels, { fastDevRun: 0 }));
    expect(error.message).toContain("fit: fastDevRun is 0");
  });
});

it("layers frozen after a fit stay as they are in the next one", async () => {
  const model = classifier();
  await model.fit(rows, labels, { ...silent, batchSize: 4 });
  const before = await model.parameters()[0]!.data();
  model.layers[0]!.freeze();
  const head = await model.parameters()[2]!.data();
  await model.fit(rows, labels, { ...silent, batchSize: 4 });
  expect(await model.parameters()[0]!.data()).toEqual(before);
  expect(await model.parameters()[2]!.data()).not.toEqual(head);
  model.layers[0]!.unfreeze();
  await model.fit(rows, labels, { ...silent, batchSize: 4 });
  expect(await model.parameters()[0]!.data()).not.toEqual(before);
});

it("leaves averages in the model at its end, where the optimizer keeps them", async () => {
  const averaging = classifier({ optimizer: optim.sgd({ learningRate: 0.2, emaMomentum: 0.5 }) });
  const plain = classifier({ optimizer: optim.sgd({ learningRate: 0.2 }) });
  let average: number[] = [];
  const onBatchEnd = async (): Promise<void> => {
    const now = await weightsOf(plain);
    average = average.length > 0 ? now.map((w, i) => w + 0.5 * (average[i]! - w)) : now;
  };
  const options = { ...silent, batchSize: 4, epochs: 2 };
  await plain.fit(rows, labels, { ...options, callbacks: [{ onBatchEnd }] });
  await averaging.fit(rows, labels, options);
  (await weightsOf(averaging)).forEach((w, i) => expect(w).toBeCloseTo(average[i]!, 6));
  expect(await weightsOf(averaging)).not.toEqual(await weightsOf(plain));
});

describe("moments", () => {
  it("come in order, and each is waited for", async () => {
    const heard: string[] = [];
    const note = async (text: string): Promise<void> => {
      await Promise.resolve();
      heard.push(text);
    };
    const callbacks: FitCallbacks = {
      onTrainBegin: ({ epochs, steps }) => note(`train of ${epochs} × ${steps}`),
      onEpochBegin: (epoch) => note(`epoch ${epoch}`),
      onBatchBegin: (step) => note(`batch ${step}`),
      onBatchEnd: (step, { loss }) => note(`batch ${step} ended ${typeof loss}`),
      onTestBegin: () => note("test"),
      onTestEnd: ({ valLoss }) => note(`test ended ${typeof valLoss}`),
      onEpochEnd: (epoch, { loss, valLoss }) =>
        note(`epoch ${epoch} ended ${typeof loss} ${typeof valLoss}`),
      onTrainEnd: ({ valLoss }) => note(`train ended ${typeof valLoss}`),
      onInterrupt: () => note("interrupted"),
    };
    const options = { ...silent, batchSize: 10, validationSplit: 0.4, callbacks: [callbacks] };
    await classifier().fit(rows, labels, options);
    expect(heard).toEqual([
      "train of 1 × 2",
      "epoch 0",
      "batch 1",
      "batch 1 ended number",
      "batch 2",
      "batch 2 ended number",
      "test",
      "test ended number",
      "epoch 0 ended number number",
      "train ended number",
    ]);
  });

  it("may add to the report, stop the run, and put things off", async () => {
    const heard: string[] = [];
    let run: FitContext | undefined;
    const first: FitCallbacks = {
      onTrainBegin: (context) => {
        run = context;
      },
      onBatchEnd: () => {
        run!.later(() => void heard.push(`later at ${run!.epoch}.${run!.step}`));
        heard.push("first");
      },
      onEpochEnd: (epoch) => {
        run!.report("twice", 2 * epoch);
        if (epoch === 1) run!.stop("enough");
      },
    };
    const second: FitCallbacks = {
      onBatchEnd: () => void heard.push("second"),
      onEpochEnd: (_, { twice }) => void heard.push(`epoch ${twice}`),
    };
    const options = { ...silent, batchSize: 20, epochs: 5, callbacks: [first, second] };
    const { history, epoch } = await classifier().fit(rows, labels, options);
    expect(epoch).toEqual([0, 1]);
    expect(history.twice).toEqual([0, 2]);
    expect(heard).toEqual([
      ...["first", "second", "later at 0.1", "epoch 0"],
      ...["first", "second", "later at 1.1", "epoch 2"],
    ]);
    expect(run!.stopReason).toBe("enough");
    expect(run!.totalSteps).toBe(2);
  });

  it("a stop within an epoch leaves it; at its last batch it ends", async () => {
    for (const [at, epochs] of [
      [3, 0],
      [5, 1],
    ] as const) {
      let run: FitContext | undefined;
      const callbacks: FitCallbacks = {
        onTrainBegin: (context) => {
          run = context;
        },
        onBatchEnd: (step) => {
          if (step === at) run!.stop("enough");
        },
      };
      const options = { ...silent, batchSize: 4, epochs: 3, callbacks: [callbacks] };
      const { epoch } = await classifier().fit(rows, labels, options);
      expect(epoch.length).toBe(epochs);
      expect(run!.totalSteps).toBe(at);
    }
  });

  it("tell of a failure, which is what fit rejects with", async () => {
    const heard: string[] = [];
    const failing: FitCallbacks = {
      onBatchEnd: (step) => {
        if (step === 2) throw new TypeError("mine");
      },
      onInterrupt: (how) => {
        heard.push(how);
        throw new Error("and another");
      },
    };
    const model = classifier();
    const options = { ...silent, batchSize: 4, callbacks: [failing] };
    expect((await rejection(model.fit(rows, labels, options))).message).toBe("mine");
    expect(heard).toEqual(["failed"]);
    await model.fit(rows, labels, silent);
  });
});

describe("a run from outside", () => {
  it("stops within one batch when it is aborted, with its reason, and the model is whole", async () => {
    const controller = new AbortController();
    const [heard, model] = [[] as string[], classifier()];
    let steps = 0;
    const callbacks: FitCallbacks = {
      onBatchEnd: () => {
        if (++steps === 7) controller.abort(new RangeError("enough"));
      },
      onInterrupt: (how) => void heard.push(how),
      onTrainEnd: () => void heard.push("end"),
    };
    const options = { ...silent, batchSize: 4, epochs: 9, callbacks: [callbacks] };
    const fit = model.fit(rows, labels, { ...options, signal: controller.signal });
    const error = await rejection(fit);
    expect(error).toBe(controller.signal.reason);
    expect([steps, heard]).toEqual([7, ["aborted"]]);
    // What it has learnt is what 7 steps are.
    const other = classifier();
    await rejection(
      other.fit(rows, labels, {
        ...options,
        callbacks: [
          {
            onBatchEnd: (step) => {
              if (step === 2 && other.setup("").optimizer.steps === 7) throw new Error();
            },
          },
        ],
      }),
    );
    expect(await weightsHash(model)).toBe(await weightsHash(other));
    const done = await rejection(
      model.fit(rows, labels, { ...silent, signal: AbortSignal.abort() }),
    );
    expect(done.name).toBe("AbortError");
  });

  it("is reached by timers and signals while it trains", async () => {
    const model = classifier();
    const signal = AbortSignal.timeout(20);
    const fit = model.fit(rows, labels, { ...silent, batchSize: 1, epochs: 1_000_000, signal });
    expect((await rejection(fit)).name).toBe("TimeoutError");
  });

  it("is aborted while it validates", async () => {
    const controller = new AbortController();
    const callbacks: FitCallbacks = { onTestBegin: () => controller.abort() };
    const options = { ...silent, validationSplit: 0.5, signal: controller.signal };
    const fit = classifier().fit(rows, labels, { ...options, callbacks: [callbacks] });
    expect((await rejection(fit)).name).toBe("AbortError");
  });

  it("pauses before a batch, resumes to the same bits, and stops", async () => {
    const expected = await trained({ epochs: 2 });
    const control = new TrainingControl();
    const model = classifier();
    let steps = 0;
    const onBatchEnd = (): void => {
      if (++steps === 3) control.pause();
    };
    const options = { ...silent, batchSize: 4, epochs: 2, control, callbacks: [{ onBatchEnd }] };
    const fit = model.fit(rows, labels, options);
    for (let turns = 0; turns < 50; turns++) await new Promise((go) => setImmediate(go));
    expect([steps, control.paused]).toEqual([3, true]);
    // While it waits the model can be used.
    await model.evaluate(rows, labels);
    control.resume();
    const { epoch } = await fit;
    expect(epoch).toEqual([0, 1]);
    expect(steps).toBe(10);
    expect(await weightsHash(model)).toBe(expected);

    const other = new TrainingControl();
    const stopped = await classifier().fit(rows, labels, {
      ...silent,
      batchSize: 4,
      epochs: 5,
      control: other,
      callbacks: [{ onEpochEnd: (number) => (number === 1 ? other.stop() : undefined) }],
    });
    expect(stopped.epoch).toEqual([0, 1]);
    expect(other.stopped).toBe(true);
  });

  it("is aborted while it is paused", async () => {
    const [control, controller] = [new TrainingControl(), new AbortController()];
    control.pause();
    const fit = classifier().fit(rows, labels, { ...silent, control, signal: controller.signal });
    setImmediate(() => controller.abort());
    expect((await rejection(fit)).name).toBe("AbortError");
  });

  it("is followed event by event, to the same bits as fit", async () => {
    const events: FitEvent[] = [];
    const model = classifier();
    const run = model.fitEvents(rows, labels, { ...silent, batchSize: 10, epochs: 2 });
    for await (const event of run) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      ...["epochBegin", "batchEnd", "batchEnd", "epochEnd"],
      ...["epochBegin", "batchEnd", "batchEnd", "epochEnd"],
    ]);
    expect(events[6]).toMatchObject({ epoch: 1, step: 2, steps: 2 });
    expect(await weightsHash(model)).toBe(await trained({ batchSize: 10, epochs: 2 }));
  });

  it("waits for whoever follows it, and ends where that one leaves", async () => {
    const heard: string[] = [];
    let steps = 0;
    const callbacks: FitCallbacks = {
      onBatchEnd: () => {
        steps++;
      },
      onInterrupt: (how) => void heard.push(how),
    };
    const model = classifier();
    const options = { ...silent, batchSize: 4, epochs: 9, callbacks: [callbacks] };
    for await (const event of model.fitEvents(rows, labels, options)) {
      for (let turns = 0; turns < 5; turns++) await new Promise((go) => setImmediate(go));
      if (event.type !== "batchEnd") continue;
      expect(steps).toBe(event.step);
      if (event.step === 3) break;
    }
    expect([steps, heard]).toEqual([3, ["aborted"]]);
    const { history } = await model.fit(rows, labels, silent);
    expect(history.loss![0]).toBeGreaterThan(0);
  });
});

describe("the state of a run", () => {
  /** Keeps the state of a run after a batch. */
  function keeper(at: number): FitCallbacks & { kept: TrainingState | undefined } {
    let run: FitContext | undefined;
    const keep = {
      kept: undefined as TrainingState | undefined,
      onTrainBegin: (context: FitContext): void => {
        run = context;
      },
      onBatchEnd: (): void => {
        if (run!.totalSteps !== at) return;
        run!.later(async () => {
          keep.kept = await run!.state();
        });
      },
    };
    return keep;
  }

  const resuming = (state: TrainingState): FitCallbacks => ({
    onTrainBegin: (context) => context.resume(state),
  });

  const batchOf = (i: number): [number[][], Int32Array] => [[rows[i]!], labels.slice(i, i + 1)];
  const pipeline = (): data.Dataset<[number[][], Int32Array]> =>
    data
      .fromList(rows.map((_, i) => i))
      .shuffle({ seed: 9 })
      .map(batchOf);

  it.each<[string, FitOptions, "array" | "dataset"]>([
    ["arrays", { batchSize: 4, epochs: 3 }, "array"],
    ["shared updates", { batchSize: 4, epochs: 3, gradientAccumulationSteps: 3 }, "array"],
    ["a Dataset", { epochs: 3 }, "dataset"],
    ["a Dataset cut by steps", { epochs: 3, stepsPerEpoch: 7 }, "dataset"],
    ["shared updates of a Dataset", { epochs: 2, gradientAccumulationSteps: 4 }, "dataset"],
  ])("goes on to the same bits after any batch: %s", async (_, options, kind) => {
    const run = async (callbacks: FitCallbacks[], settings = options) => {
      const model = classifier({}, 0.3);
      const all = { ...silent, ...settings, callbacks };
      const { history, epoch } = await (kind === "array"
        ? model.fit(rows, labels, all)
        : model.fit(pipeline(), all));
      return { hash: await weightsHash(model), history, epoch, random: randomState() };
    };
    const whole = await run([]);
    let total = 0;
    await run([
      {
        onBatchEnd: () => {
          total++;
        },
      },
    ]);
    for (let at = 1; at <= total; at += kind === "array" ? 1 : 4) {
      const keep = keeper(at);
      expect(await run([keep])).toEqual(whole);
      manualSeed(99);
      expect(await run([resuming(keep.kept!)])).toEqual(whole);
    }
  });

  it("is refused, with the model as it was, where it does not fit", async () => {
    const keep = keeper(3);
    const options = { ...silent, batchSize: 4, callbacks: [keep] };
    await classifier().fit(rows, labels, options);
    const state = keep.kept!;
    const attempt = async (
      changed: TrainingState,
      fitting: FitOptions = {},
      model = classifier(),
    ): Promise<string> => {
      const [before, random] = [await weightsHash(model), randomState()];
      const callbacks = [resuming(changed), ...(fitting.callbacks ?? [])];
      const error = await rejection(
        model.fit(rows, labels, { ...silent, batchSize: 4, ...fitting, callbacks }),
      );
      expect(error).toBeInstanceOf(DataError);
      expect(await weightsHash(model)).toBe(before);
      expect(randomState()).toEqual(random);
      return error.message;
    };
    expect(await attempt(state, { batchSize: 5 })).toContain("batchSize 4, not 5");
    expect(await attempt(state, { seed: 3 })).toContain("seed 0, not 3");
    expect(await attempt(state, { gradientAccumulationSteps: 2 })).toContain(
      "gradientAccumulationSteps 1, not 2",
    );
    const other: FitCallbacks = { name: "mine", state: () => ({ values: {} }) };
    expect(await attempt(state, { callbacks: [other] })).toContain("this run has mine, history");
    const values = (changed: object): TrainingState => ({
      ...state,
      values: { ...state.values, ...changed },
    });
    expect(await attempt(values({ format: "x" }))).toContain("is not one of a training");
    expect(await attempt(values({ version: 9 }))).toContain("version 9");
    expect(await attempt(values({ epoch: -1 }))).toContain("lacks part of its state");
    expect(await attempt(values({ random: undefined }))).toContain("lacks part");
    const without = (prefix: string): TrainingState => ({
      ...state,
      tensors: new Map([...state.tensors].filter(([name]) => !name.startsWith(prefix))),
    });
    expect(await attempt(without("model.0.weight"))).toContain("missing 0.weight");
    expect(await attempt(without("optimizer.m.0"))).toContain("lacks m.0");
    const sgd = classifier({ optimizer: optim.sgd({ momentum: 0.9 }) });
    expect(await attempt(state, {}, sgd)).toContain("lacks momentum.0");
    const metrics = classifier({ metrics: [] });
    expect(await attempt(state, {}, metrics)).toContain("other metrics");
  });

  it("is taken at the beginning only", async () => {
    const keep = keeper(1);
    await classifier().fit(rows, labels, { ...silent, callbacks: [keep] });
    let run: FitContext | undefined;
    const late: FitCallbacks = {
      onTrainBegin: (context) => {
        run = context;
      },
      onBatchEnd: () => run!.resume(keep.kept!),
    };
    const error = await rejection(classifier().fit(rows, labels, { ...silent, callbacks: [late] }));
    expect(error.message).toContain("resume: the run has begun");
  });
});

it("a long training takes no more memory as it goes", async () => {
  shutdown();
  await init({ threads: 2 });
  setFlagsFromString("--expose_gc");
  const collect = runInNewContext("gc") as () => void;
  // FERROGRAD_STEPS of them, or a few.
  const epochs = Math.ceil(Number(process.env.FERROGRAD_STEPS ?? 2000) / 5);
  const model = classifier({ optimizer: optim.adam({ emaMomentum: 0.9 }) });
  const live = new Set<number>();
  const heap: number[] = [];
  const onEpochEnd = async (epoch: number): Promise<void> => {
    if (epoch === 0 || epoch % Math.floor(epochs / 8) !== 0) return;
    live.add(engine().info().memory.live);
    collect();
    heap.push(process.memoryUsage().heapUsed);
  };
  const options = { ...silent, batchSize: 4, epochs, gradientAccumulationSteps: 2 };
  await model.fit(rows, labels, { ...options, callbacks: [{ onEpochEnd }] });
  expect(heap.length).toBeGreaterThanOrEqual(7);
  expect(live.size).toBe(1);
  if (process.env.FERROGRAD_STEPS) console.log({ live: [...live], heap });
  // The history grows by two numbers an epoch; a buffer kept a step would be a hundred times more.
  const grown = heap.at(-1)! - heap[2]!;
  expect(grown).toBeLessThan(100 * epochs + 2 ** 18);
});

it("many trainings take no more memory than a few", async () => {
  shutdown();
  await init({ threads: 2 });
  const collect = runInNewContext("gc") as () => void;
  // FERROGRAD_FITS of them, or a few.
  const rounds = Number(process.env.FERROGRAD_FITS ?? 40);
  const live: number[] = [];
  const heap: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const model = classifier();
    await model.fit(rows, labels, { ...silent, batchSize: 4 });
    if (round % 10 !== 9) continue;
    // What nobody holds is given back with the next request, once it was collected.
    for (let turn = 0; turn < 3; turn++) {
      collect();
      await new Promise((go) => setImmediate(go));
    }
    await model.evaluate(rows, labels);
    live.push(engine().info().memory.live);
    heap.push(process.memoryUsage().heapUsed);
  }
  // The last one may not be collected yet; if all were kept, it would be thirty.
  expect(live.at(-1)).toBeLessThan(live[0]! + 4096);
  // A model that is kept is a hundred kilobytes of records.
  expect(heap.at(-1)! - heap[1]!).toBeLessThan(2 ** 20);
  if (rounds > 40) console.log({ live, heap });
});
