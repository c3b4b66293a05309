/** R², the share of variance that a regression explains. */
import type { Input } from "../data/inputs.js";
import { DataError } from "../errors.js";
import { numberEntries } from "./entries.js";
import type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
import { valuesOf } from "./metric.js";
import { loadNumbers } from "./state.js";

/** Of one output: weight, mean of the truth, Σ (y − mean)² and Σ (y − ŷ)². */
type Moments = [weight: number, mean: number, spread: number, residual: number];

class R2Metric implements Metric<number> {
  readonly name = "r2";
  private outputs: Moments[] = [];

  update(yTrue: Input, yPred: Input, options?: UpdateOptions): this {
    const entries = numberEntries(this.name, yTrue, yPred, options);
    const { count, width, truth, predicted, weights } = entries;
    if (this.outputs.length === 0) {
      this.outputs = Array.from({ length: width }, (): Moments => [0, 0, 0, 0]);
    }
    if (this.outputs.length !== width) {
      throw new DataError(
        `r2: entries had ${this.outputs.length} numbers each, and now ${width}: reset() first`,
      );
    }
    for (let entry = 0; entry < count; entry++) {
      const weight = weights[entry]!;
      if (weight === 0) continue;
      this.outputs.forEach((moments, output) => {
        const at = entry * width + output;
        add(moments, weight, truth[at]!, truth[at]! - predicted[at]!);
      });
    }
    return this;
  }

  result(): number {
    const scores = this.outputs.map(([weight, , spread, residual]) => {
      if (weight === 0) return NaN;
      // Where the truth never varies, only the truth itself explains it.
      if (spread === 0) return residual === 0 ? 1 : 0;
      return 1 - residual / spread;
    });
    return scores.reduce((a, b) => a + b, 0) / scores.length;
  }

  reset(): void {
    this.outputs = [];
  }

  values(): Values {
    return valuesOf(this.name, this.result());
  }

  state(): MetricState {
    return { moments: this.outputs.flat() };
  }

  load(state: MetricState): void {
    const moments = loadNumbers(this.name, state, "moments");
    if (moments.length % 4 !== 0) throw new DataError("r2: the saved moments are not fours");
    this.outputs = Array.from({ length: moments.length / 4 }, (_, i): Moments => {
      const [weight, mean, spread, residual] = moments.slice(4 * i, 4 * i + 4);
      return [weight!, mean!, spread!, residual!];
    });
  }

  toJSON(): MetricConfig {
    return { metric: this.name, options: {} };
  }
}

/** Adds a weighted value (West, 1979): sums of squares about a mean that moves. */
function add(moments: Moments, weight: number, value: number, error: number): void {
  const total = moments[0] + weight;
  const distance = value - moments[1];
  moments[2] += (moments[0] * weight * distance * distance) / total;
  moments[1] += (distance * weight) / total;
  moments[0] = total;
  moments[3] += weight * error * error;
}

/** R² = 1 − Σ (y − ŷ)² / Σ (y − ȳ)²; the mean over outputs. */
export function r2(): Metric<number> {
  return new R2Metric();
}
