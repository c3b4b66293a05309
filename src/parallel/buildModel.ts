/** How a replica gets the model: from a description, or from a module of the user's. */
import { ArgumentError, reasonOf } from "../errors.js";
import type { LayerConfig } from "../nn/module.js";
import { Model } from "../train/model.js";
import { Sequential } from "../train/sequential.js";
import * as library from "./library.js";

/** Where a model comes from: its description, or the address of a module that makes it. */
export type ModelSource = LayerConfig | { readonly module: string };

/** The model that `source` says, in a worker. Throws ArgumentError for a module that makes none. */
export async function buildModel(source: ModelSource): Promise<Model> {
  if (!("module" in source)) {
    return Sequential.fromConfig(source.options as ReturnType<Sequential["config"]>);
  }
  const { module } = source;
  const { model } = await exportsOf(module);
  if (typeof model !== "function") {
    throw new ArgumentError(`workers: ${module} exports no function \`model(library)\``);
  }
  const made: unknown = await model(library);
  if (made instanceof Model) return made;
  throw new ArgumentError(
    `workers: \`model(library)\` of ${module} gives no model made of the library it is given`,
  );
}

/** What such a module exports. */
interface ModelModule {
  readonly model?: (from: typeof library) => unknown;
}

async function exportsOf(module: string): Promise<ModelModule> {
  try {
    return (await import(module)) as ModelModule;
  } catch (error) {
    throw new ArgumentError(`workers: ${module} cannot be loaded: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}
