/** The peers: what is installed of them, and how they are installed. */
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { PeerName } from "./competitors.js";
import { packagesFolder, peersFolder } from "./folders.js";

const venv = join(peersFolder, "venv");
const venvPython = join(venv, "bin/python");
const peersNode = join(packagesFolder, ".bin/node");

/** The package whose presence says that a peer is installed. */
const packageOf: Readonly<Partial<Record<PeerName, string>>> = {
  tfjs: "@tensorflow/tfjs-backend-wasm",
  jax: "@jax-js/jax",
  ort: "onnxruntime-web",
};

/** What there is of the peers. */
export interface Installed {
  /** Those in JavaScript. */
  readonly packages: readonly PeerName[];
  /** A Python that has PyTorch. */
  readonly python?: string;
  /** The script for it. */
  readonly pytorch: string;
  /** A Node new enough for all of them. */
  readonly node?: string;
}

/** Looks what is installed; `torch` is a Python said to have PyTorch. */
export function findPeers(torch: string | undefined): Installed {
  const names = Object.keys(packageOf) as PeerName[];
  const python = torch ?? (existsSync(venvPython) ? venvPython : undefined);
  return {
    packages: names.filter((name) => existsSync(join(packagesFolder, packageOf[name]!))),
    pytorch: join(peersFolder, "pytorch.py"),
    ...(python !== undefined && { python }),
    ...(existsSync(peersNode) && { node: peersNode }),
  };
}

/** Installs all peers: packages by npm, and PyTorch into a virtual environment, by pip. */
export async function installPeers(): Promise<void> {
  await run("npm", ["install", "--no-package-lock", "--ignore-scripts", "--no-progress"]);
  if (!existsSync(venvPython)) await run("python3", ["-m", "venv", venv]);
  await run(venvPython, ["-m", "pip", "install", "--quiet", "torch", "numpy"]);
}

async function run(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { cwd: peersFolder, stdio: "inherit" });
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`${program} ${args.join(" ")}: ended with ${code}`);
}

/** The version of the Node at `path`. */
export async function nodeVersion(path: string): Promise<string> {
  const { stdout } = await promisify(execFile)(path, ["--version"]);
  return stdout.trim().replace(/^v/, "");
}
