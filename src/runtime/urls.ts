/** Where the package's own files are; the bundles for browsers have versions of their own. */

/** The script of workers. */
export const defaultWorkerUrl = new URL("../../dist/runtime/worker.js", import.meta.url);

/** The folder with a folder for each build of the engine. */
export const defaultWasmUrl = new URL("../../wasm/", import.meta.url);
