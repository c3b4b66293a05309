/**
 * A worker script whose engine fails in the middle of a run, as its URL's query says:
 * `kernel`, which call of it (`at`, from 1), in which kind of worker (`role`: a team's `worker` or
 * the `leader`), and `how`: `exit`, or `throw`. It writes the time of the failure to `file`.
 * Only the first worker that gets there fails.
 */
import { existsSync, writeFileSync } from "node:fs";

const { searchParams } = new URL(import.meta.url);
const kernel = searchParams.get("kernel");
const file = searchParams.get("file");
const { Instance } = WebAssembly;
let calls = 0;
let role = "leader";

function fail() {
  writeFileSync(file, String(performance.timeOrigin + performance.now()));
  if (searchParams.get("how") === "throw") throw new Error("sabotage");
  process.exit(7);
}

function sabotaged(name, original) {
  return (...args) => {
    if (name === "team_wait") role = "worker";
    const now = name === kernel && ++calls === Number(searchParams.get("at"));
    if (now && role === searchParams.get("role") && !existsSync(file)) fail();
    return original(...args);
  };
}

WebAssembly.Instance = function (module, imports) {
  const { exports } = new Instance(module, imports);
  const entries = Object.entries(exports).map(([name, value]) => [
    name,
    name === kernel || name === "team_wait" ? sabotaged(name, value) : value,
  ]);
  return { exports: Object.fromEntries(entries) };
};

await import("../dist/runtime/worker.js");
