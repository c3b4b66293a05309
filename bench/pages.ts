/** Entrants in pages of a browser. */
import type { Browser } from "puppeteer-core";
import { findBrowsers } from "../test/browser/browsers.js";
import { serve } from "../test/browser/server.js";
import type { DriverOptions, Ready, Refusal, Turn } from "./driver.js";
import { coldRow } from "./driver.js";
import type { Entrant } from "./entrant.js";
import { startingAnew } from "./entrant.js";
import { root } from "./folders.js";
import type { BrowserName } from "./options.js";
import type { Stage } from "./stage.js";

const built = "/bench/peers/built/pages";
const packages = "/bench/peers/node_modules";

/** Peers compile code at run time, and start workers from addresses they make. */
const policy = "script-src 'self' 'unsafe-eval' blob: data:";

/** Opens browser `name`. Throws if it is not there. */
export async function pageStage(name: BrowserName): Promise<Stage> {
  const found = findBrowsers().find((browser) => browser.name.toLowerCase() === name);
  if (!found) throw new Error(`there is no ${name} here`);
  const server = await serve(
    root,
    { "/bench.html": "<!doctype html>" },
    { isolated: true, policy },
  );
  const browser = await found.launch();
  return {
    name: (await browser.version()).replace("/", " "),
    enter: (driver, row, options) => enterPage(browser, server.origin, driver, row, options),
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

async function enterPage(
  browser: Browser,
  origin: string,
  driver: string,
  row: string,
  options: DriverOptions,
): Promise<Entrant> {
  const start = async (): Promise<Entrant> => {
    const page = await browser.newPage();
    await page.setCacheEnabled(false);
    await page.goto(`${origin}/bench.html`);
    const inHost = async <T>(call: string): Promise<T> =>
      (await page.evaluate(`import("${built}/pageHost.js").then((host) => host.${call})`)) as T;
    const args = [`${built}/${driver}.js`, row, { ...options, packages: origin + packages }];
    const said = await inHost<Ready | Refusal>(`enter(...${JSON.stringify(args)})`);
    if ("cannot" in said) {
      await page.close();
      throw new Error(said.cannot);
    }
    return {
      ready: said,
      async take(samples, runs) {
        // Browsers slow down what is not in front.
        await page.bringToFront();
        return inHost<Turn>(`take(${samples}, ${runs})`);
      },
      leave: () => page.close(),
    };
  };
  return row === coldRow ? startingAnew(start) : start();
}
