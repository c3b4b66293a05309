// A training that a test kills: `node resumedRun.js FOLDER [WORKERS]`. Says when it trains, and at the end a
// hash of all that came of it.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { init, manualSeed, nn, optim, randomState } from "../dist/index.js";
import * as train from "../dist/train/entry.js";

const [folder, workers] = process.argv.slice(2);
await init({ threads: 1, build: "plain" });
manualSeed(11);
const model = nn.sequential(
  nn.linear(6, 12, { activation: "tanh" }),
  nn.batchNorm1d(12),
  nn.dropout(0.25),
  nn.linear(12, 3, { activation: "softmax" }),
);
model.compile({
  optimizer: optim.adamW({
    learningRate: 0.02,
    clipNorm: 1,
    emaMomentum: 0.9,
    groups: [{ maxRank: 1, weightDecay: 0, learningRate: 0.01 }],
  }),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
});
const rows = 150;
const x = {
  data: Float32Array.from({ length: rows * 6 }, (_, i) => ((i * 7919) % 97) / 48 - 1),
  shape: [rows, 6],
};
const y = Int32Array.from({ length: rows }, (_, i) => (x.data[6 * i] > 0 ? 1 : i % 3));

const stopping = new train.EarlyStopping({ patience: 30, restoreBestWeights: true });
const backup = new train.BackupAndRestore(join(folder, "backup"), {
  saveFrequency: 2,
  deleteCheckpoint: false,
});
const csv = join(folder, "log.csv");
const begin = { onTrainBegin: () => console.log("begin") };
const history = await model.fit(x, y, {
  epochs: 12,
  batchSize: 9,
  gradientAccumulationSteps: 3,
  workers: workers ? Number(workers) : undefined,
  validationSplit: 0.2,
  classWeight: "balanced",
  verbose: 0,
  callbacks: [
    // First, so that its checkpoints are of what the others have done all the same.
    backup,
    new train.SwapEMAWeights(),
    stopping,
    new train.ReduceLROnPlateau({ patience: 2, factor: 0.7 }),
    new train.Scheduler(
      (optimizer) => new train.lrScheduler.CosineAnnealingLR(optimizer, { tMax: 40, etaMin: 1e-4 }),
      { interval: "step" },
    ),
    new train.CSVLogger(csv),
    new train.TensorBoard(join(folder, "events"), { updateFrequency: 2, histogramFrequency: 4 }),
    new train.ModelCheckpoint(join(folder, "best-{epoch}"), { saveTopK: 2 }),
    begin,
  ],
});

const hash = createHash("sha256");
for (const [name, { data }] of await model.stateDict()) hash.update(name).update(data);
// Not what workers have done, which is a matter of time.
hash.update(
  JSON.stringify({
    ...history,
    workers: undefined,
    random: randomState(),
    best: stopping.bestEpoch,
  }),
);
hash.update(await readFile(csv));
console.log(`from ${backup.restoredFrom} end ${hash.digest("hex")}`);
process.exit(0);
