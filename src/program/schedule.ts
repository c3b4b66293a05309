/** Puts steps in order: as recorded, with overwrites as early as their readers allow. */
import type { Node, Value } from "../graph.js";
import type { Step } from "./fuse.js";
import type { Graph, Overwrite } from "./goal.js";
import { isLeaf } from "./goal.js";

/** Steps in the order they run, and the overwrites whose op writes straight over the old content. */
export interface Schedule {
  readonly steps: readonly Step[];
  /** The value computed in place, with the leaf whose buffer it takes. */
  readonly inPlace: ReadonlyMap<Value, Value>;
}

/** Orders `steps` so that everything is computed before it is read, and read before overwritten. */
export function schedule(graph: Graph, steps: readonly Step[]): Schedule {
  const stepOf = new Map<Node, Step>();
  for (const step of steps) for (const node of step.nodes) stepOf.set(node, step);
  const needs = new Map<Step, Set<Step>>(steps.map((step) => [step, new Set<Step>()]));
  const readers = new Map<Value, Set<Step>>();
  for (const step of steps) {
    for (const input of step.nodes.flatMap((node) => node.inputs)) {
      if (!isLeaf(input)) {
        const producer = stepOf.get(input.node!)!;
        if (producer !== step) needs.get(step)!.add(producer);
      } else {
        const known = readers.get(input) ?? new Set();
        readers.set(input, known.add(step));
      }
    }
  }
  readThroughViews(graph, stepOf, readers);

  const inPlace = new Map<Value, Value>();
  const early = new Set<Step>();
  for (const overwrite of graph.overwrites) {
    const writer = overwrite.after.node && stepOf.get(overwrite.after.node);
    if (!writer || inPlace.has(overwrite.after) || !mayShare(graph, overwrite)) continue;
    const others = [...(readers.get(overwrite.before) ?? [])].filter((step) => step !== writer);
    // The old content is still read behind the new: it cannot go yet.
    if (others.some((step) => reaches(step, writer, needs))) continue;
    for (const step of others) needs.get(writer)!.add(step);
    inPlace.set(overwrite.after, overwrite.before);
    early.add(writer);
  }
  return { steps: order(steps, needs, early), inPlace };
}

/** A view of a leaf reads the leaf wherever the view is read. */
function readThroughViews(
  graph: Graph,
  stepOf: Map<Node, Step>,
  readers: Map<Value, Set<Step>>,
): void {
  const roots = new Map<Value, Value>();
  for (const node of graph.nodes) {
    if (node.op.lowering.kind === "view") {
      const input = node.inputs[0]!;
      const root = roots.get(input) ?? (isLeaf(input) ? input : undefined);
      if (root) roots.set(node.outputs[0]!, root);
    } else {
      for (const input of node.inputs) {
        const root = roots.get(input);
        if (root) readers.get(root)!.add(stepOf.get(node)!);
      }
    }
  }
}

function mayShare(graph: Graph, { before, after }: Overwrite): boolean {
  const { node, index } = after;
  if (isLeaf(after) || graph.targets.includes(after)) return false;
  const pair = node!.op.inPlace?.find(([output]) => output === index);
  if (!pair || node!.inputs[pair[1]] !== before) return false;
  // Another operand that is the same buffer would be overwritten under the kernel's hands.
  return node!.inputs.filter((input) => input === before).length === 1;
}

/** Whether `from` needs `to`, directly or not. */
function reaches(from: Step, to: Step, needs: Map<Step, Set<Step>>): boolean {
  const seen = new Set<Step>();
  const stack = [from];
  for (let step = stack.pop(); step; step = stack.pop()) {
    if (step === to) return true;
    if (seen.has(step)) continue;
    seen.add(step);
    stack.push(...needs.get(step)!);
  }
  return false;
}

function order(
  steps: readonly Step[],
  needs: Map<Step, Set<Step>>,
  early: Set<Step>,
): readonly Step[] {
  const rank = new Map(steps.map((step) => [step, early.has(step) ? 0 : step.nodes.at(-1)!.id]));
  const waiting = new Map(steps.map((step) => [step, needs.get(step)!.size]));
  const users = new Map<Step, Step[]>(steps.map((step) => [step, []]));
  for (const [step, needed] of needs) for (const one of needed) users.get(one)!.push(step);
  const ready = steps.filter((step) => waiting.get(step) === 0);
  const ordered: Step[] = [];
  while (ready.length > 0) {
    let next = 0;
    for (let i = 1; i < ready.length; i++) {
      if (rank.get(ready[i]!)! < rank.get(ready[next]!)!) next = i;
    }
    const [step] = ready.splice(next, 1);
    ordered.push(step!);
    for (const user of users.get(step!)!) {
      const left = waiting.get(user)! - 1;
      waiting.set(user, left);
      if (left === 0) ready.push(user);
    }
  }
  return ordered;
}
