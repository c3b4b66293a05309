/**
 * Steps of several workers: the batch is cut in shards, whose number is the run's, whatever the
 * number of workers; each shard's gradients come from whichever worker is free, and are added up in
 * the order of the shards. The update runs here, once: an update in every worker would take no less
 * traffic (reduced gradients instead of weights), and this way callbacks, checkpoints and a worker
 * that is replaced find the optimizer in one place.
 */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { Spec } from "../graph.js";
import { ArgumentError, DataError, StateError } from "../errors.js";
import type { MetricName } from "../metrics/named.js";
import { noGrad } from "../op.js";
import { cast, div } from "../ops/elementwise.js";
import { reshape, slice } from "../ops/movement.js";
import { absoluteUrl } from "../runtime/addresses.js";
import { randomState, setRandomState } from "../seed.js";
import type { Tensor } from "../tensor.js";
import { tensor } from "../tensor.js";
import { observe } from "../train/evaluate.js";
import type { Rows } from "../train/feed.js";
import type { EpochWork, Sums } from "../train/history.js";
import type { Model, Training } from "../train/model.js";
import type { Phase } from "../train/steps.js";
import { buffersOf, keepUnlessFinite, trainableOf } from "../train/steps.js";
import type { BatchRunner } from "../train/batchRunner.js";
import type { Communicator, Exchanged } from "./communicator.js";
import { alone } from "./communicator.js";
import { describeModel } from "./description.js";
import type { Variables } from "./layout.js";
import { layoutOf, variablesOf } from "./layout.js";
import { unpack } from "./packing.js";
import type { Known } from "./pool.js";
import { ReplicaPool } from "./pool.js";
import type { ShardResult, ShardTask, Trainable } from "./replica.js";
import { piecesOf, rangeOf, Reduction, shardOf } from "./shards.js";
import { Weights } from "./weights.js";

/** How a run is spread. */
export interface ParallelOptions {
  readonly workers: number;
  /** Into how many pieces each batch is cut, over all ranks. */
  readonly shards: number;
  /** The address of a module that makes the model. */
  readonly workerModule?: string | URL | undefined;
  /** The other engines that train the same model on the same batches. Default: none. */
  readonly communicator?: Communicator;
}

/** What is kept of a shard's result once it is added up. */
type Seen = Omit<ShardResult, "vectors" | "milliseconds">;

/** Runs the batches of a run on workers. */
export class ParallelSteps implements BatchRunner {
  private readonly variables: Variables;
  private readonly weights: Weights;
  private readonly statistics: Weights;
  private readonly updates = new Map<string, Compiled<readonly Tensor[], readonly Tensor[]>>();
  private readonly communicator: Communicator;
  private readonly shards: number;
  /** Since the last call of `work`. */
  private rows = 0;
  private passed = 0;
  private computed = 0;
  private replaced = 0;

  private constructor(
    private readonly model: Model,
    private readonly setup: Training,
    private readonly pool: ReplicaPool,
    { shards, communicator = alone }: ParallelOptions,
  ) {
    this.variables = variablesOf(model);
    this.weights = new Weights(this.variables.others);
    this.statistics = new Weights(this.variables.buffers);
    this.communicator = communicator;
    this.shards = shards;
  }

  /** Starts the workers. Throws ArgumentError for a model that they cannot be given. */
  static async start(
    model: Model,
    setup: Training,
    options: ParallelOptions,
  ): Promise<ParallelSteps> {
    const { workers, workerModule, communicator = alone } = options;
    variablesOf(model);
    const { loss, regularizers = [], metrics = [] } = setup.options;
    const { traced, streamed } = setup.objective.metrics;
    const pool = await ReplicaPool.start(
      workers,
      {
        model: workerModule === undefined ? describeModel(model) : moduleAt(workerModule),
        loss,
        traced: metrics.filter(
          (name): name is MetricName => typeof name === "string" && traced.has(name),
        ),
        streamed: streamed.length,
        regularizers,
      },
      layoutOf(model),
    );
    try {
      await shareWeights(model, communicator);
    } catch (error) {
      pool.close();
      throw error;
    }
    return new ParallelSteps(model, setup, pool, options);
  }

  /** Trains on a batch; gives its sums `[count, loss, ...metrics]`. */
  async run(phase: Exclude<Phase, "rest">, batch: Rows): Promise<Sums> {
    const begun = performance.now();
    await this.weights.refresh();
    await this.statistics.refresh();
    const { rank, size } = this.communicator;
    const rows = batch[0].shape[0]!;
    const pieces = piecesOf(rows, this.shards);
    const [first, end] = rangeOf(rank, size, pieces);
    if (first === end) {
      throw new DataError(`workers: a batch of ${rows} rows has none for rank ${rank} of ${size}`);
    }
    const results: Seen[] = [];
    const reduction = new Reduction(end - first);
    const random = randomState();
    const trainable = trainableOf(this.model);
    await this.pool.run(
      end - first,
      (index, known) => ({
        ...shardOf(batch, first + index, pieces),
        ...this.newsFor(known, trainable),
        random: { ...random, draws: random.draws + first + index },
        buffers: this.statistics.all(),
      }),
      (index, { vectors, milliseconds, ...seen }) => {
        results[index] = seen;
        this.computed += milliseconds;
        reduction.put(index, vectors);
      },
    );
    setRandomState({ ...random, draws: random.draws + pieces });
    const vectors = reduction.total;
    for (const vector of vectors) await this.communicator.allReduce(vector);
    const sums = await this.update(phase, trainable, changesOf(results), vectors);
    const { streamed } = this.setup.objective.metrics;
    if (streamed.length > 0 && Number.isFinite(sums[1])) {
      results.forEach(({ output, mask }, index) => {
        const shard = shardOf(batch, first + index, pieces);
        observe(streamed, shard.tables, output, mask);
      });
    }
    this.rows += rows;
    this.passed += performance.now() - begun;
    return sums;
  }

  /** What was done since the last call. */
  work(): Omit<EpochWork, "epoch"> {
    const { rows, passed, computed } = this;
    const replaced = this.pool.replaced - this.replaced;
    [this.rows, this.passed, this.computed, this.replaced] = [0, 0, 0, this.pool.replaced];
    return {
      samplesPerSecond: (1000 * rows) / passed,
      speedUp: computed / passed,
      replaced,
    };
  }

  /** Ends the workers. */
  close(): void {
    this.pool.close();
  }

  /** What a worker has to be told before its next shard; from then on it is known there. */
  private newsFor(known: Known, trainable: string): Pick<ShardTask, "assignment" | "trainable"> {
    const assignment = this.weights.since(known.version);
    known.version = this.weights.version;
    if (known.trainable === trainable) return { assignment, trainable: undefined };
    known.trainable = trainable;
    const modules = [...this.model.namedModules()];
    const learning: Trainable = {
      frozen: modules.flatMap(([path, module]) => (module.frozen ? [path] : [])),
      learns: this.variables.parameters.map(({ requiresGrad }) => requiresGrad),
    };
    return { assignment, trainable: learning };
  }

  /** Updates with the sum of what the shards gave; gives the batch's sums. */
  private async update(
    phase: Exclude<Phase, "rest">,
    trainable: string,
    has: readonly boolean[],
    vectors: readonly Exchanged[],
  ): Promise<Float32Array> {
    const key = `${phase} ${trainable} ${has.join()}`;
    let step = this.updates.get(key);
    if (!step) {
      step = compile((...packed: readonly Tensor[]) => this.record(phase, has, packed));
      this.updates.set(key, step);
    }
    const inputs = vectors.map((vector) => tensor(vector));
    await step(...inputs);
    for (const input of inputs) input.dispose();
    return Float32Array.from(vectors[0]!.subarray(0, this.columns));
  }

  private record(
    phase: Exclude<Phase, "rest">,
    has: readonly boolean[],
    vectors: readonly Tensor[],
  ): readonly Tensor[] {
    const { parameters } = this.variables;
    const moved = parameters.filter((_, index) => has[index]);
    const buffers = this.variables.buffers.filter((_, index) => has[parameters.length + index]);
    const sumsSpec: Spec = { shape: [this.columns], dtype: "float32" };
    const [sums, ...rest] = unpack(vectors, [sumsSpec, ...moved, ...buffers]);
    const scalar = (place: number): Tensor => reshape(slice(sums!, [[place, place + 1]]), []);
    const [count, total] = [scalar(0), scalar(1)];
    const loss = div(total, count);
    noGrad(() => {
      const before = buffersOf(this.model);
      buffers.forEach((buffer, index) => buffer.assign(rest[moved.length + index]!));
      keepUnlessFinite(loss, before);
      this.setup.optimizer.zeroGrad();
      moved.forEach((parameter, index) => {
        const gradient = rest[index]!;
        parameter.grad = phase === "whole" ? div(gradient, cast(count, gradient.dtype)) : gradient;
      });
    });
    this.setup.train.finish(phase, count, loss);
    return [];
  }

  /** How many sums a step gives. */
  private get columns(): number {
    return 2 + this.setup.objective.metrics.traced.size;
  }
}

/** What the shards changed. Throws StateError where they differ in that. */
function changesOf(results: readonly Seen[]): readonly boolean[] {
  const [first, ...others] = results.map(({ has }) => has);
  if (first && others.every((other) => other.join() === first.join())) return first;
  throw new StateError("workers: not all shards gave gradients and statistics of the same layers");
}

/** Has all ranks begin, once they are ready, with the weights of the first. */
async function shareWeights(model: Model, communicator: Communicator): Promise<void> {
  await communicator.barrier();
  if (communicator.size === 1) return;
  const { parameters, buffers } = variablesOf(model);
  for (const variable of [...parameters, ...buffers]) {
    const data = await variable.data();
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    await communicator.broadcast(data, 0);
    variable.set(data);
  }
}

function moduleAt(url: string | URL): { readonly module: string } {
  try {
    return { module: absoluteUrl(url).href };
  } catch (error) {
    throw new ArgumentError(
      `fit: workerModule "${String(url)}" is no address; say new URL("./model.js", import.meta.url)`,
      { cause: error },
    );
  }
}
