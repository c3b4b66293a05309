/** The types of workerModule.mjs. */
import type * as ferrograd from "../src/index.js";

/** The model, of `library`'s classes. */
export function model(library: Pick<typeof ferrograd, "nn">): ferrograd.nn.Model;
