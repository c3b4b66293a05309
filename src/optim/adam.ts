/** Adam and its kin: steps by the means of gradients and of their squares. */
import { checkNumber } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import { gt, mul, pow, sub, where } from "../ops/elementwise.js";
import type { Tensor, Variable } from "../tensor.js";
import type { OptimizerOptions } from "./optimizer.js";
import { checkBetas, Optimizer } from "./optimizer.js";
import type { ParameterGroup } from "./parameterGroups.js";
import { numberForEach } from "./stateVariables.js";

type Parameters = Iterable<Parameter> | Iterable<ParameterGroup>;

/** Options of `Adamax`, with PyTorch's meanings. */
export interface AdamaxOptions extends OptimizerOptions {
  readonly learningRate?: number;
  /** How slowly the means of gradients, and of their squares, forget. Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Keeps the step finite where gradients vanish. Default: 1e-8. */
  readonly eps?: number;
}

/** Options of `Adam` and `AdamW`, with PyTorch's meanings. */
export interface AdamOptions extends AdamaxOptions {
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Divides by the largest mean of squares so far (Reddi et al., 2018). Default: false. */
  readonly amsgrad?: boolean;
}

/** Options of `RAdam`, with PyTorch's meanings. */
export interface RAdamOptions extends AdamaxOptions {
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** Whether weights decay apart from the gradient. Default: false. */
  readonly decoupledWeightDecay?: boolean;
}

/** Options of `NAdam`, with PyTorch's meanings. */
export interface NAdamOptions extends AdamaxOptions {
  /** Default: 0.002. */
  readonly learningRate?: number;
  /** How fast momentum comes to its full strength. Default: 0.004. */
  readonly momentumDecay?: number;
  /** Whether weights decay apart from the gradient. Default: false. */
  readonly decoupledWeightDecay?: boolean;
}

/** The numbers that all of them have, and the options that all optimizers have. */
function adamParts({ betas = [0.9, 0.999], eps = 1e-8, ...common }: AdamaxOptions): {
  readonly numbers: readonly number[];
  readonly common: OptimizerOptions;
} {
  checkBetas(betas);
  checkNumber("optimizer: eps", eps, 0, Infinity);
  return { numbers: [...betas, eps], common };
}

/** Adam (Kingma & Ba, 2014); weight decay is added to the gradient. */
export class Adam extends Optimizer {
  constructor(
    parameters: Parameters,
    { learningRate = 1e-3, weightDecay = 0, amsgrad = false, ...rest }: AdamOptions = {},
    /** Whether weights decay apart from the gradient. */
    decoupled = false,
  ) {
    const { numbers, common } = adamParts(rest);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      {
        rule: amsgrad ? "amsGrad" : "adam",
        numbers,
        states: amsgrad ? ["m", "v", "vMax"] : ["m", "v"],
        decoupled,
      },
    );
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter, 2017); `weightDecay` is 0.01 by default. */
export class AdamW extends Adam {
  constructor(parameters: Parameters, { weightDecay = 0.01, ...options }: AdamOptions = {}) {
    super(parameters, { weightDecay, ...options }, true);
  }
}

/** Adam that starts without the means of squares until these are sure (Liu et al., 2019). */
export class RAdam extends Optimizer {
  constructor(
    parameters: Parameters,
    {
      learningRate = 1e-3,
      weightDecay = 0,
      decoupledWeightDecay = false,
      ...rest
    }: RAdamOptions = {},
  ) {
    const { numbers, common } = adamParts(rest);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      {
        rule: "rAdam",
        numbers,
        states: ["m", "v"],
        decoupled: decoupledWeightDecay,
      },
    );
  }
}

/** Adam by the largest gradient instead of the mean of squares (Kingma & Ba, 2014). */
export class Adamax extends Optimizer {
  /** `learningRate` is 0.002 by default. */
  constructor(
    parameters: Parameters,
    { learningRate = 2e-3, weightDecay = 0, ...rest }: AdamaxOptions = {},
  ) {
    const { numbers, common } = adamParts(rest);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      { rule: "adamax", numbers, states: ["m", "largest"] },
    );
  }
}

/** What NAdam's momentum comes to its full strength by: 1 − ½·0.96^(t·momentumDecay). */
const momentumBase = 0.96;

/** Adam with Nesterov's momentum (Dozat, 2016). */
export class NAdam extends Optimizer {
  /** The product of the momenta of all steps of each parameter. */
  private readonly product: Variable;
  private readonly beta1: number;
  private readonly momentumDecay: number;

  constructor(
    parameters: Parameters,
    {
      learningRate = 2e-3,
      weightDecay = 0,
      momentumDecay = 4e-3,
      decoupledWeightDecay = false,
      ...rest
    }: NAdamOptions = {},
  ) {
    checkNumber("optimizer: momentumDecay", momentumDecay, 0, Infinity);
    const { numbers, common } = adamParts(rest);
    super(
      parameters,
      { learningRate, weightDecay, ...common },
      {
        rule: "nAdam",
        numbers: [...numbers, momentumDecay],
        states: ["m", "v"],
        decoupled: decoupledWeightDecay,
      },
    );
    this.beta1 = numbers[0]!;
    this.momentumDecay = momentumDecay;
    this.product = numberForEach(this.parameters.length, 1);
  }

  protected override recordProduct(before: Tensor, after: Tensor): Tensor {
    const growth = sub(1, mul(pow(momentumBase, mul(after, this.momentumDecay)), 0.5));
    const grown = mul(this.product, mul(growth, this.beta1));
    const next = where(gt(after, before), grown, this.product);
    this.product.assign(next);
    return next;
  }

  protected override otherState(): readonly (readonly [string, Variable])[] {
    return [["momentumProduct", this.product]];
  }
}
