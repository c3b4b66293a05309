/** PyTorch, which does the same work in a process of its own, a run at a time. */
import { spawn } from "node:child_process";
import { on } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Timer } from "./measure.js";

// From bench/built.
const script = fileURLToPath(new URL("../pytorch.py", import.meta.url));

/** PyTorch, ready to run a row. */
export interface Peer {
  readonly timer: Timer;
  readonly version: string;
  stop(): void;
}

/** Starts `python` with the work of row `name`. Throws if it has none or cannot start. */
export async function startTorch(python: string, name: string, threads: number): Promise<Peer> {
  const child = spawn(python, [script, name, "--threads", String(threads)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout });
  const answers = on(lines, "line", { close: ["close"] }) as AsyncIterator<[string], undefined>;
  const failed = new Promise<never>((_, reject) => child.once("error", reject));
  const nextLine = async (): Promise<string> => {
    const answer = await Promise.race([answers.next(), failed]);
    if (answer.done) throw new Error(`${python}: PyTorch ended`);
    return answer.value[0];
  };
  return {
    version: await nextLine(),
    timer: async () => {
      child.stdin.write("\n");
      return Number(await nextLine());
    },
    stop: () => child.stdin.end(),
  };
}
