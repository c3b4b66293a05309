/** The engine, as the command line starts it: the process is its own, so V8's flags may be set. */
import { engine, init } from "../runtime/engine.js";
import type { EngineInfo } from "../runtime/protocol.js";
import type { Output } from "./output.js";

/** What of an engine is told. */
export type EngineReport = Pick<EngineInfo, "build" | "simd" | "wide" | "threads" | "reasons">;

/** Starts the engine, and says what it runs on. */
export async function startEngine(
  output: Output,
  { threads }: { readonly threads?: number | undefined },
): Promise<EngineReport> {
  await init({ wide: true, ...(threads !== undefined && { threads }) });
  const { build, simd, wide, reasons, threads: count } = engine().info();
  const report = { build, simd, wide, threads: count, reasons };
  output.note(output.colors.dim(describeEngine(report)));
  return report;
}

/** An engine in one line. */
export function describeEngine({ build, simd, wide, threads }: EngineReport): string {
  const vectors = wide ? `${simd} in pairs` : simd;
  return `Engine: ${build} build, ${vectors}, ${threads} thread${threads === 1 ? "" : "s"}`;
}
