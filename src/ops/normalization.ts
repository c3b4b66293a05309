/** What normalizations share: scale and shift, which may be there or not. */
import { DTypeError, ShapeError } from "../errors.js";
import type { Attributes, Spec } from "../graph.js";
import type { Emitter } from "../op.js";
import type { Place } from "../program/place.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { add, mul } from "./elementwise.js";

/** Which of weight and bias follow the input among the operands. */
export interface AffineAttributes extends Attributes {
  readonly weight: boolean;
  readonly bias: boolean;
}

/** Weight and bias as operands, and which of them there are. */
export function affineOperands(weight?: Tensor, bias?: Tensor): [Tensor[], AffineAttributes] {
  const operands = [weight, bias].filter((operand) => operand !== undefined);
  return [operands, { weight: !!weight, bias: !!bias }];
}

/** Weight and bias as the kernels take them: 0 where there is none. */
export function affinePlaces(
  emitter: Emitter,
  { weight, bias }: AffineAttributes,
): [number | Place, number | Place] {
  return [weight ? emitter.dense(1) : 0, bias ? emitter.dense(weight ? 2 : 1) : 0];
}

/** What weight and bias do to what is normalized. */
export function scaleAndShift(normal: Tensor, weight?: Tensor, bias?: Tensor): Tensor {
  const scaled = weight ? mul(normal, weight) : normal;
  return bias ? add(scaled, bias) : scaled;
}

/** Throws ShapeError unless every operand that is there has the shape `wanted`. */
export function checkShapes(
  op: string,
  operands: { readonly [name: string]: Tensor | undefined },
  wanted: Shape,
): void {
  for (const [name, operand] of Object.entries(operands)) {
    if (!operand || sameShape(operand.shape, wanted)) continue;
    throw new ShapeError(
      `${op}: ${name} is ${formatShape(operand.shape)}, not ${formatShape(wanted)}`,
    );
  }
}

/** Throws DTypeError unless all operands have the dtype of `x`. */
export function checkSameDType(op: string, x: Spec, others: readonly Spec[]): void {
  for (const { dtype } of others) {
    if (dtype === x.dtype) continue;
    throw new DTypeError(`${op}: the input is ${x.dtype}, another operand ${dtype}; cast one`);
  }
}
