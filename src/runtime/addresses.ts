/** Where the worker script and the engine are, as absolute addresses. */
import type { InitOptions } from "./protocol.js";
import { defaultWasmUrl, defaultWorkerUrl } from "./urls.js";

/** The worker script, and `options` as they can be posted to it: with URLs as absolute text. */
export function absoluteUrls(options: InitOptions): { script: URL; posted: InitOptions } {
  const script = absolute(options.workerUrl, defaultWorkerUrl);
  const wasmUrl = absolute(options.wasmUrl, defaultWasmUrl).href;
  return { script, posted: { ...options, wasmUrl, workerUrl: script.href } };
}

/** `url`, if it is given, against the page's own address. */
export function absolute(url: string | URL | undefined, otherwise: URL): URL {
  return url === undefined ? otherwise : absoluteUrl(url);
}

/** `url` against the page's own address, where there is one. */
export function absoluteUrl(url: string | URL): URL {
  return new URL(url, globalThis.location?.href);
}
