/** Optimizers: classes for loops of one's own, functions of their options for `compile`. */
import { checkKnown } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import type { AdamOptions } from "./adam.js";
import { Adam, AdamW } from "./adam.js";
import type { Optimizer } from "./optimizer.js";
import { clipGradNorm, globalNorm } from "./optimizer.js";
import type { SgdOptions } from "./sgd.js";
import { SGD } from "./sgd.js";

export type { AdamOptions, SgdOptions };
export type { OptimizerOptions, OptimizerState, StepOptions } from "./optimizer.js";
export { Adam, AdamW, clipGradNorm, globalNorm, SGD };
export { Optimizer } from "./optimizer.js";

/** An optimizer with its options, before it knows the parameters. */
export interface OptimizerSpec {
  readonly name: "sgd" | "adam" | "adamW";
  readonly options: SgdOptions | AdamOptions;
}

/** SGD, for `compile`. */
export function sgd(options: SgdOptions = {}): OptimizerSpec {
  return { name: "sgd", options };
}

/** Adam, for `compile`. */
export function adam(options: AdamOptions = {}): OptimizerSpec {
  return { name: "adam", options };
}

/** AdamW, for `compile`. */
export function adamW(options: AdamOptions = {}): OptimizerSpec {
  return { name: "adamW", options };
}

const makers = { sgd: SGD, adam: Adam, adamW: AdamW };

/** The optimizer that `spec` describes, for these parameters. Throws ArgumentError for others. */
export function makeOptimizer(
  { name, options }: OptimizerSpec,
  parameters: Iterable<Parameter>,
): Optimizer {
  checkKnown("compile: optimizer", name, Object.keys(makers));
  return new makers[name](parameters, options);
}
