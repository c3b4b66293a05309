/** Which rows an epoch sees where classes are not equal: weights, and draws by them. */
import { checkWhole, shown } from "../checks.js";
import { ArgumentError, DataError } from "../errors.js";
import type { Generator } from "../random.js";

/** How many rows there are of each class that occurs. */
function countsOf(caller: string, labels: ArrayLike<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    if (!(Number.isSafeInteger(label) && label >= 0)) {
      throw new DataError(`${caller}: label ${row} is ${label}; classes are numbered from 0`);
    }
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  if (counts.size === 0) throw new DataError(`${caller}: there are no labels`);
  return counts;
}

/** Weights by class. */
export type ClassWeights = Readonly<Record<number, number>>;

/**
 * What each class should count for, so that all count alike: rows / (classes · rows of the class),
 * as scikit-learn's `balanced`. Throws DataError for labels that are no class numbers.
 */
export function classWeights(labels: ArrayLike<number>): ClassWeights {
  const counts = countsOf("classWeights", labels);
  const classes = [...counts].sort(([a], [b]) => a - b);
  return Object.fromEntries(
    classes.map(([label, count]) => [label, labels.length / (counts.size * count)]),
  );
}

/**
 * A weight for each row, by which draws have all classes alike, or each class in the share that
 * `shares` gives it. Throws DataError for labels that are no class numbers or have no share.
 */
export function rowWeights(labels: ArrayLike<number>, shares?: ClassWeights): Float64Array {
  const counts = countsOf("rowWeights", labels);
  return Float64Array.from({ length: labels.length }, (_, row) => {
    const label = labels[row]!;
    const share = shares ? shares[label] : 1;
    if (share === undefined || !(share >= 0 && share < Infinity)) {
      throw new DataError(`rowWeights: class ${label} has no share: ${String(share)}`);
    }
    return share / counts.get(label)!;
  });
}

/** Options of draws. */
export interface SampleOptions {
  /** How likely each row is, in proportion, `[rows]`. */
  readonly weights: ArrayLike<number>;
  /** Draws an epoch. Default: as many as there are rows. */
  readonly size?: number;
  /** Whether a row may come more than once. Default: true. */
  readonly replacement?: boolean;
  /** What the draws follow from; each epoch has its own. Default: 0. */
  readonly seed?: number;
}

/** Draws of row numbers. Throws ArgumentError for weights that are none or do not suffice. */
export function drawRows(
  rows: number,
  { weights, size = rows, replacement = true }: SampleOptions,
): (random: Generator) => Int32Array {
  checkWhole("sample: size", size, 1);
  const given: unknown = weights;
  const isList: boolean = Array.isArray(given) || ArrayBuffer.isView(given);
  if (!isList) throw new ArgumentError(`sample: weights is ${shown(given)}; it must be a list`);
  if (weights.length !== rows) {
    throw new ArgumentError(`sample: ${weights.length} weights for ${rows} rows`);
  }
  let positive = 0;
  for (let row = 0; row < rows; row++) {
    const weight = weights[row]!;
    if (!(weight >= 0 && weight < Infinity)) {
      throw new ArgumentError(`sample: weight ${row} is ${weight}; weights are numbers ≥ 0`);
    }
    if (weight > 0) positive++;
  }
  if (positive === 0 || (!replacement && positive < size)) {
    throw new ArgumentError(
      `sample: ${size} rows cannot be drawn of ${positive} that have a weight above 0`,
    );
  }
  return (random) => {
    const tree = new WeightTree(weights);
    return Int32Array.from({ length: size }, () => tree.draw(random, replacement));
  };
}

/** Sums of weights over halves of halves of the rows: a draw takes log₂ rows steps. */
class WeightTree {
  private leaves = 1;
  private readonly sums: Float64Array;

  constructor(weights: ArrayLike<number>) {
    while (this.leaves < weights.length) this.leaves *= 2;
    this.sums = new Float64Array(2 * this.leaves);
    for (let row = 0; row < weights.length; row++) this.sums[this.leaves + row] = weights[row]!;
    for (let node = this.leaves - 1; node >= 1; node--) this.add(node);
  }

  draw(random: Generator, replacement: boolean): number {
    let node = 1;
    let left = random.uniform() * this.sums[1]!;
    while (node < this.leaves) {
      node *= 2;
      const first = this.sums[node]!;
      // Rounding may leave more than there is: never step to where there is nothing.
      if (left >= first && this.sums[node + 1]! > 0) {
        left -= first;
        node++;
      }
    }
    const row = node - this.leaves;
    if (!replacement) {
      this.sums[node] = 0;
      for (node = node >> 1; node >= 1; node >>= 1) this.add(node);
    }
    return row;
  }

  private add(node: number): void {
    this.sums[node] = this.sums[2 * node]! + this.sums[2 * node + 1]!;
  }
}
