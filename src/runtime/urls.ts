/** Where the package's own files are; the bundles for browsers have versions of their own. */

/** The script of workers. */
export const defaultWorkerUrl = new URL("../../dist/runtime/worker.js", import.meta.url);

/** The script of `fit`'s workers, which has the whole library; undefined where there is no file. */
export const defaultReplicaUrl: URL | undefined = new URL(
  "../../dist/node/replica.js",
  import.meta.url,
);

/** The folder with a folder for each build of the engine. */
export const defaultWasmUrl = new URL("../../wasm/", import.meta.url);
