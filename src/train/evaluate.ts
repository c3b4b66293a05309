/** Measuring and using a model, batch by batch. */
import { checkWhole } from "../checks.js";
import type { Compiled } from "../compile.js";
import type { TypedArray } from "../dtype.js";
import type { MetricSet } from "../metrics/named.js";
import type { Shape } from "../shape.js";
import { sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { tensor } from "../tensor.js";
import type { Report, Sums } from "./history.js";
import { Averages } from "./history.js";
import type { Table } from "../data/rows.js";
import type { Input } from "../data/inputs.js";
import { checkSameRows, sliceRows, tableOf } from "../data/inputs.js";
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

/** Rows at a time where nothing else is said (Keras's default). */
export const defaultBatchSize = 32;

/** A table's content as a tensor. */
export function tensorOf({ data, shape }: Table): Tensor {
  return tensor(data, { shape });
}

/**
 * Runs `step` on tensors of these tables, which are freed after, and gives its sums; `streamed`
 * metrics see its outputs.
 */
export async function runStep(
  step: MeasuredStep,
  tables: readonly (Table | undefined)[],
  streamed: MetricSet["streamed"],
): Promise<Sums> {
  const inputs = tables.filter((table) => table !== undefined).map(tensorOf);
  try {
    const [sums, output, mask] = await step(...inputs);
    const values = await sums!.data();
    if (output && Number.isFinite(values[1]!)) {
      const [, truth, weights] = tables;
      const predicted = { data: await output.data(), shape: output.shape };
      const options = {
        mask: mask && { data: await mask.data(), shape: mask.shape },
        sampleWeight: weights,
      };
      for (const metric of streamed) metric.update(truth!, predicted, options);
    }
    for (const result of [sums, output, mask]) result?.dispose();
    return values;
  } finally {
    for (const input of inputs) input.dispose();
  }
}

/** The means over all rows of tables; each batch waits at the `gate`. */
export async function averagesOf(
  step: MeasuredStep,
  metrics: MetricSet,
  [x, ...others]: readonly [Table, ...(Table | undefined)[]],
  batchSize: number,
  gate?: () => Promise<void>,
): Promise<Averages> {
  const averages = new Averages(metrics);
  const rows = x.shape[0]!;
  for (let start = 0; start < rows; start += batchSize) {
    await gate?.();
    const end = Math.min(rows, start + batchSize);
    const batch = [x, ...others].map((table) => table && sliceRows(table, start, end));
    averages.add(await runStep(step, batch, metrics.streamed));
  }
  return averages;
}

/** The loss and metrics of `model`. */
export async function evaluate(
  model: Model,
  x: Input,
  y: Input,
  { batchSize = defaultBatchSize, sampleWeight }: EvaluateOptions,
): Promise<Report> {
  const setup = model.setup("evaluate");
  checkWhole("evaluate: batchSize", batchSize, 1);
  const inputs = tableOf("x", x, "float32");
  const targets = tableOf("y", y, "int32");
  const weights = sampleWeight && tableOf("sampleWeight", sampleWeight, "float32");
  checkSameRows(inputs, { y: targets, sampleWeight: weights });
  const tables = [inputs, targets, weights] as const;
  const averages = await averagesOf(setup.evaluate, setup.objective.metrics, tables, batchSize);
  return averages.report();
}

/** The outputs of a model for all rows of `x`. */
export async function predict(
  step: Compiled<readonly [Tensor], Tensor>,
  x: Input,
  { batchSize = defaultBatchSize }: PredictOptions,
): Promise<Tensor> {
  checkWhole("predict: batchSize", batchSize, 1);
  const table = tableOf("x", x, "float32");
  const rows = table.shape[0]!;
  const parts: TypedArray[] = [];
  let inner: Shape = [];
  for (let start = 0; start < rows; start += batchSize) {
    const input = tensorOf(sliceRows(table, start, Math.min(rows, start + batchSize)));
    const output = await step(input);
    parts.push(await output.data());
    inner = output.shape.slice(1);
    input.dispose();
    output.dispose();
  }
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
