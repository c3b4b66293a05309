/** Pages draw pictures, under the strictest policy, and show reports made in Node. */
import type { Browser, Page } from "puppeteer-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plotConfusionMatrix } from "../../src/plot/confusionMatrix.js";
import { plotHistory } from "../../src/plot/learningCurves.js";
import { report } from "../../src/plot/report.js";
import { drawn } from "../drawn.js";
import type { Installed } from "../packed.js";
import { install } from "../packed.js";
import { findBrowsers } from "./browsers.js";
import type { Server } from "./server.js";
import { serve } from "./server.js";

const course = { epoch: [0, 1, 2], history: { loss: [3, 2, 1], valLoss: [3, NaN, 2] } };
const hostile = `</section><script>console.error("run")</script><img src=x onerror=alert(1)>"'&`;

let installed: Installed;
let server: Server;

beforeAll(async () => {
  installed = await install();
  const page = report(
    [
      await plotHistory(course, { title: hostile }),
      await plotConfusionMatrix(
        [
          [1, 2],
          [3, 4],
        ],
        [hostile, "b"],
      ),
      { title: hostile, columns: [hostile, "share"], rows: [[hostile, 0.25]] },
      { title: "Text", text: `line   1\t\n${hostile}\u0000` },
    ],
    { title: hostile },
  );
  const pages = {
    "/index.html": `<!doctype html><link rel="icon" href="data:,">`,
    "/report.html": page,
  };
  server = await serve(installed.package, pages, { isolated: true });
});
afterAll(async () => {
  server.close();
  await installed.remove();
});

describe.each(findBrowsers())("in $name", (underTest) => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const requests: string[] = [];
  beforeAll(async () => {
    browser = await underTest.launch();
    page = await browser.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => {
      const { protocol, pathname } = new URL(request.url());
      // Firefox counts what is in the page's own text.
      if (protocol !== "data:") requests.push(pathname);
    });
  });
  afterAll(() => browser.close());

  it("draws where evaluation of text is forbidden", async () => {
    await page.goto(`${server.origin}/index.html`);
    const run = `import("/dist/browser/plot.js").then(async ({ plotHistory }) =>
      (await plotHistory(${JSON.stringify(course)})).svg)`;
    const svg = (await page.evaluate(run)) as string;
    expect(complaints).toEqual([]);
    // NaN is null in JSON: a gap either way.
    expect(drawn({ svg }).marks("point").size).toBe(5);
  });

  it("shows a report without asking for anything, or running what names say", async () => {
    requests.length = 0;
    complaints.length = 0;
    await page.goto(`${server.origin}/report.html`, { waitUntil: "networkidle0" });
    expect(await page.title()).toContain("</section><script>");
    const counts = `["svg", "table", "pre", "script", "img", "section"].map(
      (name) => document.querySelectorAll(name).length)`;
    expect(await page.evaluate(counts)).toEqual([2, 1, 1, 0, 0, 4]);
    expect(await page.evaluate(`document.querySelector("td").textContent`)).toBe(hostile);
    expect(await page.evaluate(`document.querySelector("pre").textContent`)).toBe(
      `line   1\t\n${hostile}□`,
    );
    expect(complaints).toEqual([]);
    expect(requests).toEqual(["/report.html"]);
  });
});
