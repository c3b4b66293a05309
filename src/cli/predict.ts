/** `ferrograd predict`. */
import { createWriteStream } from "node:fs";
import { once } from "node:events";
import Papa from "papaparse";
import { DataError, reasonOf } from "../errors.js";
import { sliceRows } from "../data/inputs.js";
import { defaultBatchSize } from "../train/evaluate.js";
import type { Sequential } from "../train/sequential.js";
import type { UseOptions } from "./evaluate.js";
import { openModel } from "./evaluate.js";
import type { Inputs, Learned } from "./examples.js";
import { readInputs } from "./examples.js";
import type { Output } from "./output.js";
import { toJson } from "./output.js";
import type { Place } from "./sources.js";
import { startEngine } from "./start.js";

/** Options of `predict`. */
export interface PredictOptions extends UseOptions {
  /** How predictions are written. */
  readonly as: "jsonl" | "csv";
  /** The file to write. Default: standard output. */
  readonly to?: string | undefined;
}

/** Rows whose outputs are in memory at a time. */
const rowsAtATime = 4096;

/** Writes what a saved model makes of rows, a line for each. */
export async function predict(
  folder: string,
  place: Place,
  options: PredictOptions,
  output: Output,
): Promise<void> {
  await startEngine(output, options);
  const { model, learned } = await openModel(folder);
  const inputs = await readInputs(place, learned);
  const sink: Sink = options.to === undefined ? output : fileSink(options.to);
  let rows = 0;
  for await (const outputs of outputsOf(model, inputs, options.batchSize)) {
    const lines = outputs.map((one) => predictionOf(one, learned));
    const header = rows === 0;
    const text =
      options.as === "csv" ? asCsv(lines, header) : lines.map((one) => `${toJson(one)}\n`).join("");
    await sink.write(text);
    rows += outputs.length;
  }
  await sink.end?.();
  if (options.to !== undefined) output.note(`${rows} predictions are in ${options.to}`);
}

/** Output rows of the model, some thousand at a time. */
async function* outputsOf(
  model: Sequential,
  inputs: Inputs,
  batchSize = defaultBatchSize,
): AsyncGenerator<number[][]> {
  const size = inputs.of === "table" ? inputs.table.shape[0]! : inputs.size;
  for (let start = 0; start < size; start += rowsAtATime) {
    const end = Math.min(size, start + rowsAtATime);
    const result =
      inputs.of === "table"
        ? await model.predict(sliceRows(inputs.table, start, end), { batchSize })
        : await model.predict(
            inputs.images
              .skip(start)
              .take(end - start)
              .batch(batchSize),
          );
    const data = Array.from(await result.data(), Number);
    result.dispose();
    const width = data.length / (end - start);
    yield Array.from({ length: end - start }, (_, row) => {
      return data.slice(row * width, (row + 1) * width);
    });
  }
}

/** A class and what speaks for each, or numbers. */
type Prediction =
  | {
      readonly class: string;
      readonly probability: number;
      readonly probabilities: { readonly [name: string]: number };
    }
  | { readonly output: number | readonly number[] };

function predictionOf(outputs: readonly number[], { classes }: Learned): Prediction {
  if (!classes) return { output: outputs.length === 1 ? outputs[0]! : outputs };
  // One number is the probability of the second of two classes.
  const probabilities =
    outputs.length === 1 && classes.length === 2 ? [1 - outputs[0]!, outputs[0]!] : outputs;
  if (probabilities.length !== classes.length) {
    throw new DataError(
      `the model gives ${outputs.length} numbers a row; there are ${classes.length} classes`,
    );
  }
  const best = probabilities.indexOf(Math.max(...probabilities));
  return {
    class: classes[best] ?? "",
    probability: probabilities[best] ?? NaN,
    probabilities: Object.fromEntries(classes.map((name, i) => [name, probabilities[i]!])),
  };
}

function asCsv(lines: readonly Prediction[], header: boolean): string {
  const rows = lines.map((one): { readonly [column: string]: string | number } => {
    if ("class" in one) {
      const { probabilities, ...rest } = one;
      const named = Object.entries(probabilities).map(([name, p]) => [`p(${name})`, p] as const);
      return { ...rest, ...Object.fromEntries(named) };
    }
    if (typeof one.output === "number") return { output: one.output };
    return Object.fromEntries(one.output.map((value, index) => [`output${index}`, value]));
  });
  return `${Papa.unparse(rows, { header, newline: "\n" })}\n`;
}

/** Where lines go. */
interface Sink {
  write(text: string): Promise<void>;
  end?(): Promise<void>;
}

function fileSink(path: string): Sink {
  const stream = createWriteStream(path);
  let failure: Error | undefined;
  stream.on("error", (error) => (failure = error));
  const check = (): void => {
    if (failure) {
      throw new DataError(`${path} cannot be written: ${reasonOf(failure)}`, { cause: failure });
    }
  };
  return {
    async write(text) {
      check();
      if (!stream.write(text)) await Promise.race([once(stream, "drain"), once(stream, "close")]);
      check();
    },
    async end() {
      stream.end();
      if (!stream.closed) await once(stream, "close");
      check();
    },
  };
}
