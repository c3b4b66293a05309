/** A training run under way: where it stands, who takes part, and what it needs to go on. */
import type { DatasetIterator } from "../data/dataset.js";
import { ArgumentError, StateError } from "../errors.js";
import type { Optimizer } from "../optim/optimizer.js";
import { TrainingControl } from "./control.js";
import type { BatchRunner } from "./batchRunner.js";
import { onThisEngine } from "./batchRunner.js";
import { averagesOf } from "./evaluate.js";
import type { FullFitOptions } from "./fitOptions.js";
import { Averages, History } from "./history.js";
import type { Report } from "./history.js";
import type { FitCallbacks, FitContext, TrainingState } from "./hooks.js";
import type { Model, Training } from "./model.js";
import { ProgbarLogger } from "./progbarLogger.js";
import type { Phase } from "./steps.js";
import type { Rows } from "./feed.js";
import type { FitFeeds } from "./fitFeeds.js";

/** A training run under way. */
export class TrainingRun implements FitContext {
  readonly model: Model;
  readonly setup: Training;
  readonly options: FullFitOptions;
  readonly feeds: FitFeeds;
  readonly history = new History();
  readonly callbacks: readonly FitCallbacks[];
  readonly epochs: number;
  averages: Averages;
  epoch: number;
  step = 0;
  totalSteps = 0;
  /** Batches an epoch, once they are known. */
  steps: number | undefined;
  /** The way through the batches of the epoch, or of all epochs where they are cut by steps. */
  batches: DatasetIterator<Rows> | undefined;
  /** What trains on batches. */
  runner: BatchRunner;
  private readonly control: TrainingControl;
  private reason: string | undefined;
  private tasks: (() => void | Promise<void>)[] = [];
  private added: Record<string, number> = {};
  private last: Report = {};
  private begun = false;
  private waiting: TrainingState | undefined;

  constructor(model: Model, options: FullFitOptions, feeds: FitFeeds) {
    const { callbacks = [], verbose = 1, progress, devBatches, control } = options;
    this.model = model;
    this.setup = model.setup("fit");
    this.options = options;
    this.feeds = feeds;
    this.steps = options.stepsPerEpoch ?? feeds.training.size;
    if (this.steps === Infinity) {
      throw new ArgumentError("fit: the Dataset never ends; say stepsPerEpoch");
    }
    this.epochs = options.epochs;
    this.epoch = options.initialEpoch;
    this.control = control ?? new TrainingControl();
    this.runner = onThisEngine(this.setup);
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

  async state(): Promise<TrainingState> {
    // Pages load it when they save.
    return (await import("./trainingState.js")).captureState(this);
  }

  resume(state: TrainingState): void {
    if (this.begun) throw new StateError("resume: the run has begun; call it in onTrainBegin");
    this.waiting = state;
  }

  /** What the next batch does with its gradients. */
  get phase(): Exclude<Phase, "rest"> {
    const { gradientAccumulationSteps: shared } = this.options;
    if (shared === 1) return "whole";
    if (this.step % shared === 0) return "first";
    return this.step % shared === shared - 1 ? "last" : "middle";
  }

  /** Whether gradients wait for their update. */
  get isGathering(): boolean {
    return this.step % this.options.gradientAccumulationSteps !== 0;
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
    if (this.waiting) {
      const { restoreState } = await import("./trainingState.js");
      await restoreState(this, this.waiting);
    }
    this.waiting = undefined;
    await this.startWorkers();
  }

  private async startWorkers(): Promise<void> {
    const { workers, shards, workerModule } = this.options;
    if (workers === undefined) return;
    // Pages load it when they use it.
    const { ParallelSteps } = await import("../parallel/parallelSteps.js");
    const options = { workers, shards, workerModule };
    this.runner = await ParallelSteps.start(this.model, this.setup, options);
  }

  /** Begins an epoch, or goes on with one that a checkpoint was saved in. */
  async beginEpoch(): Promise<void> {
    const { epoch, feeds, options } = this;
    if (options.stepsPerEpoch !== undefined) {
      // Where epochs are cut by steps, the next one goes on where the last one ended.
      this.batches ??= feeds.training.repeat().iterator();
    } else if (this.step === 0) {
      await this.batches?.return();
      this.batches = feeds.training.iterator({ epoch });
    }
    if (this.step > 0) return;
    this.averages = new Averages(this.setup.objective.metrics);
    await this.call((one) => one.onEpochBegin?.(epoch));
  }

  /** The next batch of the epoch; undefined after the last. */
  async nextBatch(): Promise<Rows | undefined> {
    const { stepsPerEpoch = Infinity } = this.options;
    if (this.step >= stepsPerEpoch) return undefined;
    return (await this.batches!.next()).value;
  }

  /** Measures, and ends the epoch with what it reports. */
  async endEpoch(): Promise<Report> {
    const trained = this.averages.report();
    const report: Record<string, number> = { ...trained, ...(await this.validate()) };
    const { epoch } = this;
    const work = this.runner.work();
    if (work) this.history.workers.push({ epoch, ...work });
    // What is saved now begins with the next epoch.
    this.epoch++;
    this.steps = this.step;
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
    const { validation } = this.feeds;
    if (!validation) return {};
    await this.call((one) => one.onTestBegin?.());
    const { evaluate, objective } = this.setup;
    const gate = (): Promise<void> => this.gate();
    const averages = await averagesOf(evaluate, objective.metrics, validation, gate);
    const report = averages.report("val");
    await this.call((one) => one.onTestEnd?.(report));
    return report;
  }

  async end(): Promise<void> {
    const { optimizer, last } = this;
    if (optimizer.hasAverages) optimizer.useAverages();
    await this.call((one) => one.onTrainEnd?.(last));
  }

  /** Lets go of workers, and of what the batches hold open. */
  async close(): Promise<void> {
    this.runner.close();
    await this.batches?.return();
  }

  /** Tells the callbacks that the run ends here. */
  async interrupt(how: "aborted" | "failed"): Promise<void> {
    this.tasks = [];
    await this.call((one) => one.onInterrupt?.(how));
  }
}
