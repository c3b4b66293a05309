import { shown } from "./checks.js";
import type { DType, TypedArray, TypedArrays } from "./dtype.js";
import { dtypes, isFloat } from "./dtype.js";
import { ArgumentError, DTypeError, ShapeError, StateError } from "./errors.js";
import { read, readSync } from "./evaluate.js";
import type { Value } from "./graph.js";
import { hostValue, Storage, storedValue } from "./graph.js";
import type { Shape } from "./shape.js";
import { checkShape, formatShape, sameShape, sizeOf } from "./shape.js";
import { noteUpdate } from "./updates.js";

/** Numbers nested as deep as a tensor has axes. */
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

/**
 * An n-dimensional array of one dtype. Ops on it record a graph and compute nothing; reading it
 * (`await data()`, or `dataSync()` where the thread may block) runs what was recorded. A recorded
 * value never changes.
 */
export class Tensor {
  /** Where `backward` adds up the gradient, for tensors with `requiresGrad`. */
  grad: Tensor | undefined;

  /** @internal */
  constructor(protected current: Value) {}

  /** @internal The tensor's place in the graph. */
  get value(): Value {
    return this.current;
  }

  /** The sizes of its axes, outermost first. */
  get shape(): Shape {
    return this.current.shape;
  }

  /** The type of its elements. */
  get dtype(): DType {
    return this.current.dtype;
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }

  /** Whether `backward` computes its gradient. Only float tensors may have one. */
  get requiresGrad(): boolean {
    return this.current.requiresGrad;
  }

  set requiresGrad(wanted: boolean) {
    if (wanted && !isFloat(this.dtype)) {
      throw new DTypeError(`requiresGrad: a ${this.dtype} tensor has no gradient; use float32`);
    }
    if (this.current.node) {
      throw new StateError("requiresGrad: set it on tensors that hold data; use detach() first");
    }
    this.current.requiresGrad = wanted;
    if (wanted) leaves.set(this.current, new WeakRef(this));
  }

  /** Its elements in row-major order, once they are computed. */
  data(): Promise<TypedArray> {
    return read(this.current);
  }

  /** Its elements in row-major order; the thread blocks. Throws StateError where it may not. */
  dataSync(): TypedArray {
    return readSync(this.current);
  }

  /** The only element of a tensor of size 1. Throws ShapeError for other sizes. */
  async item(): Promise<number> {
    this.checkSingle();
    return (await this.data())[0]!;
  }

  /** As `item`, with the thread blocking. */
  itemSync(): number {
    this.checkSingle();
    return this.dataSync()[0]!;
  }

  /** Its elements as nested arrays. */
  async toArray(): Promise<NestedNumbers> {
    return nest(await this.data(), this.shape);
  }

  /** The same content with no history: gradients do not flow past it. */
  detach(): Tensor {
    const { shape, dtype, source, variable } = this.current;
    if (source?.kind === "stored" && !variable) {
      return new Tensor(storedValue(source.storage, shape, dtype));
    }
    return detachRecorded(this);
  }

  /** Frees its buffer now instead of when it is garbage collected. */
  dispose(): void {
    const { source } = this.current;
    if (source?.kind === "stored") source.storage.dispose();
  }

  /** `using` disposes. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** `Tensor [2, 3] float32`: the content is not computed for it. */
  toString(): string {
    return `Tensor ${formatShape(this.shape)} ${this.dtype}`;
  }

  private checkSingle(): void {
    if (this.size === 1) return;
    throw new ShapeError(`item: ${formatShape(this.shape)} has ${this.size} elements, not one`);
  }
}

const leaves = new WeakMap<Value, WeakRef<Tensor>>();

/** @internal The tensor that asked for the gradient of a leaf. */
export function leafTensor(value: Value): Tensor | undefined {
  return value.variable ?? leaves.get(value)?.deref();
}

let detachRecorded: (tensor: Tensor) => Tensor = () => {
  throw new StateError("detach: the op table is not loaded");
};

/** @internal How a tensor not yet computed is detached: an op, so the op table says it. */
export function setDetach(detach: (tensor: Tensor) => Tensor): void {
  detachRecorded = detach;
}

/** Options of a `Variable`. */
export interface VariableOptions {
  readonly requiresGrad?: boolean;
  readonly name?: string;
  /** For state that only its owner reads: saves a second buffer. */
  readonly overwrite?: boolean;
}

/** A tensor whose content is replaced by `assign`: parameters, optimizer state, statistics. */
export class Variable extends Tensor {
  /** A buffer of the variable's size to write the next content to, where one is at hand. */
  private spare: Storage | undefined;
  private gradientWanted: boolean;

  constructor(
    data: TypedArray,
    shape: Shape,
    dtype: DType,
    { requiresGrad = false, name = "", overwrite = false }: VariableOptions = {},
  ) {
    super(hostValue(data, shape, dtype));
    this.name = name;
    this.overwrite = overwrite;
    this.gradientWanted = requiresGrad;
    this.adopt(this.current);
  }

  /** What errors and `summary` call it. */
  name: string;

  /** @internal Whether an update may overwrite the content even where an older record reads it. */
  readonly overwrite: boolean;

  override get requiresGrad(): boolean {
    return this.gradientWanted;
  }

  override set requiresGrad(wanted: boolean) {
    this.gradientWanted = wanted;
    this.current.requiresGrad = wanted;
  }

  /** Its content from now on; ops recorded before keep the old one. Throws on another shape. */
  assign(next: Tensor): void {
    if (!sameShape(next.shape, this.shape) || next.dtype !== this.dtype) {
      throw new ShapeError(
        `assign: ${this.name || "variable"} is ${formatShape(this.shape)} ${this.dtype}, ` +
          `not ${formatShape(next.shape)} ${next.dtype}`,
      );
    }
    noteUpdate(this, this.current);
    this.current = next.value;
  }

  /** Its content from host data. Throws ShapeError where the number of elements differs. */
  set(data: TypedArray): void {
    if (data.length !== this.size) {
      throw new ShapeError(
        `set: ${this.name || "variable"} is ${formatShape(this.shape)}, ${this.size} elements; ` +
          `got ${data.length}`,
      );
    }
    const copy = new dtypes[this.dtype].make(data);
    this.assign(new Tensor(hostValue(copy, this.shape, this.dtype)));
  }

  /** @internal Makes `value` its content, with nothing recorded. */
  adopt(value: Value): void {
    value.variable = this;
    value.requiresGrad = this.gradientWanted;
    this.current = value;
  }

  /** @internal The buffer for its next content: the one before the present, if it has the size. */
  takeSpare(): Storage {
    const spare = this.spare ?? new Storage(this.current.bytes);
    this.spare = undefined;
    return spare;
  }

  /** @internal Keeps `storage` for the content after next. */
  keepSpare(storage: Storage): void {
    this.spare = storage;
  }
}

/** A tensor of `data`: numbers nested evenly, or a typed array with its `shape`. */
export function tensor(
  data: NestedNumbers | TypedArray,
  { shape, dtype, requiresGrad = false }: TensorOptions = {},
): Tensor {
  const found = ArrayBuffer.isView(data)
    ? { numbers: data, shape: [data.length] }
    : flattenNested("tensor", data);
  const wanted = shape ?? found.shape;
  checkShape("tensor", wanted);
  const { length } = found.numbers;
  if (sizeOf(wanted) !== length) {
    throw new ShapeError(
      `tensor: ${length} elements do not fill ${formatShape(wanted)} (${sizeOf(wanted)})`,
    );
  }
  const kind = dtype ?? dtypeOf(data);
  if (!Object.hasOwn(dtypes, kind)) {
    throw new DTypeError(
      `tensor: dtype ${shown(kind)} is none of ${Object.keys(dtypes).join(", ")}`,
    );
  }
  const made = new Tensor(hostValue(new dtypes[kind].make(found.numbers), wanted, kind));
  if (requiresGrad) made.requiresGrad = true;
  return made;
}

/** Options of `tensor`. */
export interface TensorOptions {
  /** Default: as the data is nested. */
  readonly shape?: Shape;
  /** Default: that of a typed array; `bool` for booleans; else `float32`. */
  readonly dtype?: DType;
  readonly requiresGrad?: boolean;
}

function dtypeOf(data: NestedNumbers | TypedArray): DType {
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "bool";
  let first: unknown = data;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "float32";
}

/** Nested numbers in row-major order, with their shape; errors name `op`. Throws on ragged data. */
export function flattenNested(
  op: string,
  data: NestedNumbers,
): { readonly numbers: number[]; readonly shape: Shape } {
  const numbers: number[] = [];
  return { numbers, shape: append(op, data, numbers) };
}

/** Appends the numbers of `data` to `into` and gives its shape. */
function append(op: string, data: NestedNumbers, into: number[]): Shape {
  if (typeof data === "number" || typeof data === "boolean") {
    into.push(Number(data));
    return [];
  }
  if (!Array.isArray(data)) {
    throw new ArgumentError(`${op}: ${shown(data)} is neither a number nor an array of them`);
  }
  let inner: Shape | undefined;
  // Not forEach, which passes over the holes of an array.
  for (let index = 0; index < data.length; index++) {
    const shape = append(op, data[index] as NestedNumbers, into);
    inner ??= shape;
    if (!sameShape(inner, shape)) {
      throw new ShapeError(
        `${op}: ragged data: entry 0 has shape ${formatShape(inner)}, ` +
          `entry ${index} has ${formatShape(shape)}`,
      );
    }
  }
  return [data.length, ...(inner ?? [])];
}

function nest(data: TypedArrays[DType], shape: Shape): NestedNumbers {
  const build = (axis: number, start: number, size: number): NestedNumbers => {
    if (axis === shape.length) return data[start]!;
    const step = size / shape[axis]!;
    return Array.from({ length: shape[axis]! }, (_, i) => build(axis + 1, start + i * step, step));
  };
  return build(0, 0, data.length);
}
