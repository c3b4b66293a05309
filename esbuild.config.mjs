// Bundles: one file for Node, which would take 50 ms longer to find a hundred, and those for browsers.
import { existsSync } from "node:fs";
import { chmod, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

/** Removes what tsc made of sources that are no longer there. */
async function prune() {
  for (const entry of await readdir(join(root, "dist"), { recursive: true })) {
    const made = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(entry);
    if (!made || /^(browser|node)\b/.test(entry)) continue;
    if (!existsSync(join(root, "src", `${made[1]}.ts`))) await rm(join(root, "dist", entry));
  }
}

/** Puts `replacements`, the sources of modules by name, in the place of those in src/runtime. */
const replacing = (replacements) => ({
  name: "replacing",
  setup({ onResolve, onLoad }) {
    for (const [name, contents] of Object.entries(replacements)) {
      onResolve({ filter: new RegExp(`/${name}\\.js$`) }, () => ({ path: name, namespace: "own" }));
      onLoad({ filter: new RegExp(`^${name}$`), namespace: "own" }, () => ({ contents }));
    }
  },
});

/** Code for Node is behind `inNode`, so that a browser never reaches it. */
const withoutNode = {
  name: "without-node",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "absent" }));
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "export {}" }));
  },
};

const common = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  minify: true,
  sourcemap: true,
  legalComments: "inline",
  logLevel: "warning",
};

/** What draws pictures is larger than all the rest: who bundles one file has it if it is installed. */
const external = ["vega", "vega-lite", "vega-interpreter"];

/** What users import. */
const entries = {
  ferrograd: "src/index.ts",
  data: "src/data/index.ts",
  train: "src/train/entry.ts",
  plot: "src/plot/entry.ts",
};

/** Scripts of workers in browsers: each one file, which bundlers may copy as it is. */
const scripts = { worker: "src/runtime/worker.ts", replica: "src/parallel/replicaWorker.ts" };

/**
 * What entries share, and what is imported when it is needed, as libraries of file formats, is in
 * files of its own: in one folder, where the worker's address, relative to whichever holds it, is
 * the same.
 */
const parts = { splitting: true, chunkNames: "[name]-[hash]" };

const bundle = (entryPoints, replacements, options = {}) =>
  build({
    ...common,
    entryPoints,
    outdir: "dist/browser",
    platform: "browser",
    target: "es2022",
    plugins: [replacing(replacements), withoutNode],
    ...options,
  });

/**
 * Names stay, for stack traces, and lines are short: Node shows the one an uncaught error is thrown
 * at. Workers are few files, of their own.
 */
const bundleForNode = () =>
  build({
    ...common,
    ...parts,
    entryPoints: {
      ...entries,
      inline: "src/inline.ts",
      cli: "src/cli/main.ts",
      replica: scripts.replica,
    },
    outdir: "dist/node",
    platform: "node",
    target: "node20",
    packages: "external",
    keepNames: true,
    lineLimit: 120,
    plugins: [replacing({ urls: urls("../runtime/worker.js") })],
  });

/** What dist/runtime/urls.js says, seen from a folder beside it. */
const urls = (worker) => `
  export const defaultWorkerUrl = new URL("${worker}", import.meta.url);
  export const defaultReplicaUrl = new URL("./replica.js", import.meta.url);
  export const defaultWasmUrl = new URL("../../wasm/", import.meta.url);`;

/** All files of the engine, as the source of an object of data: URLs by path. */
async function engineFiles() {
  const wasm = "application/wasm";
  const types = { "engine.js": "text/javascript", "engine_bg.wasm": wasm, "double.wasm": wasm };
  const files = {};
  for (const engine of ["relaxed", "plain", "single"]) {
    for (const [name, type] of Object.entries(types)) {
      const content = await readFile(join(root, "wasm", engine, name));
      files[`${engine}/${name}`] = `data:${type};base64,${content.toString("base64")}`;
    }
  }
  return JSON.stringify(files);
}

/** One file with the worker and the engine in it, for where a package's files have no addresses. */
async function bundleInline() {
  const noFolder = `
    export const defaultWasmUrl = new URL("inline:/");
    export const defaultReplicaUrl = undefined;`;
  const worker = await bundle(
    { worker: scripts.worker },
    {
      urls: `${noFolder} export const defaultWorkerUrl = new URL(location.href);`,
      files: `
        const files = ${await engineFiles()};
        export const engineFile = (wasm, build, name) =>
          wasm.protocol === "inline:"
            ? new URL(files[build + "/" + name])
            : new URL(build + "/" + name, wasm.href.replace(/\\/?$/, "/"));`,
    },
    { write: false, sourcemap: false },
  );
  const script = JSON.stringify(worker.outputFiles[0].text);
  const asBlob = `
    const script = new Blob([${script}], { type: "text/javascript" });
    export const defaultWorkerUrl = new URL(URL.createObjectURL(script));`;
  const urls = `${noFolder} ${asBlob}`;
  await bundle({ inline: "src/inline.ts" }, { urls }, { sourcemap: false, external });
}

await prune();
for (const folder of ["browser", "node"]) {
  await rm(join(root, "dist", folder), { recursive: true, force: true });
}
await bundleForNode();
await chmod(join(root, "dist/node/cli.js"), 0o755);
const here = { urls: urls("./worker.js") };
await bundle(entries, here, parts);
await bundle(scripts, here, { external });
await bundleInline();
