/** The browsers that are there, without a window. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Browser, LaunchOptions } from "puppeteer-core";
import { launch } from "puppeteer-core";

/** A browser that the tests run in. */
export interface BrowserUnderTest {
  readonly name: string;
  launch(): Promise<Browser>;
}

interface Kind {
  readonly name: string;
  /** The environment variable that names its program. */
  readonly variable: string;
  /** The programs it may be, on the PATH or anywhere. */
  readonly programs: readonly string[];
  readonly options: LaunchOptions;
}

const kinds: readonly Kind[] = [
  {
    name: "Chromium",
    variable: "CHROMIUM",
    programs: [
      "chromium",
      "chromium-browser",
      "google-chrome",
      "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ],
    options: {
      browser: "chrome",
      args: [
        // Containers and root have no sandbox; the pages are our own.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  {
    name: "Firefox",
    variable: "FIREFOX",
    programs: ["firefox-esr", "firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"],
    options: { browser: "firefox" },
  },
];

/** The browsers found; of those not found it says so. */
export function findBrowsers(): BrowserUnderTest[] {
  return kinds.flatMap(({ name, variable, programs, options }) => {
    const wanted = process.env[variable];
    const program = wanted ?? programs.map(findProgram).find((found) => found !== undefined);
    if (program === undefined) {
      console.warn(`no ${name} here (set ${variable} to its path): its tests are left out`);
      return [];
    }
    const start = () => launch({ ...options, executablePath: program, headless: true });
    return [{ name, launch: start }];
  });
}

function findProgram(program: string): string | undefined {
  const folders = program.startsWith("/") ? [""] : (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
