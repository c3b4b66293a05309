/** What a training run reported, epoch by epoch. */
import { DataError } from "../errors.js";
import type { MetricSet } from "../metrics/named.js";
import type { MetricState } from "../metrics/metric.js";
import type { LearningCurvesOptions } from "../plot/learningCurves.js";
import type { Picture } from "../plot/picture.js";
import { sparkline } from "../plot/sparkline.js";
import type { CallbackState, FitCallbacks } from "./hooks.js";

/** Values by name: `loss`, `accuracy`, `valLoss`, … */
export type Report = { readonly [name: string]: number };

/** What workers have done in an epoch. */
export interface EpochWork {
  readonly epoch: number;
  /** Rows a second, of the time that training steps took. */
  readonly samplesPerSecond: number;
  /** The time that workers computed, all together, over the time that training steps took. */
  readonly speedUp: number;
  /** Workers that died and were replaced. */
  readonly replaced: number;
}

/** The course of a training run. */
export class History implements FitCallbacks {
  readonly name = "history";
  /** The number of each epoch recorded, from 0. */
  readonly epoch: number[] = [];
  /** Each value over the epochs: `history.loss`, `history.valAccuracy`. */
  readonly history: Record<string, number[]> = Object.create(null) as Record<string, number[]>;

  /** What `workers` have done in each epoch of this run; empty where there were none. */
  readonly workers: EpochWork[] = [];

  onEpochEnd(epoch: number, report: Report): void {
    this.add(epoch, report);
  }

  state(): CallbackState {
    return { values: { epoch: this.epoch, history: this.history } };
  }

  restore({ values }: CallbackState): void {
    const { epoch, history } = values as Pick<History, "epoch" | "history">;
    this.epoch.splice(0, Infinity, ...epoch);
    for (const name of Object.keys(this.history)) Reflect.deleteProperty(this.history, name);
    for (const [name, list] of Object.entries(history)) this.history[name] = [...list];
  }

  /** Learning curves: a diagram a value, training and validation in it. */
  async plot(options?: LearningCurvesOptions): Promise<Picture> {
    return (await import("../plot/learningCurves.js")).plotHistory(this, options);
  }

  /** The course of a value in a line of text, `▇▅▃▂▁`. */
  sparkline(name = "loss", width?: number): string {
    return sparkline(this.history[name] ?? [], width);
  }

  /** Adds an epoch's values. */
  add(epoch: number, report: Report): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(report)) (this.history[name] ??= []).push(value);
  }
}

/** Sums of a step: `[count, loss, ...metrics]`. */
export type Sums = ArrayLike<number> & Iterable<number>;

/** What was gathered so far; saved in checkpoints. */
export interface AveragesState {
  readonly count: number;
  readonly totals: readonly number[];
  readonly streamed: readonly MetricState[];
}

/** Sums of steps, gathered over an epoch. */
export class Averages {
  private count = 0;
  private readonly columns: readonly (readonly [name: string, finish?: (mean: number) => number])[];
  private readonly totals: number[];

  /** Begins anew, for the metrics that look at outputs too. */
  constructor(private readonly metrics: MetricSet) {
    const traced = [...metrics.traced].map(([name, { finish }]) => [name, finish] as const);
    this.columns = [["loss"], ...traced];
    this.totals = this.columns.map(() => 0);
    for (const metric of metrics.streamed) metric.reset();
  }

  /** Adds a batch's sums. */
  add([count, ...totals]: Sums): void {
    this.count += count!;
    totals.forEach((total, index) => (this.totals[index]! += total));
  }

  /** What was gathered, for `load` to go on from. */
  state(): AveragesState {
    const { count, totals, metrics } = this;
    return { count, totals: [...totals], streamed: metrics.streamed.map((one) => one.state()) };
  }

  /** Goes on from what `state` gave. Throws DataError where it is of other metrics. */
  load({ count, totals, streamed }: AveragesState): void {
    const { metrics } = this;
    if (totals.length !== this.totals.length || streamed.length !== metrics.streamed.length) {
      throw new DataError("fit: the saved state is of other metrics than the model has now");
    }
    metrics.streamed.forEach((metric, index) => {
      metric.load(streamed[index]!);
    });
    this.count = count;
    totals.forEach((total, index) => (this.totals[index] = total));
  }

  /** The values so far, each name behind `prefix`. */
  report(prefix = ""): Report {
    return this.valuesOf(prefix, this.metrics.streamed);
  }

  /** The same without the metrics that take long to tell. */
  interim(): Report {
    return this.valuesOf(
      "",
      this.metrics.streamed.filter(({ costly }) => costly !== true),
    );
  }

  private valuesOf(prefix: string, streamed: MetricSet["streamed"]): Report {
    const means = this.columns.map(([name, finish], index) => {
      const mean = this.totals[index]! / this.count;
      return [name, finish ? finish(mean) : mean] as const;
    });
    const values = [...means, ...streamed.flatMap((metric) => Object.entries(metric.values()))];
    return Object.fromEntries(
      values.map(([name, value]) => {
        const key = prefix ? prefix + name[0]!.toUpperCase() + name.slice(1) : name;
        return [key, value];
      }),
    );
  }
}
