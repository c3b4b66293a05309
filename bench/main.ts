/**
 * The benchmarks. `--only NAME` (part of a row's name), `--threads N`, `--build NAME`,
 * `--seconds N` a row, `--torch PYTHON` to measure PyTorch in turn, `--json` for a JSON line a row.
 */
import { parseArgs } from "node:util";
import type { InitOptions } from "../src/index.js";
import { engine, init, shutdown } from "../src/index.js";
import { measure, timed } from "./measure.js";
import { rows } from "./rows.js";
import { startTorch } from "./pytorch.js";

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    threads: { type: "string" },
    build: { type: "string" },
    seconds: { type: "string", default: "2" },
    torch: { type: "string" },
    json: { type: "boolean", default: false },
  },
});

const chosen = rows.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  throw new Error(`no row is called ${values.only}; there are ${rows.map((r) => r.name).join()}`);
}

await init({
  ...(values.threads && { threads: Number(values.threads) }),
  // init refuses what is no build.
  ...(values.build && { build: values.build as NonNullable<InitOptions["build"]> }),
});
const { build, threads } = engine().info();
const rounded = (x: number): number => Number(x.toPrecision(4));

for (const row of chosen) {
  const { name } = row;
  const work = await row.prepare();
  const torch =
    values.torch && row.inTorch ? await startTorch(values.torch, name, threads) : undefined;
  const timers = [timed(() => work.run()), ...(torch ? [torch.timer] : [])];
  const [own, peer] = await measure(timers, Number(values.seconds));
  torch?.stop();
  const line = {
    w: name,
    build,
    threads,
    min_ms: rounded(own!.min),
    med_ms: rounded(own!.median),
    n: own!.samples,
    err: rounded(work.error),
    ...(peer && {
      torch: torch!.version,
      torch_min_ms: rounded(peer.min),
      torch_med_ms: rounded(peer.median),
      ratio: rounded(own!.min / peer.min),
    }),
  };
  console.log(values.json ? JSON.stringify(line) : textOf(line));
}
shutdown();

function textOf({ w, ...rest }: Readonly<Record<string, string | number>>): string {
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return `${w}: ${parts.join(", ")}`;
}
