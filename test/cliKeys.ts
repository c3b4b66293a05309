/** The keys of a config as a table of Markdown, and the names that some of them take. */
import { z } from "zod";
import { augmentationKinds } from "../src/cli/augmentation.js";
import { configSchema } from "../src/cli/config.js";
import { layerKinds } from "../src/cli/layers.js";
import type { Kind } from "../src/cli/schema.js";
import { callbackKinds, metricKinds, optimizerKinds, scheduleKinds } from "../src/cli/training.js";

/** The schema itself, without what makes it optional or changes what is given. */
function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return bare(schema.unwrap());
  if (!(schema instanceof z.ZodPipe)) return schema;
  return bare(schema.in instanceof z.ZodTransform ? schema.out : schema.in);
}

function rowsOf(path: string, schema: unknown, told: string): string[] {
  const inner = bare(schema);
  const own = schema instanceof z.ZodType ? schema.description : undefined;
  const needed = schema instanceof z.ZodOptional ? "" : " *";
  const row = path === "" ? [] : [`| \`${path}\`${needed} | ${own ?? told} |`];
  if (!(inner instanceof z.ZodObject)) return row;
  return [
    ...row,
    ...Object.entries(inner.shape).flatMap(([key, one]) =>
      rowsOf(path === "" ? key : `${path}.${key}`, one, ""),
    ),
  ];
}

/** Keys of sources are the same thrice: the first says them. */
const repeated = /^\| `data\.(validation|test)\./;

/** All keys of a config, those it needs marked by a star. */
export function keyTable(): string {
  const rows = rowsOf("", configSchema, "").filter((row) => !repeated.test(row));
  return ["| key | what it says |", "|---|---|", ...rows].join("\n");
}

const families: { readonly [title: string]: { readonly [name: string]: Kind<unknown> } } = {
  Layers: layerKinds,
  Optimizers: optimizerKinds,
  Schedules: scheduleKinds,
  Metrics: metricKinds,
  Callbacks: callbackKinds,
  Augmentation: augmentationKinds,
};

/** The names of everything that is chosen by one, with its options. */
export function nameLists(): string {
  return Object.entries(families)
    .map(([title, kinds]) => {
      const names = Object.entries(kinds).map(([name, { options }]) => {
        return options.length === 0 ? `\`${name}\`` : `\`${name}\` (${options.join(", ")})`;
      });
      return `**${title}**: ${names.join("; ")}.`;
    })
    .join("\n\n");
}
