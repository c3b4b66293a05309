/** What a model consists of, as its replicas and the one that is trained must agree on. */
import { ArgumentError } from "../errors.js";
import type { Spec } from "../graph.js";
import type { Module } from "../nn/module.js";
import { BufferVariable, Parameter } from "../nn/parameter.js";
import { isFloat } from "../dtype.js";
import { formatShape } from "../shape.js";
import type { Variable } from "../tensor.js";

/** A variable, as plain data. */
export interface VariableLayout extends Spec {
  readonly path: string;
  readonly kind: "parameter" | "buffer" | "variable";
  /** The first path of the same variable: another one where layers share it. */
  readonly first: string;
}

/** A model's variables, each once. */
export interface Variables {
  /** What training changes, by its gradients. */
  readonly parameters: readonly Parameter[];
  /** What a forward pass changes. */
  readonly buffers: readonly BufferVariable[];
  /** All but the buffers. */
  readonly others: readonly Variable[];
}

/** The variables of `model`. Throws ArgumentError for buffers that have no mean. */
export function variablesOf(model: Module): Variables {
  const named = model.namedVariables();
  const all = [...new Set(named.values())];
  const buffers = all.filter((variable) => variable instanceof BufferVariable);
  for (const { dtype, name } of buffers) {
    if (isFloat(dtype)) continue;
    throw new ArgumentError(
      `workers: the buffer ${name} is ${dtype}; the statistics of shards are averaged: ` +
        "keep it as float32",
    );
  }
  return {
    parameters: all.filter((variable) => variable instanceof Parameter),
    buffers,
    others: all.filter((variable) => !(variable instanceof BufferVariable)),
  };
}

/** The layout of `model`. */
export function layoutOf(model: Module): VariableLayout[] {
  const firsts = new Map<Variable, string>();
  return [...model.namedVariables()].map(([path, variable]) => {
    if (!firsts.has(variable)) firsts.set(variable, path);
    const { shape, dtype } = variable;
    const kind =
      variable instanceof Parameter
        ? "parameter"
        : variable instanceof BufferVariable
          ? "buffer"
          : "variable";
    return { path, shape, dtype, kind, first: firsts.get(variable)! };
  });
}

/** How `other` differs from `own`; undefined where it does not. */
export function difference(
  own: readonly VariableLayout[],
  other: readonly VariableLayout[],
): string | undefined {
  const tell = (layout: VariableLayout | undefined): string => {
    if (!layout) return "nothing";
    const { path, shape, dtype, kind, first } = layout;
    const shared = first === path ? "" : `, shared with ${first}`;
    return `the ${kind} ${path} ${formatShape(shape)} ${dtype}${shared}`;
  };
  for (let index = 0; index < Math.max(own.length, other.length); index++) {
    const [mine, its] = [tell(own[index]), tell(other[index])];
    if (mine !== its) return `${its} in the place of ${mine}`;
  }
  return undefined;
}
