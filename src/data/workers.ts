/** Datasets that another thread makes: `serveDataset` there, `fromWorker` here. */
import type { ErrorMessage } from "../errors.js";
import { packError, StateError, unpackError, WorkerDiedError } from "../errors.js";
import { AheadCursor } from "./ahead.js";
import { inNode } from "./bytes.js";
import type { DatasetIterator } from "./dataset.js";
import { Dataset } from "./dataset.js";
import type { Cursor, Json, Step } from "./source.js";
import { done, fieldOf } from "./source.js";

/** What is asked of the thread that makes elements; `iterator` is the number of a way through. */
type Call =
  | { readonly name: "size" }
  | { readonly name: "next"; readonly iterator: number; readonly epoch: number }
  | { readonly name: "load"; readonly iterator: number; readonly state: Json }
  | { readonly name: "close"; readonly iterator: number };

interface Request {
  readonly id: number;
  readonly call: Call;
}

/** An element, and where the iterator stands after it. */
interface Made {
  readonly step: Step<unknown>;
  readonly state: Json;
}

/** What comes back. */
export interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: ErrorMessage;
}

/** What a worker of Node's `worker_threads` has that is needed here. */
export interface NodeWorker {
  postMessage(message: unknown): void;
  on(event: "message", listener: (value: Reply) => void): unknown;
  on(event: "error" | "messageerror", listener: (error: Error) => void): unknown;
  on(event: "exit", listener: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
}

/** A worker whose module calls `serveDataset`. */
export type DatasetWorker = Worker | NodeWorker;

/**
 * Offers `dataset` to the thread that made this worker. Call it in the worker's module before
 * anything is awaited. Elements are copied, so they must be data: numbers, text, arrays, objects.
 */
export function serveDataset(dataset: Dataset<unknown>): void {
  const iterators = new Map<number, DatasetIterator<unknown>>();
  const answer = async (call: Call): Promise<unknown> => {
    if (call.name === "size") return dataset.size;
    const known = iterators.get(call.iterator);
    if (call.name === "close") {
      iterators.delete(call.iterator);
      await known?.return();
      return undefined;
    }
    const epoch = call.name === "next" ? call.epoch : 0;
    const iterator = known ?? dataset.iterator({ epoch });
    iterators.set(call.iterator, iterator);
    if (call.name === "load") {
      await iterator.load(call.state);
      return undefined;
    }
    const { done: ended, value } = await iterator.next();
    const step: Step<unknown> = ended === true ? done : { done: false, value };
    return { step, state: iterator.state() } satisfies Made;
  };
  const serve = (port: { postMessage: (message: Reply) => void }, { id, call }: Request): void => {
    const reply = answer(call).then(
      (value) => port.postMessage({ id, value }),
      (error: unknown) => port.postMessage({ id, error: packError(error) }),
    );
    // An element that cannot be copied is an error of the call.
    reply.catch((error: unknown) => port.postMessage({ id, error: packError(error) }));
  };
  if (!inNode) {
    const scope = globalThis as { postMessage: (message: Reply) => void };
    addEventListener("message", ({ data }: MessageEvent<Request>) => serve(scope, data));
    return;
  }
  void import("node:worker_threads").then(({ parentPort }) => {
    if (!parentPort) throw new StateError("serveDataset: this thread is no worker");
    parentPort.on("message", (request: Request) => serve(parentPort, request));
  });
}

/** A worker, and the calls that wait for it. */
class Link {
  private readonly waiting = new Map<
    number,
    { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void }
  >();
  private calls = 0;
  private death: WorkerDiedError | undefined;

  constructor(
    private readonly worker: DatasetWorker,
    private readonly onDeath: () => void,
  ) {
    if ("on" in worker) {
      let reason = "it ended";
      worker.on("message", (reply) => this.take(reply));
      worker.on("error", (error) => (reason = error.message));
      worker.on("messageerror", () => this.die("a message could not be read"));
      worker.on("exit", (code) => this.die(`${reason} (exit code ${code})`));
      // A process ends when nothing but idle workers is left.
      worker.unref();
    } else {
      worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => this.take(data));
      worker.addEventListener("error", (event) => this.die(event.message || "no such script"));
      worker.addEventListener("messageerror", () => this.die("a message could not be read"));
    }
  }

  call(call: Call): Promise<unknown> {
    if (this.death) return Promise.reject(this.death);
    const id = this.calls++;
    const answer = new Promise<unknown>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
    });
    if ("ref" in this.worker && this.waiting.size === 1) this.worker.ref();
    this.worker.postMessage({ id, call } satisfies Request);
    return answer;
  }

  private take({ id, value, error }: Reply): void {
    const call = this.waiting.get(id);
    this.waiting.delete(id);
    if ("unref" in this.worker && this.waiting.size === 0) this.worker.unref();
    if (error) call?.reject(unpackError(error));
    else call?.resolve(value);
  }

  private die(reason: string): void {
    if (this.death) return;
    this.death = new WorkerDiedError(`the worker of a Dataset died: ${reason}`);
    this.onDeath();
    for (const { reject } of this.waiting.values()) reject(this.death);
    this.waiting.clear();
  }
}

/** Options of `fromWorker`. */
export interface FromWorkerOptions {
  /** How many elements are made before they are asked for. Default: 2. */
  readonly prefetch?: number;
}

/**
 * The elements that a worker makes, ahead of their use: `start` makes a worker, of
 * `node:worker_threads` or of a page, whose module calls `serveDataset`. If it dies, what is under
 * way rejects with WorkerDiedError, and the next way through has a new one.
 */
export async function fromWorker<T>(
  start: () => DatasetWorker,
  { prefetch = 2 }: FromWorkerOptions = {},
): Promise<Dataset<T>> {
  let link: Link | undefined;
  const connect = (): Link => (link ??= new Link(start(), () => (link = undefined)));
  const size = (await connect().call({ name: "size" })) as number | undefined;
  let iterators = 0;
  const open = (epoch: number): Cursor<T> => new RemoteCursor<T>(connect(), iterators++, epoch);
  return new Dataset({
    size,
    open: (epoch) => new AheadCursor(open(epoch), prefetch, (value) => value),
  });
}

/** Before anything is read its state is `null`: the worker's is not known. */
class RemoteCursor<T> implements Cursor<T> {
  private stands: Json = null;
  private ended = false;

  constructor(
    private readonly link: Link,
    private readonly iterator: number,
    private readonly epoch: number,
  ) {}

  async next(): Promise<Step<T>> {
    if (this.ended) return done;
    const { iterator, epoch } = this;
    const { step, state } = (await this.link.call({ name: "next", iterator, epoch })) as Made;
    this.stands = state;
    this.ended = step.done;
    return step as Step<T>;
  }

  state(): Json {
    return { worker: this.stands };
  }

  async load(saved: Json): Promise<void> {
    const state = fieldOf(saved, "worker");
    const { iterator } = this;
    if (state === null) await this.link.call({ name: "close", iterator });
    else await this.link.call({ name: "load", iterator, state });
    this.stands = state;
    this.ended = false;
  }

  async close(): Promise<void> {
    // Nothing is held open in a worker that died.
    await this.link.call({ name: "close", iterator: this.iterator }).catch(() => undefined);
  }
}
