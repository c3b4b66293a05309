/** A training run under way: where it stands, who takes part, and what it needs to go on. */
import { StateError } from "../errors.js";
import type { Optimizer } from "../optim/optimizer.js";
import { TrainingControl } from "./control.js";
import { averagesOf } from "./evaluate.js";
import type { FullFitOptions } from "./fitOptions.js";
import { Averages, History } from "./history.js";
import type { Report } from "./history.js";
import type { FitCallbacks, FitContext, TrainingState } from "./hooks.js";
import type { Model, Training } from "./model.js";
import { ProgbarLogger } from "./progbarLogger.js";
import type { Phase } from "./steps.js";
import type { Rows, RowBatches } from "./trainingRows.js";
import { captureState, restoreState } from "./trainingState.js";

/** What a run is made of. */
export interface RunParts {
  readonly model: Model;
  readonly options: FullFitOptions;
  readonly batches: RowBatches;
  readonly validation: Rows | undefined;
}

/** A training run under way. */
export class TrainingRun implements FitContext {
  readonly model: Model;
  readonly setup: Training;
  readonly options: FullFitOptions;
  readonly batches: RowBatches;
  readonly history = new History();
  readonly callbacks: readonly FitCallbacks[];
  readonly epochs: number;
  averages: Averages;
  epoch: number;
  step = 0;
  private readonly validation: Rows | undefined;
  private readonly control: TrainingControl;
  private reason: string | undefined;
  private tasks: (() => void | Promise<void>)[] = [];
  private added: Record<string, number> = {};
  private last: Report = {};
  private begun = false;
  private waiting: TrainingState | undefined;

  constructor({ model, options, batches, validation }: RunParts) {
    const { callbacks = [], verbose = 1, progress, devBatches, control } = options;
    this.model = model;
    this.setup = model.setup("fit");
    this.options = options;
    this.batches = batches;
    this.validation = validation;
    this.epochs = options.epochs;
    this.epoch = options.initialEpoch;
    this.control = control ?? new TrainingControl();
    this.averages = new Averages(this.setup.objective.metrics);
    this.callbacks = [
      ...callbacks.filter(({ skipInDevRun }) => devBatches === undefined || !skipInDevRun),
      this.history,
      new ProgbarLogger({ verbose, stream: progress }),
    ];
  }

  get optimizer(): Optimizer {
    return this.setup.optimizer;
  }

  get steps(): number {
    return this.batches.steps;
  }

  get totalSteps(): number {
    return this.epoch * this.steps + this.step;
  }

  get stopReason(): string | undefined {
    return this.reason;
  }

  stop(reason: string): void {
    this.reason ??= reason;
  }

  /** Whether there is nothing more to do. */
  get isOver(): boolean {
    if (this.control.stopped) this.stop("TrainingControl.stop() was called");
    return this.reason !== undefined || this.epoch >= this.epochs;
  }

  report(name: string, value: number): void {
    this.added[name] = value;
  }

  later(task: () => void | Promise<void>): void {
    this.tasks.push(task);
  }

  state(): Promise<TrainingState> {
    return captureState(this);
  }

  resume(state: TrainingState): void {
    if (this.begun) throw new StateError("resume: the run has begun; call it in onTrainBegin");
    this.waiting = state;
  }

  /** Where the next batch stands among those that share an update. */
  get phase(): Phase {
    const { gradientAccumulationSteps: shared } = this.options;
    const first = this.step % shared === 0;
    const last = this.step % shared === shared - 1 || this.step === this.steps - 1;
    if (first) return last ? "whole" : "first";
    return last ? "last" : "middle";
  }

  /** Whether gradients wait for their update. */
  get isGathering(): boolean {
    return this.step % this.options.gradientAccumulationSteps !== 0 && this.step < this.steps;
  }

  /** Calls a moment's callbacks in their order, then what they have put off. */
  async call(moment: (callbacks: FitCallbacks) => void | Promise<void>): Promise<void> {
    for (const callbacks of this.callbacks) {
      const waiting = moment(callbacks);
      if (waiting) await waiting;
    }
    while (this.tasks.length > 0) {
      const { tasks } = this;
      this.tasks = [];
      for (const task of tasks) await task();
    }
  }

  /** Resolves when the next batch may run. Rejects once the run is aborted. */
  async gate(): Promise<void> {
    await this.control.gate(this.options.signal);
  }

  async begin(): Promise<void> {
    await this.call((one) => one.onTrainBegin?.(this));
    this.begun = true;
    if (this.waiting) await restoreState(this, this.waiting);
    this.waiting = undefined;
  }

  /** Begins an epoch anew, unless it is one that a checkpoint was saved in. */
  async beginEpoch(): Promise<void> {
    if (this.step > 0) return;
    this.averages = new Averages(this.setup.objective.metrics);
    const { epoch } = this;
    await this.call((one) => one.onEpochBegin?.(epoch));
  }

  /** Measures, and ends the epoch with what it reports. */
  async endEpoch(): Promise<Report> {
    const trained = this.averages.report();
    const report: Record<string, number> = { ...trained, ...(await this.validate()) };
    const { epoch } = this;
    // What is saved now begins with the next epoch.
    this.epoch++;
    this.step = 0;
    await this.call((one) => {
      Object.assign(report, this.added);
      return one.onEpochEnd?.(epoch, report);
    });
    this.added = {};
    this.last = report;
    return report;
  }

  private async validate(): Promise<Report> {
    const { validation, setup, options } = this;
    if (!validation) return {};
    await this.call((one) => one.onTestBegin?.());
    const { metrics } = setup.objective;
    const gate = (): Promise<void> => this.gate();
    const averages = await averagesOf(setup.evaluate, metrics, validation, options.batchSize, gate);
    const report = averages.report("val");
    await this.call((one) => one.onTestEnd?.(report));
    return report;
  }

  async end(): Promise<void> {
    const { optimizer, last } = this;
    if (optimizer.hasAverages) optimizer.useAverages();
    await this.call((one) => one.onTrainEnd?.(last));
  }

  /** Tells the callbacks that the run ends here. */
  async interrupt(how: "aborted" | "failed"): Promise<void> {
    this.tasks = [];
    await this.call((one) => one.onInterrupt?.(how));
  }
}
