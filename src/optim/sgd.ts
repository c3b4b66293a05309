import { checkNumber } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Parameter } from "../nn/parameter.js";
import type { OptimizerOptions } from "./optimizer.js";
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
    checkNumber("optimizer: momentum", momentum, 0, 1);
    checkNumber("optimizer: dampening", dampening, 0, 1);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError("optimizer: nesterov needs a momentum above 0 and no dampening");
    }
    const options = { learningRate, weightDecay, ...common };
    super(
      parameters,
      options,
      momentum === 0
        ? { rule: "sgd", numbers: [], states: [] }
        : {
            rule: "momentum",
            numbers: [momentum, dampening, Number(nesterov)],
            states: ["momentum"],
          },
    );
  }
}
