import { checkNumber } from "../checks.js";
import type { Parameter } from "../nn/parameter.js";
import { adamUpdate } from "../ops/optimizer.js";
import type { Tensor, Variable } from "../tensor.js";
import { power } from "./elementary.js";
import type { OptimizerOptions, Rates } from "./optimizer.js";
import { Optimizer } from "./optimizer.js";
import type { ParameterGroup } from "./parameterGroups.js";

/** Options of `Adam` and `AdamW`, with PyTorch's meanings. */
export interface AdamOptions extends OptimizerOptions {
  /** Default: 0.001. */
  readonly learningRate?: number;
  /** How slowly the means of gradients, and of their squares, forget. Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Keeps the step finite where gradients vanish. Default: 1e-8. */
  readonly eps?: number;
}

/** Adam (Kingma & Ba, 2014); weight decay is added to the gradient. */
export class Adam extends Optimizer {
  private readonly settings: Required<Pick<AdamOptions, "betas" | "eps">>;
  private readonly m: Map<Parameter, Variable>;
  private readonly v: Map<Parameter, Variable>;

  constructor(
    parameters: Iterable<Parameter> | Iterable<ParameterGroup>,
    {
      learningRate = 1e-3,
      betas = [0.9, 0.999],
      eps = 1e-8,
      weightDecay = 0,
      ...common
    }: AdamOptions = {},
    /** Whether weights decay apart from the gradient. */
    private readonly decoupled = false,
  ) {
    super(parameters, { learningRate, weightDecay, ...common });
    betas.forEach((beta, index) => checkNumber(`optimizer: betas[${index}]`, beta, 0, 1));
    checkNumber("optimizer: eps", eps, 0, Infinity);
    this.settings = { betas, eps };
    this.m = this.zeros();
    this.v = this.zeros();
  }

  protected hyper(step: number, { learningRate, weightDecay }: Rates): number[] {
    const {
      betas: [beta1, beta2],
      eps,
    } = this.settings;
    const corrections = [1 - power(beta1, step), 1 - power(beta2, step)];
    const decay = [weightDecay, Number(this.decoupled)];
    return [learningRate, beta1, beta2, eps, ...decay, ...corrections];
  }

  protected update(
    parameter: Parameter,
    gradient: Tensor,
    hyper: Tensor,
    scale: Tensor | undefined,
  ): void {
    const m = this.m.get(parameter)!;
    const v = this.v.get(parameter)!;
    const [next, nextM, nextV] = adamUpdate.all(parameter, gradient, m, v, hyper, scale);
    parameter.assign(next!);
    m.assign(nextM!);
    v.assign(nextV!);
  }

  protected state(): Map<string, Variable> {
    return new Map([...this.named("m", this.m), ...this.named("v", this.v)]);
  }
}

/** Adam with decoupled weight decay (Loshchilov & Hutter, 2017); `weightDecay` is 0.01 by default. */
export class AdamW extends Adam {
  constructor(
    parameters: Iterable<Parameter> | Iterable<ParameterGroup>,
    { weightDecay = 0.01, ...options }: AdamOptions = {},
  ) {
    super(parameters, { weightDecay, ...options }, true);
  }
}
