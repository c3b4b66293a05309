/** Each callback, in trainings of a line. */
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArgumentError,
  DataError,
  History,
  init,
  io,
  loadModel,
  manualSeed,
  nn,
  optim,
  shutdown,
  StateError,
  weightsHash,
} from "../src/index.js";
import type { FitCallbacks, FitContext, FitOptions } from "../src/index.js";
import * as train from "../src/train/entry.js";

let folder = "";
const at = (...names: string[]): string => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-callbacks-"));
  await init({ threads: 1 });
});
afterAll(async () => {
  shutdown();
  await rm(folder, { recursive: true });
});

const rows = Array.from({ length: 12 }, (_, i) => [i / 12, 1]);
const targets = rows.map(([x]) => 2 * x!);

function line(optimizer = optim.sgd({ learningRate: 0.1 })): nn.Sequential {
  manualSeed(5);
  const model = nn.sequential(nn.linear(2, 1));
  model.compile({ optimizer, loss: "mse", metrics: ["meanAbsoluteError"] });
  return model;
}

/** Reports a number for each epoch as `name`. */
function reporting(values: readonly number[], name = "score"): FitCallbacks {
  let run: FitContext | undefined;
  return {
    onTrainBegin: (context) => {
      run = context;
    },
    onEpochEnd: (epoch) => run!.report(name, values[epoch]!),
  };
}

interface Fitted {
  readonly epochs: number;
  readonly history: Readonly<Record<string, number[]>>;
  readonly model: nn.Sequential;
}

async function fit(
  callbacks: readonly FitCallbacks[],
  options: FitOptions = {},
  model = line(),
): Promise<Fitted> {
  const settings = { verbose: 0, batchSize: 4, epochs: 8, ...options, callbacks } as const;
  const { history, epoch } = await model.fit(rows, targets, settings);
  return { epochs: epoch.length, history, model };
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => new Error("it did not reject"),
    (error: unknown) => error as Error,
  );
}

/** Aborts after so many batches in all. */
function abortAfter(batches: number): { signal: AbortSignal; callback: FitCallbacks } {
  const controller = new AbortController();
  let run: FitContext | undefined;
  const callback: FitCallbacks = {
    onTrainBegin: (context) => {
      run = context;
    },
    onBatchEnd: () => {
      if (run!.totalSteps === batches) controller.abort();
    },
  };
  return { signal: controller.signal, callback };
}

/** Fits with a backup, aborted after so many batches and gone on with; `make` makes the callbacks. */
async function inTwo(
  name: string,
  batches: number,
  make: () => FitCallbacks[],
  options: FitOptions = {},
): Promise<Fitted & { readonly second: readonly FitCallbacks[] }> {
  const { signal, callback } = abortAfter(batches);
  const backup = (): FitCallbacks => new train.BackupAndRestore(at(name));
  await rejection(fit([...make(), backup(), callback], { ...options, signal }));
  const second = make();
  const fitted = await fit([...second, backup(), { onBatchEnd: () => undefined }], options);
  return { ...fitted, second };
}

describe("Callback", () => {
  it("knows its run, and says so where it has none", async () => {
    class Own extends train.Callback {
      readonly name = "own";
      seen: unknown;
      onEpochEnd(): void {
        this.seen = this.context.epoch;
      }
    }
    const own = new Own();
    expect(() => own.onEpochEnd()).toThrow(StateError);
    expect(() => own.onEpochEnd()).toThrow("own: it takes part in no training");
    await fit([own], { epochs: 2 });
    expect(own.seen).toBe(2);
  });
});

describe("History", () => {
  it("is what fit gives, whoever makes it", async () => {
    const own = new History();
    const { history } = await fit([own], { epochs: 3 });
    expect(own.epoch).toEqual([0, 1, 2]);
    expect(own.history).toEqual(history);
  });
});

describe("ProgbarLogger", () => {
  it("shows progress where it is told to", async () => {
    let text = "";
    const stream = { write: (part: string) => void (text += part) };
    await fit([new train.ProgbarLogger({ stream })], { epochs: 2 });
    expect(text).toMatch(/^Epoch 1\/2 - 3\/3 - .*loss: .*\nEpoch 2\/2 - 3\/3 - .*loss: .*\n$/);
  });
});

describe("LambdaCallback", () => {
  it("calls its functions", async () => {
    const heard: string[] = [];
    const moments = {
      onTrainBegin: () => void heard.push("begin"),
      onBatchEnd: (step: number) => void heard.push(`batch ${step}`),
      onTrainEnd: () => void heard.push("end"),
    };
    await fit([new train.LambdaCallback(moments)], { epochs: 1, batchSize: 6 });
    expect(heard).toEqual(["begin", "batch 1", "batch 2", "end"]);
  });
});

describe("EarlyStopping", () => {
  const score = { monitor: "score" };

  it.each<[string, train.EarlyStoppingOptions, number[], epochs: number, best: number]>([
    ["at once without patience", {}, [5, 4, 4, 3], 3, 1],
    ["after patience", { patience: 2 }, [5, 4, 4.5, 4.1, 1], 4, 1],
    ["never while it gets better", { patience: 1 }, [8, 7, 6, 5, 4, 3, 2, 1], 8, 7],
    ["for less than minDelta", { minDelta: 0.5, patience: 2 }, [5, 4, 3.8, 3.6, 1], 4, 1],
    ["where more is better", { mode: "max", patience: 1 }, [1, 2, 1.5, 9], 3, 1],
    ["where a baseline is not met", { baseline: 3, patience: 2 }, [5, 4, 3.5, 1], 2, 1],
    ["not before it is to count", { startFromEpoch: 3 }, [1, 2, 3, 9, 8, 8, 1], 6, 4],
    ["at what is no number", { patience: 2 }, [NaN, NaN, 1], 2, NaN],
  ])("ends training %s", async (_, options, values, epochs, best) => {
    const stopping = new train.EarlyStopping({ ...score, ...options });
    const fitted = await fit([reporting(values), stopping]);
    expect(fitted.epochs).toBe(epochs);
    expect(stopping.stoppedEpoch).toBe(epochs < 8 ? epochs - 1 : undefined);
    expect(stopping.bestEpoch).toBe(Number.isNaN(best) ? undefined : best);
    expect(stopping.best).toBe(Number.isNaN(best) ? undefined : values[best]);
  });

  it("gives the best weights back", async () => {
    const values = [5, 1, 3, 4, 5, 6, 7, 8];
    for (const patience of [2, 50]) {
      const options = { ...score, patience, restoreBestWeights: true };
      const { model } = await fit([reporting(values), new train.EarlyStopping(options)]);
      const { model: two } = await fit([], { epochs: 2 });
      expect(await weightsHash(model)).toBe(await weightsHash(two));
    }
  });

  it("goes by the name whether more is better", async () => {
    for (const [name, values] of [
      ["valBalancedAccuracy", [1, 2, 3, 2]],
      ["valLogLoss", [3, 2, 1, 2]],
      ["r2", [1, 2, 3, 2]],
    ] as const) {
      const stopping = new train.EarlyStopping({ monitor: name });
      await fit([reporting(values, name), stopping]);
      expect(stopping.bestEpoch).toBe(2);
    }
  });

  it("says what is reported where its value is not", async () => {
    const error = await rejection(fit([new train.EarlyStopping()]));
    expect(error).toBeInstanceOf(StateError);
    expect(error.message).toContain(
      'earlyStopping: epochs do not report "valLoss", only loss, mean',
    );
    expect(error.message).toContain("give fit validationData or validationSplit");
    expect(() => new train.EarlyStopping({ patience: -1 })).toThrow("patience is -1");
    expect(() => new train.EarlyStopping({ mode: "most" as "max" })).toThrow(ArgumentError);
  });

  it("goes on with what it has waited, and the weights it keeps", async () => {
    const values = [5, 1, 3, 4, 5, 6, 7, 8];
    const make = (): FitCallbacks[] => [
      reporting(values),
      new train.EarlyStopping({ ...score, patience: 4, restoreBestWeights: true }),
    ];
    const { epochs, model } = await inTwo("stopping", 10, make);
    expect(epochs).toBe(6);
    const { model: two } = await fit([], { epochs: 2 });
    expect(await weightsHash(model)).toBe(await weightsHash(two));
  });
});

describe("ReduceLROnPlateau", () => {
  /** Keras's own loop. */
  function rates(values: readonly number[], options: train.ReduceLROnPlateauOptions): number[] {
    const { factor = 0.1, patience = 10, minDelta = 1e-4 } = options;
    const { cooldown = 0, minLearningRate = 0, mode } = options;
    let [rate, wait, counter] = [0.1, 0, 0];
    let best = mode === "max" ? -Infinity : Infinity;
    return values.map((value) => {
      const before = rate;
      if (counter > 0) {
        counter--;
        wait = 0;
      }
      if (mode === "max" ? value > best + minDelta : value < best - minDelta) {
        best = value;
        wait = 0;
      } else if (counter === 0) {
        wait++;
        if (wait >= patience && rate > minLearningRate) {
          rate = Math.max(rate * factor, minLearningRate);
          counter = cooldown;
          wait = 0;
        }
      }
      return before;
    });
  }

  const values = [5, 4, 4, 4, 3.99995, 4, 4, 3, 4, 4, 4, 4, 4, 4, 4, 4];

  it.each<train.ReduceLROnPlateauOptions>([
    { patience: 1 },
    { patience: 0, factor: 0.5 },
    { patience: 2, factor: 0.5 },
    { patience: 2, factor: 0.5, cooldown: 1 },
    { patience: 1, factor: 0.5, cooldown: 3 },
    { patience: 2, factor: 0.5, minDelta: 0, minLearningRate: 0.03 },
    { patience: 2, factor: 0.5, mode: "max" },
  ])("has Keras's rates with %o", async (options) => {
    const plateau = new train.ReduceLROnPlateau({ monitor: "score", ...options });
    const { history } = await fit([reporting(values), plateau], { epochs: values.length });
    expect(history.learningRate).toEqual(rates(values, options));
  });

  it("goes on with what it has waited", async () => {
    const options = { monitor: "score", patience: 3, factor: 0.5 };
    const make = (): FitCallbacks[] => [reporting(values), new train.ReduceLROnPlateau(options)];
    const { history } = await inTwo("plateau", 14, make, { epochs: values.length });
    expect(history.learningRate).toEqual(rates(values, options));
  });
});

describe("LearningRateScheduler", () => {
  const halving = (epoch: number, rate: number): number => (epoch === 0 ? rate : rate / 2);

  it("sets the rate before each epoch, and reports it", async () => {
    const { history, model } = await fit([new train.LearningRateScheduler(halving)], { epochs: 3 });
    expect(history.learningRate).toEqual([0.1, 0.05, 0.025]);
    expect(model.setup("test").optimizer.learningRate).toBe(0.025);
  });

  it("sets it once an epoch, gone on with or not", async () => {
    const make = (): FitCallbacks[] => [new train.LearningRateScheduler(halving)];
    const whole = await fit(make(), { epochs: 3 });
    const { history, model } = await inTwo("rates", 5, make, { epochs: 3 });
    expect(history).toEqual(whole.history);
    expect(await weightsHash(model)).toBe(await weightsHash(whole.model));
  });
});

describe("Scheduler", () => {
  const { ExponentialLR, StepLR } = train.lrScheduler;

  it("counts epochs", async () => {
    const make = (optimizer: optim.Optimizer) => new ExponentialLR(optimizer, { gamma: 0.5 });
    const { history } = await fit([new train.Scheduler(make)], { epochs: 3 });
    expect(history.learningRate).toEqual([0.1, 0.05, 0.025]);
  });

  it("counts updates, also where batches share them", async () => {
    const make = (optimizer: optim.Optimizer) => new StepLR(optimizer, { stepSize: 2, gamma: 0.5 });
    const by = (): train.Scheduler => new train.Scheduler(make, { interval: "step" });
    // 6 batches of 2 rows an epoch.
    const each = await fit([by()], { epochs: 2, batchSize: 2 });
    expect(each.history.learningRate).toEqual([0.0125, 0.0015625]);
    const shared = { epochs: 2, batchSize: 2, gradientAccumulationSteps: 4 };
    const fewer = await fit([by()], shared);
    expect(fewer.history.learningRate).toEqual([0.05, 0.025]);
    const resumed = await inTwo("schedule", 9, () => [by()], shared);
    expect(resumed.history.learningRate).toEqual([0.05, 0.025]);
    expect(await weightsHash(resumed.model)).toBe(await weightsHash(fewer.model));
    expect(() => new train.Scheduler(make, { interval: "day" as "step" })).toThrow(ArgumentError);
  });
});

describe("TerminateOnNaN", () => {
  it("ends training, names the layer, and the step is not applied", async () => {
    const model = line();
    const before = await weightsHash(model);
    const ending = new train.TerminateOnNaN();
    const bad = [[NaN, 1], ...rows.slice(1)];
    const options = { verbose: 0, shuffle: false, epochs: 5, callbacks: [ending] } as const;
    const { epoch } = await model.fit(bad, targets, options);
    expect(epoch).toEqual([]);
    expect(ending.reason).toContain("epoch 1, step 1");
    expect(ending.reason).toContain("is that of layer 0 (linear)");
    expect(await weightsHash(model)).toBe(before);
    const { epochs } = await fit([ending]);
    expect(epochs).toBe(8);
    expect(ending.reason).toBeUndefined();
  });
});

describe("SwapEMAWeights", () => {
  const averaging = optim.sgd({ learningRate: 0.1, emaMomentum: 0.8 });

  it("has validation see the averages, and training go on with the weights", async () => {
    const [plain, swapping] = [line(averaging), line(averaging)];
    const options = { epochs: 3, validationSplit: 0.25 };
    const a = await fit([], options, plain);
    const b = await fit([new train.SwapEMAWeights()], options, swapping);
    expect(b.history.loss).toEqual(a.history.loss);
    expect(b.history.valLoss).not.toEqual(a.history.valLoss);
    // At the end the averages are in both models.
    expect(await weightsHash(swapping)).toBe(await weightsHash(plain));
    const { loss } = await swapping.evaluate(rows.slice(9), targets.slice(9));
    expect(b.history.valLoss!.at(-1)).toBeCloseTo(loss!, 6);
  });

  it("leaves them for the callbacks after it, if it is to", async () => {
    for (const swapOnEpoch of [false, true]) {
      const seen: boolean[] = [];
      const model = line(averaging);
      const onEpochEnd = (): void => {
        seen.push(model.setup("test").optimizer.averagesSwapped);
      };
      const callbacks = [new train.SwapEMAWeights({ swapOnEpoch }), { onEpochEnd }];
      await fit(callbacks, { epochs: 2 }, model);
      expect(seen).toEqual([swapOnEpoch, swapOnEpoch]);
    }
  });

  it("swaps back where validation is aborted", async () => {
    const controller = new AbortController();
    const model = line(averaging);
    const onTestBegin = (): void => controller.abort();
    const callbacks = [new train.SwapEMAWeights(), { onTestBegin }];
    const options = { validationSplit: 0.25, signal: controller.signal };
    expect((await rejection(fit(callbacks, options, model))).name).toBe("AbortError");
    expect(model.setup("test").optimizer.averagesSwapped).toBe(false);
  });

  it("says so where there are no averages", async () => {
    const error = await rejection(fit([new train.SwapEMAWeights()]));
    expect(error.message).toContain("give it emaMomentum in compile");
  });
});

describe("CSVLogger", () => {
  it("writes a line an epoch, over what was there", async () => {
    const path = at("log.csv");
    await writeFile(path, "of an earlier training\n");
    const { history } = await fit([new train.CSVLogger(path)], { epochs: 2 });
    const [loss, error] = [history.loss!, history.meanAbsoluteError!];
    expect(await readFile(path, "utf8")).toBe(
      `epoch,loss,meanAbsoluteError\n0,${loss[0]},${error[0]}\n1,${loss[1]},${error[1]}\n`,
    );
  });

  it("adds to what is there, with another separator", async () => {
    const path = at("made", "log.tsv");
    const options = { append: true, separator: "\t" };
    for (let time = 0; time < 2; time++) {
      await fit([new train.CSVLogger(path, options)], { epochs: 1 });
    }
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    expect(lines.map((text) => text.split("\t")[0])).toEqual(["epoch", "0", "0"]);
  });

  it("has each epoch once when training goes on", async () => {
    const make = (name: string) => (): FitCallbacks[] => [new train.CSVLogger(at(name))];
    await inTwo("csv", 7, make("parts.csv"));
    await fit(make("whole.csv")());
    expect(await readFile(at("parts.csv"), "utf8")).toBe(await readFile(at("whole.csv"), "utf8"));
    // Epochs after the checkpoint are written again.
    const { signal, callback } = abortAfter(7);
    const backup = new train.BackupAndRestore(at("csv again"));
    await rejection(fit([...make("again.csv")(), backup, callback], { signal }));
    await writeFile(at("again.csv"), "99,1,1\n", { flag: "a" });
    await fit([...make("again.csv")(), new train.BackupAndRestore(at("csv again"))]);
    expect(await readFile(at("again.csv"), "utf8")).toBe(await readFile(at("whole.csv"), "utf8"));
  });

  it("says so where the file is not what the checkpoint saw, or cannot be written", async () => {
    const { signal, callback } = abortAfter(7);
    const make = (): FitCallbacks[] => [
      new train.CSVLogger(at("lost.csv")),
      new train.BackupAndRestore(at("csv lost")),
    ];
    await rejection(fit([...make(), callback], { signal }));
    await rm(at("lost.csv"));
    const error = await rejection(fit(make()));
    expect(error).toBeInstanceOf(DataError);
    expect(error.message).toMatch(
      /lost.csv cannot be written: it has 0 bytes where the checkpoint/,
    );
    await writeFile(at("in the way"), "");
    const other = await rejection(fit([new train.CSVLogger(at("in the way", "log.csv"))]));
    expect(other.message).toContain("log.csv cannot be written");
  });

  it("refuses a column that the first epoch had not", async () => {
    let run: FitContext | undefined;
    const late: FitCallbacks = {
      onTrainBegin: (context) => {
        run = context;
      },
      onEpochEnd: (epoch) => (epoch === 1 ? run!.report("late", 1) : undefined),
    };
    const error = await rejection(fit([late, new train.CSVLogger(at("late.csv"))]));
    expect(error.message).toContain('epoch 1 reports "late", which the first epoch did not');
  });
});

describe("TensorBoard", () => {
  /** The steps and tags of an event file, read by the format's rules. */
  async function eventsIn(kind: string, place: string): Promise<[step: number, tag: string][]> {
    const [name, ...more] = await readdir(at(place, kind));
    expect(more).toEqual([]);
    expect(name).toMatch(/^events\.out\.tfevents\.\d{10}\.ferrograd$/);
    const bytes = await readFile(at(place, kind, name!));
    const found: [number, string][] = [];
    for (let start = 0; start < bytes.length;) {
      const length = Number(bytes.readBigUInt64LE(start));
      const event = bytes.subarray(start + 12, start + 12 + length);
      start += length + 16;
      expect(event[0]).toBe((1 << 3) | 1);
      if (event[9] !== ((2 << 3) | 0)) continue;
      expect(event[10]).toBeLessThan(128);
      for (const [tag] of String(event.toString("latin1")).matchAll(/(batch|epoch)_\w+|0\.\w+/g)) {
        found.push([event[10]!, tag]);
      }
    }
    return found;
  }

  it("writes scalars of epochs and batches, and histograms of weights", async () => {
    const logging = new train.TensorBoard(at("events"), {
      updateFrequency: 2,
      histogramFrequency: 2,
    });
    await fit([logging], { epochs: 3, validationSplit: 0.25 });
    const ofEpoch = (epoch: number): [number, string][] =>
      ["epoch_learningRate", "epoch_loss", "epoch_meanAbsoluteError"].map((tag) => [epoch, tag]);
    const weights = (epoch: number): [number, string][] => [
      [epoch, "0.weight"],
      [epoch, "0.bias"],
    ];
    const batch = (step: number): [number, string][] => [
      [step, "batch_loss"],
      [step, "batch_meanAbsoluteError"],
    ];
    // 3 batches of the 9 rows that are not measured on.
    expect(await eventsIn("train", "events")).toEqual([
      ...[...batch(2), ...ofEpoch(0), ...weights(0)],
      ...[...batch(4), ...batch(6), ...ofEpoch(1)],
      ...[...batch(8), ...ofEpoch(2), ...weights(2)],
    ]);
    expect(await eventsIn("validation", "events")).toEqual(
      [0, 1, 2].flatMap((epoch) => ofEpoch(epoch).slice(1)),
    );
  });

  it("has each event once when training goes on", async () => {
    const make = (): FitCallbacks[] => [
      new train.TensorBoard(at("events twice"), { updateFrequency: "batch" }),
    ];
    await inTwo("events backup", 4, make, { epochs: 3 });
    const steps = (await eventsIn("train", "events twice"))
      .filter(([, tag]) => tag === "batch_loss")
      .map(([step]) => step);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe("ModelCheckpoint", () => {
  const values = [5, 3, 4, 1, 2, 6, 0.5, 7];
  const byScore = { monitor: "score", mode: "min" } as const;

  it("keeps the best model", async () => {
    const best = new train.ModelCheckpoint(at("best"), byScore);
    await fit([reporting(values), best]);
    expect(best.saved).toEqual([{ path: at("best"), epoch: 6, value: 0.5 }]);
    const { model: seven } = await fit([], { epochs: 7 });
    const { model } = await loadModel(at("best"));
    expect(await weightsHash(model)).toBe(await weightsHash(seven));
    expect(model.setup("test").optimizer.steps).toBe(21);
  });

  it("keeps the best few, named after what they are, and the last", async () => {
    const options = { ...byScore, saveTopK: 3, saveLast: at("top", "last") };
    const best = new train.ModelCheckpoint(at("top", "{epoch}-{score}"), options);
    await fit([reporting(values), best]);
    expect(best.saved.map(({ epoch }) => epoch)).toEqual([6, 3, 4]);
    expect((await readdir(at("top"))).sort()).toEqual([
      ...["0004-1.0000", "0005-2.0000", "0007-0.5000"],
      "last",
    ]);
    const { model: whole } = await fit([]);
    expect(await weightsHash((await loadModel(at("top", "last"))).model)).toBe(
      await weightsHash(whole),
    );
  });

  it("keeps weights only, of models of any kind", async () => {
    class Own extends nn.Model {
      readonly type = "own";
      readonly inner = nn.linear(2, 1);
      run(signal: nn.Signal): nn.Signal {
        return this.inner.apply(signal);
      }
      config(): object {
        return {};
      }
    }
    const model = new Own();
    model.compile({ optimizer: optim.sgd(), loss: "mse" });
    const path = at("weights-{epoch}.safetensors");
    const options = { ...byScore, saveTopK: Infinity, saveWeightsOnly: true };
    const best = new train.ModelCheckpoint(path, options);
    await model.fit(rows, targets, { verbose: 0, epochs: 2, callbacks: [reporting([1, 2]), best] });
    const saved = io.readSafetensors(await readFile(at("weights-0002.safetensors")));
    expect(saved).toEqual(await model.stateDict());
    expect(existsSync(at("weights-0001.safetensors"))).toBe(true);
    const whole = new train.ModelCheckpoint(at("whole"), byScore);
    const error = await rejection(model.fit(rows, targets, { verbose: 0, callbacks: [whole] }));
    expect(error.message).toContain("only a sequential model is saved as a whole");
  });

  it("goes on with what it keeps", async () => {
    const make = (): FitCallbacks[] => [
      reporting(values),
      new train.ModelCheckpoint(at("again", "{epoch}"), { ...byScore, saveTopK: 2 }),
    ];
    const { second } = await inTwo("keeping", 14, make);
    const { saved } = second[1] as train.ModelCheckpoint;
    expect(saved.map(({ epoch }) => epoch)).toEqual([6, 3]);
    expect((await readdir(at("again"))).sort()).toEqual(["0004", "0007"]);
  });

  it("refuses paths that cannot be meant", async () => {
    expect(() => new train.ModelCheckpoint("x", { saveTopK: 2 })).toThrow('put {epoch} in "x"');
    expect(() => new train.ModelCheckpoint("x", { saveTopK: 0 })).toThrow("saveTopK is 0");
    const best = new train.ModelCheckpoint(at("{valF1}"), byScore);
    const error = await rejection(fit([reporting(values), best]));
    expect(error.message).toContain("names {valF1}, which epochs do not report: loss, mean");
  });
});

describe("BackupAndRestore", () => {
  it("saves when aborted, goes on to the same bits, and clears up", async () => {
    const whole = await fit([], { epochs: 3 });
    for (const batches of [1, 3, 5, 9]) {
      const { signal, callback } = abortAfter(batches);
      const place = at(`abort${batches}`);
      await rejection(fit([new train.BackupAndRestore(place), callback], { epochs: 3, signal }));
      const backup = new train.BackupAndRestore(place);
      const { model, history } = await fit([backup], { epochs: 3 });
      expect(backup.restoredFrom).toBe(batches);
      expect(history).toEqual(whole.history);
      expect(await weightsHash(model)).toBe(await weightsHash(whole.model));
      expect(await readdir(place)).toEqual([]);
    }
  });

  it("goes on with more epochs from what it has kept", async () => {
    const make = (): train.BackupAndRestore =>
      new train.BackupAndRestore(at("kept"), { deleteCheckpoint: false, keep: 3 });
    await fit([make()], { epochs: 2 });
    expect(await readdir(at("kept"))).toHaveLength(2);
    const again = make();
    const { epochs } = await fit([again], { epochs: 2 });
    expect([again.restoredFrom, epochs]).toEqual([6, 2]);
    const more = await fit([make()], { epochs: 4 });
    const whole = await fit([], { epochs: 4 });
    expect(more.history).toEqual(whole.history);
    expect(await weightsHash(more.model)).toBe(await weightsHash(whole.model));
  });

  it("leaves the last whole checkpoint where something fails", async () => {
    const place = at("failing");
    const failing: FitCallbacks = {
      onBatchEnd: () => {
        if (++batches === 5) throw new Error("mine");
      },
    };
    let batches = 0;
    expect((await rejection(fit([new train.BackupAndRestore(place), failing]))).message).toBe(
      "mine",
    );
    const backup = new train.BackupAndRestore(place);
    await fit([backup]);
    // The end of the first epoch.
    expect(backup.restoredFrom).toBe(3);
  });

  it("tells which checkpoints it could not use", async () => {
    const { signal, callback } = abortAfter(7);
    const place = at("damaged");
    await rejection(fit([new train.BackupAndRestore(place), callback], { signal }));
    const last = (await readdir(place)).sort().at(-1)!;
    const bytes = await readFile(join(place, last));
    bytes[bytes.length >> 1]! ^= 4;
    await writeFile(join(place, last), bytes);
    const backup = new train.BackupAndRestore(place);
    await fit([backup]);
    expect(backup.restoredFrom).toBe(6);
    expect(backup.rejected).toEqual([
      {
        path: join(place, last),
        reason: expect.stringContaining("cut short or changed") as string,
      },
    ]);
  });

  it("refuses a frequency that is none", () => {
    const make = (): unknown => new train.BackupAndRestore("x", { saveFrequency: 0 });
    expect(make).toThrow("backupAndRestore: saveFrequency is 0");
  });
});

describe("RemoteMonitor", () => {
  interface Heard {
    readonly url: string;
    readonly type: string;
    readonly token: string;
    readonly body: string;
  }

  async function listening(
    status: () => number,
    body: (root: string, heard: readonly Heard[]) => Promise<void>,
  ): Promise<void> {
    const heard: Heard[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        const { "content-type": type = "", "x-token": token = "" } = request.headers;
        const code = status();
        if (code === 200) {
          const text = Buffer.concat(parts).toString();
          heard.push({ url: request.url ?? "", type, token: String(token), body: text });
        }
        response.writeHead(code).end();
      });
    });
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    try {
      await body(`http://127.0.0.1:${port}`, heard);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it("posts each epoch as JSON", async () => {
    await listening(
      () => 200,
      async (root, heard) => {
        const headers = { "X-Token": "mine" };
        const monitor = new train.RemoteMonitor(root, { sendAsJson: true, headers, path: "/here" });
        const { history } = await fit([monitor], { epochs: 2 });
        expect(heard.map(({ body }) => JSON.parse(body) as unknown)).toEqual(
          [0, 1].map((epoch) => ({
            epoch,
            loss: history.loss![epoch],
            meanAbsoluteError: history.meanAbsoluteError![epoch],
          })),
        );
        expect(heard[0]).toMatchObject({ url: "/here", type: "application/json", token: "mine" });
        expect(monitor.unsent).toEqual([]);
      },
    );
  });

  it("posts a form, and what a server did not take with the next one", async () => {
    let [requests, down] = [0, true];
    await listening(
      () => (++requests > 2 || !down ? 200 : 503),
      async (root, heard) => {
        const monitor = new train.RemoteMonitor(`${root}/`);
        await fit([monitor], { epochs: 2 });
        expect(heard).toEqual([]);
        expect(monitor.unsent.map(({ epoch }) => epoch)).toEqual([0, 1]);
        expect(monitor.lastError).toContain("503");
        down = false;
        await monitor.send();
        expect(heard.map(({ url }) => url)).toEqual(Array(2).fill("/publish/epoch/end/"));
        const form = new URLSearchParams(heard[1]!.body);
        expect(JSON.parse(form.get("data")!)).toMatchObject({ epoch: 1 });
        expect(heard[1]!.type).toContain("application/x-www-form-urlencoded");
        expect([monitor.unsent, monitor.lastError]).toEqual([[], undefined]);
      },
    );
  });

  it("lets training go on where there is no server", async () => {
    const monitor = new train.RemoteMonitor("http://127.0.0.1:1");
    const { epochs } = await fit([monitor], { epochs: 2 });
    expect(epochs).toBe(2);
    expect(monitor.unsent.length).toBe(2);
    expect(monitor.lastError).not.toBeUndefined();
  });
});

it("a dev run leaves nothing behind", async () => {
  const callbacks = [
    new train.CSVLogger(at("dev", "log.csv")),
    new train.TensorBoard(at("dev", "events")),
    new train.ModelCheckpoint(at("dev", "best"), { monitor: "loss" }),
    new train.BackupAndRestore(at("dev", "backup")),
    new train.EarlyStopping(),
    new train.RemoteMonitor("http://127.0.0.1:1"),
  ];
  const { epochs } = await fit(callbacks, { fastDevRun: true });
  expect(epochs).toBe(1);
  expect(existsSync(at("dev"))).toBe(false);
});
