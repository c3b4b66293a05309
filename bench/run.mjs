// Bundles the benchmarks, which are in TypeScript, and runs them.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Library files as they are shipped: src/x.js is dist/x.js in Node, in a page one bundle. */
const shipped = (address) => ({
  name: "shipped",
  setup({ onResolve }) {
    onResolve({ filter: /\/src\/.*\.js$/ }, ({ path }) => ({
      path: address(path.slice(path.indexOf("/src/") + "/src/".length)),
      external: true,
    }));
  },
});

const common = {
  absWorkingDir: here,
  bundle: true,
  splitting: true,
  format: "esm",
  sourcemap: true,
  logLevel: "warning",
};
const drivers = ["ferrograd.ts", "peers/tfjs.mjs", "peers/jax.mjs", "peers/ort.mjs"];

await build({
  ...common,
  entryPoints: ["main.ts", "host.ts", ...drivers],
  // In the folder of the peers, so that their packages are found.
  outdir: "peers/built",
  packages: "external",
  platform: "node",
  target: "node20",
  plugins: [shipped((path) => fileURLToPath(new URL(`../dist/${path}`, import.meta.url)))],
});
if (process.argv.some((argument) => argument.startsWith("--browser"))) {
  const peerFile = (path) => fileURLToPath(new URL(`peers/node_modules/${path}`, import.meta.url));
  const there = existsSync(peerFile(""));
  await build({
    ...common,
    entryPoints: ["pageHost.ts", ...(there ? drivers : drivers.slice(0, 1))],
    outdir: "peers/built/pages",
    platform: "browser",
    target: "es2022",
    // The ops' rows need what the bundle for pages does not have.
    external: ["./ops.js"],
    // Its other builds are for GPUs.
    alias: { "onnxruntime-web": peerFile("onnxruntime-web/dist/ort.wasm.bundle.min.mjs") },
    plugins: [shipped(() => "/dist/browser/ferrograd.js")],
  });
}
process.chdir(fileURLToPath(new URL("..", import.meta.url)));
await import(new URL("./peers/built/main.js", import.meta.url).href);
