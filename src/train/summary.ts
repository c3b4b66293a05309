/** A model as a table of its layers. */
import { dtypes } from "../dtype.js";
import type { Module } from "../nn/module.js";
import { inMode, watching } from "../nn/module.js";
import { noGrad } from "../op.js";
import { zeros } from "../ops/creation.js";
import type { Shape } from "../shape.js";
import { checkShape, formatShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";

interface Row {
  readonly name: string;
  readonly shape: string;
  readonly parameters: number;
}

/** The layers, the shape each gives for a batch of one such row, and what they hold. */
export function summarize(model: Module, input: Pick<Tensor, "dtype"> & { shape: Shape }): string {
  checkShape("summary", input.shape);
  const shapes = new Map<Module, Shape>();
  const apply = (): unknown => model.apply({ x: zeros([1, ...input.shape], input.dtype) });
  noGrad(() =>
    inMode("inference", model, () =>
      watching((module, { x }) => shapes.set(module, x.shape), apply),
    ),
  );
  const rows = model.children().map(([name, child]): Row => {
    const shape = shapes.get(child);
    return {
      name: `${name} (${child.type})`,
      shape: shape ? formatShape(shape).replace("[1", "[batch") : "",
      parameters: countOf(child),
    };
  });
  const all = model.parameters();
  const trained = all.filter((parameter) => parameter.requiresGrad);
  const bytes = all.reduce((sum, { size, dtype }) => sum + size * dtypes[dtype].bytes, 0);
  return [
    ...table(["Layer (type)", "Output shape", "Parameters"], rows),
    `Parameters: ${total(all)} (${(bytes / 2 ** 20).toFixed(2)} MB), trained: ${total(trained)}`,
  ].join("\n");
}

function total(parameters: readonly { readonly shape: Shape }[]): string {
  return parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0).toLocaleString("en");
}

function countOf(module: Module): number {
  return module.parameters().reduce((sum, { size }) => sum + size, 0);
}

function table(head: readonly [string, string, string], rows: readonly Row[]): string[] {
  const cells = [
    head,
    ...rows.map(({ name, shape, parameters }) => [name, shape, parameters.toLocaleString("en")]),
  ];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, column) =>
        column === 2 ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
      )
      .join("  "),
  );
  const rule = "─".repeat(lines[0]!.length);
  return [lines[0]!, rule, ...lines.slice(1), rule];
}
