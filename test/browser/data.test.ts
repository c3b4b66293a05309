/** The packed library reads data in browsers as it does in Node: the same numbers. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { transform } from "esbuild";
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { numpyFiles, parquetFiles } from "../foreignFiles.js";
import type { Installed } from "../packed.js";
import { install, root, runInstalled } from "../packed.js";
import { findBrowsers } from "./browsers.js";
import type { Files, Outcome } from "./dataRun.js";
import { serve } from "./server.js";

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
const pixels = Uint8Array.from({ length: 24 * 24 * 4 }, (_, i) => (i * i * 7) % 251);
const files: Files = {
  png: base64(encodePng({ width: 24, height: 24, data: pixels, channels: 4 })),
  jpeg: base64(jpeg.encode({ width: 24, height: 24, data: pixels }, 80).data),
  parquet: base64(parquetFiles.zstd),
  npz: base64(numpyFiles.npzPacked),
  csvGz: base64(gzipSync('a,b\n1,"x\ny"\n2,z\n3,\n4,"""й"""\n5,w\n')),
};

/** A worker that serves a Dataset, made with the library at `entry`. */
const workerOf = (entry: string): string => `
  import * as data from ${JSON.stringify(entry)};
  data.serveDataset(data.fromList([...Array(40).keys()])
    .map((i, random) => [i, random.uniform()], { seed: 6 }).shuffle().batch(3));`;

let installed: Installed;
let pages: Readonly<Record<string, string>>;
let inNode: Outcome;

beforeAll(async () => {
  installed = await install();
  const source = await readFile(join(root, "test/browser/dataRun.ts"), "utf8");
  const script = (await transform(source, { loader: "ts" })).code;
  const worker = workerOf("/dist/browser/data.js");
  pages = { "/index.html": "<!doctype html>", "/dataRun.js": script, "/worker.js": worker };
  await writeFile(join(installed.folder, "dataRun.mjs"), script);
  await writeFile(join(installed.folder, "worker.mjs"), workerOf("ferrograd/data"));
  const run = `
    import { Worker } from "node:worker_threads";
    import { File } from "node:buffer";
    import * as ferrograd from "ferrograd";
    import * as data from "ferrograd/data";
    import { dataRun } from "./dataRun.mjs";
    globalThis.File ??= File;
    const worker = () => new Worker(new URL("./worker.mjs", import.meta.url));
    console.log(JSON.stringify(await dataRun(ferrograd, data, ${JSON.stringify(files)}, worker)));`;
  inNode = JSON.parse(await runInstalled(installed, run)) as Outcome;
});
afterAll(() => installed.remove());

it("reads everything, in Node", () => {
  expect(inNode.csv).toBe('[{"a":"4","b":"\\"й\\""},{"a":"5","b":"w"}]');
  expect(inNode.parquet).toContain('"text":"bc","n":-2');
  expect(JSON.parse(inNode.worker!)).toHaveLength(4);
});

describe.each(findBrowsers())("in $name", ({ launch }) => {
  it("reads the same", async () => {
    const browser = await launch();
    const server = await serve(installed.package, pages, { isolated: false });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.origin}/index.html`);
      const run = `
        Promise.all(["ferrograd", "data"].map((name) => import("/dist/browser/" + name + ".js"))
          .concat(import("/dataRun.js"))).then(
          ([ferrograd, data, { dataRun }]) => dataRun(ferrograd, data, ${JSON.stringify(files)},
            () => new Worker("/worker.js", { type: "module" })))`;
      expect(await page.evaluate(run)).toEqual(inNode);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
