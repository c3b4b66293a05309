/** A model as a table of its layers. */
import { gradients } from "../autograd.js";
import { compile } from "../compile.js";
import { dtypes } from "../dtype.js";
import { textTable } from "../metrics/textTable.js";
import type { Module } from "../nn/module.js";
import { inMode, watching } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { zeros } from "../ops/creation.js";
import { sum } from "../ops/reduce.js";
import type { Shape } from "../shape.js";
import { checkShape, formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { predictStep } from "./steps.js";

/** What is fed: a row's shape, its dtype, and how many at once memory is planned for. */
interface Fed {
  readonly shape: Shape;
  readonly dtype: Tensor["dtype"];
  readonly batchSize: number;
}

/**
 * The layers, the shape each gives for a batch of such rows, what they hold, and the memory that
 * is planned for a batch.
 */
export function summarize(model: Module, { shape, dtype, batchSize }: Fed): string {
  checkShape("summary", shape);
  const shapes = new Map<Module, Shape>();
  const apply = (): unknown => model.apply({ x: zeros([1, ...shape], dtype) });
  noGrad(() =>
    inMode("inference", model, () =>
      watching((module, { x }) => shapes.set(module, x.shape), apply),
    ),
  );
  const rows = model.children().map(([name, child]) => {
    const given = shapes.get(child);
    const parameters = child.parameters();
    return [
      `${name} (${child.type})`,
      given ? formatShape(given).replace("[1", "[batch") : "",
      countOf(parameters).toLocaleString("en"),
      bytesOf(parameters).toLocaleString("en"),
    ];
  });
  const all = model.parameters();
  const trained = all.filter((parameter) => parameter.requiresGrad);
  const counts = [all, trained].map((some) => countOf(some).toLocaleString("en"));
  const columns = ["Layer (type)", "Output shape", "Parameters", "Bytes"];
  const [head, ...lines] = textTable([columns, ...rows], 2).split("\n");
  const rule = "─".repeat(head!.length);
  return [
    ...[head, rule, ...lines, rule],
    `Parameters: ${counts[0]} (${megabytes(bytesOf(all))}), trained: ${counts[1]}`,
    `Memory for a batch of ${batchSize}, planned: ${planned(model, trained, { shape, dtype, batchSize })}`,
  ].join("\n");
}

/** The bytes in use at the most, from the plans of both passes. */
function planned(
  model: Module,
  trained: readonly Parameter[],
  { shape, dtype, batchSize }: Fed,
): string {
  const x = zeros([batchSize, ...shape], dtype);
  const toPredict = `${megabytes(predictStep(model).peakBytes(x))} to predict`;
  if (trained.length === 0) return toPredict;
  const backward = compile((input: Tensor) => {
    const output = inMode("training", model, () => model.apply({ x: input }));
    return gradients([sum(output.x)], trained);
  });
  return `${toPredict}, ${megabytes(backward.peakBytes(x))} for gradients`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(2)} MB`;
}

function countOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((total, { size }) => total + size, 0);
}

function bytesOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((total, { size, dtype }) => total + size * dtypes[dtype].bytes, 0);
}
