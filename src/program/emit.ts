/** Turns scheduled steps into a Program. */
import type { Value } from "../graph.js";
import { denseLayout, isDense } from "../shape.js";
import { Builder } from "./builder.js";
import { emitChain, emitCopy } from "./chain.js";
import type { Step } from "./fuse.js";
import { isConstant, isElementwise } from "./fuse.js";
import type { Graph } from "./goal.js";
import { isLeaf } from "./goal.js";
import { kernelEmitter } from "./kernelEmitter.js";
import { wantedInColumns } from "./layouts.js";
import type { Buffer, Placed } from "./place.js";
import type { Program } from "./program.js";
import type { Schedule } from "./schedule.js";

/** Emits a whole schedule: leaves in slots, steps as calls, results where they belong. */
export function emit(graph: Graph, { steps, inPlace }: Schedule, key: number): Program {
  const builder = new Builder(inPlace);
  const overwritten = new Set(graph.overwrites.map(({ before }) => before));
  for (const leaf of graph.leaves) {
    const buffer = builder.slot(leaf.bytes, overwritten.has(leaf) ? "inout" : "in");
    builder.place(leaf, { buffer, layout: denseLayout(leaf.shape) });
  }
  const results = graph.targets.map((value) => builder.slot(value.bytes, "out"));
  graph.targets.forEach((value, index) => {
    if (!isLeaf(value)) builder.setHome(value, results[index]!);
  });

  const kept = new Set<Value>([...graph.targets, ...graph.overwrites.map(({ after }) => after)]);
  const escaping = valuesBetweenSteps(steps, kept);
  const inColumns = wantedInColumns(graph, kept);
  for (const step of steps) emitStep(builder, step, escaping, inColumns);

  graph.targets.forEach((value, index) => moveTo(builder, value, results[index]!));
  // Overwrites that could not be computed in place: read everything first, then write.
  const late = graph.overwrites.filter(({ after, before }) => inPlace.get(after) !== before);
  const settled = late.map(({ before, after }) => {
    const placed = builder.find(after);
    const shared = placed.buffer.slot !== undefined && late.length > 1;
    return { before, after, from: shared ? copyAside(builder, after, placed) : placed };
  });
  for (const { before, after, from } of settled) {
    const to = builder.find(before);
    if (from.buffer !== to.buffer || !isDense(from.layout))
      emitCopy(builder, after.dtype, from, to);
  }
  return builder.finish(key);
}

/** Values that a step makes for others, or for the outside. */
function valuesBetweenSteps(steps: readonly Step[], kept: ReadonlySet<Value>): Set<Value> {
  const escaping = new Set(kept);
  for (const { nodes } of steps) {
    const own = new Set(nodes);
    for (const input of nodes.flatMap((node) => node.inputs)) {
      if (!isLeaf(input) && !own.has(input.node!)) escaping.add(input);
    }
  }
  return escaping;
}

function emitStep(
  builder: Builder,
  { nodes }: Step,
  escaping: ReadonlySet<Value>,
  inColumns: ReadonlySet<Value>,
): void {
  const [first, sum] = nodes;
  // Constants go into the calls that use them.
  if (isConstant(first!)) return;
  if (isElementwise(first!)) {
    const stores = nodes.map((node) => node.outputs[0]!).filter((value) => escaping.has(value));
    emitChain(builder, nodes, stores);
  } else if (first!.op.lowering.kind === "kernel") {
    const emitter = kernelEmitter(builder, first!, sum, inColumns.has(first!.outputs[0]!));
    first!.op.lowering.emit(emitter, first!.attributes);
  }
}

/** Copies `value` into `home` unless it was computed there. */
function moveTo(builder: Builder, value: Value, home: Buffer): void {
  const placed = builder.find(value);
  if (placed.buffer === home && isDense(placed.layout)) return;
  emitCopy(builder, value.dtype, placed, { buffer: home, layout: denseLayout(value.shape) });
}

function copyAside(builder: Builder, value: Value, placed: Placed): Placed {
  const copy = { buffer: builder.temporary(value.bytes), layout: denseLayout(value.shape) };
  emitCopy(builder, value.dtype, placed, copy);
  return copy;
}
