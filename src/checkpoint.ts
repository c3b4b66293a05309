/** Gradient checkpointing: a part of the forward pass is computed again for its gradient. */
import { gradients } from "./autograd.js";
import { isFloat } from "./dtype.js";
import type { Node, Value } from "./graph.js";
import { nodeCount } from "./graph.js";
import type { OpFunction } from "./op.js";
import { defineOp, noGrad, record } from "./op.js";
import { Tensor } from "./tensor.js";

/**
 * A function that gives `f`'s result, but keeps nothing in between for the gradient, which records
 * the ops of `f` a second time (Chen et al., 2016). Random ops draw the same numbers again; `f`
 * itself is called once, so what else it does (running statistics) happens once. Memory falls to
 * what goes in and out of `f`, for the time of one more forward pass.
 */
export function checkpoint<P extends readonly Tensor[]>(
  f: (...args: P) => Tensor,
): (...args: P) => Tensor {
  return (...args) => {
    const before = nodeCount();
    const result = noGrad(() => f(...args));
    const nodes = recordedSince(before, result.value);
    if (nodes.length === 0) return result;
    const own = new Set(nodes.flatMap((node) => node.outputs));
    const outside = new Set(nodes.flatMap((node) => node.inputs).filter((x) => !own.has(x)));
    const inputs = [...outside].filter(({ dtype }) => isFloat(dtype));
    return again(nodes, result.value, inputs)(result, ...inputs.map((x) => new Tensor(x)));
  };
}

/** The nodes behind `result` that were recorded after the first `before`, in their order. */
function recordedSince(before: number, result: Value): Node[] {
  const found = new Set<Node>();
  const stack = [result];
  for (let value = stack.pop(); value; value = stack.pop()) {
    const { node } = value;
    if (!node || node.id <= before || found.has(node)) continue;
    found.add(node);
    stack.push(...node.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}

/** `result` itself, with a gradient that computes it from `inputs` again. */
function again(
  nodes: readonly Node[],
  result: Value,
  inputs: readonly Value[],
): OpFunction<Tensor[]> {
  return defineOp("checkpoint", {
    signature: (...operands: Tensor[]) => ({ operands, attributes: {} }),
    infer: ([first]) => first!,
    view: (layout) => layout,
    vjp: (dy, { operands: [, ...operands], needs }) => {
      const late = operands.map((x) => notBefore(x, dy));
      const values = new Map(inputs.map((value, index) => [value, late[index]!]));
      const wanted = late.filter((_, index) => needs[index + 1]);
      const found = gradients([replay(nodes, result, values)], wanted, [dy]);
      return [undefined, ...late.map((x) => found[wanted.indexOf(x)])];
    },
  });
}

/** Records `nodes` once more, with other tensors for some values. */
function replay(nodes: readonly Node[], result: Value, values: Map<Value, Tensor>): Tensor {
  const tensorOf = (value: Value): Tensor => values.get(value) ?? new Tensor(value);
  for (const { op, inputs, attributes, outputs } of nodes) {
    record(op, inputs.map(tensorOf), attributes).forEach((output, index) => {
      values.set(outputs[index]!, output);
    });
  }
  return tensorOf(result);
}

/**
 * `x`, for readers that are to wait until `dy` is there: otherwise the second time could be fused
 * with the first.
 */
const notBefore: OpFunction<[x: Tensor, dy: Tensor]> = defineOp("notBefore", {
  signature: (x: Tensor, dy: Tensor) => ({ operands: [x, dy], attributes: {} }),
  infer: ([x]) => x!,
  view: (layout) => layout,
  vjp: (dx) => [dx, undefined],
});
