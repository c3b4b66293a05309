/** A Program for people to read. */
import type { Argument, Program } from "./program.js";

/** Bytes a Program needs while it runs: its arena, constants and all its slots. */
export function peakBytes({ arenaBytes, constants, slots }: Program): number {
  return slots.reduce((sum, { bytes }) => sum + bytes, arenaBytes + constants.length * 4);
}

/** The plan as text: every kernel call with what it computes and where, then the memory. */
export function describe(program: Program): string {
  const argument = (arg: Argument): string =>
    typeof arg === "number"
      ? String(arg)
      : `${typeof arg.buffer === "number" ? `slot${arg.buffer}` : arg.buffer}+${arg.offset}`;
  const width = String(program.calls.length).length;
  const calls = program.calls.map(({ kernel, label, args }, index) => {
    const shown = kernel === "elementwise" ? args.filter((arg) => arg !== 0) : args;
    return `${String(index).padStart(width)}  ${label}  ${kernel}(${shown.map(argument).join(", ")})`;
  });
  const chains = program.calls.filter(({ label }) => label.includes("→")).length;
  const bytes = (role: string): number =>
    program.slots.reduce((sum, slot) => sum + (slot.role === role ? slot.bytes : 0), 0);
  return [
    ...calls,
    `${program.calls.length} kernel calls, ${chains} fused chains`,
    `read ${bytes("in")} B, updated in place ${bytes("inout")} B, written ${bytes("out")} B`,
    `arena ${program.arenaBytes} B, constants ${program.constants.length * 4} B, ` +
      `peak ${peakBytes(program)} B`,
  ].join("\n");
}
