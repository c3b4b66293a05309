/** What a training run reported, epoch by epoch. */

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
  private readonly totals: number[];

  constructor(private readonly names: readonly string[]) {
    this.totals = names.map(() => 0);
  }

  /** Adds a batch's sums. */
  add([count, ...totals]: Sums): void {
    this.count += count!;
    totals.forEach((total, index) => (this.totals[index]! += total));
  }

  /** The means so far, each name behind `prefix`. */
  report(prefix = ""): Report {
    return Object.fromEntries(
      this.names.map((name, index) => {
        const key = prefix ? prefix + name[0]!.toUpperCase() + name.slice(1) : name;
        return [key, this.totals[index]! / this.count];
      }),
    );
  }
}
