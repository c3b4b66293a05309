/** Trainings on workers, which must go the same way wherever they run, whatever dies. */
import type * as Ferrograd from "../../src/index.js";

/** How a training is spread. */
export interface Spread {
  readonly workers: number;
  /** Whether the page kills one of its workers in each training: as many trainings as are wanted. */
  readonly kills?: number;
  /** The address of the module that the model comes from, instead of a convolutional one. */
  readonly workerModule?: string;
}

/** What the trainings came to. */
export interface Ends {
  /** SHA-256 of the weights of each. */
  readonly weights: readonly string[];
  readonly replaced: number;
  readonly isolated: boolean | undefined;
}

const rows = 60;

/** Trains a small network, on engines of the plain build. */
export async function workersRun(
  library: typeof Ferrograd,
  { workers, kills = 0, workerModule }: Spread,
): Promise<Ends> {
  const { init, manualSeed, optim, shutdown, weightsHash } = library;
  const make = workerModule === undefined ? network : await makerAt(workerModule);
  const width = workerModule === undefined ? [1, 8, 8] : [6];
  const size = width.reduce((product, length) => product * length, rows);
  await init({ build: "plain", threads: 1 });
  const victims = kills > 0 ? watchWorkers() : [];
  try {
    const weights: string[] = [];
    let replaced = 0;
    let length = 0;
    while (replaced < kills || weights.length === 0) {
      manualSeed(7);
      const model = make(library);
      model.compile({ optimizer: optim.adam(), loss: "sparseCategoricalCrossentropy" });
      const begun = performance.now();
      const history = await model.fit({ data: pixels(size), shape: [rows, ...width] }, labels(), {
        batchSize: 16,
        epochs: 4,
        verbose: 0,
        workers,
        ...(workerModule !== undefined && { workerModule }),
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

function network({ nn }: typeof Ferrograd): Ferrograd.nn.Model {
  return nn.sequential(
    nn.conv2d(1, 4, 3, { padding: 1 }),
    nn.batchNorm2d(4, { activation: "relu" }),
    nn.maxPool2d(2),
    nn.flatten(),
    nn.dropout(0.2),
    nn.linear(64, 3, { activation: "softmax" }),
  );
}

async function makerAt(address: string): Promise<typeof network> {
  return ((await import(address)) as { model: typeof network }).model;
}

function pixels(length: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919) % 97) / 48 - 1);
}

function labels(): Int32Array {
  return Int32Array.from({ length: rows }, (_, i) => (i * 5) % 3);
}
