/** Where the package's own files are, seen from the bundles in dist/browser. */

/** The script of workers. */
export const defaultWorkerUrl = new URL("./worker.js", import.meta.url);

/** The folder with a folder for each build of the engine. */
export const defaultWasmUrl = new URL("../../wasm/", import.meta.url);
