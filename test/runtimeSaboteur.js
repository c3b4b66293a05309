/**
 * A worker script whose engine fails in the middle of a run, as the variable SABOTAGE says, in
 * JSON: at which call (`at`, from 1) of which `kernel`, in which kind of worker (`role`: a team's
 * `worker` or the `leader`), and `how`: `exit`, or `throw`. It writes the time of the failure to
 * `file`. Only the first worker that gets there fails.
 */
import { existsSync, writeFileSync } from "node:fs";

const sabotage = JSON.parse(process.env.SABOTAGE);
const { Instance } = WebAssembly;
let calls = 0;
let role = "leader";

function fail() {
  writeFileSync(sabotage.file, String(performance.timeOrigin + performance.now()));
  if (sabotage.how === "throw") throw new Error("sabotage");
  process.exit(7);
}

function sabotaged(name, original) {
  return (...args) => {
    if (name === "team_wait") role = "worker";
    const now = name === sabotage.kernel && ++calls === sabotage.at;
    if (now && role === sabotage.role && !existsSync(sabotage.file)) fail();
    return original(...args);
  };
}

WebAssembly.Instance = function (module, imports) {
  const { exports } = new Instance(module, imports);
  const entries = Object.entries(exports).map(([name, value]) => [
    name,
    name === sabotage.kernel || name === "team_wait" ? sabotaged(name, value) : value,
  ]);
  return { exports: Object.fromEntries(entries) };
};

await import("../dist/runtime/worker.js");
