/** What `fit` may be told. */
import { checkFlag, checkFunction, checkOptions, checkWhole, shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Dataset } from "../data/dataset.js";
import type { Input } from "../data/inputs.js";
import type { ClassWeight } from "./classWeights.js";
import { TrainingControl } from "./control.js";
import { defaultBatchSize } from "./evaluate.js";
import type { TrainingBatch } from "./feed.js";
import type { FitCallbacks } from "./hooks.js";
import { checkCallbacks } from "./hooks.js";
import type { ProgressStream } from "./progressBar.js";

/** Pieces of a batch: as many as workers in most machines at least, few enough to stay large. */
const defaultShards = 4;

/** Options of `fit`. */
export interface FitOptions {
  /** Rows a step; the last batch of an epoch may be smaller. Default: 32. */
  readonly batchSize?: number;
  /** The epoch to end before: how often all rows are gone through. Default: 1. */
  readonly epochs?: number;
  /** The epoch to begin with, counted from 0, of a training that is gone on with. Default: 0. */
  readonly initialEpoch?: number;
  /** The share of rows, the last ones, to measure on instead of train on. Default: 0. */
  readonly validationSplit?: number;
  /** Rows to measure on after each epoch: `[x, y]`, `[x, y, sampleWeight]`, or batches. */
  readonly validationData?: TrainingBatch | Dataset<TrainingBatch>;
  /** Batches an epoch, of a Dataset that never ends or is long. Default: all there are. */
  readonly stepsPerEpoch?: number;
  /** Whether each epoch has an order of its own. Default: true. */
  readonly shuffle?: boolean;
  /** What the orders follow from. Default: 0. */
  readonly seed?: number;
  /** How much each row counts, `[rows]`. */
  readonly sampleWeight?: Input;
  /** How much the rows of each class count, in the loss and in what is reported of training. */
  readonly classWeight?: ClassWeight;
  /**
   * Batches that share an update, as if they were one: its gradient is the mean over all their
   * entries. Default: 1.
   */
  readonly gradientAccumulationSteps?: number;
  /**
   * Trains on this many workers, each with a copy of the model and an engine of one thread; no
   * shared memory is needed. The weights that come of it are those of any number of workers, as long
   * as `shards` is the same. Validation and the update run on this engine. Default: none.
   */
  readonly workers?: number;
  /**
   * Into how many pieces each batch is cut for workers; a batch norm's statistics are each piece's
   * own, and the running ones move by their mean. Default: 4, or the power of 2 that gives each
   * worker a piece.
   */
  readonly shards?: number;
  /**
   * The address of a module that makes the model in a worker, for models with layers that are not
   * the library's own: its function `model({ nn, tensor, … })` is given layers, tensors and ops, by
   * the names they are imported by, and imports none of its own.
   */
  readonly workerModule?: string | URL;
  /** Trains on this many batches only, the first, and measures on them: can it learn at all? */
  readonly overfitBatches?: number;
  /**
   * Tries everything once: one epoch of this many batches (`true`: 1), and of validation; callbacks
   * that leave files behind or end runs early are left out.
   */
  readonly fastDevRun?: boolean | number;
  /** Aborts training between two batches: `fit` rejects with its reason, the model is whole. */
  readonly signal?: AbortSignal;
  /** Pauses, resumes and stops training from outside. */
  readonly control?: TrainingControl;
  /** 0: silent, 1: a progress bar, 2: a line an epoch. Default: 1. */
  readonly verbose?: 0 | 1 | 2;
  /** Where progress is written, instead of standard output. */
  readonly progress?: ProgressStream;
  readonly callbacks?: readonly FitCallbacks[];
}

/** Options with all that has a default. */
export type FullFitOptions = FitOptions & {
  readonly batchSize: number;
  readonly epochs: number;
  readonly initialEpoch: number;
  readonly gradientAccumulationSteps: number;
  /** Pieces that a batch is cut in; 0 without workers. */
  readonly shards: number;
  /** Batches of a dev run; undefined in others. */
  readonly devBatches: number | undefined;
  /** The options as they were given. */
  readonly given: FitOptions;
};

const known = {
  batchSize: true,
  epochs: true,
  initialEpoch: true,
  validationSplit: true,
  validationData: true,
  stepsPerEpoch: true,
  shuffle: true,
  seed: true,
  sampleWeight: true,
  classWeight: true,
  gradientAccumulationSteps: true,
  overfitBatches: true,
  fastDevRun: true,
  signal: true,
  control: true,
  verbose: true,
  progress: true,
  callbacks: true,
  workers: true,
  shards: true,
  workerModule: true,
} as const satisfies Record<keyof FitOptions, true>;

/** `options`, checked. Throws ArgumentError, naming what is wrong. */
export function checkFitOptions(options: FitOptions): FullFitOptions {
  checkOptions("fit", options, known);
  const { fastDevRun = false, overfitBatches, stepsPerEpoch } = options;
  const devBatches = fastDevRun === false ? undefined : Number(fastDevRun);
  const full = {
    batchSize: defaultBatchSize,
    epochs: 1,
    initialEpoch: 0,
    gradientAccumulationSteps: 1,
    ...definedOf(options),
    ...checkWorkers(options),
    ...(devBatches !== undefined && { epochs: 1, initialEpoch: 0, stepsPerEpoch: undefined }),
    devBatches,
    given: options,
  };
  checkWhole("fit: batchSize", full.batchSize, 1);
  checkWhole("fit: epochs", full.epochs, 1);
  checkWhole("fit: initialEpoch", full.initialEpoch, 0);
  checkWhole("fit: gradientAccumulationSteps", full.gradientAccumulationSteps, 1);
  if (devBatches !== undefined) checkWhole("fit: fastDevRun", devBatches, 1);
  if (stepsPerEpoch !== undefined) checkWhole("fit: stepsPerEpoch", stepsPerEpoch, 1);
  if (overfitBatches !== undefined) checkWhole("fit: overfitBatches", overfitBatches, 1);
  checkFlag("fit: shuffle", full.shuffle ?? true);
  checkMeans(full);
  checkCallbacks("fit", full.callbacks ?? []);
  if (full.initialEpoch < full.epochs) return full;
  throw new ArgumentError(
    `fit: initialEpoch ${full.initialEpoch} is not before epoch ${full.epochs}, where it is to end`,
  );
}

/** How work is spread. Throws ArgumentError for what only workers have, without them. */
function checkWorkers({
  workers,
  shards,
  workerModule,
}: FitOptions): Pick<FullFitOptions, "shards"> {
  if (workers === undefined) {
    for (const [name, value] of Object.entries({ shards, workerModule })) {
      if (value !== undefined) throw new ArgumentError(`fit: ${name} is for workers; say how many`);
    }
    return { shards: 0 };
  }
  checkWhole("fit: workers", workers, 1);
  let enough = defaultShards;
  while (enough < workers) enough *= 2;
  const pieces = shards ?? enough;
  checkWhole("fit: shards", pieces, 1);
  if (pieces < workers) {
    throw new ArgumentError(`fit: ${pieces} shards leave some of ${workers} workers without work`);
  }
  return { shards: pieces };
}

/** Throws ArgumentError unless that which shows and steers the run is what it should be. */
function checkMeans({ signal, control, verbose = 1, progress }: FitOptions): void {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new ArgumentError(`fit: signal is ${shown(signal)}, not an AbortSignal`);
  }
  if (control !== undefined && !(control instanceof TrainingControl)) {
    throw new ArgumentError(`fit: control is ${shown(control)}, not a TrainingControl`);
  }
  if (![0, 1, 2].includes(verbose)) {
    throw new ArgumentError(`fit: verbose is ${shown(verbose)}; it must be 0, 1 or 2`);
  }
  if (progress !== undefined) {
    checkFunction("fit: progress.write", Reflect.get(Object(progress) as object, "write"));
  }
}

/** The options that are not undefined: those have their defaults. */
function definedOf(options: FitOptions): FitOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
