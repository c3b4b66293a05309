/** A training in a page that is aborted and gone on with: its files are in the page's storage. */
import type * as Ferrograd from "../../src/index.js";
import type * as Train from "../../src/train/entry.js";

/** What the trainings show of themselves; all of it can be posted. */
export interface Resumed {
  /** Hashes of the weights: of a training in one, of one in two, of the model that was saved. */
  readonly whole: string;
  readonly parts: string;
  readonly saved: string;
  /** Batches done where it went on, and checkpoints that were not used. */
  readonly from: number | undefined;
  readonly rejected: number;
  /** What the log holds. */
  readonly log: string;
}

const folder = "runs/first";

/** Trains in one, then in two with the last checkpoint damaged in between. */
export async function resumeRun(
  { init, loadModel, manualSeed, nn, optim, shutdown, weightsHash }: typeof Ferrograd,
  { BackupAndRestore, CSVLogger, ModelCheckpoint }: typeof Train,
): Promise<Resumed> {
  await init({ build: "plain", threads: 1 });
  try {
    const rows = Array.from({ length: 24 }, (_, i) => [i / 24, (i % 5) - 2]);
    const targets = rows.map(([a, b]) => a! - b!);
    const line = (): Ferrograd.nn.Sequential => {
      manualSeed(3);
      const model = nn.sequential(nn.linear(2, 4), nn.dropout(0.2), nn.linear(4, 1));
      model.compile({ optimizer: optim.adam({ learningRate: 0.01 }), loss: "mse" });
      return model;
    };
    const fit = async (
      callbacks: Ferrograd.FitCallbacks[],
      signal?: AbortSignal,
    ): Promise<Ferrograd.nn.Sequential> => {
      const model = line();
      const options = { batchSize: 4, epochs: 4, verbose: 0, callbacks, signal } as const;
      await model.fit(rows, targets, options);
      return model;
    };
    const whole = await weightsHash(await fit([]));

    const controller = new AbortController();
    let batches = 0;
    const abort = {
      onBatchEnd: () => {
        if (++batches === 15) controller.abort();
      },
    };
    const others = (): Ferrograd.FitCallbacks[] => [
      new CSVLogger(`${folder}/log.csv`),
      new ModelCheckpoint(`${folder}/best`, { monitor: "loss", saveLast: "last" }),
    ];
    const first = new BackupAndRestore(`${folder}/backup`, { saveFrequency: 7 });
    await fit([...others(), first, abort], controller.signal).catch((error: unknown) => {
      if (!controller.signal.aborted) throw error;
    });
    await damageLast(`${folder}/backup`);
    const backup = new BackupAndRestore(`${folder}/backup`);
    const model = await fit([...others(), backup]);
    const loaded = await loadModel("last");
    return {
      whole,
      parts: await weightsHash(model),
      saved: await weightsHash(loaded.model),
      from: backup.restoredFrom,
      rejected: backup.rejected.length,
      log: await (await fileIn(folder, "log.csv")).text(),
    };
  } finally {
    shutdown();
  }
}

async function folderAt(path: string): Promise<FileSystemDirectoryHandle> {
  let found = await navigator.storage.getDirectory();
  for (const name of path.split("/")) found = await found.getDirectoryHandle(name);
  return found;
}

async function fileIn(path: string, name: string): Promise<File> {
  return (await (await folderAt(path)).getFileHandle(name)).getFile();
}

async function damageLast(path: string): Promise<void> {
  const place = await folderAt(path);
  const names: string[] = [];
  for await (const name of place.keys()) names.push(name);
  const handle = await place.getFileHandle(names.sort().at(-1)!);
  const { size } = await handle.getFile();
  const stream = await handle.createWritable({ keepExistingData: true });
  await stream.truncate(size - 5);
  await stream.close();
}
