import { afterEach, describe, expect, it } from "vitest";
import { spawnSync } from "node:child_process";
import {
  ArgumentError,
  IndexError,
  OutOfMemoryError,
  StateError,
  WorkerDiedError,
} from "../src/errors.js";
import type { Program } from "../src/program/program.js";
import { chooseBuild } from "../src/runtime/builds.js";
import { Engine, engine, init, shutdown } from "../src/runtime/engine.js";
import type { InitOptions } from "../src/runtime/protocol.js";
import { addProgram, gatherProgram, gemmProgram, numbers } from "./runtimePrograms.js";

const running: Engine[] = [];

async function start(options: InitOptions): Promise<Engine> {
  const started = await Engine.start(options);
  running.push(started);
  return started;
}

afterEach(() => {
  for (const started of running.splice(0)) started.shutdown();
  shutdown();
});

/** Runs `program` on the two matrices, and returns its third slot. */
async function product(on: Engine, program: Program, side: number): Promise<Float32Array> {
  const { reads } = await on.execute({
    writes: [
      { handle: 1, data: numbers(side * side, 1) },
      { handle: 2, data: numbers(side * side, 2) },
    ],
    load: program,
    run: { key: program.key, slots: [1, 2, 3] },
    reads: [{ handle: 3, bytes: 4 * side * side }],
    frees: [1, 2, 3],
  });
  return new Float32Array(reads[0]!);
}

const hosts = [{ host: "caller" }, { host: "worker" }] as const;

describe.each(hosts)("an engine in the $host", ({ host }) => {
  it.each([1, 2, 3])("adds, on %i threads", async (threads) => {
    const on = await start({ host, threads });
    expect(on.info()).toMatchObject({ host, threads });
    const program = addProgram(1000);
    const [a, b] = [numbers(1000, 1), numbers(1000, 2)];
    const { reads } = await on.execute({
      writes: [
        { handle: 1, data: a },
        { handle: 2, data: b },
      ],
      load: program,
      run: { key: program.key, slots: [1, 2, 3] },
      reads: [{ handle: 3, bytes: 4000 }],
    });
    expect(new Float32Array(reads[0]!)).toEqual(a.map((value, index) => value + b[index]!));
  });

  it("gives the same bits on 1, 2 and 3 threads", async () => {
    const program = gemmProgram(300);
    const one = await product(await start({ host, threads: 1 }), program, 300);
    for (const threads of [2, 3]) {
      expect(await product(await start({ host, threads }), program, 300)).toEqual(one);
    }
  });

  it("runs in the order of the calls, and takes the data at the call", async () => {
    const on = await start({ host, threads: 2 });
    const program = addProgram(4);
    const data = Float32Array.of(1, 1, 1, 1);
    await on.execute({ writes: [{ handle: 1, data }], load: program });
    // Each doubles what the one before has left.
    const runs = Array.from({ length: 10 }, (_, step) =>
      on.execute({
        run: { key: program.key, slots: [step + 1, step + 1, step + 2] },
        reads: [{ handle: step + 2, bytes: 16 }],
      }),
    );
    data.fill(9);
    const results = (await Promise.all(runs)).map(({ reads }) => new Float32Array(reads[0]!)[0]);
    expect(results).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
  });

  it("refuses a run for which memory does not suffice, and nothing has changed", async () => {
    const on = await start({ host, threads: 2, maxMemory: 32 * 2 ** 20 });
    const small = addProgram(1000);
    const large = addProgram(4 * 2 ** 20);
    const data = numbers(1000);
    const before = await on.execute({ writes: [{ handle: 1, data }], load: small });
    const refused = on.execute({
      writes: [{ handle: 8, data: new Float32Array(4 * 2 ** 20) }],
      load: large,
      run: { key: large.key, slots: [8, 8, 9] },
    });
    await expect(refused).rejects.toThrow(OutOfMemoryError);
    await expect(refused).rejects.toThrow(
      /^out of memory: buffer 9 asks for 16\.0 MiB; .* 32\.0 MiB/,
    );
    const { reads, memory } = await on.execute({
      run: { key: small.key, slots: [1, 1, 2] },
      reads: [{ handle: 2, bytes: 4000 }],
      frees: [],
    });
    expect(new Float32Array(reads[0]!)).toEqual(data.map((value) => 2 * value));
    const needed = memory.live - before.memory.live; // slot 2, constants, text, job
    expect(needed).toBeLessThan(8192);
    await expect(on.execute({ reads: [{ handle: 8, bytes: 4 }] })).rejects.toThrow(StateError);
  });

  it("names a bad index, and stops before anything is updated", async () => {
    const on = await start({ host, threads: 2 });
    const program = gatherProgram(10, 4, 6);
    const table = numbers(40);
    const request = (ids: Int32Array) => ({
      writes: [
        { handle: 1, data: table },
        { handle: 2, data: ids },
      ],
      run: { key: program.key, slots: [1, 2, 3, 4] },
      reads: [{ handle: 4, bytes: 4 }],
    });
    await on.execute({ load: program, writes: [{ handle: 4, data: Float32Array.of(5) }] });
    const bad = on.execute(request(Int32Array.of(1, 2, 77, 3, -1, 4)));
    await expect(bad).rejects.toThrow(IndexError);
    await expect(bad).rejects.toThrow("embedding [10, 4]: index 77 at position 2 is out of range");
    const { reads } = await on.execute({ reads: [{ handle: 4, bytes: 4 }] });
    expect(new Float32Array(reads[0]!)).toEqual(Float32Array.of(5));
    const good = await on.execute(request(Int32Array.of(1, 2, 7, 3, 1, 4)));
    expect(new Float32Array(good.reads[0]!)).toEqual(Float32Array.of(6));
  });

  it("names what it does not know", async () => {
    const on = await start({ host, threads: 1 });
    const program = addProgram(4);
    const unknown = on.execute({ run: { key: program.key, slots: [1, 1, 2] } });
    await expect(unknown).rejects.toThrow(`program ${program.key} is not loaded`);
    const missing = on.execute({ load: program, run: { key: program.key, slots: [1, 1, 2] } });
    await expect(missing).rejects.toThrow("buffer 1 is not in the engine's memory");
    const short = on.execute({
      writes: [{ handle: 1, data: new Float32Array(3) }],
      run: { key: program.key, slots: [1, 1, 2] },
    });
    await expect(short).rejects.toThrow("buffer 1 holds 12 bytes: 16 are wanted");
    const few = on.execute({ run: { key: program.key, slots: [1] } });
    await expect(few).rejects.toThrow("has 3 slots: 1 buffers were given");
  });

  it("holds no more after a thousand runs than after ten", async () => {
    const on = await start({ host, threads: 2 });
    const program = gemmProgram(8, 1);
    const data = numbers(64);
    await on.execute({ writes: [{ handle: 1, data }], load: program });
    const live: number[] = [];
    for (let step = 0; step < 1000; step++) {
      const slots = [1, 1, step + 2];
      const { memory } = await on.execute({
        run: { key: program.key, slots },
        frees: step > 0 ? [step + 1] : [],
      });
      live.push(memory.live);
    }
    expect(live.at(-1)).toBe(live[10]);
    const { memory } = await on.execute({ frees: [1, 1001], unload: [program.key] });
    const fresh = await start({ host, threads: 2 });
    // What stays is the room for jobs.
    expect(memory.live - fresh.info().memory.live).toBeLessThan(1024);
  });

  it("rejects after shutdown", async () => {
    const on = await start({ host, threads: 2 });
    on.shutdown();
    await expect(on.execute({})).rejects.toThrow("the engine was shut down");
  });

  it("lets a process end, shut down or forgotten", () => {
    for (const last of ["shutdown();", ""]) {
      const script = `
        import { init, shutdown } from "./dist/runtime/engine.js";
        const engine = await init({ host: "${host}", threads: 2 });
        const writes = [{ handle: 1, data: Float32Array.of(1, 2) }];
        const { reads } = await engine.execute({ writes, reads: [{ handle: 1, bytes: 8 }] });
        console.log(new Float32Array(reads[0]).join());
        ${last}`;
      const args = ["--input-type=module", "-e", script];
      const child = spawnSync(process.execPath, args, { timeout: 20_000, encoding: "utf8" });
      expect(child).toMatchObject({ status: 0, stdout: "1,2\n", stderr: "" });
    }
  });

  it("burns no processor time when idle", async () => {
    const on = await start({ host, threads: 3 });
    await product(on, gemmProgram(8), 8);
    const wait = (time: number): Promise<void> => new Promise((done) => setTimeout(done, time));
    await wait(100);
    // The least of some tries: whatever else this process may do, it does not do always.
    let least = Infinity;
    for (let attempt = 0; attempt < 5; attempt++) {
      const before = process.cpuUsage();
      await wait(200);
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, (user + system) / 1000);
    }
    expect(least).toBeLessThan(40); // two spinning workers would take 200 to 400 ms
  });
});

describe("executeSync", () => {
  it("blocks where the engine is on this thread", async () => {
    const on = await start({ host: "caller", threads: 2 });
    const data = numbers(10);
    const { reads } = on.executeSync({
      writes: [{ handle: 1, data }],
      reads: [{ handle: 1, bytes: 40 }],
    });
    expect(new Float32Array(reads[0]!)).toEqual(data);
  });

  it("says the way out where it is not", async () => {
    const on = await start({ host: "worker", threads: 1 });
    expect(() => on.executeSync({})).toThrow(StateError);
    expect(() => on.executeSync({})).toThrow("use `await data()`");
  });
});

describe("init", () => {
  it("starts one engine, whoever calls", async () => {
    expect(() => engine()).toThrow("the engine is not running: call `await init()` first");
    const [first, second] = await Promise.all([init({ threads: 2 }), init({ threads: 2 })]);
    expect(second).toBe(first);
    expect(await init()).toBe(first);
    expect(engine()).toBe(first);
    await expect(init({ threads: 1 })).rejects.toThrow("call shutdown() first");
    shutdown();
    expect(() => engine()).toThrow(StateError);
    const other = await init({ threads: 1 });
    expect(other).not.toBe(first);
    expect(other.info().threads).toBe(1);
  });

  it("refuses what cannot be, and can be called again", async () => {
    await expect(init({ threads: 0 })).rejects.toThrow(ArgumentError);
    await expect(init({ maxMemory: 1000 })).rejects.toThrow("init: maxMemory is 1000 bytes");
    await expect(init({ wasmUrl: "file:///nowhere/" })).rejects.toThrow("nowhere");
    const workerUrl = "file:///nowhere/worker.js";
    await expect(init({ threads: 2, workerUrl })).rejects.toThrow(WorkerDiedError);
    expect((await init({ threads: 1 })).info().threads).toBe(1);
  });

  it("runs each build that is asked for, with the same bits where both are plain", async () => {
    const program = gemmProgram(50);
    const plain = await start({ build: "plain", threads: 2 });
    expect(plain.info()).toMatchObject({ build: "plain", simd: "simd128", threads: 2 });
    const single = await start({ build: "single", threads: 2 });
    expect(single.info()).toMatchObject({ build: "single", simd: "simd128", threads: 1 });
    expect(single.info().reasons).toContain('build "single" has one thread');
    expect(await product(single, program, 50)).toEqual(await product(plain, program, 50));
  });
});

describe("chooseBuild", () => {
  const all = { simd: true, relaxedSimd: true, sharedMemory: true, isolated: true };

  it("takes the fastest, and has no excuses", () => {
    expect(chooseBuild(all, undefined, 8)).toEqual({
      build: "relaxed",
      simd: "relaxed-simd",
      shared: true,
      threads: 8,
      reasons: [],
    });
  });

  it("says why not a faster one", () => {
    const node20 = chooseBuild({ ...all, relaxedSimd: false }, undefined, 4);
    expect(node20).toMatchObject({ build: "plain", threads: 4 });
    expect(node20.reasons.join()).toContain("relaxed SIMD");
    const page = chooseBuild({ ...all, isolated: false }, undefined, 4);
    expect(page).toMatchObject({ build: "relaxed", threads: 1 });
    expect(page.reasons.join()).toContain("not cross-origin isolated");
    const old = chooseBuild({ ...all, sharedMemory: false }, undefined, 4);
    expect(old).toMatchObject({ build: "single", shared: false, threads: 1 });
    expect(old.reasons).toHaveLength(1);
  });

  it("refuses a build that cannot run", () => {
    const choose = (): unknown => chooseBuild({ ...all, relaxedSimd: false }, "relaxed", 1);
    expect(choose).toThrow(/^init: build "relaxed" cannot run: relaxed SIMD/);
    expect(() => chooseBuild({ ...all, simd: false }, undefined, 1)).toThrow("no WebAssembly SIMD");
  });
});
