/** `ferrograd evaluate`. */
import { StateError } from "../errors.js";
import { defaultBatchSize } from "../train/evaluate.js";
import { formatReport } from "../train/progressBar.js";
import type { Report } from "../train/history.js";
import { loadModel } from "../train/save.js";
import type { Sequential } from "../train/sequential.js";
import type { Examples, Learned } from "./examples.js";
import { readExamples } from "./examples.js";
import { batchesOf } from "./feeds.js";
import type { Output } from "./output.js";
import { preprocessingFrom } from "./preprocessing.js";
import type { Place } from "./sources.js";
import { startEngine } from "./start.js";

/** Options of `evaluate` and `predict`. */
export interface UseOptions {
  readonly batchSize?: number | undefined;
  readonly threads?: number | undefined;
}

/** A model of the command line, and all that makes its inputs. */
export async function openModel(
  folder: string,
): Promise<{ readonly model: Sequential; readonly learned: Learned }> {
  const { model, vectorizer, classes, preprocessing: saved } = await loadModel(folder);
  const preprocessing = preprocessingFrom(saved, folder);
  if (preprocessing.text !== undefined && !vectorizer) {
    throw new StateError(`${folder}: its input is a text, and it was saved without its vectorizer`);
  }
  return { model, learned: { preprocessing, vectorizer, classes } };
}

/** The loss and metrics on examples. */
export async function measure(
  model: Sequential,
  examples: Examples,
  learned: Learned,
  batchSize = defaultBatchSize,
): Promise<Report> {
  const { inputs, labels } = examples;
  return inputs.of === "table"
    ? model.evaluate(inputs.table, labels, { batchSize })
    : model.evaluate(batchesOf(examples, learned, { batchSize }));
}

/** Measures a saved model. */
export async function evaluate(
  folder: string,
  place: Place,
  options: UseOptions,
  output: Output,
): Promise<void> {
  const engine = await startEngine(output, options);
  const { model, learned } = await openModel(folder);
  const examples = await readExamples(place, learned);
  const report = await measure(model, examples, learned, options.batchSize);
  output.event("evaluation", { model: folder, engine, rows: examples.size, ...report });
  output.result(`${examples.size.toLocaleString("en")} rows: ${formatReport(report)}`);
}
