/** What takes part in a training run: the moments it is called at, and what it may do there. */
import type { TensorData } from "../io/safetensors.js";
import type { NonFiniteError } from "../errors.js";
import type { Optimizer } from "../optim/optimizer.js";
import { shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Report } from "./history.js";
import type { Model } from "./model.js";

/** What a callback must know to go on from a checkpoint. */
export interface CallbackState {
  /** Plain data; NaN and infinities may be in it. */
  readonly values: object;
  readonly tensors?: ReadonlyMap<string, TensorData>;
}

/** All a run needs to go on from where it stands, as if it had never stopped. */
export interface TrainingState {
  /** Plain data: NaN and infinities may be in it. */
  readonly values: object;
  /** Weights, the optimizer's variables, and what callbacks keep. */
  readonly tensors: ReadonlyMap<string, TensorData>;
}

/** A training run, as callbacks see it. */
export interface FitContext {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly epochs: number;
  /** Batches an epoch; undefined where only the first epoch of a Dataset will tell. */
  readonly steps: number | undefined;
  /** Epochs that are done, and batches of the epoch under way. */
  readonly epoch: number;
  readonly step: number;
  /** Batches done in all, before a checkpoint and after. */
  readonly totalSteps: number;
  /** Why the run is to end, once a callback has said so. */
  readonly stopReason: string | undefined;
  /** Ends the run once the callbacks of this moment have been called. */
  stop(reason: string): void;
  /** Adds to what the epoch reports, for the callbacks that follow and the history. */
  report(name: string, value: number): void;
  /** Has `task` run once all callbacks of this moment have been called. */
  later(task: () => void | Promise<void>): void;
  /** What to save to go on from here; to be called by a `later` task. */
  state(): Promise<TrainingState>;
  /** Goes on from a saved state, once every `onTrainBegin` was called. Throws StateError after. */
  resume(state: TrainingState): void;
}

/** What `fit` calls as it goes; each may be async and is waited for. */
export interface FitCallbacks {
  /** What checkpoints call its state. */
  readonly name?: string;
  /** Whether it leaves files or messages behind, or ends runs early: a dev run is without it. */
  readonly skipInDevRun?: boolean;
  readonly onTrainBegin?: (context: FitContext) => void | Promise<void>;
  /** The run has ended, by itself or because a callback wanted it to. */
  readonly onTrainEnd?: (report: Report) => void | Promise<void>;
  /** The run ends without that: it was aborted between two batches, or something failed. */
  readonly onInterrupt?: (how: "aborted" | "failed") => void | Promise<void>;
  /** Not called for the rest of an epoch that a checkpoint was saved in. */
  readonly onEpochBegin?: (epoch: number) => void | Promise<void>;
  readonly onEpochEnd?: (epoch: number, report: Report) => void | Promise<void>;
  /** `step` counts from 1 in each epoch, here and in `onBatchEnd`. */
  readonly onBatchBegin?: (step: number) => void | Promise<void>;
  readonly onBatchEnd?: (step: number, report: Report) => void | Promise<void>;
  /** Before and after validation. */
  readonly onTestBegin?: () => void | Promise<void>;
  readonly onTestEnd?: (report: Report) => void | Promise<void>;
  /** A loss that is no finite number: the run rejects with `error`, unless it is stopped here. */
  readonly onNonFinite?: (error: NonFiniteError) => void | Promise<void>;
  /** What to keep in checkpoints. */
  readonly state?: () => CallbackState | Promise<CallbackState>;
  /** Goes on from a state. Called after `onTrainBegin`, when the model has been restored. */
  readonly restore?: (state: CallbackState) => void | Promise<void>;
}

const moments: readonly string[] = Object.keys({
  onTrainBegin: true,
  onTrainEnd: true,
  onInterrupt: true,
  onEpochBegin: true,
  onEpochEnd: true,
  onBatchBegin: true,
  onBatchEnd: true,
  onTestBegin: true,
  onTestEnd: true,
  onNonFinite: true,
} satisfies Record<keyof FitCallbacks & `on${string}`, true>);

/**
 * Throws ArgumentError unless `callbacks` is a list of objects whose moments are functions, and
 * known: one that is misspelt would never be called.
 */
export function checkCallbacks(caller: string, callbacks: readonly FitCallbacks[]): void {
  const isList: boolean = Array.isArray(callbacks);
  if (!isList) throw new ArgumentError(`${caller}: callbacks is ${shown(callbacks)}, not a list`);
  for (const [index, one] of callbacks.entries()) {
    const what = `${caller}: callbacks[${index}]`;
    if (typeof one !== "object" || one === null) {
      throw new ArgumentError(`${what} is ${shown(one)}; an object with moments is expected`);
    }
    for (const name of momentsOf(one)) {
      if (!moments.includes(name)) {
        throw new ArgumentError(`${what} has ${name}; moments are ${moments.join(", ")}`);
      }
      const moment: unknown = Reflect.get(one, name);
      if (moment === undefined || typeof moment === "function") continue;
      throw new ArgumentError(`${what}.${name} is ${shown(moment)}, not a function`);
    }
  }
}

/** The names of an object's fields, those of its classes among them, that are like moments. */
function momentsOf(one: object): string[] {
  const names: string[] = [];
  for (let part: unknown = one; part instanceof Object; part = Object.getPrototypeOf(part)) {
    names.push(...Object.getOwnPropertyNames(part).filter((name) => /^on[A-Z]/.test(name)));
  }
  return names;
}
