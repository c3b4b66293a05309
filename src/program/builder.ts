/** A Program under construction: calls on buffers, places of values, and words calls point to. */
import type { Value } from "../graph.js";
import type { Layout } from "../shape.js";
import { denseLayout, isDense } from "../shape.js";
import { emitCopy, emitFill } from "./chain.js";
import { constantOf, isConstant } from "./fuse.js";
import type { Lifetime } from "./memory.js";
import { placeLifetimes } from "./memory.js";
import type { Buffer, Place, Placed } from "./place.js";
import type { Argument, Call, Program, Slot } from "./program.js";

/** The Program under construction. */
export class Builder {
  readonly slots: Slot[] = [];
  private readonly calls: { kernel: string; args: (number | Place)[]; label: string }[] = [];
  /** Buffers that a call may write over what it reads, if nobody else reads that afterwards. */
  private readonly successors: { call: number; from: Buffer; to: Buffer }[] = [];
  private readonly constants: number[] = [];
  private readonly constantPlaces = new Map<string, Place>();
  private readonly placed = new Map<Value, Placed>();
  /** Output values that must end in a certain slot. */
  private readonly homes = new Map<Value, Buffer>();

  constructor(private readonly inPlace: ReadonlyMap<Value, Value>) {}

  /** A new slot; its number is its place in the Program's list. */
  slot(bytes: number, role: Slot["role"]): Buffer {
    this.slots.push({ bytes, role });
    return { bytes, slot: this.slots.length - 1 };
  }

  /** A buffer in the arena. */
  temporary(bytes: number): Buffer {
    return { bytes, slot: undefined };
  }

  /** Puts a leaf where its content is. */
  place(value: Value, placed: Placed): void {
    this.placed.set(value, placed);
  }

  /** Has `value` computed into `buffer`, if its step can. */
  setHome(value: Value, buffer: Buffer): void {
    this.homes.set(value, buffer);
  }

  /** Where `value` stands; views are followed, and what strides cannot say is copied. */
  find(value: Value): Placed {
    const known = this.placed.get(value);
    if (known) return known;
    if (isConstant(value.node!)) return this.constant(value);
    const { lowering, name } = value.node!.op;
    if (lowering.kind !== "view") throw new Error(`${name}: read before it is computed`);
    const input = value.node!.inputs[0]!;
    const { buffer, layout } = this.find(input);
    const view = (from: Layout): Layout | undefined =>
      lowering.view(from, value.node!.attributes, value);
    const direct = view(layout);
    const found = direct ? { buffer, layout: direct } : this.viewOfCopy(input, view);
    this.placed.set(value, found);
    return found;
  }

  /** A number that a kernel wants in memory. */
  private constant(value: Value): Placed {
    const placed = { buffer: this.temporary(value.bytes), layout: denseLayout(value.shape) };
    this.placed.set(value, placed);
    emitFill(this, value.dtype, constantOf(value)!, placed);
    return placed;
  }

  private viewOfCopy(input: Value, view: (from: Layout) => Layout | undefined): Placed {
    const copy = this.dense(input);
    return { buffer: copy.buffer, layout: view(copy.layout)! };
  }

  /** Where `value` stands densely from its buffer's offset on. */
  dense(value: Value): Placed {
    const placed = this.find(value);
    if (isDense(placed.layout)) return placed;
    const copy = { buffer: this.temporary(value.bytes), layout: denseLayout(value.shape) };
    emitCopy(this, value.dtype, placed, copy);
    // Later readers take the dense copy: it is never slower to read.
    this.placed.set(value, copy);
    return copy;
  }

  /** The buffer for an output of a step: its slot, its operand's, or a new one in the arena. */
  outputBuffer(value: Value): Buffer {
    const shared = this.inPlace.get(value);
    if (shared) return this.find(shared).buffer;
    return this.homes.get(value) ?? this.temporary(value.bytes);
  }

  /** Words the Program carries; equal lists are kept once. */
  words(values: readonly number[]): Place {
    const key = values.join();
    let place = this.constantPlaces.get(key);
    if (!place) {
      place = { buffer: "constants", offset: this.constants.length * 4 };
      this.constants.push(...values);
      this.constantPlaces.set(key, place);
    }
    return place;
  }

  /** Appends a call. */
  call(kernel: string, args: (number | Place)[], label: string): void {
    this.calls.push({ kernel, args, label });
  }

  /** Lets the next call write `to` over `from`, if it is the last to read that. */
  maySucceed(from: Buffer, to: Buffer): void {
    this.successors.push({ call: this.calls.length, from, to });
  }

  /** The Program, with the arena planned. */
  finish(key: number): Program {
    const spans = this.spans();
    const shared = [...new Set(spans.values())];
    const { offsets, bytes } = placeLifetimes(shared);
    const starts = new Map(shared.map((span, index) => [span, offsets[index]!]));
    const resolve = (arg: number | Place): Argument => {
      if (typeof arg === "number") return arg;
      const { buffer, offset } = arg;
      if (buffer === "constants") return { buffer, offset };
      if (buffer.slot !== undefined) return { buffer: buffer.slot, offset };
      return { buffer: "arena", offset: starts.get(spans.get(buffer)!)! + offset };
    };
    const calls: Call[] = this.calls.map(({ kernel, args, label }) => ({
      kernel,
      args: args.map(resolve),
      label,
    }));
    return { key, calls, constants: this.constants, arenaBytes: bytes, slots: this.slots };
  }

  /** How long each buffer of the arena is in use; those that share a place share a span. */
  private spans(): Map<Buffer, Lifetime> {
    const spans = new Map<Buffer, { bytes: number; first: number; last: number }>();
    this.calls.forEach(({ args }, index) => {
      for (const arg of args) {
        if (typeof arg === "number" || arg.buffer === "constants") continue;
        if (arg.buffer.slot !== undefined) continue;
        const span = spans.get(arg.buffer);
        if (span) span.last = index;
        else spans.set(arg.buffer, { bytes: arg.buffer.bytes, first: index, last: index });
      }
    });
    for (const { call, from, to } of this.successors) {
      const [before, after] = [spans.get(from), spans.get(to)];
      if (before?.last !== call || after?.first !== call || before.bytes !== after.bytes) continue;
      before.last = after.last;
      spans.set(to, before);
    }
    return spans;
  }
}
