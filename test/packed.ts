/** The npm tarball, unpacked as an installation would have it. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The root of the project. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A project with nothing but ferrograd, from its tarball, installed in it. */
export interface Installed {
  /** The project's folder; beside its `node_modules` it is empty. */
  readonly folder: string;
  /** The tarball. */
  readonly tarball: string;
  /** Where the tarball is unpacked. */
  readonly package: string;
  /** The paths in the tarball. */
  readonly files: readonly string[];
  remove(): Promise<void>;
}

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs the project and installs it, with the dependencies it names, into a new project. */
export async function install(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), "ferrograd-installed-"));
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], {
    cwd: root,
  });
  const packed = (JSON.parse(stdout) as Packed[])[0]!;
  const tarball = join(folder, packed.filename);
  const unpacked = join(folder, "node_modules", "ferrograd");
  await mkdir(unpacked, { recursive: true });
  await run("tar", ["-xzf", tarball, "-C", unpacked, "--strip-components=1"]);
  const manifest = JSON.parse(await readFile(join(unpacked, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    optionalDependencies: Record<string, string>;
  };
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  return {
    folder,
    tarball,
    package: unpacked,
    files: packed.files.map(({ path }) => path),
    remove: () => rm(folder, { recursive: true }),
  };
}

/** What Node prints for the module `source`, run in the folder of `installed`. */
export async function runInstalled(installed: Installed, source: string): Promise<string> {
  const script = join(installed.folder, "main.mjs");
  await writeFile(script, source);
  const options = { cwd: installed.folder, timeout: 60_000 };
  const { stdout } = await run("node", [script], options);
  return stdout;
}
