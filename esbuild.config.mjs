// Bundles for browsers, beside the files of tsc, which Node uses one by one.
import { readdir, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const root = import.meta.dirname ?? ".";

/** Removes what tsc made of sources that are no longer there. */
async function prune() {
  for (const entry of await readdir(join(root, "dist"), { recursive: true })) {
    const made = /^(.*?)(\.d\.ts|\.js|\.js\.map)$/.exec(entry);
    if (!made || entry.startsWith("browser")) continue;
    if (!existsSync(join(root, "src", `${made[1]}.ts`))) await rm(join(root, "dist", entry));
  }
}

/** What the sources do differently in a bundle. */
const forBrowsers = {
  name: "for-browsers",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\/urls\.js$/ }, ({ resolveDir }) => ({
      path: join(resolveDir, "urls.browser.ts"),
    }));
    // Code for Node is behind `inNode`, so it is never reached.
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "absent" }));
    onLoad({ filter: /.*/, namespace: "absent" }, () => ({ contents: "export {}" }));
  },
};

await prune();
await build({
  absWorkingDir: root,
  entryPoints: { ferrograd: "src/index.ts", worker: "src/runtime/worker.ts" },
  outdir: "dist/browser",
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  sourcemap: true,
  legalComments: "inline",
  logLevel: "warning",
  plugins: [forBrowsers],
});
