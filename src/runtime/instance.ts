/** One thread's instance of the engine's wasm module, through wasm-bindgen's own glue. */
import { ArgumentError, OutOfMemoryError } from "../errors.js";
import { engineFile } from "./files.js";
import { pageBytes } from "./heap.js";
import { readBytes } from "./platform.js";
import type { Build } from "./protocol.js";

/** The exports of the engine crate. */
export type Exports = typeof import("../../wasm/plain/engine.js");

/** A kernel as a Program's calls see it: `team`, then numbers. */
export type Kernel = (...args: readonly number[]) => void;

/** What any thread needs to make its Instance; structured-cloneable. */
export interface Source {
  readonly module: WebAssembly.Module;
  /** The glue's address. Each copy of it serves one instance. */
  readonly glue: string;
  /** The memory all threads share; undefined for the build that has its own. */
  readonly memory: WebAssembly.Memory | undefined;
}

/** Addresses of what Rust allocated for one thread; 0 where it allocated nothing. */
export interface ThreadMemory {
  readonly locals: number;
  readonly stack: number;
}

/** The engine on one thread. */
export interface Instance {
  readonly exports: Exports;
  readonly memory: WebAssembly.Memory;
  readonly thread: ThreadMemory;
  /** Frees the stack and locals of an instance, of this thread or another, that is used no more. */
  release(thread: ThreadMemory): void;
}

/** Bytes of the stack of each thread; the first one has its own at the memory's beginning. */
export const stackBytes = 2 ** 21;

/** What the memory begins with: more than the first thread's stack and the module's data. */
export const initialBytes = 64 * pageBytes;

/** Below this a host's refusal of the memory is final. */
const leastMemory = 64 * 2 ** 20;

/** Compiles a build found under `wasmUrl`, a folder. */
export async function loadSource(
  wasmUrl: URL,
  build: Build,
  memory: WebAssembly.Memory | undefined,
): Promise<Source> {
  const bytes = await readBytes(engineFile(wasmUrl, build, "engine_bg.wasm"));
  const module = await WebAssembly.compile(bytes);
  return { module, glue: engineFile(wasmUrl, build, "engine.js").href, memory };
}

/** A shared memory that may grow to `limit` bytes, or to the most that the host grants. */
export function createMemory(limit: number): { memory: WebAssembly.Memory; limit: number } {
  for (let bytes = limit; ; bytes /= 2) {
    const maximum = Math.floor(bytes / pageBytes);
    try {
      return {
        memory: new WebAssembly.Memory({
          initial: initialBytes / pageBytes,
          maximum,
          shared: true,
        }),
        limit: maximum * pageBytes,
      };
    } catch (error) {
      if (bytes / 2 >= leastMemory) continue;
      throw new OutOfMemoryError(`init: no WebAssembly memory of ${bytes} bytes: ${String(error)}`);
    }
  }
}

let copies = 0;

/**
 * A fresh copy of the glue, ready to make an instance at once: a thread whose run was abandoned
 * half-way must replace its instance, whose stack and locals are in disarray, without waiting.
 */
export async function prepare({ module, glue, memory }: Source): Promise<() => Instance> {
  // Modules are told apart by the fragment too, which unlike a query fits any kind of URL.
  const copy = `${glue}#copy=${copies++}`;
  const exports = (await import(/* webpackIgnore: true */ /* @vite-ignore */ copy)) as Exports;
  return () => {
    const raw = memory
      ? exports.initSync({ module, memory, thread_stack_size: stackBytes })
      : exports.initSync({ module });
    return {
      exports,
      memory: memory ?? ownMemory(raw),
      thread: { locals: globalOf(raw, "__tls_base"), stack: globalOf(raw, "__stack_alloc") },
      release: ({ locals, stack }) => {
        // The first thread's stack is part of the module; and 0 would mean this thread's own.
        if (stack !== 0) raw.__wbindgen_thread_destroy(locals, stack, stackBytes);
      },
    };
  };
}

/** The value of an exported global that the declarations do not know; 0 where there is none. */
function globalOf(raw: object, name: string): number {
  const found: unknown = Reflect.get(raw, name);
  return found instanceof WebAssembly.Global ? Number(found.value) : 0;
}

/** The memory of the build that brings its own; the declarations are those of one that does not. */
function ownMemory(raw: object): WebAssembly.Memory {
  if ("memory" in raw && raw.memory instanceof WebAssembly.Memory) return raw.memory;
  throw new ArgumentError("the engine's module exports no memory: it is not of this version");
}

/** The kernel called `name`. */
export function kernelOf(exports: Exports, name: string): Kernel {
  const found = Object.entries(exports).find(([key]) => key === name)?.[1];
  if (typeof found !== "function") {
    throw new ArgumentError(`the engine has no kernel called "${name}"`);
  }
  return found as Kernel;
}
