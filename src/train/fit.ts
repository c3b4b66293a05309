/** The training loop behind `fit`. */
import type { NonFiniteError } from "../errors.js";
import type { Input } from "../data/inputs.js";
import { nonFiniteLoss } from "./diagnose.js";
import { runStep, tensorOf } from "./evaluate.js";
import type { FitOptions, FullFitOptions } from "./fitOptions.js";
import { checkFitOptions } from "./fitOptions.js";
import type { History, Report } from "./history.js";
import type { Model } from "./model.js";
import { TrainingRun } from "./trainingRun.js";
import type { Rows } from "./trainingRows.js";
import { countOf, cutRows, divideRows, RowBatches } from "./trainingRows.js";

/** Progress of a run: an epoch has begun, a batch or an epoch has ended. */
export type FitEvent =
  | { readonly type: "epochBegin"; readonly epoch: number }
  | {
      readonly type: "batchEnd";
      readonly epoch: number;
      /** Counted from 1 in each epoch. */
      readonly step: number;
      /** Batches an epoch. */
      readonly steps: number;
      readonly report: Report;
    }
  | { readonly type: "epochEnd"; readonly epoch: number; readonly report: Report };

/** Trains `model`; gives what it reported. */
export async function fit(model: Model, x: Input, y: Input, options: FitOptions): Promise<History> {
  const events = fitEvents(model, x, y, options);
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}

/** Trains `model` as its events are asked for; ends with what it reported. */
export async function* fitEvents(
  model: Model,
  x: Input,
  y: Input,
  given: FitOptions,
): AsyncGenerator<FitEvent, History, undefined> {
  const run = prepare(model, x, y, checkFitOptions(given));
  // What is left without an error was left by whoever asks for the events.
  let how: "done" | "aborted" | "failed" = "aborted";
  try {
    await run.begin();
    while (!run.isOver) yield* trainEpoch(run);
    await run.end();
    how = "done";
    return run.history;
  } catch (error) {
    if (!(run.options.signal?.aborted && error === run.options.signal.reason)) how = "failed";
    throw error;
  } finally {
    if (how !== "done") await interrupt(run, how);
  }
}

async function interrupt(run: TrainingRun, how: "aborted" | "failed"): Promise<void> {
  try {
    await run.interrupt(how);
  } catch (error) {
    // What failed first is what the caller is told.
    if (how === "aborted") throw error;
  }
}

async function* trainEpoch(run: TrainingRun): AsyncGenerator<FitEvent, void, undefined> {
  const { epoch, steps } = run;
  await run.gate();
  await run.beginEpoch();
  if (run.step === 0) yield { type: "epochBegin", epoch };
  for (const batch of run.batches.epoch(epoch, run.step)) {
    await run.gate();
    if (run.isOver) return;
    const report = await trainBatch(run, batch);
    if (!report) return;
    yield { type: "batchEnd", epoch, step: run.step, steps, report };
  }
  yield { type: "epochEnd", epoch, report: await run.endEpoch() };
}

/** Trains on a batch; gives what the epoch reports so far, nothing where a bad loss ends the run. */
async function trainBatch(run: TrainingRun, batch: Rows): Promise<Report | undefined> {
  const { setup, phase, step } = run;
  await run.call((one) => one.onBatchBegin?.(step + 1));
  const sums = await runStep(setup.train.step(phase), batch, setup.objective.metrics.streamed);
  if (!Number.isFinite(sums[1]!)) {
    // The guard has kept it from being applied.
    if (phase === "whole" || phase === "last") setup.optimizer.steps--;
    const error = await nonFiniteLoss(run.model, tensorOf(batch[0]), { epoch: run.epoch, step });
    await rejectNonFinite(run, error);
    return undefined;
  }
  run.averages.add(sums);
  run.step++;
  const report = run.averages.interim();
  await run.call((one) => one.onBatchEnd?.(step + 1, report));
  return report;
}

async function rejectNonFinite(run: TrainingRun, error: NonFiniteError): Promise<void> {
  await run.call((one) => one.onNonFinite?.(error));
  if (!run.isOver) throw error;
}

function prepare(model: Model, x: Input, y: Input, options: FullFitOptions): TrainingRun {
  model.setup("fit");
  const { batchSize, shuffle = true, seed = 0, overfitBatches, devBatches } = options;
  const divided = divideRows(x, y, options);
  const first = (rows: Rows, count: number): Rows =>
    cutRows(rows, 0, Math.min(countOf(rows), count * batchSize));
  let { rows, validation } = divided;
  if (overfitBatches !== undefined) {
    rows = first(rows, overfitBatches);
    validation &&= rows;
  }
  if (devBatches !== undefined) {
    rows = first(rows, devBatches);
    validation &&= first(validation, devBatches);
  }
  const order = { batchSize, shuffle: shuffle && overfitBatches === undefined, seed };
  return new TrainingRun({ model, options, batches: new RowBatches(rows, order), validation });
}
