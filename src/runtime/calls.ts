/** A Program's calls made ready for one thread: functions to call, and arguments to fill in. */
import type { Program } from "../program/program.js";
import { doubleKernels } from "./double.js";
import type { Exports, Instance, Kernel } from "./instance.js";
import { kernelOf } from "./instance.js";
import type { ProgramCalls } from "./job.js";

interface ReadyCall {
  readonly kernel: Kernel;
  readonly args: number[];
}

/** An argument that depends on where a buffer is. */
interface Patch {
  readonly args: number[];
  readonly index: number;
  readonly offset: number;
}

/** Where the addresses that a Program is bound to stand: constants, arena, then the slots. */
const constantsIndex = 0;
const arenaIndex = 1;
const firstSlot = 2;

/** How many addresses `program` is bound to. */
export function bindingCount(program: Program): number {
  return firstSlot + program.slots.length;
}

/** The calls of one Program on one thread. */
export class CallList {
  readonly #exports: Exports;
  readonly #calls: readonly ReadyCall[];
  readonly #patches: readonly Patch[][];
  readonly #bound: number[];
  #team = 0;

  /** `double` gives the module's bytes if there are calls of float64. */
  constructor(instance: Instance, program: ProgramCalls, double: () => Uint8Array<ArrayBuffer>) {
    const { exports } = instance;
    this.#exports = exports;
    const patches = Array.from({ length: firstSlot + program.slots.length }, (): Patch[] => []);
    const kernels = new Map<string, Kernel>();
    this.#calls = program.calls.map((call) => {
      const key = `${call.kernel} ${call.double === true}`;
      const kernel =
        kernels.get(key) ??
        (call.double
          ? doubleKernels(instance, double)(call.kernel)
          : kernelOf(exports, call.kernel));
      kernels.set(key, kernel);
      const args = [0];
      for (const argument of call.args) {
        if (typeof argument !== "number") {
          const { buffer, offset } = argument;
          patches[indexOf(buffer)]!.push({ args, index: args.length, offset });
        }
        args.push(typeof argument === "number" ? argument : 0);
      }
      return { kernel, args };
    });
    this.#patches = patches;
    this.#bound = patches.map(() => -1);
  }

  /**
   * Runs the calls as one of the threads of `team`, on buffers at `addresses`. Stops after the
   * call that met bad data, on every thread alike. `onCall` is told each call's number.
   */
  run(
    { memory }: Instance,
    team: number,
    addresses: ArrayLike<number>,
    onCall?: (index: number) => void,
  ): void {
    this.#bind(team, addresses);
    const exports = this.#exports;
    const faultAddress = exports.team_fault(team);
    let fault = faultWords(memory, faultAddress);
    const last = this.#calls.length - 1;
    for (let index = 0; index <= last; index++) {
      const { kernel, args } = this.#calls[index]!;
      onCall?.(index);
      exports.team_set_call(team, index);
      kernel(...args);
      exports.team_barrier(team);
      // After the last call the leader may be in its next run already: no fault of this one's.
      if (index === last) return;
      // A memory that is not shared takes its views away when it grows.
      if (fault.length === 0) fault = faultWords(memory, faultAddress);
      // A thread ahead of this one may already have met bad data in the next call.
      if (Atomics.load(fault, 0) === 0 || Atomics.load(fault, 1) > index) continue;
      // All have seen it before the leader clears it for its next run.
      exports.team_barrier(team);
      return;
    }
  }

  #bind(team: number, addresses: ArrayLike<number>): void {
    if (team !== this.#team) {
      for (const { args } of this.#calls) args[0] = team;
      this.#team = team;
    }
    for (let buffer = 0; buffer < this.#patches.length; buffer++) {
      const address = addresses[buffer]!;
      if (address === this.#bound[buffer]) continue;
      this.#bound[buffer] = address;
      for (const { args, index, offset } of this.#patches[buffer]!) args[index] = address + offset;
    }
  }
}

/** The addresses of a Program's buffers, in the order that `CallList.run` takes them. */
export function bindings(constants: number, arena: number, slots: readonly number[]): number[] {
  const addresses: number[] = [];
  addresses[constantsIndex] = constants;
  addresses[arenaIndex] = arena;
  addresses.push(...slots);
  return addresses;
}

function indexOf(buffer: "constants" | "arena" | number): number {
  if (buffer === "constants") return constantsIndex;
  return buffer === "arena" ? arenaIndex : firstSlot + buffer;
}

/** A team's fault: code (0: none), number of the call, position, value. */
export function faultWords({ buffer }: WebAssembly.Memory, address: number): Int32Array {
  return new Int32Array(buffer, address, 4);
}
