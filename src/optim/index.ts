/** Optimizers: classes for loops of one's own, functions of their options for `compile`. */
import { checkKnown } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import type { AdamOptions } from "./adam.js";
import { Adam, AdamW } from "./adam.js";
import type { Optimizer } from "./optimizer.js";
import type { GroupSelection } from "./parameterGroups.js";
import { selectGroups } from "./parameterGroups.js";
import type { SgdOptions } from "./sgd.js";
import { SGD } from "./sgd.js";

export { clipGradNorm, clipGradValue, globalNorm } from "./clip.js";
export type { OptimizerOptions, OptimizerState, Rates, StepOptions } from "./optimizer.js";
export type { GroupOptions, ParameterGroup, ParameterSelection } from "./parameterGroups.js";
export type { AdamOptions, GroupSelection, SgdOptions };
export { Adam, AdamW, SGD };
export { Optimizer } from "./optimizer.js";

/** Options for `compile`, which knows the parameters by name. */
export interface Grouped {
  /** Parameters with numbers of their own, by what selects them; the first that does counts. */
  readonly groups?: readonly GroupSelection[];
}

/** An optimizer with its options, before it knows the parameters. */
export interface OptimizerSpec {
  readonly name: "sgd" | "adam" | "adamW";
  readonly options: (SgdOptions | AdamOptions) & Grouped;
}

/** SGD, for `compile`. */
export function sgd(options: SgdOptions & Grouped = {}): OptimizerSpec {
  return { name: "sgd", options };
}

/** Adam, for `compile`. */
export function adam(options: AdamOptions & Grouped = {}): OptimizerSpec {
  return { name: "adam", options };
}

/** AdamW, for `compile`. */
export function adamW(options: AdamOptions & Grouped = {}): OptimizerSpec {
  return { name: "adamW", options };
}

const makers = { sgd: SGD, adam: Adam, adamW: AdamW };

/** The optimizer that `spec` describes, for these parameters. Throws ArgumentError for others. */
export function makeOptimizer(
  { name, options: { groups = [], ...options } }: OptimizerSpec,
  parameters: ReadonlyMap<string, Parameter>,
): Optimizer {
  checkKnown("compile: optimizer", name, Object.keys(makers));
  return new makers[name](selectGroups(parameters, groups), options);
}
