/** Where things are, seen from bench/peers/built, where run.mjs puts what it bundles. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the peers, into which they are installed. */
export const peersFolder = fileURLToPath(new URL("../", import.meta.url));

/** Their packages. */
export const packagesFolder = join(peersFolder, "node_modules");

/** The root of the project. */
export const root = join(peersFolder, "../..");

/** Where results are kept. */
export const resultsFolder = join(root, "bench/results");
