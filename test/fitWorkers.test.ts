/** Training on workers: the same bits for any number of them, and with all else that `fit` can. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { init, manualSeed, shutdown, weightsHash } from "../src/index.js";
import type { Communicator, Exchanged } from "../src/parallel/communicator.js";
import { ParallelSteps } from "../src/parallel/parallelSteps.js";
import { Reduction } from "../src/parallel/shards.js";
import { partOf } from "../src/train/feed.js";
import type { Rows } from "../src/train/feed.js";
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

it("tells what workers have done in each epoch", async () => {
  const { history } = await train(mlp, { workers: 2, epochs: 3 });
  expect(history.workers.map(({ epoch }) => epoch)).toEqual([0, 1, 2]);
  for (const { samplesPerSecond, speedUp, replaced } of history.workers) {
    expect(samplesPerSecond).toBeGreaterThan(0);
    expect(speedUp).toBeGreaterThan(0);
    expect(speedUp).toBeLessThanOrEqual(2);
    expect(replaced).toBe(0);
  }
  expect((await train(mlp, {})).history.workers).toEqual([]);
});

describe("the sum of what shards give", () => {
  const partOfShard = (index: number): Exchanged[] => [
    Float32Array.from({ length: 50 }, (_, i) => Math.fround(((i + 1) * (index + 1)) / 7)),
    Float64Array.of(index / 3),
  ];
  const added = (vectors: readonly Exchanged[], more: readonly Exchanged[]): Exchanged[] =>
    vectors.map((vector, place) => vector.map((value, i) => value + more[place]![i]!));
  /** Half and half, by the definition. */
  const expected = (first: number, count: number): Exchanged[] => {
    if (count === 1) return partOfShard(first);
    const half = Math.floor(count / 2);
    return added(expected(first, half), expected(first + half, count - half));
  };

  it.each([1, 2, 3, 4, 7])("is that of its halves, in whichever order %i come", (count) => {
    const order = Array.from({ length: count }, (_, i) => i);
    for (const indices of [
      order,
      order.toReversed(),
      order.toSorted((a, b) => (a % 2) - (b % 2)),
    ]) {
      const reduction = new Reduction(count);
      indices.forEach((index, done) => {
        if (done > 0) expect(() => reduction.total).toThrow("a shard is missing");
        reduction.put(index, partOfShard(index));
      });
      expect(reduction.total).toEqual(expected(0, count));
    }
  });
});

/** Ranks in one thread. */
class Meeting {
  private arrived: { readonly values: Exchanged; readonly go: () => void }[] = [];

  constructor(private readonly size: number) {}

  /** What rank `rank` has of it. */
  communicator(rank: number): Communicator {
    const { size } = this;
    const sum = (all: readonly Exchanged[]): Exchanged =>
      all.length === 1
        ? all[0]!
        : sum(all.slice(0, all.length / 2)).map(
            (value, i) => value + sum(all.slice(all.length / 2))[i]!,
          );
    return {
      rank,
      size,
      allReduce: (values) => this.meet(rank, values, sum),
      broadcast: (values, root) => this.meet(rank, values, (all) => all[root]!.slice()),
      barrier: () => this.meet(rank, new Float32Array(0), (all) => all[0]!),
    };
  }

  private async meet(
    rank: number,
    values: Exchanged,
    combine: (all: readonly Exchanged[]) => Exchanged,
  ): Promise<void> {
    await new Promise<void>((go) => {
      this.arrived[rank] = { values, go };
      if (Object.keys(this.arrived).length < this.size) return;
      const combined = combine(this.arrived.map((one) => one.values));
      const present = this.arrived;
      this.arrived = [];
      for (const one of present) {
        one.values.set(combined);
        one.go();
      }
    });
  }
}

it.each([2, 4])(
  "comes to the same bits on %i ranks, each with its part of the shards",
  async (size) => {
    const { make, x, y } = cnn;
    const rows: Rows = [x, { data: y, shape: [y.length] }, undefined];
    const course = async (ranks: number): Promise<string[]> => {
      const meeting = new Meeting(ranks);
      const models = Array.from({ length: ranks }, (_, rank) => {
        // Rank 0's weights are those that all begin with.
        manualSeed(5 + rank);
        return make();
      });
      manualSeed(9);
      const started = models.map((model, rank) =>
        ParallelSteps.start(model, model.setup("test"), {
          workers: 1,
          shards: 8,
          communicator: meeting.communicator(rank),
        }),
      );
      const all = await Promise.all(started);
      try {
        for (const batch of [partOf(rows, 0, 24), partOf(rows, 24, 50)]) {
          const sums = await Promise.all(all.map((steps) => steps.run("whole", batch)));
          for (const one of sums) expect(one).toEqual(sums[0]);
          expect([...sums[0]!][0]).toBe(batch[0].shape[0]);
        }
      } finally {
        for (const steps of all) steps.close();
      }
      return Promise.all(models.map(weightsHash));
    };
    const [one] = await course(1);
    expect(await course(size)).toEqual(Array<string | undefined>(size).fill(one));
  },
);
