/** `init`'s options, made definite for this host. */
import { ArgumentError } from "../errors.js";
import type { Choice } from "./builds.js";
import { chooseBuild, detectAbilities } from "./builds.js";
import { pageBytes } from "./heap.js";
import type { Source } from "./instance.js";
import { createMemory, initialBytes, loadSource } from "./instance.js";
import { coreCount, isIsolated } from "./platform.js";
import type { InitOptions } from "./protocol.js";
import { defaultWasmUrl, defaultWorkerUrl } from "./urls.js";
import { unlockWide } from "./wide.js";

/** What a Leader starts from. */
export interface Resolved {
  readonly choice: Choice;
  /** Whether the wide micro-kernel is to be tried. */
  readonly wide: boolean;
  readonly source: Source;
  /** The most bytes the memory may grow to. */
  readonly limit: number;
  /** The script of workers. */
  readonly script: URL;
}

/** What wasm32 can address. */
const addressable = 2 ** 32;

/** More threads than this gain little on one memory, unless asked for. */
const mostCores = 16;

/** The engine's words of a team have room for so many. */
const mostThreads = 64;

/** Chooses and loads what `options` leave open. Throws ArgumentError for what cannot be. */
export async function resolve(options: InitOptions): Promise<Resolved> {
  const { build, maxMemory = addressable } = options;
  const threads = options.threads ?? Math.min(await coreCount(), mostCores);
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
    throw new ArgumentError(
      `init: threads is ${threads}, not a whole number of 1 to ${mostThreads}`,
    );
  }
  if (!(maxMemory >= initialBytes && maxMemory <= addressable)) {
    throw new ArgumentError(
      `init: maxMemory is ${maxMemory} bytes, not ${initialBytes} to ${addressable}`,
    );
  }
  const noWide = options.wide ? await unlockWide() : undefined;
  const choice = chooseBuild(detectAbilities(isIsolated), build, threads);
  const wanted = Math.floor(maxMemory / pageBytes) * pageBytes;
  const { memory, limit } = choice.shared
    ? createMemory(wanted)
    : { memory: undefined, limit: wanted };
  const reasons = [...choice.reasons];
  if (limit < wanted) reasons.push(`the host grants at most ${limit} bytes of memory`);
  if (noWide) reasons.push(noWide);
  return {
    choice: { ...choice, reasons },
    wide: options.wide === true && noWide === undefined,
    source: await loadSource(absolute(options.wasmUrl, defaultWasmUrl), choice.build, memory),
    limit,
    script: absolute(options.workerUrl, defaultWorkerUrl),
  };
}

/** The worker script, and `options` as they can be posted to it: with URLs as absolute text. */
export function absoluteUrls(options: InitOptions): { script: URL; posted: InitOptions } {
  const script = absolute(options.workerUrl, defaultWorkerUrl);
  const wasmUrl = absolute(options.wasmUrl, defaultWasmUrl).href;
  return { script, posted: { ...options, wasmUrl, workerUrl: script.href } };
}

/** `url`, if it is given, against the page's own address. */
function absolute<Otherwise>(url: string | URL | undefined, otherwise: Otherwise): URL | Otherwise {
  return url === undefined ? otherwise : absoluteUrl(url);
}

/** `url` against the page's own address, where there is one. */
export function absoluteUrl(url: string | URL): URL {
  return new URL(url, globalThis.location?.href);
}
