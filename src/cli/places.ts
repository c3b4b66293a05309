/** Sources of a config as places of files. */
import type { SourceConfig } from "./config.js";
import type { Place } from "./sources.js";

/** Where a source of a config is; in an npz file, `inputs` and `labels` are names. */
export function placeOf(
  { path, format, inputs, labels }: SourceConfig,
  pathOf: (path: string) => string,
): Place {
  const within = (name: string | undefined): string | undefined =>
    name === undefined || path?.toLowerCase().endsWith(".npz") || format === "npz"
      ? name
      : pathOf(name);
  return {
    path: path === undefined ? undefined : pathOf(path),
    format,
    inputs: within(inputs),
    labels: within(labels),
  };
}
