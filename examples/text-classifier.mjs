/**
 * Trains a Transformer text classifier. With no arguments it learns to tell languages apart, on
 * phrases that come with the JavaScript engine; `--data` and `--test` take tables of texts and
 * labels. `--predict` uses a model that was saved.
 */
import { extname } from "node:path";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import {
  argMax,
  engine,
  init,
  loadModel,
  manualSeed,
  metrics,
  nn,
  optim,
  random,
  saveModel,
  shutdown,
  text,
  weightsHash,
} from "ferrograd";
import * as data from "ferrograd/data";
import { languageLists, languages } from "./languages.mjs";

const usage = `Usage: ./build.sh demo -- [options]
  --data FILE --test FILE  train and test on TSV or CSV files of text and label
  --epochs N               how often all examples are gone through
  --seed S                 what all random numbers follow from (default 0)
  --threads T              threads (default: as many as there are cores)
  --save FOLDER            where the model is saved (default: models/demo)
  --predict TEXT           classify a text with the saved model
  --json                   print the results as one JSON object at the end
  --help                   print this`;

const { values: options } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== "--"),
  options: {
    data: { type: "string" },
    test: { type: "string" },
    epochs: { type: "string" },
    seed: { type: "string", default: "0" },
    threads: { type: "string" },
    save: { type: "string", default: "models/demo" },
    predict: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** The anchor's sizes: vocabulary, length, embedding, heads; one block, dropout, batches. */
const sizes = { vocabulary: 10_000, length: 128, dim: 128, heads: 4, dropout: 0.1, batch: 32 };

function wholeNumber(name) {
  const value = options[name] === undefined ? undefined : Number(options[name]);
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new Error(`--${name} ${options[name]} is not a whole number`);
}

/** A table of texts and labels, by the file's ending. */
async function readTable(file, classes) {
  const read = extname(file) === ".csv" ? data.readCsv : data.readTsv;
  return data.labelledTexts(await read(file), { name: file, classes });
}

async function loadExamples(seed) {
  if (options.data) {
    if (!options.test) throw new Error("--data needs --test, the file to measure on");
    const train = await readTable(options.data);
    const test = await readTable(options.test, train.classes);
    return { train, test, classes: train.classes, split: "words", epochs: 3 };
  }
  const generator = new random.Generator(seed);
  return {
    ...languageLists({ random: generator }),
    classes: languages,
    split: "ngrams",
    epochs: 4,
  };
}

function buildModel(classes) {
  const { vocabulary, length, dim, heads, dropout } = sizes;
  return nn.sequential(
    nn.embedding(vocabulary, dim, { maskZero: true, positions: length }),
    nn.dropout(dropout),
    nn.transformerEncoderLayer({ modelDim: dim, heads, feedForwardDim: dim, dropout }),
    nn.globalAveragePooling1d(),
    nn.dropout(dropout),
    nn.linear(dim, classes, { activation: "softmax" }),
  );
}

function printConfusion(matrix, classes) {
  const table = new Table({
    head: ["true \\ predicted", ...classes],
    style: { head: [], border: [], compact: true },
  });
  matrix.forEach((row, index) => table.push([classes[index], ...row.map((n) => n || "")]));
  console.log(table.toString());
}

/** The classes of each text by falling probability, as `en 0.91, de 0.04`. */
async function describePredictions(model, vectorize, classes, texts) {
  const output = await model.predict(vectorize(texts));
  const rows = await output.toArray();
  return rows.map((row) =>
    row
      .map((probability, index) => ({ probability, name: classes[index] }))
      .sort((a, b) => b.probability - a.probability)
      .slice(0, 3)
      .map(({ probability, name }) => `${name} ${probability.toFixed(3)}`)
      .join(", "),
  );
}

async function predictOne() {
  const { model, vectorizer, classes } = await loadModel(options.save);
  const [line] = await describePredictions(model, vectorizer, classes, [options.predict]);
  console.log(`${options.predict}  →  ${line}`);
}

function printEngine() {
  const { build, simd, wide, threads, reasons } = engine().info();
  const vectors = wide ? `${simd} in pairs` : simd;
  console.log(`Engine: ${build} build, ${vectors}, ${threads} thread${threads === 1 ? "" : "s"}`);
  for (const reason of reasons) console.log(`  ${reason}`);
}

async function trainAndTest() {
  const seed = wholeNumber("seed");
  manualSeed(seed);
  const { train, test, classes, split, ...found } = await loadExamples(seed);
  const epochs = wholeNumber("epochs") ?? found.epochs;
  console.log(
    `${train.texts.length} training texts, ${test.texts.length} test texts, ` +
      `${classes.length} classes`,
  );

  const vectorize = text
    .vectorizer({ split, maxTokens: sizes.vocabulary, maxLength: sizes.length })
    .adapt(train.texts);
  const model = buildModel(classes.length);
  console.log(model.summary([sizes.length], { dtype: "int32" }));
  model.compile({
    optimizer: optim.adam({ learningRate: 1e-3 }),
    loss: "categoricalCrossentropy",
    metrics: ["accuracy"],
  });

  const first = train.texts.slice(0, sizes.batch);
  const { peakBytes } = model.planStep(vectorize(first), train.labels.slice(0, sizes.batch));
  console.log(`Memory of a training step, as planned: ${(peakBytes / 2 ** 20).toFixed(1)} MB\n`);

  let steps = 0;
  const begun = performance.now();
  const x = vectorize(train.texts);
  await model.fit(x, train.labels, {
    batchSize: sizes.batch,
    epochs,
    seed,
    callbacks: [{ onBatchEnd: () => void steps++ }],
  });
  const seconds = (performance.now() - begun) / 1000;

  const tokens = vectorize(test.texts);
  const { loss: testLoss, accuracy: testAccuracy } = await model.evaluate(tokens, test.labels);
  const predicted = await argMax(await model.predict(tokens)).data();
  console.log(`\nTest accuracy ${testAccuracy.toFixed(4)}, loss ${testLoss.toFixed(4)}`);
  printConfusion(metrics.confusionMatrix(test.labels, predicted, classes.length), classes);

  const step = Math.floor(test.texts.length / 5);
  const samples = Array.from({ length: 5 }, (_, i) => i * step);
  const texts = samples.map((i) => test.texts[i]);
  const lines = await describePredictions(model, vectorize, classes, texts);
  samples.forEach((i, at) => {
    console.log(`${classes[test.labels[i]]}: ${test.texts[i].slice(0, 70)}  →  ${lines[at]}`);
  });

  await saveModel(model, options.save, { vectorizer: vectorize, classes });
  console.log(`Saved in ${options.save}; try: ./build.sh demo -- --predict "..."`);

  if (options.json) {
    const { build, threads, memory } = engine().info();
    console.log(
      JSON.stringify({
        testAccuracy,
        testLoss,
        epochs,
        steps,
        secondsPerEpoch: seconds / epochs,
        stepsPerSecond: steps / seconds,
        threads,
        build,
        peakBytes: memory.peak,
        weightsHash: await weightsHash(model),
      }),
    );
  }
}

if (options.help) {
  console.log(usage);
} else {
  const threads = wholeNumber("threads");
  await init({ wide: true, ...(threads !== undefined && { threads }) });
  try {
    if (options.predict === undefined) {
      printEngine();
      await trainAndTest();
    } else {
      await predictOne();
    }
  } finally {
    shutdown();
  }
}
