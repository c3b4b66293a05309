/**
 * What passes between the thread that records graphs and the Leader that owns the wasm memory.
 * Every type here is structured-cloneable: the two may be one thread or two.
 */
import type { Program } from "../program/program.js";

/** A buffer in the Leader's memory; the caller counts them up and never uses one twice. */
export type Handle = number;

/**
 * One dispatch. The Leader does the parts in the order of the fields. Frees, loads and unloads hold
 * even if the rest is refused or fails.
 */
export interface Request {
  /** Buffers no longer needed. */
  readonly frees?: readonly Handle[];
  /** Host data to put into a buffer, which is made if it is new. Its bytes are copied. */
  readonly writes?: readonly { readonly handle: Handle; readonly data: ArrayBufferView }[];
  /** A Program to keep under its key. Posted once per Leader, before its first run. */
  readonly load?: Program;
  /** A Program to run, with the buffer of each of its slots; those of `out` slots may be new. */
  readonly run?: { readonly key: number; readonly slots: readonly Handle[] };
  /** Keys of Programs that will not run again. */
  readonly unload?: readonly number[];
  /** Buffers to copy out, with their sizes. */
  readonly reads?: readonly { readonly handle: Handle; readonly bytes: number }[];
}

/** What the Leader answers: the bytes of `reads`, in their order. */
export interface Response {
  readonly reads: ArrayBuffer[];
  readonly memory: MemoryInfo;
}

/** Bytes in the Leader's memory. */
export interface MemoryInfo {
  /** Held by tensors, Programs' constants and the arena now. */
  readonly live: number;
  /** The most that was ever live. */
  readonly peak: number;
  /** What the wasm memory has grown to. */
  readonly reserved: number;
  /** What it may grow to. */
  readonly limit: number;
}

/** Builds of the engine, fastest first. */
export type Build = "relaxed" | "plain" | "single";

/** What runs, as `engine.info()` says it. */
export interface EngineInfo {
  readonly build: Build;
  readonly simd: "relaxed-simd" | "simd128";
  /** Whether products run on V8's vectors of 256 bits; see `init`'s option of that name. */
  readonly wide: boolean;
  readonly threads: number;
  /** Where the Leader is: on the calling thread, or in a worker of its own. */
  readonly host: "caller" | "worker";
  readonly memory: MemoryInfo;
  /** Why a faster build, or more threads, was not chosen; empty when none would be faster. */
  readonly reasons: readonly string[];
}

/** Choices of `init`; what is left out is chosen by the host's abilities. */
export interface InitOptions {
  /**
   * Threads of the team, the leader's included; one where memory cannot be shared. Default: the
   * host's cores, at most 16.
   */
  readonly threads?: number;
  /** An explicit choice of build; it throws if the host cannot run it. */
  readonly build?: Build;
  /**
   * In Node: sets flags of V8, for the whole process, that bring relaxed SIMD to Node 20 and
   * vectors of 256 bits to Node 24 and later: products are up to twice as fast, and the bits those
   * of the build. `engine.info()` tells why where they are not used. Default: false.
   */
  readonly wide?: boolean;
  /**
   * `caller` (default where a thread may block): `dataSync` works. `worker` (always in a page):
   * nothing blocks.
   */
  readonly host?: "caller" | "worker";
  /** The most bytes the wasm memory may grow to. Default: 4 GiB, or less where the host refuses. */
  readonly maxMemory?: number;
  /** Where the `wasm/` folder is, if not beside the package; relative to the page. */
  readonly wasmUrl?: string | URL;
  /** Where the worker script is, if not beside the package; relative to the page. */
  readonly workerUrl?: string | URL;
  /** Where the script of `fit`'s workers is, if not beside the package; relative to the page. */
  readonly replicaUrl?: string | URL;
}
