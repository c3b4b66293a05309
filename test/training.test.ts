/** Training end to end on small models: loops, traces, fit and all it reports. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  compile,
  crossEntropy,
  dropout,
  engine,
  init,
  manualSeed,
  meanSquaredError,
  mul,
  nn,
  noGrad,
  ones,
  optim,
  randomState,
  shutdown,
  StateError,
  sum,
  tensor,
  weightsHash,
} from "../src/index.js";
import type { FitOptions, ProgressStream, Tensor } from "../src/index.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const silent = { verbose: 0 } as const;
const vocabulary = 12;
const length = 6;

/** Rows of ids with padding behind; the class is whether id 2 comes before id 3. */
function phrases(count: number): { ids: Int32Array; shape: number[]; labels: Int32Array } {
  const ids = new Int32Array(count * length);
  const labels = Int32Array.from({ length: count }, (_, row) => row % 2);
  labels.forEach((label, row) => {
    const real = 4 + (row % 3);
    for (let at = 0; at < real; at++) ids[row * length + at] = 4 + ((row * 5 + at * 3) % 8);
    ids[row * length + (row % 2)] = label ? 2 : 3;
    ids[row * length + 2 + (row % 2)] = label ? 3 : 2;
  });
  return { ids, shape: [count, length], labels };
}

function classifier({ dropout: p = 0 } = {}): nn.Sequential {
  manualSeed(7);
  return nn.sequential(
    nn.embedding(vocabulary, 16, { maskZero: true, positions: length }),
    nn.transformerEncoderLayer({ modelDim: 16, heads: 2, feedForwardDim: 32, dropout: p }),
    nn.globalAveragePooling1d(),
    nn.linear(16, 2, { activation: "softmax" }),
  );
}

const settings = {
  optimizer: optim.adam({ learningRate: 0.01 }),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
} as const;

function compiled(model: nn.Sequential): nn.Sequential {
  model.compile(settings);
  return model;
}

/** A regression that any loop can do. */
function regression(): { model: nn.Sequential; x: number[][]; y: number[][] } {
  manualSeed(3);
  const model = nn.sequential(nn.linear(3, 8, { activation: "tanh" }), nn.linear(8, 1));
  const x = Array.from({ length: 8 }, (_, i) => [i / 8, (i % 3) - 1, (i * i) / 64]);
  return { model, x, y: x.map(([a, b, c]) => [a! - 2 * b! + 0.5 * c!]) };
}

describe("loops of one's own", () => {
  it("plain and compiled loops agree bit for bit", async () => {
    const hashes: string[] = [];
    const losses: number[][] = [[], []];
    for (const [index, traced] of [false, true].entries()) {
      const { model, x, y } = regression();
      const optimizer = new optim.AdamW(model.parameters(), { learningRate: 0.02, clipNorm: 1 });
      const body = (input: Tensor, target: Tensor): Tensor => {
        const loss = meanSquaredError(model.forward(input), target);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss;
      };
      const step = traced ? compile(body) : body;
      for (let i = 0; i < 12; i++) {
        losses[index]!.push(await (await step(tensor(x), tensor(y))).item());
      }
      hashes.push(await weightsHash(model));
    }
    expect(losses[1]).toEqual(losses[0]);
    expect(hashes[1]).toBe(hashes[0]);
    expect(losses[0]!.at(-1)).toBeLessThan(losses[0]![0]! / 2);
  });

  it("fit does the same steps as the loop", async () => {
    const fitted = regression();
    fitted.model.compile({
      optimizer: optim.sgd({ learningRate: 0.1, momentum: 0.9 }),
      loss: "mse",
    });
    const options = { ...silent, batchSize: 4, epochs: 3, shuffle: false };
    await fitted.model.fit(fitted.x, fitted.y, options);
    const { model, x, y } = regression();
    const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1, momentum: 0.9 });
    for (let epoch = 0; epoch < 3; epoch++) {
      for (const start of [0, 4]) {
        const [input, target] = [x, y].map((rows) => tensor(rows.slice(start, start + 4)));
        optimizer.zeroGrad();
        meanSquaredError(model.forward(input!), target!).backward();
        optimizer.step();
      }
    }
    const [mine, theirs] = await Promise.all([model, fitted.model].map((m) => m.stateDict()));
    for (const [name, { data }] of mine!) {
      data.forEach((value, i) => expect(theirs!.get(name)!.data[i]).toBeCloseTo(value, 5));
    }
  });

  it("reads what was computed from the weights before a step, after it", async () => {
    const { model, x, y } = regression();
    const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1 });
    const expected = await model.forward(tensor(x)).data();
    const logits = model.forward(tensor(x));
    meanSquaredError(logits, tensor(y)).backward();
    optimizer.step();
    expect(await logits.data()).toEqual(expected);
    expect(await model.forward(tensor(x)).data()).not.toEqual(expected);
  });

  it("says so when a result was left unread for two updates", async () => {
    const { model, x, y } = regression();
    const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1 });
    model.namedParameters();
    const stale = model.forward(tensor(x));
    for (let step = 0; step < 2; step++) {
      optimizer.zeroGrad();
      meanSquaredError(model.forward(tensor(x)), tensor(y)).backward();
      optimizer.step();
    }
    const error: unknown = await stale.data().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StateError);
    expect((error as Error).message).toMatch(
      /^\d\.(weight|bias) \[.*\] float32 has been updated since this was recorded/,
    );
    expect((error as Error).message).toContain("read results before the update that follows");
  });

  it("a compiled function traces once for each shape", async () => {
    const shapes: string[] = [];
    const double = compile((x: Tensor) => {
      shapes.push(x.shape.join());
      return mul(x, 2);
    });
    for (const data of [
      [1, 2],
      [3, 4],
      [1, 2, 3],
      [5, 6],
    ]) {
      expect(Array.from(await (await double(tensor(data))).data())).toEqual(data.map((v) => 2 * v));
    }
    expect(shapes).toEqual(["2", "3"]);
    await double(tensor([1, 2], { dtype: "int32" }));
    expect(shapes).toEqual(["2", "3", "2"]);
  });

  it("a compiled function gives results by number and name, and reads the present weights", async () => {
    const weight = new nn.Parameter(Float32Array.of(2), []);
    const many = compile((x: Tensor) =>
      noGrad(() => ({ scaled: mul(x, weight), same: mul(x, 1) })),
    );
    const { scaled, same } = await many(tensor([1, 3]));
    expect(Array.from(await scaled.data())).toEqual([2, 6]);
    expect(Array.from(await same.data())).toEqual([1, 3]);
    weight.set(Float32Array.of(5));
    expect(Array.from(await (await many(tensor([1, 3]))).scaled.data())).toEqual([5, 15]);
  });
});

describe("dropout", () => {
  const p = 0.5;
  const draw = compile((x: Tensor) => dropout(x, { p, training: true }));

  it("differs from step to step, and is repeated by the same seed", async () => {
    const x = ones([256]);
    const eager = async (): Promise<number[]> =>
      Array.from(await dropout(x, { p, training: true }).data());
    const traced = async (): Promise<number[]> => Array.from(await (await draw(x)).data());
    for (const next of [eager, traced]) {
      manualSeed(11);
      const first = [await next(), await next()];
      expect(first[0]).not.toEqual(first[1]);
      manualSeed(11);
      expect([await next(), await next()]).toEqual(first);
      manualSeed(12);
      expect(await next()).not.toEqual(first[0]);
      const kept = first[0]!.filter((value) => value !== 0);
      expect(kept.every((value) => value === 2)).toBe(true);
      expect(kept.length).toBeGreaterThan(96);
      expect(kept.length).toBeLessThan(160);
    }
  });

  it("two in one step drop differently", async () => {
    const both = compile(
      (x: Tensor) =>
        [dropout(x, { p, training: true }), dropout(x, { p, training: true })] as const,
    );
    const [one, other] = await both(ones([256]));
    expect(await one.data()).not.toEqual(await other.data());
  });

  it("does nothing outside training", async () => {
    const layer = nn.dropout(0.9).eval();
    expect(Array.from(await layer.forward(ones([8])).data())).toEqual(Array(8).fill(1));
  });
});

describe("a Transformer classifier", () => {
  it("learns 16 phrases by heart", async () => {
    const model = compiled(classifier({ dropout: 0.1 }));
    const { labels, ...x } = phrases(16);
    const { history } = await model.fit(x, labels, { ...silent, batchSize: 8, epochs: 40 });
    expect(history.loss![0]).toBeGreaterThan(0.5);
    expect(history.loss!.at(-1)).toBeLessThan(0.1);
    const { loss, accuracy } = await model.evaluate(x, labels, { batchSize: 5 });
    expect(accuracy).toBe(1);
    expect(loss).toBeLessThan(0.1);
    const probabilities = await model.predict(x, { batchSize: 3 });
    expect(probabilities.shape).toEqual([16, 2]);
    const data = await probabilities.data();
    labels.forEach((label, row) => {
      expect(data[2 * row + label]).toBeGreaterThan(0.5);
      expect(data[2 * row]! + data[2 * row + 1]!).toBeCloseTo(1, 5);
    });
  });

  it("has the same weights on one thread, on two, and again", async () => {
    const train = async (threads: number): Promise<string> => {
      shutdown();
      await init({ threads });
      expect(engine().info().threads).toBe(threads);
      const model = compiled(classifier({ dropout: 0.1 }));
      const { labels, ...x } = phrases(20);
      await model.fit(x, labels, { ...silent, batchSize: 8, epochs: 3 });
      return weightsHash(model);
    };
    const [one, two, again] = [await train(1), await train(2), await train(2)];
    expect(two).toBe(one);
    expect(again).toBe(one);
  });

  it("does not see padding", async () => {
    const model = classifier();
    const short = await model.predict({ ids: Int32Array.of(5, 2, 3), shape: [1, 3] });
    const padded = await model.predict({ ids: Int32Array.of(5, 2, 3, 0, 0, 0), shape: [1, 6] });
    const data = await padded.data();
    (await short.data()).forEach((value, i) => expect(data[i]).toBeCloseTo(value, 6));
    // What padding is embedded as does not matter, and learns nothing.
    const table = model.namedParameters().get("0.weight")!;
    const changed = (await table.data()).slice();
    changed.fill(9, 0, 16);
    table.set(changed);
    expect(
      await (await model.predict({ ids: Int32Array.of(5, 2, 3, 0, 0, 0), shape: [1, 6] })).data(),
    ).toEqual(data);
    const logits = model.forward(tensor(Int32Array.of(5, 2, 3, 0, 0, 0), { shape: [1, 6] }));
    crossEntropy(logits, tensor(Int32Array.of(1))).backward();
    const gradient = await table.grad!.data();
    expect(Array.from(gradient.subarray(0, 16))).toEqual(Array(16).fill(0));
    expect(gradient.subarray(32, 48).some((value) => value !== 0)).toBe(true);
  });

  it("gives finite numbers for a row of padding alone", async () => {
    const model = compiled(classifier());
    const { labels, ...x } = phrases(4);
    x.ids.fill(0, 0, length);
    await model.fit(x, labels, { ...silent, epochs: 2 });
    const data = await (await model.predict(x)).data();
    expect(data.every(Number.isFinite)).toBe(true);
  });

  it("keeps live memory constant from step 10 to step 200", async () => {
    const model = compiled(classifier({ dropout: 0.1 }));
    const { labels, ...x } = phrases(16);
    const live: number[] = [];
    const onBatchEnd = (): void => void live.push(engine().info().memory.live);
    const options = { ...silent, batchSize: 4, epochs: 50, callbacks: [{ onBatchEnd }] };
    await model.fit(x, labels, options);
    expect(live.length).toBe(200);
    expect(new Set(live.slice(9)).size).toBe(1);
  });

  it("counts the step's memory before it runs, and fit stays within it", async () => {
    shutdown();
    await init({ threads: 2 });
    const model = compiled(classifier());
    const { labels, ...x } = phrases(8);
    const { peakBytes, description } = model.planStep(x, labels);
    expect(description).toContain("matmul");
    expect(peakBytes).toBeGreaterThan(0);
    await model.fit(x, labels, { ...silent, batchSize: 8, epochs: 2 });
    // Constants and the text of the Program for workers come on top.
    expect(engine().info().memory.peak).toBeLessThan(peakBytes + 2 ** 18);
  });
});

describe("fit", () => {
  const rows = Array.from({ length: 10 }, (_, i) => [i / 10, 1]);
  const targets = rows.map(([x]) => 2 * x!);

  function line(): nn.Sequential {
    manualSeed(5);
    const model = nn.sequential(nn.linear(2, 1));
    model.compile({
      optimizer: optim.sgd({ learningRate: 0.1 }),
      loss: "mse",
      metrics: ["meanAbsoluteError"],
    });
    return model;
  }

  it("reports loss and metrics as means over the rows, epoch by epoch", async () => {
    const model = line();
    const before = await model.evaluate(rows, targets, { batchSize: 3 });
    const whole = await model.evaluate(rows, targets);
    expect(before.loss).toBeCloseTo(whole.loss!, 6);
    const guess = await (await model.predict(rows)).data();
    const squares = targets.map((y, i) => (y - guess[i]!) ** 2);
    expect(whole.loss).toBeCloseTo(squares.reduce((a, b) => a + b) / 10, 6);
    const absolutes = targets.map((y, i) => Math.abs(y - guess[i]!));
    expect(whole.meanAbsoluteError).toBeCloseTo(absolutes.reduce((a, b) => a + b) / 10, 6);
    const { epoch, history } = await model.fit(rows, targets, { ...silent, epochs: 3 });
    expect(epoch).toEqual([0, 1, 2]);
    expect(Object.keys(history)).toEqual(["loss", "meanAbsoluteError"]);
    expect(history.loss!.length).toBe(3);
    expect(history.loss![0]).toBeCloseTo(whole.loss!, 6);
    expect(history.loss![2]).toBeLessThan(history.loss![0]!);
  });

  it("validates on the last rows, and does not train on them", async () => {
    const [split, apart] = [line(), line()];
    const options = { ...silent, epochs: 2, batchSize: 4 };
    const one = await split.fit(rows, targets, { ...options, validationSplit: 0.3 });
    const other = await apart.fit(rows.slice(0, 7), targets.slice(0, 7), {
      ...options,
      validationData: [rows.slice(7), targets.slice(7)],
    });
    expect(one.history).toEqual(other.history);
    expect(Object.keys(one.history)).toEqual([
      "loss",
      "meanAbsoluteError",
      "valLoss",
      "valMeanAbsoluteError",
    ]);
    const after = await split.evaluate(rows.slice(7), targets.slice(7));
    expect(one.history.valLoss![1]).toBeCloseTo(after.loss!, 6);
    expect(await weightsHash(split)).toBe(await weightsHash(apart));
  });

  it("weighs rows: weight 0 is as if not there, 2 as if twice", async () => {
    const options = { ...silent, shuffle: false, epochs: 2 };
    const [weighted, repeated] = [line(), line()];
    const sampleWeight = rows.map((_, i) => [0, 1, 2][i % 3]!);
    const chosen = rows.flatMap((_, i) => Array<number>([0, 1, 2][i % 3]!).fill(i));
    const one = await weighted.fit(rows, targets, { ...options, sampleWeight });
    const pick = <T>(list: readonly T[]): T[] => chosen.map((i) => list[i]!);
    const other = await repeated.fit(pick(rows), pick(targets), options);
    for (const name of ["loss", "meanAbsoluteError"]) {
      one.history[name]!.forEach((value, i) =>
        expect(value).toBeCloseTo(other.history[name]![i]!, 5),
      );
    }
    const measured = await weighted.evaluate(rows, targets, { sampleWeight });
    const expected = await weighted.evaluate(pick(rows), pick(targets));
    expect(measured.loss).toBeCloseTo(expected.loss!, 5);
  });

  it("calls back after each batch and epoch, and waits", async () => {
    const heard: string[] = [];
    const later = async (text: string): Promise<void> => {
      await Promise.resolve();
      heard.push(text);
    };
    const callbacks = [
      {
        onBatchEnd: (step: number) => later(`step ${step}`),
        onEpochEnd: (epoch: number) => later(`epoch ${epoch}`),
      },
    ];
    await line().fit(rows, targets, { ...silent, batchSize: 6, epochs: 2, callbacks });
    expect(heard).toEqual(["step 1", "step 2", "epoch 0", "step 1", "step 2", "epoch 1"]);
  });

  it("goes through other orders for other seeds", async () => {
    const hashes = new Set<string>();
    for (const options of [{ seed: 0 }, { seed: 0 }, { seed: 1 }, { shuffle: false }]) {
      const model = line();
      await model.fit(rows, targets, { ...silent, batchSize: 2, ...options });
      hashes.add(await weightsHash(model));
    }
    expect(hashes.size).toBe(3);
  });

  describe("progress", () => {
    async function written(options: FitOptions, isTTY?: boolean): Promise<string> {
      let text = "";
      const write = (part: string): void => void (text += part);
      const progress: ProgressStream = isTTY === undefined ? { write } : { write, isTTY };
      await line().fit(rows, targets, { batchSize: 5, epochs: 2, progress, ...options });
      return text;
    }

    const line2 =
      /^Epoch [12]\/2 - 2\/2 - \d+s [\d.]+ms\/step - loss: \d\.\d{4} - meanAbsoluteError: \d\.\d{4}$/;

    it("is a line an epoch where lines cannot be written over", async () => {
      for (const text of [await written({}), await written({ verbose: 2 }, true)]) {
        const lines = text.trimEnd().split("\n");
        expect(lines.length).toBe(2);
        for (const one of lines) expect(one).toMatch(line2);
      }
    });

    it("is a bar with time left and values in a terminal", async () => {
      const text = await written({}, true);
      const lines = text.split("\n");
      expect(lines[0]).toBe("Epoch 1/2");
      expect(lines[2]).toBe("Epoch 2/2");
      const drawn = lines[1]!.split("\r").slice(1);
      expect(drawn[0]).toMatch(/^1\/2 ━{10}╌{10} ETA \d+s [\d.]+ms\/step - loss: \d\.\d{4} - mean/);
      expect(drawn.at(-1)).toMatch(/^2\/2 - \d+s [\d.]+ms\/step - loss: /);
    });

    it("is silent when asked to be, and names validation", async () => {
      expect(await written({ verbose: 0 }, true)).toBe("");
      expect(await written({ validationSplit: 0.5 })).toMatch(/ - valLoss: \d\.\d{4} - valMean/);
    });
  });
});

describe("summary", () => {
  it("lists layers, shapes and parameters", () => {
    const rule = "─".repeat(62);
    const expected = [
      "Layer (type)                 Output shape    Parameters  Bytes",
      rule,
      "0 (embedding)                [batch, 6, 16]         288  1,152",
      "1 (transformerEncoderLayer)  [batch, 6, 16]       2,224  8,896",
      "2 (globalAveragePooling1d)   [batch, 16]              0      0",
      "3 (linear)                   [batch, 2]              34    136",
      rule,
      "Parameters: 2,546 (0.01 MB), trained: 2,546",
    ];
    const lines = classifier().summary([length], { dtype: "int32" }).split("\n");
    expect(lines.slice(0, -1)).toEqual(expected);
    expect(lines.at(-1)).toMatch(
      /^Memory for a batch of 32, planned: 0\.\d\d MB to predict, 0\.\d\d MB for gradients$/,
    );
  });

  it("says the memory that the planner plans, which grows with the batch", () => {
    const memory = (batchSize: number): string[] =>
      nn
        .sequential(nn.linear(1024, 256), nn.linear(256, 1024))
        .summary([1024], { batchSize })
        .match(/\d+\.\d\d(?= MB (to|for))/g)!;
    // Weights of 2 MB, and for each of 1024 rows an input and an output of 4 KB, 1 KB between.
    expect(memory(1024)).toEqual(["11.00", expect.any(String)]);
    expect(Number(memory(1024)[1])).toBeGreaterThan(11);
    expect(Number(memory(16)[0])).toBeLessThan(2.5);
  });

  it("changes nothing in the model", async () => {
    const model = nn.sequential(nn.batchNorm1d(3), nn.dropout(0.5));
    const state = randomState();
    expect(model.summary([3])).toContain("0 (batchNorm)  [batch, 3]");
    expect(randomState()).toEqual(state);
    expect(Array.from(await model.namedVariables().get("0.running_var")!.data())).toEqual([
      1, 1, 1,
    ]);
    expect(model.layers.every((layer) => layer.training)).toBe(true);
  });
});

it("leaves each layer in the mode it was in", async () => {
  const { labels, ...x } = phrases(4);
  const model = compiled(classifier());
  const modes = (): boolean[] => model.layers.map((layer) => layer.training);
  await model.predict(x);
  await model.evaluate(x, labels);
  expect(modes()).toEqual([true, true, true, true]);
  model.eval();
  model.layers[1]!.train();
  await model.fit(x, labels, silent);
  expect(modes()).toEqual([false, true, false, false]);
});

it("accumulates gradients over batches as over one", async () => {
  const { model, x, y } = regression();
  const half = (from: number): void => {
    const [input, target] = [x, y].map((rows) => tensor(rows.slice(from, from + 4)));
    mul(meanSquaredError(model.forward(input!), target!), 0.5).backward();
  };
  half(0);
  half(4);
  const accumulated = await Promise.all(model.parameters().map((p) => p.grad!.data()));
  for (const parameter of model.parameters()) parameter.grad = undefined;
  meanSquaredError(model.forward(tensor(x)), tensor(y)).backward();
  for (const [i, parameter] of model.parameters().entries()) {
    const whole = await parameter.grad!.data();
    accumulated[i]!.forEach((value, j) => expect(value).toBeCloseTo(whole[j]!, 5));
  }
  expect(await sum(model.parameters()[0]!.grad!).item()).not.toBe(0);
});
