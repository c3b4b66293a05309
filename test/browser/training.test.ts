/** The packed library trains in browsers as it does in Node: the same losses, the same bits. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { transform } from "esbuild";
import type { Browser, Page } from "puppeteer-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { InitOptions } from "../../src/index.js";
import type { Installed } from "../packed.js";
import { install, root, runInstalled } from "../packed.js";
import { findBrowsers } from "./browsers.js";
import type { Server } from "./server.js";
import { serve, strictPolicy } from "./server.js";
import type { Course } from "./trainingRun.js";

let installed: Installed;
/** What is served besides the package. */
let pages: Readonly<Record<string, string>>;
/** The run in Node, on one thread. */
let inNode: Course;

beforeAll(async () => {
  installed = await install();
  const source = await readFile(join(root, "test/browser/trainingRun.ts"), "utf8");
  const script = (await transform(source, { loader: "ts" })).code;
  pages = { "/index.html": "<!doctype html>", "/trainingRun.js": script };
  await writeFile(join(installed.folder, "trainingRun.mjs"), script);
  inNode = await runInNode({ build: "plain", threads: 1 });
});

afterAll(() => installed.remove());

async function runInNode(options: InitOptions): Promise<Course> {
  const source = `
    import * as ferrograd from "ferrograd";
    import { trainingRun } from "./trainingRun.mjs";
    console.log(JSON.stringify(await trainingRun(ferrograd, ${JSON.stringify(options)})));`;
  return JSON.parse(await runInstalled(installed, source)) as Course;
}

async function runInPage(
  page: Page,
  options: InitOptions,
  bundle = "ferrograd.js",
): Promise<Course> {
  const run = `
    Promise.all([import("/dist/browser/${bundle}"), import("/trainingRun.js")]).then(
      ([ferrograd, { trainingRun }]) => trainingRun(ferrograd, ${JSON.stringify(options)}))`;
  return (await page.evaluate(run)) as Course;
}

/** The largest difference of two courses' losses, relative to the loss. */
function distance(a: Course, b: Course): number {
  return Math.max(...a.losses.map((loss, epoch) => Math.abs(loss / b.losses[epoch]! - 1)));
}

it("learns, in Node", () => {
  expect(inNode.losses).toHaveLength(5);
  expect(inNode.losses.at(-1)).toBeLessThan(inNode.losses[0]! - 0.1);
});

it("goes the same way on 2 threads, in Node", async () => {
  const course = await runInNode({ build: "plain", threads: 2 });
  expect(course.info.threads).toBe(2);
  expect(course.losses).toEqual(inNode.losses);
  expect(course.weights).toEqual(inNode.weights);
});

it("goes the same way without shared memory, in Node", async () => {
  const course = await runInNode({ build: "single" });
  expect(course.info).toMatchObject({ build: "single", threads: 1 });
  expect(course.weights).toEqual(inNode.weights);
});

describe.each(findBrowsers())("in $name", (underTest) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await underTest.launch();
  });
  afterAll(() => browser.close());

  describe.each([
    { where: "isolated", isolated: true },
    { where: "not isolated", isolated: false },
  ])("on a page that is $where", ({ isolated }) => {
    let server: Server;
    let page: Page;
    beforeAll(async () => {
      server = await serve(installed.package, pages, { isolated });
    });
    afterAll(() => server.close());
    beforeEach(async () => {
      page = await browser.newPage();
      await page.goto(`${server.origin}/index.html`);
    });
    afterEach(() => page.close());

    it("trains with the bits of Node on the plain build", async () => {
      const course = await runInPage(page, { build: "plain", threads: 2 });
      expect(course.losses).toEqual(inNode.losses);
      expect(course.weights).toEqual(inNode.weights);
    });

    it("trains on the build it chooses, and says why on no better one", async () => {
      const course = await runInPage(page, { threads: 2 });
      // Fused multiply-add rounds once where the plain build rounds twice.
      expect(distance(course, inNode)).toBeLessThan(1e-4);
      const { build, threads, host, reasons } = course.info;
      expect({ build, threads, host }).toEqual({
        build: "relaxed",
        threads: isolated ? 2 : 1,
        host: "worker",
      });
      if (isolated) expect(reasons).toEqual([]);
      else expect(reasons.join()).toContain("not cross-origin isolated");
    });

    it("trains without shared memory", async () => {
      const course = await runInPage(page, { build: "single" });
      expect(course.info).toMatchObject({ build: "single", threads: 1 });
      expect(course.weights).toEqual(inNode.weights);
    });
  });

  it("trains from the one file of ferrograd/inline", async () => {
    const policy = `${strictPolicy} blob: data:`;
    const server = await serve(installed.package, pages, { isolated: true, policy });
    const page = await browser.newPage();
    try {
      await page.goto(`${server.origin}/index.html`);
      const course = await runInPage(page, { build: "plain", threads: 2 }, "inline.js");
      expect(course.info.threads).toBe(2);
      expect(course.weights).toEqual(inNode.weights);
    } finally {
      await page.close();
      server.close();
    }
  });
});
