/**
 * Trains a Transformer text classifier where few of the training texts are positive, in several
 * ways: as they are, with weights of the classes, on draws that have both classes alike, and on
 * such draws with words left out and swapped. Tests on texts of which half are positive.
 */
import { manualSeed, metrics, nn, optim, random, text } from "ferrograd";
import * as data from "ferrograd/data";
import { findData, printTable, readOptions, secondsOf, withEngine } from "./common.mjs";

const usage = `Usage: node examples/imbalanced-text.mjs [options]
  --data FOLDER    train.tsv and test.tsv, of text and label 0 or 1 (default: data/sst2)
  --positives N    percent of the training texts to be positive (default: 10)
  --epochs N       how often as many texts are gone through as there are (default: 4)
  --seeds N        how many trainings of each way, with seeds 0, 1, … (default: 3)
  --limit N        train on N negative texts, and test on N texts
  --threads T      threads (default: as many as there are cores)`;

const options = readOptions(usage, {
  data: "",
  positives: 10,
  epochs: 4,
  seeds: 3,
  limit: Infinity,
  threads: undefined,
});
const sizes = { vocabulary: 10_000, length: 64, dim: 128, heads: 4, dropout: 0.1, batch: 32 };

async function readTexts(file) {
  return data.labelledTexts(await data.readTsv(file), { name: file, classes: ["0", "1"] });
}

/** The texts and labels of some rows. */
function pick({ texts, labels }, rows) {
  return { texts: rows.map((row) => texts[row]), labels: rows.map((row) => labels[row]) };
}

/** All negative texts, up to the limit, and few of the positive ones, drawn by the seed. */
function withFewPositives({ texts, labels }, seed) {
  const rowsOf = (label) => Array.from(labels.keys()).filter((row) => labels[row] === label);
  const negative = rowsOf(0).slice(0, options.limit);
  const positive = Int32Array.from(rowsOf(1));
  new random.Generator(seed).shuffle(positive);
  const share = options.positives / 100;
  const few = positive.subarray(0, Math.round((negative.length * share) / (1 - share)));
  return pick({ texts, labels }, [...negative, ...few]);
}

function buildModel() {
  const { vocabulary, length, dim, heads, dropout } = sizes;
  const model = nn.sequential(
    nn.embedding(vocabulary, dim, { maskZero: true, positions: length }),
    nn.dropout(dropout),
    nn.transformerEncoderLayer({ modelDim: dim, heads, feedForwardDim: dim, dropout }),
    nn.globalAveragePooling1d(),
    nn.dropout(dropout),
    nn.linear(dim, 2, { activation: "softmax" }),
  );
  model.compile({
    optimizer: optim.adam({ learningRate: 1e-3 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy", metrics.f1({ average: "macro" })],
  });
  return model;
}

/** What `fit` is given of texts as they are; `more` are options. */
function asTheyAre({ texts, labels }, vectorize, seed, more = {}) {
  return [vectorize(texts), labels, { seed, ...more }];
}

/** What `fit` is given of draws that have both classes alike, each text changed when drawn. */
function balanced({ texts, labels }, vectorize, seed, change = (words) => words) {
  const batches = data
    .zip(data.fromList(texts), data.fromList(labels))
    .sample({ weights: data.rowWeights(labels), seed })
    .map(([words, label], random) => [change(words, random), label], { seed })
    .batch(sizes.batch)
    .map(([words, ys]) => [vectorize(words), ys]);
  return [batches, {}];
}

const drop = data.augment.wordDropout(0.1);
const swap = data.augment.wordSwap(2);
const ways = {
  plain: asTheyAre,
  "class weights": (...given) => asTheyAre(...given, { classWeight: "balanced" }),
  "balanced draws": balanced,
  "draws, words changed": (...given) =>
    balanced(...given, (words, random) => swap(drop(words, random), random)),
};

/** Macro-F1 and accuracy of a training, and the seconds an epoch of it took. */
async function trainAndTest(way, seed, train, test) {
  manualSeed(seed);
  const few = withFewPositives(train, seed);
  const vectorize = text
    .vectorizer({ maxTokens: sizes.vocabulary, maxLength: sizes.length })
    .adapt(few.texts);
  const model = buildModel();
  const [first, ...rest] = ways[way](few, vectorize, seed);
  const { epochs } = options;
  const more = { ...rest.pop(), epochs, verbose: 0 };
  const seconds = await secondsOf(() => model.fit(first, ...rest, more));
  const { f1, accuracy } = await model.evaluate(vectorize(test.texts), test.labels);
  console.log(`${way}, seed ${seed}: macro-F1 ${f1.toFixed(4)}, accuracy ${accuracy.toFixed(4)}`);
  return { f1, accuracy, seconds: seconds / epochs };
}

const mean = (numbers) => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;

const [trainFile, testFile] = findData(
  options.data,
  "sst2",
  [/^train\.tsv$/, /^test\.tsv$/],
  "SST-2 as such files is in github.com/clairett/pytorch-sentiment-classification, in " +
    "data/SST2: put them into data/sst2, or give their folder by --data.",
);
await withEngine(options.threads, async () => {
  const train = await readTexts(trainFile);
  const whole = await readTexts(testFile);
  const test = pick(whole, Array.from(whole.labels.keys()).slice(0, options.limit));
  const { texts, labels } = withFewPositives(train, 0);
  const positive = labels.filter((label) => label === 1).length;
  console.log(`${texts.length} training texts, ${positive} of them positive`);
  const seeds = Array.from({ length: options.seeds }, (_, seed) => seed);
  const rows = [];
  for (const way of Object.keys(ways)) {
    const found = [];
    for (const seed of seeds) found.push(await trainAndTest(way, seed, train, test));
    const f1s = found.map(({ f1 }) => f1);
    const [accuracy, seconds] = [
      mean(found.map((one) => one.accuracy)),
      mean(found.map((one) => one.seconds)),
    ];
    rows.push([way, ...f1s, mean(f1s), accuracy, seconds.toFixed(1)]);
  }
  const head = ["training", ...seeds.map((seed) => `F1, seed ${seed}`), "mean F1", "mean accuracy"];
  printTable([...head, "s/epoch"], rows);
});
