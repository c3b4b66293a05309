/** The caller's side of the engine, and the one engine that tensors use. */
import { ArgumentError, StateError } from "../errors.js";
import { absoluteUrls } from "./addresses.js";
import type { Leader } from "./leader.js";
import { inPage, turn } from "./platform.js";
import type { EngineInfo, InitOptions, Request, Response } from "./protocol.js";
import { RemoteLeader } from "./remoteLeader.js";

/** Runs Requests in the order of the calls, on this thread or in a worker. */
export class Engine {
  readonly #local: Leader | undefined;
  readonly #remote: RemoteLeader | undefined;
  readonly #loaded: Set<number>;

  private constructor(
    leader: Leader | RemoteLeader,
    loaded: Set<number>,
    /** @internal What it was started with. */
    readonly options: InitOptions,
  ) {
    this.#local = leader instanceof RemoteLeader ? undefined : leader;
    this.#remote = leader instanceof RemoteLeader ? leader : undefined;
    this.#loaded = loaded;
  }

  /** Starts an engine. Throws ArgumentError for options that this host cannot honour. */
  static async start(options: InitOptions = {}): Promise<Engine> {
    const { host = inPage ? "worker" : "caller" } = options;
    if (host !== "worker" && host !== "caller") {
      throw new ArgumentError(`init: host is "${String(host)}", not caller or worker`);
    }
    if (host === "caller" && inPage) {
      throw new ArgumentError(
        'init: a page may not block, so its engine is in a worker: host "worker"',
      );
    }
    const loaded = new Set<number>();
    if (host === "caller") {
      // What a page, whose engine is in a worker, need not load.
      const { Leader } = await import("./leader.js");
      return new Engine(await Leader.start(options, host), loaded, options);
    }
    const { script, posted } = absoluteUrls(options);
    const leader = await RemoteLeader.start(script, posted, () => loaded.clear());
    return new Engine(leader, loaded, options);
  }

  /** Whether the engine has the Program of `key`, or will have when its turn comes. */
  isLoaded(key: number): boolean {
    return this.#loaded.has(key);
  }

  /** Runs `request` after those before it. Rejects with what `executeSync` throws. */
  async execute(request: Request): Promise<Response> {
    this.#note(request);
    if (this.#remote) return this.#remote.execute(request);
    const response = this.#leader().execute(request);
    // Timers, signals and messages get their turn between steps.
    await turn();
    return response;
  }

  /**
   * Runs `request` now. Throws StateError where the engine is not on this thread or a buffer or
   * Program is unknown, OutOfMemoryError, IndexError, WorkerDiedError.
   */
  executeSync(request: Request): Response {
    const leader = this.#leader();
    this.#note(request);
    return leader.execute(request);
  }

  /** What runs: build, threads, memory, and why nothing faster. */
  info(): EngineInfo {
    return (this.#remote ?? this.#leader()).info();
  }

  /** Ends the engine with all it holds; calls under way reject. */
  shutdown(): void {
    (this.#remote ?? this.#leader()).close();
  }

  #leader(): Leader {
    if (this.#local) return this.#local;
    throw new StateError(
      "the engine runs in a worker, so a result cannot be read without waiting: " +
        'use `await data()`, or in Node `init({ host: "caller" })`',
    );
  }

  #note({ load, unload = [] }: Request): void {
    if (load) this.#loaded.add(load.key);
    for (const key of unload) this.#loaded.delete(key);
  }
}

interface Current {
  readonly options: InitOptions;
  readonly started: Promise<Engine>;
  engine?: Engine;
}

let current: Current | undefined;

/**
 * Starts the engine that all tensors use, on the best build this host can run; if it runs already,
 * returns it. Throws StateError if it runs with other options, ArgumentError for options that this
 * host cannot honour.
 */
export async function init(options: InitOptions = {}): Promise<Engine> {
  if (current) {
    const differs = entries(options).find(([name, value]) => !has(current?.options, name, value));
    if (!differs) return current.started;
    throw new StateError(
      `init: the engine runs with other options than ${differs[0]} ${differs[1]}: ` +
        "call shutdown() first",
    );
  }
  const starting: Current = { options, started: Engine.start(options) };
  current = starting;
  try {
    starting.engine = await starting.started;
  } catch (error) {
    if (current === starting) current = undefined;
    throw error;
  }
  // Shut down while it was starting: then it is not to run.
  if (current !== starting) starting.engine.shutdown();
  return starting.engine;
}

/** The engine that `init` has started. Throws StateError before that. */
export function engine(): Engine {
  if (current?.engine) return current.engine;
  throw new StateError("the engine is not running: call `await init()` first");
}

/** Ends the engine, and what its tensors held; `init` may start another. */
export function shutdown(): void {
  current?.engine?.shutdown();
  current = undefined;
}

function entries(options: InitOptions): [string, string][] {
  return Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)]);
}

function has(options: InitOptions | undefined, name: string, value: string): boolean {
  return entries(options ?? {}).some(([known, given]) => known === name && given === value);
}
