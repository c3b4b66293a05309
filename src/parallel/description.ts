/** How a replica gets the model: as a description, or from a module of the user's. */
import { ArgumentError, reasonOf } from "../errors.js";
import type { LayerConfig, Module } from "../nn/module.js";
import { randomState, setRandomState } from "../seed.js";
import { Model } from "../train/model.js";
import { Sequential } from "../train/sequential.js";
import { difference, layoutOf } from "./layout.js";

const wayOut =
  "pass workerModule, the URL of a module that exports a function `model` which makes it";

/** `model` as plain data. Throws ArgumentError where its layers do not say all there is to it. */
export function describeModel(model: Model): LayerConfig {
  const fail = (reason: string): never => {
    throw new ArgumentError(
      `workers: the model cannot be described to workers: ${reason}; ${wayOut}`,
    );
  };
  if (!(model instanceof Sequential) || model.constructor !== Sequential) {
    return fail(`it is no nn.sequential, but of type "${model.type}"`);
  }
  const description = { type: model.type, options: model.config() };
  const copy = copied(model, description, fail);
  const copies = copy.namedModules();
  for (const [path, layer] of model.namedModules()) {
    const twin = copies.get(path);
    if (twin?.constructor === layer.constructor) continue;
    fail(`layer ${path} is a ${layer.constructor.name}, which is no class of Ferrograd's own`);
  }
  const differs = difference(layoutOf(model), layoutOf(copy));
  if (differs !== undefined) fail(`a copy has ${differs}`);
  return description;
}

/** The model that the description makes, without a trace in the random state. */
function copied(
  model: Sequential,
  description: LayerConfig,
  fail: (reason: string) => never,
): Module {
  const before = randomState();
  try {
    structuredClone(description);
    return Sequential.fromConfig(model.config());
  } catch (error) {
    return fail(reasonOf(error));
  } finally {
    setRandomState(before);
  }
}

/** The model that `description` or the module at an address makes, in a worker. */
export async function buildModel(
  source: LayerConfig | { readonly module: string },
): Promise<Model> {
  if (!("module" in source)) {
    return Sequential.fromConfig(source.options as ReturnType<Sequential["config"]>);
  }
  const { module } = source;
  const { model } = await exportsOf(module);
  if (typeof model !== "function") {
    throw new ArgumentError(`workers: ${module} exports no function \`model\``);
  }
  const made: unknown = await model();
  if (made instanceof Model) return made;
  throw new ArgumentError(
    `workers: \`model\` of ${module} gives no model; make it of the same package as this one`,
  );
}

async function exportsOf(module: string): Promise<{ readonly model?: () => unknown }> {
  try {
    return (await import(module)) as { readonly model?: () => unknown };
  } catch (error) {
    throw new ArgumentError(`workers: ${module} cannot be loaded: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
