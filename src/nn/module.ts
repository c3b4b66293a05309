import { fieldsOf, shown } from "../checks.js";
import { ArgumentError, DataError, ShapeError } from "../errors.js";
import { formatShape, sameShape, sizeOf } from "../shape.js";
import type { Shape } from "../shape.js";
import { Tensor, Variable } from "../tensor.js";
import { Parameter } from "./parameter.js";

/** What travels from layer to layer: a tensor, and which of its positions are real. */
export interface Signal {
  /** `[batch, length, ...]`, or any shape where there is no mask. */
  readonly x: Tensor;
  /** Bool `[batch, length]`: 1 for real positions, 0 for padding; undefined: all are real. */
  readonly mask?: Tensor | undefined;
  /** What `x` is the softmax or sigmoid of, for losses to compute from. */
  readonly logits?: Logits | undefined;
}

/** A tensor before its last activation. */
export interface Logits {
  readonly tensor: Tensor;
  readonly activation: "softmax" | "sigmoid";
}

/** A module's options as plain data: enough to build it again. */
export interface LayerConfig {
  readonly type: string;
  readonly options: object;
}

/**
 * Part of a model: parameters and a function of them. Fields that hold Parameters, buffers, other
 * Modules or arrays of Modules are found by their names, as in PyTorch's `state_dict`.
 */
export abstract class Module {
  /** Whether dropout drops and batch norm learns; set by `train()` and `eval()`. */
  training = true;

  /** Whether `freeze` holds. */
  frozen = false;

  /** The type as saved files name it. */
  abstract readonly type: string;

  /** The module's function, on a tensor and its mask. */
  abstract run(signal: Signal): Signal;

  /** The options to build it again with. */
  abstract config(): LayerConfig["options"];

  /** Applies the module; what is watched sees its output. */
  apply(signal: Signal): Signal {
    const output = this.run(signal);
    watcher?.(this, output, signal);
    return output;
  }

  /**
   * What `next` makes of the module's output, where both can be done in one pass over memory. Not
   * where somebody watches: each module has an output to see then.
   */
  applyWith(next: Module, signal: Signal): Signal | undefined {
    return watcher ? undefined : this.runWith?.(next, signal);
  }

  /** As `applyWith`, of modules that know such a `next`. */
  protected runWith?(next: Module, signal: Signal): Signal | undefined;

  /** The output for one input. */
  forward(x: Tensor, { mask }: { readonly mask?: Tensor | undefined } = {}): Tensor {
    const given: unknown = x;
    if (given instanceof Tensor) return this.apply({ x, mask }).x;
    throw new ArgumentError(`${this.type}: the input is ${shown(given)}, not a tensor`);
  }

  /** Modules directly inside, by field name. */
  children(): [name: string, module: Module][] {
    return Object.entries(this).flatMap(([name, field]: [string, unknown]) => {
      if (field instanceof Module) return [[name, field] as [string, Module]];
      if (!Array.isArray(field)) return [];
      return field.flatMap((entry: unknown, index) =>
        entry instanceof Module ? [[`${name}.${index}`, entry] as [string, Module]] : [],
      );
    });
  }

  /** All modules inside by path, `0.self_attn`: each before those in it. */
  namedModules(): Map<string, Module> {
    const found = new Map<string, Module>();
    for (const [name, child] of this.children()) {
      const prefix = snakeCase(name);
      found.set(prefix, child);
      for (const [path, module] of child.namedModules()) found.set(`${prefix}.${path}`, module);
    }
    return found;
  }

  /** All variables by path, `0.self_attn.in_proj_weight`: the module's own, then its children's. */
  namedVariables(): Map<string, Variable> {
    const found = new Map<string, Variable>();
    for (const [name, field] of Object.entries(this) as [string, unknown][]) {
      if (field instanceof Variable) found.set(snakeCase(name), field);
    }
    for (const [name, child] of this.children()) {
      const prefix = snakeCase(name);
      for (const [path, variable] of child.namedVariables()) {
        found.set(`${prefix}.${path}`, variable);
      }
    }
    for (const [path, variable] of found) variable.name = path;
    return found;
  }

  /** The variables that training changes, by path. */
  namedParameters(): Map<string, Parameter> {
    const found = new Map<string, Parameter>();
    for (const [path, variable] of this.namedVariables()) {
      if (variable instanceof Parameter) found.set(path, variable);
    }
    return found;
  }

  /** The variables that training changes. */
  parameters(): Parameter[] {
    return [...this.namedParameters().values()];
  }

  /** Sets training mode here and in all modules inside. */
  train(training = true): this {
    this.training = training && !this.frozen;
    for (const [, child] of this.children()) child.train(training);
    return this;
  }

  /**
   * Keeps training from changing the module and those inside: parameters get no gradient, and in
   * training too it computes as in inference, so that its statistics stay as well.
   */
  freeze(frozen = true): this {
    this.frozen = frozen;
    this.training = !frozen;
    for (const field of Object.values(this) as unknown[]) {
      if (field instanceof Parameter) field.requiresGrad = !frozen;
    }
    for (const [, child] of this.children()) child.freeze(frozen);
    return this;
  }

  /** Lets training change the module and those inside again, which are in training mode then. */
  unfreeze(): this {
    return this.freeze(false);
  }

  /** Sets inference mode here and in all modules inside. */
  eval(): this {
    return this.train(false);
  }

  /** The content of all variables, by path. */
  async stateDict(): Promise<Map<string, StateEntry>> {
    const state = new Map<string, StateEntry>();
    for (const [path, variable] of this.namedVariables()) {
      const { shape, dtype } = variable;
      state.set(path, { shape, dtype, data: await variable.data() });
    }
    return state;
  }

  /**
   * Takes the content of all variables from `state`. Throws DataError where names are missing or
   * left over, ShapeError where shapes differ; then nothing has been loaded.
   */
  loadStateDict(state: ReadonlyMap<string, StateEntry>): void {
    const variables = this.namedVariables();
    const missing = [...variables.keys()].filter((path) => !state.has(path));
    const unknown = [...state.keys()].filter((path) => !variables.has(path));
    if (missing.length + unknown.length > 0) {
      const list = (names: string[]): string => names.join(", ") || "none";
      throw new DataError(
        `loadStateDict: missing ${list(missing)}; without a place in the model ${list(unknown)}`,
      );
    }
    for (const [path, variable] of variables) {
      const entry = state.get(path)!;
      checkStateEntry(`loadStateDict: ${path}`, entry);
      const { shape, dtype } = entry;
      if (sameShape(shape, variable.shape) && dtype === variable.dtype) continue;
      throw new ShapeError(
        `loadStateDict: ${path} is ${formatShape(variable.shape)} ${variable.dtype} in the model, ` +
          `${formatShape(shape)} ${dtype} in the state`,
      );
    }
    for (const [path, variable] of variables) variable.set(state.get(path)!.data);
  }
}

/** Throws DataError, naming `what`, unless the data of `entry` fills its shape. */
export function checkStateEntry(what: string, entry: StateEntry): void {
  const { shape, data } = fieldsOf(`the state of ${what}`, entry);
  if (Array.isArray(shape) && data?.length === sizeOf(shape)) return;
  throw new DataError(`${what}: the saved data does not fill its shape`);
}

/** Runs `body` with `model` in training or inference mode; after it each module has its own again. */
export function inMode<T>(mode: "training" | "inference", model: Module, body: () => T): T {
  const before = new Map<Module, boolean>();
  const note = (module: Module): void => {
    before.set(module, module.training);
    for (const [, child] of module.children()) note(child);
  };
  note(model);
  model.train(mode === "training");
  try {
    return body();
  } finally {
    for (const [module, training] of before) module.training = training;
  }
}

/** `inProjWeight` as PyTorch's files name it: `in_proj_weight`. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** Sees each module's output and input, innermost modules first. */
export type Watcher = (module: Module, output: Signal, input: Signal) => void;

let watcher: Watcher | undefined;

/** Runs `body` while `watch` sees the output of every module applied. */
export function watching<T>(watch: Watcher, body: () => T): T {
  const outer = watcher;
  watcher = watch;
  try {
    return body();
  } finally {
    watcher = outer;
  }
}

/** One variable's content. */
export interface StateEntry {
  readonly shape: Shape;
  readonly dtype: Variable["dtype"];
  readonly data: Awaited<ReturnType<Variable["data"]>>;
}
