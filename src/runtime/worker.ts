/** The script of every worker: one of a team, or the one that the Leader lives in. */
import { StateError } from "../errors.js";
import { follow, join } from "./follow.js";
import { Leader } from "./leader.js";
import type { InitOptions, Request, Response } from "./protocol.js";
import { serve } from "./rpc.js";

let leader: Leader | undefined;

/** What a worker does for the thread that made it. */
const api = {
  join,
  follow,
  /** Answers: then the worker is at work, and not stuck. */
  ping: () => undefined,
  /** Makes this worker the home of a Leader. */
  lead: async (options: InitOptions) => {
    leader = await Leader.start(options, "worker");
    return leader.info();
  },
  /** As the Leader's `execute`, with what runs. */
  execute: (request: Request) => {
    const response = leading().execute(request);
    return { ...response, info: leading().info() };
  },
};

/** The type of a worker's api, for those who call it. */
export type WorkerApi = typeof api;

function leading(): Leader {
  if (!leader) throw new StateError("the worker leads no engine");
  return leader;
}

function buffersOf(value: unknown): ArrayBuffer[] {
  const isResponse = typeof value === "object" && value !== null && "reads" in value;
  return isResponse ? (value as Response).reads : [];
}

void serve(api, buffersOf);
