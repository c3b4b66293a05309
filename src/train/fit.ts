/** The training loop behind `fit`. */
import { checkWhole } from "../checks.js";
import { ArgumentError } from "../errors.js";
import { batches } from "../data/batches.js";
import { gatherRows } from "../data/rows.js";
import { defaultBatchSize, averagesOf, runStep, tensorOf } from "./evaluate.js";
import { nonFiniteLoss } from "./diagnose.js";
import type { Report } from "./history.js";
import { Averages, History } from "./history.js";
import type { Table } from "../data/rows.js";
import type { Input } from "../data/inputs.js";
import { checkSameRows, sliceRows, tableOf } from "../data/inputs.js";
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
  /** Rows to measure on after each epoch. */
  readonly validationData?: readonly [x: Input, y: Input];
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

/** Inputs, targets, and weights if there are any, a row for a row. */
type Rows = readonly [x: Table, y: Table, weights: Table | undefined];

/** Trains `model`; gives what it reported. */
export async function fit(model: Model, x: Input, y: Input, options: FitOptions): Promise<History> {
  const { batchSize = defaultBatchSize, epochs = 1, shuffle = true, seed = 0 } = options;
  const setup = model.setup("fit");
  const { metrics } = setup.objective;
  checkWhole("fit: batchSize", batchSize, 1);
  checkWhole("fit: epochs", epochs, 1);
  const { rows, validation } = splitRows(x, y, options);
  const count = rows[0].shape[0]!;
  const steps = Math.ceil(count / batchSize);
  const history = new History();
  const bar = new ProgressBar({
    epochs,
    steps,
    verbose: options.verbose ?? 1,
    ...(options.progress && { stream: options.progress }),
  });
  const first = Int32Array.from({ length: Math.min(batchSize, count) }, (_, row) => row);
  const buffers = rows.map((table) => table && gatherRows(table, first).data);
  const callbacks = options.callbacks ?? [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const averages = new Averages(metrics);
    bar.startEpoch(epoch);
    let step = 0;
    for (const chosen of batches(count, { batchSize, shuffle, seed, epoch })) {
      // Tensors copy what they are made of, so one buffer a table serves every batch.
      const batch = rows.map((table, i) => table && gatherRows(table, chosen, buffers[i]));
      const sums = await runStep(setup.train, batch, metrics.streamed);
      if (!Number.isFinite(sums[1]!)) {
        // The guard has kept it from being applied.
        setup.optimizer.steps--;
        throw await nonFiniteLoss(model, tensorOf(batch[0]!), { epoch, step });
      }
      averages.add(sums);
      const report = averages.interim();
      bar.update(++step, report);
      for (const { onBatchEnd } of callbacks) await onBatchEnd?.(step, report);
    }
    const trained = averages.report();
    const measured = validation
      ? (await averagesOf(setup.evaluate, metrics, validation, batchSize)).report("val")
      : {};
    const report = { ...trained, ...measured };
    history.add(epoch, report);
    bar.endEpoch(report);
    for (const { onEpochEnd } of callbacks) await onEpochEnd?.(epoch, report);
  }
  return history;
}

/** The rows to train on, and those to measure on. */
function splitRows(
  x: Input,
  y: Input,
  { validationSplit = 0, validationData, sampleWeight }: FitOptions,
): { readonly rows: Rows; readonly validation: Rows | undefined } {
  const rows = rowsOf(x, y, sampleWeight, "");
  if (validationData) {
    return { rows, validation: rowsOf(...validationData, undefined, "validation ") };
  }
  if (validationSplit === 0) return { rows, validation: undefined };
  const count = rows[0].shape[0]!;
  const kept = Math.floor(count * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count) {
    throw new ArgumentError(
      `fit: validationSplit ${validationSplit} of ${count} rows leaves nothing on one side`,
    );
  }
  const cut = (start: number, end: number): Rows => {
    const [inputs, targets, weights] = rows;
    const part = (table: Table): Table => sliceRows(table, start, end);
    return [part(inputs), part(targets), weights && part(weights)];
  };
  return { rows: cut(0, kept), validation: cut(kept, count) };
}

function rowsOf(x: Input, y: Input, weight: Input | undefined, prefix: string): Rows {
  const inputs = tableOf(`${prefix}x`, x, "float32");
  const targets = tableOf(`${prefix}y`, y, "int32");
  const weights = weight && tableOf(`${prefix}sampleWeight`, weight, "float32");
  checkSameRows(inputs, { [`${prefix}y`]: targets, sampleWeight: weights });
  return [inputs, targets, weights];
}
