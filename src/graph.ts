/**
 * The graph that ops record and autograd extends: Values (immutable, shaped), the Nodes that make
 * them, and the Storages that hold those which have been computed.
 */
import type { DType, TypedArray } from "./dtype.js";
import { dtypes } from "./dtype.js";
import type { Op } from "./op.js";
import type { Shape } from "./shape.js";
import { sizeOf } from "./shape.js";
import type { Variable } from "./tensor.js";

/** What is known of a value before it is computed. */
export interface Spec {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** What an op is told besides its operands; part of a Program's structure, so plain data. */
export type Attributes = {
  readonly [name: string]: number | boolean | string | undefined | readonly number[];
};

let handles = 0;
let nodes = 0;
let released: number[] = [];
const collected = new FinalizationRegistry<number>((handle) => released.push(handle));

/** How many nodes were recorded so far; later ones have larger ids. */
export function nodeCount(): number {
  return nodes;
}

/** The handles freed since the last call: the next request tells the Leader. */
export function takeReleased(): number[] {
  const taken = released;
  released = [];
  return taken;
}

/** A buffer in the Leader's memory, freed when nothing refers to it or by `dispose`. */
export class Storage {
  readonly handle = ++handles;
  /** Raised at each overwrite: a Value recorded against an older one is stale. */
  version = 0;
  disposed = false;
  /** What is to be uploaded before the first run that reads this buffer. */
  host: TypedArray | undefined;
  /** Settles when the run that fills it has; undefined once it has. */
  ready: Promise<void> | undefined;

  constructor(
    readonly bytes: number,
    host?: TypedArray,
  ) {
    this.host = host;
    collected.register(this, this.handle, this);
  }

  /** Frees the buffer now. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.host = undefined;
    collected.unregister(this);
    released.push(this.handle);
  }
}

/** Data made anew for each replay of a traced function. */
export interface Dynamic {
  readonly provide: () => TypedArray;
  /** Takes back what the last `provide` counted, when its replay has failed. */
  readonly undo: () => void;
}

/** Where a Value without a Node gets its content from. */
export type Source =
  /** A buffer, as it was at this version. */
  | { readonly kind: "stored"; readonly storage: Storage; readonly version: number }
  /** The nth argument of a function being traced. */
  | { readonly kind: "argument"; readonly index: number }
  /** Host data made anew for each replay of a traced function. */
  | ({ readonly kind: "dynamic" } & Dynamic);

/** One immutable array in the graph. */
export class Value implements Spec {
  /** How it is computed; dropped once stored, unless gradients need it. */
  node: Node | undefined;
  source: Source | undefined;
  /** The variable whose content this was when it was recorded. */
  variable: Variable | undefined;
  requiresGrad = false;
  /** After `backward` the history goes as soon as the content is stored. */
  historyUsed = false;

  constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    origin: { readonly node: Node; readonly index: number } | { readonly source: Source },
  ) {
    if ("node" in origin) {
      this.node = origin.node;
      this.index = origin.index;
    } else {
      this.source = origin.source;
    }
  }

  /** Which of its Node's outputs it is. */
  readonly index: number = 0;

  get bytes(): number {
    return sizeOf(this.shape) * dtypes[this.dtype].bytes;
  }

  /** Takes `storage`'s content as its own. */
  store(storage: Storage): void {
    this.source = { kind: "stored", storage, version: storage.version };
    if (!this.requiresGrad || this.historyUsed) this.node = undefined;
  }
}

/** One application of an op. */
export class Node {
  /** Later nodes have larger ids, so sorting by id is a topological order. */
  readonly id = ++nodes;
  readonly outputs: readonly Value[];

  constructor(
    readonly op: Op,
    readonly inputs: readonly Value[],
    readonly attributes: Attributes,
    outputs: readonly Spec[],
  ) {
    this.outputs = outputs.map(
      (spec, index) => new Value(spec.shape, spec.dtype, { node: this, index }),
    );
  }
}

/** A Value whose content is the host's `data`, uploaded when first needed. */
export function hostValue(data: TypedArray, shape: Shape, dtype: DType): Value {
  return storedValue(new Storage(data.byteLength, data), shape, dtype);
}

/** A Value whose content is in `storage` now. */
export function storedValue(storage: Storage, shape: Shape, dtype: DType): Value {
  const source = { kind: "stored", storage, version: storage.version } as const;
  return new Value(shape, dtype, { source });
}
