/** What `nn` is to users: the layers, and the model that stacks them. */
import type { Module } from "../nn/index.js";
import { Sequential } from "./sequential.js";

export * from "../nn/index.js";
export { Model } from "./model.js";
export { Sequential };

/** Layers applied one after the other, as a model. */
export function sequential(...layers: readonly Module[]): Sequential {
  return new Sequential(...layers);
}
