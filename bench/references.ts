/** What results should be, by PyTorch in float64: `peers/pytorch.py --references`. */
import type { TypedArray } from "../src/index.js";
import { noiseIntegers } from "./numbers.js";
import all from "./references.json" with { type: "json" };

/** Some values of a tensor, and its length as a vector. */
interface Sampled {
  readonly values: readonly number[];
  readonly norm: number;
}

interface Reference {
  /** The losses of the first steps, without dropout. */
  readonly losses?: readonly number[];
  readonly outputs?: Readonly<Record<string, Sampled>>;
}

const references: Readonly<Record<string, Reference>> = all;

/** Of the places where values are compared. */
const placesSeed = 999;

/**
 * The largest difference from row `name`'s reference, at the places compared, relative to the
 * root of the mean square; or that of the norms.
 */
export function outputError(name: string, outputs: Readonly<Record<string, TypedArray>>): number {
  const expected = references[name]!.outputs!;
  const errors = Object.entries(outputs).flatMap(([output, data]) => {
    const { values, norm } = expected[output]!;
    const places = noiseIntegers(placesSeed, values.length, data.length);
    const typical = norm / Math.sqrt(data.length);
    let squares = 0;
    for (const value of data) squares += value * value;
    const differences = values.map((value, i) => Math.abs(data[places[i]!]! - value) / typical);
    return [...differences, Math.abs(Math.sqrt(squares) / norm - 1)];
  });
  return largest(errors);
}

/** The largest relative difference from the losses of row `name`'s reference. */
export function lossError(name: string, losses: readonly number[]): number {
  const expected = references[name]!.losses!;
  return largest(losses.map((loss, step) => Math.abs(loss / expected[step]! - 1)));
}

/** NaN counts as infinitely wrong. */
function largest(errors: readonly number[]): number {
  return Math.max(...errors.map((error) => (Number.isNaN(error) ? Infinity : error)));
}
