/** The library's random state: one seed, and a count of the draws made from it. */
import { checkWhole, isObject, shown } from "./checks.js";
import { ArgumentError } from "./errors.js";
import type { GeneratorState } from "./random.js";
import { checkSeed, Generator } from "./random.js";
import type { Dynamic } from "./graph.js";
import type { Tensor } from "./tensor.js";
import { currentTrace, dynamic } from "./trace.js";

/** All that later draws depend on; saved in checkpoints. */
export interface RandomState {
  readonly seed: number;
  /** Keys drawn for random ops. */
  readonly draws: number;
  /** The generator that first weights come from. */
  readonly host: GeneratorState;
}

let seed = 0;
let draws = 0;
const host = new Generator(0);

/** Starts all later random numbers anew: first weights, dropout. A whole number from 0 to 2⁵³−1. */
export function manualSeed(value: number): void {
  checkSeed("manualSeed", value);
  setRandomState({ seed: value, draws: 0, host: { seed: value, draws: 0 } });
}

/** The state to give to `setRandomState` to draw the same numbers again. */
export function randomState(): RandomState {
  return { seed, draws, host: host.state };
}

/** Goes on from a state that `randomState` gave. Throws ArgumentError for what is none. */
export function setRandomState(saved: RandomState): void {
  const isState = isObject(saved);
  if (isState) checkSeed("setRandomState", saved.seed);
  if (!isState || !isObject(saved.host)) {
    throw new ArgumentError(`setRandomState: ${shown(saved)} is no state of randomState()`);
  }
  checkWhole("setRandomState: draws", saved.draws, 0);
  host.restore(saved.host);
  ({ seed, draws } = saved);
}

/** The generator that first weights come from. */
export function hostGenerator(): Generator {
  return host;
}

const wordSize = 2 ** 32;

/** `[seed low, seed high, draw, 0]`, the words a kernel's random counter starts from. */
const keys: Dynamic = {
  provide: () => Int32Array.of(seed % wordSize, Math.floor(seed / wordSize), draws++ % wordSize, 0),
  undo: () => {
    draws--;
  },
};

/** Where a random op draws from: a key tensor `[4]` int32, and a stream no other op has. */
export function nextKey(): { readonly key: Tensor; readonly stream: number } {
  const trace = currentTrace();
  if (!trace) return { key: dynamic(keys, [4], "int32"), stream: 0 };
  trace.key ??= dynamic(keys, [4], "int32");
  return { key: trace.key, stream: trace.streams++ };
}
