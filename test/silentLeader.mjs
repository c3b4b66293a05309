// The script of workers, of which the first that leads is stuck where Firefox at times is: within
// `new Worker`. The file FERROGRAD_STUCK_MARK tells that one was.
import { writeFileSync } from "node:fs";
import threads from "node:worker_threads";
import { syncBuiltinESMExports } from "node:module";

const { Worker } = threads;
threads.Worker = class {
  constructor(...args) {
    try {
      writeFileSync(process.env.FERROGRAD_STUCK_MARK, "stuck", { flag: "wx" });
    } catch {
      return new Worker(...args);
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
};
syncBuiltinESMExports();
await import("../dist/runtime/worker.js");
