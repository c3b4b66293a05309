/** comlink, made to reject: when the peer dies, and with errors of the class that was thrown. */
import * as comlink from "comlink";
import type { ErrorMessage } from "../errors.js";
import { packError, unpackError, WorkerDiedError } from "../errors.js";
import type { Thread } from "./platform.js";
import { holdLifeLock, ownEndpoint } from "./platform.js";

/** What a worker offers: functions of structured-cloneable values. */
export type Api = { readonly [method: string]: (...args: never[]) => unknown };

/** What becomes of a call, as it crosses. */
type Outcome = { readonly value: unknown } | { readonly error: ErrorMessage };

/** The one function that comlink carries. */
interface Carrier {
  call(method: string, args: readonly unknown[]): Promise<Outcome>;
}

/** The caller's end of a worker that serves an `A`. */
export class Peer<A extends Api> {
  readonly #remote: comlink.Remote<Carrier>;
  readonly #pending = new Set<(error: Error) => void>();
  #death: WorkerDiedError | undefined;
  #watched = false;
  #onDeath: ((error: WorkerDiedError) => void) | undefined;
  #closed = false;

  constructor(
    readonly thread: Thread,
    /** What the worker is, in errors. */
    readonly name: string,
    /** The ArrayBuffers in arguments that move; others are copied. */
    private readonly buffersOf: (args: readonly unknown[]) => ArrayBuffer[] = () => [],
  ) {
    this.#remote = comlink.wrap<Carrier>(thread.endpoint);
    thread.onDeath((reason) => this.#die(`${name} died: ${reason}`));
  }

  /** Whether the worker is not known to have died. */
  get alive(): boolean {
    return !this.#death;
  }

  /** Calls `listener` if the worker dies without having been closed. */
  onDeath(listener: (error: WorkerDiedError) => void): void {
    this.#onDeath = listener;
  }

  /** Calls `method` in the worker. Rejects with what it throws, or WorkerDiedError. */
  async call<M extends keyof A & string>(
    method: M,
    ...args: Parameters<A[M]>
  ): Promise<Awaited<ReturnType<A[M]>>> {
    if (this.#death) throw this.#death;
    const outcome = await new Promise<Outcome>((resolve, reject) => {
      this.#pending.add(reject);
      void this.#remote
        .call(method, comlink.transfer(args, this.buffersOf(args)))
        .then(resolve, reject)
        .finally(() => this.#pending.delete(reject));
    });
    if (!this.#watched) {
      this.#watched = true;
      this.thread.watch();
    }
    if ("error" in outcome) throw unpackError(outcome.error);
    return outcome.value as Awaited<ReturnType<A[M]>>;
  }

  /** Ends the worker; calls under way reject. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.thread.terminate();
    this.#die(`${this.name} was shut down`);
  }

  #die(message: string): void {
    if (this.#death) return;
    this.#death = new WorkerDiedError(message);
    for (const reject of this.#pending) reject(this.#death);
    this.#pending.clear();
    if (!this.#closed) this.#onDeath?.(this.#death);
  }
}

/** Offers `api` to the thread that made this worker; ArrayBuffers in `buffersOf` a value move. */
export async function serve(
  api: Api,
  buffersOf: (value: unknown) => ArrayBuffer[] = () => [],
): Promise<void> {
  const held = holdLifeLock();
  const methods = new Map<string, (...args: never[]) => unknown>(Object.entries(api));
  const carrier: Carrier = {
    async call(method, args) {
      await held;
      try {
        const value = await methods.get(method)?.(...(args as never[]));
        return comlink.transfer({ value }, buffersOf(value));
      } catch (error) {
        return { error: packError(error) };
      }
    },
  };
  const endpoint = ownEndpoint();
  // At once in browsers: messages that come before there is a listener are lost there.
  comlink.expose(carrier, endpoint && (await endpoint));
}
