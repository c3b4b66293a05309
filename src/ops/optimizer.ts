/** Optimizer steps: each reads and writes its memory once, over the old content where it may. */
import { Rule } from "../../wasm/plain/engine.js";
import { dtypes } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

const rules = {
  sgd: Rule.Sgd,
  momentum: Rule.Momentum,
  adam: Rule.Adam,
  amsGrad: Rule.AmsGrad,
  nAdam: Rule.NAdam,
  rAdam: Rule.RAdam,
  adamax: Rule.Adamax,
  rmsProp: Rule.RmsProp,
  adagrad: Rule.Adagrad,
  adadelta: Rule.Adadelta,
  lion: Rule.Lion,
} as const;

/** The rules by which kernels change parameters. */
export type RuleName = keyof typeof rules;

/** What a step goes by, besides the gradient. */
export interface StepNumbers {
  /** Float64: learning rate, weight decay, whether that is decoupled, then the rule's own. */
  readonly hyper: Tensor;
  /** Float64 of size 1: which step of the parameter it is, from 1 on. */
  readonly step: Tensor;
  /** For "nAdam", float64 of size 1: the product of its momenta up to this step. */
  readonly product?: Tensor | undefined;
  /** What the gradient is multiplied by; where it is not finite, nothing changes. */
  readonly scale?: Tensor | undefined;
}

/** The most arrays of state that a rule has. */
const mostStates = 3;

function checkShapes([parameter, ...others]: readonly Spec[]): void {
  for (const { shape } of others) {
    if (sameShape(shape, parameter!.shape)) continue;
    throw new ShapeError(
      `optimizer: the parameter is ${formatShape(parameter!.shape)}, ` +
        `its gradient or state ${formatShape(shape)}`,
    );
  }
}

/** One step of `rule` on a parameter with its states: `[parameter, ...states]`. */
export const parameterUpdate: OpFunction<
  [
    rule: RuleName,
    parameter: Tensor,
    gradient: Tensor,
    states: readonly Tensor[],
    numbers: StepNumbers,
  ]
> = defineOp("parameterUpdate", {
  signature: (
    rule: RuleName,
    parameter: Tensor,
    gradient: Tensor,
    states: readonly Tensor[],
    { hyper, step, product, scale }: StepNumbers,
  ) => ({
    operands: [
      parameter,
      gradient,
      ...states,
      hyper,
      step,
      ...(product ? [product] : []),
      ...(scale ? [scale] : []),
    ],
    attributes: { rule, states: states.length, product: !!product, scaled: !!scale },
  }),
  infer: (operands, { states }) => {
    checkShapes(operands.slice(0, 2 + states));
    return [operands[0]!, ...operands.slice(2, 2 + states)];
  },
  inPlace: [
    [0, 0],
    [1, 2],
    [2, 3],
    [3, 4],
  ],
  kernel: (emitter, { rule, states, product, scaled }) => {
    const { dtype, shape } = emitter.operands[0]!;
    emitter.note(rule);
    const [p, g] = [emitter.dense(0), emitter.dense(1)];
    const each = (place: (index: number) => Place): (number | Place)[] =>
      Array.from({ length: mostStates }, (_, index) => (index < states ? place(index) : 0));
    const [s0, s1, s2] = each((index) => emitter.dense(2 + index));
    const [hyper, step] = [emitter.dense(2 + states), emitter.dense(3 + states)];
    const momenta = product ? emitter.dense(4 + states) : 0;
    const scale = scaled ? emitter.dense(emitter.operands.length - 1) : 0;
    const out = emitter.output(0);
    const [out0, out1, out2] = each((index) => emitter.output(1 + index));
    emitter.call(
      "update",
      dtypes[dtype].code,
      rules[rule],
      sizeOf(shape),
      p,
      g,
      s0!,
      s1!,
      s2!,
      hyper,
      step,
      momenta,
      scale,
      out,
      out0!,
      out1!,
      out2!,
    );
  },
  vjp: null,
});
