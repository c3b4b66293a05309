/** What users meet when they go wrong: each error's class and message, and that nothing is lost. */
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import {
  ArgumentError,
  compile,
  crossEntropy,
  DataError,
  dropout,
  DTypeError,
  embedding,
  IndexError,
  init,
  manualSeed,
  matmul,
  mul,
  nn,
  NonFiniteError,
  optim,
  OutOfMemoryError,
  randomState,
  ShapeError,
  shutdown,
  StateError,
  sum,
  tensor,
  weightsHash,
  zeros,
} from "../src/index.js";
import type { CompileOptions, FitOptions, Tensor } from "../src/index.js";

beforeEach(async () => {
  await init({ threads: 2 });
  manualSeed(1);
});
afterAll(shutdown);

type ErrorClass = new (message: string) => Error;

function failure(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  return undefined;
}

function expectError(error: unknown, kind: ErrorClass, ...parts: readonly string[]): void {
  expect(error).toBeInstanceOf(kind);
  for (const part of parts) expect((error as Error).message).toContain(part);
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

const settings: CompileOptions = {
  optimizer: optim.adam({ learningRate: 0.01 }),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
};

/** Three classes from four numbers, through a batch norm, whose statistics are state too. */
function dense(): nn.Sequential {
  const model = nn.sequential(
    nn.linear(4, 5, { activation: "relu" }),
    nn.batchNorm1d(5),
    nn.linear(5, 3, { activation: "softmax" }),
  );
  model.compile(settings);
  return model;
}

/** Two classes from ids below 10. */
function overTokens(): nn.Sequential {
  const model = nn.sequential(
    nn.embedding(10, 4, { maskZero: true }),
    nn.globalAveragePooling1d(),
    nn.linear(4, 2, { activation: "softmax" }),
  );
  model.compile(settings);
  return model;
}

async function contentOf(model: nn.Sequential): Promise<{ [name: string]: number[] }> {
  const state = await model.stateDict();
  return Object.fromEntries([...state].map(([name, { data }]) => [name, Array.from(data)]));
}

const rows = [
  [1, 2, 3, 4],
  [0, 1, 0, 1],
  [2, 2, 1, 1],
  [4, 3, 2, 1],
];
const labels = [0, 1, 2, 0];
const silent = { verbose: 0 } as const;

describe("shapes", () => {
  it("names the inner sizes that do not fit", () => {
    const error = failure(() => matmul(zeros([2, 3]), zeros([4, 5])));
    expectError(error, ShapeError, "matmul", "[2, 3]", "[4, 5]", "3", "4");
  });

  it("names the shapes that do not broadcast", () => {
    expectError(
      failure(() => zeros([2, 3]).add(zeros([4]))),
      ShapeError,
      "add",
      "[2, 3]",
      "[4]",
    );
  });

  it("names the layer whose input has other features", () => {
    const error = failure(() => nn.linear(4, 2).forward(zeros([2, 3])));
    expectError(error, ShapeError, "linear: the last axis of [2, 3] should have 4 features");
  });

  it("names the entry where data is ragged", async () => {
    const message = "ragged data: entry 0 has shape [2], entry 1 has [1]";
    expectError(
      failure(() => tensor([[1, 2], [3]])),
      ShapeError,
      `tensor: ${message}`,
    );
    const ragged = [
      [1, 2, 3, 4],
      [1, 2, 3],
    ];
    const error = await rejection(dense().fit(ragged, [0, 1], silent));
    expectError(error, ShapeError, "x: ragged data: entry 0 has shape [4], entry 1 has [3]");
  });

  it("says what a table lacks", async () => {
    const short = { data: new Float32Array(7), shape: [2, 4] };
    const error = await rejection(dense().fit(short, [0, 1], silent));
    expectError(error, DataError, "x: 7 numbers do not fill the shape [2, 4]");
  });
});

describe("data out of range leaves the model as it was", () => {
  it("label outside the classes", async () => {
    const model = dense();
    await model.fit(rows, labels, silent);
    const before = await contentOf(model);
    for (const bad of [3, -1]) {
      const error = await rejection(model.fit(rows, [0, 1, bad, 0], { ...silent, shuffle: false }));
      expectError(
        error,
        IndexError,
        "crossEntropy [4]",
        `index ${bad} at position 2 is out of range`,
      );
      expect(await contentOf(model)).toEqual(before);
    }
    const measured = await rejection(model.evaluate(rows, [0, 1, 2, 7]));
    expectError(measured, IndexError, "crossEntropy [4]", "index 7 at position 3");
    await model.fit(rows, labels, silent);
    expect(await contentOf(model)).not.toEqual(before);
  });

  it("label outside the classes, in a loop of one's own", async () => {
    const layer = nn.linear(4, 3);
    const optimizer = new optim.SGD(layer.parameters(), { momentum: 0.9 });
    const before = await layer.stateDict();
    const step = (label: number): void => {
      optimizer.zeroGrad();
      crossEntropy(
        layer.forward(tensor([rows[0]!])),
        tensor([label], { dtype: "int32" }),
      ).backward();
      optimizer.step();
    };
    expectError(
      failure(() => step(5)),
      IndexError,
      "crossEntropy [1]",
      "index 5 at position 0",
    );
    expect(await layer.stateDict()).toEqual(before);
    step(2);
    expect(await layer.stateDict()).not.toEqual(before);
  });

  it("label outside the classes, in a compiled step", async () => {
    const model = dense();
    const optimizer = new optim.Adam(model.parameters());
    const step = compile((input: Tensor, target: Tensor) => {
      optimizer.zeroGrad();
      const loss = crossEntropy(dropout(model.forward(input), { training: true }), target);
      loss.backward();
      optimizer.step();
      return loss;
    });
    const run = (label: number): Promise<Tensor> =>
      step(tensor(rows.slice(0, 2)), tensor([0, label], { dtype: "int32" }));
    await run(1);
    const [before, state] = [await contentOf(model), randomState()];
    expectError(await rejection(run(3)), IndexError, "crossEntropy [2]", "index 3 at position 1");
    expect(await contentOf(model)).toEqual(before);
    expect(optimizer.steps).toBe(1);
    expect(randomState()).toEqual(state);
    await run(2);
    expect(optimizer.steps).toBe(2);
    expect(await contentOf(model)).not.toEqual(before);
  });

  it("token id outside the vocabulary", async () => {
    const model = overTokens();
    const good = { ids: Int32Array.of(1, 2, 3, 0), shape: [2, 2] };
    await model.fit(good, [0, 1], silent);
    const before = await contentOf(model);
    for (const bad of [10, -3]) {
      const ids = { ids: Int32Array.of(1, 2, bad, 0), shape: [2, 2] };
      const error = await rejection(model.fit(ids, [0, 1], silent));
      expectError(error, IndexError, "embedding [2, 2, 4]", `index ${bad}`, "is out of range");
      expect(await contentOf(model)).toEqual(before);
      expectError(await rejection(model.predict(ids)), IndexError, "embedding", String(bad));
    }
    await model.fit(good, [0, 1], silent);
    expect(await contentOf(model)).not.toEqual(before);
  });

  it("bad data time and again, with good data between", () => {
    const table = tensor([[1], [2], [4]]);
    const look = (id: number): number[] =>
      Array.from(
        embedding(tensor([id], { dtype: "int32" }), table)
          .add(1)
          .dataSync(),
      );
    for (let round = 0; round < 200; round++) {
      expectError(
        failure(() => look(3)),
        IndexError,
        "embedding [1, 1] of 3 rows: index 3 at position 0",
      );
      expect(look(round % 3)).toEqual([1 + 2 ** (round % 3)]);
    }
  });

  it("a step that cannot be recorded", async () => {
    const [model, other] = [dense(), dense()];
    other.loadStateDict(await model.stateDict());
    // The batch norm has recorded its statistics, and the backward pass gradients, when it fails.
    const wide = { data: new Float64Array(16), shape: [4, 4] };
    const error = await rejection(model.fit(wide, labels, silent));
    expectError(error, DTypeError, "float64", "float32");
    for (const each of [model, other]) await each.fit(rows, labels, silent);
    expect(await contentOf(model)).toEqual(await contentOf(other));
    const layer = nn.linear(4, 3);
    const step = compile((input: Tensor) => {
      sum(layer.forward(input)).backward();
      throw new RangeError("mine");
    });
    expect(await rejection(step(tensor(rows)))).toBeInstanceOf(RangeError);
    expect(layer.weight.grad).toBeUndefined();
  });

  it("rows of other widths than the model was made for", async () => {
    const model = dense();
    const before = await contentOf(model);
    const error = await rejection(model.fit([[1, 2, 3]], [0], silent));
    expectError(error, ShapeError, "linear", "[1, 3]", "4 features");
    expect(await contentOf(model)).toEqual(before);
  });

  it("an empty dataset, and one row for two", async () => {
    const model = dense();
    const empty = "x is empty: there is nothing to train on or to predict";
    expectError(await rejection(model.fit([], [], silent)), DataError, empty);
    expectError(await rejection(model.evaluate([], [])), DataError, empty);
    expectError(await rejection(model.predict([])), DataError, empty);
    const unequal = await rejection(model.fit(rows, [0, 1], silent));
    expectError(unequal, DataError, "x has 4 rows, y has 2: one is needed each");
    const weights = await rejection(model.fit(rows, labels, { ...silent, sampleWeight: [1] }));
    expectError(weights, DataError, "x has 4 rows, sampleWeight has 1");
  });
});

describe("a loss that is no number", () => {
  it("names epoch, step and the first layer, and the step is not applied", async () => {
    const model = dense();
    await model.fit(rows, labels, silent);
    const before = await contentOf(model);
    const poisoned = [...rows, ...rows, [1, NaN, 1, 1]];
    const options = { ...silent, shuffle: false, batchSize: 9, epochs: 2 };
    const error = await rejection(model.fit(poisoned, [...labels, ...labels, 0], options));
    expectError(error, NonFiniteError, "epoch 1, step 1", "layer 0 (linear)", "clipNorm");
    expect(await contentOf(model)).toEqual(before);
  });

  it("applies the steps before it and counts none after", async () => {
    const [model, other] = [dense(), dense()];
    other.loadStateDict(await model.stateDict());
    const options = { ...silent, shuffle: false, batchSize: 2 };
    const poisoned = [...rows, [Infinity, 1, 1, 1], rows[0]!];
    const error = await rejection(model.fit(poisoned, [...labels, 0, 0], options));
    expectError(error, NonFiniteError, "epoch 1, step 3");
    await other.fit(rows, labels, options);
    expect(await contentOf(model)).toEqual(await contentOf(other));
    const steps = (of: nn.Sequential): number => of.setup("test").optimizer.steps;
    expect(steps(model)).toBe(steps(other));
    await model.fit(rows, labels, options);
    await other.fit(rows, labels, options);
    expect(await weightsHash(model)).toBe(await weightsHash(other));
  });

  it("names the parameter that is not finite", async () => {
    const model = nn.sequential(nn.linear(4, 3, { activation: "softmax" }));
    model.compile(settings);
    model.namedParameters().get("0.weight")!.set(new Float32Array(12).fill(NaN));
    const error = await rejection(model.fit(rows, labels, silent));
    expectError(error, NonFiniteError, "0.weight holds values that are not finite");
  });
});

describe("calls out of order", () => {
  it("fit, evaluate and planStep before compile", async () => {
    const model = nn.sequential(nn.linear(4, 3));
    const hint = "call compile({ optimizer, loss }) first";
    expectError(await rejection(model.fit(rows, labels)), StateError, `fit: ${hint}`);
    expectError(await rejection(model.evaluate(rows, labels)), StateError, `evaluate: ${hint}`);
    expectError(
      failure(() => model.planStep(rows, labels)),
      StateError,
      `planStep: ${hint}`,
    );
  });

  it("reading before init", async () => {
    shutdown();
    const result = tensor([1, 2]).add(1);
    const message = "the engine is not running: call `await init()` first";
    expectError(await rejection(result.data()), StateError, message);
    expectError(
      failure(() => result.dataSync()),
      StateError,
      message,
    );
    expectError(await rejection(dense().fit(rows, labels, silent)), StateError, message);
    await init({ threads: 2 });
    expect(Array.from(await result.data())).toEqual([2, 3]);
  });

  it("using a disposed tensor", async () => {
    const gone = mul(tensor([1, 2]), 2);
    await gone.data();
    gone.dispose();
    const message = "[2] float32 was disposed";
    expectError(await rejection(gone.data()), StateError, message);
    expectError(await rejection(gone.add(1).data()), StateError, message);
  });

  it("backward where nothing has requiresGrad, twice, and from many numbers", () => {
    const none = failure(() => sum(tensor([1, 2])).backward());
    expectError(none, StateError, "backward: the tensor depends on nothing that has requiresGrad");
    const x = tensor([1, 2], { requiresGrad: true });
    const loss = sum(mul(x, x));
    loss.backward();
    expectError(
      failure(() => loss.backward()),
      StateError,
      "retainGraph: true",
    );
    expectError(
      failure(() => mul(x, x).backward()),
      ShapeError,
      "backward: [2] is not a single",
    );
    const whole = failure(() => tensor([1], { dtype: "int32", requiresGrad: true }));
    expectError(whole, DTypeError, "requiresGrad: a int32 tensor has no gradient");
  });

  it("a step without gradients", () => {
    const optimizer = new optim.SGD(nn.linear(2, 2).parameters());
    expectError(
      failure(() => optimizer.step()),
      ArgumentError,
      "call backward() on a loss first",
    );
    expectError(
      failure(() => new optim.SGD([])),
      ArgumentError,
      "optimizer: no parameters",
    );
  });
});

describe("memory", () => {
  it("refuses a batch that does not fit, and trains on with a smaller one", async () => {
    shutdown();
    await init({ threads: 2, maxMemory: 24 * 2 ** 20 });
    const model = nn.sequential(nn.linear(256, 256, { activation: "relu" }), nn.linear(256, 1));
    model.compile({ optimizer: optim.sgd(), loss: "mse" });
    const count = 8192;
    const x = { data: new Float32Array(count * 256).fill(0.1), shape: [count, 256] };
    const y = new Float32Array(count).fill(1);
    const before = await contentOf(model);
    const error = await rejection(model.fit(x, y, { ...silent, batchSize: count }));
    expectError(error, OutOfMemoryError, "out of memory", "Use smaller batches");
    expect(await contentOf(model)).toEqual(before);
    const { history } = await model.fit(x, y, { ...silent, batchSize: 64 });
    expect(history.loss![0]).toBeLessThan(1);
    shutdown();
  });
});

describe("names and options", () => {
  const options = (changed: object): CompileOptions => ({ ...settings, ...changed });
  const compiling = (changed: object) => failure(() => dense().compile(options(changed)));

  it("lists the names there are", () => {
    expectError(
      compiling({ loss: "hinge" }),
      ArgumentError,
      'compile: loss "hinge" is none of',
      "meanSquaredError",
      "binaryCrossentropy",
      "mse",
    );
    expectError(
      compiling({ metrics: ["f9"] }),
      ArgumentError,
      'compile: metric "f9" is none of',
      "accuracy",
    );
    const activation = failure(() => nn.linear(1, 1, { activation: "swish" as "silu" }));
    expectError(activation, ArgumentError, 'linear: activation "swish" is none of', "gelu", "relu");
    expectError(compiling({ loss: "constructor" }), ArgumentError, 'loss "constructor"');
    const optimizer = compiling({ optimizer: { name: "lbfgs", options: {} } });
    expectError(optimizer, ArgumentError, 'compile: optimizer "lbfgs" is none of sgd, adam, adamW');
  });

  it.each<[object, string]>([
    [{ batchSize: 0 }, "fit: batchSize is 0; it must be a whole number ≥ 1"],
    [{ batchSize: 2.5 }, "fit: batchSize is 2.5"],
    [{ batchSize: NaN }, "fit: batchSize is NaN"],
    [{ epochs: -1 }, "fit: epochs is -1; it must be a whole number ≥ 1"],
    [{ epochs: 0 }, "fit: epochs is 0"],
    [{ validationSplit: 1 }, "fit: validationSplit 1 of 4 rows leaves nothing on one side"],
    [{ validationSplit: -0.5 }, "validationSplit -0.5"],
    [{ validationSplit: NaN }, "validationSplit NaN"],
    [{ validationSplit: 0.9999 }, "validationSplit 0.9999 of 4 rows"],
    [{ seed: -1 }, "seed -1 is not a whole number"],
  ])("fit refuses %o", async (option: FitOptions, message) => {
    const error = await rejection(dense().fit(rows, labels, { ...silent, ...option }));
    expectError(error, ArgumentError, message);
  });

  it("evaluate and predict refuse a batch of nothing", async () => {
    const model = dense();
    const evaluated = await rejection(model.evaluate(rows, labels, { batchSize: 0 }));
    expectError(evaluated, ArgumentError, "evaluate: batchSize is 0");
    const predicted = await rejection(model.predict(rows, { batchSize: -1 }));
    expectError(predicted, ArgumentError, "predict: batchSize is -1");
  });

  it.each<[string, () => unknown, string]>([
    ["dropout p 2", () => nn.dropout(2), "dropout"],
    ["dropout p −0.1", () => dropout(tensor([1]), { p: -0.1 }), "dropout"],
    ["dropout p NaN", () => nn.dropout(NaN), "dropout"],
    ["linear without inputs", () => nn.linear(0, 2), "linear: inFeatures is 0"],
    ["linear of half a unit", () => nn.linear(2, 1.5), "linear: outFeatures is 1.5"],
    ["embedding of none", () => nn.embedding(0, 2), "embedding: numEmbeddings is 0"],
    [
      "heads that do not divide",
      () => nn.multiheadAttention({ modelDim: 6, heads: 4 }),
      "modelDim 6 does not divide into 4 heads",
    ],
    ["no layers", () => nn.sequential(), "sequential: no layers"],
    [
      "a negative learning rate",
      () => compileWith(optim.sgd({ learningRate: -1 })),
      "optimizer: learningRate is -1; it must be from 0",
    ],
    [
      "a learning rate of NaN",
      () => compileWith(optim.adam({ learningRate: NaN })),
      "learningRate is NaN",
    ],
    ["betas of 1", () => compileWith(optim.adamW({ betas: [0.9, 1] })), "betas[1] is 1"],
    ["momentum of 1", () => compileWith(optim.sgd({ momentum: 1 })), "momentum is 1"],
    ["a negative clipNorm", () => compileWith(optim.sgd({ clipNorm: -1 })), "clipNorm is -1"],
    ["a seed of a half", () => manualSeed(0.5), "manualSeed: seed 0.5"],
  ])("%s is refused", (_, body, message) => {
    expectError(failure(body), ArgumentError, message);
  });

  function compileWith(optimizer: CompileOptions["optimizer"]): void {
    dense().compile({ ...settings, optimizer });
  }

  it("keeps the training there was when compile is refused", async () => {
    const model = dense();
    await model.fit(rows, labels, silent);
    failure(() => model.compile(options({ loss: "hinge" })));
    expect(model.setup("test").optimizer.steps).toBe(1);
  });

  it("ids that are no int32, and too long an input", () => {
    const layer = nn.embedding(10, 4, { positions: 3 });
    const ids = (length: number, dtype: Tensor["dtype"]): Tensor => zeros([1, length], dtype);
    const float = failure(() => layer.forward(ids(3, "float32")));
    expectError(float, DTypeError, "embedding: ids are int32, not float32");
    const long = failure(() => layer.forward(ids(4, "int32")));
    expectError(long, ShapeError, "embedding: [1, 4] is longer than the 3 positions learned");
  });
});
