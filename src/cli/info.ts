/** `ferrograd info`. */
import { loadModel } from "../train/save.js";
import type { Output } from "./output.js";
import { preprocessingFrom } from "./preprocessing.js";
import { describeEngine, startEngine } from "./start.js";
import { version } from "./version.js";

/** Tells what runs, and of a saved model what it is. */
export async function info(
  folder: string | undefined,
  options: { readonly threads?: number | undefined },
  output: Output,
): Promise<void> {
  const versions = { ferrograd: version(), node: process.version, v8: process.versions.v8 };
  const engine = await startEngine(output, options);
  const model = folder === undefined ? undefined : await describeModel(folder);
  output.event("info", { versions, engine, ...(model && { model }) });
  output.result(
    [
      `ferrograd ${versions.ferrograd}, Node ${versions.node}, V8 ${versions.v8}`,
      describeEngine(engine),
      ...engine.reasons.map((reason) => `  ${reason}`),
    ].join("\n"),
  );
  if (model) output.result(["", ...textOf(model)].join("\n"));
}

interface ModelReport {
  readonly path: string;
  readonly summary: string;
  readonly input: readonly number[];
  readonly parameters: number;
  readonly format: string;
  readonly classes?: readonly string[] | undefined;
  readonly vocabulary?: number | undefined;
}

async function describeModel(folder: string): Promise<ModelReport> {
  const { model, vectorizer, classes, preprocessing: saved } = await loadModel(folder);
  const { shape, whole, format } = preprocessingFrom(saved, folder);
  return {
    path: folder,
    summary: model.summary(shape, { dtype: whole ? "int32" : "float32" }),
    input: shape,
    parameters: model.parameters().reduce((sum, { size }) => sum + size, 0),
    format,
    classes,
    vocabulary: vectorizer?.vocabulary.length,
  };
}

function textOf({ path, summary, input, format, classes, vocabulary }: ModelReport): string[] {
  return [
    path,
    summary,
    `Input: [${input.join(", ")}] of ${format}`,
    ...(vocabulary === undefined ? [] : [`Vocabulary: ${vocabulary.toLocaleString("en")} tokens`]),
    ...(classes ? [`Classes: ${classes.join(", ")}`] : []),
  ];
}
