/** The owner of the wasm memory: it holds the buffers and Programs, and leads the team. */
import { FerrogradError, IndexError, StateError, WorkerDiedError, reasonOf } from "../errors.js";
import type { Program } from "../program/program.js";
import { Buffers } from "./buffers.js";
import { bindingCount, bindings } from "./calls.js";
import { DoubleModule } from "./double.js";
import { Heap } from "./heap.js";
import type { Instance } from "./instance.js";
import { prepare } from "./instance.js";
import type { Resolved } from "./options.js";
import { resolve } from "./options.js";
import { threadProbe } from "./platform.js";
import type { Runnable } from "./programs.js";
import { Programs } from "./programs.js";
import type { EngineInfo, Handle, InitOptions, MemoryInfo, Request, Response } from "./protocol.js";
import type { Fault, Member } from "./team.js";
import { recruit, Team } from "./team.js";
import { tryWide } from "./wide.js";

/** What a Leader is made of. */
interface Parts extends Resolved {
  readonly host: EngineInfo["host"];
  readonly isAlive: (systemThread: number) => boolean;
  readonly spare: () => Instance;
}

/** A run whose buffers all have their place. */
interface Bound extends Runnable {
  readonly addresses: readonly number[];
}

/** Runs Requests, one after the other, on the thread that made it. */
export class Leader {
  readonly #parts: Parts;
  readonly #heap: Heap;
  readonly #buffers: Buffers;
  readonly #programs: Programs;
  #instance: Instance;
  /** Makes the instance that replaces this one after an abandoned run. */
  #spare: (() => Instance) | undefined;
  #team: Team;
  /** Why products are not wide though they were to be. */
  readonly #notWide: string | undefined;
  /** Why there are fewer threads than there should be. */
  #shortage: string | undefined;
  /** Raised at each replacement of the team: an older one that becomes ready is not wanted. */
  #teams = 0;
  #closed = false;

  private constructor(parts: Parts, instance: Instance, members: readonly Member[]) {
    this.#parts = parts;
    this.#instance = instance;
    this.#spare = parts.spare;
    this.#heap = new Heap(instance.memory, parts.limit);
    this.#buffers = new Buffers(this.#heap);
    const double = new DoubleModule(parts.readDouble, this.#heap, instance.memory);
    this.#programs = new Programs(this.#heap, instance.memory, double);
    this.#notWide = parts.wide ? tryWide(instance, this.#heap) : undefined;
    this.#team = this.#form(members);
  }

  /**
   * Starts the engine with its team. `host` says whether this thread is the caller's own. Throws
   * ArgumentError for options that this host cannot honour.
   */
  static async start(options: InitOptions, host: EngineInfo["host"]): Promise<Leader> {
    const resolved = await resolve(options);
    const { source, choice, script } = resolved;
    const instantiate = await prepare(source);
    const instance = instantiate();
    const [spare, isAlive, members] = await Promise.all([
      prepare(source),
      threadProbe(),
      recruit(source, choice.threads - 1, script),
    ]);
    return new Leader({ ...resolved, host, spare, isAlive }, instance, members);
  }

  /** What runs. */
  info(): EngineInfo {
    const { choice, host, wide } = this.#parts;
    const { build, simd, reasons } = choice;
    const later = [this.#notWide, this.#shortage].filter((reason) => reason !== undefined);
    return {
      build,
      simd,
      wide: wide && this.#notWide === undefined,
      threads: this.#team.threads,
      host,
      memory: this.#memory(),
      reasons: [...reasons, ...later],
    };
  }

  /**
   * Does what `request` asks. If it throws, frees, loads and unloads hold nevertheless; of the
   * rest nothing does when the request is refused (StateError, OutOfMemoryError), and the writes
   * hold, but no buffer that was to be made by the run exists, when the run fails: IndexError for
   * an index out of range, WorkerDiedError.
   */
  execute(request: Request): Response {
    if (this.#closed) throw new StateError("the engine was shut down: call await init() again");
    const { frees = [], load, unload = [] } = request;
    for (const handle of frees) this.#buffers.free(handle);
    if (load) this.#programs.load(load);
    try {
      return this.#execute(request);
    } finally {
      for (const key of unload) this.#programs.unload(key);
    }
  }

  /** Ends the team; its memory is given up. */
  close(): void {
    this.#closed = true;
    this.#teams++;
    this.#team.close();
  }

  #execute({ writes = [], run, reads = [] }: Request): Response {
    const written: Handle[] = [];
    const made: Handle[] = [];
    const make = (into: Handle[], handle: Handle, bytes: number): void => {
      if (this.#buffers.has(handle)) return;
      this.#buffers.make(handle, bytes);
      into.push(handle);
    };
    let bound: Bound | undefined;
    try {
      for (const { handle, data } of writes) make(written, handle, data.byteLength);
      if (run) {
        this.#programs.get(run.key).slots.forEach(({ bytes, role }, index) => {
          const handle = run.slots[index];
          if (role === "out" && handle !== undefined) make(made, handle, bytes);
        });
        bound = this.#bind(run);
      }
      for (const { handle, data } of writes) this.#buffers.address(handle, data.byteLength);
      for (const { handle, bytes } of reads) this.#buffers.address(handle, bytes);
    } catch (error) {
      for (const handle of [...written, ...made]) this.#buffers.free(handle);
      throw error;
    }
    for (const { handle, data } of writes) this.#write(handle, data);
    try {
      if (bound) this.#run(bound);
    } catch (error) {
      for (const handle of made) this.#buffers.free(handle);
      throw error;
    }
    return {
      reads: reads.map(({ handle, bytes }) => this.#read(handle, bytes)),
      memory: this.#memory(),
    };
  }

  /** Finds the place of everything that a run touches, so that nothing can fail half-way. */
  #bind({ key, slots }: NonNullable<Request["run"]>): Bound {
    const program = this.#programs.get(key);
    if (slots.length !== program.slots.length) {
      throw new StateError(
        `program ${key} has ${program.slots.length} slots: ${slots.length} buffers were given`,
      );
    }
    const runnable = this.#programs.prepare(key, this.#instance, this.#team.threads);
    this.#team.reserve(bindingCount(program));
    const places = program.slots.map(({ bytes }, index) =>
      this.#buffers.address(slots[index]!, bytes),
    );
    return { ...runnable, addresses: bindings(runnable.constants, runnable.arena, places) };
  }

  #run({ program, list, text, double, addresses }: Bound): void {
    if (program.calls.length === 0) return;
    let fault: Fault | undefined;
    try {
      fault = this.#team.run(list, { ...text, double, addresses });
    } catch (error) {
      const call = program.calls[this.#team.call];
      this.#recover(true);
      throw describeFailure(error, program, call?.label ?? "");
    }
    if (fault) throw describeFault(fault, program);
  }

  /** Replaces the team, and after an abandoned run this thread's instance as well. */
  #recover(abandoned: boolean): void {
    this.#teams++;
    this.#team.disband();
    const { source, choice } = this.#parts;
    if (abandoned && source.memory && this.#spare) {
      const { thread } = this.#instance;
      this.#instance = this.#spare();
      this.#spare = undefined;
      this.#instance.release(thread);
    }
    this.#team = this.#form([]);
    void this.#refill(this.#teams, choice.threads - 1);
  }

  /** Gets a new spare instance and new workers, and forms the team anew when they are ready. */
  async #refill(team: number, workers: number): Promise<void> {
    const { source, script } = this.#parts;
    if (workers > 0) this.#shortage = "a worker died: its successor is starting";
    try {
      this.#spare ??= await prepare(source);
      const members = await recruit(source, workers, script);
      if (team !== this.#teams) {
        for (const { peer, memory } of members) {
          peer.close();
          this.#instance.release(memory);
        }
        return;
      }
      const solo = this.#team;
      this.#team = this.#form(members);
      solo.disband();
      this.#shortage = undefined;
    } catch (error) {
      this.#shortage = `a worker died, and no other could be started: ${String(error)}`;
    }
  }

  #form(members: readonly Member[]): Team {
    for (const { peer } of members) {
      // Died between runs; within one, the team finds out by itself.
      peer.onDeath(() => this.#team.lost() && this.#recover(false));
    }
    return new Team(this.#instance, this.#heap, members, this.#parts.isAlive);
  }

  #write(handle: Handle, data: ArrayBufferView): void {
    const { buffer, byteOffset, byteLength } = data;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const address = this.#buffers.address(handle, byteLength);
    new Uint8Array(this.#instance.memory.buffer, address, byteLength).set(bytes);
  }

  #read(handle: Handle, bytes: number): ArrayBuffer {
    const copy = new Uint8Array(bytes);
    const address = this.#buffers.address(handle, bytes);
    copy.set(new Uint8Array(this.#instance.memory.buffer, address, bytes));
    return copy.buffer;
  }

  #memory(): MemoryInfo {
    const { live, peak, reserved, limit } = this.#heap;
    return { live, peak, reserved, limit };
  }
}

function describeFault({ call, position, value }: Fault, { calls }: Program): IndexError {
  const label = calls[call]?.label ?? `call ${call}`;
  return new IndexError(`${label}: index ${value} at position ${position} is out of range`);
}

function describeFailure(error: unknown, { slots }: Program, label: string): FerrogradError {
  const message = reasonOf(error);
  const partly = slots.some(({ role }) => role === "inout")
    ? ". Tensors that the run updates in place may be updated in part: restore a checkpoint"
    : "";
  const Kind = error instanceof WorkerDiedError ? WorkerDiedError : FerrogradError;
  return new Kind(`${label}: ${message}${partly}`, { cause: error });
}
