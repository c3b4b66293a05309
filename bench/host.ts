/** A driver in a Node process of its own: `host.js DRIVER ROW OPTIONS`. */
import { createInterface } from "node:readline";
import type { Driver, DriverOptions, Ready, Refusal, Turn } from "./driver.js";
import { enter, takeTurn } from "./driver.js";

const [script, row, options] = process.argv.slice(2);

const say = (message: Ready | Refusal | Turn): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

const load = () => import(script!) as Promise<Driver>;
const { said, work } = await enter(load, row!, JSON.parse(options!) as DriverOptions);
say(said);
if (work) {
  for await (const line of createInterface({ input: process.stdin })) {
    const [samples, runs] = line.split(" ").map(Number);
    const ms = await takeTurn(work, samples!, runs!);
    say({ ms, peak: process.resourceUsage().maxRSS * 1024 });
  }
}
// Peers may have threads that would keep the process.
process.exit();
