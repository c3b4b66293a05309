/** Whether a training may begin in a folder, or go on there. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { makeFolder, writeAtomically } from "../io/atomicFile.js";
import { Checkpoints } from "../io/checkpoints.js";
import { ConfigError } from "./errors.js";

const configFile = "config.json";

/** What may be another when a training goes on: how long it is, and where it is. */
const changeable = new Set(["fit.epochs", "output"]);

/**
 * Throws ConfigError where checkpoints wait and nothing is said of them, and where `raw` is another
 * config than the one they are of.
 */
export async function checkResume(
  folder: string,
  raw: object,
  {
    resume = false,
    overwrite = false,
  }: { readonly resume?: boolean; readonly overwrite?: boolean },
): Promise<void> {
  const checkpoints = new Checkpoints(join(folder, "checkpoints"));
  if (overwrite) {
    await checkpoints.clear();
    return;
  }
  const saved = await savedConfig(folder);
  const waiting = (await checkpoints.latest()) !== undefined;
  if (waiting && !resume) {
    throw new ConfigError(
      `${folder} holds a training that was cut short: --resume goes on with it, --overwrite ` +
        "begins anew",
    );
  }
  if (!resume) return;
  if (!waiting) {
    throw new ConfigError(`--resume: ${folder} holds no training that was cut short`);
  }
  const difference = saved === undefined ? undefined : differenceOf(saved, raw, "");
  if (difference === undefined) return;
  throw new ConfigError(
    `${difference}: is another than when the training was cut short: to the same bits it goes on ` +
      "with the same config only",
  );
}

/** Keeps the config beside the checkpoints that are of it. */
export async function rememberConfig(folder: string, raw: object): Promise<void> {
  await makeFolder(folder);
  const text = `${JSON.stringify(raw, undefined, 2)}\n`;
  await writeAtomically(folder, configFile, new TextEncoder().encode(text));
}

async function savedConfig(folder: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(folder, configFile), "utf8"));
  } catch {
    // Without it there is nothing to compare with.
    return undefined;
  }
}

/** The path of a key at which two configs differ; undefined where they say the same. */
function differenceOf(a: unknown, b: unknown, path: string): string | undefined {
  if (changeable.has(path)) return undefined;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return Object.is(a, b) ? undefined : path;
  }
  const [first, second] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  for (const key of new Set([...first.keys(), ...second.keys()])) {
    const inner = path === "" ? key : `${path}.${key}`;
    const found = differenceOf(first.get(key), second.get(key), inner);
    if (found !== undefined) return found;
  }
  return undefined;
}
