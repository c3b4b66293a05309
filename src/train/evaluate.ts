/** Measuring and using a model, batch by batch. */
import { checkOptions, checkWhole } from "../checks.js";
import type { Compiled } from "../compile.js";
import { Dataset } from "../data/dataset.js";
import type { TypedArray } from "../dtype.js";
import type { MetricSet } from "../metrics/named.js";
import { DataError, ShapeError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { tensor } from "../tensor.js";
import type { Report, Sums } from "./history.js";
import { Averages } from "./history.js";
import type { Table } from "../data/rows.js";
import type { Input } from "../data/inputs.js";
import { tableOf } from "../data/inputs.js";
import type { Feed, Rows, TrainingBatch } from "./feed.js";
import {
  arrayFeed,
  checkCounted,
  checkDatasetOptions,
  checkEnds,
  datasetFeed,
  inputFeed,
  rowsOf,
  tableFeed,
  targetsOf,
} from "./feed.js";
import type { Model } from "./model.js";
import type { MeasuredStep } from "./steps.js";

/** Options of `predict`. */
export interface PredictOptions {
  /** Rows at a time. Default: 32. */
  readonly batchSize?: number;
}

/** Options of `evaluate`. */
export interface EvaluateOptions extends PredictOptions {
  /** How much each row counts, `[rows]`. */
  readonly sampleWeight?: Input;
}

const predictOptions = { batchSize: true } as const satisfies Record<keyof PredictOptions, true>;
const evaluateOptions = {
  ...predictOptions,
  sampleWeight: true,
} as const satisfies Record<keyof EvaluateOptions, true>;

/** Rows at a time where nothing else is said (Keras's default). */
export const defaultBatchSize = 32;

/** A table's content as a tensor. */
export function tensorOf({ data, shape }: Table): Tensor {
  return tensor(data, { shape });
}

async function contentOf(tensor: Tensor | undefined): Promise<Table | undefined> {
  return tensor && { data: await tensor.data(), shape: tensor.shape };
}

/** Shows a batch, and what a step gave beside its sums, to `streamed` metrics. */
export function observe(
  streamed: MetricSet["streamed"],
  [, truth, sampleWeight]: Rows,
  output: Table | undefined,
  mask: Table | undefined,
): void {
  if (!output) return;
  for (const metric of streamed) metric.update(truth, output, { mask, sampleWeight });
}

/**
 * Runs `step` on tensors of these tables, which are freed after, and gives its sums; `streamed`
 * metrics see its outputs.
 */
export async function runStep(
  step: MeasuredStep,
  batch: Rows,
  streamed: MetricSet["streamed"],
): Promise<Sums> {
  const inputs = batch.filter((table) => table !== undefined).map(tensorOf);
  try {
    const [sums, output, mask] = await step(...inputs);
    const values = await sums!.data();
    if (Number.isFinite(values[1]!)) {
      observe(streamed, batch, await contentOf(output), await contentOf(mask));
    }
    for (const result of [sums, output, mask]) result?.dispose();
    return values;
  } finally {
    for (const input of inputs) input.dispose();
  }
}

/** The means over all rows of batches; each waits at the `gate`. */
export async function averagesOf(
  step: MeasuredStep,
  metrics: MetricSet,
  feed: Feed,
  gate?: () => Promise<void>,
): Promise<Averages> {
  const averages = new Averages(metrics);
  let rows = 0;
  for await (const batch of feed) {
    await gate?.();
    rows += batch[0].shape[0]!;
    averages.add(await runStep(step, batch, metrics.streamed));
  }
  if (rows === 0) throw new DataError("the Dataset is empty: there is nothing to measure");
  return averages;
}

/** The loss and metrics of `model`. */
export async function evaluate(
  model: Model,
  x: Input | Dataset<TrainingBatch>,
  y: Input | undefined,
  options: EvaluateOptions,
): Promise<Report> {
  const setup = model.setup("evaluate");
  checkOptions("evaluate", options, evaluateOptions);
  const { batchSize = defaultBatchSize, sampleWeight } = options;
  checkWhole("evaluate: batchSize", batchSize, 1);
  const feed =
    x instanceof Dataset
      ? evaluatedDataset(x, options)
      : evaluatedArrays([x, targetsOf("evaluate", y), sampleWeight], batchSize);
  const averages = await averagesOf(setup.evaluate, setup.objective.metrics, feed);
  return averages.report();
}

function evaluatedDataset(x: Dataset<TrainingBatch>, options: EvaluateOptions): Feed {
  checkDatasetOptions("evaluate", options, ["batchSize", "sampleWeight"]);
  checkEnds("evaluate", x);
  return datasetFeed("evaluate", x);
}

function evaluatedArrays(arrays: Parameters<typeof rowsOf>[0], batchSize: number): Feed {
  const rows = rowsOf(arrays);
  checkCounted("evaluate", rows);
  return arrayFeed(rows, { batchSize });
}

/** The outputs of a model for all rows of `x`. */
export async function predict(
  step: Compiled<readonly [Tensor], Tensor>,
  x: Input | Dataset<Input | TrainingBatch>,
  options: PredictOptions,
): Promise<Tensor> {
  checkOptions("predict", options, predictOptions);
  const { batchSize = defaultBatchSize } = options;
  checkWhole("predict: batchSize", batchSize, 1);
  if (x instanceof Dataset) {
    checkDatasetOptions("predict", options, ["batchSize"]);
    checkEnds("predict", x);
  }
  const feed =
    x instanceof Dataset ? inputFeed(x) : tableFeed(tableOf("x", x, "float32"), batchSize);
  const parts: TypedArray[] = [];
  let rows = 0;
  let inner: Shape | undefined;
  for await (const batch of feed) {
    const input = tensorOf(batch);
    const output = await step(input);
    const shape = output.shape.slice(1);
    inner ??= shape;
    if (!sameShape(inner, shape)) {
      throw new ShapeError(
        `predict: outputs of different shapes cannot be joined: rows of ${formatShape(inner)} and ` +
          `of ${formatShape(shape)}; pad the batches to one length`,
      );
    }
    rows += output.shape[0]!;
    parts.push(await output.data());
    input.dispose();
    output.dispose();
  }
  if (!inner) throw new DataError("predict: the Dataset is empty: there is nothing to predict");
  return joined(parts, [rows, ...inner]);
}

function joined(parts: readonly TypedArray[], shape: Shape): Tensor {
  const { constructor } = parts[0]!;
  const data = new (constructor as new (length: number) => TypedArray)(sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return tensor(data, { shape });
}
