/** The training loop behind `fit`. */
import type { NonFiniteError } from "../errors.js";
import { DataError } from "../errors.js";
import { nonFiniteLoss } from "./diagnose.js";
import { tensorOf } from "./evaluate.js";
import type { Rows } from "./feed.js";
import type { FitData } from "./fitFeeds.js";
import { fitFeeds } from "./fitFeeds.js";
import type { FitOptions } from "./fitOptions.js";
import { checkFitOptions } from "./fitOptions.js";
import type { History, Report } from "./history.js";
import type { Model } from "./model.js";
import { TrainingRun } from "./trainingRun.js";

/** Progress of a run: an epoch has begun, a batch or an epoch has ended. */
export type FitEvent =
  | { readonly type: "epochBegin"; readonly epoch: number }
  | {
      readonly type: "batchEnd";
      readonly epoch: number;
      /** Counted from 1 in each epoch. */
      readonly step: number;
      /** Batches an epoch; undefined where only the first epoch of a Dataset will tell. */
      readonly steps: number | undefined;
      readonly report: Report;
    }
  | { readonly type: "epochEnd"; readonly epoch: number; readonly report: Report };

/** The events of a run, and at its end what it reported. */
export type FitEvents = AsyncGenerator<FitEvent, History, undefined>;

/** Trains `model`; gives what it reported. */
export async function fit(model: Model, data: FitData, options: FitOptions): Promise<History> {
  const events = fitEvents(model, data, options);
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}

/** Trains `model` as its events are asked for; ends with what it reported. */
export async function* fitEvents(model: Model, data: FitData, given: FitOptions): FitEvents {
  model.setup("fit");
  const options = checkFitOptions(given);
  const run = new TrainingRun(model, options, fitFeeds(data, options));
  // What is left without an error was left by whoever asks for the events.
  let how: "done" | "aborted" | "failed" = "aborted";
  try {
    await run.begin();
    while (!run.isOver) yield* trainEpoch(run);
    await run.end();
    how = "done";
    return run.history;
  } catch (error) {
    if (!(options.signal?.aborted && error === options.signal.reason)) how = "failed";
    throw error;
  } finally {
    if (how !== "done") await interrupt(run, how);
    await run.close();
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
  const { epoch } = run;
  await run.gate();
  const isNew = run.step === 0;
  await run.beginEpoch();
  if (isNew) yield { type: "epochBegin", epoch };
  for (;;) {
    await run.gate();
    // A stop after the last batch of an epoch still ends the epoch.
    if (run.isOver && run.step !== run.steps) return;
    const batch = await run.nextBatch();
    if (!batch) break;
    const report = await trainBatch(run, batch);
    if (!report) return;
    yield { type: "batchEnd", epoch, step: run.step, steps: run.steps, report };
  }
  if (run.step === 0)
    throw new DataError("fit: the Dataset is empty: there is nothing to train on");
  if (run.isGathering) await run.setup.train.step("rest")();
  yield { type: "epochEnd", epoch, report: await run.endEpoch() };
}

/** Trains on a batch; gives what the epoch reports so far, nothing where a bad loss ends the run. */
async function trainBatch(run: TrainingRun, batch: Rows): Promise<Report | undefined> {
  const { setup, phase, step } = run;
  await run.call((one) => one.onBatchBegin?.(step + 1));
  const sums = await run.runner.run(phase, batch);
  if (!Number.isFinite(sums[1]!)) {
    // The guard has kept it from being applied.
    if (phase === "whole" || phase === "last") setup.optimizer.steps--;
    const error = await nonFiniteLoss(run.model, tensorOf(batch[0]), { epoch: run.epoch, step });
    await rejectNonFinite(run, error);
    return undefined;
  }
  run.averages.add(sums);
  run.step++;
  run.totalSteps++;
  const report = run.averages.interim();
  await run.call((one) => one.onBatchEnd?.(step + 1, report));
  return report;
}

async function rejectNonFinite(run: TrainingRun, error: NonFiniteError): Promise<void> {
  await run.call((one) => one.onNonFinite?.(error));
  if (!run.isOver) throw error;
}
