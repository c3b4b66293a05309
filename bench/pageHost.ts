/** A driver in a page of its own. */
import type { Driver, DriverOptions, Ready, Refusal, Turn } from "./driver.js";
import * as driver from "./driver.js";
import type { Work } from "./row.js";

let current: Work | undefined;

/** Starts the driver at `address` and prepares `row`. */
export async function enter(
  address: string,
  row: string,
  options: DriverOptions,
): Promise<Ready | Refusal> {
  const load = () => import(address) as Promise<Driver>;
  const { said, work } = await driver.enter(load, row, options);
  current = work;
  return said;
}

/** A turn with what was prepared. */
export async function take(samples: number, runs: number): Promise<Turn> {
  return { ms: await driver.takeTurn(current!, samples, runs) };
}
