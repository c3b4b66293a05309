import { checkNumber } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Parameter } from "../nn/parameter.js";
import { sgdUpdate } from "../ops/optimizer.js";
import type { Tensor, Variable } from "../tensor.js";
import type { OptimizerOptions, Rates } from "./optimizer.js";
import { Optimizer } from "./optimizer.js";
import type { ParameterGroup } from "./parameterGroups.js";

/** Options of `SGD`, with PyTorch's meanings. */
export interface SgdOptions extends OptimizerOptions {
  /** Default: 0.01. */
  readonly learningRate?: number;
  readonly momentum?: number;
  readonly dampening?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent, with momentum (Polyak, 1964; Sutskever et al., 2013). */
export class SGD extends Optimizer {
  private readonly settings: Required<Pick<SgdOptions, "momentum" | "dampening" | "nesterov">>;
  private readonly buffers: Map<Parameter, Variable> | undefined;

  constructor(
    parameters: Iterable<Parameter> | Iterable<ParameterGroup>,
    {
      learningRate = 0.01,
      momentum = 0,
      dampening = 0,
      weightDecay = 0,
      nesterov = false,
      ...common
    }: SgdOptions = {},
  ) {
    super(parameters, { learningRate, weightDecay, ...common });
    checkNumber("optimizer: momentum", momentum, 0, 1);
    checkNumber("optimizer: dampening", dampening, 0, 1);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError("optimizer: nesterov needs a momentum above 0 and no dampening");
    }
    this.settings = { momentum, dampening, nesterov };
    this.buffers = momentum > 0 ? this.zeros() : undefined;
  }

  protected hyper(step: number, { learningRate, weightDecay }: Rates): number[] {
    const { momentum, dampening, nesterov } = this.settings;
    const first = step === 1;
    return [learningRate, momentum, dampening, weightDecay, Number(nesterov), Number(first)];
  }

  protected update(
    parameter: Parameter,
    gradient: Tensor,
    hyper: Tensor,
    scale: Tensor | undefined,
  ): void {
    const buffer = this.buffers?.get(parameter);
    const [next, nextBuffer] = sgdUpdate.all(parameter, gradient, buffer, hyper, scale);
    parameter.assign(next!);
    if (nextBuffer) buffer?.assign(nextBuffer);
  }

  protected state(): Map<string, Variable> {
    return new Map(this.buffers ? this.named("momentum", this.buffers) : []);
  }
}
