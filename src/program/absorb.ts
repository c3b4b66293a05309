/** Sums that a kernel takes in: it begins with the addend where it would begin with zeros. */
import { Opcode } from "../../wasm/plain/engine.js";
import type { Node, Value } from "../graph.js";
import { sameShape, sizeOf } from "../shape.js";
import { isLeaf } from "./goal.js";

/** The nodes that use each node's outputs. */
export type Consumers = ReadonlyMap<Node, readonly Node[]>;

/** Each sum that a kernel takes in, with that kernel's node. */
export function absorbSums(
  nodes: readonly Node[],
  consumers: Consumers,
  kept: ReadonlySet<Value>,
): Map<Node, Node> {
  const absorbed = new Map<Node, Node>();
  for (const node of nodes) {
    if (!isSum(node)) continue;
    const kernels = node.inputs.flatMap((input) => {
      const producer = isLeaf(input) ? undefined : input.node!;
      return producer && takesIn(producer, node, consumers, kept) ? [producer] : [];
    });
    // Of two, the later: by then the other has been computed.
    const [kernel] = kernels.sort((a, b) => b.id - a.id);
    if (kernel) absorbed.set(node, kernel);
  }
  return absorbed;
}

function isSum({ op, attributes }: Node): boolean {
  return (
    op.lowering.kind === "elementwise" && op.lowering.instruction(attributes).opcode === Opcode.Add
  );
}

function takesIn(kernel: Node, sum: Node, consumers: Consumers, kept: ReadonlySet<Value>): boolean {
  const [output] = kernel.outputs;
  const addend = addendOf(kernel, sum);
  return (
    kernel.op.takesAddend === true &&
    consumers.get(kernel)!.length === 1 &&
    !kept.has(output!) &&
    sameShape(output!.shape, sum.outputs[0]!.shape) &&
    addend.dtype === output!.dtype &&
    (sameShape(addend.shape, output!.shape) || isRow(addend, output!))
  );
}

/** What `sum` adds to the result of `kernel`. */
export function addendOf(kernel: Node, sum: Node): Value {
  const [a, b] = sum.inputs;
  return a === kernel.outputs[0] ? b! : a!;
}

/** Whether `addend` is one row, which all rows of `output` get. */
export function isRow(addend: Value, output: Value): boolean {
  const width = output.shape.at(-1)!;
  return width > 1 && addend.shape.at(-1) === width && sizeOf(addend.shape) === width;
}
