/** Reverse-mode differentiation: gradients are ops on the same graph, so they have gradients too. */
import { isFloat } from "./dtype.js";
import { ArgumentError, DTypeError, ShapeError, StateError } from "./errors.js";
import type { Node, Value } from "./graph.js";
import type { Attributes } from "./graph.js";
import type { Vjp } from "./op.js";
import { noGrad } from "./op.js";
import { full } from "./ops/creation.js";
import { add } from "./ops/elementwise.js";
import { formatShape, sameShape } from "./shape.js";
import { leafTensor, Tensor } from "./tensor.js";
import { currentTrace } from "./trace.js";
import { noteGradient, noteRoot } from "./updates.js";

/** Options of `backward`. */
export interface BackwardOptions {
  /** The gradient of something with respect to the tensor. Default: 1, for a tensor of size 1. */
  readonly gradient?: Tensor;
  /** Keeps the history so that `backward` can run again. Default: false. */
  readonly retainGraph?: boolean;
  /** Records the gradients so that they can be differentiated. Default: false. */
  readonly createGraph?: boolean;
}

/** Adds to `grad` of every leaf with `requiresGrad` that `root` depends on. */
export function backward(
  root: Tensor,
  { gradient, retainGraph = false, createGraph = false }: BackwardOptions = {},
): void {
  if (!root.requiresGrad) {
    throw new StateError(
      root.value.historyUsed
        ? "backward: the history was used by an earlier backward; pass retainGraph: true to that one"
        : "backward: the tensor depends on nothing that has requiresGrad",
    );
  }
  const seed = gradient ?? unitGradient("backward", root);
  checkGradient("backward", root, seed);
  const isTarget = (value: Value): boolean => value.requiresGrad && !value.node;
  const accumulate = (): void => {
    for (const [value, grad] of walk([root.value], [seed], isTarget)) {
      const leaf = leafTensor(value);
      if (!leaf) continue;
      noteGradient(leaf);
      leaf.grad = leaf.grad ? add(leaf.grad, grad) : grad;
    }
  };
  if (createGraph) accumulate();
  else noGrad(accumulate);
  if (!currentTrace()) noteRoot(root.value);
  if (!retainGraph && !createGraph) releaseHistory(root.value);
}

/** The gradients of `outputs` (weighted by `gradients`) with respect to each of `inputs`. */
export function gradients(
  outputs: readonly Tensor[],
  inputs: readonly Tensor[],
  seeds: readonly Tensor[] = outputs.map((output) => unitGradient("grad", output)),
): Tensor[] {
  const wanted = new Set(inputs.map((input) => input.value));
  const found = walk(
    outputs.map((output) => output.value),
    seeds,
    (value) => wanted.has(value),
  );
  return inputs.map((input) => found.get(input.value) ?? full(input.shape, 0, input.dtype));
}

/** `f`'s result with a function from the result's gradient to those of the arguments. */
export function vjp<P extends readonly Tensor[]>(
  f: (...args: P) => Tensor,
  ...args: P
): [result: Tensor, pullback: (dy: Tensor) => Tensor[]] {
  const result = keepingHistory(args, () => f(...args));
  return [
    result,
    (dy) => {
      checkGradient("vjp", result, dy);
      return gradients([result], args, [dy]);
    },
  ];
}

/** What `body` records of `args` stays differentiable when it is read before its gradient is. */
function keepingHistory<T>(args: readonly Tensor[], body: () => T): T {
  const marked = args.flatMap(({ value }) =>
    isFloat(value.dtype) && !value.requiresGrad ? [value] : [],
  );
  for (const value of marked) value.requiresGrad = true;
  try {
    return body();
  } finally {
    for (const value of marked) value.requiresGrad = false;
  }
}

/** A function that computes `f`, of size 1, and its gradients with respect to its arguments. */
export function valueAndGrad<P extends readonly Tensor[]>(
  f: (...args: P) => Tensor,
): (...args: P) => [value: Tensor, gradients: Tensor[]] {
  return (...args) => {
    const value = f(...args);
    return [value, gradients([value], args)];
  };
}

/** A function that computes the gradient of `f`, of size 1, with respect to its first argument. */
export function grad<P extends readonly Tensor[]>(
  f: (...args: P) => Tensor,
): (...args: P) => Tensor {
  return (...args) => {
    const [first] = args;
    if (!first) throw new ArgumentError("grad: the function has no argument");
    return gradients([f(...args)], [first])[0]!;
  };
}

/**
 * The gradient rule of a fused op, from `formula`: the same function in simpler ops. Fused
 * backward kernels use it for their own gradients, which only second derivatives need.
 */
export function through<A extends Attributes>(
  formula: (operands: readonly Tensor[], attributes: A) => readonly Tensor[],
): Vjp<A> {
  return (_, { operands, attributes, gradients: seeds }) => {
    const outputs = formula(operands, attributes);
    const wanted = new Set(operands.map((operand) => operand.value));
    const found = walk(
      outputs.map((output) => output.value),
      seeds,
      (value) => wanted.has(value),
    );
    return operands.map((operand) => found.get(operand.value));
  };
}

function unitGradient(op: string, output: Tensor): Tensor {
  if (output.size !== 1) {
    throw new ShapeError(
      `${op}: ${formatShape(output.shape)} is not a single number; ` +
        "sum it, or pass the gradient to start from",
    );
  }
  if (!isFloat(output.dtype)) {
    throw new DTypeError(`${op}: a ${output.dtype} tensor has no gradient`);
  }
  return full(output.shape, 1, output.dtype);
}

function checkGradient(op: string, output: Tensor, gradient: Tensor): void {
  if (sameShape(output.shape, gradient.shape) && output.dtype === gradient.dtype) return;
  throw new ShapeError(
    `${op}: the gradient is ${formatShape(gradient.shape)} ${gradient.dtype}, ` +
      `the tensor ${formatShape(output.shape)} ${output.dtype}`,
  );
}

/** From `roots` back to the targets; gives each target's gradient. */
function walk(
  roots: readonly Value[],
  seeds: readonly Tensor[],
  isTarget: (value: Value) => boolean,
): Map<Value, Tensor> {
  const order = nodesBetween(roots, isTarget);
  const arrived = new Map<Value, Tensor>();
  const arrive = (value: Value, grad: Tensor): void => {
    const known = arrived.get(value);
    arrived.set(value, known ? add(known, grad) : grad);
  };
  roots.forEach((root, index) => arrive(root, seeds[index]!));
  for (const { node, needs } of order) {
    const known = node.outputs.map((output) => arrived.get(output));
    const rule = node.op.vjp;
    if (!rule || known.every((grad) => grad === undefined)) continue;
    const wanted = known.map((grad, i) => {
      const { shape, dtype } = node.outputs[i]!;
      return grad ?? full(shape, 0, dtype);
    });
    const found = rule(wanted[0]!, {
      operands: node.inputs.map((input) => new Tensor(input)),
      outputs: node.outputs.map((output) => new Tensor(output)),
      attributes: node.attributes,
      gradients: wanted,
      needs,
    });
    node.inputs.forEach((input, i) => {
      const grad = found[i];
      if (grad && needs[i]) arrive(input, grad);
    });
  }
  return new Map([...arrived].filter(([value]) => isTarget(value)));
}

/** Nodes on a path from a root to a target, last first, and which inputs lead to one. */
function nodesBetween(
  roots: readonly Value[],
  isTarget: (value: Value) => boolean,
): { node: Node; needs: boolean[] }[] {
  const nodes = new Set<Node>();
  const stack = [...roots];
  for (let value = stack.pop(); value; value = stack.pop()) {
    const { node } = value;
    if (isTarget(value) || !node?.op.vjp || nodes.has(node)) continue;
    nodes.add(node);
    stack.push(...node.inputs);
  }
  const leads = new Map<Node, boolean>();
  const wanted = (value: Value): boolean =>
    isTarget(value) || (value.node !== undefined && leads.get(value.node) === true);
  const found: { node: Node; needs: boolean[] }[] = [];
  for (const node of [...nodes].sort((a, b) => a.id - b.id)) {
    const needs = node.inputs.map((input) => isFloat(input.dtype) && wanted(input));
    leads.set(node, needs.includes(true));
    if (needs.includes(true)) found.push({ node, needs });
  }
  return found.reverse();
}

/** Lets everything behind `root` go as soon as its content is stored. */
function releaseHistory(root: Value): void {
  const stack = [root];
  for (let value = stack.pop(); value; value = stack.pop()) {
    if (value.historyUsed || !value.node) continue;
    value.historyUsed = true;
    value.requiresGrad = false;
    if (value.source) {
      const { inputs } = value.node;
      value.node = undefined;
      stack.push(...inputs);
    } else {
      stack.push(...value.node.inputs);
    }
  }
}
