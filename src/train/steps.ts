/** The compiled steps of a model: one that learns, one that measures, one that predicts. */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { MetricSet } from "../metrics/named.js";
import type { Module, Signal } from "../nn/module.js";
import { inMode } from "../nn/module.js";
import { BufferVariable } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { add, cast, div, isFinite, mul, where } from "../ops/elementwise.js";
import { stack } from "../ops/movement.js";
import { GradientAccumulator } from "../optim/accumulator.js";
import type { Optimizer } from "../optim/optimizer.js";
import { sameShape } from "../shape.js";
import { Tensor } from "../tensor.js";
import type { EntryLoss } from "./losses.js";
import { totalOf } from "./losses.js";

/** What a step measures. */
export interface Measurement {
  readonly loss: EntryLoss;
  /** Its outputs are wanted if there are metrics that see them. */
  readonly metrics: {
    readonly traced: MetricSet["traced"];
    readonly streamed: { readonly length: number };
  };
  /** Records what is added to the mean loss. */
  readonly penalty?: (() => Tensor) | undefined;
}

/** What a model is trained towards. */
export interface Objective extends Measurement {
  readonly metrics: MetricSet;
}

/**
 * A step that gives its sums `[count, loss, ...metrics]` over the entries of its batch, then, where
 * metrics look at outputs, these and the mask of entries, if there is one.
 */
export type MeasuredStep = Compiled<readonly Tensor[], readonly Tensor[]>;

/**
 * What a step does with its gradients: `whole` updates with them; of several that share an update,
 * the `first` and the `middle` ones keep them, the `last` updates with the mean of all. `rest` has
 * no batch: it updates with what was kept, where an epoch ends.
 */
export type Phase = "whole" | "first" | "middle" | "last" | "rest";

/** The steps that learn: forward, backward and update, traced once for each shape of batch. */
export class TrainSteps {
  private readonly steps = new Map<Phase, MeasuredStep>();
  private gathered: GradientAccumulator | undefined;
  private trainable = "";

  constructor(
    private readonly model: Module,
    private readonly objective: Objective,
    private readonly optimizer: Optimizer,
  ) {}

  /** The step of this phase, for the layers that are frozen now. */
  step(phase: Phase): MeasuredStep {
    const trainable = trainableOf(this.model);
    if (trainable !== this.trainable) this.steps.clear();
    this.trainable = trainable;
    const known = this.steps.get(phase);
    if (known) return known;
    const made = compile((...batch: readonly Tensor[]) => this.record(phase, batch));
    this.steps.set(phase, made);
    return made;
  }

  /** The gradients of steps that wait for their update. */
  get accumulator(): GradientAccumulator {
    return (this.gathered ??= new GradientAccumulator(this.optimizer.parameters));
  }

  private record(phase: Phase, [x, y, weights]: readonly Tensor[]): readonly Tensor[] {
    const { model, optimizer, objective } = this;
    if (phase === "rest") {
      noGrad(() => this.accumulator.takeMean());
      optimizer.step();
      optimizer.zeroGrad();
      return [];
    }
    const before = buffersOf(model);
    const output = inMode("training", model, () => model.apply({ x: x! }));
    const { measured, total, count, loss } = measure(objective, output, y!, weights);
    noGrad(() => keepUnlessFinite(loss, before));
    optimizer.zeroGrad();
    if (phase === "whole") loss.backward();
    else total.backward();
    this.finish(phase, count, loss);
    return measured;
  }

  /**
   * Records what a phase does with the gradients that the parameters have: of the mean loss in the
   * `whole` phase, of the total in others. Where `loss` is not finite it changes nothing.
   */
  finish(phase: Exclude<Phase, "rest">, count: Tensor, loss: Tensor): void {
    const { optimizer } = this;
    if (phase === "last") noGrad(() => this.accumulator.takeMean(count));
    if (phase === "whole" || phase === "last") optimizer.step({ guard: loss });
    else noGrad(() => this.accumulator.add(count, loss, { first: phase === "first" }));
    optimizer.zeroGrad();
  }
}

/** Which parts of a model learn, as a key. */
export function trainableOf(model: Module): string {
  const parameters = model.parameters().map(({ requiresGrad }) => Number(requiresGrad));
  const frozen = (module: Module): string =>
    `${Number(module.frozen)}${module
      .children()
      .map(([, child]) => frozen(child))
      .join("")}`;
  return `${parameters.join("")} ${frozen(model)}`;
}

/** State that a forward pass may change, running statistics, with what it holds now. */
export function buffersOf(model: Module): Map<BufferVariable, Tensor> {
  const found = new Map<BufferVariable, Tensor>();
  for (const variable of model.namedVariables().values()) {
    if (variable instanceof BufferVariable) found.set(variable, new Tensor(variable.value));
  }
  return found;
}

/** A loss that is not finite changes nothing: the state stays as it was `before`. */
export function keepUnlessFinite(loss: Tensor, before: ReadonlyMap<BufferVariable, Tensor>): void {
  const finite = isFinite(loss);
  for (const [variable, old] of before) {
    if (variable.value !== old.value) variable.assign(where(finite, variable, old));
  }
}

/** Forward only, in inference mode. */
export function evaluateStep(model: Module, objective: Objective): MeasuredStep {
  return compile((...[x, y, weights]: readonly Tensor[]) =>
    noGrad(() => {
      const output = inMode("inference", model, () => model.apply({ x: x! }));
      return measure(objective, output, y!, weights).measured;
    }),
  );
}

/** The model's output, in inference mode. */
export function predictStep(model: Module): Compiled<readonly [Tensor], Tensor> {
  return compile((x: Tensor) =>
    noGrad(() => inMode("inference", model, () => model.apply({ x }).x)),
  );
}

/** A batch's loss. */
export interface Measured {
  /** What a step gives. */
  readonly measured: readonly Tensor[];
  /** The loss as a sum over entries, how many count, and the mean. */
  readonly total: Tensor;
  readonly count: Tensor;
  readonly loss: Tensor;
}

/** The loss of a batch, and its sums for reports. */
export function measure(
  { loss: entryLoss, metrics: { traced, streamed }, penalty }: Measurement,
  output: Signal,
  target: Tensor,
  weights: Tensor | undefined,
): Measured {
  const { mask } = output;
  const losses = entryLoss(output, target);
  const { total: plain, count } = totalOf(losses, mask, weights);
  // The penalty belongs to the mean: each entry counts it.
  const total = penalty ? add(plain, mul(cast(penalty(), plain.dtype), count)) : plain;
  const counted = noGrad(() =>
    [...traced.values()].map(({ entry }) => totalOf(entry(output, target), mask, weights).total),
  );
  const sums = noGrad(() =>
    stack([count, total, ...counted].map((sum) => cast(sum.detach(), "float32"))),
  );
  const masks = mask && sameShape(mask.shape, losses.shape) ? [mask] : [];
  const seen = streamed.length > 0 ? [output.x.detach(), ...masks] : [];
  return { measured: [sums, ...seen], total, count, loss: div(total, count) };
}
