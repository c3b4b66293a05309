/** The training loop behind `fit`. */
import { checkWhole } from "../checks.js";
import { ArgumentError, DataError } from "../errors.js";
import { Dataset } from "../data/dataset.js";
import type { Input } from "../data/inputs.js";
import { defaultBatchSize, averagesOf, runStep, tensorOf } from "./evaluate.js";
import { nonFiniteLoss } from "./diagnose.js";
import type { Report } from "./history.js";
import { Averages, History } from "./history.js";
import type { Feed, TrainingBatch } from "./feed.js";
import { arrayFeed, checkDatasetOptions, datasetFeed, partOf, rowsOf, targetsOf } from "./feed.js";
import type { Model } from "./model.js";
import type { ProgressStream } from "./progressBar.js";
import { ProgressBar } from "./progressBar.js";

/** What `fit` calls as it goes; each may be async and is waited for. */
export interface FitCallbacks {
  readonly onBatchEnd?: (step: number, report: Report) => void | Promise<void>;
  readonly onEpochEnd?: (epoch: number, report: Report) => void | Promise<void>;
}

/** Options of `fit`. */
export interface FitOptions {
  /** Rows a step; the last batch of an epoch may be smaller. Default: 32. */
  readonly batchSize?: number;
  /** How often all rows are gone through. Default: 1. */
  readonly epochs?: number;
  /** The share of rows, the last ones, to measure on instead of train on. Default: 0. */
  readonly validationSplit?: number;
  /** Rows to measure on after each epoch: `[x, y]`, or batches. */
  readonly validationData?: TrainingBatch | Dataset<TrainingBatch>;
  /** Batches an epoch, of a Dataset that never ends or is long. Default: all there are. */
  readonly stepsPerEpoch?: number;
  /** Whether each epoch has an order of its own. Default: true. */
  readonly shuffle?: boolean;
  /** What the orders follow from. Default: 0. */
  readonly seed?: number;
  /** How much each row counts, `[rows]`. */
  readonly sampleWeight?: Input;
  /** 0: silent, 1: a progress bar, 2: a line an epoch. Default: 1. */
  readonly verbose?: 0 | 1 | 2;
  /** Where progress is written, instead of standard output. */
  readonly progress?: ProgressStream;
  readonly callbacks?: readonly FitCallbacks[];
}

/** Trains `model`; gives what it reported. */
export async function fit(
  model: Model,
  x: Input | Dataset<TrainingBatch>,
  y: Input | undefined,
  options: FitOptions,
): Promise<History> {
  const { batchSize = defaultBatchSize, epochs = 1, stepsPerEpoch } = options;
  const setup = model.setup("fit");
  const { metrics } = setup.objective;
  checkWhole("fit: batchSize", batchSize, 1);
  checkWhole("fit: epochs", epochs, 1);
  if (stepsPerEpoch !== undefined) checkWhole("fit: stepsPerEpoch", stepsPerEpoch, 1);
  const { feed, validation } = feedsOf([x, y], options);
  const steps = stepsPerEpoch ?? feed.size;
  if (steps === Infinity) {
    throw new ArgumentError("fit: the Dataset never ends; say stepsPerEpoch");
  }
  const history = new History();
  const bar = new ProgressBar({
    epochs,
    steps,
    verbose: options.verbose ?? 1,
    ...(options.progress && { stream: options.progress }),
  });
  const callbacks = options.callbacks ?? [];
  // Where epochs are cut by steps, the next one goes on where the last one ended.
  const endless = stepsPerEpoch === undefined ? undefined : feed.repeat().iterator();
  let batches = endless ?? feed.iterator();
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const averages = new Averages(metrics);
      bar.startEpoch(epoch);
      let step = 0;
      while (step < (stepsPerEpoch ?? Infinity)) {
        const { done, value: batch } = await batches.next();
        if (done === true) break;
        const sums = await runStep(setup.train, batch, metrics.streamed);
        if (!Number.isFinite(sums[1]!)) {
          // The guard has kept it from being applied.
          setup.optimizer.steps--;
          throw await nonFiniteLoss(model, tensorOf(batch[0]), { epoch, step });
        }
        averages.add(sums);
        const report = averages.interim();
        bar.update(++step, report);
        for (const { onBatchEnd } of callbacks) await onBatchEnd?.(step, report);
      }
      if (step === 0)
        throw new DataError("fit: the Dataset is empty: there is nothing to train on");
      const trained = averages.report();
      const measured = validation
        ? (await averagesOf(setup.evaluate, metrics, validation)).report("val")
        : {};
      const report = { ...trained, ...measured };
      history.add(epoch, report);
      bar.endEpoch(report);
      for (const { onEpochEnd } of callbacks) await onEpochEnd?.(epoch, report);
      if (!endless) {
        await batches.return();
        batches = feed.iterator({ epoch: epoch + 1 });
      }
    }
  } finally {
    await batches.return();
  }
  return history;
}

/** The batches to train on, and those to measure on. */
function feedsOf(
  [x, y]: readonly [x: Input | Dataset<TrainingBatch>, y: Input | undefined],
  options: FitOptions,
): { readonly feed: Feed; readonly validation: Feed | undefined } {
  const { batchSize = defaultBatchSize, shuffle = true, seed = 0 } = options;
  const { validationSplit = 0, validationData, sampleWeight } = options;
  const given = validationData && validationFeed(validationData, batchSize);
  if (x instanceof Dataset) {
    const decided = ["batchSize", "shuffle", "validationSplit", "sampleWeight"];
    checkDatasetOptions("fit", options, decided);
    return { feed: datasetFeed("fit", x), validation: given };
  }
  const rows = rowsOf([x, targetsOf("fit", y), sampleWeight]);
  const training = { batchSize, seed: shuffle ? seed : undefined };
  if (given || validationSplit === 0) return { feed: arrayFeed(rows, training), validation: given };
  const count = rows[0].shape[0]!;
  const kept = Math.floor(count * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count) {
    throw new ArgumentError(
      `fit: validationSplit ${validationSplit} of ${count} rows leaves nothing on one side`,
    );
  }
  return {
    feed: arrayFeed(partOf(rows, 0, kept), training),
    validation: arrayFeed(partOf(rows, kept, count), { batchSize }),
  };
}

function validationFeed(data: NonNullable<FitOptions["validationData"]>, batchSize: number): Feed {
  if (data instanceof Dataset) return datasetFeed("fit: validationData", data);
  return arrayFeed(rowsOf(data, "validation "), { batchSize });
}
