/** Activation functions by name. */
import { checkKnown } from "../checks.js";
import { gelu, relu, sigmoid, silu, softplus, tanh } from "../ops/elementwise.js";
import { softmax } from "../ops/softmax.js";
import type { Tensor } from "../tensor.js";
import type { Signal } from "./module.js";

const functions = {
  linear: (x: Tensor) => x,
  relu,
  gelu: (x: Tensor) => gelu(x),
  silu,
  tanh,
  sigmoid,
  softplus,
  softmax: (x: Tensor) => softmax(x),
};

/** The activations that layers know by name. */
export type ActivationName = keyof typeof functions;

/** Their names. */
export const activationNames: readonly string[] = Object.keys(functions);

/** Throws ArgumentError, listing the names, unless `name` is one. */
export function checkActivation(layer: string, name: ActivationName): void {
  checkKnown(`${layer}: activation`, name, activationNames);
}

/** `x` after the activation; softmax and sigmoid keep what went in, for losses. */
export function activate(name: ActivationName, x: Tensor, mask: Signal["mask"]): Signal {
  const y = functions[name](x);
  const keeps = name === "softmax" || name === "sigmoid";
  return { x: y, mask, ...(keeps && { logits: { tensor: x, activation: name } }) };
}
