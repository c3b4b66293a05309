/** How replicas are told of a model whose layers are all the library's own. */
import { ArgumentError, reasonOf } from "../errors.js";
import type { LayerConfig, Module } from "../nn/module.js";
import { randomState, setRandomState } from "../seed.js";
import type { Model } from "../train/model.js";
import { Sequential } from "../train/sequential.js";
import { difference, layoutOf } from "./layout.js";

const wayOut = "pass workerModule, the URL of a module whose function `model(library)` makes it";

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
