// Bundles the benchmarks, which are in TypeScript, and runs them.
import { existsSync } from "node:fs";
import { join } from "node:path";
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
const peers = ["tfjs", "jax", "ort"].filter((name) => existsSync(join(here, `peers/${name}.mjs`)));
const drivers = ["ferrograd.ts", ...peers.map((name) => `peers/${name}.mjs`)];

await build({
  ...common,
  entryPoints: ["main.ts", "host.ts", ...drivers],
  // In the folder of the peers, so that their packages are found.
  outdir: "peers/built",
  packages: "external",
  platform: "node",
  target: "node20",
  plugins: [shipped((path) => new URL(`../dist/${path}`, import.meta.url).pathname)],
});
await import(new URL("./peers/built/main.js", import.meta.url).href);
