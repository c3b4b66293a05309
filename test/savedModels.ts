/** Models to save, of which one can tell whether they are whole. */
import { expect } from "vitest";
import type { ModelFiles } from "../src/io/modelFiles.js";
import { writeSafetensors } from "../src/io/safetensors.js";

/** A model whose files all depend on `version`. */
export function model(version: number): ModelFiles {
  const tensor = (value: number): Uint8Array<ArrayBuffer> => {
    const data = Float32Array.of(value, 1, 2, 3);
    return writeSafetensors(new Map([["a", { dtype: "float32", shape: [4], data }]]));
  };
  return {
    description: { format: "test", version, words: ["é", "\u2028", '"'] },
    data: new Map([
      ["weights", tensor(version)],
      ["optimizer", tensor(version + 0.5)],
    ]),
  };
}

/** Which version `files` is, all of it. */
export function versionOf({ description, data }: ModelFiles): number {
  const { version } = description as { version: number };
  const { description: expected, data: expectedData } = model(version);
  expect(description).toMatchObject(expected);
  expect(data).toEqual(expectedData);
  return version;
}
