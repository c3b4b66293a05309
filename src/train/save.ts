/** Models as files, and back. */
import { fieldsOf, isObject, shown } from "../checks.js";
import { DataError, reasonOf } from "../errors.js";
import type { TensorData } from "../io/safetensors.js";
import { readSafetensors, writeSafetensors } from "../io/safetensors.js";
import type { ModelFiles } from "../io/modelFiles.js";
import { readModelFiles, sha256, writeModelFiles } from "../io/modelFiles.js";
import type { LayerConfig } from "../nn/module.js";
import { withRoom } from "../nn/room.js";
import type { RandomState } from "../seed.js";
import { randomState, setRandomState } from "../seed.js";
import type { Vectorizer, VectorizerData } from "../text/vectorizer.js";
import { vectorizerFromJSON } from "../text/vectorizer.js";
import type { CompileOptions, Model } from "./model.js";
import { Sequential } from "./sequential.js";

/** What is saved with a model besides itself. */
export interface Companions {
  /** Turns texts into the model's input. */
  readonly vectorizer?: Vectorizer | undefined;
  /** The names of the classes, in the order of the outputs. */
  readonly classes?: readonly string[] | undefined;
  /** How rows of data become the model's input, as plain data of whoever saves it. */
  readonly preprocessing?: object | undefined;
}

/** What `model.json` says. */
interface Description {
  readonly format: typeof format;
  readonly version: number;
  readonly model: LayerConfig;
  /** Paths of the modules that are frozen. */
  readonly frozen?: readonly string[];
  readonly training?: CompileOptions;
  readonly optimizerSteps?: number;
  readonly learningRate?: number;
  readonly random?: RandomState;
  readonly vectorizer?: VectorizerData;
  readonly classes?: readonly string[];
  readonly preprocessing?: object;
}

/** Numbers that layers may begin with, whatever was saved. */
const slack = 2 ** 16;

const format = "ferrograd";
const version = 1;

/** A model read from files, with what was saved beside it. */
export interface LoadedModel extends Companions {
  readonly model: Sequential;
}

/** The model as files: architecture, weights and, if it was compiled, all its training needs. */
export async function modelFiles(
  model: Sequential,
  { vectorizer, classes, preprocessing }: Companions = {},
): Promise<ModelFiles> {
  const training = model.compiled ? model.setup("save") : undefined;
  const state = await training?.optimizer.stateDict();
  const frozen = [...model.namedModules()].flatMap(([path, one]) => (one.frozen ? [path] : []));
  const description: Description = {
    format,
    version,
    model: { type: model.type, options: model.config() },
    ...(frozen.length > 0 && { frozen }),
    ...(training && { training: training.options }),
    ...(state && {
      optimizerSteps: state.steps,
      learningRate: state.learningRate,
      random: randomState(),
    }),
    ...(vectorizer && { vectorizer: vectorizer.toJSON() }),
    ...(classes && { classes }),
    ...(preprocessing && { preprocessing }),
  };
  const data = new Map([["weights", writeSafetensors(await model.stateDict())]]);
  if (state) data.set("optimizer", writeSafetensors(state.variables));
  return { description, data };
}

/**
 * The model that `files` describe; errors call them `name`. Throws DataError, having changed
 * nothing, where they do not fit.
 */
export function modelFromFiles(files: ModelFiles, name = "the model"): LoadedModel {
  // First weights are drawn, to be replaced: the draws count only if the model is loaded.
  const before = randomState();
  try {
    return buildModel(files);
  } catch (error) {
    setRandomState(before);
    throw new DataError(`${name} cannot be loaded: ${reasonOf(error)}`, { cause: error });
  }
}

function buildModel({ description, data }: ModelFiles): LoadedModel {
  const saved = checkDescription(description);
  const weights = tensorsOf(data, "weights");
  const layers = checkSequential(saved.model);
  const numbers = [...weights.values()].reduce((sum, { data: { length } }) => sum + length, 0);
  // Somewhat larger ones are built, so that the weight which does not fit can be named.
  const model = withRoom(2 * numbers + slack, () => Sequential.fromConfig(layers));
  model.loadStateDict(weights);
  freeze(model, saved.frozen ?? []);
  if (saved.training) {
    model.compile(saved.training);
    const variables = tensorsOf(data, "optimizer");
    const { optimizerSteps: steps = 0, learningRate } = saved;
    model.setup("load").optimizer.loadStateDict({ steps, learningRate, variables });
  }
  const vectorizer = saved.vectorizer && vectorizerFromJSON(saved.vectorizer);
  if (saved.random) setRandomState(saved.random);
  return { model, vectorizer, classes: saved.classes, preprocessing: saved.preprocessing };
}

/** Saves the model in `folder` (Node), at once or not at all. */
export async function saveModel(
  model: Sequential,
  folder: string,
  companions: Companions = {},
): Promise<void> {
  await writeModelFiles(folder, await modelFiles(model, companions));
}

/** The model saved in `folder` (Node). Throws DataError where a file is missing or corrupt. */
export async function loadModel(folder: string): Promise<LoadedModel> {
  return modelFromFiles(await readModelFiles(folder), folder);
}

/** SHA-256 over the bytes of all parameters, in their order: equal for equal weights. */
export async function weightsHash(model: Model): Promise<string> {
  const parts: Uint8Array[] = [];
  for (const parameter of model.parameters()) {
    const data = await parameter.data();
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return sha256(whole);
}

function freeze(model: Sequential, paths: readonly string[]): void {
  const modules = model.namedModules();
  for (const path of paths) {
    const module = modules.get(path);
    if (!module) throw new DataError(`the saved model freezes "${path}", which it has not`);
    module.freeze();
  }
}

function tensorsOf(data: ModelFiles["data"], kind: string): Map<string, TensorData> {
  const bytes = data.get(kind);
  if (!bytes) throw new DataError(`the saved model has no ${kind}`);
  return readSafetensors(bytes, kind);
}

function checkDescription(description: object): Description {
  const saved: Partial<Description> = fieldsOf("the description", description);
  if (saved.format !== format || !isObject(saved.model)) {
    throw new DataError("model.json does not describe a Ferrograd model");
  }
  if (saved.version !== version) {
    throw new DataError(
      `the model is of format version ${shown(saved.version)}; this release reads version ${version}`,
    );
  }
  const { classes, frozen = [] } = saved;
  if (!Array.isArray(frozen)) throw new DataError("the saved frozen modules are no list");
  if (classes && !(Array.isArray(classes) && classes.every((name) => typeof name === "string"))) {
    throw new DataError("the saved classes are no list of names");
  }
  const { preprocessing = {} } = saved;
  if (typeof preprocessing !== "object" || preprocessing === null) {
    throw new DataError("the saved preprocessing is no object");
  }
  return saved as Description;
}

function checkSequential({ type, options }: LayerConfig): { layers: readonly LayerConfig[] } {
  if (type !== "sequential") {
    throw new DataError(
      `the saved model is of type ${shown(type)}; this release loads "sequential"`,
    );
  }
  const layers: unknown = isObject(options) ? options.layers : undefined;
  const isList: boolean = Array.isArray(layers) && layers.every(isObject);
  if (isList) return { layers: layers as LayerConfig[] };
  throw new DataError("the saved model has no list of layers");
}
