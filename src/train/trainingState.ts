/** All that a training run depends on, as plain data and tensors. */
import type { DatasetIterator } from "../data/dataset.js";
import type { Json } from "../data/source.js";
import { fieldsOf, isObject, shown } from "../checks.js";
import { DataError, FerrogradError, reasonOf } from "../errors.js";
import type { TensorData } from "../io/safetensors.js";
import type { RandomState } from "../seed.js";
import { randomState, setRandomState } from "../seed.js";
import type { Rows } from "./feed.js";
import type { FitOptions } from "./fitOptions.js";
import type { AveragesState } from "./history.js";
import type { CallbackState, FitCallbacks, TrainingState } from "./hooks.js";
import type { TrainingRun } from "./trainingRun.js";

/** The plain data of a state. */
interface Values {
  readonly format: typeof format;
  readonly version: number;
  /** What must be the same, or rows would be seen twice or never. */
  readonly identity: { readonly [name: string]: number };
  readonly epoch: number;
  readonly step: number;
  readonly totalSteps: number;
  /** Batches an epoch, where they are known. */
  readonly steps: number | undefined;
  /** How far the batches are gone through; undefined between epochs of their own. */
  readonly batches: Json | undefined;
  readonly averages: AveragesState;
  readonly random: RandomState;
  readonly optimizer: { readonly steps: number; readonly learningRate: number | undefined };
  readonly callbacks: readonly { readonly name: string; readonly values: object }[];
}

const format = "ferrograd-training";
const version = 1;

/** The state of `run`, between two batches. */
export async function captureState(run: TrainingRun): Promise<TrainingState> {
  const { model, optimizer } = run;
  const swapped = optimizer.averagesSwapped;
  if (swapped) optimizer.swapAverages();
  const tensors = new Map<string, TensorData>();
  const put = (prefix: string, part: ReadonlyMap<string, TensorData>): void => {
    for (const [name, tensor] of part) tensors.set(prefix + name, tensor);
  };
  put("model.", await model.stateDict());
  const { steps, learningRate, variables } = await optimizer.stateDict();
  put("optimizer.", variables);
  if (run.isGathering) put("accumulator.", await run.setup.train.accumulator.stateDict());
  if (swapped) optimizer.swapAverages();
  const callbacks: Values["callbacks"][number][] = [];
  for (const callback of withState(run.callbacks)) {
    const state = await callback.state!();
    put(`callback.${callbacks.length}.`, state.tensors ?? new Map<string, TensorData>());
    callbacks.push({ name: callback.name ?? "", values: state.values });
  }
  const values: Values = {
    format,
    version,
    identity: identityOf(run),
    epoch: run.epoch,
    step: run.step,
    totalSteps: run.totalSteps,
    steps: run.steps,
    batches: isWithin(run.step, run.options) ? run.batches?.state() : undefined,
    averages: run.averages.state(),
    random: randomState(),
    optimizer: { steps, learningRate },
    callbacks,
  };
  // Callbacks may go on with the objects that they gave.
  return { values: structuredClone(values), tensors };
}

/** Has `run` go on from a state. Throws DataError, with the model as it was, where it does not fit. */
export async function restoreState(run: TrainingRun, state: TrainingState): Promise<void> {
  const { model, optimizer } = run;
  const [weights, progress, random] = [
    await model.stateDict(),
    await optimizer.stateDict(),
    randomState(),
  ];
  try {
    await takeState(run, state);
  } catch (error) {
    model.loadStateDict(weights);
    optimizer.loadStateDict(progress);
    setRandomState(random);
    if (error instanceof FerrogradError) throw error;
    const reason = `fit: the saved state cannot be used: ${reasonOf(error)}`;
    throw new DataError(reason, { cause: error });
  }
}

async function takeState(run: TrainingRun, state: TrainingState): Promise<void> {
  const values = checkValues(state.values);
  const { model, optimizer } = run;
  const part = (prefix: string): Map<string, TensorData> =>
    new Map(
      [...state.tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
    );
  checkSame("fit", values.identity, identityOf(run));
  const callbacks = withState(run.callbacks);
  const names = callbacks.map(({ name = "" }) => name);
  const saved = values.callbacks.map(({ name }) => name);
  if (names.join() !== saved.join()) {
    throw new DataError(
      `fit: the saved state is of the callbacks ${saved.join(", ")}; ` +
        `this run has ${names.join(", ")}: pass the same ones in the same order`,
    );
  }
  const ofOptimizer = { ...values.optimizer, variables: part("optimizer.") };
  optimizer.checkStateDict(ofOptimizer);
  if (values.batches !== undefined) run.batches = await openBatches(run, values.batches);
  run.averages.load(values.averages);
  run.epoch = values.epoch;
  run.step = values.step;
  run.totalSteps = values.totalSteps;
  run.steps = values.steps ?? run.steps;
  if (run.isGathering) {
    const { accumulator } = run.setup.train;
    const gathered = part("accumulator.");
    if (!accumulator.fits(gathered)) {
      throw new DataError("fit: the saved state lacks gradients that were gathered");
    }
    accumulator.loadStateDict(gathered);
  }
  setRandomState(values.random);
  model.loadStateDict(part("model."));
  optimizer.loadStateDict(ofOptimizer);
  for (const [index, callback] of callbacks.entries()) {
    const own: CallbackState = {
      values: values.callbacks[index]!.values,
      tensors: part(`callback.${index}.`),
    };
    await callback.restore?.(own);
  }
}

async function openBatches(run: TrainingRun, state: Json): Promise<DatasetIterator<Rows>> {
  const { training } = run.feeds;
  const endless = run.options.stepsPerEpoch !== undefined;
  const batches = (endless ? training.repeat() : training).iterator();
  return batches.load(state);
}

function withState(callbacks: readonly FitCallbacks[]): FitCallbacks[] {
  return callbacks.filter((callback) => callback.state !== undefined);
}

/** Whether the batches go on at this step, rather than begin with an epoch. */
function isWithin(step: number, { stepsPerEpoch }: FitOptions): boolean {
  return step > 0 || stepsPerEpoch !== undefined;
}

function identityOf({ feeds, options }: TrainingRun): Values["identity"] {
  const { gradientAccumulationSteps, stepsPerEpoch = 0, shards } = options;
  return { ...feeds.identity, gradientAccumulationSteps, stepsPerEpoch, shards };
}

function checkSame(caller: string, saved: Values["identity"], own: Values["identity"]): void {
  for (const [name, value] of Object.entries(own)) {
    // Before there were workers, nothing was said of shards.
    if (saved[name] === value || (name === "shards" && value === 0 && !(name in saved))) continue;
    throw new DataError(
      `${caller}: the saved state is of a run with ${name} ${shown(saved[name])}, ` +
        `not ${shown(value)}: it would not go the same way`,
    );
  }
}

function checkValues(values: object): Values {
  const saved: Partial<Values> = fieldsOf("fit: the checkpoint", values);
  if (saved.format !== format) throw new DataError("fit: the checkpoint is not one of a training");
  if (saved.version !== version) {
    throw new DataError(
      `fit: the checkpoint is of format version ${shown(saved.version)}; this release reads ${version}`,
    );
  }
  const { epoch, step, totalSteps } = saved;
  const isWhole = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const { averages, random, optimizer, callbacks, identity, steps } = saved;
  const complete =
    [averages, random, optimizer, identity].every(isObject) &&
    (steps === undefined || isWhole(steps)) &&
    Array.isArray(callbacks) &&
    callbacks.every((one: unknown) => isObject(one) && isObject(one.values));
  if (![epoch, step, totalSteps].every(isWhole) || !complete) {
    throw new DataError("fit: the checkpoint lacks part of its state");
  }
  return saved as Values;
}
