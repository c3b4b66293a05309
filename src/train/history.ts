/** What a training run reported, epoch by epoch. */
import type { MetricSet } from "../metrics/named.js";

/** Values by name: `loss`, `accuracy`, `valLoss`, … */
export type Report = { readonly [name: string]: number };

/** The course of a training run. */
export class History {
  /** The number of each epoch recorded, from 0. */
  readonly epoch: number[] = [];
  /** Each value over the epochs: `history.loss`, `history.valAccuracy`. */
  readonly history: Record<string, number[]> = Object.create(null) as Record<string, number[]>;

  /** Adds an epoch's values. */
  add(epoch: number, report: Report): void {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(report)) (this.history[name] ??= []).push(value);
  }
}

/** Sums of a step: `[count, loss, ...metrics]`. */
export type Sums = ArrayLike<number> & Iterable<number>;

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
