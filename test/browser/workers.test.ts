/** In browsers too, without shared memory among threads: training on workers, which may die. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Installed } from "../packed.js";
import { install, root, runInstalled } from "../packed.js";
import { findBrowsers } from "./browsers.js";
import type { Server } from "./server.js";
import { serve, strictPolicy } from "./server.js";
import type { Ends, Spread } from "./workersRun.js";

let installed: Installed;
let pages: Readonly<Record<string, string>>;
let server: Server;
let inNode: Ends;

beforeAll(async () => {
  installed = await install();
  const source = await readFile(join(root, "test/browser/workersRun.ts"), "utf8");
  const script = (await transform(source, { loader: "ts" })).code;
  const model = await readFile(join(root, "test/workerModule.mjs"), "utf8");
  pages = {
    "/index.html": "<!doctype html>",
    "/workersRun.js": script,
    "/workerModule.js": model,
  };
  server = await serve(installed.package, pages, { isolated: false });
  await writeFile(join(installed.folder, "workersRun.mjs"), script);
  await writeFile(join(installed.folder, "workerModule.mjs"), model);
  inNode = await runInNode("{ workers: 2 }");
});
afterAll(async () => {
  server.close();
  await installed.remove();
});

async function runInNode(spread: string): Promise<Ends> {
  const run = `
    import * as ferrograd from "ferrograd";
    import { workersRun } from "./workersRun.mjs";
    console.log(JSON.stringify(await workersRun(ferrograd, ${spread})));`;
  return JSON.parse(await runInstalled(installed, run)) as Ends;
}

it("trains from the package, in Node", () => {
  expect(inNode.weights).toHaveLength(1);
});

describe.each(findBrowsers())("in $name, on a page that is not isolated", ({ launch }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser.close());

  async function inPage(
    spread: Spread,
    bundle = "ferrograd.js",
    { origin } = server,
  ): Promise<Ends> {
    const page = await browser.newPage();
    try {
      await page.goto(`${origin}/index.html`);
      const run = `
        Promise.all([import("/dist/browser/${bundle}"), import("/workersRun.js")]).then(
          ([ferrograd, { workersRun }]) => workersRun(ferrograd, ${JSON.stringify(spread)}))`;
      return (await page.evaluate(run)) as Ends;
    } finally {
      await page.close();
    }
  }

  it.each([1, 2])("trains on %i workers with the bits of Node", async (workers) => {
    const { weights, isolated } = await inPage({ workers });
    expect(isolated).toBe(false);
    expect(weights).toEqual(inNode.weights);
  });

  it("gets a model of one's own layers from its module", async () => {
    const address = 'new URL("./workerModule.mjs", import.meta.url).href';
    const { weights } = await runInNode(`{ workers: 1, workerModule: ${address} }`);
    const inBrowser = await inPage({ workers: 2, workerModule: "/workerModule.js" });
    expect(inBrowser.weights).toEqual(weights);
  });

  it(
    "comes to the same bits though workers are killed",
    async () => {
      let left = Number(process.env.FERROGRAD_KILLS ?? 3);
      while (left > 0) {
        // A few at a time: puppeteer waits for no script longer than three minutes.
        const kills = Math.min(left, 10);
        const { weights, replaced } = await inPage({ workers: 2, kills });
        expect(replaced).toBeGreaterThanOrEqual(kills);
        expect([...new Set(weights)]).toEqual(inNode.weights);
        left -= kills;
      }
    },
    Infinity,
  );

  it("says that ferrograd/inline has no file for workers", async () => {
    const policy = `${strictPolicy} blob: data:`;
    const free = await serve(installed.package, pages, { isolated: false, policy });
    try {
      await expect(inPage({ workers: 1 }, "inline.js", free)).rejects.toThrow(
        "ferrograd/inline has no file for them",
      );
    } finally {
      free.close();
    }
  });
});
