/** Who takes part: Ferrograd's builds, and the peers that are there. */
import { enterProcess } from "./childProcess.js";
import type { Competitor, Entrant } from "./entrant.js";
import type { Options } from "./options.js";
import type { Installed } from "./peers.js";
import type { Stage } from "./stage.js";

/** The peers by the names that tables have, and how readers know them. */
export const peerTitles = {
  torch: "PyTorch",
  tfjs: "tfjs-wasm",
  jax: "jax-js",
  ort: "ORT web",
} as const;

/** The name of a peer. */
export type PeerName = keyof typeof peerTitles;

/** Peers that have but one thread in Node. */
const singleInNode: readonly PeerName[] = ["tfjs", "jax"];

/** All that take part, Ferrograd first, by number of threads. */
export function competitors(
  { threads, builds, alone, browser, json }: Options,
  stage: Stage,
  { packages, python, pytorch }: Installed,
): Competitor[] {
  const own = (count: number, build?: string): Competitor => ({
    name: build ?? "ferrograd",
    threads: count,
    own: true,
    async enter(row) {
      const options = { threads: count, ...(build !== undefined && { build }) };
      const entrant = await stage.enter("ferrograd", row, options);
      return json ? entrant : asAsked(entrant, count, build);
    },
  });
  const driven = (name: PeerName, count: number): Competitor => ({
    name,
    threads: count,
    own: false,
    enter: (row) => stage.enter(`peers/${name}`, row, { threads: count }),
  });
  const torch = (count: number, program: string): Competitor => ({
    name: "torch",
    threads: count,
    own: false,
    enter: (row) => enterProcess([program, pytorch, row, "--threads", String(count)], row),
  });
  const wanted = threads.flatMap((count) => {
    const ours = builds.length > 0 ? builds.map((build) => own(count, build)) : [own(count)];
    if (alone) return ours;
    const theirs = packages.map((name) =>
      driven(name, browser === undefined && singleInNode.includes(name) ? 1 : count),
    );
    return [...ours, ...(python !== undefined ? [torch(count, python)] : []), ...theirs];
  });
  const key = ({ name, threads: count }: Competitor): string => `${name} ${count}`;
  return [...new Map(wanted.map((one) => [key(one), one])).values()];
}

/** In a table of builds, what runs as another one than asked for has no place. */
async function asAsked(entrant: Entrant, threads: number, build?: string): Promise<Entrant> {
  const { ready, leave } = entrant;
  if (ready.threads === threads && (build === undefined || ready.build === build)) return entrant;
  await leave();
  const actual = `it runs as ${ready.build}, threads: ${ready.threads}`;
  throw new Error([...(ready.reasons ?? []), actual].join("; "));
}
