/** Which builds of the engine a host can run, and which of them is taken. */
import { checkKnown } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Build, EngineInfo } from "./protocol.js";

/** What a host can do, as far as the choice of a build goes. */
export interface Abilities {
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Atomic instructions, and a shared `WebAssembly.Memory`. */
  readonly sharedMemory: boolean;
  /** Shared memory may be posted to workers. */
  readonly isolated: boolean;
}

/** A build, the most threads it can have here, and why not a faster one or more. */
export interface Choice {
  readonly build: Build;
  readonly simd: EngineInfo["simd"];
  /** Whether the build uses a shared memory. */
  readonly shared: boolean;
  readonly threads: number;
  readonly reasons: readonly string[];
}

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
/** Sections of a module with one function, without parameters, that returns `type`. */
const signature = (type: number): number[] => [0x01, 0x05, 0x01, 0x60, 0x00, 0x01, type];
const oneFunction = [0x03, 0x02, 0x01, 0x00];
const v128 = 0x7b;
const i32 = 0x7f;
const splatZero = [0x41, 0x00, 0xfd, 0x0f]; // i32.const 0, i8x16.splat
const relaxedMadd = [0xfd, 0x85, 0x02]; // f32x4.relaxed_madd
const sharedPage = [0x05, 0x04, 0x01, 0x03, 0x01, 0x01]; // a shared memory of exactly one page
const atomicLoad = [0x41, 0x00, 0xfe, 0x10, 0x02, 0x00]; // i32.const 0, i32.atomic.load

/** A module whose one function has `body`; it is only validated, never run. */
function probe(
  type: number,
  memory: readonly number[],
  body: readonly number[],
): Uint8Array<ArrayBuffer> {
  const code = [0x00, ...body, 0x0b]; // no locals … end
  const section = [0x0a, code.length + 2, 0x01, code.length, ...code];
  return Uint8Array.from([...header, ...signature(type), ...oneFunction, ...memory, ...section]);
}

/** What this host can do; `isolated` is the platform's to say. */
export function detectAbilities(isolated: boolean): Abilities {
  const madd = [...splatZero, ...splatZero, ...splatZero, ...relaxedMadd];
  return {
    simd: WebAssembly.validate(probe(v128, [], splatZero)),
    relaxedSimd: WebAssembly.validate(probe(v128, [], madd)),
    sharedMemory: WebAssembly.validate(probe(i32, sharedPage, atomicLoad)) && canShare(),
    isolated,
  };
}

function canShare(): boolean {
  try {
    return !!new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return false;
  }
}

const noSharedMemory = "shared WebAssembly memory is missing here, so the engine has one thread";
const noRelaxedSimd =
  "relaxed SIMD (fused multiply-add) is missing here: Node has it from version 21, " +
  "Chrome from 114, Firefox from 146";
const notIsolated =
  "the page is not cross-origin isolated (COOP and COEP headers), so the engine has one thread";

/**
 * The build to run: the fastest the host can, or `wanted`. Throws ArgumentError if the host cannot
 * run what is wanted, or no build at all.
 */
export function chooseBuild(
  abilities: Abilities,
  wanted: Build | undefined,
  threads: number,
): Choice {
  const { simd, relaxedSimd, sharedMemory, isolated } = abilities;
  if (!simd)
    throw new ArgumentError("init: this host has no WebAssembly SIMD, which every build needs");
  const refusals: { readonly [B in Build]: string | undefined } = {
    relaxed: !sharedMemory ? noSharedMemory : !relaxedSimd ? noRelaxedSimd : undefined,
    plain: sharedMemory ? undefined : noSharedMemory,
    single: undefined,
  };
  if (wanted) checkKnown("init: build", wanted, Object.keys(refusals));
  if (wanted && refusals[wanted]) {
    throw new ArgumentError(`init: build "${wanted}" cannot run: ${refusals[wanted]}`);
  }
  const order: readonly Build[] = ["relaxed", "plain", "single"];
  const build = wanted ?? order.find((candidate) => !refusals[candidate]) ?? "single";
  const faster = order.slice(0, order.indexOf(build));
  const reasons = wanted && faster.length > 0 ? [`build "${wanted}" was asked for`] : [];
  if (!wanted) {
    const missing = faster.map((candidate) => refusals[candidate]);
    reasons.push(...new Set(missing.filter((reason) => reason !== undefined)));
  }
  const shared = build !== "single";
  if (shared && !isolated && threads > 1) reasons.push(notIsolated);
  if (!shared && wanted && threads > 1) reasons.push('build "single" has one thread');
  return {
    build,
    simd: build === "relaxed" ? "relaxed-simd" : "simd128",
    shared,
    threads: shared && isolated ? threads : 1,
    reasons,
  };
}
