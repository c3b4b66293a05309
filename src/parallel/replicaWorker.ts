/** The script of `fit`'s workers: a replica on an engine of one thread. */
import "../methods.js";
import { StateError } from "../errors.js";
import { init } from "../runtime/engine.js";
import type { InitOptions } from "../runtime/protocol.js";
import { serve } from "../runtime/rpc.js";
import type { VariableLayout } from "./layout.js";
import type { ReplicaSetup, ShardResult, ShardTask } from "./replica.js";
import { Replica } from "./replica.js";
import { resultBuffers } from "./transfers.js";

let replica: Replica | undefined;

/** What such a worker does for the thread that made it. */
const api = {
  /** Answers: from then on it is seen if the worker dies. */
  greet: (): void => undefined,
  /** Starts the engine, makes the model, and tells what it consists of. */
  make: async (options: InitOptions, setup: ReplicaSetup): Promise<VariableLayout[]> => {
    await init(options);
    replica = await Replica.make(setup);
    return replica.layout;
  },
  run: (task: ShardTask): Promise<ShardResult> => {
    if (!replica) throw new StateError("the worker has no model");
    return replica.run(task);
  },
};

/** The type of such a worker's api, for those who call it. */
export type ReplicaApi = typeof api;

void serve(api, resultBuffers);
