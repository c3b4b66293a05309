/** A copy of a model, in a worker with an engine of its own: gives the gradients of shards. */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { Table } from "../data/rows.js";
import type { TypedArray } from "../dtype.js";
import type { Spec } from "../graph.js";
import { metricSet } from "../metrics/named.js";
import type { MetricName } from "../metrics/named.js";
import { inMode } from "../nn/module.js";
import { noGrad } from "../op.js";
import { cast, mul } from "../ops/elementwise.js";
import type { RandomState } from "../seed.js";
import { setRandomState } from "../seed.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { tensor } from "../tensor.js";
import { tensorOf } from "../train/evaluate.js";
import type { LossName } from "../train/losses.js";
import { entryLoss } from "../train/losses.js";
import type { Model } from "../train/model.js";
import type { Regularizer } from "../train/regularizers.js";
import { penaltyOf } from "../train/regularizers.js";
import type { Measurement } from "../train/steps.js";
import { measure } from "../train/steps.js";
import type { Exchanged } from "./communicator.js";
import type { ModelSource } from "./buildModel.js";
import { buildModel } from "./buildModel.js";
import type { Variables, VariableLayout } from "./layout.js";
import { layoutOf, variablesOf } from "./layout.js";
import { pack, unpack } from "./packing.js";
import type { Shard } from "./shards.js";

/** What a replica is made of. */
export interface ReplicaSetup {
  readonly model: ModelSource;
  readonly loss: LossName;
  /** The metrics that the step computes. */
  readonly traced: readonly MetricName[];
  /** How many metrics see the outputs. */
  readonly streamed: number;
  readonly regularizers: readonly Regularizer[];
}

/** Which parts learn: modules that are frozen, by path, and a flag for each parameter. */
export interface Trainable {
  readonly frozen: readonly string[];
  readonly learns: readonly boolean[];
}

/** New content of variables, by their places among those that are no buffers. */
export interface Assignment {
  readonly places: readonly number[];
  readonly vectors: readonly TypedArray[];
}

/** What a replica is to compute, and what it must know for it. */
export interface ShardTask extends Shard {
  /** The random numbers of this shard of this step. */
  readonly random: RandomState;
  /** What the statistics are before the step. */
  readonly buffers: readonly TypedArray[];
  /** What has changed since its last task. */
  readonly assignment: Assignment | undefined;
  readonly trainable: Trainable | undefined;
}

/** What comes of a shard. */
export interface ShardResult {
  /**
   * Packed, all of it to be added up over the shards: `[count, loss, ...metrics]`, the gradients of
   * the total loss, and the statistics that are new by the shard's share.
   */
  readonly vectors: readonly Exchanged[];
  /** Which parameters have a gradient, then which buffers have new statistics. */
  readonly has: readonly boolean[];
  readonly output: Table | undefined;
  readonly mask: Table | undefined;
  /** How long it took. */
  readonly milliseconds: number;
}

/** What the compiled step gives, by name. */
type StepResults = { readonly [name: string]: Tensor };

/** A model, and the compiled functions that a worker runs on it. */
export class Replica {
  private readonly variables: Variables;
  private readonly measurement: Measurement;
  private readonly loads = new Map<string, Compiled<readonly Tensor[], void>>();
  private step: Compiled<readonly Tensor[], StepResults>;
  /** By the shapes of a shard, what `ShardResult.has` tells. */
  private readonly has = new Map<string, readonly boolean[]>();

  private constructor(
    private readonly model: Model,
    { loss, traced, streamed, regularizers }: ReplicaSetup,
  ) {
    this.variables = variablesOf(model);
    this.measurement = {
      loss: entryLoss(loss),
      metrics: { traced: metricSet(traced).traced, streamed: { length: streamed } },
      penalty: penaltyOf(model.namedParameters(), regularizers),
    };
    this.step = this.compileStep();
  }

  /** Makes a replica. Throws what the model's description or module throws. */
  static async make(setup: ReplicaSetup): Promise<Replica> {
    return new Replica(await buildModel(setup.model), setup);
  }

  /** What the model consists of. */
  get layout(): VariableLayout[] {
    return layoutOf(this.model);
  }

  /** Runs forward and backward on a shard. Throws what `fit` on it would. */
  async run(task: ShardTask): Promise<ShardResult> {
    const begun = performance.now();
    const { assignment, trainable } = task;
    if (trainable) this.setTrainable(trainable);
    if (assignment) await this.assign(assignment);
    setRandomState(task.random);
    const [x, y, weights] = task.tables;
    const inputs = [
      tensor(Float64Array.of(task.share), { shape: [] }),
      ...task.buffers.map((vector) => tensor(vector)),
      ...[x, y, ...(weights ? [weights] : [])].map(tensorOf),
    ];
    const results = await this.step(...inputs);
    const { float32, float64, output, mask } = results;
    const shard: Omit<ShardResult, "milliseconds"> = {
      vectors: [float32, float64].flatMap((vector) => exchanged(vector?.dataSync())),
      has: this.has.get(keyOf(x, y))!,
      output: output && { data: output.dataSync(), shape: output.shape },
      mask: mask && { data: mask.dataSync(), shape: mask.shape },
    };
    for (const one of [...inputs, ...Object.values(results)]) one.dispose();
    return { ...shard, milliseconds: performance.now() - begun };
  }

  private compileStep(): Compiled<readonly Tensor[], StepResults> {
    return compile((...inputs: readonly Tensor[]) => this.record(inputs));
  }

  private record([share, ...inputs]: readonly Tensor[]): StepResults {
    const { model, measurement } = this;
    const { parameters, buffers } = this.variables;
    const vectors = inputs.slice(0, dtypeCount(buffers));
    const [x, y, weights] = inputs.slice(vectors.length);
    // Each shard begins with the statistics of before the step.
    const before = unpack(vectors, buffers);
    before.forEach((content, index) => buffers[index]!.assign(content));
    const output = inMode("training", model, () => model.apply({ x: x! }));
    const { measured, total } = measure(measurement, output, y!, weights);
    const [sums, seen, mask] = measured;
    for (const parameter of parameters) parameter.grad = undefined;
    total.backward();
    const gradients = parameters.map(({ grad }) => grad);
    const moved = buffers.map((buffer, index) => buffer.value !== before[index]!.value);
    this.has.set(keyOf(x!, y!), [...gradients.map((gradient) => gradient !== undefined), ...moved]);
    for (const parameter of parameters) parameter.grad = undefined;
    return noGrad(() => {
      const statistics = buffers
        .filter((_, index) => moved[index])
        .map((buffer) => mul(buffer, cast(share!, buffer.dtype)));
      const given = gradients.filter((gradient) => gradient !== undefined);
      const summed = pack([sums!, ...given, ...statistics]);
      return {
        ...Object.fromEntries(summed.map((vector) => [vector.dtype, vector])),
        ...(seen && { output: seen }),
        ...(mask && { mask }),
      };
    });
  }

  private setTrainable({ frozen, learns }: Trainable): void {
    for (const [path, module] of this.model.namedModules()) module.frozen = frozen.includes(path);
    this.variables.parameters.forEach((parameter, index) => {
      parameter.requiresGrad = learns[index]!;
    });
    this.step = this.compileStep();
  }

  private async assign({ places, vectors }: Assignment): Promise<void> {
    const key = places.join();
    let load = this.loads.get(key);
    if (!load) {
      const variables = places.map((place) => this.variables.others[place]!);
      load = compile((...parts: readonly Tensor[]) =>
        noGrad(() => {
          unpack(parts, variables).forEach((content, index) => variables[index]!.assign(content));
        }),
      );
      this.loads.set(key, load);
    }
    const inputs = vectors.map((vector) => tensor(vector));
    await load(...inputs);
    for (const input of inputs) input.dispose();
  }
}

/** What a step is recorded for. */
function keyOf(x: { readonly shape: Shape }, y: { readonly shape: Shape }): string {
  return `${x.shape.join()} ${y.shape.join()}`;
}

function dtypeCount(variables: readonly Spec[]): number {
  return new Set(variables.map(({ dtype }) => dtype)).size;
}

/** `data` as what can be added up. */
function exchanged(data: TypedArray | undefined): Exchanged[] {
  return data instanceof Float32Array || data instanceof Float64Array ? [data] : [];
}
