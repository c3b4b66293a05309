/** Ferrograd under measurement. */
import type { InitOptions } from "../src/index.js";
import { engine, init, matmul, ones, sum } from "../src/index.js";
import type { DriverOptions, Started } from "./driver.js";
import type { Row, Work } from "./row.js";

/** The builds that are compared: those of `init`, and relaxed with wide products. */
export const builds = ["plain", "relaxed", "wide"] as const;

/** Names of builds, as options and results say them. */
export type BuildName = (typeof builds)[number];

/** Where the name of a build becomes options of `init`. */
const initOptions: Readonly<Record<string, InitOptions>> = {
  plain: { build: "plain" },
  relaxed: { build: "relaxed" },
  wide: { wide: true },
};

/** See Driver. */
export async function start({ threads, build = "" }: DriverOptions): Promise<Started> {
  await init({ threads, ...initOptions[build] });
  await sum(matmul(ones([4, 4]), ones([4, 4]))).item();
  const info = engine().info();
  const { wide, reasons } = info;
  return {
    version: "",
    threads: info.threads,
    build: wide ? "wide" : info.build,
    reasons,
  };
}

/** See Driver. The ops' rows are loaded if one is wanted: they need what pages do not have. */
export async function prepare(name: string): Promise<Work> {
  const found = (await import("./rows.js")).rows.find((row) => row.name === name);
  return (found ?? (await findOp(name))).prepare();
}

async function findOp(name: string): Promise<Row> {
  const row = (await import("./ops.js")).ops.find((op) => op.name === name);
  if (!row) throw new Error(`there is no row ${name}`);
  return row;
}
