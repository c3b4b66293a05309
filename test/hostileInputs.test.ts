/**
 * Hostile and broken inputs, a row each: the error is of the class and says what is wrong, nothing
 * is half done, nothing has leaked, and the library still works.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engine, init, manualSeed, randomState, setRandomState, shutdown } from "../src/index.js";
import { datasetRows } from "./hostile/datasets.js";
import { modelRows } from "./hostile/models.js";
import type { Row } from "./hostile/row.js";
import { Bench, labels, rows } from "./hostile/row.js";
import { trainingRows } from "./hostile/training.js";

setFlagsFromString("--expose_gc");
const collect = runInNewContext("gc") as () => void;

let bench: Bench;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-hostile-"));
  await writeFile(join(folder, "file"), "no folder");
  await init({ threads: 2 });
  manualSeed(1);
  bench = new Bench(folder);
  await bench.fit({});
});
afterAll(async () => {
  shutdown();
  await rm(folder, { recursive: true });
});

/** All that a model, its training and what it predicts come to. */
async function stateOf(model: Bench["model"]): Promise<unknown> {
  const parts: unknown[] = [];
  for (const one of [model, bench.overTokens, bench.regressor]) {
    for (const [name, { data }] of await one.stateDict()) parts.push(name, Array.from(data));
    const { optimizer } = one.setup("test");
    const { steps, learningRate, variables } = await optimizer.stateDict();
    parts.push(
      steps,
      learningRate,
      [...variables].map(([, { data }]) => Array.from(data)),
    );
  }
  const predicted = await model.predict(rows);
  parts.push(Array.from(await predicted.data()), await model.evaluate(rows, labels));
  predicted.dispose();
  return parts;
}

/** Bytes that live in the engine once what nobody holds has been given back. */
async function settled(most = Infinity): Promise<number> {
  let live = Infinity;
  // What is collected is given back with the next request.
  for (let round = 0; round < 10 && (round < 2 || live > most); round++) {
    collect();
    await new Promise((go) => setImmediate(go));
    live = (await engine().execute({ frees: [] })).memory.live;
  }
  return live;
}

async function expectRefused([, attempt, kind, message]: Row): Promise<void> {
  const error: unknown = await (async () => attempt(bench))().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(kind);
  const said = (error as Error).message;
  expect(said).toMatch(message);
  // Written for people: no megabytes, and nothing that only a debugger understands.
  expect(said.length).toBeLessThan(1000);
  expect(said).not.toMatch(/\[object |undefined \(reading|is not a function|is not iterable/);
}

const table: readonly Row[] = [...trainingRows, ...datasetRows, ...modelRows];

it("has a name for each row, and two hundred of them", () => {
  expect(new Set(table.map(([name]) => name)).size).toBe(table.length);
  expect(table.length).toBeGreaterThan(200);
});

it.each(table.map((row) => [row[0], row] as const))("%s", async (_, row) => {
  const before = await stateOf(bench.model);
  await expectRefused(row);
  expect(await stateOf(bench.model)).toEqual(before);
  const live = await settled();
  await expectRefused(row);
  expect(await settled(live)).toBeLessThanOrEqual(live);
});

it("and then trains to the same bits as if none of it had been", async () => {
  const fresh = new Bench(folder);
  fresh.model.loadStateDict(await bench.model.stateDict());
  const { optimizer } = bench.model.setup("test");
  fresh.model.setup("test").optimizer.loadStateDict(await optimizer.stateDict());
  const random = randomState();
  for (const one of [bench, fresh]) {
    setRandomState(random);
    await one.fit({ epochs: 3, batchSize: 2 });
  }
  expect(await stateOf(bench.model)).toEqual(await stateOf(fresh.model));
});
