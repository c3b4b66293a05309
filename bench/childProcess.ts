/** Entrants in processes of their own, which do some runs for each line they read. */
import { spawn } from "node:child_process";
import { on } from "node:events";
import { createInterface } from "node:readline";
import type { Ready, Refusal, Turn } from "./driver.js";
import { coldRow } from "./driver.js";
import type { Entrant } from "./entrant.js";
import { startingAnew } from "./entrant.js";

/** A program and its arguments. */
export type Command = readonly [program: string, ...args: string[]];

/** Runs `command`, which has the work of `row`. Rejects with its message if it cannot do that. */
export async function enterProcess(command: Command, row: string): Promise<Entrant> {
  return row === coldRow ? startingAnew(() => start(command)) : start(command);
}

async function start([program, ...args]: Command): Promise<Entrant> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaints += text));
  // Its end is seen by its output's end.
  child.stdin.on("error", () => undefined);
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const lines = createInterface({ input: child.stdout });
  const answers = on(lines, "line", { close: ["close"] }) as AsyncIterator<[string], undefined>;
  const nextLine = async (): Promise<string> => {
    const answer = await Promise.race([answers.next(), failed]);
    if (!answer.done) return answer.value[0];
    await ended;
    const lastWords = complaints.trim().split("\n").at(-1)!;
    throw new Error(`${program} ended with ${child.exitCode}: ${lastWords}`);
  };
  /** Libraries print, too: what is meant for us is JSON. */
  const answer = async <T>(): Promise<T> => {
    for (;;) {
      const line = await nextLine();
      if (line.startsWith("{")) return JSON.parse(line) as T;
    }
  };
  const leave = async (): Promise<void> => {
    child.stdin.end();
    await ended;
  };
  const said = await answer<Ready | Refusal>();
  if ("cannot" in said) {
    await leave();
    throw new Error(said.cannot);
  }
  return {
    ready: said,
    take: (samples, runs) => {
      child.stdin.write(`${samples} ${runs}\n`);
      return answer<Turn>();
    },
    leave,
  };
}
