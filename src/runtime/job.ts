/** One dispatch as shared words: which Program, where its text is, and the addresses it runs on. */
import type { Argument, Program } from "../program/program.js";
import type { Span } from "./double.js";

/** A Program as text in shared memory, for workers to decode. */
export interface ProgramText {
  readonly key: number;
  /** A number that no other loaded Program has, small, used again when this one is unloaded. */
  readonly place: number;
  readonly address: number;
  readonly bytes: number;
}

/** What the words say. */
export interface Job extends ProgramText {
  readonly addresses: ArrayLike<number>;
  /** The module of float64 kernels; empty where no call needs it. */
  readonly double: Span;
}

/**
 * The words before the addresses: key, place, address and bytes of the text, those of the module of
 * float64 kernels, how many follow.
 */
const headWords = 7;

/** Bytes of a job with so many addresses. */
export function jobBytes(addresses: number): number {
  return 4 * (headWords + addresses);
}

/** Writes `job` at `at`. */
export function writeJob({ buffer }: WebAssembly.Memory, at: number, job: Job): void {
  const { key, place, address, bytes, double, addresses } = job;
  const words = new Uint32Array(buffer, at, headWords + addresses.length);
  words.set([key, place, address, bytes, double.address, double.bytes, addresses.length]);
  words.set(addresses, headWords);
}

/** Reads the job at `at`. */
export function readJob({ buffer }: WebAssembly.Memory, at: number): Job {
  const words = new Uint32Array(buffer, at, headWords);
  const [key, place, address, bytes, module, moduleBytes, count] = words;
  return {
    key: key!,
    place: place!,
    address: address!,
    bytes: bytes!,
    double: { address: module!, bytes: moduleBytes! },
    addresses: new Uint32Array(buffer, at + 4 * headWords, count).slice(),
  };
}

/** What workers need of a Program. */
export type ProgramCalls = Pick<Program, "calls" | "slots">;

/** Those parts of a Program as text. */
export function encodeProgram({ calls, slots }: Program): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ calls, slots }, withAllNumbers));
}

/** The inverse of `encodeProgram`, from shared memory. */
export function decodeProgram(memory: WebAssembly.Memory, span: Span): ProgramCalls {
  const text = new TextDecoder().decode(copyOf(memory, span));
  const { calls, slots } = JSON.parse(text) as ProgramCalls;
  const numbers = calls.map((call) => ({ ...call, args: call.args.map(toNumber) }));
  return { calls: numbers, slots };
}

/** The bytes of a span: neither decoders nor compilers take shared memory. */
export function copyOf(
  { buffer }: WebAssembly.Memory,
  { address, bytes }: Span,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new Uint8Array(buffer, address, bytes));
}

/** JSON has no NaN, infinities or -0: they cross as text. */
function withAllNumbers(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

function toNumber(argument: Argument): Argument {
  return typeof argument === "string" ? Number(argument) : argument;
}
