/** A team worker's life: wait for a job, run it with the others, and again. */
import { Board } from "./board.js";
import { CallList } from "./calls.js";
import type { Instance, Source, ThreadMemory } from "./instance.js";
import { prepare } from "./instance.js";
import type { Job } from "./job.js";
import { copyOf, decodeProgram, readJob } from "./job.js";
import { systemThread } from "./platform.js";
import { onStall } from "./stall.js";

/** A team, as its workers are told of it. */
export interface Membership {
  readonly team: number;
  /** Address of the Board. */
  readonly board: number;
  readonly workers: number;
  /** Which of the workers this is. */
  readonly index: number;
}

/** Ends a wait in an abandoned team; the cause is on the Board. */
class Abandoned extends Error {}

let instance: Instance | undefined;

/** What a worker has made of itself. */
export interface Joined {
  /** Its number in the operating system, or 0. */
  readonly systemThread: number;
  readonly memory: ThreadMemory;
}

/** Makes this worker's instance of the engine. */
export async function join(source: Source): Promise<Joined> {
  const instantiate = await prepare(source);
  instance = instantiate();
  return { systemThread: await systemThread(), memory: instance.thread };
}

/** Runs the team's jobs until it is abandoned; blocks the thread. */
export function follow({ team, board: address, workers, index }: Membership): void {
  if (!instance) throw new Error("follow: join first");
  const board = new Board(instance.memory, address, workers);
  onStall(() => {
    if (board.abandoned) throw new Abandoned();
  });
  const lists: { key: number; list: CallList }[] = [];
  try {
    for (let seen = 0; ;) {
      seen = instance.exports.team_wait(team, seen);
      if (board.abandoned) return;
      const job = readJob(instance.memory, instance.exports.team_job(team) >>> 0);
      listOf(instance, lists, job).run(instance, team, job.addresses);
    }
  } catch (error) {
    if (!(error instanceof Abandoned)) board.abandon(error);
  } finally {
    board.leave(index);
  }
}

function listOf(instance: Instance, lists: { key: number; list: CallList }[], job: Job): CallList {
  const { memory } = instance;
  const double = (): Uint8Array<ArrayBuffer> => copyOf(memory, job.double);
  let found = lists[job.place];
  if (found?.key !== job.key) {
    found = { key: job.key, list: new CallList(instance, decodeProgram(memory, job), double) };
    lists[job.place] = found;
  }
  return found.list;
}
