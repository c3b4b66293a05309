import { afterAll, afterEach, describe, expect, it } from "vitest";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WorkerDiedError } from "../src/errors.js";
import { stackBytes } from "../src/runtime/instance.js";
import { Engine } from "../src/runtime/engine.js";
import type { Request } from "../src/runtime/protocol.js";
import { gemmProgram, numbers } from "./runtimePrograms.js";

const folder = mkdtempSync(join(tmpdir(), "ferrograd-"));
const running: Engine[] = [];
let sabotages = 0;

afterEach(() => running.splice(0).forEach((engine) => engine.shutdown()));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const side = 256;
const short = gemmProgram(side);
const long = gemmProgram(side, 200);
const bytes = 4 * side * side;
const writes = [
  { handle: 1, data: numbers(side * side, 1) },
  { handle: 2, data: numbers(side * side, 2) },
];
const run = (key: number, out: number): Request => ({
  run: { key, slots: [1, 2, out] },
  reads: [{ handle: out, bytes }],
});

interface Sabotage {
  readonly host: "caller" | "worker";
  /** Which worker fails, and how. */
  readonly role: "worker" | "leader";
  readonly how: "exit" | "throw";
  /** Where: by default at its fifth product of matrices. */
  readonly kernel?: string;
  readonly at?: number;
}

async function start(sabotage: Sabotage): Promise<{ engine: Engine; file: string }> {
  const { host, role, how, kernel = "gemm", at = 5 } = sabotage;
  const file = join(folder, `failure-${++sabotages}`);
  const workerUrl = new URL("runtimeSaboteur.js", import.meta.url);
  // Workers begin with a copy of the environment.
  process.env.SABOTAGE = JSON.stringify({ kernel, at, role, how, file });
  const engine = await Engine.start({ workerUrl, host, threads: 3 });
  running.push(engine);
  await engine.execute({ writes, load: short });
  return { engine, file };
}

/** The error of the long run, and how long after the failure it came, in milliseconds. */
async function failure(engine: Engine, file: string): Promise<{ error: unknown; after: number }> {
  const failed = engine.execute({ load: long, ...run(long.key, 4) });
  const error = await failed.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  const now = performance.timeOrigin + performance.now();
  return { error, after: now - Number(readFileSync(file, "utf8")) };
}

/** Runs until the team is whole again. */
async function wholeAgain(engine: Engine): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (engine.info().threads < 3 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await engine.execute({});
  }
  expect(engine.info()).toMatchObject({ threads: 3 });
}

async function product(engine: Engine): Promise<Float32Array> {
  const { reads } = await engine.execute({ ...run(short.key, 3), frees: [3] });
  return new Float32Array(reads[0]!);
}

describe.each([
  { host: "caller", role: "worker", how: "exit" },
  { host: "caller", role: "worker", how: "throw" },
  { host: "worker", role: "worker", how: "exit" },
  { host: "worker", role: "worker", how: "throw" },
] as const)("a team worker that fails ($how) mid-run, engine in the $host", (sabotage) => {
  it("rejects the run within 250 ms, keeps tensors, and is replaced", async () => {
    const { engine, file } = await start(sabotage);
    const before = await product(engine);
    const { reserved } = engine.info().memory;
    const { error, after } = await failure(engine, file);
    expect(error).toBeInstanceOf(WorkerDiedError);
    expect(String(error)).toMatch(
      sabotage.how === "exit"
        ? /matmul \[256, 256\]: ferrograd worker \d died/
        : /matmul \[256, 256\]: a worker failed: sabotage/,
    );
    expect(after).toBeLessThan(250);
    expect(await product(engine)).toEqual(before);
    await wholeAgain(engine);
    expect(await product(engine)).toEqual(before);
    const { live, reserved: later } = engine.info().memory;
    // Room for one stack more, as the first of all was part of the module; but not for three.
    expect(later - reserved).toBeLessThan(2 * stackBytes);
    const again = await engine.execute(run(long.key, 4));
    expect(new Float32Array(again.reads[0]!)).toEqual(before);
    const { memory } = await engine.execute({ frees: [4], unload: [long.key] });
    expect(memory.live).toBeLessThanOrEqual(live);
  });
});

it("goes on with fewer threads, without waiting, on the calling thread", async () => {
  const { engine, file } = await start({ host: "caller", role: "worker", how: "exit" });
  const before = await product(engine);
  expect(() => engine.executeSync({ load: long, ...run(long.key, 4) })).toThrow(WorkerDiedError);
  expect(readFileSync(file, "utf8")).not.toBe("");
  expect(engine.info().threads).toBe(1);
  expect(engine.info().reasons.join()).toContain("a worker died: its successor is starting");
  const { reads } = engine.executeSync(run(short.key, 3));
  expect(new Float32Array(reads[0]!)).toEqual(before);
  await wholeAgain(engine);
});

it.each(["exit", "throw"] as const)("replaces a leader's worker that fails (%s)", async (how) => {
  const { engine, file } = await start({ host: "worker", role: "leader", how });
  const before = await product(engine);
  const { error, after } = await failure(engine, file);
  expect(String(error)).toMatch(how === "exit" ? /ferrograd leader died/ : /matmul.*sabotage/);
  expect(after).toBeLessThan(250);
  if (how === "exit") {
    // With its thread went its memory's bookkeeping: the buffers are to be written again.
    await expect(engine.execute(run(short.key, 3))).rejects.toThrow("is not loaded");
    expect(engine.isLoaded(short.key)).toBe(false);
    await engine.execute({ writes, load: short });
  }
  expect(await product(engine)).toEqual(before);
});

it("replaces a worker that dies between runs, and no run fails", async () => {
  const sabotage = { host: "caller", role: "worker", how: "exit" } as const;
  const { engine } = await start({ ...sabotage, kernel: "team_wait", at: 2 });
  const before = await product(engine);
  const deadline = performance.now() + 20_000;
  while (engine.info().threads === 3 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(engine.info().threads).toBe(1);
  expect(await product(engine)).toEqual(before);
  await wholeAgain(engine);
  expect(await product(engine)).toEqual(before);
});

it("replaces a leader that is stuck as it starts its team", async () => {
  const folder = mkdtempSync(join(tmpdir(), "ferrograd-stuck-"));
  try {
    const workerUrl = new URL("silentLeader.mjs", import.meta.url);
    const mark = join(folder, "mark");
    process.env.FERROGRAD_STUCK_MARK = mark;
    const engine = await Engine.start({ threads: 2, host: "worker", workerUrl });
    running.push(engine);
    expect(readFileSync(mark, "utf8")).toBe("stuck");
    expect(engine.info()).toMatchObject({ host: "worker", threads: 2 });
  } finally {
    delete process.env.FERROGRAD_STUCK_MARK;
    rmSync(folder, { recursive: true });
  }
});
