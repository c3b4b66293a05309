/**
 * A training that is killed at any moment goes on to the bits of one that never stopped. It is
 * killed FERROGRAD_KILLS times, or a few.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, stat, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { random } from "../src/index.js";
import { root } from "./packed.js";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-resume-"));
});
afterAll(() => rm(folder, { recursive: true }));

interface Outcome {
  /** Batches done before, where it went on. */
  readonly from: number | undefined;
  /** Of all that came of it; undefined where it was killed. */
  readonly hash: string | undefined;
  /** Milliseconds from the beginning of training. */
  readonly trained: number;
}

interface RunOptions {
  readonly workers?: string;
  /** Milliseconds after which it is killed, from when it has begun. */
  readonly killAfter?: number;
}

/** Runs the training in `place`. */
function run(
  place: string,
  { workers = "", killAfter = Infinity }: RunOptions = {},
): Promise<Outcome> {
  const child = spawn("node", [join(root, "test/resumedRun.js"), place, workers], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let [printed, begun] = ["", 0];
  child.stdout.on("data", (text: Buffer) => {
    printed += String(text);
    if (begun > 0 || !printed.startsWith("begin")) return;
    begun = performance.now();
    if (killAfter < Infinity) setTimeout(() => child.kill("SIGKILL"), killAfter);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code !== 0 && signal !== "SIGKILL") reject(new Error(`exit ${code}: ${printed}`));
      const [, from, hash] = /^from (\w+) end (\w+)$/m.exec(printed) ?? [];
      const trained = performance.now() - begun;
      resolve({ from: from === "undefined" ? undefined : Number(from), hash, trained });
    });
  });
}

const kills = Number(process.env.FERROGRAD_KILLS ?? 4);

it.each([
  { where: "one engine", workers: "" },
  { where: "two workers", workers: "2" },
])(
  "goes on to the same bits after kill -9, on $where",
  async ({ workers }) => {
    const whole = await run(join(folder, `whole${workers}`), { workers });
    expect(whole).toMatchObject({ from: undefined, hash: expect.any(String) as string });
    const generator = new random.Generator(Date.now());
    let killed = 0;
    for (let trial = 0; killed < kills; trial++) {
      const place = join(folder, `trial${workers}.${trial}`);
      // Twice, so that what goes on is killed too.
      for (let time = 0; time < 2; time++) {
        const { hash } = await run(place, {
          workers,
          killAfter: generator.uniform() * whole.trained,
        });
        killed += Number(hash === undefined);
      }
      const end = await run(place, { workers });
      expect(end.hash, `trial ${trial} goes on from ${end.from}`).toBe(whole.hash);
    }
  },
  Infinity,
);

it("goes on from the checkpoint before a damaged one", async () => {
  const place = join(folder, "damaged");
  const { hash } = await run(place);
  const backups = join(place, "backup");
  const names = (await readdir(backups)).sort();
  expect(names).toHaveLength(2);
  const last = join(backups, names[1]!);
  await truncate(last, (await stat(last)).size - 1);
  const again = await run(place);
  expect(again.from).toBeGreaterThan(0);
  expect(again.hash).toBe(hash);
});
