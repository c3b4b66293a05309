/** What a Program is to achieve, read off the graph: the nodes it takes, its leaves, and a key. */
import type { Attributes, Node, Spec, Value } from "../graph.js";

/** A variable's content before and after: the Program overwrites the one with the other. */
export interface Overwrite {
  readonly before: Value;
  readonly after: Value;
}

/** What is wanted: values to compute into new buffers, and buffers to overwrite. */
export interface Goal {
  readonly targets: readonly Value[];
  readonly overwrites: readonly Overwrite[];
}

/** A goal with everything it depends on. */
export interface Graph extends Goal {
  /** In recording order, which is a topological one. */
  readonly nodes: readonly Node[];
  /** Values with content of their own, in order of first use. */
  readonly leaves: readonly Value[];
  /** Equal for goals that one Program serves. */
  readonly structure: string;
}

/** Whether a value's content exists before the Program runs. */
export function isLeaf(value: Value): boolean {
  return value.source !== undefined;
}

/** Everything that `goal` depends on. */
export function readGraph(goal: Goal): Graph {
  const nodes = collectNodes(goal);
  const leaves = new Map<Value, string>();
  const numbers = new Map<Node, number>();
  const nameOf = (value: Value): string => {
    if (!isLeaf(value)) return `${numbers.get(value.node!)}.${value.index}`;
    let name = leaves.get(value);
    if (name === undefined) {
      name = `$${leaves.size}`;
      leaves.set(value, name);
      lines.push(`${name}:${specKey(value)}`);
    }
    return name;
  };
  const lines: string[] = [];
  for (const node of nodes) {
    const inputs = node.inputs.map(nameOf).join();
    numbers.set(node, numbers.size);
    lines.push(`${node.op.name}(${inputs}){${attributesKey(node.attributes)}}`);
  }
  lines.push(`targets ${goal.targets.map(nameOf).join()}`);
  for (const { before, after } of goal.overwrites) {
    lines.push(`${nameOf(before)}=${nameOf(after)}`);
  }
  return { ...goal, nodes, leaves: [...leaves.keys()], structure: lines.join("\n") };
}

function collectNodes({ targets, overwrites }: Goal): Node[] {
  const found = new Set<Node>();
  const stack: Value[] = [...targets, ...overwrites.map(({ after }) => after)];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (isLeaf(value) || found.has(value.node!)) continue;
    found.add(value.node!);
    stack.push(...value.node!.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

function specKey({ dtype, shape }: Spec): string {
  return `${dtype}[${shape.join()}]`;
}

// Not JSON, which has no infinities or NaN.
function attributesKey(attributes: Attributes): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name}:${Object.is(value, -0) ? "-0" : String(value)}`)
    .join(";");
}
