/** Optimizers: classes for loops of one's own, functions of their options for `compile`. */
import { checkKnown, isObject, shown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Parameter } from "../nn/parameter.js";
import type { AdadeltaOptions, AdagradOptions, LionOptions, RmsPropOptions } from "./adaptive.js";
import { Adadelta, Adagrad, Lion, RMSprop } from "./adaptive.js";
import type { AdamaxOptions, AdamOptions, NAdamOptions, RAdamOptions } from "./adam.js";
import { Adam, Adamax, AdamW, NAdam, RAdam } from "./adam.js";
import type { Optimizer } from "./optimizer.js";
import type { GroupSelection } from "./parameterGroups.js";
import { selectGroups } from "./parameterGroups.js";
import type { SgdOptions } from "./sgd.js";
import { SGD } from "./sgd.js";

export { clipGradNorm, clipGradValue, globalNorm } from "./clip.js";
export type { Formula, OptimizerOptions, OptimizerState, StepOptions } from "./optimizer.js";
export type { GroupOptions, ParameterGroup, ParameterSelection } from "./parameterGroups.js";
export type { AdadeltaOptions, AdagradOptions, AdamaxOptions, AdamOptions };
export type { GroupSelection, LionOptions, NAdamOptions, RAdamOptions, RmsPropOptions, SgdOptions };
export { Adadelta, Adagrad, Adam, Adamax, AdamW, Lion, NAdam, RAdam, RMSprop, SGD };
export { Optimizer } from "./optimizer.js";

/** Options for `compile`, which knows the parameters by name. */
export interface Grouped {
  /** Parameters with numbers of their own, by what selects them; the first that does counts. */
  readonly groups?: readonly GroupSelection[];
}

const makers = {
  sgd: SGD,
  adam: Adam,
  adamW: AdamW,
  adamax: Adamax,
  nAdam: NAdam,
  rAdam: RAdam,
  rmsProp: RMSprop,
  adagrad: Adagrad,
  adadelta: Adadelta,
  lion: Lion,
};

type Makers = typeof makers;

/** An optimizer with its options, before it knows the parameters. */
export interface OptimizerSpec {
  readonly name: keyof Makers;
  readonly options: NonNullable<ConstructorParameters<Makers[keyof Makers]>[1]> & Grouped;
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

/** Adamax, for `compile`. */
export function adamax(options: AdamaxOptions & Grouped = {}): OptimizerSpec {
  return { name: "adamax", options };
}

/** NAdam, for `compile`. */
export function nAdam(options: NAdamOptions & Grouped = {}): OptimizerSpec {
  return { name: "nAdam", options };
}

/** RAdam, for `compile`. */
export function rAdam(options: RAdamOptions & Grouped = {}): OptimizerSpec {
  return { name: "rAdam", options };
}

/** RMSprop, for `compile`. */
export function rmsProp(options: RmsPropOptions & Grouped = {}): OptimizerSpec {
  return { name: "rmsProp", options };
}

/** Adagrad, for `compile`. */
export function adagrad(options: AdagradOptions & Grouped = {}): OptimizerSpec {
  return { name: "adagrad", options };
}

/** Adadelta, for `compile`. */
export function adadelta(options: AdadeltaOptions & Grouped = {}): OptimizerSpec {
  return { name: "adadelta", options };
}

/** Lion, for `compile`. */
export function lion(options: LionOptions & Grouped = {}): OptimizerSpec {
  return { name: "lion", options };
}

/** The optimizer that `spec` describes, for these parameters. Throws ArgumentError for others. */
export function makeOptimizer(
  spec: OptimizerSpec,
  parameters: ReadonlyMap<string, Parameter>,
): Optimizer {
  const isSpec: boolean = isObject(spec) && isObject(spec.options);
  if (!isSpec) {
    throw new ArgumentError(
      `compile: the optimizer is ${shown(spec)}; pass what optim.sgd({ … }), optim.adam({ … }) give`,
    );
  }
  const { name, options: all } = spec;
  const { groups = [], ...options } = all;
  checkKnown("compile: optimizer", name, Object.keys(makers));
  return new makers[name](selectGroups(parameters, groups), options);
}
