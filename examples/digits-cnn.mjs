/**
 * Trains a small convolutional network on handwritten digits twice: plainly for a few epochs; then
 * for more of them on images turned, moved and scaled at random, with a learning rate that rises
 * and falls, until that no longer helps on digits held back.
 */
import { manualSeed, nn, optim, weightsHash } from "ferrograd";
import * as data from "ferrograd/data";
import { EarlyStopping, lrScheduler, Scheduler } from "ferrograd/train";
import { findData, printTable, readOptions, withEngine } from "./common.mjs";

const usage = `Usage: node examples/digits-cnn.mjs [options]
  --data FOLDER    the four files of MNIST, compressed or not (default: data/mnist)
  --plain N        epochs of the plain training; 0 leaves it out (default: 3)
  --augmented N    epochs of the augmented training, at the most; 0 leaves it out (default: 12)
  --limit N        train on N digits, and test on as many
  --seed S         what all random numbers follow from (default: 1)
  --threads T      threads (default: as many as there are cores)`;

const options = readOptions(usage, {
  data: "",
  plain: 3,
  augmented: 12,
  limit: Infinity,
  seed: 1,
  threads: undefined,
});
const batchSize = 64;
const { seed } = options;

/** Two blocks of convolution, batch norm, ReLU and pooling, and a linear layer over what is left. */
function buildModel(optimizer) {
  const block = (from, to) => [
    nn.conv2d(from, to, 3, { padding: "same" }),
    nn.batchNorm2d(to),
    nn.activation("relu"),
    nn.maxPool2d(2),
  ];
  const model = nn.sequential(
    ...block(1, 32),
    ...block(32, 64),
    nn.flatten(),
    nn.linear(64 * 7 * 7, 10, { activation: "softmax" }),
  );
  model.compile({
    optimizer,
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  return model;
}

async function plain(digits) {
  const model = buildModel(optim.adam({ learningRate: 1e-3 }));
  const batches = digits.shuffle({ seed }).batch(batchSize);
  return [model, await model.fit(batches, { epochs: options.plain, verbose: 2 })];
}

async function augmented(digits) {
  const sgd = optim.sgd({ learningRate: 1e-3, momentum: 0.9, nesterov: true, weightDecay: 5e-4 });
  const model = buildModel(sgd);
  const [train, validation] = digits.split(0.95, { shuffle: true, seed });
  const change = data.augment.randomAffine({ degrees: 10, translate: 0.07, scale: [0.9, 1.1] });
  const batches = train
    .shuffle({ seed })
    .map(([image, label], random) => [change(image, random), label], { seed })
    .batch(batchSize)
    .prefetch(2);
  const totalSteps = options.augmented * Math.ceil(train.size / batchSize);
  const oneCycle = (optimizer) =>
    new lrScheduler.OneCycleLR(optimizer, { maxLearningRate: 0.1, totalSteps, pctStart: 0.2 });
  // What is measured while the rate is high goes up and down: no reason to end.
  const startFromEpoch = Math.floor(options.augmented / 2);
  const history = await model.fit(batches, {
    epochs: options.augmented,
    validationData: validation.batch(256),
    verbose: 2,
    callbacks: [
      new Scheduler(oneCycle, { interval: "step" }),
      new EarlyStopping({ patience: 3, startFromEpoch, restoreBestWeights: true }),
    ],
  });
  return [model, history];
}

async function trainAndTest(name, train, digits, test) {
  console.log(`\n${name}`);
  manualSeed(seed);
  const begun = performance.now();
  const [model, history] = await train(digits);
  const epochs = history.epoch.length;
  const seconds = (performance.now() - begun) / 1000 / epochs;
  const { accuracy, loss } = await model.evaluate(test);
  const hash = (await weightsHash(model)).slice(0, 12);
  return [name, epochs, seconds.toFixed(1), accuracy, loss, hash];
}

const [trainImages, trainLabels, testImages, testLabels] = findData(
  options.data,
  "mnist",
  [/^train-images/, /^train-labels/, /^(test|t10k)-images/, /^(test|t10k)-labels/],
  "MNIST's four files are linked from github.com/cvdfoundation/mnist: put them " +
    "into data/mnist, or give their folder by --data.",
);
await withEngine(options.threads, async () => {
  const digits = (await data.fromIdx(trainImages, trainLabels)).take(options.limit);
  const test = (await data.fromIdx(testImages, testLabels)).take(options.limit).batch(256);
  console.log(`${digits.size} digits to train on`);
  const rows = [];
  for (const [name, train] of Object.entries({ plain, augmented })) {
    if (options[name] > 0) rows.push(await trainAndTest(name, train, digits, test));
  }
  printTable(["training", "epochs", "s/epoch", "test accuracy", "test loss", "weights"], rows);
});
