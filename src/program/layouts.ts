/** In which order of elements a kernel had best write its result. */
import type { Value } from "../graph.js";
import { columnsFirst, denseLayout, isDense } from "../shape.js";
import type { Graph } from "./goal.js";
import { isLeaf } from "./goal.js";

/**
 * Matrices whose every reader is a view that is dense if they are written column by column: the
 * gradient of a transposed weight, say. Those `kept` for the outside are dense as they are.
 */
export function wantedInColumns({ nodes }: Graph, kept: ReadonlySet<Value>): Set<Value> {
  const wanted = new Set<Value>();
  const others = new Set<Value>(kept);
  for (const node of nodes) {
    const { lowering } = node.op;
    for (const input of node.inputs) {
      if (isLeaf(input) || input.shape.length < 2) continue;
      const [output] = node.outputs;
      const seen =
        lowering.kind === "view" && input === node.inputs[0]
          ? lowering.view(columnsFirst(denseLayout(input.shape)), node.attributes, output!)
          : undefined;
      (seen && isDense(seen) ? wanted : others).add(input);
    }
  }
  for (const value of others) wanted.delete(value);
  return wanted;
}
