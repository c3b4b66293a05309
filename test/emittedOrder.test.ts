/** V8 runs wasm in the order it is written: the micro-kernels' must be that of their source. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import wabt from "wabt";

const features = {
  simd: true,
  relaxed_simd: true,
  threads: true,
  bulk_memory: true,
  mutable_globals: true,
  sign_extension: true,
  sat_float_to_int: true,
};

/** The functions of a build as text, by name. */
async function functionsOf(build: string): Promise<Map<string, string[]>> {
  const file = new URL(`../wasm/${build}/engine_bg.wasm`, import.meta.url);
  const module = (await wabt()).readWasm(readFileSync(file), {
    readDebugNames: true,
    ...features,
  });
  module.applyNames();
  const found = new Map<string, string[]>();
  for (const text of module.toText({ foldExprs: false, inlineExport: false }).split("\n  (func ")) {
    found.set(text.slice(0, text.indexOf(" ")), text.split("\n"));
  }
  module.destroy();
  return found;
}

/** What a loop does with vectors, in order: b = a load of B, a = a splat of A, + = a product added. */
function steps(lines: readonly string[], madd: string): string {
  const kinds: readonly (readonly [string, string])[] = [
    ["v128.load32_splat", "a"],
    ["v128.load ", "b"],
    [madd, "+"],
    ["v128.store", "s"],
  ];
  return lines
    .map((line) => kinds.find(([start]) => `${line.trim()} `.startsWith(start))?.[1] ?? "")
    .join("");
}

describe.each([
  { build: "relaxed", madd: "f32x4.relaxed_madd" },
  { build: "plain", madd: "f32x4.add" },
])("the $build build's micro-kernel", async ({ build, madd }) => {
  const functions = await functionsOf(build);

  it.each([2, 4])("of 4 rows × %i vectors keeps its order", (vectors) => {
    const name = [...functions.keys()].find((key) =>
      key.includes(`micro::micro::<f32__4usize__${vectors}usize>`),
    );
    const lines = functions.get(name ?? "")!;
    const begin = lines.findIndex((line) => line.trim().startsWith("loop"));
    const end = lines.findIndex((line, index) => index > begin && line.trim() === "end");
    const inner = steps(lines.slice(begin, end), madd);
    // Every element of A is spread out just before its products, so that one register holds it;
    // the vectors of B come with the first row's at the latest.
    const row = `a\\+{${vectors}}`;
    expect(inner.replaceAll("b", "")).toMatch(new RegExp(`^(${row}){4}$`));
    expect(inner.slice(0, inner.indexOf("a", inner.indexOf("a") + 1)).match(/b/g)).toHaveLength(
      vectors,
    );
    expect(inner.match(/b/g)).toHaveLength(vectors);
    // The results are written last, with nothing between.
    expect(steps(lines.slice(end), madd)).toBe("s".repeat(4 * vectors));
  });
});

/** The loops of a function that have none inside, from `loop` to the jump back. */
function innerLoops(lines: readonly string[]): string[][] {
  const found: string[][] = [];
  let open: string[] | undefined;
  for (const line of lines.map((text) => text.trim())) {
    if (line.startsWith("loop")) open = [];
    open?.push(line);
    if (line.startsWith("br_if") && open) {
      found.push(open);
      open = undefined;
    }
  }
  return found;
}

describe.each(["relaxed", "plain"])("the %s build's strips of attention", async (build) => {
  const functions = await functionsOf(build);

  it.each([
    { name: "weigh", vectors: 2 },
    { name: "differentiate", vectors: 4 },
  ])("$name loads all vectors before it stores any, which V8 can join", ({ name, vectors }) => {
    const [, lines] = [...functions].find(([key]) => key.includes(`strip::${name}::<f32>`))!;
    const moves = innerLoops(lines).map((loop) =>
      loop.map((line) => /^v128\.(load|store)/.exec(line)?.[1]?.[0] ?? "").join(""),
    );
    expect(moves).toContain("l".repeat(vectors) + "s".repeat(vectors));
  });
});
