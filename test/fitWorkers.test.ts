/** Training on workers: the same bits for any number of them, and with all else that `fit` can. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { init, shutdown } from "../src/index.js";
import { cnn, mlp, train, transformer } from "./workerModels.js";

beforeAll(() => init({ threads: 1 }));
afterAll(shutdown);

describe.each([
  ["a multilayer perceptron with dropout", mlp],
  ["a convolutional network with batch norm", cnn],
  ["a Transformer with masks", transformer],
])("%s", (_, training) => {
  it("comes to the same bits on 1, 2, 3 and 4 workers", async () => {
    const one = await train(training, { workers: 1 });
    for (const workers of [2, 3, 4]) {
      const more = await train(training, { workers });
      expect(more.outcome).toEqual(one.outcome);
    }
    const other = await train(training, { workers: 1, shards: 3 });
    expect(other.outcome.weights).not.toBe(one.outcome.weights);
  });

  it("learns what it learns without workers, where the batch is one shard", async () => {
    const alone = await train(training, {});
    const { history, model } = await train(training, { workers: 1, shards: 1 });
    for (const [name, values] of Object.entries(alone.history.history)) {
      history.history[name]!.forEach((value, epoch) => {
        expect(value, name).toBeCloseTo(values[epoch]!, 4);
      });
    }
    const state = await model.stateDict();
    for (const [name, { data }] of await alone.model.stateDict()) {
      const distance = state.get(name)!.data.map((value, i) => Math.abs(value - data[i]!));
      expect(Math.max(...distance), name).toBeLessThan(1e-4);
    }
  });
});
