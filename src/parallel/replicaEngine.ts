/** The engines of replicas: like the one that runs here, on one thread. */
import { StateError } from "../errors.js";
import type { Engine } from "../runtime/engine.js";
import { absoluteUrl, absoluteUrls } from "../runtime/addresses.js";
import type { InitOptions } from "../runtime/protocol.js";
import { defaultReplicaUrl } from "../runtime/urls.js";

/** Where a replica's script is, and what its engine is started with. */
export interface ReplicaEngine {
  readonly script: URL;
  readonly options: InitOptions;
}

/** What makes engines like `engine`. Throws StateError where the package has no script for them. */
export function replicaEngine(engine: Engine): ReplicaEngine {
  const { replicaUrl, ...given } = engine.options;
  const script = replicaUrl === undefined ? defaultReplicaUrl : absoluteUrl(replicaUrl);
  if (!script) {
    throw new StateError(
      "workers: ferrograd/inline has no file for them: import ferrograd itself, or say " +
        "init({ replicaUrl, wasmUrl }): where the package's replica.js and its folder wasm are",
    );
  }
  const { posted } = absoluteUrls(given);
  // The build decides the bits.
  const { build } = engine.info();
  return { script, options: { ...posted, build, threads: 1, host: "caller" } };
}
