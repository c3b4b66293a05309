/** `ferrograd train`. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { classWeights } from "../data/samplers.js";
import { DataError, FerrogradError, reasonOf } from "../errors.js";
import { Checkpoints } from "../io/checkpoints.js";
import { makeOptimizer } from "../optim/index.js";
import { Generator } from "../random.js";
import { manualSeed } from "../seed.js";
import { BackupAndRestore, CSVLogger, Scheduler, TensorBoard } from "../train/callbacks/index.js";
import type { ClassWeight } from "../train/classWeights.js";
import type { FitOptions } from "../train/fitOptions.js";
import type { FitCallbacks } from "../train/hooks.js";
import type { History, Report } from "../train/history.js";
import type { Companions } from "../train/save.js";
import { saveModel, weightsHash } from "../train/save.js";
import { Sequential } from "../train/sequential.js";
import { formatReport } from "../train/progressBar.js";
import type { Config, LoadedConfig } from "./config.js";
import { loadConfig } from "./config.js";
import { ConfigError } from "./errors.js";
import { measure } from "./evaluate.js";
import type { Examples, Learned } from "./examples.js";
import { learn, readExamples } from "./examples.js";
import { allRows, batchesOf } from "./feeds.js";
import { notAmong } from "./nearest.js";
import type { Output } from "./output.js";
import { toJson } from "./output.js";
import { placeOf } from "./places.js";
import { checkResume, rememberConfig } from "./resume.js";
import { signals } from "./signals.js";
import { startEngine } from "./start.js";

/** Options of `train`. */
export interface TrainOptions {
  readonly set: readonly string[];
  readonly resume?: boolean;
  readonly overwrite?: boolean;
  readonly dryRun?: boolean;
  readonly threads?: number | undefined;
}

/** Where files of a training go. */
function filesOf(folder: string) {
  return {
    model: join(folder, "model"),
    checkpoints: join(folder, "checkpoints"),
    historyCsv: join(folder, "history.csv"),
    historyJson: join(folder, "history.json"),
    tensorBoard: join(folder, "tensorboard"),
  };
}

/** Trains what a config describes. */
export async function train(file: string, options: TrainOptions, output: Output): Promise<void> {
  const loaded = await loadConfig(file, options.set);
  const { config, pathOf } = loaded;
  const folder = pathOf(config.output.folder);
  const files = filesOf(folder);
  if (!options.dryRun) await checkResume(folder, loaded.raw, options);
  const engine = await startEngine(output, options);
  const seed = config.fit?.seed ?? 0;
  const { learned, examples } = await learn(config.data, placeOf(config.data.train, pathOf));
  const model = build(config, learned, seed);
  const validation =
    config.data.validation &&
    (await readExamples(placeOf(config.data.validation, pathOf), learned));
  const test = config.data.test && (await readExamples(placeOf(config.data.test, pathOf), learned));
  const rows = { train: examples.size, validation: validation?.size, test: test?.size };
  output.note(describeRows(rows, learned));
  output.event("start", { config: file, output: folder, engine, rows, classes: learned.classes });
  const companions: Companions = { ...learned };
  if (options.dryRun) {
    await dryRun(loaded, model, { examples, validation, learned }, output);
    return;
  }

  await rememberConfig(folder, loaded.raw);
  const { checkpoint = {} } = config.output;
  const backup = new BackupAndRestore(files.checkpoints, {
    ...checkpoint,
    deleteCheckpoint: false,
  });
  const callbacks: FitCallbacks[] = [
    ...(config.fit?.callbacks ?? []).map((make) =>
      make({ pathOf: (path) => join(folder, path), companions }),
    ),
    ...scheduleOf(config),
    new CSVLogger(files.historyCsv),
    ...(config.output.tensorBoard ? [new TensorBoard(files.tensorBoard)] : []),
    reporter(output),
    backup,
    {
      onTrainBegin: () => {
        if (backup.restoredFrom !== undefined) {
          output.note(`Goes on behind batch ${backup.restoredFrom}`);
          output.event("resume", { batches: backup.restoredFrom });
        }
      },
    },
  ];
  const stop = signals((message) => output.note(message));
  let history: History;
  try {
    history = await run(loaded, model, { examples, validation, learned }, output, {
      callbacks,
      signal: stop.signal,
    });
  } catch (error) {
    if (stop.signal.aborted) {
      output.note("Stopped between two batches and saved; --resume goes on from there");
      output.event("interrupted", { output: folder });
    }
    throw error;
  } finally {
    stop.release();
  }
  await saveModel(model, files.model, companions);
  await writeJson(files.historyJson, { epoch: history.epoch, ...history.history });
  // The model is safe; what it could have gone on from is not needed any more.
  await new Checkpoints(files.checkpoints).clear();
  await rm(files.checkpoints, { recursive: true, force: true });
  const measured = test && (await measure(model, test, learned, config.fit?.batchSize));
  const weights = await weightsHash(model);
  output.event("end", {
    model: files.model,
    epochs: history.epoch.length,
    weights,
    test: measured,
  });
  if (measured) output.result(`Test: ${formatReport(measured)}`);
  output.result(`Saved in ${files.model}`);
}

/** The model, compiled; what is wrong with it is told by its key in the config. */
function build(config: Config, learned: Learned, seed: number): Sequential {
  const { layers } = config.model;
  const { optimizer, loss, metrics = [], regularizers = [], schedule } = config.compile;
  manualSeed(seed);
  const model = within("model.layers", () => Sequential.fromConfig({ layers }));
  within("compile", () => model.compile({ optimizer, loss, metrics, regularizers }));
  if (schedule) {
    // The schedule checks its options when it is made, for an optimizer of its own.
    const optimizerOfNone = makeOptimizer({ name: "sgd", options: {} }, model.namedParameters());
    within("compile.schedule", () => schedule.make(optimizerOfNone));
  }
  const { shape, whole } = learned.preprocessing;
  within("model.layers", () => model.summary(shape, { dtype: whole ? "int32" : "float32" }));
  return model;
}

function within<T>(key: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof FerrogradError)) throw error;
    throw new ConfigError(`${key}: ${error.message}`, { cause: error });
  }
}

function scheduleOf({ compile: { schedule } }: Config): Scheduler[] {
  if (!schedule) return [];
  return [new Scheduler(schedule.make, { interval: schedule.interval })];
}

/** Tells the epochs as they end. */
function reporter(output: Output): FitCallbacks {
  return {
    onEpochEnd(epoch: number, report: Report) {
      output.event("epoch", { epoch: epoch + 1, ...report });
    },
  };
}

interface FitData {
  readonly examples: Examples;
  readonly validation: Examples | undefined;
  readonly learned: Learned;
}

/** Runs `fit` as the config says. */
async function run(
  { config }: LoadedConfig,
  model: Sequential,
  { examples, validation, learned }: FitData,
  output: Output,
  own: Pick<FitOptions, "callbacks" | "signal" | "fastDevRun">,
): Promise<History> {
  const {
    callbacks: _,
    batchSize = 32,
    seed = 0,
    shuffle,
    validationSplit,
    ...rest
  } = config.fit ?? {};
  const { augment } = config.data;
  const options: FitOptions = {
    ...rest,
    ...own,
    classWeight: classWeightOf(rest.classWeight, examples, learned),
    ...(output.progress ? { progress: output.progress } : { verbose: 0 }),
    ...(validation && { validationData: batchesOf(validation, learned, { batchSize }) }),
  };
  if (examples.inputs.of === "table" && !augment?.length) {
    const { table } = examples.inputs;
    const order = { batchSize, seed, shuffle, validationSplit };
    return model.fit(table, examples.labels, { ...options, ...order });
  }
  const { training, held } = split(examples, validationSplit, seed);
  const ordered = shuffle === false ? undefined : seed;
  return model.fit(
    batchesOf(examples, learned, { batchSize, seed: ordered, augment, rows: training }),
    {
      ...options,
      ...(held && { validationData: batchesOf(examples, learned, { batchSize, rows: held }) }),
    },
  );
}

interface SplitRows {
  readonly training: readonly number[];
  readonly held: readonly number[] | undefined;
}

/** Rows to train on and to measure on: the last ones, but images, which are sorted by class. */
function split({ size, inputs }: Examples, share: number | undefined, seed: number): SplitRows {
  const rows = allRows(size);
  if (share === undefined) return { training: rows, held: undefined };
  const kept = Math.floor(size * (1 - share));
  if (kept === 0 || kept === size) {
    throw new DataError(`fit.validationSplit: ${share} of ${size} rows leaves nothing on one side`);
  }
  if (inputs.of === "images") new Generator(seed).shuffle(rows);
  return { training: rows.slice(0, kept), held: rows.slice(kept) };
}

/** Weights by class number, from weights by class name. */
function classWeightOf(
  given: NonNullable<Config["fit"]>["classWeight"],
  { labels }: Examples,
  { classes = [] }: Learned,
): ClassWeight | undefined {
  if (given === undefined) return undefined;
  if (given === "balanced") return classWeights(Array.from(labels.data, Number));
  const entries = Object.entries(given).map(([name, weight]) => {
    const label = classes.indexOf(name);
    if (label >= 0) return [label, weight] as const;
    throw new ConfigError(`fit.classWeight.${name}: ${notAmong(name, classes)}`);
  });
  return Object.fromEntries(entries);
}

/** Tries everything once, on the first batch, and leaves nothing behind. */
async function dryRun(
  loaded: LoadedConfig,
  model: Sequential,
  data: FitData,
  output: Output,
): Promise<void> {
  const history = await run(loaded, model, data, output, {
    callbacks: scheduleOf(loaded.config),
    fastDevRun: true,
  });
  const report = Object.fromEntries(
    Object.entries(history.history).map(([name, values]) => [name, values.at(-1)!]),
  );
  output.event("dryRun", report);
  output.result(`The config is sound: ${formatReport(report)}`);
}

function describeRows(
  rows: { readonly [name: string]: number | undefined },
  { classes }: Learned,
): string {
  const counts = Object.entries(rows).flatMap(([name, count]) =>
    count === undefined ? [] : [`${name} ${count.toLocaleString("en")} rows`],
  );
  return [...counts, ...(classes ? [`${classes.length} classes`] : [])].join(", ");
}

async function writeJson(path: string, value: object): Promise<void> {
  try {
    await mkdir(join(path, ".."), { recursive: true });
    await writeFile(path, `${toJson(value)}\n`);
  } catch (error) {
    throw new DataError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error });
  }
}
