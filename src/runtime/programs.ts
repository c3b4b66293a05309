/** The Leader's Programs, and the memory that they need besides their slots. */
import { StateError } from "../errors.js";
import type { Program } from "../program/program.js";
import { CallList } from "./calls.js";
import type { DoubleModule, Span } from "./double.js";
import type { Heap } from "./heap.js";
import type { Instance } from "./instance.js";
import type { ProgramText } from "./job.js";
import { encodeProgram } from "./job.js";

/** A Program that may run. */
interface Loaded {
  readonly program: Program;
  readonly place: number;
  /** Whether a call is of float64. */
  readonly double: boolean;
  constants?: number;
  text?: ProgramText;
  /** Its calls on an instance of the engine. */
  ready?: { readonly instance: Instance; readonly list: CallList };
}

/** A Program that will run: everything it needs has its place. */
export interface Runnable {
  readonly program: Program;
  readonly list: CallList;
  readonly constants: number;
  readonly arena: number;
  readonly text: ProgramText;
  /** The module of float64 kernels, for workers; empty where they need none. */
  readonly double: Span;
}

/** What no worker asks for. */
const nothing: Span = { address: 0, bytes: 0 };

/** Loaded Programs by key, with one arena for all: they run one at a time. */
export class Programs {
  readonly #heap: Heap;
  readonly #memory: WebAssembly.Memory;
  readonly #double: DoubleModule;
  readonly #loaded = new Map<number, Loaded>();
  readonly #places: number[] = [];
  #arena: { readonly address: number; readonly bytes: number } | undefined;

  constructor(heap: Heap, memory: WebAssembly.Memory, double: DoubleModule) {
    this.#heap = heap;
    this.#double = double;
    this.#memory = memory;
  }

  /** Keeps a Program; nothing is allocated before it runs. */
  load(program: Program): void {
    if (this.#loaded.has(program.key)) return;
    const place = this.#places.pop() ?? this.#loaded.size;
    const double = program.calls.some((call) => call.double);
    this.#loaded.set(program.key, { program, place, double });
  }

  /** Forgets a Program. */
  unload(key: number): void {
    const loaded = this.#loaded.get(key);
    if (!loaded) return;
    this.#loaded.delete(key);
    this.#places.push(loaded.place);
    if (loaded.constants !== undefined) this.#heap.free(loaded.constants);
    if (loaded.text) this.#heap.free(loaded.text.address);
    const needs = [...this.#loaded.values()].map(({ program }) => program.arenaBytes);
    if (this.#arena && this.#arena.bytes > Math.max(0, ...needs)) this.#dropArena();
  }

  /** The Program of `key`. Throws StateError. */
  get(key: number): Program {
    return this.#get(key).program;
  }

  /** Finds place for all that a Program needs but its slots. Throws OutOfMemoryError. */
  prepare(key: number, instance: Instance, threads: number): Runnable {
    const loaded = this.#get(key);
    const { program, place } = loaded;
    const arena = this.#arenaFor(program);
    loaded.constants ??= this.#putConstants(program);
    if (threads > 1) loaded.text ??= this.#putText(program, place);
    if (loaded.ready?.instance !== instance) {
      loaded.ready = { instance, list: new CallList(instance, program, () => this.#double.bytes) };
    }
    return {
      program,
      list: loaded.ready.list,
      constants: loaded.constants,
      arena,
      text: loaded.text ?? { key, place, ...nothing },
      double: threads > 1 && loaded.double ? this.#double.share() : nothing,
    };
  }

  #get(key: number): Loaded {
    const loaded = this.#loaded.get(key);
    if (!loaded) throw new StateError(`program ${key} is not loaded`);
    return loaded;
  }

  #arenaFor({ arenaBytes }: Program): number {
    if (this.#arena && this.#arena.bytes >= arenaBytes) return this.#arena.address;
    this.#dropArena();
    const address = this.#heap.allocate(arenaBytes, "the arena of intermediate results");
    this.#arena = { address, bytes: arenaBytes };
    return address;
  }

  #dropArena(): void {
    if (this.#arena) this.#heap.free(this.#arena.address);
    this.#arena = undefined;
  }

  #putConstants({ constants }: Program): number {
    const address = this.#heap.allocate(4 * constants.length, "a Program's constants");
    new Int32Array(this.#memory.buffer, address, constants.length).set(constants);
    return address;
  }

  #putText(program: Program, place: number): ProgramText {
    const text = encodeProgram(program);
    const address = this.#heap.allocate(text.length, "a Program's calls");
    new Uint8Array(this.#memory.buffer, address, text.length).set(text);
    return { key: program.key, place, address, bytes: text.length };
  }
}
