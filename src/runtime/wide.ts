/**
 * What V8 keeps behind flags: in Node they can be set at run time, for the whole process, before
 * the engine's module is compiled.
 */
import { reasonOf } from "../errors.js";
import type { Heap } from "./heap.js";
import type { Instance } from "./instance.js";
import { setV8Flag, v8Version } from "./platform.js";

/** From this V8 on (Node 24) `--experimental-wasm-revectorize` has an effect. */
const joinsVectors = 13;
/** Before this V8 (Node 21) relaxed SIMD is behind a flag, which later versions do not know. */
const hasRelaxedSimd = 11.4;

/** Turns on what this V8 has; returns why products will be no wider than elsewhere, if they won't. */
export async function unlockWide(): Promise<string | undefined> {
  const version = v8Version();
  if (version === undefined) return "wide: a page cannot set the flag of V8 that joins vectors";
  try {
    if (version < hasRelaxedSimd) await setV8Flag("--experimental-wasm-relaxed-simd");
    if (version >= joinsVectors) {
      await setV8Flag("--experimental-wasm-revectorize");
      return undefined;
    }
  } catch (error) {
    return `wide: V8's flags cannot be set here: ${reasonOf(error)}`;
  }
  return "wide: this V8 cannot join vectors in pairs: Node can from version 24";
}

/** Sizes of the products that are timed: some 20 µs, in the cache, `k` of one packed block. */
const [m, n, k] = [64, 64, 256];
/** Products in a sample. */
const repeats = 4;
/** Rounds without an improvement after which the times are taken for final. */
const calmRounds = 8;
/** Milliseconds the check may take where V8 is slow to optimize; a few are the rule. */
const budget = 1000;
/** Optimized code takes less than this share of the time of V8's first, quickly made code. */
const optimized = 0.5;
/** A sample must be so much shorter to count as an improvement, and a micro-kernel as faster. */
const clearly = 0.9;

/** What the first check in this process has found: the host does not change. */
let verdict: { readonly refusal: string | undefined } | undefined;

/**
 * Has products take the wide micro-kernel if it is the faster one here and gives the bits of the
 * portable one; returns why not, if not. Throws OutOfMemoryError.
 */
export function tryWide(instance: Instance, heap: Heap): string | undefined {
  verdict ??= { refusal: checkWide(instance, heap) };
  instance.exports.team_prefer_wide(verdict.refusal === undefined);
  return verdict.refusal;
}

function checkWide({ exports, memory }: Instance, heap: Heap): string | undefined {
  const bytes = 4 * (m * k + k * n + m * n + 1);
  const start = heap.allocate(bytes, "the timing of products");
  const layout = start + bytes - 4;
  const [a, b, c] = [start, start + 4 * m * k, layout - 4 * m * n];
  const team = exports.team_new(1);
  const result = (): Uint32Array => new Uint32Array(memory.buffer, c, m * n);
  const run = (wide: boolean): void => {
    exports.team_prefer_wide(wide);
    for (let i = 0; i < repeats; i++) {
      exports.gemm(team, 0, m, n, k, 1, layout, a, k, 1, b, n, 1, c, 0, 0, 1, 0);
      exports.team_barrier(team);
    }
  };
  const sample = (wide: boolean): number => {
    const begun = performance.now();
    run(wide);
    return performance.now() - begun;
  };
  try {
    const operands = new Float32Array(memory.buffer, a, (m + n) * k);
    // Any numbers whose sums are rounded: then another order of adding shows.
    operands.forEach((_, index) => (operands[index] = Math.fround(((index % 97) - 48) / 49)));
    new Int32Array(memory.buffer, layout, 1)[0] = 0; // no batches
    const first = [sample(false), sample(true)] as const;
    let [narrow, wide] = first;
    const end = performance.now() + budget;
    for (let calm = 0; calm < calmRounds && performance.now() < end; calm++) {
      const times = [sample(false), sample(true)] as const;
      const improved = times[0] < narrow * clearly || times[1] < wide * clearly;
      [narrow, wide] = [Math.min(narrow, times[0]), Math.min(wide, times[1])];
      if (improved || narrow > first[0] * optimized || wide > first[1] * optimized) calm = 0;
    }
    run(false);
    const portable = result().slice();
    run(true);
    if (result().some((bits, index) => bits !== portable[index])) {
      return "wide: the wide micro-kernel gives other bits here";
    }
    if (wide < narrow * clearly) return undefined;
    return "wide: the wide micro-kernel is not the faster one here";
  } finally {
    exports.team_free(team);
    heap.free(start);
  }
}
