/** A training's config: what it may say, and how it is read. */
import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { reasonOf } from "../errors.js";
import { lossNames } from "../train/losses.js";
import { augmentation } from "./augmentation.js";
import { ConfigError } from "./errors.js";
import { layer } from "./layers.js";
import { flag, messages, number, positive, text, whole } from "./schema.js";
import { callback, metric, optimizer, regularizer, schedule } from "./training.js";

/** How files of data are written. */
export const formats = [
  "csv",
  "tsv",
  "jsonl",
  "parquet",
  "npy",
  "npz",
  "idx",
  "imageFolder",
] as const;

export type Format = (typeof formats)[number];

const column = z.union([text, whole]);

const source = z.preprocess(
  (value) => (typeof value === "string" ? { path: value } : value),
  z
    .strictObject({
      path: text.optional().describe("a file or folder; a text alone is the path"),
      format: z.enum(formats).optional().describe("default: by the file's ending"),
      inputs: text.optional().describe("npy, idx: the file of inputs; npz: their name (x)"),
      labels: text.optional().describe("npy, idx: the file of labels; npz: their name (y)"),
    })
    .check((context) => {
      const { path, inputs, labels } = context.value;
      const missing = (key: string, message: string): void => {
        context.issues.push({ code: "custom", path: [key], message, input: context.value });
      };
      if (path !== undefined) return;
      if (inputs === undefined) {
        missing(labels === undefined ? "path" : "inputs", "is missing");
      } else if (labels === undefined) {
        missing("labels", `is missing: inputs names a file, and labels must name another`);
      }
    }),
);

const data = z.strictObject({
  train: source.describe("what is trained on"),
  validation: source.optional().describe("what is measured on after each epoch"),
  test: source.optional().describe("what is measured on at the end"),
  header: flag.optional().describe("csv, tsv: whether the first line names the columns (true)"),
  text: column.optional().describe("the column of the text that is the input"),
  vectorizer: z
    .strictObject({
      maxLength: positive.describe("tokens a text is cut or padded to"),
      maxTokens: whole.optional().describe("size of the vocabulary (10,000)"),
      split: z.enum(["words", "characters", "ngrams"]).optional().describe("(words)"),
      ngrams: z
        .union([positive, z.tuple([positive, positive])])
        .optional()
        .describe("(3)"),
      lowercase: flag.optional().describe("(true)"),
    })
    .optional()
    .describe("how text becomes token ids; needed with text"),
  columns: z
    .array(column)
    .min(1)
    .optional()
    .describe("the columns of numbers that are the input; default: all but the label"),
  label: column.optional().describe("the column of what is to be predicted; tables need it"),
  target: z.enum(["class", "number"]).optional().describe("what a label is (class)"),
  classes: z.array(text).min(1).optional().describe("the classes in their order; default: sorted"),
  scaling: z
    .enum(["none", "standardize", "minMax", "pixels"])
    .optional()
    .describe(
      "of inputs: mean 0 and deviation 1, 0 to 1, or bytes / 255; learned from train (none)",
    ),
  shape: z.array(positive).min(1).optional().describe("what a row of an array is given as"),
  image: z
    .strictObject({
      size: z.tuple([positive, positive]).optional().describe("height and width"),
      channels: z
        .union([z.literal(1), z.literal(3), z.literal(4)])
        .optional()
        .describe("(3)"),
    })
    .optional()
    .describe("what images of folders are brought to"),
  augment: z
    .array(augmentation)
    .optional()
    .describe("random changes of what is trained on, by name"),
});

const compile = z.strictObject({
  optimizer: optimizer.describe("a name, or { name, …options }"),
  loss: z.enum(lossNames).describe("a name"),
  metrics: z.array(metric).optional().describe("names, or { name, …options }"),
  regularizers: z.array(regularizer).optional().describe("penalties { l1, l2, names, … }"),
  schedule: schedule.optional().describe("of the learning rate: { name, interval, …options }"),
});

const fit = z
  .strictObject({
    epochs: positive.optional().describe("how often all rows are gone through (1)"),
    batchSize: positive.optional().describe("rows a step (32)"),
    seed: whole.min(0).optional().describe("what all random numbers follow from (0)"),
    shuffle: flag.optional().describe("whether each epoch has an order of its own (true)"),
    validationSplit: number
      .gt(0)
      .lt(1)
      .optional()
      .describe("the share of train, its last rows, that is measured on"),
    stepsPerEpoch: positive.optional().describe("batches an epoch (all)"),
    gradientAccumulationSteps: positive.optional().describe("batches that share an update (1)"),
    overfitBatches: positive.optional().describe("trains on so many batches only"),
    classWeight: z
      .union([z.literal("balanced"), z.record(text, number.min(0))])
      .optional()
      .describe("balanced, or a weight for each class"),
    callbacks: z.array(callback).optional().describe("names, or { name, …options }"),
  })
  .optional();

/** What a config may say. */
export const configSchema = z.strictObject({
  model: z
    .strictObject({
      layers: z.array(layer).min(1).describe("one after the other: { type, …options }"),
    })
    .describe("the network"),
  data: data.describe("what it learns from"),
  compile: compile.describe("how it learns"),
  fit: fit.describe("how long"),
  output: z
    .preprocess(
      (value) => (typeof value === "string" ? { folder: value } : value),
      z.strictObject({
        folder: text.describe("where all files go; a text alone is the folder"),
        tensorBoard: flag.optional().describe("whether event files are written (false)"),
        checkpoint: z
          .strictObject({
            saveFrequency: z
              .union([z.literal("epoch"), positive])
              .optional()
              .describe("after each epoch, or so many batches (epoch)"),
            keep: positive.optional().describe("how many are kept (2)"),
          })
          .optional()
          .describe("what --resume goes on from"),
      }),
    )
    .describe("where the model and its history go"),
});

/** A config that is understood. */
export type Config = z.output<typeof configSchema>;
export type DataConfig = Config["data"];
export type SourceConfig = DataConfig["train"];

/** A config with what it was read from. */
export interface LoadedConfig {
  readonly config: Config;
  /** As it was written, with what the command line has set. */
  readonly raw: object;
  /** A path of the config, from the folder that the config is in. */
  readonly pathOf: (path: string) => string;
}

/** The config in a file, with `key.path=value` settings over it. Throws ConfigError. */
export async function loadConfig(file: string, settings: readonly string[]): Promise<LoadedConfig> {
  const raw = await readConfig(file);
  for (const setting of settings) assign(raw, setting);
  return {
    config: checkConfig(raw, file),
    raw,
    pathOf: (path) => resolve(dirname(file), path),
  };
}

async function readConfig(file: string): Promise<object> {
  let written: string;
  try {
    written = await readFile(file, "utf8");
  } catch (error) {
    throw new ConfigError(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const ending = extname(file).toLowerCase();
  if (![".json", ".yaml", ".yml"].includes(ending)) {
    throw new ConfigError(`${file} ends in "${ending}"; a config is .json, .yaml or .yml`);
  }
  let value: unknown;
  try {
    value = ending === ".json" ? JSON.parse(written) : parseYaml(written);
  } catch (error) {
    const language = ending === ".json" ? "JSON" : "YAML";
    throw new ConfigError(`${file} is not ${language}: ${reasonOf(error)}`, { cause: error });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new ConfigError(`${file} holds no keys with values: it needs model, data, compile, output`);
}

/** Sets what `fit.epochs=3` says; what is behind the sign is YAML. */
function assign(config: object, setting: string): void {
  const [, path, value] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
  if (path === undefined || value === undefined) {
    throw new ConfigError(`--set ${setting}: key.path=value is expected`);
  }
  const keys = path.split(".");
  let place = config as Record<string, unknown>;
  for (const key of keys.slice(0, -1)) {
    const inner = Object.hasOwn(place, key) ? place[key] : undefined;
    if (inner !== undefined && (typeof inner !== "object" || inner === null)) {
      throw new ConfigError(`--set ${setting}: ${key} is a value, which has no keys`);
    }
    // Defined, not assigned: "__proto__" is a key like any other.
    if (inner === undefined) define(place, key, {});
    place = place[key] as Record<string, unknown>;
  }
  try {
    define(place, keys.at(-1)!, parseYaml(value));
  } catch (error) {
    throw new ConfigError(`--set ${setting}: ${reasonOf(error)}`, { cause: error });
  }
}

function define(place: object, key: string, value: unknown): void {
  Object.defineProperty(place, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

/** `raw` as a config. Throws ConfigError that tells all that is wrong, each by its key path. */
export function checkConfig(raw: object, name: string): Config {
  const result = configSchema.safeParse(raw, { error: messages });
  if (result.success) return checkWhole(result.data, name);
  const problems = result.error.issues.map(({ path, message }) => [path.join("."), message]);
  throw invalid(
    name,
    problems.map(([path, message]) => (path === "" ? message! : `${path}: ${message}`)),
  );
}

function invalid(name: string, problems: readonly string[]): ConfigError {
  return new ConfigError(`${name}:\n${problems.map((line) => `  ${line}`).join("\n")}`);
}

/** What one key says of another. */
function checkWhole(config: Config, name: string): Config {
  const { data, fit = {} } = config;
  const problems: string[] = [];
  if (data.text !== undefined && !data.vectorizer) {
    problems.push("data.vectorizer: is missing: text becomes numbers by it");
  }
  if (data.text === undefined && data.vectorizer) {
    problems.push("data.text: is missing: the vectorizer needs the column of the text");
  }
  if (data.text !== undefined && data.columns) {
    problems.push("data.columns: the input is data.text or data.columns, not both");
  }
  if (data.text !== undefined && data.scaling !== undefined && data.scaling !== "none") {
    problems.push(`data.scaling: ${data.scaling} is of numbers, and data.text is a text`);
  }
  if (data.validation && fit.validationSplit !== undefined) {
    problems.push("fit.validationSplit: data.validation is given, so nothing is split off");
  }
  if (data.target === "number" && fit.classWeight !== undefined) {
    problems.push("fit.classWeight: data.target is number, so there are no classes");
  }
  if (data.target === "number" && data.classes) {
    problems.push("data.classes: data.target is number, so there are no classes");
  }
  for (const [index, change] of (data.augment ?? []).entries()) {
    const wanted = change.of === "texts";
    if (change.of !== "batches" && wanted !== (data.text !== undefined)) {
      problems.push(
        `data.augment.${index}: it changes ${change.of}, and the input is ` +
          (data.text === undefined ? "no text" : "a text"),
      );
    }
    if (change.of === "batches" && data.target === "number") {
      problems.push(`data.augment.${index}: it mixes classes, and data.target is number`);
    }
  }
  if (problems.length > 0) throw invalid(name, problems);
  return config;
}
