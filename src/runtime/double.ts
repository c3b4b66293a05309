/** The engine's module of float64 kernels, which few use: it is loaded when a Program needs it. */
import { ArgumentError } from "../errors.js";
import type { Heap } from "./heap.js";
import type { Instance, Kernel } from "./instance.js";
import { stackBytes } from "./instance.js";

/** Bytes somewhere in the engine's memory. */
export interface Span {
  readonly address: number;
  readonly bytes: number;
}

/** A kernel of float64 by its name. */
export type DoubleKernels = (name: string) => Kernel;

/** The module's bytes, read once, and where workers find them. */
export class DoubleModule {
  readonly #read: () => Uint8Array<ArrayBuffer>;
  readonly #heap: Heap;
  readonly #memory: WebAssembly.Memory;
  #bytes: Uint8Array<ArrayBuffer> | undefined;
  #span: Span | undefined;

  constructor(read: () => Uint8Array<ArrayBuffer>, heap: Heap, memory: WebAssembly.Memory) {
    this.#read = read;
    this.#heap = heap;
    this.#memory = memory;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return (this.#bytes ??= this.#read());
  }

  /** Its place in the memory that workers share. Throws OutOfMemoryError. */
  share(): Span {
    if (this.#span) return this.#span;
    const { bytes } = this;
    const address = this.#heap.allocate(bytes.length, "the engine's module for float64");
    new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
    this.#span = { address, bytes: bytes.length };
    return this.#span;
  }
}

const made = new WeakMap<Instance, WebAssembly.Exports>();

/**
 * The kernels of float64 on the thread of `instance` and on its memory; the first time they are made
 * of the module's `bytes`.
 */
export function doubleKernels(
  instance: Instance,
  bytes: () => Uint8Array<ArrayBuffer>,
): DoubleKernels {
  let kernels = made.get(instance);
  if (!kernels) {
    kernels = instantiate(instance, bytes());
    made.set(instance, kernels);
  }
  const exports = kernels;
  return (name) => functionOf(exports, name);
}

function instantiate(
  { exports, memory, thread }: Instance,
  bytes: Uint8Array<ArrayBuffer>,
): WebAssembly.Exports {
  const { memory_take, memory_give } = exports;
  const stall_hook = (team: number): void => globalThis.__ferrogradStall?.(team);
  const env = { memory, memory_take, memory_give, stall_hook };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env });
  const stack = instance.exports.__stack_pointer;
  if (!(stack instanceof WebAssembly.Global)) throw new ArgumentError(notOfThisVersion);
  // The lower half of the thread's stack: of the upper one the other module has little in use when
  // this one runs, and the allocator's needs when this one calls it.
  stack.value = thread.stack + stackBytes / 2;
  functionOf(instance.exports, "double_start")();
  return instance.exports;
}

const notOfThisVersion = "the engine's module for float64 is not of this version";

function functionOf(exports: WebAssembly.Exports, name: string): Kernel {
  const found = exports[name];
  if (typeof found === "function") return found as Kernel;
  throw new ArgumentError(`${notOfThisVersion}: it has no "${name}"`);
}
