/** How weights begin: seeded, the same bits on every engine. */
import { ArgumentError } from "../errors.js";
import { hostGenerator } from "../seed.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import { room } from "./room.js";

/** Makes the first content of a parameter. */
export type Initializer = (shape: Shape) => Float32Array;

function filled(shape: Shape, next: () => number): Float32Array {
  const data = room(shape);
  for (let i = 0; i < data.length; i++) data[i] = next();
  return data;
}

/** The sizes a weight `[out, in, ...]` maps between: `[fanIn, fanOut]`. */
function fans(shape: Shape): readonly [number, number] {
  if (shape.length < 2) {
    throw new ArgumentError(`init: a weight of ${shape.length} axes has no fan in and out`);
  }
  const field = sizeOf(shape.slice(2));
  return [shape[1]! * field, shape[0]! * field];
}

/** All zeros. */
export const zeros: Initializer = (shape) => room(shape);

/** All ones. */
export const ones: Initializer = (shape) => room(shape).fill(1);

/** Evenly distributed from `low` up to `high`. */
export function uniform(low: number, high: number): Initializer {
  return (shape) => filled(shape, () => low + (high - low) * hostGenerator().uniform());
}

/** Normally distributed around `mean`. */
export function normal(mean = 0, deviation = 1): Initializer {
  return (shape) => filled(shape, () => mean + deviation * hostGenerator().normal());
}

/** Uniform within ±√(6/(fanIn + fanOut)) (Glorot & Bengio, 2010). */
export const xavierUniform: Initializer = (shape) => {
  const [fanIn, fanOut] = fans(shape);
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return uniform(-bound, bound)(shape);
};

/** Uniform within ±√(6/fanIn), for layers followed by a ReLU (He et al., 2015). */
export const kaimingUniform: Initializer = (shape) => {
  const bound = Math.sqrt(6 / fans(shape)[0]);
  return uniform(-bound, bound)(shape);
};
