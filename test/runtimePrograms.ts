/** Hand-written Programs, as the planner would emit them. */
import type { Call, Pointer, Program } from "../src/program/program.js";
import { Opcode } from "../wasm/plain/engine.js";

let keys = 1_000_000;

const slot = (buffer: number): Pointer => ({ buffer, offset: 0 });
const constants = (words: number): Pointer => ({ buffer: "constants", offset: 4 * words });
const arena: Pointer = { buffer: "arena", offset: 0 };
const float32 = 0;

/** Slots 0 + 1 → 2, for `count` float32 elements. */
export function addProgram(count: number): Program {
  const operand = (index: number, register: number): number[] => [index, float32, register, 1];
  const head = [0, 1, count, 2, 1, 1, 3, count];
  const add = [Opcode.Add, 2, 0, 1, 0, 0, 0];
  const code = [...head, ...operand(0, 0), ...operand(1, 1), ...add, ...operand(2, 2)];
  const unused = Array.from({ length: 9 }, () => 0);
  const args = [constants(0), slot(0), slot(1), slot(2), ...unused];
  const bytes = 4 * count;
  return {
    key: keys++,
    calls: [{ kernel: "elementwise", args, label: `add [${count}]` }],
    constants: code,
    arenaBytes: 0,
    slots: [
      { bytes, role: "in" },
      { bytes, role: "in" },
      { bytes, role: "out" },
    ],
  };
}

/**
 * Slot 0 times slot 1, [n, n] each, into the arena, `repeats` times, and once more into slot 2:
 * a run as long as is wished.
 */
export function gemmProgram(n: number, repeats = 0): Program {
  const gemm = (out: Pointer): Call => ({
    kernel: "gemm",
    args: [float32, n, n, n, 1, constants(0), slot(0), n, 1, slot(1), n, 1, out, 0, 0, 1, 0],
    label: `matmul [${n}, ${n}]`,
  });
  const bytes = 4 * n * n;
  return {
    key: keys++,
    calls: [...Array.from({ length: repeats }, () => gemm(arena)), gemm(slot(2))],
    constants: [0],
    arenaBytes: repeats > 0 ? bytes : 0,
    slots: [
      { bytes, role: "in" },
      { bytes, role: "in" },
      { bytes, role: "out" },
    ],
  };
}

/**
 * Rows of slot 0, `table: [rows, width]`, chosen by slot 1, `ids: [count]`, into slot 2; then
 * slot 3 += 1, which bad ids must keep from happening.
 */
export function gatherProgram(rows: number, width: number, count: number): Program {
  const operand = (index: number, register: number): number[] => [index, float32, register, 1];
  const increment = [
    ...[0, 1, 1, 1, 2, 1, 3, 1],
    ...operand(0, 0),
    ...[Opcode.Const, 1, 0, 0, 0, 0, 0x3ff00000], // 1 as the two words of a float64
    ...[Opcode.Add, 2, 0, 1, 0, 0, 0],
    ...operand(0, 2),
  ];
  const unused = Array.from({ length: 11 }, () => 0);
  return {
    key: keys++,
    calls: [
      {
        kernel: "gather_rows",
        args: [float32, rows, width, count, slot(0), slot(1), slot(2)],
        label: `embedding [${rows}, ${width}]`,
      },
      { kernel: "elementwise", args: [constants(0), slot(3), ...unused], label: "add [1]" },
    ],
    constants: increment,
    arenaBytes: 0,
    slots: [
      { bytes: 4 * rows * width, role: "in" },
      { bytes: 4 * count, role: "in" },
      { bytes: 4 * count * width, role: "out" },
      { bytes: 4, role: "inout" },
    ],
  };
}

/** The same `count` numbers of -1 to 1 each time. */
export function numbers(count: number, seed = 1): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}
