/** The threads that run Programs together: the leader's own and the workers that follow it. */
import { unpackError, WorkerDiedError } from "../errors.js";
import { Board } from "./board.js";
import type { CallList } from "./calls.js";
import { faultWords } from "./calls.js";
import type { Joined } from "./follow.js";
import type { Heap } from "./heap.js";
import type { Instance, Source } from "./instance.js";
import type { Job } from "./job.js";
import { jobBytes, writeJob } from "./job.js";
import { startThread } from "./platform.js";
import { Peer } from "./rpc.js";
import { onStall } from "./stall.js";
import type { WorkerApi } from "./worker.js";

/** A worker that has an instance of the engine and waits to be told of its team. */
export interface Member extends Joined {
  readonly peer: Peer<WorkerApi>;
}

/** The first bad data of a run. */
export interface Fault {
  readonly code: number;
  readonly call: number;
  readonly position: number;
  readonly value: number;
}

/** No block of a kernel takes so long: then a worker that cannot be seen to live is given up. */
const stallLimit = 30_000;

/** The engine calls the stall hook every 50 ms of a wait: more apart is another wait. */
const sameWait = 500;

/** Workers that are told to leave do so within 50 ms; one that computes needs somewhat longer. */
const leaveLimit = 2_000;

/** Starts `count` workers on `source`. Throws what the first to fail threw. */
export async function recruit(source: Source, count: number, script: URL): Promise<Member[]> {
  const peers: Peer<WorkerApi>[] = [];
  try {
    const members = Array.from({ length: count }, async (_, index): Promise<Member> => {
      const name = `ferrograd worker ${index + 1}`;
      const peer = new Peer<WorkerApi>(await startThread(script, name), name);
      peers.push(peer);
      const joined = await peer.call("join", source);
      // An idle worker is no reason for a process to stay.
      peer.thread.keepAlive(false);
      return { peer, ...joined };
    });
    return await Promise.all(members);
  } catch (error) {
    for (const peer of peers) peer.close();
    throw error;
  }
}

/** A team and its place in memory. */
export class Team {
  readonly #instance: Instance;
  readonly #heap: Heap;
  readonly #members: readonly Member[];
  readonly #isAlive: (systemThread: number) => boolean;
  readonly #address: number;
  readonly #boardAddress: number;
  readonly #board: Board | undefined;
  #job: { address: number; capacity: number } | undefined;
  #call = 0;
  #waiting: { since: number; last: number; call: number } | undefined;

  /** A team of `members` and the calling thread. Throws OutOfMemoryError. */
  constructor(
    instance: Instance,
    heap: Heap,
    members: readonly Member[],
    isAlive: (systemThread: number) => boolean,
  ) {
    this.#instance = instance;
    this.#heap = heap;
    this.#members = members;
    this.#isAlive = isAlive;
    const workers = members.length;
    this.#boardAddress = heap.allocate(Board.bytes(workers), "the team's board");
    this.#address = instance.exports.team_new(workers + 1);
    if (workers === 0) return;
    this.#board = new Board(instance.memory, this.#boardAddress, workers);
    this.#board.clear();
    members.forEach(({ peer }, index) => {
      const membership = { team: this.#address, board: this.#boardAddress, workers, index };
      // Its answer is its end, and that is seen by other means.
      peer.call("follow", membership).catch(() => undefined);
    });
  }

  /** How many threads run a Program together. */
  get threads(): number {
    return this.#members.length + 1;
  }

  /** Makes room for a job of so many addresses. Throws OutOfMemoryError. */
  reserve(addresses: number): void {
    const capacity = this.#job?.capacity ?? 0;
    if (addresses <= capacity || this.#members.length === 0) return;
    const wanted = Math.max(addresses, 2 * capacity);
    const address = this.#heap.allocate(jobBytes(wanted), "the team's job");
    if (this.#job) this.#heap.free(this.#job.address);
    this.#job = { address, capacity: wanted };
  }

  /** Runs `list`, which is what `job` is on this thread, on all threads, and tells of bad data. */
  run(list: CallList, job: Job): Fault | undefined {
    const { exports, memory } = this.#instance;
    const team = this.#address;
    faultWords(memory, exports.team_fault(team)).fill(0);
    this.#call = 0;
    this.#waiting = undefined;
    onStall(() => this.#onStall());
    if (this.#job) writeJob(memory, this.#job.address, job);
    exports.team_begin(team, this.#job?.address ?? 0);
    list.run(this.#instance, team, job.addresses, (index) => (this.#call = index));
    const [code, call, position, value] = faultWords(memory, exports.team_fault(team));
    return code ? { code, call: call!, position: position! >>> 0, value: value! } : undefined;
  }

  /** The call that is, or was last, under way. */
  get call(): number {
    return this.#call;
  }

  /** Why a member is not to be counted on, if one is not. */
  lost(): WorkerDiedError | undefined {
    const dead = this.#members.find(
      ({ peer, systemThread }) => !peer.alive || !this.#isAlive(systemThread),
    );
    return dead && new WorkerDiedError(`${dead.peer.name} died`);
  }

  /** Ends the team for good: its workers leave, and are ended once they have. */
  disband(): void {
    const { exports } = this.#instance;
    this.#board?.abandon();
    if (this.#members.length > 0) exports.team_begin(this.#address, 0); // wakes those who sleep
    const deadline = performance.now() + leaveLimit;
    const gone = this.#members.map((member, index) => this.#awaitLeave(member, index, deadline));
    for (const { peer } of this.#members) peer.close();
    // What a worker may still read must not become something else.
    if (!gone.every(Boolean)) return;
    for (const { memory } of this.#members) this.#instance.release(memory);
    exports.team_free(this.#address);
    this.#heap.free(this.#boardAddress);
    if (this.#job) this.#heap.free(this.#job.address);
  }

  /** Ends the workers at once; the memory is not to be used after. */
  close(): void {
    for (const { peer } of this.#members) peer.close();
  }

  #awaitLeave({ peer, systemThread }: Member, index: number, deadline: number): boolean {
    while (performance.now() < deadline) {
      if (this.#board?.hasLeft(index, 1)) return true;
      if (!peer.alive || !this.#isAlive(systemThread)) return true;
    }
    return false;
  }

  /** Called within a run, when the other threads are long in coming: throws if one never will. */
  #onStall(): void {
    if (this.#board?.abandoned) {
      const { error } = this.#board;
      const cause = error ? unpackError(error) : undefined;
      throw new WorkerDiedError(`a worker failed: ${cause?.message ?? "unknown"}`, { cause });
    }
    const lost = this.lost();
    if (lost) throw lost;
    const now = performance.now();
    const waiting = this.#waiting;
    if (waiting?.call === this.#call && now - waiting.last < sameWait) {
      waiting.last = now;
      if (now - waiting.since > stallLimit && !this.#members.every(isVisible)) {
        throw new WorkerDiedError(`a worker has not finished its part in ${stallLimit / 1000} s`);
      }
    } else {
      this.#waiting = { since: now, last: now, call: this.#call };
    }
  }
}

/** Whether the operating system tells that it lives. */
function isVisible({ systemThread }: Member): boolean {
  return systemThread !== 0;
}
