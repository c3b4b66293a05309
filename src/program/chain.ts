/** Writes elementwise chains as code for the blocked machine in `elementwise.rs`. */
import { Opcode } from "../../wasm/plain/engine.js";
import type { DType } from "../dtype.js";
import { dtypes, isFloat } from "../dtype.js";
import type { Node, Value } from "../graph.js";
import type { Shape } from "../shape.js";
import { broadcastLayout, collapse, denseLayout, sameShape, sizeOf } from "../shape.js";
import type { Builder } from "./builder.js";
import type { Lane } from "./fuse.js";
import { constantOf, keyOperand, labelOf, laneOf, maxPointers } from "./fuse.js";
import type { Buffer, Place, Placed } from "./place.js";
import { startOf } from "./place.js";

interface Access {
  readonly place: Place;
  readonly dtype: DType;
  readonly register: number;
  readonly strides: readonly number[];
}

interface Code {
  readonly lane: Lane;
  readonly shape: Shape;
  readonly loads: readonly Access[];
  readonly instructions: readonly (readonly number[])[];
  readonly stores: readonly Access[];
  readonly registers: number;
  /** Pointers that instructions take directly, after those of loads: random keys. */
  readonly keys: readonly Place[];
}

/** Emits one call that computes `nodes` and stores `stores`, the outputs that others read. */
export function emitChain(
  builder: Builder,
  nodes: readonly Node[],
  stores: readonly Value[],
): void {
  const { shape } = nodes[0]!.outputs[0]!;
  const destinations = stores.map((value) => {
    const placed = { buffer: builder.outputBuffer(value), layout: denseLayout(shape) };
    return { value, placed };
  });
  const compiler = new ChainCompiler(builder, nodes, new Set(stores));
  compiler.compile();
  for (const { value, placed } of destinations) builder.place(value, placed);
  emitCode(
    builder,
    {
      lane: laneOf(nodes[0]!),
      shape,
      loads: compiler.loads,
      instructions: compiler.instructions,
      stores: destinations.map(({ value, placed }) => ({
        place: startOf(placed, value.dtype),
        dtype: value.dtype,
        register: compiler.registerOf(value),
        strides: placed.layout.strides,
      })),
      registers: compiler.registers,
      keys: compiler.keys,
    },
    labelOf(nodes),
  );
}

/** Copies the elements of a value of `dtype` between two places of the same shape. */
export function emitCopy(
  builder: Builder,
  dtype: DType,
  from: Placed,
  to: Placed,
  label = "copy",
): void {
  const access = (placed: Placed): Access => ({
    place: startOf(placed, dtype),
    dtype,
    register: 0,
    strides: placed.layout.strides,
  });
  const lane = dtype === "float32" || dtype === "bool" ? "float32" : "float64";
  const { shape } = to.layout;
  emitCode(
    builder,
    {
      lane,
      shape,
      loads: [access(from)],
      instructions: [],
      stores: [access(to)],
      registers: 1,
      keys: [],
    },
    `${label} [${shape.join(", ")}]`,
  );
}

/** Writes one number everywhere. */
export function emitFill(builder: Builder, dtype: DType, value: number, to: Placed): void {
  const store = { place: startOf(to, dtype), dtype, register: 0, strides: to.layout.strides };
  emitCode(
    builder,
    {
      lane: isFloat(dtype) ? dtype : "float64",
      shape: to.layout.shape,
      loads: [],
      instructions: [instruction(Opcode.Const, 0, [], 0, value)],
      stores: [store],
      registers: 1,
      keys: [],
    },
    `fill [${to.layout.shape.join(", ")}]`,
  );
}

/**
 * Turns nodes into instructions on registers, each register free again after its last reader; those
 * of loads and constants are theirs alone.
 */
class ChainCompiler {
  readonly loads: Access[] = [];
  readonly instructions: number[][] = [];
  readonly keys: Place[] = [];
  registers = 0;
  private readonly free: number[] = [];
  private readonly values = new Map<Value, number>();
  private readonly constants = new Map<number, number>();
  private readonly lastReader = new Map<Value, Node>();
  private readonly members: ReadonlySet<Value>;

  constructor(
    private readonly builder: Builder,
    private readonly nodes: readonly Node[],
    private readonly stores: ReadonlySet<Value>,
  ) {
    for (const node of nodes) for (const input of node.inputs) this.lastReader.set(input, node);
    this.members = new Set(nodes.flatMap((node) => node.outputs));
  }

  compile(): void {
    for (const node of this.nodes) {
      const key = keyOperand(node);
      node.inputs.forEach((input, index) => {
        if (index !== key && !this.members.has(input)) this.load(input, node.outputs[0]!.shape);
      });
    }
    for (const node of this.nodes) this.append(node);
  }

  registerOf(value: Value): number {
    return this.values.get(value)!;
  }

  private load(value: Value, shape: Shape): void {
    if (this.values.has(value) || constantOf(value) !== undefined) return;
    const placed = this.builder.find(value);
    const register = this.registers++;
    this.values.set(value, register);
    this.loads.push({
      place: startOf(placed, value.dtype),
      dtype: value.dtype,
      register,
      strides: broadcastLayout(placed.layout, shape).strides,
    });
  }

  private append(node: Node): void {
    const { lowering } = node.op;
    if (lowering.kind !== "elementwise") throw new Error(`${node.op.name} is not elementwise`);
    const { opcode, immediate = 0, random } = lowering.instruction(node.attributes);
    const sources = node.inputs
      .filter((_, index) => index !== random?.key)
      .map((input) => this.source(input));
    if (random) sources.push(this.key(node.inputs[random.key]!));
    const output = node.outputs[0]!;
    const target = this.free.pop() ?? this.registers++;
    this.values.set(output, target);
    this.instructions.push(instruction(opcode, target, sources, random?.stream ?? 0, immediate));
    for (const input of new Set(node.inputs)) {
      if (!this.members.has(input) || this.stores.has(input)) continue;
      if (this.lastReader.get(input) === node) this.free.push(this.registerOf(input));
    }
  }

  private source(input: Value): number {
    const number = constantOf(input);
    if (number === undefined) return this.values.get(input)!;
    let register = this.constants.get(number);
    if (register === undefined) {
      register = this.registers++;
      this.constants.set(number, register);
      this.instructions.push(instruction(Opcode.Const, register, [], 0, number));
    }
    return register;
  }

  /** Instructions name a key by the number of its pointer, which follow those of the loads. */
  private key(value: Value): number {
    const place = startOf(this.builder.dense(value), value.dtype);
    this.keys.push(place);
    return this.loads.length + this.keys.length - 1;
  }
}

/** `[opcode, target, a, b, c, immediate low, immediate high]`; a stream stands in `c`. */
function instruction(
  opcode: Opcode,
  target: number,
  sources: readonly number[],
  stream: number,
  immediate: number,
): number[] {
  const [a = 0, b = 0, c = stream] = sources;
  return [opcode, target, a, b, c, ...new Int32Array(new Float64Array([immediate]).buffer)];
}

function emitCode(builder: Builder, code: Code, label: string): void {
  const count = sizeOf(code.shape);
  if (count === 0) return;
  const accesses = [...code.loads, ...code.stores];
  const merged = collapse(
    code.shape,
    accesses.map(({ strides }) => strides),
  );
  const scalar = merged.shape.length === 0;
  const dims = scalar ? [1] : merged.shape;
  const places = [...code.loads.map(({ place }) => place), ...code.keys];
  const words = [
    dtypes[code.lane].code,
    dims.length,
    count,
    code.loads.length,
    code.instructions.length,
    code.stores.length,
    code.registers,
    ...dims,
  ];
  const access = ({ dtype, register }: Access, pointer: number, index: number): void => {
    words.push(pointer, dtypes[dtype].code, register);
    words.push(...(scalar ? [0] : merged.strides[index]!));
  };
  code.loads.forEach((load, index) => access(load, index, index));
  for (const one of code.instructions) words.push(...one);
  code.stores.forEach((store, index) => {
    places.push(store.place);
    access(store, places.length - 1, code.loads.length + index);
  });
  for (const { from, to } of replaceable(code)) builder.maySucceed(from, to);
  const padding = new Array<number>(maxPointers - places.length).fill(0);
  builder.call("elementwise", [builder.words(words), ...places, ...padding], label);
}

/** Tensors that may be written over others: element by element, where no other load reads them. */
function replaceable({ loads, stores }: Code): { from: Buffer; to: Buffer }[] {
  return stores.flatMap((store) =>
    loads
      .filter((load) => loads.every((other) => other === load || !sameBuffer(other, load)))
      .filter((load) => load.dtype === store.dtype && sameShape(load.strides, store.strides))
      .flatMap((load) => {
        const [from, to] = [load.place, store.place];
        if (from.buffer === "constants" || to.buffer === "constants") return [];
        return from.offset === to.offset ? [{ from: from.buffer, to: to.buffer }] : [];
      }),
  );
}

function sameBuffer(a: Access, b: Access): boolean {
  return a.place.buffer === b.place.buffer;
}
