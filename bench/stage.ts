/** Where drivers run: in processes of Node, or in pages of a browser. */
import { fileURLToPath } from "node:url";
import { enterProcess } from "./childProcess.js";
import type { DriverOptions } from "./driver.js";
import type { Entrant } from "./entrant.js";

/** A place for drivers, until it is closed. */
export interface Stage {
  /** What it is, with its version: `Node 24.1.0`. */
  readonly name: string;
  /** Starts driver `driver` there with the work of `row`. Rejects with its message if it cannot. */
  enter(driver: string, row: string, options: DriverOptions): Promise<Entrant>;
  close(): Promise<void>;
}

/** The address of a script that run.mjs has built. */
const built = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url));

/** Processes of the Node at path `node`, whose version is `version`. */
export function nodeStage(node: string, version: string): Stage {
  return {
    name: `Node ${version}`,
    enter: (driver, row, options) =>
      enterProcess([node, built("host"), built(driver), row, JSON.stringify(options)], row),
    close: async () => undefined,
  };
}
