/** How an op is said: one row with its signature, shape rule, kernel and gradient. */
import type * as engine from "../wasm/plain/engine.js";
import type { Opcode } from "../wasm/plain/engine.js";
import { shown } from "./checks.js";
import { isFloat } from "./dtype.js";
import { ArgumentError } from "./errors.js";
import type { Attributes, Spec } from "./graph.js";
import { Node } from "./graph.js";
import type { Place } from "./program/place.js";
import type { Layout } from "./shape.js";
import { Tensor } from "./tensor.js";

type Engine = typeof engine;

/** The names of the wasm kernels, as wasm-pack's own declarations give them. */
export type KernelName = Exclude<
  {
    [K in keyof Engine]: Engine[K] extends (team: number, ...args: number[]) => void ? K : never;
  }[keyof Engine],
  `team_${string}`
>;

type AfterTeam<F> = F extends (team: number, ...args: infer Rest) => void
  ? { [I in keyof Rest]: number | Place }
  : never;

/** What a kernel's lowering has at hand: places for its operands and outputs, and `call`. */
export interface Emitter {
  /** Specs of the node's operands and outputs. */
  readonly operands: readonly Spec[];
  readonly outputs: readonly Spec[];
  /** Operand `index` where it stands: the strides may be any. */
  strided(index: number): { readonly place: Place; readonly layout: Layout };
  /** Operand `index` in dense row-major order, copied there if it is not. */
  dense(index: number): Place;
  /** Operand `index` with its last axis dense: the strides of the others may be any. */
  denseRows(index: number): { readonly place: Place; readonly layout: Layout };
  /**
   * What the kernel begins with instead of zeros, for an op that `takesAddend`: dense rows of output
   * 0's width, `row` elements apart, 0 if one row is for all. `place` is 0 where there is none.
   */
  addend(): { readonly place: number | Place; readonly row: number };
  /** Whether output 0, matrices, is best written column by column: its readers want it transposed. */
  readonly inColumns: boolean;
  /** Where output `index` goes; with `strides`, in another order than row-major. */
  output(index: number, strides?: readonly number[]): Place;
  /** Room that only this node uses. */
  scratch(bytes: number): Place;
  /** Whole numbers that the kernel reads through a pointer. */
  words(values: readonly number[]): Place;
  /** Copies operand `index` into a region of output 0; `region` counts that output's elements. */
  copyInto(index: number, region: Layout): void;
  /** Fills output 0 with `value`. */
  fill(value: number): void;
  /** Adds to what calls are labelled with: what an index in an error should have been below. */
  note(text: string): void;
  /** Appends a kernel call. */
  call<K extends KernelName>(kernel: K, ...args: AfterTeam<Engine[K]>): void;
}

/** One instruction of the elementwise machine; its operands are the op's, in order. */
export interface Instruction {
  readonly opcode: Opcode;
  /** A constant the instruction carries. */
  readonly immediate?: number;
  /** Random instructions: which operand is the key, and which stream of it to draw from. */
  readonly random?: { readonly key: number; readonly stream: number };
}

/** How an op becomes kernel calls. */
export type Lowering<A extends Attributes = Attributes> =
  | { readonly kind: "elementwise"; instruction(attributes: A): Instruction }
  /** The same elements under another layout; undefined where the operand must be copied first. */
  | { readonly kind: "view"; view(layout: Layout, attributes: A, output: Spec): Layout | undefined }
  | { readonly kind: "kernel"; emit(emitter: Emitter, attributes: A): void };

/** What a gradient rule has at hand. */
export interface VjpContext<A extends Attributes = Attributes> {
  readonly operands: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attributes: A;
  /** The gradients of all outputs; zeros where none arrived. */
  readonly gradients: readonly Tensor[];
  /** Which operands a gradient is wanted for: the others' may be left out. */
  readonly needs: readonly boolean[];
}

/** Gradients of the operands from `dy`, the gradient of output 0. */
export type Vjp<A extends Attributes = Attributes> = {
  // A method, so that a rule for particular attributes is a rule for attributes.
  rule(dy: Tensor, context: VjpContext<A>): readonly (Tensor | undefined)[];
}["rule"];

/** A primitive op. */
export interface Op<A extends Attributes = Attributes> {
  readonly name: string;
  /** Shapes and dtypes of the outputs; throws on misuse, naming the op and the shapes. */
  infer(operands: readonly Spec[], attributes: A): Spec | readonly Spec[];
  readonly lowering: Lowering<A>;
  /** `null` says: not differentiable. */
  readonly vjp: Vjp<A> | null;
  /** How many outputs, from the first, gradients flow through. Default: all of them. */
  readonly differentiable?: number;
  /** `[output, operand]` pairs that may share a buffer when the operand is not read again. */
  readonly inPlace?: readonly (readonly [number, number])[];
  /** Whether the kernel can add something to output 0: see `Emitter.addend`. */
  readonly takesAddend?: boolean;
}

/** What an op's signature makes of a call's arguments. */
export interface Recording<A extends Attributes> {
  readonly operands: readonly Tensor[];
  readonly attributes: A;
}

/** The ways a row may say how its op runs; exactly one. */
type LoweringRow<A extends Attributes> =
  | { elementwise: (attributes: A) => Instruction }
  | { view: (layout: Layout, attributes: A, output: Spec) => Layout | undefined }
  | { kernel: (emitter: Emitter, attributes: A) => void };

/** A row of the op table. */
export type OpRow<P extends unknown[], A extends Attributes> = LoweringRow<A> & {
  /** The public signature, as operands and attributes. */
  signature: (...args: P) => Recording<A>;
  infer: (operands: readonly Spec[], attributes: A) => Spec | readonly Spec[];
  vjp: Vjp<A> | null;
  differentiable?: number;
  inPlace?: readonly (readonly [number, number])[];
  takesAddend?: boolean;
};

/** An op as users call it; `all` gives every output, the call itself the first. */
export interface OpFunction<P extends unknown[]> {
  (...args: P): Tensor;
  all(...args: P): Tensor[];
}

/** An op of one operand. */
export type Unary = OpFunction<[x: Tensor]>;
/** An op of two operands that broadcast; a number stands for a scalar. */
export type Binary = OpFunction<[a: Tensor | number, b: Tensor | number]>;

let gradientsEnabled = true;

/** Runs `body` with nothing recorded for gradients. */
export function noGrad<T>(body: () => T): T {
  const before = gradientsEnabled;
  gradientsEnabled = false;
  try {
    return body();
  } finally {
    gradientsEnabled = before;
  }
}

/** Records one application of `op`: infers, checks, computes nothing. */
export function record<A extends Attributes>(
  op: Op<A>,
  operands: readonly Tensor[],
  attributes: A,
): Tensor[] {
  const values = operands.map((operand: unknown, index) => {
    if (operand instanceof Tensor) return operand.value;
    throw new ArgumentError(`${op.name}: operand ${index} is ${shown(operand)}, not a tensor`);
  });
  const specs = op.infer(values, attributes);
  const node = new Node(op, values, attributes, Array.isArray(specs) ? specs : [specs as Spec]);
  if (gradientsEnabled && op.vjp && values.some((value) => value.requiresGrad)) {
    for (const output of node.outputs.slice(0, op.differentiable)) {
      output.requiresGrad = isFloat(output.dtype);
    }
  }
  return node.outputs.map((output) => new Tensor(output));
}

function loweringOf<A extends Attributes>(row: LoweringRow<A>): Lowering<A> {
  if ("elementwise" in row) return { kind: "elementwise", instruction: row.elementwise };
  if ("view" in row) return { kind: "view", view: row.view };
  return { kind: "kernel", emit: row.kernel };
}

/** Makes an op of its row. */
export function defineOp<P extends unknown[], A extends Attributes>(
  name: string,
  row: OpRow<P, A>,
): OpFunction<P> {
  const op: Op<A> = {
    name,
    infer: (operands, attributes) => row.infer(operands, attributes),
    lowering: loweringOf(row),
    vjp: row.vjp,
    ...(row.differentiable !== undefined && { differentiable: row.differentiable }),
    ...(row.inPlace && { inPlace: row.inPlace }),
    ...(row.takesAddend && { takesAddend: row.takesAddend }),
  };
  const all = (...args: P): Tensor[] => {
    const { operands, attributes } = row.signature(...args);
    return record(op, operands, attributes);
  };
  return Object.assign((...args: P) => all(...args)[0]!, { all });
}
