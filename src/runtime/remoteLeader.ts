/** A Leader in a worker of its own, seen from the calling thread. */
import { StateError, WorkerDiedError } from "../errors.js";
import { startThread } from "./platform.js";
import type { EngineInfo, InitOptions, Request, Response } from "./protocol.js";
import { Peer } from "./rpc.js";
import type { WorkerApi } from "./worker.js";

type Answer = Awaited<ReturnType<WorkerApi["execute"]>>;

/** How often a worker that falls silent at its start is replaced. */
const attempts = 5;
/** Milliseconds between two looks at whether it has answered. */
const tick = 1000;
/** Looks without an answer after which it is given up: it answers between all that it does. */
const patience = 10;

/** A worker does not answer any more, though it has not died. */
class SilentError extends WorkerDiedError {}

/** Gives `result`. Rejects with SilentError once `peer`, which it comes from, falls silent. */
async function answering<T>(peer: Peer<WorkerApi>, result: Promise<T>): Promise<T> {
  let silent = 0;
  const listen = (): void => {
    peer.call("ping").then(
      () => (silent = 0),
      () => undefined, // its end rejects the result too
    );
  };
  let timer: ReturnType<typeof setInterval> | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      if (++silent > patience) reject(new SilentError(`${peer.name} does not answer`));
      else listen();
    }, tick);
  });
  try {
    return await Promise.race([result, silence]);
  } finally {
    clearInterval(timer);
    result.catch(() => undefined);
  }
}

/** Passes Requests on, in order, and starts another Leader when its worker dies. */
export class RemoteLeader {
  readonly #script: URL;
  readonly #options: InitOptions;
  /** Called when a worker has died, with all that its memory held. */
  readonly #onLoss: () => void;
  #peer: Peer<WorkerApi> | undefined;
  #starting: Promise<Peer<WorkerApi>> | undefined;
  #info: EngineInfo | undefined;
  #underWay = 0;
  #closed = false;

  private constructor(script: URL, options: InitOptions, onLoss: () => void) {
    this.#script = script;
    this.#options = options;
    this.#onLoss = onLoss;
  }

  /** Starts a worker from `script`, and in it a Leader. `options` hold no URL objects. */
  static async start(script: URL, options: InitOptions, onLoss: () => void): Promise<RemoteLeader> {
    const remote = new RemoteLeader(script, options, onLoss);
    await remote.#connect();
    return remote;
  }

  /** What runs, as of the last answer. */
  info(): EngineInfo {
    if (!this.#info) throw new StateError("the engine has not started");
    return this.#info;
  }

  /** As `Leader.execute`; rejects with WorkerDiedError also if the Leader's own worker dies. */
  async execute(request: Request): Promise<Response> {
    if (this.#closed) throw new StateError("the engine was shut down: call await init() again");
    // Posted before this returns, so that the caller may reuse the data at once.
    const posted = this.#peer
      ? this.#post(this.#peer, request)
      : this.#postLater(structuredClone(request));
    const { info, ...response } = await posted;
    this.#info = info;
    return response;
  }

  /** Ends the worker and its team. */
  close(): void {
    this.#closed = true;
    this.#peer?.close();
    this.#peer = undefined;
  }

  async #postLater(request: Request): Promise<Answer> {
    return this.#post(await (this.#starting ?? this.#connect()), request);
  }

  async #post(peer: Peer<WorkerApi>, request: Request): Promise<Answer> {
    // A process waits for its calls, not for an idle engine.
    if (this.#underWay++ === 0) peer.thread.keepAlive(true);
    try {
      return await peer.call("execute", request);
    } finally {
      if (--this.#underWay === 0) peer.thread.keepAlive(false);
    }
  }

  #connect(): Promise<Peer<WorkerApi>> {
    this.#starting = this.#startPeer().finally(() => (this.#starting = undefined));
    return this.#starting;
  }

  /** Firefox at times never returns from starting a worker within a worker: then another tries. */
  async #startPeer(): Promise<Peer<WorkerApi>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#tryPeer();
      } catch (error) {
        if (!(error instanceof SilentError) || attempt === attempts) throw error;
      }
    }
  }

  async #tryPeer(): Promise<Peer<WorkerApi>> {
    const name = "ferrograd leader";
    const peer = new Peer<WorkerApi>(await startThread(this.#script, name), name);
    try {
      // The script may be long in coming; once it is there, it answers.
      await peer.call("ping");
      this.#info = await answering(peer, peer.call("lead", this.#options));
    } catch (error) {
      peer.close();
      throw error;
    }
    if (this.#closed) peer.close();
    peer.thread.keepAlive(false);
    peer.onDeath(() => {
      peer.close();
      this.#peer = undefined;
      this.#onLoss();
      // Should it fail, the next call tries again and says why.
      this.#connect().catch(() => undefined);
    });
    this.#peer = peer;
    return peer;
  }
}
