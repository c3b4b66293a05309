import { checkNumber, fieldsOf, shown } from "../checks.js";
import { ArgumentError, DataError, ShapeError, StateError } from "../errors.js";
import { flush } from "../evaluate.js";
import type { StateEntry } from "../nn/module.js";
import { checkStateEntry } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { add, cast, clamp, mul } from "../ops/elementwise.js";
import { reshape, slice } from "../ops/movement.js";
import type { RuleName, StepNumbers } from "../ops/optimizer.js";
import { parameterUpdate } from "../ops/optimizer.js";
import { sum } from "../ops/reduce.js";
import { formatShape, sameShape } from "../shape.js";
import type { Tensor, Variable } from "../tensor.js";
import { currentTrace, dynamic } from "../trace.js";
import { clipScale } from "./clip.js";
import type { Group, ParameterGroup } from "./parameterGroups.js";
import { groupsOf } from "./parameterGroups.js";
import { filledFor } from "./stateVariables.js";
import { StepCounts } from "./stepCounts.js";
import { WeightAverages } from "./weightAverages.js";

/** Options that all optimizers have. */
export interface OptimizerOptions {
  /** How far a step goes. */
  readonly learningRate?: number;
  /** How strongly weights are drawn towards 0. */
  readonly weightDecay?: number;
  /** Scales all gradients down so that their norm together is at most this. */
  readonly clipNorm?: number;
  /** Bounds each element of each gradient: from −clipValue to clipValue. */
  readonly clipValue?: number;
  /**
   * Keeps a moving average of each parameter, `m·average + (1 − m)·parameter` after each step, for
   * `swapAverages`; `fit` leaves the averages in the model at its end.
   */
  readonly emaMomentum?: number;
}

/** What an optimizer of a certain kind requires of its options. */
type Settings = OptimizerOptions & {
  readonly learningRate: number;
  readonly weightDecay: number;
};

/** What an optimizer of a certain kind does with a gradient. */
export interface Formula {
  readonly rule: RuleName;
  /** What the rule needs besides the rates. */
  readonly numbers: readonly number[];
  /** The names of the arrays it keeps for each parameter. */
  readonly states: readonly string[];
  /** What these start with. Default: 0. */
  readonly initial?: number;
  /** Whether weights decay apart from the gradient. Default: false. */
  readonly decoupled?: boolean;
}

/** Options of `step`. */
export interface StepOptions {
  /** A tensor of size 1: where it is NaN or infinite, the step changes nothing. */
  readonly guard?: Tensor;
}

/** An optimizer's progress and state, by parameter: enough to go on as if never stopped. */
export interface OptimizerState {
  readonly steps: number;
  /** As it is now; where it is left out, the optimizer's own stays. */
  readonly learningRate?: number;
  readonly variables: ReadonlyMap<string, StateEntry>;
}

/** Changes parameters by their gradients. */
export abstract class Optimizer {
  /** Steps taken so far. */
  steps = 0;
  /** All it changes, group by group. */
  readonly parameters: readonly Parameter[];
  /** The rate it was made with, which schedules go from. */
  readonly initialLearningRate: number;
  private rate: number;
  private readonly groups: readonly Group[];
  private readonly clipNorm: number | undefined;
  private readonly clipValue: number | undefined;
  private readonly averages: WeightAverages | undefined;
  private readonly counts: StepCounts;
  /** By name, what is kept for each parameter. */
  private readonly states: ReadonlyMap<string, ReadonlyMap<Parameter, Variable>>;

  constructor(
    parameters: Iterable<Parameter> | Iterable<ParameterGroup>,
    { learningRate, weightDecay, clipNorm, clipValue, emaMomentum, ...unknown }: Settings,
    private readonly formula: Formula,
  ) {
    const [misspelt] = Object.keys(unknown);
    if (misspelt !== undefined) {
      throw new ArgumentError(`optimizer: it has no option ${shown(misspelt)}`);
    }
    checkNumber("optimizer: learningRate", learningRate, 0, Infinity);
    checkNumber("optimizer: weightDecay", weightDecay, 0, Infinity);
    if (clipNorm !== undefined) checkNumber("optimizer: clipNorm", clipNorm, 0, Infinity);
    if (clipValue !== undefined) checkNumber("optimizer: clipValue", clipValue, 0, Infinity);
    if (emaMomentum !== undefined) checkNumber("optimizer: emaMomentum", emaMomentum, 0, 1);
    if (clipNorm !== undefined && clipValue !== undefined) {
      throw new ArgumentError("optimizer: clip gradients by clipNorm or by clipValue, not by both");
    }
    this.groups = groupsOf(parameters, { learningRate, weightDecay });
    this.parameters = this.groups.flatMap((group) => group.parameters);
    this.rate = learningRate;
    this.initialLearningRate = learningRate;
    this.clipNorm = clipNorm;
    this.clipValue = clipValue;
    if (emaMomentum !== undefined) this.averages = new WeightAverages(this.parameters, emaMomentum);
    this.counts = new StepCounts(this.parameters.length);
    const { states, initial = 0 } = formula;
    this.states = new Map(states.map((name) => [name, filledFor(this.parameters, initial)]));
  }

  /**
   * How far a step goes; may be changed between steps. Groups with a rate of their own keep its
   * ratio to this one. Throws ArgumentError for what is no finite number ≥ 0.
   */
  get learningRate(): number {
    return this.rate;
  }

  set learningRate(rate: number) {
    checkNumber("optimizer: learningRate", rate, 0, Infinity);
    this.rate = rate;
  }

  /**
   * Records what the formula keeps over all steps of each parameter, as `[parameters]`; `before` and
   * `after` are how many steps these have taken. Only "nAdam" has such a thing.
   */
  protected recordProduct(before: Tensor, after: Tensor): Tensor | undefined;
  protected recordProduct(): undefined {
    return undefined;
  }

  /** Variables of the state that are not of each parameter's shape, by name. */
  protected otherState(): readonly (readonly [string, Variable])[] {
    return [];
  }

  /**
   * Updates every parameter that has a gradient. In a function being compiled this is recorded and
   * counts at each replay; elsewhere it runs, together with the loss that `backward` was called on.
   */
  step({ guard }: StepOptions = {}): void {
    const moved = this.parameters.filter((parameter) => parameter.grad);
    if (moved.length === 0) {
      throw new ArgumentError("step: no parameter has a gradient; call backward() on a loss first");
    }
    if (this.averagesSwapped) {
      throw new StateError(
        "step: the parameters hold their averages; call swapAverages() again first",
      );
    }
    noGrad(() => this.record(moved, guard));
    if (currentTrace()) return;
    try {
      flush();
    } catch (error) {
      this.steps--;
      throw error;
    }
  }

  private record(moved: readonly Parameter[], guard: Tensor | undefined): void {
    // 0·x + 1 is 1 for every finite x, NaN for others; kernels take NaN as "change nothing".
    const allowed = guard && add(mul(sum(guard), 0), 1);
    const clip = this.clipNorm;
    const shrink = clip !== undefined && clipScale(moved.map(gradientOf), clip);
    const scale = shrink && allowed ? mul(shrink, cast(allowed, shrink.dtype)) : shrink || allowed;
    const hypers = this.recordHypers();
    const has = this.parameters.map(({ grad }) => grad !== undefined);
    const { before, after } = this.counts.advance(has, scale);
    const product = this.recordProduct(before, after);
    let place = -1;
    this.groups.forEach(({ parameters }, index) => {
      const hyper = hypers[index]!;
      for (const parameter of parameters) {
        place++;
        if (!parameter.grad) continue;
        this.update(parameter, this.bounded(parameter.grad), {
          hyper,
          step: slice(after, [[place, place + 1]]),
          product: product && slice(product, [[place, place + 1]]),
          scale: scale && cast(scale, parameter.dtype),
        });
        const last = (): Tensor => reshape(slice(hyper, [[hyper.size - 1, hyper.size]]), []);
        this.averages?.record(parameter, last(), allowed);
      }
    });
  }

  private update(parameter: Parameter, gradient: Tensor, numbers: StepNumbers): void {
    const states = [...this.states.values()].map((state) => state.get(parameter)!);
    const { rule } = this.formula;
    const [next, ...rest] = parameterUpdate.all(rule, parameter, gradient, states, numbers);
    parameter.assign(next!);
    states.forEach((state, index) => state.assign(rest[index]!));
  }

  /** A row of numbers for each group, made anew for each step. */
  private recordHypers(): Tensor[] {
    const rows = (step: number): number[][] =>
      this.groups.map((group) => {
        const { numbers, decoupled = false } = this.formula;
        const momentum = this.averages ? [this.averages.momentumAt(step)] : [];
        const rates = [this.rateOf(group), group.weightDecay, Number(decoupled)];
        return [...rates, ...numbers, ...momentum];
      });
    const provide = (): Float64Array => Float64Array.from(rows(++this.steps).flat());
    const undo = (): void => {
      this.steps--;
    };
    const width = rows(1)[0]!.length;
    const all = dynamic({ provide, undo }, [this.groups.length * width], "float64");
    if (this.groups.length === 1) return [all];
    return this.groups.map((_, index) => slice(all, [[index * width, (index + 1) * width]]));
  }

  private rateOf({ learningRate }: Group): number {
    if (learningRate === undefined) return this.rate;
    return this.rate === this.initialLearningRate
      ? learningRate
      : learningRate * (this.rate / this.initialLearningRate);
  }

  private bounded(gradient: Tensor): Tensor {
    const { clipValue } = this;
    return clipValue === undefined ? gradient : clamp(gradient, -clipValue, clipValue);
  }

  /** Whether the parameters hold their averages now, and the averages the parameters. */
  get averagesSwapped(): boolean {
    return this.averages?.swapped === true;
  }

  /** Whether it keeps averages of the parameters. */
  get keepsAverages(): boolean {
    return this.averages !== undefined;
  }

  /** Whether it keeps averages, and has taken a step to average. */
  get hasAverages(): boolean {
    return this.keepsAverages && this.steps > 0;
  }

  /**
   * Exchanges parameters and their averages; a second call exchanges them back. Throws StateError
   * without `emaMomentum` and before the first step.
   */
  swapAverages(): void {
    this.usableAverages("swapAverages").swap();
  }

  /** Puts the averages in the place of the parameters. Throws as `swapAverages` does. */
  useAverages(): void {
    this.usableAverages("useAverages").use();
  }

  private usableAverages(caller: string): WeightAverages {
    if (this.averages && this.steps > 0) return this.averages;
    throw new StateError(
      this.averages
        ? `${caller}: nothing is averaged before the first step`
        : `${caller}: the optimizer keeps no averages; give it emaMomentum`,
    );
  }

  /** Forgets all gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }

  /** What to save to go on later: always of parameters that are not swapped. */
  async stateDict(): Promise<OptimizerState> {
    if (this.averagesSwapped) {
      throw new StateError("stateDict: the parameters hold their averages; swapAverages() first");
    }
    const variables = new Map<string, StateEntry>();
    for (const [name, variable] of this.allState()) {
      const { shape, dtype } = variable;
      variables.set(name, { shape, dtype, data: await variable.data() });
    }
    return { steps: this.steps, learningRate: this.rate, variables };
  }

  /** Goes on from what `stateDict` gave. Throws, having changed nothing, where it does not fit. */
  loadStateDict(state: OptimizerState): void {
    this.checkStateDict(state);
    for (const [name, variable] of this.allState()) variable.set(state.variables.get(name)!.data);
    this.steps = state.steps;
    this.rate = state.learningRate ?? this.rate;
    if (this.averages) this.averages.swapped = false;
  }

  /** Throws what `loadStateDict` would, and changes nothing. */
  checkStateDict(state: OptimizerState): void {
    const { steps = NaN, learningRate, variables } = fieldsOf("optimizer: the saved state", state);
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new DataError(`optimizer: ${shown(steps)} saved steps are no whole number ≥ 0`);
    }
    if (learningRate !== undefined && !(Number.isFinite(learningRate) && learningRate >= 0)) {
      throw new DataError(`optimizer: the saved learning rate ${shown(learningRate)} is none`);
    }
    const isMap: boolean = variables instanceof Map;
    if (!variables || !isMap) throw new DataError("optimizer: no variables are saved");
    for (const [name, variable] of this.allState()) {
      const saved = variables.get(name);
      if (!saved) throw new DataError(`optimizer: the saved state lacks ${name}`);
      checkStateEntry(`optimizer: ${name}`, saved);
      if (sameShape(saved.shape, variable.shape)) continue;
      throw new ShapeError(
        `optimizer: ${name} is ${formatShape(variable.shape)}, ` +
          `saved as ${formatShape(saved.shape)}`,
      );
    }
  }

  private allState(): Map<string, Variable> {
    return new Map([
      ...[...this.states].flatMap(([name, variables]) => this.named(name, variables)),
      ...(this.averages ? this.named("average", this.averages.variables) : []),
      ...this.otherState(),
      ["step", this.counts.variable],
    ]);
  }

  /** Names for state: `m.0`, `m.1`, … in the order of the parameters. */
  private named(kind: string, variables: ReadonlyMap<Parameter, Variable>): [string, Variable][] {
    return this.parameters.map((parameter, index) => [
      `${kind}.${index}`,
      variables.get(parameter)!,
    ]);
  }
}

/** Throws ArgumentError unless `betas` are two numbers from 0 to below 1. */
export function checkBetas(betas: readonly [number, number]): void {
  const isPair: boolean = Array.isArray(betas) && betas.length === 2;
  if (!isPair) throw new ArgumentError(`optimizer: betas is ${shown(betas)}; two are expected`);
  betas.forEach((beta, index) => checkNumber(`optimizer: betas[${index}]`, beta, 0, 1));
}

function gradientOf({ grad }: Parameter): Tensor {
  return grad!;
}
