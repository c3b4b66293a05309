/** Training, measuring and predicting on Datasets. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArgumentError,
  DataError,
  init,
  manualSeed,
  nn,
  optim,
  ShapeError,
  shutdown,
  weightsHash,
} from "../src/index.js";
import * as data from "../src/data/index.js";
import type { FitOptions } from "../src/index.js";
import { Generator } from "../src/random.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const rows = 50;
const random = new Generator(3);
const x = Array.from({ length: rows }, () => [random.normal(), random.normal()]);
const y = Int32Array.from(x, ([a, b]) => (a! > 0.5 ? 2 : Number(b! > 0)));
const weights = Float32Array.from(y, (label) => 1 + label);

function model(): nn.Sequential {
  manualSeed(1);
  const made = nn.sequential(
    nn.linear(2, 8, { activation: "relu" }),
    nn.linear(8, 3, { activation: "softmax" }),
  );
  made.compile({
    optimizer: optim.adam({ learningRate: 0.01 }),
    loss: "categoricalCrossentropy",
    metrics: ["accuracy", "f1"],
  });
  return made;
}

const silent = { verbose: 0 } as const;

describe("fit", () => {
  it("gives the same bits on a Dataset as on its arrays", async () => {
    const [arrays, dataset] = [model(), model()];
    const options = { ...silent, epochs: 3 };
    const one = await arrays.fit(x, y, {
      ...options,
      batchSize: 16,
      seed: 5,
      sampleWeight: weights,
      validationData: [x, y],
    });
    const batches = data.fromArrays(x, y, weights).shuffle({ seed: 5 }).batch(16).prefetch(2);
    const other = await dataset.fit(batches, {
      ...options,
      validationData: data.fromArrays(x, y).batch(16),
    });
    expect(other.history).toEqual(one.history);
    expect(await weightsHash(dataset)).toBe(await weightsHash(arrays));
    expect(await dataset.evaluate(batches)).toEqual(
      await arrays.evaluate(x, y, { batchSize: 16, sampleWeight: weights }).then((report) => ({
        ...report,
        // Another order of the same sums.
        loss: expect.closeTo(report.loss!, 5) as number,
      })),
    );
    const predicted = await dataset.predict(data.fromArrays(x, y).batch(7));
    expect(await predicted.data()).toEqual(await (await arrays.predict(x)).data());
  });

  it("takes plain numbers for labels, and streams of unknown length", async () => {
    const stream = data
      .fromIterable(function* () {
        for (let i = 0; i < rows; i++) yield { features: x[i]!, label: y[i]! };
      })
      .filter(({ label }) => label >= 0)
      .map(({ features, label }): [number[], number] => [features, label])
      .batch(16);
    expect(stream.size).toBeUndefined();
    const [arrays, streamed] = [model(), model()];
    const written: string[] = [];
    await streamed.fit(stream, {
      epochs: 2,
      progress: { isTTY: true, columns: 200, write: (text) => written.push(text) },
    });
    await arrays.fit(x, y, { ...silent, epochs: 2, batchSize: 16, shuffle: false });
    expect(await weightsHash(streamed)).toBe(await weightsHash(arrays));
    const shown = written.join("");
    expect(shown).toContain("1/? ");
    expect(shown).toContain("4/4 ━━━━━━━━━━━━━━━━━━━━");
  });

  it("cuts what never ends into epochs, each beginning where the last ended", async () => {
    const seen: number[] = [];
    const endless = data
      .fromArrays(x, y)
      .map((row) => row)
      .repeat()
      .batch(8)
      .map((batch) => {
        seen.push(batch[0].data[0]!);
        return batch;
      });
    await expect(model().fit(endless, silent)).rejects.toThrow("say stepsPerEpoch");
    const history = await model().fit(endless, { ...silent, epochs: 2, stepsPerEpoch: 4 });
    expect(history.epoch).toEqual([0, 1]);
    const firsts = Array.from({ length: 8 }, (_, i) => Math.fround(x[(i * 8) % rows]![0]!));
    expect(seen).toEqual(firsts);
    // Of arrays, too: fewer steps than there are, then the rest.
    await model().fit(x, y, { ...silent, epochs: 3, stepsPerEpoch: 1, batchSize: 32 });
  });

  it("closes what it reads when it ends, and when it fails", async () => {
    let open = 0;
    const dataset = data.fromIterable(function* () {
      open++;
      try {
        for (let i = 0; i < 3; i++) yield [[x[i]!], [NaN]] as [number[][], number[]];
      } finally {
        open--;
      }
    });
    await expect(model().fit(dataset, silent)).rejects.toThrow();
    expect(open).toBe(0);
  });

  it.each<[string, FitOptions]>([
    ["fit: batchSize is for arrays", { batchSize: 2 }],
    ["fit: shuffle is for arrays", { shuffle: false }],
    ["fit: validationSplit is for arrays", { validationSplit: 0.5 }],
    ["fit: sampleWeight is for arrays", { sampleWeight: weights }],
    ["fit: stepsPerEpoch is 0", { stepsPerEpoch: 0 }],
  ])("refuses: %s", async (message, options) => {
    const fit = model().fit(data.fromArrays(x, y).batch(8), { ...silent, ...options });
    await expect(fit).rejects.toThrow(ArgumentError);
    await expect(fit).rejects.toThrow(message);
  });

  it("refuses what gives no batches, or no elements", async () => {
    const fit = (dataset: data.Dataset<unknown>): Promise<unknown> =>
      model().fit(dataset as data.Dataset<[number[], number[]]>, silent);
    const wrong = fit(data.fromList([{ x: 1, y: 2 }]));
    await expect(wrong).rejects.toThrow(DataError);
    await expect(wrong).rejects.toThrow("the Dataset gives an object of x, y; batches [x, y]");
    await expect(fit(data.fromList([[1, 2]]))).rejects.toThrow("gives a list of 2");
    await expect(fit(data.fromArrays(x, y))).rejects.toThrow(
      /gives single rows; .* then batch\(n\)/,
    );
    await expect(fit(data.fromList(["text"]))).rejects.toThrow("gives string");
    await expect(fit(data.fromList([[[[1, 2]], [1, 2]]]))).rejects.toThrow("x has 1 rows, y has 2");
    await expect(fit(data.fromList([]))).rejects.toThrow("nothing to train on");
    const empty = data.fromArrays(x, y).batch(8).take(0);
    await expect(model().evaluate(empty)).rejects.toThrow("nothing to measure");
    await expect(model().predict(empty)).rejects.toThrow("nothing to predict");
    await expect(model().fit(x, undefined as never)).rejects.toThrow("y is missing");
  });
});

describe("predict", () => {
  it("takes batches without targets, and rows as lists", async () => {
    const wanted = await (await model().predict(x)).data();
    const tables = data.fromArrays(x).map(([row]) => row);
    expect(await (await model().predict(tables.batch(9))).data()).toEqual(wanted);
    const lists = data.fromList([x.slice(0, 2), x.slice(2)]);
    expect(await (await model().predict(lists)).data()).toEqual(wanted);
  });

  it("does not join rows of different shapes", async () => {
    manualSeed(1);
    const tagger = nn.sequential(nn.embedding(5, 2));
    const ids = data.fromList([
      { data: Int32Array.of(1, 2), shape: [1, 2] },
      { data: Int32Array.of(1, 2, 3), shape: [1, 3] },
    ]);
    await expect(tagger.predict(ids)).rejects.toThrow(ShapeError);
  });
});
