/** Reading, changing and batching data: it must come out the same wherever it runs. */
import type * as Data from "../../src/data/index.js";
import type * as Ferrograd from "../../src/index.js";

/** Files as base64. */
export interface Files {
  readonly png: string;
  readonly jpeg: string;
  readonly parquet: string;
  readonly npz: string;
  readonly csvGz: string;
}

/** What it all comes to, as text; hashes stand for many numbers. */
export type Outcome = Readonly<Record<string, string>>;

const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0));

async function hashOf(values: ArrayBufferView): Promise<string> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", Uint8Array.from(bytes)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Goes through all formats and stages once; `worker` makes a worker that serves a Dataset. */
export async function dataRun(
  { metrics }: typeof Ferrograd,
  data: typeof Data,
  files: Files,
  worker: () => Data.DatasetWorker,
): Promise<Outcome> {
  const { augment } = data;
  const outcome: Record<string, string> = {};
  const images = data.fromImages([bytesOf(files.png), new Blob([bytesOf(files.jpeg)])]);
  const change = augment.sequence(
    (image) => augment.resize(image, [20, 20]),
    augment.randomHorizontalFlip(),
    augment.randomAffine({ degrees: 30, translate: 0.1, scale: [0.8, 1.2] }),
    augment.colorJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.3 }),
    augment.randomNoise(0.01),
  );
  const changed = images.repeat(8).map(change, { seed: 3, parallel: 3 }).shuffle({ seed: 4 });
  const [batch] = await changed.batch(16).toArray();
  outcome.images = await hashOf(batch!.data);
  const rows = await data.fromParquet(new Blob([bytesOf(files.parquet)]));
  outcome.parquet = JSON.stringify(await rows.toArray());
  const arrays = await data.readNpz(bytesOf(files.npz));
  outcome.npz = await hashOf(await data.writeNpz(arrays, { compress: true }));
  const csv = data.fromCsv(new File([bytesOf(files.csvGz)], "t.csv.gz"), { header: true });
  const iterator = csv.iterator();
  for (let i = 0; i < 3; i++) await iterator.next();
  const rest: unknown[] = [];
  for await (const row of await csv.iterator().load(iterator.state())) rest.push(row);
  outcome.csv = JSON.stringify(rest);
  const served = await data.fromWorker(worker);
  outcome.worker = JSON.stringify(await served.take(4).toArray({ epoch: 2 }));
  const scores = Array.from({ length: 50 }, (_, i) => ((i * 37) % 50) / 50);
  const labels = scores.map((score, i) => Number(score + ((i * 13) % 7) / 10 > 0.8));
  const found = [metrics.rocAuc(), metrics.logLoss(), metrics.f1(), metrics.perplexity()];
  outcome.metrics = found.map((metric) => String(metric.update(labels, scores).result())).join();
  return outcome;
}
