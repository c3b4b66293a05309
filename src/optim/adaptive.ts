/** Steps by the size of past gradients, without Adam's correction of their first means. */
import { checkNumber } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import type { OptimizerOptions } from "./optimizer.js";
import { checkBetas, Optimizer } from "./optimizer.js";
import type { ParameterGroup } from "./parameterGroups.js";

type Parameters = Iterable<Parameter> | Iterable<ParameterGroup>;

/** Options of `RMSprop`, with PyTorch's meanings. */
export interface RmsPropOptions extends OptimizerOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** How slowly the mean of squares forgets. Default: 0.99. */
  readonly alpha?: number;
  /** Keeps the step finite where gradients vanish. Default: 1e-8. */
  readonly eps?: number;
  readonly momentum?: number;
  /** Divides by the deviation from the mean gradient instead. Default: false. */
  readonly centered?: boolean;
}

/** Gradients divided by the root of the mean of their squares (Tieleman & Hinton, 2012). */
export class RMSprop extends Optimizer {
  constructor(
    parameters: Parameters,
    {
      learningRate = 0.01,
      weightDecay = 0,
      alpha = 0.99,
      eps = 1e-8,
      momentum = 0,
      centered = false,
      ...common
    }: RmsPropOptions = {},
  ) {
    checkNumber("optimizer: alpha", alpha, 0, 1);
    checkNumber("optimizer: eps", eps, 0, Infinity);
    checkNumber("optimizer: momentum", momentum, 0, 1);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      {
        rule: "rmsProp",
        numbers: [alpha, eps, momentum, Number(centered)],
        states: ["v", ...(centered ? ["m"] : []), ...(momentum > 0 ? ["momentum"] : [])],
      },
    );
  }
}

/** Options of `Adagrad`, with PyTorch's meanings. */
export interface AdagradOptions extends OptimizerOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  /** The rate of step t is divided by 1 + (t − 1)·lrDecay. Default: 0. */
  readonly lrDecay?: number;
  /** What the sums of squares start with. Default: 0. */
  readonly initialAccumulatorValue?: number;
  /** Keeps the step finite where gradients vanish. Default: 1e-10. */
  readonly eps?: number;
}

/** Gradients divided by the root of the sum of their squares (Duchi, Hazan & Singer, 2011). */
export class Adagrad extends Optimizer {
  constructor(
    parameters: Parameters,
    {
      learningRate = 0.01,
      weightDecay = 0,
      lrDecay = 0,
      initialAccumulatorValue = 0,
      eps = 1e-10,
      ...common
    }: AdagradOptions = {},
  ) {
    checkNumber("optimizer: lrDecay", lrDecay, 0, Infinity);
    checkNumber("optimizer: initialAccumulatorValue", initialAccumulatorValue, 0, Infinity);
    checkNumber("optimizer: eps", eps, 0, Infinity);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      {
        rule: "adagrad",
        numbers: [lrDecay, eps],
        states: ["sum"],
        initial: initialAccumulatorValue,
      },
    );
  }
}

/** Options of `Adadelta`, with PyTorch's meanings. */
export interface AdadeltaOptions extends OptimizerOptions {
  /** Default: 1. */
  readonly learningRate?: number;
  /** How slowly the means of squares forget. Default: 0.9. */
  readonly rho?: number;
  /** Keeps the step finite where gradients vanish. Default: 1e-6. */
  readonly eps?: number;
}

/** Gradients scaled to the size of past steps (Zeiler, 2012). */
export class Adadelta extends Optimizer {
  constructor(
    parameters: Parameters,
    { learningRate = 1, weightDecay = 0, rho = 0.9, eps = 1e-6, ...common }: AdadeltaOptions = {},
  ) {
    checkNumber("optimizer: rho", rho, 0, 1);
    checkNumber("optimizer: eps", eps, 0, Infinity);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      { rule: "adadelta", numbers: [rho, eps], states: ["v", "steps"] },
    );
  }
}

/** Options of `Lion`. */
export interface LionOptions extends OptimizerOptions {
  /** Default: 0.0001. */
  readonly learningRate?: number;
  /** How slowly the direction, and the mean of gradients, forget. Default: [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
}

/** The sign of the mean gradient alone, with decoupled weight decay (Chen et al., 2023). */
export class Lion extends Optimizer {
  constructor(
    parameters: Parameters,
    { learningRate = 1e-4, weightDecay = 0, betas = [0.9, 0.99], ...common }: LionOptions = {},
  ) {
    checkBetas(betas);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      { rule: "lion", numbers: betas, states: ["m"], decoupled: true },
    );
  }
}
