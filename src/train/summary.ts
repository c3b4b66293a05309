/** A model as a table of its layers. */
import { gradients } from "../autograd.js";
import { compile } from "../compile.js";
import { dtypes } from "../dtype.js";
import type { Module } from "../nn/module.js";
import { inMode, watching } from "../nn/module.js";
import type { Parameter } from "../nn/parameter.js";
import { noGrad } from "../op.js";
import { zeros } from "../ops/creation.js";
import { sum } from "../ops/reduce.js";
import type { Shape } from "../shape.js";
import { checkShape, formatShape } from "../shape.js";
import type { Tensor } from "../tensor.js";

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
  return [
    ...table(["Layer (type)", "Output shape", "Parameters", "Bytes"], rows),
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
  const forward = compile((input: Tensor) =>
    noGrad(() => inMode("inference", model, () => model.apply({ x: input }).x)),
  );
  const toPredict = `${megabytes(forward.peakBytes(x))} to predict`;
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

/** Columns of text, then of numbers, which are aligned to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const cells = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column >= 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  return [lines[0]!, rule, ...lines.slice(1), rule];
}
