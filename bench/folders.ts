/** Where things are. Both run.mjs and the tests run in the root of the project. */
import { join } from "node:path";

/** The root of the project. */
export const root = process.cwd();

/** Where results are kept. */
export const resultsFolder = join(root, "bench/results");

/** The folder of the peers, into which they are installed. */
export const peersFolder = join(root, "bench/peers");

/** Their packages. */
export const packagesFolder = join(peersFolder, "node_modules");
