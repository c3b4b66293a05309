/** Groups nodes that one pass over memory can compute. */
import type { DType } from "../dtype.js";
import type { Node, Value } from "../graph.js";
import { formatShape, sameShape } from "../shape.js";
import type { Consumers } from "./absorb.js";
import { absorbSums } from "./absorb.js";
import type { Graph } from "./goal.js";
import { isLeaf } from "./goal.js";

/**
 * Nodes that run together: an elementwise chain, or one node of another kind, perhaps with the sum
 * that its kernel takes in.
 */
export interface Step {
  readonly nodes: readonly Node[];
}

/** The type in which the elementwise machine computes. */
export type Lane = "float32" | "float64";

/** Pointers that one elementwise call can take (its kernel's `p0`…). */
export const maxPointers = 12;
/** Instructions beyond which a chain's registers no longer fit the L1 cache. */
const maxNodes = 32;

/** Whether a node is one instruction of the elementwise machine. */
export function isElementwise(node: Node): boolean {
  return node.op.lowering.kind === "elementwise";
}

/** Whether a node is a number written into the Program: chains take it in, it needs no memory. */
export function isConstant(node: Node): boolean {
  return isElementwise(node) && node.inputs.length === 0 && node.outputs[0]!.shape.length === 0;
}

/** The number a value is everywhere, where the Program knows it: a constant, or a view of one. */
export function constantOf(value: Value): number | undefined {
  let node = value.source ? undefined : value.node;
  while (node?.op.lowering.kind === "view") {
    const input: Value = node.inputs[0]!;
    node = isLeaf(input) ? undefined : input.node;
  }
  return node && isConstant(node) ? Number(node.attributes.value) : undefined;
}

/** `mul→add→relu [32, 128]`: what a step computes, for `describe` and errors. */
export function labelOf(nodes: readonly Node[]): string {
  const names = nodes.map((node) => node.op.name).join("→");
  return `${names} ${formatShape(nodes.at(-1)!.outputs[0]!.shape)}`;
}

/** Integers and float64 compute in float64, where int32 is exact; all else in float32. */
export function laneOf(node: Node): Lane {
  const wide = (dtype: DType): boolean => dtype === "float64" || dtype === "int32";
  const keys = keyOperand(node);
  const operands = node.inputs.filter((_, index) => index !== keys);
  return [...operands, ...node.outputs].some(({ dtype }) => wide(dtype)) ? "float64" : "float32";
}

/** Which operand of an elementwise node is a random key: a pointer, not a tensor of elements. */
export function keyOperand(node: Node): number | undefined {
  const { lowering } = node.op;
  if (lowering.kind !== "elementwise") return undefined;
  return lowering.instruction(node.attributes).random?.key;
}

/** The nodes that use each node's outputs. */
function consumersOf(nodes: readonly Node[]): Consumers {
  const consumers = new Map<Node, Node[]>(nodes.map((node) => [node, []]));
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (!isLeaf(input)) consumers.get(input.node!)!.push(node);
    }
  }
  return consumers;
}

/** Cuts the graph into steps. Steps are not in order yet. */
export function fuse(graph: Graph): Step[] {
  const consumers = consumersOf(graph.nodes);
  const kept = new Set<Value>([...graph.targets, ...graph.overwrites.map(({ after }) => after)]);
  const absorbed = absorbSums(graph.nodes, consumers, kept);
  const groups = new Map<Node, Set<Node>>();

  for (const node of graph.nodes) {
    let group = new Set([node]);
    const kernel = absorbed.get(node);
    if (kernel) {
      group.add(kernel);
    } else if (isElementwise(node) && !isConstant(node)) {
      for (const input of node.inputs) {
        const producer = isLeaf(input) ? undefined : input.node!;
        if (!producer || group.has(producer)) continue;
        if (absorbed.has(producer) || !canChain(producer, node)) continue;
        const merged = new Set([...groups.get(producer)!, ...group]);
        if (fits(merged, consumers, kept) && !dependsOnItself(merged, groups)) group = merged;
      }
    }
    for (const member of group) groups.set(member, group);
  }
  return [...new Set(groups.values())].map((group) => ({
    nodes: [...group].sort((a, b) => a.id - b.id),
  }));
}

function canChain(producer: Node, node: Node): boolean {
  return (
    isElementwise(producer) &&
    !isConstant(producer) &&
    sameShape(producer.outputs[0]!.shape, node.outputs[0]!.shape) &&
    laneOf(producer) === laneOf(node)
  );
}

function fits(group: Set<Node>, consumers: Consumers, kept: Set<Value>): boolean {
  if (group.size > maxNodes) return false;
  const pointers = new Set<Value>();
  for (const node of group) {
    for (const input of node.inputs) {
      const outside = isLeaf(input) || !group.has(input.node!);
      if (outside && constantOf(input) === undefined) pointers.add(input);
    }
    const output = node.outputs[0]!;
    if (kept.has(output) || consumers.get(node)!.some((user) => !group.has(user))) {
      pointers.add(output);
    }
  }
  return pointers.size <= maxPointers;
}

/** Whether something outside the group stands between two of its members. */
function dependsOnItself(group: Set<Node>, groups: Map<Node, Set<Node>>): boolean {
  const seen = new Set<Node>();
  const stack: Node[] = [];
  const enter = (node: Node): void => {
    for (const input of node.inputs) {
      if (!isLeaf(input)) stack.push(input.node!);
    }
  };
  for (const member of group) {
    for (const input of member.inputs) {
      if (!isLeaf(input) && !group.has(input.node!)) stack.push(input.node!);
    }
  }
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (group.has(node)) return true;
    if (seen.has(node)) continue;
    // A group runs as one: what any member needs, all of it needs.
    for (const member of groups.get(node)!) {
      seen.add(member);
      enter(member);
    }
  }
  return false;
}
