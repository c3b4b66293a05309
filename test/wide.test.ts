/** The wide micro-kernel, in processes of their own: V8's flags are the whole process's. */
import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { EngineInfo } from "../src/index.js";

interface Answer {
  readonly info: EngineInfo;
  readonly bits: readonly number[];
}

function run(node: string, options: { wide: boolean; threads: number }): Answer {
  const script = new URL("./wideProducts.mjs", import.meta.url).pathname;
  return JSON.parse(
    execFileSync(node, [script, JSON.stringify(options)], { encoding: "utf8" }),
  ) as Answer;
}

// build.sh names a Node of version 24 or later, where there is one for this host.
const newer = process.env.NEWER_NODE;

describe.runIf(newer)("init({ wide: true }) where V8 joins vectors", () => {
  it("turns the wide micro-kernel on, and no bit changes", () => {
    const narrow = run(newer!, { wide: false, threads: 1 });
    expect(narrow.info).toMatchObject({ build: "relaxed", wide: false, reasons: [] });
    for (const threads of [1, 2]) {
      const wide = run(newer!, { wide: true, threads });
      expect(wide.info).toMatchObject({ build: "relaxed", wide: true, threads, reasons: [] });
      expect(wide.bits).toEqual(narrow.bits);
    }
  });
});

const major = Number(process.versions.node.split(".")[0]);

describe.runIf(major < 24)("init({ wide: true }) on an older Node", () => {
  it("runs the relaxed build, and says why it is no wider", () => {
    const { info } = run(process.execPath, { wide: true, threads: 2 });
    expect(info).toMatchObject({ build: "relaxed", wide: false });
    expect(info.reasons).toEqual([expect.stringContaining("Node can from version 24")]);
  });
});
