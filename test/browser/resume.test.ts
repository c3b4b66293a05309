/** In browsers too a training goes on to the same bits, and models are saved and loaded. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import type { Browser } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Installed } from "../packed.js";
import { install, root } from "../packed.js";
import { findBrowsers } from "./browsers.js";
import type { Resumed } from "./resumeRun.js";
import type { Server } from "./server.js";
import { serve } from "./server.js";

let installed: Installed;
let server: Server;
beforeAll(async () => {
  installed = await install();
  const source = await readFile(join(root, "test/browser/resumeRun.ts"), "utf8");
  const script = (await transform(source, { loader: "ts" })).code;
  const pages = { "/index.html": "<!doctype html>", "/resumeRun.js": script };
  server = await serve(installed.package, pages, { isolated: false });
});
afterAll(async () => {
  server.close();
  await installed.remove();
});

describe.each(findBrowsers())("in $name", (underTest) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await underTest.launch();
  });
  afterAll(() => browser.close());

  it("goes on from the checkpoint before a damaged one", async () => {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/index.html`);
    const result = (await page.evaluate(`
      Promise.all([
        import("/dist/browser/ferrograd.js"),
        import("/dist/browser/train.js"),
        import("/resumeRun.js"),
      ]).then(([ferrograd, train, { resumeRun }]) => resumeRun(ferrograd, train))`)) as Resumed;
    expect(result.parts).toBe(result.whole);
    expect(result.saved).toBe(result.whole);
    // 15 batches were done; the checkpoint before is of 14.
    expect([result.from, result.rejected]).toEqual([14, 1]);
    const lines = result.log.trimEnd().split("\n");
    expect(lines.map((line) => line.split(",")[0])).toEqual(["epoch", "0", "1", "2", "3"]);
  });
});
