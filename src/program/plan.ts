/** Graph → Program, once for each structure. */
import type { Value } from "../graph.js";
import { emit } from "./emit.js";
import { fuse } from "./fuse.js";
import type { Goal } from "./goal.js";
import { readGraph } from "./goal.js";
import type { Program } from "./program.js";
import { schedule } from "./schedule.js";

/** A Program with the leaves of the graph it was asked for: its first slots, in order. */
export interface Plan {
  readonly program: Program;
  readonly leaves: readonly Value[];
}

/** Programs kept for reuse; a training script has a handful of structures, an explorer many. */
const cacheSize = 256;

const cache = new Map<string, Program>();
let programs = 0;
let evicted: number[] = [];

/** The Program for `goal`; an equal structure gets the one already made. */
export function plan(goal: Goal): Plan {
  const graph = readGraph(goal);
  let program = cache.get(graph.structure);
  // Taken out and put back: the Map's order is the order of last use.
  cache.delete(graph.structure);
  program ??= emit(graph, schedule(graph, fuse(graph)), ++programs);
  cache.set(graph.structure, program);
  if (cache.size > cacheSize) {
    const [oldest] = cache;
    cache.delete(oldest![0]);
    evicted.push(oldest![1].key);
  }
  return { program, leaves: graph.leaves };
}

/** Keys of the Programs that fell out of the cache since the last call. */
export function takeEvicted(): number[] {
  const taken = evicted;
  evicted = [];
  return taken;
}
