/** Datasets made in workers: the same elements, saved states, errors, and death. */
import { Worker } from "node:worker_threads";
import { describe, expect, it } from "vitest";
import { WorkerDiedError } from "../src/index.js";
import * as data from "../src/data/index.js";
import type { Json } from "../src/data/index.js";

type Element = { x: { data: Float32Array; shape: number[] }; at: { data: Float32Array } };

const script = new URL("./datasetWorker.mjs", import.meta.url);
const start =
  (env: Record<string, string> = {}) =>
  (): Worker =>
    new Worker(script, { env });

/** The elements up to an error. */
async function upToError(dataset: data.Dataset<Element>, epoch = 0): Promise<[Element[], unknown]> {
  const elements: Element[] = [];
  try {
    for await (const element of dataset.iterator({ epoch })) elements.push(element);
    return [elements, undefined];
  } catch (error) {
    return [elements, error];
  }
}

describe("a Dataset in a worker", () => {
  it("gives the elements, by epoch and from saved states, and its errors", async () => {
    const dataset = await data.fromWorker<Element>(start());
    expect(dataset.size).toBeUndefined();
    const [first, error] = await upToError(dataset);
    // Seven batches of the blocks up to 29; the block of 30 to 39 fails.
    const seen = first.flatMap(({ at }) => [...at.data]);
    expect(new Set(seen).size).toBe(28);
    expect(Math.max(...seen)).toBeLessThan(30);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toBe("element 35");
    const [again] = await upToError(dataset);
    expect(again).toEqual(first);
    const [other] = await upToError(dataset, 1);
    expect(other).not.toEqual(first);
    const iterator = dataset.iterator();
    for (let at = 0; at < 7; at++) {
      const state = JSON.parse(JSON.stringify(iterator.state())) as Json;
      const restored = await dataset.iterator({ epoch: 3 }).load(state);
      expect((await restored.next()).value).toEqual(first[at]);
      await restored.return();
      await iterator.next();
    }
    await iterator.return();
  });

  it("rejects when the worker dies, and has a new one for the next time", async () => {
    const dataset = await data.fromWorker<Element>(start({ FERROGRAD_TEST_DIES: "1" }));
    for (let time = 0; time < 3; time++) {
      const [elements, error] = await upToError(dataset);
      expect(error).toBeInstanceOf(WorkerDiedError);
      expect((error as Error).message).toContain("exit code 7");
      expect(elements.length).toBeLessThanOrEqual(7);
    }
  });

  it("says that there is no such script", async () => {
    const none = new URL("./noSuchWorker.mjs", import.meta.url);
    const made = data.fromWorker(() => new Worker(none));
    await expect(made).rejects.toThrow(WorkerDiedError);
    await expect(made).rejects.toThrow("noSuchWorker.mjs");
  });
});
