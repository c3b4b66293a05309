import { checkOptions, checkWhole } from "../checks.js";
import { StateError } from "../errors.js";
import type { MetricSpec } from "../metrics/named.js";
import { metricSet } from "../metrics/named.js";
import { Module } from "../nn/module.js";
import type { OptimizerSpec } from "../optim/index.js";
import { makeOptimizer } from "../optim/index.js";
import type { Optimizer } from "../optim/optimizer.js";
import type { Shape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { defaultBatchSize, evaluate, predict, tensorOf } from "./evaluate.js";
import type { EvaluateOptions, PredictOptions } from "./evaluate.js";
import type { FitEvents } from "./fit.js";
import { fit, fitEvents } from "./fit.js";
import type { FitOptions } from "./fitOptions.js";
import type { History, Report } from "./history.js";
import { Dataset } from "../data/dataset.js";
import type { Input } from "../data/inputs.js";
import type { TrainingBatch } from "./feed.js";
import { tableOf } from "../data/inputs.js";
import type { LossName } from "./losses.js";
import { entryLoss } from "./losses.js";
import type { Regularizer } from "./regularizers.js";
import { penaltyOf } from "./regularizers.js";
import type { MeasuredStep, Objective } from "./steps.js";
import { evaluateStep, predictStep, TrainSteps } from "./steps.js";
import { summarize } from "./summary.js";

/** What a model is trained by. */
export interface CompileOptions {
  readonly optimizer: OptimizerSpec;
  readonly loss: LossName;
  /** Names, or objects of `metrics`, which can be asked for more after `evaluate`. */
  readonly metrics?: readonly MetricSpec[];
  /** Penalties that are added to the loss, in training and in `evaluate`. */
  readonly regularizers?: readonly Regularizer[];
}

const compileOptions = {
  optimizer: true,
  loss: true,
  metrics: true,
  regularizers: true,
} as const satisfies Record<keyof CompileOptions, true>;

/** A model's training, once `compile` has set it up. */
export interface Training {
  readonly options: CompileOptions;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly train: TrainSteps;
  readonly evaluate: MeasuredStep;
}

/** What a method trains or measures on: its second argument is the options where `x` is a Dataset. */
function inputsOf<Options extends object>(
  x: Input | Dataset<TrainingBatch>,
  y: Input | Options | undefined,
  options: Options,
): [x: Input | Dataset<TrainingBatch>, y: Input | undefined, options: Options] {
  return x instanceof Dataset
    ? [x, undefined, (y as Options | undefined) ?? options]
    : [x, y as Input, options];
}

/** A module that can be trained, measured and used, in Keras's manner. */
export abstract class Model extends Module {
  #training: Training | undefined;
  #predict: ReturnType<typeof predictStep> | undefined;

  /** Sets the optimizer, loss and metrics; training starts anew. */
  compile(options: CompileOptions): void {
    checkOptions("compile", options, compileOptions);
    const parameters = this.namedParameters();
    const objective = {
      loss: entryLoss(options.loss),
      metrics: metricSet(options.metrics ?? []),
      penalty: penaltyOf(parameters, options.regularizers ?? []),
    };
    const optimizer = makeOptimizer(options.optimizer, parameters);
    this.#training = {
      options,
      objective,
      optimizer,
      train: new TrainSteps(this, objective, optimizer),
      evaluate: evaluateStep(this, objective),
    };
  }

  /** @internal The training that `compile` set up. Throws StateError before it. */
  setup(caller: string): Training {
    if (this.#training) return this.#training;
    throw new StateError(`${caller}: call compile({ optimizer, loss }) first`);
  }

  /** Whether `compile` was called. */
  get compiled(): boolean {
    return this.#training !== undefined;
  }

  /**
   * Trains on `x` and `y`, a row for a row. Throws DataError for empty or unequal data, IndexError
   * for labels or ids out of range, NonFiniteError naming step and layer for a loss that is none.
   */
  async fit(x: Input, y: Input, options?: FitOptions): Promise<History>;
  /** Trains on the batches `[x, y]` or `[x, y, sampleWeight]` of a Dataset. */
  async fit(dataset: Dataset<TrainingBatch>, options?: FitOptions): Promise<History>;
  async fit(
    x: Input | Dataset<TrainingBatch>,
    y?: Input | FitOptions,
    options: FitOptions = {},
  ): Promise<History> {
    const [data, targets, chosen] = inputsOf(x, y, options);
    return fit(this, [data, targets], chosen);
  }

  /**
   * Trains as `fit` does, a step whenever the next event is asked for: `for await` shows progress,
   * and leaving it ends the training between two batches, with the model whole.
   */
  fitEvents(x: Input, y: Input, options?: FitOptions): FitEvents;
  /** The same on the batches of a Dataset. */
  fitEvents(dataset: Dataset<TrainingBatch>, options?: FitOptions): FitEvents;
  fitEvents(
    x: Input | Dataset<TrainingBatch>,
    y?: Input | FitOptions,
    options: FitOptions = {},
  ): FitEvents {
    const [data, targets, chosen] = inputsOf(x, y, options);
    return fitEvents(this, [data, targets], chosen);
  }

  /** The loss and metrics on `x` and `y`. */
  async evaluate(x: Input, y: Input, options?: EvaluateOptions): Promise<Report>;
  /** The same on the batches of a Dataset. */
  async evaluate(dataset: Dataset<TrainingBatch>, options?: EvaluateOptions): Promise<Report>;
  async evaluate(
    x: Input | Dataset<TrainingBatch>,
    y?: Input | EvaluateOptions,
    options: EvaluateOptions = {},
  ): Promise<Report> {
    return evaluate(this, ...inputsOf(x, y, options));
  }

  /**
   * What a training step on such a batch will do and need, before any runs: its kernel calls as
   * text, and the bytes in memory at the most. `x` and `y` are one batch.
   */
  planStep(x: Input, y: Input): { readonly description: string; readonly peakBytes: number } {
    const train = this.setup("planStep").train.step("whole");
    const inputs = [tensorOf(tableOf("x", x, "float32")), tensorOf(tableOf("y", y, "int32"))];
    return { description: train.describe(...inputs), peakBytes: train.peakBytes(...inputs) };
  }

  /** The outputs for `x`, or the batches of a Dataset, `[rows, ...]`. */
  async predict(
    x: Input | Dataset<Input | TrainingBatch>,
    options: PredictOptions = {},
  ): Promise<Tensor> {
    this.#predict ??= predictStep(this);
    return predict(this.#predict, x, options);
  }

  /**
   * Layers, output shapes, parameters and their bytes as text, and the memory planned for a batch,
   * for inputs of `inputShape` without the batch. What training takes beyond gradients, the loss and
   * the optimizer, `planStep` tells.
   */
  summary(
    inputShape: Shape,
    { dtype = "float32", batchSize = defaultBatchSize }: SummaryOptions = {},
  ): string {
    checkWhole("summary: batchSize", batchSize, 1);
    return summarize(this, { shape: inputShape, dtype, batchSize });
  }
}

/** Options of `summary`. */
export interface SummaryOptions {
  /** Of the input; `int32` for token ids. */
  readonly dtype?: Tensor["dtype"];
  /** Rows at once that memory is planned for. Default: 32, as in `fit`. */
  readonly batchSize?: number;
}
