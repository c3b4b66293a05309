import { ArgumentError, DataError, ShapeError } from "../errors.js";
import { flush } from "../evaluate.js";
import { noGrad } from "../op.js";
import type { StateEntry } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { add, cast, div, minimum, mul, sqrt, square } from "../ops/elementwise.js";
import { stack } from "../ops/movement.js";
import { sum } from "../ops/reduce.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import { dtypes } from "../dtype.js";
import type { Tensor } from "../tensor.js";
import { Variable } from "../tensor.js";
import { currentTrace, dynamic } from "../trace.js";

/** Options that all optimizers have. */
export interface OptimizerOptions {
  /** How far a step goes. */
  readonly learningRate?: number;
  /** Scales all gradients down so that their norm together is at most this. */
  readonly clipNorm?: number;
}

/** Options of `step`. */
export interface StepOptions {
  /** A tensor of size 1: where it is NaN or infinite, the step changes nothing. */
  readonly guard?: Tensor;
}

/** An optimizer's progress and state, by parameter: enough to go on as if never stopped. */
export interface OptimizerState {
  readonly steps: number;
  readonly variables: ReadonlyMap<string, StateEntry>;
}

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  /** Steps taken so far. */
  steps = 0;
  /** How far a step goes; may be changed between steps. */
  learningRate: number;
  protected readonly parameters: readonly Parameter[];
  private readonly clipNorm: number | undefined;

  constructor(
    parameters: Iterable<Parameter>,
    { learningRate, clipNorm }: OptimizerOptions & { readonly learningRate: number },
  ) {
    this.parameters = [...new Set(parameters)];
    if (this.parameters.length === 0) throw new ArgumentError("optimizer: no parameters");
    checkNumber("learningRate", learningRate, 0, Infinity);
    if (clipNorm !== undefined) checkNumber("clipNorm", clipNorm, 0, Infinity);
    this.learningRate = learningRate;
    this.clipNorm = clipNorm;
  }

  /** The numbers of one step, as the kernel reads them; `step` counts from 1. */
  protected abstract hyper(step: number): number[];

  /** Records the update of one parameter. */
  protected abstract update(
    parameter: Parameter,
    gradient: Tensor,
    hyper: Tensor,
    scale: Tensor | undefined,
  ): void;

  /** The variables of the optimizer's state, by name. */
  protected abstract state(): Map<string, Variable>;

  /**
   * Updates every parameter that has a gradient. In a function being compiled this is recorded and
   * counts at each replay; elsewhere it runs, together with the loss that `backward` was called on.
   */
  step({ guard }: StepOptions = {}): void {
    const moved = this.parameters.filter((parameter) => parameter.grad);
    if (moved.length === 0) {
      throw new ArgumentError("step: no parameter has a gradient; call backward() on a loss first");
    }
    noGrad(() => {
      const length = this.hyper(1).length;
      const provide = (): Float64Array => Float64Array.from(this.hyper(++this.steps));
      const undo = (): void => {
        this.steps--;
      };
      const hyper = dynamic({ provide, undo }, [length], "float64");
      const scale = this.scale(moved, guard);
      for (const parameter of moved) {
        this.update(parameter, parameter.grad!, hyper, scale && cast(scale, parameter.dtype));
      }
    });
    if (currentTrace()) return;
    try {
      flush();
    } catch (error) {
      this.steps--;
      throw error;
    }
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }

  /** What to save to go on later. */
  async stateDict(): Promise<OptimizerState> {
    const variables = new Map<string, StateEntry>();
    for (const [name, variable] of this.state()) {
      const { shape, dtype } = variable;
      variables.set(name, { shape, dtype, data: await variable.data() });
    }
    return { steps: this.steps, variables };
  }

  /** Goes on from what `stateDict` gave. Throws, having changed nothing, where it does not fit. */
  loadStateDict({ steps, variables }: OptimizerState): void {
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new DataError(`optimizer: ${steps} saved steps are no whole number ≥ 0`);
    }
    const own = this.state();
    for (const [name, variable] of own) {
      const saved = variables.get(name);
      if (!saved) throw new DataError(`optimizer: the saved state lacks ${name}`);
      if (sameShape(saved.shape, variable.shape)) continue;
      throw new ShapeError(
        `optimizer: ${name} is ${formatShape(variable.shape)}, ` +
          `saved as ${formatShape(saved.shape)}`,
      );
    }
    for (const [name, variable] of own) variable.set(variables.get(name)!.data);
    this.steps = steps;
  }

  /** A variable of zeros for each parameter. */
  protected zeros(): Map<Parameter, Variable> {
    const made = new Map<Parameter, Variable>();
    for (const parameter of this.parameters) {
      const { shape, dtype } = parameter;
      const data = new dtypes[dtype].make(sizeOf(shape));
      made.set(parameter, new Variable(data, shape, dtype, { overwrite: true }));
    }
    return made;
  }

  /** Names for state: `m.0`, `m.1`, … in the order of the parameters. */
  protected named(kind: string, variables: ReadonlyMap<Parameter, Variable>): [string, Variable][] {
    return this.parameters.map((parameter, index) => [
      `${kind}.${index}`,
      variables.get(parameter)!,
    ]);
  }

  /** What gradients are multiplied by: for clipping, and NaN where the guard says no. */
  private scale(moved: readonly Parameter[], guard: Tensor | undefined): Tensor | undefined {
    const clip =
      this.clipNorm === undefined
        ? undefined
        : clipScale(
            moved.map((parameter) => parameter.grad!),
            this.clipNorm,
          );
    // 0·x + 1 is 1 for every finite x, NaN for others; kernels take NaN as "change nothing".
    const allowed = guard && add(mul(sum(guard), 0), 1);
    return clip && allowed ? mul(clip, cast(allowed, clip.dtype)) : (clip ?? allowed);
  }
}

/** Keeps a vanishing norm from dividing by 0. */
const normEps = 1e-6;

/** The root of the sum of all squares: the length of the gradients as one vector. */
export function globalNorm(gradients: readonly Tensor[]): Tensor {
  return sqrt(sum(stack(gradients.map((gradient) => sum(square(gradient))))));
}

/** min(1, maxNorm/‖gradients‖) (Pascanu et al., 2013). */
function clipScale(gradients: readonly Tensor[], maxNorm: number): Tensor {
  return minimum(div(maxNorm, add(globalNorm(gradients), normEps)), 1);
}

/** Scales the gradients so that their norm together is at most `maxNorm`; gives the norm before. */
export function clipGradNorm(parameters: Iterable<Parameter>, maxNorm: number): Tensor {
  const moved = [...parameters].filter((parameter) => parameter.grad);
  if (moved.length === 0) throw new ArgumentError("clipGradNorm: no parameter has a gradient");
  return noGrad(() => {
    const gradients = moved.map((parameter) => parameter.grad!);
    const scale = clipScale(gradients, maxNorm);
    moved.forEach((parameter, index) => {
      parameter.grad = mul(gradients[index]!, cast(scale, parameter.dtype));
    });
    return globalNorm(gradients);
  });
}

/** Throws ArgumentError unless `low ≤ value < high`. */
export function checkNumber(name: string, value: number, low: number, high: number): void {
  if (value >= low && value < high) return;
  throw new ArgumentError(
    `optimizer: ${name} is ${value}; it must be from ${low} to below ${high}`,
  );
}

/** `base` to a whole power by multiplication alone: the same bits on every engine. */
export function power(base: number, exponent: number): number {
  let result = 1;
  let square = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
