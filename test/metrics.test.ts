/** Metrics: scikit-learn's figures, batch by batch, by name in training, and what they refuse. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArgumentError,
  DataError,
  init,
  manualSeed,
  metrics,
  nn,
  optim,
  shutdown,
} from "../src/index.js";
import { modelFiles, modelFromFiles } from "../src/index.js";
import type { Metric } from "../src/metrics/index.js";
import type { Average, CurveAverage, KappaWeights } from "../src/metrics/index.js";
import { Generator } from "../src/random.js";

type Numbers = number | number[] | number[][];
interface Case<V> {
  readonly name: string;
  readonly yTrue: number[] | number[][];
  readonly yPred: number[] | number[][];
  readonly weights: number[] | null;
  readonly values: V;
}
interface Scores {
  readonly average: Average;
  readonly zeroDivision: 0 | 1;
  readonly precision: Numbers;
  readonly recall: Numbers;
  readonly f1: Numbers;
  readonly fBeta: Numbers;
}
interface ClassValues {
  readonly accuracy: number;
  readonly balancedAccuracy: number;
  readonly kappa: { readonly [W in KappaWeights]: number };
  readonly matthewsCorrelation: number;
  readonly logLoss: number;
  readonly perplexity: number;
  readonly confusion: number[][];
  readonly scores: readonly Scores[];
  readonly areas: readonly { average: CurveAverage; rocAuc: Numbers; prAuc: Numbers }[];
  readonly top2?: number;
}
interface BinaryValues {
  readonly accuracy: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly rocAuc: number;
  readonly prAuc: number;
  readonly logLoss: number;
  readonly matthewsCorrelation: number;
  readonly roc: { fpr: number[]; tpr: number[]; thresholds: number[] };
  readonly pr: { precision: number[]; recall: number[]; thresholds: number[] };
}
interface RegressionValues {
  readonly meanSquaredError: number;
  readonly meanAbsoluteError: number;
  readonly rootMeanSquaredError: number;
  readonly meanAbsolutePercentageError: number;
  readonly r2: number;
}
interface Figures {
  readonly classification: readonly Case<ClassValues>[];
  readonly binary: readonly Case<BinaryValues>[];
  readonly regression: readonly Case<RegressionValues>[];
  readonly reports: readonly {
    yTrue: number[];
    yPred: number[];
    names: string[] | null;
    digits: number;
    text: string;
  }[];
}
const figures = JSON.parse(
  readFileSync(new URL("./sklearnFigures.json", import.meta.url), "utf8"),
) as Figures;

/** Expects the same to 12 digits, nested alike. */
function expectSame(found: unknown, wanted: Numbers): void {
  if (typeof wanted !== "number") {
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((value, i) => expectSame((found as unknown[])[i], value));
    return;
  }
  expect(found).toBeTypeOf("number");
  expect(Math.abs((found as number) - wanted)).toBeLessThanOrEqual(
    1e-12 * Math.max(1, Math.abs(wanted)),
  );
}

/** The result of `metric` on a case: at once, in batches, masked, and restored halfway. */
function expectResult(metric: Metric, found: Case<unknown>, wanted: Numbers): void {
  const { yTrue, yPred, weights } = found;
  const add = (from: number, to?: number): void => {
    const sampleWeight = weights?.slice(from, to);
    metric.update(yTrue.slice(from, to), yPred.slice(from, to), { sampleWeight });
  };
  metric.reset();
  add(0);
  expectSame(metric.result(), wanted);
  metric.reset();
  add(0, 5);
  add(5, 6);
  const saved: unknown = JSON.parse(JSON.stringify(metric.state()));
  metric.reset();
  metric.load(saved as ReturnType<Metric["state"]>);
  add(6);
  expectSame(metric.result(), wanted);
  // What is masked counts for nothing, whatever it holds.
  const junk = yTrue.slice(0, 3).map((row) => (Array.isArray(row) ? row.map(() => 1e9) : 0));
  metric.reset();
  metric.update([...junk, ...yTrue] as number[], [...yPred.slice(0, 3), ...yPred] as number[], {
    mask: [0, 0, 0, ...yTrue.map(() => 1)],
    sampleWeight: weights ? [1, 1, 1, ...weights] : undefined,
  });
  expectSame(metric.result(), wanted);
}

describe("classification, as scikit-learn has it", () => {
  it.each(figures.classification.map((found) => [found.name, found] as const))("%s", (_, found) => {
    const { values } = found;
    expectResult(metrics.accuracy(), found, values.accuracy);
    expectResult(metrics.sparseCategoricalAccuracy(), found, values.accuracy);
    expectResult(metrics.balancedAccuracy(), found, values.balancedAccuracy);
    for (const weights of ["none", "linear", "quadratic"] as const) {
      expectResult(metrics.cohensKappa({ weights }), found, values.kappa[weights]);
    }
    expectResult(metrics.matthewsCorrelation(), found, values.matthewsCorrelation);
    expectResult(metrics.logLoss(), found, values.logLoss);
    expectResult(metrics.perplexity(), found, values.perplexity);
    expectResult(new metrics.ConfusionMatrix(), found, values.confusion);
    if (values.top2 !== undefined) expectResult(metrics.topKAccuracy({ k: 2 }), found, values.top2);
    for (const { average, zeroDivision, ...scores } of values.scores) {
      const options = { average, zeroDivision };
      expectResult(metrics.precision(options), found, scores.precision);
      expectResult(metrics.recall(options), found, scores.recall);
      expectResult(metrics.f1(options), found, scores.f1);
      expectResult(metrics.fBeta({ ...options, beta: 2 }), found, scores.fBeta);
    }
    for (const { average, rocAuc, prAuc } of values.areas) {
      expectResult(metrics.rocAuc({ average }), found, rocAuc);
      expectResult(metrics.prAuc({ average }), found, prAuc);
    }
  });

  it.each(figures.binary.map((found) => [found.name, found] as const))("%s", (_, found) => {
    const { values, yTrue, yPred, weights } = found;
    for (const name of ["accuracy", "precision", "recall", "f1"] as const) {
      expectResult(metrics[name](), found, values[name]);
    }
    expectResult(metrics.rocAuc(), found, values.rocAuc);
    expectResult(metrics.prAuc(), found, values.prAuc);
    expectResult(metrics.logLoss(), found, values.logLoss);
    expectResult(metrics.binaryAccuracy(), found, values.accuracy);
    expectResult(metrics.matthewsCorrelation(), found, values.matthewsCorrelation);
    const options = weights ? { sampleWeight: weights } : {};
    const roc = metrics.rocCurve(yTrue, yPred, options);
    expectSame(roc.falsePositiveRate, values.roc.fpr);
    expectSame(roc.truePositiveRate, values.roc.tpr);
    expect(roc.thresholds[0]).toBe(Infinity);
    expectSame(roc.thresholds.slice(1), values.roc.thresholds);
    const pr = metrics.precisionRecallCurve(yTrue, yPred, options);
    expectSame(pr.precision, values.pr.precision);
    expectSame(pr.recall, values.pr.recall);
    expectSame(pr.thresholds, values.pr.thresholds);
  });

  it.each(figures.reports)("a report of $digits digits, laid out the same", (found) => {
    const { yTrue, yPred, names, digits, text } = found;
    const options = { digits, ...(names && { classes: names }) };
    const report = metrics.classificationReport(yTrue, yPred, options);
    expect(String(report)).toBe(text);
  });
});

describe("regression, as scikit-learn has it", () => {
  it.each(figures.regression.map((found) => [found.name, found] as const))("%s", (_, found) => {
    for (const [name, value] of Object.entries(found.values)) {
      expectResult(metrics[name as keyof RegressionValues](), found, value as number);
    }
  });
});

describe("what metrics take", () => {
  const rows = { data: Float32Array.of(0.1, 0.9, 0.8, 0.2, 0.3, 0.7), shape: [3, 2] };

  it("classes as numbers, in an axis of 1, one-hot, and predictions as classes", () => {
    const results = [
      [1, 0, 0],
      [[1], [0], [0]],
      [
        [0, 1],
        [1, 0],
        [1, 0],
      ],
    ].map((truth) => metrics.accuracy().update(truth, rows).result());
    expect(results).toEqual([2 / 3, 2 / 3, 2 / 3]);
    expect(
      metrics
        .accuracy()
        .update([1, 0, 0], Int32Array.of(1, 0, 1))
        .result(),
    ).toBe(2 / 3);
    expect(
      metrics
        .accuracy()
        .update([1, 0], [[0.7], [0.2]])
        .result(),
    ).toBe(1);
    expect(metrics.accuracy({ threshold: 0.8 }).update([1, 0], [0.7, 0.2]).result()).toBe(0.5);
  });

  it("positions of sequences, with a mask", () => {
    const truth = [
      [1, 0, 5],
      [1, 5, 5],
    ];
    const scores = truth.map((row) => row.map(() => [0.2, 0.8]));
    const mask = { data: Uint8Array.of(1, 1, 0, 1, 0, 0), shape: [2, 3] };
    expect(metrics.accuracy().update(truth, scores, { mask }).result()).toBe(2 / 3);
    const matrix = new metrics.ConfusionMatrix().update(truth, scores, { mask });
    expect(matrix.result()).toEqual([
      [0, 1],
      [0, 2],
    ]);
    const weighted = { mask, sampleWeight: [1, 3] };
    expect(metrics.accuracy().update(truth, scores, weighted).result()).toBe(4 / 5);
    const numbers = metrics.meanAbsoluteError().update(
      truth,
      truth.map((row) => row.map(() => 0)),
      { mask },
    );
    expect(numbers.result()).toBe(2 / 3);
  });

  it("labels of several kinds at once, each a yes or no", () => {
    const metric = metrics.binaryAccuracy().update(
      [
        [1, 0, 1],
        [0, 0, 1],
      ],
      [
        [0.9, 0.6, 0.4],
        [0.1, 0.2, 0.8],
      ],
    );
    expect(metric.result()).toBeCloseTo(4 / 6, 12);
  });

  it("nothing, of which they say nothing", () => {
    for (const metric of [metrics.accuracy(), metrics.rocAuc(), metrics.r2(), metrics.logLoss()]) {
      expect(metric.result()).toBeNaN();
    }
    expect(metrics.f1().result()).toBe(0);
    expect(metrics.rocAuc().update([1, 1], [0.5, 0.6]).result()).toBeNaN();
  });

  it.each<[string, Metric, unknown, unknown, object?]>([
    ["accuracy: yTrue is [2], yPred [3]", metrics.accuracy(), [1, 2], [1, 2, 3]],
    ["yPred of entry 1 is 1.5, neither a class", metrics.accuracy(), [1, 2], [1, 1.5]],
    ["yPred of entry 1 is -1, neither a class", metrics.accuracy(), [1, 2], [1, -1]],
    ["yPred of entry 0 is NaN", metrics.precision(), [1, 2], [NaN, 1]],
    ["yPred of entry 0 holds NaN", metrics.precision(), [1], [[NaN, 1]]],
    ["yTrue of entry 1 is -1; classes are", metrics.f1(), [0, -1], [1, 1]],
    ["yTrue of entry 0 is 0.5; classes are", metrics.f1(), [0.5], [1]],
    ["class 5000 taken for 1; there are at most 4096", metrics.f1(), [5000], [1]],
    ["class 2 taken for 1; there are 2 classes", metrics.f1({ classes: 2 }), [2], [1]],
    [
      "sampleWeight [2] does not fit 3 entries",
      metrics.f1(),
      [1, 1, 1],
      [1, 1, 1],
      { sampleWeight: [1, 1] },
    ],
    ["sampleWeight of entry 0 is -1", metrics.f1(), [1], [1], { sampleWeight: [-1] }],
    ["mask of entry 0 is NaN", metrics.f1(), [1], [1], { mask: [NaN] }],
    ["entry 0 is of class 2, there are 2 scores", metrics.topKAccuracy(), [2], [[0.1, 0.9]]],
    ["entry 0 is of class 2, the scores are of 2", metrics.rocAuc(), [2], [0.9]],
    ["yPred holds NaN", metrics.prAuc(), [1, 0], [NaN, 1]],
    ["holds 1.5, which is no probability", metrics.logLoss(), [1], [1.5]],
    ["is of class 3, there are 2 classes", metrics.logLoss(), [3], [0.5]],
    [
      "r2: yTrue is [2], yPred [2, 2]",
      metrics.r2(),
      [1, 2],
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ])("not this: %s", (message, metric, yTrue, yPred, options) => {
    const before = metric.state();
    const update = (): unknown => metric.update(yTrue as number[], yPred as number[], options);
    expect(update).toThrow(DataError);
    expect(update).toThrow(message);
    expect(metric.state()).toEqual(before);
  });

  it("no average of class 1 where there are three classes", () => {
    const metric = metrics.f1({ average: "binary" }).update([0, 1, 2], [0, 1, 2]);
    expect(() => metric.result()).toThrow("choose micro, macro, weighted or none");
  });

  it("no impossible options", () => {
    const f1 = (options: object) => () => metrics.f1(options);
    expect(f1({ average: "mean" })).toThrow('f1: average "mean" is none of binary, micro');
    expect(f1({ zeroDivision: 2 })).toThrow(ArgumentError);
    expect(f1({ classes: 0 })).toThrow(ArgumentError);
    expect(f1({ threshold: NaN })).toThrow(ArgumentError);
    expect(() => metrics.fBeta({ beta: 0 })).toThrow("fBeta: beta is 0");
    expect(() => metrics.topKAccuracy({ k: 0 })).toThrow(ArgumentError);
    expect(() => metrics.f1().load({ counts: [1, 2, 3] })).toThrow("no square matrix");
    expect(() => metrics.r2().load({})).toThrow('no numbers "moments"');
  });
});

describe("a confusion matrix", () => {
  const matrix = new metrics.ConfusionMatrix({ classes: ["cat", "dog"] });
  matrix.update([0, 0, 1, 1, 1], [0, 1, 1, 1, 1]);

  it("is a table, and shares", () => {
    expect(String(matrix)).toBe(
      "true \\ predicted  cat  dog\ncat                 1    1\ndog                 0    3",
    );
    expect(matrix.normalized("true")).toEqual([
      [0.5, 0.5],
      [0, 1],
    ]);
    expect(matrix.normalized("predicted")).toEqual([
      [1, 0.25],
      [0, 0.75],
    ]);
    expect(matrix.normalized("all")).toEqual([
      [0.2, 0.2],
      [0, 0.6],
    ]);
  });

  it("is a function, too", () => {
    expect(metrics.confusionMatrix([0, 1, 2], Int32Array.of(0, 2, 2), 3)).toEqual([
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 1],
    ]);
    expect(() => metrics.confusionMatrix([0], [1, 2], 3)).toThrow(DataError);
    expect(() => metrics.confusionMatrix([0, 3], [1, 2], 3)).toThrow("there are 3 classes");
  });
});

describe("in training", () => {
  beforeAll(async () => {
    await init({ threads: 2 });
  });
  afterAll(shutdown);

  const names = [
    ...["accuracy", "perplexity", "categoricalAccuracy", "f1", "precision", "recall", "rocAuc"],
    ...["logLoss", "matthewsCorrelation", "topKAccuracy"],
  ] as const;
  const rows = 50;
  const random = new Generator(3);
  const x = Array.from({ length: rows }, () => [random.normal(), random.normal()]);
  const labels = Int32Array.from(x, ([a, b]) => (a! > 0.5 ? 2 : Number(b! > 0)));
  const sampleWeight = Array.from({ length: rows }, () => random.uniform());

  function model(list: readonly metrics.MetricSpec[]): nn.Sequential {
    manualSeed(1);
    const made = nn.sequential(nn.linear(2, 3, { activation: "softmax" }));
    made.compile({
      optimizer: optim.sgd({ learningRate: 0.5 }),
      loss: "categoricalCrossentropy",
      metrics: list,
    });
    return made;
  }

  it("the step's metrics and the host's agree, names and objects", async () => {
    const twins = [metrics.accuracy(), metrics.perplexity()];
    const traced = model(["accuracy", "perplexity"]);
    const streamed = model(twins);
    const options = { batchSize: 16, sampleWeight };
    const found = await traced.evaluate(x, labels, options);
    const other = await streamed.evaluate(x, labels, options);
    expect(Object.keys(found)).toEqual(["loss", "accuracy", "perplexity"]);
    for (const name of ["accuracy", "perplexity"]) expect(other[name]).toBeCloseTo(found[name]!, 5);
    const numbers = ["mse", "mae", "rmse"] as const;
    const objects = [
      metrics.meanSquaredError(),
      metrics.meanAbsoluteError(),
      metrics.rootMeanSquaredError(),
    ];
    const target = x.map(([a, b]) => [a!, b!, a! * b!]);
    const [first, second] = [model(numbers), model(objects)];
    const reports = [
      Object.values(await first.evaluate(x, target)),
      Object.values(await second.evaluate(x, target)),
    ];
    for (let i = 1; i <= 3; i++) expect(reports[0]![i]).toBeCloseTo(reports[1]![i]!, 5);
  });

  it("are reported by fit, for training and validation, over all batches", async () => {
    const made = model(names);
    const batches: string[][] = [];
    const history = await made.fit(x, labels, {
      epochs: 2,
      batchSize: 16,
      validationData: [x, labels],
      verbose: 0,
      callbacks: [{ onBatchEnd: (_, report) => void batches.push(Object.keys(report)) }],
    });
    const valNames = names.map((name) => `val${name[0]!.toUpperCase()}${name.slice(1)}`);
    expect(Object.keys(history.history)).toEqual(["loss", ...names, "valLoss", ...valNames]);
    // Areas under curves take long: once an epoch.
    expect(batches[0]).toEqual(["loss", "accuracy", "perplexity", ...batches[0]!.slice(3)]);
    expect(batches[0]).not.toContain("rocAuc");
    const output = await made.predict(x);
    const predicted = { data: await output.data(), shape: output.shape };
    const { history: values } = history;
    for (const name of names) {
      const wanted = metrics[name]().update(labels, predicted).result();
      const reported = values[`val${name[0]!.toUpperCase()}${name.slice(1)}`]!.at(-1);
      expect(reported).toBeCloseTo(wanted, 5);
    }
    expect(values.f1![1]).toBeGreaterThan(values.f1![0]!);
    expect(values.rocAuc).toHaveLength(2);
  });

  it("one a class, and objects that can be asked afterwards", async () => {
    const matrix = new metrics.ConfusionMatrix();
    const made = model([metrics.recall({ average: "none" }), matrix]);
    const report = await made.evaluate(x, labels);
    expect(Object.keys(report)).toEqual(["loss", "recall_0", "recall_1", "recall_2"]);
    expect(
      matrix
        .result()
        .flat()
        .reduce((a, b) => a + b, 0),
    ).toBe(rows);
  });

  it("see the mask of sequences", async () => {
    manualSeed(2);
    const made = nn.sequential(
      nn.embedding(6, 4, { maskZero: true }),
      nn.linear(4, 2, { activation: "softmax" }),
    );
    made.compile({
      optimizer: optim.sgd(),
      loss: "categoricalCrossentropy",
      metrics: ["accuracy", "balancedAccuracy", new metrics.ConfusionMatrix(), metrics.logLoss()],
    });
    const ids = { data: Int32Array.of(1, 2, 0, 3, 0, 0), shape: [2, 3] };
    const truth = { data: Int32Array.of(1, 0, 0, 1, 0, 0), shape: [2, 3] };
    const found = await made.evaluate(ids, truth);
    expect(found.logLoss).toBeCloseTo(found.loss!, 5);
    const all = made.setup("test").objective.metrics.streamed[1] as metrics.ConfusionMatrix;
    expect(
      all
        .result()
        .flat()
        .reduce((a, b) => a + b, 0),
    ).toBe(3);
  });

  it("come back with a saved model", async () => {
    const list = ["rmse", metrics.f1({ average: "none" }), metrics.topKAccuracy({ k: 2 })] as const;
    const made = model(list);
    const copy = modelFromFiles(await modelFiles(made));
    const target = x.map(([a]) => [a!, 0, 0]);
    const report = await made.evaluate(x, target);
    expect(Object.keys(report)).toEqual(["loss", "rmse", "f1_0", "f1_1", "f1_2", "topKAccuracy"]);
    expect(await copy.model.evaluate(x, target)).toEqual(report);
  });

  it("not unknown ones, nor one twice", () => {
    expect(() => model(["f2" as "f1"])).toThrow('compile: metric "f2" is none of accuracy, binary');
    expect(() => model(["toString" as "f1"])).toThrow("is none of");
    expect(() => model(["f1", metrics.f1()])).toThrow('metric "f1" is there twice');
  });
});
