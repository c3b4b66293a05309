/**
 * A worker that is killed in the middle of a training is replaced, its shard done again, and the
 * weights are those of a training without accidents. FERROGRAD_KILLS trainings lose one, or a few.
 */
import type { Worker } from "node:worker_threads";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { init, random, shutdown, WorkerDiedError } from "../src/index.js";
import type { FitCallbacks } from "../src/index.js";
import { cnn, mlp, train } from "./workerModels.js";

/** The workers that live, and what is done with a new one. */
const workers = vi.hoisted(() => ({
  living: new Set<Worker>(),
  begun: (worker: Worker): unknown => worker,
}));

vi.mock("node:worker_threads", async (original) => {
  const real = await original<{ Worker: typeof Worker }>();
  class Watched extends real.Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      workers.living.add(this);
      this.on("exit", () => workers.living.delete(this));
      workers.begun(this);
    }
  }
  return { ...real, Worker: Watched };
});

beforeAll(() => init({ threads: 1 }));
afterAll(shutdown);
afterEach(() => {
  workers.begun = () => undefined;
});

const runs = Number(process.env.FERROGRAD_KILLS ?? 10);

describe.each([
  ["a multilayer perceptron", mlp],
  ["a convolutional network", cnn],
])("%s", (_, training) => {
  const options = { workers: 2, epochs: 4 };

  it(
    "comes to the same bits though a worker is killed",
    async () => {
      const generator = new random.Generator(Date.now());
      let length = 0;
      let begun = 0;
      const timed: FitCallbacks = {
        onTrainBegin: () => {
          begun = performance.now();
        },
        onTrainEnd: () => {
          length = performance.now() - begun;
        },
      };
      const whole = await train(training, { ...options, callbacks: [timed] });
      for (let lost = 0; lost < runs;) {
        const killer: FitCallbacks = {
          onTrainBegin: () => {
            setTimeout(() => {
              const victim = [...workers.living][generator.below(2)];
              void victim?.terminate();
            }, generator.uniform() * length);
          },
        };
        const { outcome, history } = await train(training, { ...options, callbacks: [killer] });
        expect(outcome).toEqual(whole.outcome);
        // One that is killed after its last shard is not missed.
        lost += Math.min(
          1,
          history.workers.reduce((sum, { replaced }) => sum + replaced, 0),
        );
      }
    },
    Infinity,
  );

  it("comes to the same bits though every worker is killed, twice", async () => {
    const whole = await train(training, options);
    const killers: FitCallbacks = {
      onBatchBegin: (step) => {
        if (step < 2) for (const worker of workers.living) void worker.terminate();
      },
    };
    const { outcome, history } = await train(training, { ...options, callbacks: [killers] });
    expect(outcome).toEqual(whole.outcome);
    expect(history.workers.every(({ replaced }) => replaced >= 1)).toBe(true);
  });
});

it("replaces a worker that dies as it starts", async () => {
  const whole = await train(mlp, { workers: 2 });
  let first = true;
  workers.begun = (worker) => {
    if (first) void worker.terminate();
    first = false;
  };
  const { outcome } = await train(mlp, { workers: 2 });
  expect(first).toBe(false);
  expect(outcome).toEqual(whole.outcome);
});

it("gives up, and says so, where every worker dies", async () => {
  workers.begun = (worker) => void worker.terminate();
  const failed = train(mlp, { workers: 2 });
  await expect(failed).rejects.toThrow(WorkerDiedError);
  await expect(failed).rejects.toThrow(/replica \d died.*workers died one after the other/);
  workers.begun = () => undefined;
  await vi.waitFor(() => expect(workers.living.size).toBe(0));
  await train(mlp, { workers: 2 });
});

it("ends its workers with the training, however that ends", async () => {
  await train(mlp, { workers: 2 });
  const failing: FitCallbacks = {
    onBatchEnd: () => {
      throw new Error("no more");
    },
  };
  await expect(train(mlp, { workers: 2, callbacks: [failing] })).rejects.toThrow("no more");
  await vi.waitFor(() => expect(workers.living.size).toBe(0));
});
