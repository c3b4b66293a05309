/** Workers with a replica each; one that dies is replaced, and its shard is done again. */
import { ArgumentError, WorkerDiedError } from "../errors.js";
import { engine } from "../runtime/engine.js";
import { startThread } from "../runtime/platform.js";
import { Peer } from "../runtime/rpc.js";
import type { VariableLayout } from "./layout.js";
import { difference } from "./layout.js";
import type { ReplicaSetup, ShardResult, ShardTask } from "./replica.js";
import { replicaEngine } from "./replicaEngine.js";
import type { ReplicaApi } from "./replicaWorker.js";
import { taskBuffers } from "./transfers.js";

/** So many deaths a worker, without a shard done between them, are no accidents. */
const mostDeaths = 3;

/** What a worker knows already. */
export interface Known {
  /** Up to which version of the weights. */
  version: number;
  /** Which parts learn, as a key. */
  trainable: string;
}

/** A worker that has its model. */
interface Member {
  readonly peer: Peer<ReplicaApi>;
  readonly known: Known;
}

/** Workers that each can do any shard. */
export class ReplicaPool {
  /** How many workers have died and been replaced. */
  replaced = 0;
  private readonly members: Member[] = [];
  private deaths = 0;
  private closed = false;

  private constructor(
    private readonly count: number,
    private readonly setup: ReplicaSetup,
    private readonly layout: readonly VariableLayout[],
  ) {}

  /** Starts `count` workers, whose models are to have this layout. */
  static async start(
    count: number,
    setup: ReplicaSetup,
    layout: readonly VariableLayout[],
  ): Promise<ReplicaPool> {
    const pool = new ReplicaPool(count, setup, layout);
    const starts = Array.from({ length: count }, async (_, index) => {
      try {
        await pool.begin(index);
      } catch (error) {
        if (!(error instanceof WorkerDiedError)) throw error;
        await pool.replace(index, error);
      }
    });
    try {
      await Promise.all(starts);
    } catch (error) {
      pool.close();
      throw error;
    }
    pool.keepAlive(false);
    return pool;
  }

  /**
   * Has the workers do `count` shards: `task` makes what a worker is told, which moves there, and
   * `take` gets what comes of it. Rejects with what a shard throws, and with WorkerDiedError where
   * workers die again and again.
   */
  async run(
    count: number,
    task: (shard: number, known: Known) => ShardTask,
    take: (shard: number, result: ShardResult) => void,
  ): Promise<void> {
    const waiting = Array.from({ length: count }, (_, shard) => shard);
    const work = async (index: number): Promise<void> => {
      for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
        const { peer, known } = this.members[index]!;
        try {
          take(shard, await peer.call("run", task(shard, known)));
          this.deaths = 0;
        } catch (error) {
          if (!(error instanceof WorkerDiedError)) throw error;
          waiting.unshift(shard);
          await this.replace(index, error);
        }
      }
    };
    // A process waits for its steps, not for idle workers.
    this.keepAlive(true);
    try {
      await Promise.all(this.members.map((_, index) => work(index)));
    } finally {
      this.keepAlive(false);
    }
  }

  /** Ends the workers; what is under way rejects. */
  close(): void {
    this.closed = true;
    this.members.forEach(({ peer }) => {
      peer.close();
    });
  }

  private keepAlive(wanted: boolean): void {
    for (const { peer } of this.members) peer.thread.keepAlive(wanted);
  }

  private async replace(index: number, death: WorkerDiedError): Promise<void> {
    for (let error = death; ;) {
      if (this.closed) throw error;
      if (++this.deaths > mostDeaths * this.count) {
        throw new WorkerDiedError(
          `${error.message}; ${this.deaths} workers died one after the other, so no other is started`,
          { cause: error },
        );
      }
      this.replaced++;
      this.members[index]!.peer.close();
      try {
        await this.begin(index);
        return;
      } catch (failure) {
        if (!(failure instanceof WorkerDiedError)) throw failure;
        error = failure;
      }
    }
  }

  /** Starts worker `index`. */
  private async begin(index: number): Promise<void> {
    const { script, options } = replicaEngine(engine());
    const name = `ferrograd replica ${index + 1}`;
    const peer = new Peer<ReplicaApi>(await startThread(script, name), name, taskBuffers);
    this.members[index] = { peer, known: { version: 0, trainable: "" } };
    // Closed while its thread was starting: then it is not to run.
    if (this.closed) peer.close();
    await peer.call("greet");
    const layout = await peer.call("make", options, this.setup);
    const differs = difference(this.layout, layout);
    if (differs === undefined) return;
    throw new ArgumentError(`workers: the model that workerModule makes is another: ${differs}`);
  }
}
