/** The only file that knows Node from a browser. */
import type { Endpoint } from "comlink";

/** A worker, seen from the thread that made it. */
export interface Thread {
  readonly endpoint: Endpoint;
  /** Calls `listener`, once, when the worker has died. */
  onDeath(listener: (reason: string) => void): void;
  /** In browsers: begins to watch for the death of a worker that has answered once. */
  watch(): void;
  /** Whether the process stays alive for this worker's sake. */
  keepAlive(wanted: boolean): void;
  /** Ends it; what it was doing is abandoned. */
  terminate(): void;
}

/** Whether this is Node, or a runtime that takes its place. */
export const inNode = typeof process === "object" && typeof process.versions?.node === "string";

/** Whether this thread is a page's, which must never block. */
export const inPage = !inNode && typeof document === "object";

/** Whether shared memory may be posted to other threads. */
export const isIsolated = inNode || globalThis.crossOriginIsolated === true;

/** The cores of the host. */
export async function coreCount(): Promise<number> {
  if (inNode) return (await import("node:os")).availableParallelism();
  return navigator.hardwareConcurrency || 1;
}

/** V8's version as in 11.3; undefined where its flags cannot be set. */
export function v8Version(): number | undefined {
  return inNode ? Number.parseFloat(process.versions.v8) : undefined;
}

/** Sets a flag of V8 for this process. */
export async function setV8Flag(flag: string): Promise<void> {
  (await import("node:v8")).setFlagsFromString(flag);
}

/** The bytes at a file: or http(s): URL. */
export async function readBytes(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * What reads the bytes at a URL without waiting, which other threads cannot while they compute. Where
 * nothing can, they are read now.
 */
export async function syncReader(url: URL): Promise<() => Uint8Array<ArrayBuffer>> {
  if (url.protocol === "file:") {
    const { readFileSync } = await import("node:fs");
    return () => new Uint8Array(readFileSync(url));
  }
  if (inNode || typeof XMLHttpRequest !== "function") {
    const bytes = await readBytes(url);
    return () => bytes;
  }
  return () => {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status >= 400 || !(request.response instanceof ArrayBuffer)) {
      throw new Error(`${url.href}: ${request.status} ${request.statusText}`);
    }
    return new Uint8Array(request.response);
  };
}

/** Lets timers, messages and events have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (inNode) {
      setImmediate(resolve);
      return;
    }
    // Unlike a timer of 0 ms, a message is not put off by 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(undefined);
  });
}

/** Starts the module at `url` as a worker. */
export async function startThread(url: URL, name: string): Promise<Thread> {
  return inNode ? startNodeThread(url, name) : startWebThread(url, name);
}

/** This worker's way to the thread that made it; undefined where it is the global scope itself. */
export function ownEndpoint(): Promise<Endpoint> | undefined {
  return inNode ? nodeOwnEndpoint() : undefined;
}

/** What Node's message ports and workers have in common. */
interface NodePort {
  postMessage(message: unknown, transfer?: readonly never[]): void;
  on(event: "message", listener: (data: unknown) => void): unknown;
  off(event: "message", listener: (data: unknown) => void): unknown;
}

async function nodeOwnEndpoint(): Promise<Endpoint> {
  const { parentPort } = await import("node:worker_threads");
  if (!parentPort) throw new Error("the worker script is not running in a worker");
  return nodeEndpoint(parentPort);
}

/** comlink's view of a port of Node's. */
function nodeEndpoint(port: NodePort): Endpoint {
  const listeners = new Map<EventListenerOrEventListenerObject, (data: unknown) => void>();
  return {
    postMessage: (message: unknown, transfer?: Transferable[]) =>
      port.postMessage(message, transfer as never[] | undefined),
    addEventListener: (_type, listener) => {
      const receive = (data: unknown): void => {
        const event = new MessageEvent("message", { data });
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, receive);
      port.on("message", receive);
    },
    removeEventListener: (_type, listener) => {
      const receive = listeners.get(listener);
      if (receive) port.off("message", receive);
      listeners.delete(listener);
    },
  };
}

async function startNodeThread(url: URL, name: string): Promise<Thread> {
  const { Worker } = await import("node:worker_threads");
  // What node was told to do with the caller's script (`--input-type`, `--import`) is not for ours.
  const worker = new Worker(url, { name, execArgv: [] });
  return {
    endpoint: nodeEndpoint(worker),
    onDeath: (listener) => {
      let reason = "it ended";
      worker.on("error", (error) => (reason = error.message));
      worker.on("messageerror", (error) => (reason = error.message));
      worker.on("exit", (code) => listener(`${reason} (exit code ${code})`));
    },
    watch: () => undefined,
    keepAlive: (wanted) => (wanted ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

let webThreads = 0;

function startWebThread(url: URL, name: string): Thread {
  const unique = `${name} ${++webThreads} ${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
  const worker = new Worker(url, { type: "module", name: unique });
  let died: (reason: string) => void = () => undefined;
  return {
    endpoint: worker,
    onDeath: (listener) => {
      died = listener;
      worker.addEventListener("error", (event) =>
        died(event.message || `no script at ${url.href}`),
      );
      worker.addEventListener("messageerror", () => died("a message could not be read"));
    },
    watch: () => {
      navigator.locks?.request(unique, () => died("it ended")).catch(() => undefined);
    },
    keepAlive: () => undefined,
    terminate: () => worker.terminate(),
  };
}

/**
 * Shows the thread that made this worker that it lives. A browser tells nobody that a worker has
 * died, and a busy worker answers no ping; but a lock it holds is given up only with its life.
 */
export async function holdLifeLock(): Promise<void> {
  if (inNode || !navigator.locks) return;
  await new Promise<void>((held) => {
    const hold = (): Promise<never> => {
      held();
      return new Promise(() => undefined);
    };
    // Where locks are refused, its errors are all that tells.
    navigator.locks.request(self.name, hold).catch(() => held());
  });
}

/** The thread's number in the operating system, or 0 where it cannot be known. */
export async function systemThread(): Promise<number> {
  if (!inNode) return 0;
  const { existsSync, readlinkSync } = await import("node:fs");
  const self = "/proc/thread-self"; // Linux: a link to <process>/task/<thread>
  return existsSync(self) ? Number(readlinkSync(self).split("/").at(-1)) : 0;
}

/** A test, without waiting, of whether a thread of this process lives, by its `systemThread`. */
export async function threadProbe(): Promise<(systemThread: number) => boolean> {
  if (!inNode) return () => true;
  const { existsSync } = await import("node:fs");
  return (thread) => thread === 0 || existsSync(`/proc/self/task/${thread}`);
}
