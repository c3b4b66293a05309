/** Trainings on workers, which must go the same way wherever they run, whatever dies. */
import type * as Ferrograd from "../../src/index.js";

/** How a training is spread. */
export interface Spread {
  readonly workers: number;
  /** Whether the page kills one of its workers in each training: as many trainings as are wanted. */
  readonly kills?: number;
}

/** What the trainings came to. */
export interface Ends {
  /** SHA-256 of the weights of each. */
  readonly weights: readonly string[];
  readonly replaced: number;
  readonly isolated: boolean | undefined;
}

const rows = 60;

/** Trains a small convolutional network, on engines of the plain build. */
export async function workersRun(
  { init, manualSeed, nn, optim, shutdown, weightsHash }: typeof Ferrograd,
  { workers, kills = 0 }: Spread,
): Promise<Ends> {
  await init({ build: "plain", threads: 1 });
  const victims = kills > 0 ? watchWorkers() : [];
  try {
    const weights: string[] = [];
    let replaced = 0;
    let length = 0;
    while (replaced < kills || weights.length === 0) {
      manualSeed(7);
      const model = nn.sequential(
        nn.conv2d(1, 4, 3, { padding: 1 }),
        nn.batchNorm2d(4, { activation: "relu" }),
        nn.maxPool2d(2),
        nn.flatten(),
        nn.dropout(0.2),
        nn.linear(64, 3, { activation: "softmax" }),
      );
      model.compile({ optimizer: optim.adam(), loss: "sparseCategoricalCrossentropy" });
      const begun = performance.now();
      const history = await model.fit({ data: pixels(), shape: [rows, 1, 8, 8] }, labels(), {
        batchSize: 16,
        epochs: 4,
        verbose: 0,
        workers,
        callbacks: [
          {
            onEpochBegin: (epoch) => {
              if (kills === 0 || epoch > 0) return;
              const victim = victims.at(weights.length % 2 === 0 ? -1 : -2);
              setTimeout(() => victim?.terminate(), Math.random() * length);
            },
          },
        ],
      });
      // The first is not long enough to be killed: its length is what is chosen from.
      if (length === 0) length = (performance.now() - begun) / 2;
      weights.push(await weightsHash(model));
      replaced += history.workers.reduce((sum, epoch) => sum + epoch.replaced, 0);
    }
    return { weights, replaced, isolated: globalThis.crossOriginIsolated };
  } finally {
    shutdown();
  }
}

/** The replicas that are made from now on. */
function watchWorkers(): Worker[] {
  const made: Worker[] = [];
  const { Worker: Real } = globalThis;
  globalThis.Worker = class extends Real {
    constructor(url: string | URL, options?: WorkerOptions) {
      super(url, options);
      if (options?.name?.includes("replica") === true) made.push(this);
    }
  };
  return made;
}

function pixels(): Float32Array {
  return Float32Array.from({ length: rows * 64 }, (_, i) => ((i * 7919) % 97) / 48 - 1);
}

function labels(): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i * 5) % 3);
}
