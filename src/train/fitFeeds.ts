/** The batches that a run trains on, and those it measures on. */
import { shown } from "../checks.js";
import { Dataset } from "../data/dataset.js";
import type { Input } from "../data/inputs.js";
import type { Table } from "../data/rows.js";
import { ArgumentError } from "../errors.js";
import { weighClasses } from "./classWeights.js";
import type { Feed, Rows, TrainingBatch } from "./feed.js";
import {
  arrayFeed,
  checkCounted,
  checkDatasetOptions,
  checkEnds,
  datasetFeed,
  partOf,
  rowsOf,
  targetsOf,
} from "./feed.js";
import type { FullFitOptions } from "./fitOptions.js";

/** Batches to train on and to measure on. */
export interface FitFeeds {
  readonly training: Feed;
  readonly validation: Feed | undefined;
  /** What must be the same for a run to go on: otherwise rows would be seen twice, or never. */
  readonly identity: { readonly [name: string]: number };
}

/** What `fit` was given to train on. */
export type FitData = readonly [x: Input | Dataset<TrainingBatch>, y: Input | undefined];

/** The batches of a run. Throws DataError and ArgumentError for data and options that do not fit. */
export function fitFeeds(data: FitData, options: FullFitOptions): FitFeeds {
  const { overfitBatches, devBatches } = options;
  const whole = wholeFeeds(data, options);
  let { training, validation } = whole;
  if (overfitBatches !== undefined) {
    // The same ones in each epoch, whatever their order is.
    training = training.take(overfitBatches).map(copyOf).cache();
    validation &&= training;
  }
  if (devBatches !== undefined) {
    training = training.take(devBatches);
    validation = validation?.take(devBatches);
  }
  return { ...whole, training, validation };
}

function wholeFeeds([x, y]: FitData, options: FullFitOptions): FitFeeds {
  const { batchSize, shuffle = true, seed = 0, sampleWeight, classWeight } = options;
  const given = validationFeed(options);
  if (x instanceof Dataset) {
    const decided = ["batchSize", "shuffle", "validationSplit", "sampleWeight"];
    checkDatasetOptions("fit", options.given, decided);
    const feed = datasetFeed("fit", x);
    if (classWeight === undefined) return { training: feed, validation: given, identity: {} };
    if (classWeight === "balanced") {
      throw new ArgumentError(
        'fit: classWeight "balanced" counts the classes, which takes arrays; ' +
          "give a Dataset's classes weights of their own",
      );
    }
    const training = feed.map((batch) => weighClasses(batch, classWeight));
    return { training, validation: given, identity: {} };
  }
  const rows = rowsOf([x, targetsOf("fit", y), sampleWeight]);
  const { train, test } = given ? { train: rows, test: undefined } : splitRows(rows, options);
  const weighed = classWeight === undefined ? train : weighClasses(train, classWeight);
  checkCounted("fit", weighed);
  const isShuffled = shuffle && options.overfitBatches === undefined;
  const identity = { rows: train[0].shape[0]!, batchSize, seed: isShuffled ? seed : -1 };
  return {
    training: arrayFeed(weighed, { batchSize, seed: isShuffled ? seed : undefined }),
    validation: test ? arrayFeed(test, { batchSize }) : given,
    identity,
  };
}

function splitRows(
  rows: Rows,
  { validationSplit = 0 }: FullFitOptions,
): { readonly train: Rows; readonly test: Rows | undefined } {
  if (validationSplit === 0) return { train: rows, test: undefined };
  const count = rows[0].shape[0]!;
  const kept = Math.floor(count * (1 - validationSplit));
  const isNumber: boolean = typeof validationSplit === "number";
  if (!isNumber || !(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count) {
    throw new ArgumentError(
      `fit: validationSplit ${shown(validationSplit)} of ${count} rows leaves nothing on one side`,
    );
  }
  return { train: partOf(rows, 0, kept), test: partOf(rows, kept, count) };
}

function validationFeed({
  validationData: data,
  validationSplit,
  batchSize,
}: FullFitOptions): Feed | undefined {
  if (data === undefined) return undefined;
  if (validationSplit !== undefined && validationSplit !== 0) {
    throw new ArgumentError("fit: give validationData or validationSplit, not both");
  }
  if (data instanceof Dataset) {
    checkEnds("fit: validationData", data);
    return datasetFeed("fit: validationData", data);
  }
  if (!Array.isArray(data) || data.length < 2) {
    throw new ArgumentError(
      `fit: validationData is ${shown(data)}; [x, y], [x, y, sampleWeight] or a Dataset is expected`,
    );
  }
  const rows = rowsOf(data, "validation ");
  checkCounted("fit: validationData", rows);
  return arrayFeed(rows, { batchSize });
}

/** A batch in memory of its own: a feed may use its memory again. */
function copyOf([x, y, weights]: Rows): Rows {
  const copy = ({ data, shape }: Table): Table => ({ data: data.slice(), shape });
  return [copy(x), copy(y), weights && copy(weights)];
}
