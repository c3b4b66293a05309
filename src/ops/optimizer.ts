/** Optimizer steps: each reads and writes its memory once, over the old content where it may. */
import { dtypes } from "../dtype.js";
import { ShapeError } from "../errors.js";
import type { Attributes, Spec } from "../graph.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import type { Place } from "../program/place.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

interface UpdateAttributes extends Attributes {
  /** Whether the last operand is a scale for the gradient. */
  readonly scaled: boolean;
}

function checkUpdate(op: string, [parameter, ...others]: readonly Spec[]): void {
  for (const { shape } of others) {
    if (sameShape(shape, parameter!.shape)) continue;
    throw new ShapeError(
      `${op}: the parameter is ${formatShape(parameter!.shape)}, ` +
        `its gradient or state ${formatShape(shape)}`,
    );
  }
}

/** The numbers all update kernels begin with. */
function head(emitter: Emitter): [dtype: number, n: number] {
  const { dtype, shape } = emitter.operands[0]!;
  return [dtypes[dtype].code, sizeOf(shape)];
}

function scaleOf(emitter: Emitter, { scaled }: UpdateAttributes): number | Place {
  return scaled ? emitter.dense(emitter.operands.length - 1) : 0;
}

/**
 * One step of SGD (PyTorch's formula): `[parameter, momentum buffer]`, or the parameter alone.
 * `hyper`: float64 [learningRate, momentum, dampening, weightDecay, nesterov, first].
 */
export const sgdUpdate: OpFunction<
  [parameter: Tensor, gradient: Tensor, buffer: Tensor | undefined, hyper: Tensor, scale?: Tensor]
> = defineOp("sgdUpdate", {
  signature: (
    parameter: Tensor,
    gradient: Tensor,
    buffer: Tensor | undefined,
    hyper: Tensor,
    scale?: Tensor,
  ) => ({
    operands: [parameter, gradient, ...(buffer ? [buffer] : []), hyper, ...(scale ? [scale] : [])],
    attributes: { momentum: !!buffer, scaled: !!scale },
  }),
  infer: (operands, { momentum }) => {
    checkUpdate("sgdUpdate", operands.slice(0, momentum ? 3 : 2));
    return momentum ? [operands[0]!, operands[2]!] : operands[0]!;
  },
  inPlace: [
    [0, 0],
    [1, 2],
  ],
  kernel: (emitter, attributes) => {
    const { momentum } = attributes;
    const p = emitter.dense(0);
    const g = emitter.dense(1);
    const buffer = momentum ? emitter.dense(2) : 0;
    const hyper = emitter.dense(momentum ? 3 : 2);
    const scale = scaleOf(emitter, attributes);
    const out = emitter.output(0);
    const bufferOut = momentum ? emitter.output(1) : 0;
    emitter.call("sgd", ...head(emitter), p, g, buffer, hyper, scale, out, bufferOut);
  },
  vjp: null,
});

/**
 * One step of Adam or AdamW (Kingma & Ba, 2014; Loshchilov & Hutter, 2017): `[parameter, m, v]`.
 * `hyper`: float64 [learningRate, beta1, beta2, eps, weightDecay, decoupled, 1−β1ᵗ, 1−β2ᵗ].
 */
export const adamUpdate: OpFunction<
  [parameter: Tensor, gradient: Tensor, m: Tensor, v: Tensor, hyper: Tensor, scale?: Tensor]
> = defineOp("adamUpdate", {
  signature: (
    parameter: Tensor,
    gradient: Tensor,
    m: Tensor,
    v: Tensor,
    hyper: Tensor,
    scale?: Tensor,
  ) => ({
    operands: [parameter, gradient, m, v, hyper, ...(scale ? [scale] : [])],
    attributes: { scaled: !!scale },
  }),
  infer: (operands) => {
    checkUpdate("adamUpdate", operands.slice(0, 4));
    return [operands[0]!, operands[2]!, operands[3]!];
  },
  inPlace: [
    [0, 0],
    [1, 2],
    [2, 3],
  ],
  kernel: (emitter, attributes) => {
    const [p, g, m, v, hyper] = [0, 1, 2, 3, 4].map((index) => emitter.dense(index));
    const scale = scaleOf(emitter, attributes);
    const [out, mOut, vOut] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call("adam", ...head(emitter), p!, g!, m!, v!, hyper!, scale, out!, mOut!, vOut!);
  },
  vjp: null,
});
