// Bundles the benchmarks, which are in TypeScript, and runs them.
import { build } from "esbuild";

// Two folders below the root, as src/runtime is: the engine's files are found from there.
const outfile = new URL("./built/main.js", import.meta.url);
await build({
  entryPoints: [new URL("./main.ts", import.meta.url).pathname],
  outfile: outfile.pathname,
  bundle: true,
  packages: "external",
  format: "esm",
  platform: "node",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
});
await import(outfile.href);
