/** What the libraries add to a page: after bundling, minifying and gzip. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { PeerName } from "./competitors.js";
import { peerTitles } from "./competitors.js";
import { packagesFolder, root } from "./folders.js";
import { loadedWith } from "./loadedWith.js";

/** Bytes after gzip. */
export interface Size {
  readonly library: string;
  /** The JavaScript of the page itself. */
  readonly js: number;
  /** That of its workers. */
  readonly workers: number;
  /** One build of the kernels. */
  readonly wasm: number;
}

/** What a page imports of a peer, and the file of its kernels. */
interface Parts {
  readonly imports: readonly string[];
  readonly wasm?: string;
}

const tfjsWasm = "@tensorflow/tfjs-backend-wasm";

const partsOf: Readonly<Partial<Record<PeerName, Parts>>> = {
  tfjs: {
    imports: ["@tensorflow/tfjs", tfjsWasm],
    wasm: `${tfjsWasm}/dist/tfjs-backend-wasm-threaded-simd.wasm`,
  },
  // It writes its kernels when it runs.
  jax: { imports: ["@jax-js/jax"] },
  ort: {
    imports: ["onnxruntime-web/wasm"],
    wasm: "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
  },
};

/** The sizes of Ferrograd and of the peers `names`. */
export async function measureSizes(names: readonly PeerName[]): Promise<Size[]> {
  const known = names.flatMap((name) => {
    const parts = partsOf[name];
    return parts ? [peerSize(name, parts)] : [];
  });
  return Promise.all([ownSize(), ...known]);
}

async function ownSize(): Promise<Size> {
  const sum = async (files: Iterable<string>): Promise<number> =>
    (await Promise.all([...files].map((file) => zipped(join(root, file))))).reduce(
      (a, b) => a + b,
      0,
    );
  const [js, workers, wasm] = await Promise.all([
    sum(loadedWith(root, "dist/browser/ferrograd.js")),
    sum(["dist/browser/worker.js", "wasm/relaxed/engine.js"]),
    sum(["wasm/relaxed/engine_bg.wasm"]),
  ]);
  return { library: "Ferrograd", js, workers, wasm };
}

async function peerSize(name: PeerName, { imports, wasm }: Parts): Promise<Size> {
  const result = await build({
    stdin: {
      contents: imports.map((path, index) => `export * as part${index} from "${path}";`).join("\n"),
      resolveDir: packagesFolder,
    },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
    logLevel: "error",
  });
  return {
    library: peerTitles[name],
    js: gzipSync(result.outputFiles[0]!.contents).length,
    workers: 0,
    wasm: wasm === undefined ? 0 : await zipped(join(packagesFolder, wasm)),
  };
}

async function zipped(file: string): Promise<number> {
  return gzipSync(await readFile(file)).length;
}
