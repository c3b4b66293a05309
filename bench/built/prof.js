var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// bench/main.ts
import { parseArgs } from "node:util";

// src/dtype.ts
var dtypes = {
  bool: { code: 3, bytes: 1, make: Uint8Array },
  int32: { code: 2, bytes: 4, make: Int32Array },
  float32: { code: 0, bytes: 4, make: Float32Array },
  float64: { code: 1, bytes: 8, make: Float64Array }
};
var promotion = ["bool", "int32", "float32", "float64"];
function promote(a, b) {
  return promotion.indexOf(a) >= promotion.indexOf(b) ? a : b;
}
function isFloat(dtype) {
  return dtype === "float32" || dtype === "float64";
}

// src/errors.ts
var FerrogradError = class extends Error {
  name = "FerrogradError";
};
var ShapeError = class extends FerrogradError {
  name = "ShapeError";
};
var DTypeError = class extends FerrogradError {
  name = "DTypeError";
};
var ArgumentError = class extends FerrogradError {
  name = "ArgumentError";
};
var IndexError = class extends FerrogradError {
  name = "IndexError";
};
var StateError = class extends FerrogradError {
  name = "StateError";
};
var DataError = class extends FerrogradError {
  name = "DataError";
};
var NonFiniteError = class extends FerrogradError {
  name = "NonFiniteError";
};
var OutOfMemoryError = class extends FerrogradError {
  name = "OutOfMemoryError";
};
var WorkerDiedError = class extends FerrogradError {
  name = "WorkerDiedError";
};
var kinds = {
  FerrogradError,
  ShapeError,
  DTypeError,
  ArgumentError,
  IndexError,
  StateError,
  DataError,
  NonFiniteError,
  OutOfMemoryError,
  WorkerDiedError
};
function reasonOf(error) {
  return error instanceof Error ? error.message : String(error);
}
function packError(error) {
  return error instanceof Error ? { kind: error.name, message: error.message, stack: error.stack } : { kind: "Error", message: String(error), stack: void 0 };
}
function unpackError({ kind, message, stack: stack2 }) {
  const known = Object.entries(kinds).find(([name]) => name === kind);
  const error = known ? new known[1](message) : new Error(message);
  if (stack2 !== void 0) error.stack = stack2;
  return error;
}

// src/shape.ts
function formatShape(shape) {
  return `[${shape.join(", ")}]`;
}
function sizeOf(shape) {
  return shape.reduce((size, length2) => size * length2, 1);
}
function sameShape(a, b) {
  return a.length === b.length && a.every((length2, axis) => length2 === b[axis]);
}
function checkShape(op, shape) {
  if (shape.every((length2) => Number.isSafeInteger(length2) && length2 >= 0)) return;
  throw new ShapeError(`${op}: ${formatShape(shape)} is no shape: sizes are whole numbers \u2265 0`);
}
function normalizeAxis(op, axis, rank) {
  const normal3 = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normal3 >= 0 && normal3 < rank) return normal3;
  throw new ArgumentError(`${op}: axis ${axis} is outside a tensor of ${rank} axes`);
}
function normalizeAxes(op, axes, rank) {
  if (axes === void 0) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  const normal3 = list.map((axis) => normalizeAxis(op, axis, rank)).sort((a, b) => a - b);
  if (new Set(normal3).size === normal3.length) return normal3;
  throw new ArgumentError(`${op}: axes [${list.join(", ")}] name an axis twice`);
}
function broadcastShapes(op, a, b) {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m2 = a[axis - rank + a.length] ?? 1;
    const n2 = b[axis - rank + b.length] ?? 1;
    if (m2 === n2 || n2 === 1) return m2;
    if (m2 === 1) return n2;
    throw new ShapeError(
      `${op}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: sizes ${m2} and ${n2} meet at axis ${axis - rank}`
    );
  });
}
function stridesOf(shape) {
  const strides = new Array(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}
function denseLayout(shape) {
  return { shape, strides: stridesOf(shape), offset: 0 };
}
function isDense({ shape, strides }) {
  if (sizeOf(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
function collapse(shape, operands) {
  const dims = [];
  const strides = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length2 = shape[axis];
    if (length2 === 1) continue;
    const last = dims.length - 1;
    const merges = last >= 0 && operands.every((operand2, i) => strides[i][last] === operand2[axis] * length2);
    if (merges) {
      dims[last] *= length2;
      operands.forEach((operand2, i) => strides[i][last] = operand2[axis]);
    } else {
      dims.push(length2);
      operands.forEach((operand2, i) => strides[i].push(operand2[axis]));
    }
  }
  return { shape: dims, strides };
}
function reshapeLayout(layout, shape) {
  if (sizeOf(shape) === 0) return denseLayout(shape);
  const merged = collapse(layout.shape, [layout.strides]);
  const from = merged.shape;
  const fromStrides = merged.strides[0];
  const strides = new Array(shape.length).fill(0);
  let axis = shape.length - 1;
  for (let run = from.length - 1; run >= 0; run--) {
    let left = from[run];
    let stride = fromStrides[run];
    while (left > 1) {
      if (axis < 0) return void 0;
      const length2 = shape[axis];
      if (left % length2 !== 0) return void 0;
      strides[axis] = stride;
      stride *= length2;
      left /= length2;
      axis--;
    }
  }
  return { shape, strides, offset: layout.offset };
}
function broadcastLayout(layout, shape) {
  const lead = shape.length - layout.shape.length;
  const strides = shape.map(
    (length2, axis) => axis < lead || layout.shape[axis - lead] !== length2 ? 0 : layout.strides[axis - lead]
  );
  return { shape, strides, offset: layout.offset };
}

// src/graph.ts
var handles = 0;
var nodes = 0;
var released = [];
var collected = new FinalizationRegistry((handle) => released.push(handle));
function takeReleased() {
  const taken = released;
  released = [];
  return taken;
}
var Storage = class {
  constructor(bytes, host2) {
    this.bytes = bytes;
    this.host = host2;
    collected.register(this, this.handle, this);
  }
  bytes;
  handle = ++handles;
  /** Raised at each overwrite: a Value recorded against an older one is stale. */
  version = 0;
  disposed = false;
  /** What is to be uploaded before the first run that reads this buffer. */
  host;
  /** Settles when the run that fills it has; undefined once it has. */
  ready;
  /** Frees the buffer now. */
  dispose() {
    if (this.disposed) return;
    this.disposed = true;
    this.host = void 0;
    collected.unregister(this);
    released.push(this.handle);
  }
};
var Value = class {
  constructor(shape, dtype, origin) {
    this.shape = shape;
    this.dtype = dtype;
    if ("node" in origin) {
      this.node = origin.node;
      this.index = origin.index;
    } else {
      this.source = origin.source;
    }
  }
  shape;
  dtype;
  /** How it is computed; dropped once stored, unless gradients need it. */
  node;
  source;
  /** The variable whose content this was when it was recorded. */
  variable;
  requiresGrad = false;
  /** After `backward` the history goes as soon as the content is stored. */
  historyUsed = false;
  /** Which of its Node's outputs it is. */
  index = 0;
  get bytes() {
    return sizeOf(this.shape) * dtypes[this.dtype].bytes;
  }
  /** Takes `storage`'s content as its own. */
  store(storage) {
    this.source = { kind: "stored", storage, version: storage.version };
    if (!this.requiresGrad || this.historyUsed) this.node = void 0;
  }
};
var Node = class {
  constructor(op, inputs, attributes, outputs) {
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.outputs = outputs.map(
      (spec, index) => new Value(spec.shape, spec.dtype, { node: this, index })
    );
  }
  op;
  inputs;
  attributes;
  /** Later nodes have larger ids, so sorting by id is a topological order. */
  id = ++nodes;
  outputs;
};
function hostValue(data2, shape, dtype) {
  return storedValue(new Storage(data2.byteLength, data2), shape, dtype);
}
function storedValue(storage, shape, dtype) {
  const source = { kind: "stored", storage, version: storage.version };
  return new Value(shape, dtype, { source });
}

// src/program/goal.ts
function isLeaf(value) {
  return value.source !== void 0;
}
function readGraph(goal) {
  const nodes2 = collectNodes(goal);
  const leaves2 = /* @__PURE__ */ new Map();
  const numbers2 = /* @__PURE__ */ new Map();
  const nameOf = (value) => {
    if (!isLeaf(value)) return `${numbers2.get(value.node)}.${value.index}`;
    let name = leaves2.get(value);
    if (name === void 0) {
      name = `$${leaves2.size}`;
      leaves2.set(value, name);
      lines.push(`${name}:${specKey(value)}`);
    }
    return name;
  };
  const lines = [];
  for (const node of nodes2) {
    const inputs = node.inputs.map(nameOf).join();
    numbers2.set(node, numbers2.size);
    lines.push(`${node.op.name}(${inputs}){${attributesKey(node.attributes)}}`);
  }
  lines.push(`targets ${goal.targets.map(nameOf).join()}`);
  for (const { before, after } of goal.overwrites) {
    lines.push(`${nameOf(before)}=${nameOf(after)}`);
  }
  return { ...goal, nodes: nodes2, leaves: [...leaves2.keys()], structure: lines.join("\n") };
}
function collectNodes({ targets, overwrites }) {
  const found = /* @__PURE__ */ new Set();
  const stack2 = [...targets, ...overwrites.map(({ after }) => after)];
  for (let value = stack2.pop(); value; value = stack2.pop()) {
    if (isLeaf(value) || found.has(value.node)) continue;
    found.add(value.node);
    stack2.push(...value.node.inputs);
  }
  return [...found].sort((a, b) => a.id - b.id);
}
function specKey({ dtype, shape }) {
  return `${dtype}[${shape.join()}]`;
}
function attributesKey(attributes) {
  return Object.entries(attributes).map(([name, value]) => `${name}:${Object.is(value, -0) ? "-0" : String(value)}`).join(";");
}

// wasm/plain/engine.js
var Opcode = Object.freeze({
  Const: 0,
  "0": "Const",
  Iota: 1,
  "1": "Iota",
  Copy: 2,
  "2": "Copy",
  Neg: 3,
  "3": "Neg",
  Abs: 4,
  "4": "Abs",
  Sign: 5,
  "5": "Sign",
  Recip: 6,
  "6": "Recip",
  Sqrt: 7,
  "7": "Sqrt",
  Rsqrt: 8,
  "8": "Rsqrt",
  Square: 9,
  "9": "Square",
  Exp: 10,
  "10": "Exp",
  Expm1: 11,
  "11": "Expm1",
  Log: 12,
  "12": "Log",
  Log1p: 13,
  "13": "Log1p",
  Sin: 14,
  "14": "Sin",
  Cos: 15,
  "15": "Cos",
  Tanh: 16,
  "16": "Tanh",
  Sigmoid: 17,
  "17": "Sigmoid",
  Relu: 18,
  "18": "Relu",
  Gelu: 19,
  "19": "Gelu",
  GeluTanh: 20,
  "20": "GeluTanh",
  Silu: 21,
  "21": "Silu",
  Softplus: 22,
  "22": "Softplus",
  Erf: 23,
  "23": "Erf",
  Floor: 24,
  "24": "Floor",
  Ceil: 25,
  "25": "Ceil",
  Round: 26,
  "26": "Round",
  Not: 27,
  "27": "Not",
  IsNan: 28,
  "28": "IsNan",
  IsFinite: 29,
  "29": "IsFinite",
  Add: 30,
  "30": "Add",
  Sub: 31,
  "31": "Sub",
  Mul: 32,
  "32": "Mul",
  Div: 33,
  "33": "Div",
  Pow: 34,
  "34": "Pow",
  Maximum: 35,
  "35": "Maximum",
  Minimum: 36,
  "36": "Minimum",
  Remainder: 37,
  "37": "Remainder",
  Eq: 38,
  "38": "Eq",
  Ne: 39,
  "39": "Ne",
  Lt: 40,
  "40": "Lt",
  Le: 41,
  "41": "Le",
  Gt: 42,
  "42": "Gt",
  Ge: 43,
  "43": "Ge",
  And: 44,
  "44": "And",
  Or: 45,
  "45": "Or",
  Xor: 46,
  "46": "Xor",
  Where: 47,
  "47": "Where",
  Uniform: 48,
  "48": "Uniform",
  Dropout: 49,
  "49": "Dropout"
});

// src/program/absorb.ts
function absorbSums(nodes2, consumers, kept) {
  const absorbed = /* @__PURE__ */ new Map();
  for (const node of nodes2) {
    if (!isSum(node)) continue;
    const kernels = node.inputs.flatMap((input) => {
      const producer = isLeaf(input) ? void 0 : input.node;
      return producer && takesIn(producer, node, consumers, kept) ? [producer] : [];
    });
    const [kernel] = kernels.sort((a, b) => b.id - a.id);
    if (kernel) absorbed.set(node, kernel);
  }
  return absorbed;
}
function isSum({ op, attributes }) {
  return op.lowering.kind === "elementwise" && op.lowering.instruction(attributes).opcode === Opcode.Add;
}
function takesIn(kernel, sum2, consumers, kept) {
  const [output] = kernel.outputs;
  const addend = addendOf(kernel, sum2);
  return kernel.op.takesAddend === true && consumers.get(kernel).length === 1 && !kept.has(output) && sameShape(output.shape, sum2.outputs[0].shape) && addend.dtype === output.dtype && (sameShape(addend.shape, output.shape) || isRow(addend, output));
}
function addendOf(kernel, sum2) {
  const [a, b] = sum2.inputs;
  return a === kernel.outputs[0] ? b : a;
}
function isRow(addend, output) {
  const width = output.shape.at(-1);
  return width > 1 && addend.shape.at(-1) === width && sizeOf(addend.shape) === width;
}

// src/program/fuse.ts
var maxPointers = 12;
var maxNodes = 32;
function isElementwise(node) {
  return node.op.lowering.kind === "elementwise";
}
function isConstant(node) {
  return isElementwise(node) && node.inputs.length === 0 && node.outputs[0].shape.length === 0;
}
function constantOf(value) {
  let node = value.source ? void 0 : value.node;
  while (node?.op.lowering.kind === "view") {
    const input = node.inputs[0];
    node = isLeaf(input) ? void 0 : input.node;
  }
  return node && isConstant(node) ? Number(node.attributes.value) : void 0;
}
function labelOf(nodes2) {
  const names = nodes2.map((node) => node.op.name).join("\u2192");
  return `${names} ${formatShape(nodes2.at(-1).outputs[0].shape)}`;
}
function laneOf(node) {
  const wide = (dtype) => dtype === "float64" || dtype === "int32";
  const keys2 = keyOperand(node);
  const operands = node.inputs.filter((_, index) => index !== keys2);
  return [...operands, ...node.outputs].some(({ dtype }) => wide(dtype)) ? "float64" : "float32";
}
function keyOperand(node) {
  const { lowering } = node.op;
  if (lowering.kind !== "elementwise") return void 0;
  return lowering.instruction(node.attributes).random?.key;
}
function consumersOf(nodes2) {
  const consumers = new Map(nodes2.map((node) => [node, []]));
  for (const node of nodes2) {
    for (const input of node.inputs) {
      if (!isLeaf(input)) consumers.get(input.node).push(node);
    }
  }
  return consumers;
}
function fuse(graph) {
  const consumers = consumersOf(graph.nodes);
  const kept = /* @__PURE__ */ new Set([...graph.targets, ...graph.overwrites.map(({ after }) => after)]);
  const absorbed = absorbSums(graph.nodes, consumers, kept);
  const groups = /* @__PURE__ */ new Map();
  for (const node of graph.nodes) {
    let group = /* @__PURE__ */ new Set([node]);
    const kernel = absorbed.get(node);
    if (kernel) {
      group.add(kernel);
    } else if (isElementwise(node) && !isConstant(node)) {
      for (const input of node.inputs) {
        const producer = isLeaf(input) ? void 0 : input.node;
        if (!producer || group.has(producer)) continue;
        if (absorbed.has(producer) || !canChain(producer, node)) continue;
        const merged = /* @__PURE__ */ new Set([...groups.get(producer), ...group]);
        if (fits(merged, consumers, kept) && !dependsOnItself(merged, groups)) group = merged;
      }
    }
    for (const member of group) groups.set(member, group);
  }
  return [...new Set(groups.values())].map((group) => ({
    nodes: [...group].sort((a, b) => a.id - b.id)
  }));
}
function canChain(producer, node) {
  return isElementwise(producer) && !isConstant(producer) && sameShape(producer.outputs[0].shape, node.outputs[0].shape) && laneOf(producer) === laneOf(node);
}
function fits(group, consumers, kept) {
  if (group.size > maxNodes) return false;
  const pointers = /* @__PURE__ */ new Set();
  for (const node of group) {
    for (const input of node.inputs) {
      const outside = isLeaf(input) || !group.has(input.node);
      if (outside && constantOf(input) === void 0) pointers.add(input);
    }
    const output = node.outputs[0];
    if (kept.has(output) || consumers.get(node).some((user) => !group.has(user))) {
      pointers.add(output);
    }
  }
  return pointers.size <= maxPointers;
}
function dependsOnItself(group, groups) {
  const seen = /* @__PURE__ */ new Set();
  const stack2 = [];
  const enter = (node) => {
    for (const input of node.inputs) {
      if (!isLeaf(input)) stack2.push(input.node);
    }
  };
  for (const member of group) {
    for (const input of member.inputs) {
      if (!isLeaf(input) && !group.has(input.node)) stack2.push(input.node);
    }
  }
  for (let node = stack2.pop(); node; node = stack2.pop()) {
    if (group.has(node)) return true;
    if (seen.has(node)) continue;
    for (const member of groups.get(node)) {
      seen.add(member);
      enter(member);
    }
  }
  return false;
}

// src/program/place.ts
function startOf({ buffer, layout }, dtype) {
  return { buffer, offset: layout.offset * dtypes[dtype].bytes };
}

// src/program/chain.ts
function emitChain(builder, nodes2, stores) {
  const { shape } = nodes2[0].outputs[0];
  const destinations = stores.map((value) => {
    const placed = { buffer: builder.outputBuffer(value), layout: denseLayout(shape) };
    return { value, placed };
  });
  const compiler = new ChainCompiler(builder, nodes2, new Set(stores));
  compiler.compile();
  for (const { value, placed } of destinations) builder.place(value, placed);
  emitCode(
    builder,
    {
      lane: laneOf(nodes2[0]),
      shape,
      loads: compiler.loads,
      instructions: compiler.instructions,
      stores: destinations.map(({ value, placed }) => ({
        place: startOf(placed, value.dtype),
        dtype: value.dtype,
        register: compiler.registerOf(value),
        strides: placed.layout.strides
      })),
      registers: compiler.registers,
      keys: compiler.keys
    },
    labelOf(nodes2)
  );
}
function emitCopy(builder, dtype, from, to, label = "copy") {
  const access = (placed) => ({
    place: startOf(placed, dtype),
    dtype,
    register: 0,
    strides: placed.layout.strides
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
      keys: []
    },
    `${label} [${shape.join(", ")}]`
  );
}
function emitFill(builder, dtype, value, to) {
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
      keys: []
    },
    `fill [${to.layout.shape.join(", ")}]`
  );
}
var ChainCompiler = class {
  constructor(builder, nodes2, stores) {
    this.builder = builder;
    this.nodes = nodes2;
    this.stores = stores;
    for (const node of nodes2) for (const input of node.inputs) this.lastReader.set(input, node);
  }
  builder;
  nodes;
  stores;
  loads = [];
  instructions = [];
  keys = [];
  registers = 0;
  free = [];
  values = /* @__PURE__ */ new Map();
  constants = /* @__PURE__ */ new Map();
  lastReader = /* @__PURE__ */ new Map();
  compile() {
    const members = new Set(this.nodes.flatMap((node) => node.outputs));
    for (const node of this.nodes) {
      const key = keyOperand(node);
      node.inputs.forEach((input, index) => {
        if (index !== key && !members.has(input)) this.load(input, node.outputs[0].shape);
      });
    }
    for (const node of this.nodes) this.append(node);
  }
  registerOf(value) {
    return this.values.get(value);
  }
  take() {
    return this.free.pop() ?? this.registers++;
  }
  load(value, shape) {
    if (this.values.has(value) || constantOf(value) !== void 0) return;
    const placed = this.builder.find(value);
    const register = this.take();
    this.values.set(value, register);
    this.loads.push({
      place: startOf(placed, value.dtype),
      dtype: value.dtype,
      register,
      strides: broadcastLayout(placed.layout, shape).strides
    });
  }
  append(node) {
    const { lowering } = node.op;
    if (lowering.kind !== "elementwise") throw new Error(`${node.op.name} is not elementwise`);
    const { opcode, immediate = 0, random } = lowering.instruction(node.attributes);
    const sources = node.inputs.filter((_, index) => index !== random?.key).map((input) => this.source(input));
    if (random) sources.push(this.key(node.inputs[random.key]));
    const output = node.outputs[0];
    const target = this.take();
    this.values.set(output, target);
    this.instructions.push(instruction(opcode, target, sources, random?.stream ?? 0, immediate));
    for (const input of new Set(node.inputs)) {
      const register = this.values.get(input);
      if (register === void 0 || this.stores.has(input)) continue;
      if (this.lastReader.get(input) === node) this.free.push(register);
    }
  }
  source(input) {
    const number = constantOf(input);
    if (number === void 0) return this.values.get(input);
    let register = this.constants.get(number);
    if (register === void 0) {
      register = this.take();
      this.constants.set(number, register);
      this.instructions.push(instruction(Opcode.Const, register, [], 0, number));
    }
    return register;
  }
  /** Instructions name a key by the number of its pointer, which follow those of the loads. */
  key(value) {
    const place2 = startOf(this.builder.dense(value), value.dtype);
    this.keys.push(place2);
    return this.loads.length + this.keys.length - 1;
  }
};
function instruction(opcode, target, sources, stream, immediate) {
  const [a = 0, b = 0, c = stream] = sources;
  return [opcode, target, a, b, c, ...new Int32Array(new Float64Array([immediate]).buffer)];
}
function emitCode(builder, code, label) {
  const count = sizeOf(code.shape);
  if (count === 0) return;
  const accesses = [...code.loads, ...code.stores];
  const merged = collapse(
    code.shape,
    accesses.map(({ strides }) => strides)
  );
  const scalar = merged.shape.length === 0;
  const dims = scalar ? [1] : merged.shape;
  const places2 = [...code.loads.map(({ place: place2 }) => place2), ...code.keys];
  const words = [
    dtypes[code.lane].code,
    dims.length,
    count,
    code.loads.length,
    code.instructions.length,
    code.stores.length,
    code.registers,
    ...dims
  ];
  const access = ({ dtype, register }, pointer, index) => {
    words.push(pointer, dtypes[dtype].code, register);
    words.push(...scalar ? [0] : merged.strides[index]);
  };
  code.loads.forEach((load, index) => access(load, index, index));
  for (const one of code.instructions) words.push(...one);
  code.stores.forEach((store, index) => {
    places2.push(store.place);
    access(store, places2.length - 1, code.loads.length + index);
  });
  const padding = new Array(maxPointers - places2.length).fill(0);
  builder.call("elementwise", [builder.words(words), ...places2, ...padding], label);
}

// src/program/memory.ts
var alignment = 64;
function aligned(bytes) {
  return Math.ceil(bytes / alignment) * alignment;
}
function placeLifetimes(lifetimes) {
  const offsets = new Array(lifetimes.length).fill(0);
  const placed = [];
  const bySize = lifetimes.map((_, index) => index);
  bySize.sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b);
  let total3 = 0;
  for (const index of bySize) {
    const { bytes, first, last } = lifetimes[index];
    const size = aligned(bytes);
    let start = 0;
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      if (other.start >= start + size) break;
      start = Math.max(start, other.end);
    }
    offsets[index] = start;
    const entry = { start, end: start + size, first, last };
    const at2 = placed.findIndex((other) => other.start > start);
    placed.splice(at2 < 0 ? placed.length : at2, 0, entry);
    total3 = Math.max(total3, entry.end);
  }
  return { offsets, bytes: total3 };
}

// src/program/builder.ts
var Builder = class {
  constructor(inPlace) {
    this.inPlace = inPlace;
  }
  inPlace;
  slots = [];
  calls = [];
  constants = [];
  constantPlaces = /* @__PURE__ */ new Map();
  placed = /* @__PURE__ */ new Map();
  /** Output values that must end in a certain slot. */
  homes = /* @__PURE__ */ new Map();
  /** A new slot; its number is its place in the Program's list. */
  slot(bytes, role) {
    this.slots.push({ bytes, role });
    return { bytes, slot: this.slots.length - 1 };
  }
  /** A buffer in the arena. */
  temporary(bytes) {
    return { bytes, slot: void 0 };
  }
  /** Puts a leaf where its content is. */
  place(value, placed) {
    this.placed.set(value, placed);
  }
  /** Has `value` computed into `buffer`, if its step can. */
  setHome(value, buffer) {
    this.homes.set(value, buffer);
  }
  /** Where `value` stands; views are followed, and what strides cannot say is copied. */
  find(value) {
    const known = this.placed.get(value);
    if (known) return known;
    if (isConstant(value.node)) return this.constant(value);
    const { lowering, name } = value.node.op;
    if (lowering.kind !== "view") throw new Error(`${name}: read before it is computed`);
    const input = value.node.inputs[0];
    const { buffer, layout } = this.find(input);
    const view = (from) => lowering.view(from, value.node.attributes, value);
    const direct = view(layout);
    const found = direct ? { buffer, layout: direct } : this.viewOfCopy(input, view);
    this.placed.set(value, found);
    return found;
  }
  /** A number that a kernel wants in memory. */
  constant(value) {
    const placed = { buffer: this.temporary(value.bytes), layout: denseLayout(value.shape) };
    this.placed.set(value, placed);
    emitFill(this, value.dtype, constantOf(value), placed);
    return placed;
  }
  viewOfCopy(input, view) {
    const copy = this.dense(input);
    return { buffer: copy.buffer, layout: view(copy.layout) };
  }
  /** Where `value` stands densely from its buffer's offset on. */
  dense(value) {
    const placed = this.find(value);
    if (isDense(placed.layout)) return placed;
    const copy = { buffer: this.temporary(value.bytes), layout: denseLayout(value.shape) };
    emitCopy(this, value.dtype, placed, copy);
    this.placed.set(value, copy);
    return copy;
  }
  /** The buffer for an output of a step: its slot, its operand's, or a new one in the arena. */
  outputBuffer(value) {
    const shared = this.inPlace.get(value);
    if (shared) return this.find(shared).buffer;
    return this.homes.get(value) ?? this.temporary(value.bytes);
  }
  /** Words the Program carries; equal lists are kept once. */
  words(values2) {
    const key = values2.join();
    let place2 = this.constantPlaces.get(key);
    if (!place2) {
      place2 = { buffer: "constants", offset: this.constants.length * 4 };
      this.constants.push(...values2);
      this.constantPlaces.set(key, place2);
    }
    return place2;
  }
  /** Appends a call. */
  call(kernel, args, label) {
    this.calls.push({ kernel, args, label });
  }
  /** The Program, with the arena planned. */
  finish(key) {
    const spans = /* @__PURE__ */ new Map();
    this.calls.forEach(({ args }, index) => {
      for (const arg of args) {
        if (typeof arg === "number" || arg.buffer === "constants") continue;
        if (arg.buffer.slot !== void 0) continue;
        const span = spans.get(arg.buffer);
        if (span) span.last = index;
        else spans.set(arg.buffer, { bytes: arg.buffer.bytes, first: index, last: index });
      }
    });
    const buffers = [...spans.keys()];
    const { offsets, bytes } = placeLifetimes([...spans.values()]);
    const starts = new Map(buffers.map((buffer, index) => [buffer, offsets[index]]));
    const resolve2 = (arg) => {
      if (typeof arg === "number") return arg;
      const { buffer, offset } = arg;
      if (buffer === "constants") return { buffer, offset };
      if (buffer.slot !== void 0) return { buffer: buffer.slot, offset };
      return { buffer: "arena", offset: starts.get(buffer) + offset };
    };
    const calls = this.calls.map(({ kernel, args, label }) => ({
      kernel,
      args: args.map(resolve2),
      label
    }));
    return { key, calls, constants: this.constants, arenaBytes: bytes, slots: this.slots };
  }
};

// src/program/kernelEmitter.ts
function kernelEmitter(builder, node, sum2) {
  const operand2 = (index) => node.inputs[index];
  let label = labelOf(sum2 ? [node, sum2] : [node]);
  const located = (value, placed) => ({
    place: startOf(placed, value.dtype),
    layout: placed.layout
  });
  const output = (index, strides) => {
    const value = (index === 0 && sum2 ? sum2 : node).outputs[index];
    const dense = denseLayout(value.shape);
    const layout = strides ? { ...dense, strides } : dense;
    const inOrder = isDense(layout);
    const placed = {
      buffer: inOrder ? builder.outputBuffer(value) : builder.temporary(value.bytes),
      layout
    };
    builder.place(value, placed);
    return placed;
  };
  return {
    operands: node.inputs,
    outputs: node.outputs,
    strided: (index) => located(operand2(index), builder.find(operand2(index))),
    dense: (index) => startOf(builder.dense(operand2(index)), operand2(index).dtype),
    denseRows: (index) => {
      const value = operand2(index);
      const placed = builder.find(value);
      const inRows = placed.layout.strides.at(-1) === 1 || value.shape.at(-1) <= 1;
      return located(value, inRows ? placed : builder.dense(value));
    },
    addend: () => {
      if (!sum2) return { place: 0, row: 0 };
      const addend = addendOf(node, sum2);
      const [output2] = node.outputs;
      return {
        place: startOf(builder.dense(addend), addend.dtype),
        row: isRow(addend, output2) ? 0 : output2.shape.at(-1)
      };
    },
    output: (index, strides) => startOf(output(index, strides), node.outputs[index].dtype),
    scratch: (bytes) => ({ buffer: builder.temporary(bytes), offset: 0 }),
    words: (values2) => builder.words(values2),
    copyInto: (index, region2) => {
      const { buffer } = builder.find(node.outputs[0]);
      const from = builder.find(operand2(index));
      emitCopy(builder, operand2(index).dtype, from, { buffer, layout: region2 }, node.op.name);
    },
    fill: (value) => {
      const [result] = node.outputs;
      emitFill(builder, result.dtype, value, builder.find(result));
    },
    note: (text) => {
      label += ` ${text}`;
    },
    call: (kernel, ...args) => builder.call(kernel, args, label)
  };
}

// src/program/emit.ts
function emit(graph, { steps: steps2, inPlace }, key) {
  const builder = new Builder(inPlace);
  const overwritten = new Set(graph.overwrites.map(({ before }) => before));
  for (const leaf of graph.leaves) {
    const buffer = builder.slot(leaf.bytes, overwritten.has(leaf) ? "inout" : "in");
    builder.place(leaf, { buffer, layout: denseLayout(leaf.shape) });
  }
  const results = graph.targets.map((value) => builder.slot(value.bytes, "out"));
  graph.targets.forEach((value, index) => {
    if (!isLeaf(value)) builder.setHome(value, results[index]);
  });
  const kept = /* @__PURE__ */ new Set([...graph.targets, ...graph.overwrites.map(({ after }) => after)]);
  const escaping = valuesBetweenSteps(steps2, kept);
  for (const step of steps2) emitStep(builder, step, escaping);
  graph.targets.forEach((value, index) => moveTo(builder, value, results[index]));
  const late = graph.overwrites.filter(({ after, before }) => inPlace.get(after) !== before);
  const settled = late.map(({ before, after }) => {
    const placed = builder.find(after);
    const shared = placed.buffer.slot !== void 0 && late.length > 1;
    return { before, after, from: shared ? copyAside(builder, after, placed) : placed };
  });
  for (const { before, after, from } of settled) {
    const to = builder.find(before);
    if (from.buffer !== to.buffer || !isDense(from.layout))
      emitCopy(builder, after.dtype, from, to);
  }
  return builder.finish(key);
}
function valuesBetweenSteps(steps2, kept) {
  const escaping = new Set(kept);
  for (const { nodes: nodes2 } of steps2) {
    const own2 = new Set(nodes2);
    for (const input of nodes2.flatMap((node) => node.inputs)) {
      if (!isLeaf(input) && !own2.has(input.node)) escaping.add(input);
    }
  }
  return escaping;
}
function emitStep(builder, { nodes: nodes2 }, escaping) {
  const [first, sum2] = nodes2;
  if (isConstant(first)) return;
  if (isElementwise(first)) {
    const stores = nodes2.map((node) => node.outputs[0]).filter((value) => escaping.has(value));
    emitChain(builder, nodes2, stores);
  } else if (first.op.lowering.kind === "kernel") {
    first.op.lowering.emit(kernelEmitter(builder, first, sum2), first.attributes);
  }
}
function moveTo(builder, value, home) {
  const placed = builder.find(value);
  if (placed.buffer === home && isDense(placed.layout)) return;
  emitCopy(builder, value.dtype, placed, { buffer: home, layout: denseLayout(value.shape) });
}
function copyAside(builder, value, placed) {
  const copy = { buffer: builder.temporary(value.bytes), layout: denseLayout(value.shape) };
  emitCopy(builder, value.dtype, placed, copy);
  return copy;
}

// src/program/schedule.ts
function schedule(graph, steps2) {
  const stepOf = /* @__PURE__ */ new Map();
  for (const step of steps2) for (const node of step.nodes) stepOf.set(node, step);
  const needs = new Map(steps2.map((step) => [step, /* @__PURE__ */ new Set()]));
  const readers = /* @__PURE__ */ new Map();
  for (const step of steps2) {
    for (const input of step.nodes.flatMap((node) => node.inputs)) {
      if (!isLeaf(input)) {
        const producer = stepOf.get(input.node);
        if (producer !== step) needs.get(step).add(producer);
      } else {
        const known = readers.get(input) ?? /* @__PURE__ */ new Set();
        readers.set(input, known.add(step));
      }
    }
  }
  readThroughViews(graph, stepOf, readers);
  const inPlace = /* @__PURE__ */ new Map();
  const early = /* @__PURE__ */ new Set();
  for (const overwrite of graph.overwrites) {
    const writer = overwrite.after.node && stepOf.get(overwrite.after.node);
    if (!writer || inPlace.has(overwrite.after) || !mayShare(graph, overwrite)) continue;
    const others = [...readers.get(overwrite.before) ?? []].filter((step) => step !== writer);
    if (others.some((step) => reaches(step, writer, needs))) continue;
    for (const step of others) needs.get(writer).add(step);
    inPlace.set(overwrite.after, overwrite.before);
    early.add(writer);
  }
  return { steps: order(steps2, needs, early), inPlace };
}
function readThroughViews(graph, stepOf, readers) {
  const roots2 = /* @__PURE__ */ new Map();
  for (const node of graph.nodes) {
    if (node.op.lowering.kind === "view") {
      const input = node.inputs[0];
      const root = roots2.get(input) ?? (isLeaf(input) ? input : void 0);
      if (root) roots2.set(node.outputs[0], root);
    } else {
      for (const input of node.inputs) {
        const root = roots2.get(input);
        if (root) readers.get(root).add(stepOf.get(node));
      }
    }
  }
}
function mayShare(graph, { before, after }) {
  const { node, index } = after;
  if (isLeaf(after) || graph.targets.includes(after)) return false;
  const pair2 = node.op.inPlace?.find(([output]) => output === index);
  if (!pair2 || node.inputs[pair2[1]] !== before) return false;
  return node.inputs.filter((input) => input === before).length === 1;
}
function reaches(from, to, needs) {
  const seen = /* @__PURE__ */ new Set();
  const stack2 = [from];
  for (let step = stack2.pop(); step; step = stack2.pop()) {
    if (step === to) return true;
    if (seen.has(step)) continue;
    seen.add(step);
    stack2.push(...needs.get(step));
  }
  return false;
}
function order(steps2, needs, early) {
  const rank = new Map(steps2.map((step) => [step, early.has(step) ? 0 : step.nodes.at(-1).id]));
  const waiting = new Map(steps2.map((step) => [step, needs.get(step).size]));
  const users = new Map(steps2.map((step) => [step, []]));
  for (const [step, needed] of needs) for (const one of needed) users.get(one).push(step);
  const ready = steps2.filter((step) => waiting.get(step) === 0);
  const ordered = [];
  while (ready.length > 0) {
    let next = 0;
    for (let i = 1; i < ready.length; i++) {
      if (rank.get(ready[i]) < rank.get(ready[next])) next = i;
    }
    const [step] = ready.splice(next, 1);
    ordered.push(step);
    for (const user of users.get(step)) {
      const left = waiting.get(user) - 1;
      waiting.set(user, left);
      if (left === 0) ready.push(user);
    }
  }
  return ordered;
}

// src/program/plan.ts
var cacheSize = 256;
var cache = /* @__PURE__ */ new Map();
var programs = 0;
var evicted = [];
function plan(goal) {
  const graph = readGraph(goal);
  let program = cache.get(graph.structure);
  cache.delete(graph.structure);
  program ??= emit(graph, schedule(graph, fuse(graph)), ++programs);
  cache.set(graph.structure, program);
  if (cache.size > cacheSize) {
    const [oldest] = cache;
    cache.delete(oldest[0]);
    evicted.push(oldest[1].key);
  }
  return { program, leaves: graph.leaves };
}
function takeEvicted() {
  const taken = evicted;
  evicted = [];
  return taken;
}

// src/runtime/buffers.ts
var Buffers = class {
  #heap;
  #places = /* @__PURE__ */ new Map();
  constructor(heap) {
    this.#heap = heap;
  }
  has(handle) {
    return this.#places.has(handle);
  }
  /** Makes the buffer of a new handle. Throws OutOfMemoryError. */
  make(handle, bytes) {
    const address = this.#heap.allocate(bytes, `buffer ${handle}`);
    this.#places.set(handle, { address, bytes });
  }
  /** Frees a buffer; one that never came to be, because its run failed, is none to free. */
  free(handle) {
    const place2 = this.#places.get(handle);
    if (!place2) return;
    this.#places.delete(handle);
    this.#heap.free(place2.address);
  }
  /** Where a buffer is. Throws StateError unless it exists with this size, or more. */
  address(handle, bytes) {
    const place2 = this.#places.get(handle);
    if (!place2) {
      throw new StateError(
        `buffer ${handle} is not in the engine's memory: it was never made, was freed, or was lost with the worker that led the engine`
      );
    }
    if (place2.bytes < bytes) {
      throw new StateError(`buffer ${handle} holds ${place2.bytes} bytes: ${bytes} are wanted`);
    }
    return place2.address;
  }
};

// src/runtime/files.ts
function engineFile(wasm, build3, name) {
  return new URL(`${build3}/${name}`, wasm.href.endsWith("/") ? wasm : `${wasm.href}/`);
}

// src/runtime/heap.ts
var pageBytes = 65536;
var alignment2 = 64;
var growthBytes = 4 * 2 ** 20;
var named = 3;
var Heap = class {
  constructor(memory, limit) {
    this.memory = memory;
    this.limit = limit;
  }
  memory;
  limit;
  /** Free spans by address; neighbours are merged. */
  #free = [];
  #blocks = /* @__PURE__ */ new Map();
  #live = 0;
  #peak = 0;
  /** Bytes allocated now. */
  get live() {
    return this.#live;
  }
  /** The most bytes that were ever allocated. */
  get peak() {
    return this.#peak;
  }
  /** Bytes the memory has grown to, Rust's included. */
  get reserved() {
    return this.memory.buffer.byteLength;
  }
  /**
   * The address of `bytes` new bytes, a multiple of 64 and never 0; their content is undefined.
   * `label` names them in errors. Throws OutOfMemoryError.
   */
  allocate(bytes, label) {
    const size = roundUp(Math.max(bytes, 1), alignment2);
    const address = this.#take(size) ?? (this.#grow(size) ? this.#take(size) : void 0);
    if (address === void 0) throw this.#outOfMemory(size, label);
    this.#blocks.set(address, { bytes: size, label });
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live);
    return address;
  }
  /** Gives back what `allocate` returned. */
  free(address) {
    const block = this.#blocks.get(address);
    if (!block) throw new RangeError(`heap: nothing is allocated at ${address}`);
    this.#blocks.delete(address);
    this.#live -= block.bytes;
    this.#addFree(address, block.bytes);
  }
  #take(size) {
    let best = -1;
    let bestBytes = Infinity;
    for (let i = 0; i < this.#free.length; i++) {
      const { bytes } = this.#free[i];
      if (bytes >= size && bytes < bestBytes) {
        best = i;
        bestBytes = bytes;
      }
    }
    const span = this.#free[best];
    if (!span) return void 0;
    const { address } = span;
    if (span.bytes === size) {
      this.#free.splice(best, 1);
    } else {
      span.address += size;
      span.bytes -= size;
    }
    return address;
  }
  /** Gets pages for `size` more bytes; in steps first, then as little as will do. */
  #grow(size) {
    const last = this.#free.at(-1);
    const tail = last && endOf(last) === this.reserved ? last.bytes : 0;
    const least = size - tail;
    const step = Math.max(least, growthBytes, this.reserved / 8);
    for (const bytes of [step, least, size]) {
      if (this.#growBy(Math.ceil(bytes / pageBytes))) {
        if (this.#free.some((span) => span.bytes >= size)) return true;
      }
    }
    return false;
  }
  #growBy(pages) {
    if (this.reserved + pages * pageBytes > this.limit) return false;
    let before;
    try {
      before = this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#addFree(before * pageBytes, pages * pageBytes);
    return true;
  }
  #addFree(address, bytes) {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.#free[middle].address < address) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    const joined2 = { address, bytes };
    let first = low;
    let replaced = 0;
    if (before && endOf(before) === address) {
      joined2.address = before.address;
      joined2.bytes += before.bytes;
      first--;
      replaced++;
    }
    if (after?.address === address + bytes) {
      joined2.bytes += after.bytes;
      replaced++;
    }
    this.#free.splice(first, replaced, joined2);
  }
  #outOfMemory(size, label) {
    const biggest = [...this.#blocks.values()].sort((a, b) => b.bytes - a.bytes).slice(0, named).map((block) => `${block.label} ${formatBytes(block.bytes)}`);
    const holds = biggest.length > 0 ? ` (biggest: ${biggest.join(", ")})` : "";
    const free = this.#free.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    return new OutOfMemoryError(
      `out of memory: ${label} asks for ${formatBytes(size)}; ${formatBytes(this.#live)} are live in ${this.#blocks.size} buffers${holds}; the memory holds ${formatBytes(this.reserved)} of at most ${formatBytes(this.limit)}, its largest free piece ${formatBytes(free)}. Use smaller batches, dispose what is no longer needed, or raise init's maxMemory`
    );
  }
};
function endOf({ address, bytes }) {
  return address + bytes;
}
function roundUp(value, multiple) {
  return Math.ceil(value / multiple) * multiple;
}
function formatBytes(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}

// src/runtime/platform.ts
var inNode = typeof process === "object" && typeof process.versions?.node === "string";
var inPage = !inNode && typeof document === "object";
var isIsolated = inNode || globalThis.crossOriginIsolated === true;
async function coreCount() {
  if (inNode) return (await import("node:os")).availableParallelism();
  return navigator.hardwareConcurrency || 1;
}
function v8Version() {
  return inNode ? Number.parseFloat(process.versions.v8) : void 0;
}
async function setV8Flag(flag) {
  (await import("node:v8")).setFlagsFromString(flag);
}
async function readBytes(url) {
  if (url.protocol === "file:") {
    const { readFile } = await import("node:fs/promises");
    return new Uint8Array(await readFile(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url.href}: ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}
function turn() {
  return new Promise((resolve2) => {
    if (inNode) {
      setImmediate(resolve2);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve2();
    };
    port2.postMessage(void 0);
  });
}
async function startThread(url, name) {
  return inNode ? startNodeThread(url, name) : startWebThread(url, name);
}
function nodeEndpoint(port) {
  const listeners = /* @__PURE__ */ new Map();
  return {
    postMessage: (message, transfer2) => port.postMessage(message, transfer2),
    addEventListener: (_type, listener) => {
      const receive = (data2) => {
        const event = new MessageEvent("message", { data: data2 });
        if (typeof listener === "function") listener(event);
        else listener.handleEvent(event);
      };
      listeners.set(listener, receive);
      port.on("message", receive);
    },
    removeEventListener: (_type, listener) => {
      const receive = listeners.get(listener);
      if (receive) port.off("message", receive);
      listeners.delete(listener);
    }
  };
}
async function startNodeThread(url, name) {
  const { Worker: Worker2 } = await import("node:worker_threads");
  const worker = new Worker2(url, { name, execArgv: [] });
  return {
    endpoint: nodeEndpoint(worker),
    onDeath: (listener) => {
      let reason = "it ended";
      worker.on("error", (error) => reason = error.message);
      worker.on("messageerror", (error) => reason = error.message);
      worker.on("exit", (code) => listener(`${reason} (exit code ${code})`));
    },
    watch: () => void 0,
    keepAlive: (wanted) => wanted ? worker.ref() : worker.unref(),
    terminate: () => void worker.terminate()
  };
}
var webThreads = 0;
function startWebThread(url, name) {
  const unique = `${name} ${++webThreads} ${crypto.getRandomValues(new Uint32Array(4)).join("")}`;
  const worker = new Worker(url, { type: "module", name: unique });
  let died = () => void 0;
  return {
    endpoint: worker,
    onDeath: (listener) => {
      died = listener;
      worker.addEventListener(
        "error",
        (event) => died(event.message || `no script at ${url.href}`)
      );
      worker.addEventListener("messageerror", () => died("a message could not be read"));
    },
    watch: () => {
      navigator.locks?.request(unique, () => died("it ended")).catch(() => void 0);
    },
    keepAlive: () => void 0,
    terminate: () => worker.terminate()
  };
}
async function threadProbe() {
  if (!inNode) return () => true;
  const { existsSync } = await import("node:fs");
  return (thread) => thread === 0 || existsSync(`/proc/self/task/${thread}`);
}

// src/runtime/instance.ts
var stackBytes = 2 ** 20;
var initialBytes = 64 * pageBytes;
var leastMemory = 64 * 2 ** 20;
async function loadSource(wasmUrl, build3, memory) {
  const bytes = await readBytes(engineFile(wasmUrl, build3, "engine_bg.wasm"));
  const module = await WebAssembly.compile(bytes);
  return { module, glue: engineFile(wasmUrl, build3, "engine.js").href, memory };
}
function createMemory(limit) {
  for (let bytes = limit; ; bytes /= 2) {
    const maximum2 = Math.floor(bytes / pageBytes);
    try {
      return {
        memory: new WebAssembly.Memory({
          initial: initialBytes / pageBytes,
          maximum: maximum2,
          shared: true
        }),
        limit: maximum2 * pageBytes
      };
    } catch (error) {
      if (bytes / 2 >= leastMemory) continue;
      throw new OutOfMemoryError(`init: no WebAssembly memory of ${bytes} bytes: ${String(error)}`);
    }
  }
}
var copies = 0;
async function prepare({ module, glue, memory }) {
  const copy = `${glue}#copy=${copies++}`;
  const exports = await import(
    /* webpackIgnore: true */
    /* @vite-ignore */
    copy
  );
  return () => {
    const raw = memory ? exports.initSync({ module, memory, thread_stack_size: stackBytes }) : exports.initSync({ module });
    return {
      exports,
      memory: memory ?? ownMemory(raw),
      thread: { locals: globalOf(raw, "__tls_base"), stack: globalOf(raw, "__stack_alloc") },
      release: ({ locals, stack: stack2 }) => {
        if (stack2 !== 0) raw.__wbindgen_thread_destroy(locals, stack2, stackBytes);
      }
    };
  };
}
function globalOf(raw, name) {
  const found = Reflect.get(raw, name);
  return found instanceof WebAssembly.Global ? Number(found.value) : 0;
}
function ownMemory(raw) {
  if ("memory" in raw && raw.memory instanceof WebAssembly.Memory) return raw.memory;
  throw new ArgumentError("the engine's module exports no memory: it is not of this version");
}
function kernelOf(exports, name) {
  const found = Object.entries(exports).find(([key]) => key === name)?.[1];
  if (typeof found !== "function") {
    throw new ArgumentError(`the engine has no kernel called "${name}"`);
  }
  return found;
}

// src/runtime/calls.ts
var constantsIndex = 0;
var arenaIndex = 1;
var firstSlot = 2;
function bindingCount(program) {
  return firstSlot + program.slots.length;
}
var CallList = class {
  #exports;
  #calls;
  #patches;
  #bound;
  #team = 0;
  constructor({ exports }, program) {(globalThis.__lists??=[]).push([this,program]);
    this.#exports = exports;
    const patches = Array.from({ length: firstSlot + program.slots.length }, () => []);
    const kernels = /* @__PURE__ */ new Map();
    this.#calls = program.calls.map((call) => {
      const kernel = kernels.get(call.kernel) ?? kernelOf(exports, call.kernel);
      kernels.set(call.kernel, kernel);
      const args = [0];
      for (const argument4 of call.args) {
        if (typeof argument4 !== "number") {
          const { buffer, offset } = argument4;
          patches[indexOf(buffer)].push({ args, index: args.length, offset });
        }
        args.push(typeof argument4 === "number" ? argument4 : 0);
      }
      return { kernel, args };
    });
    this.#patches = patches;
    this.#bound = patches.map(() => -1);
  }
  /**
   * Runs the calls as one of the threads of `team`, on buffers at `addresses`. Stops after the
   * call that met bad data, on every thread alike. `onCall` is told each call's number.
   */
  run({ memory }, team, addresses, onCall) {
    this.#bind(team, addresses);
    const exports = this.#exports;
    const faultAddress = exports.team_fault(team);
    let fault = faultWords(memory, faultAddress);
    const last = this.#calls.length - 1;
    for (let index = 0; index <= last; index++) {
      const { kernel, args } = this.#calls[index];
      onCall?.(index);
      exports.team_set_call(team, index);
      const __t=performance.now();kernel(...args);
      exports.team_barrier(team);const __d=performance.now()-__t;{const k=(this.__p??={});(k[index]??=[]).push(__d);}
      if (index === last) return;
      if (fault.length === 0) fault = faultWords(memory, faultAddress);
      if (Atomics.load(fault, 0) === 0 || Atomics.load(fault, 1) > index) continue;
      exports.team_barrier(team);
      return;
    }
  }
  #bind(team, addresses) {
    if (team !== this.#team) {
      for (const { args } of this.#calls) args[0] = team;
      this.#team = team;
    }
    for (let buffer = 0; buffer < this.#patches.length; buffer++) {
      const address = addresses[buffer];
      if (address === this.#bound[buffer]) continue;
      this.#bound[buffer] = address;
      for (const { args, index, offset } of this.#patches[buffer]) args[index] = address + offset;
    }
  }
};
function bindings(constants, arena, slots) {
  const addresses = [];
  addresses[constantsIndex] = constants;
  addresses[arenaIndex] = arena;
  addresses.push(...slots);
  return addresses;
}
function indexOf(buffer) {
  if (buffer === "constants") return constantsIndex;
  return buffer === "arena" ? arenaIndex : firstSlot + buffer;
}
function faultWords({ buffer }, address) {
  return new Int32Array(buffer, address, 4);
}

// src/checks.ts
function checkWhole(what, value, least) {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new ArgumentError(`${what} is ${value}; it must be a whole number \u2265 ${least}`);
}
function checkKnown(what, name, known) {
  if (known.includes(name)) return;
  throw new ArgumentError(`${what} "${String(name)}" is none of ${known.join(", ")}`);
}

// src/runtime/builds.ts
var header = [0, 97, 115, 109, 1, 0, 0, 0];
var signature = (type) => [1, 5, 1, 96, 0, 1, type];
var oneFunction = [3, 2, 1, 0];
var v128 = 123;
var i32 = 127;
var splatZero = [65, 0, 253, 15];
var relaxedMadd = [253, 133, 2];
var sharedPage = [5, 4, 1, 3, 1, 1];
var atomicLoad = [65, 0, 254, 16, 2, 0];
function probe(type, memory, body) {
  const code = [0, ...body, 11];
  const section = [10, code.length + 2, 1, code.length, ...code];
  return Uint8Array.from([...header, ...signature(type), ...oneFunction, ...memory, ...section]);
}
function detectAbilities(isolated) {
  const madd = [...splatZero, ...splatZero, ...splatZero, ...relaxedMadd];
  return {
    simd: WebAssembly.validate(probe(v128, [], splatZero)),
    relaxedSimd: WebAssembly.validate(probe(v128, [], madd)),
    sharedMemory: WebAssembly.validate(probe(i32, sharedPage, atomicLoad)) && canShare(),
    isolated
  };
}
function canShare() {
  try {
    return !!new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  } catch {
    return false;
  }
}
var noSharedMemory = "shared WebAssembly memory is missing here, so the engine has one thread";
var noRelaxedSimd = "relaxed SIMD (fused multiply-add) is missing here: Node has it from version 21, Chrome from 114, Firefox from 146";
var notIsolated = "the page is not cross-origin isolated (COOP and COEP headers), so the engine has one thread";
function chooseBuild(abilities, wanted, threads2) {
  const { simd, relaxedSimd, sharedMemory, isolated } = abilities;
  if (!simd)
    throw new ArgumentError("init: this host has no WebAssembly SIMD, which every build needs");
  const refusals = {
    relaxed: !sharedMemory ? noSharedMemory : !relaxedSimd ? noRelaxedSimd : void 0,
    plain: sharedMemory ? void 0 : noSharedMemory,
    single: void 0
  };
  if (wanted) checkKnown("init: build", wanted, Object.keys(refusals));
  if (wanted && refusals[wanted]) {
    throw new ArgumentError(`init: build "${wanted}" cannot run: ${refusals[wanted]}`);
  }
  const order2 = ["relaxed", "plain", "single"];
  const build3 = wanted ?? order2.find((candidate) => !refusals[candidate]) ?? "single";
  const faster = order2.slice(0, order2.indexOf(build3));
  const reasons = wanted && faster.length > 0 ? [`build "${wanted}" was asked for`] : [];
  if (!wanted) {
    const missing = faster.map((candidate) => refusals[candidate]);
    reasons.push(...new Set(missing.filter((reason) => reason !== void 0)));
  }
  const shared = build3 !== "single";
  if (shared && !isolated && threads2 > 1) reasons.push(notIsolated);
  if (!shared && wanted && threads2 > 1) reasons.push('build "single" has one thread');
  return {
    build: build3,
    simd: build3 === "relaxed" ? "relaxed-simd" : "simd128",
    shared,
    threads: shared && isolated ? threads2 : 1,
    reasons
  };
}

// src/runtime/urls.ts
var defaultWorkerUrl = new URL("../../dist/runtime/worker.js", import.meta.url);
var defaultWasmUrl = new URL("../../wasm/", import.meta.url);

// src/runtime/wide.ts
var joinsVectors = 13;
var hasRelaxedSimd = 11.4;
async function unlockWide() {
  const version = v8Version();
  if (version === void 0) return "wide: a page cannot set the flag of V8 that joins vectors";
  try {
    if (version < hasRelaxedSimd) await setV8Flag("--experimental-wasm-relaxed-simd");
    if (version >= joinsVectors) {
      await setV8Flag("--experimental-wasm-revectorize");
      return void 0;
    }
  } catch (error) {
    return `wide: V8's flags cannot be set here: ${reasonOf(error)}`;
  }
  return "wide: this V8 cannot join vectors in pairs: Node can from version 24";
}
var [m, n, k] = [64, 64, 256];
var repeats = 4;
var calmRounds = 8;
var budget = 60;
var clearly = 0.9;
function tryWide({ exports, memory }, heap) {
  const bytes = 4 * (m * k + k * n + m * n + 1);
  const start = heap.allocate(bytes, "the timing of products");
  const layout = start + bytes - 4;
  const [a, b, c] = [start, start + 4 * m * k, layout - 4 * m * n];
  const team = exports.team_new(1);
  const result = () => new Uint32Array(memory.buffer, c, m * n);
  const run = (wide) => {
    exports.team_prefer_wide(wide);
    for (let i = 0; i < repeats; i++) {
      exports.gemm(team, 0, m, n, k, 1, layout, a, k, 1, b, n, 1, c, 0, 0, 1, 0);
      exports.team_barrier(team);
    }
  };
  const sample2 = (wide) => {
    const begun = performance.now();
    run(wide);
    return performance.now() - begun;
  };
  try {
    const operands = new Float32Array(memory.buffer, a, (m + n) * k);
    operands.forEach((_, index) => operands[index] = Math.fround((index % 97 - 48) / 49));
    new Int32Array(memory.buffer, layout, 1)[0] = 0;
    let [narrow, wide] = [Infinity, Infinity];
    const end = performance.now() + budget;
    for (let calm = 0; calm < calmRounds && performance.now() < end; calm++) {
      const times = [sample2(false), sample2(true)];
      if (times[0] < narrow * clearly || times[1] < wide * clearly) calm = 0;
      [narrow, wide] = [Math.min(narrow, times[0]), Math.min(wide, times[1])];
    }
    run(false);
    const portable = result().slice();
    run(true);
    const same3 = result().every((bits, index) => bits === portable[index]);
    const faster = wide < narrow * clearly;
    exports.team_prefer_wide(same3 && faster);
    if (!same3) return "wide: the wide micro-kernel gives other bits here";
    return faster ? void 0 : "wide: the wide micro-kernel is not the faster one here";
  } finally {
    exports.team_free(team);
    heap.free(start);
  }
}

// src/runtime/options.ts
var addressable = 2 ** 32;
var mostCores = 16;
var mostThreads = 64;
async function resolve(options) {
  const { build: build3, maxMemory = addressable } = options;
  const threads2 = options.threads ?? Math.min(await coreCount(), mostCores);
  if (!Number.isInteger(threads2) || threads2 < 1 || threads2 > mostThreads) {
    throw new ArgumentError(
      `init: threads is ${threads2}, not a whole number of 1 to ${mostThreads}`
    );
  }
  if (!(maxMemory >= initialBytes && maxMemory <= addressable)) {
    throw new ArgumentError(
      `init: maxMemory is ${maxMemory} bytes, not ${initialBytes} to ${addressable}`
    );
  }
  const noWide = options.wide ? await unlockWide() : void 0;
  const choice2 = chooseBuild(detectAbilities(isIsolated), build3, threads2);
  const wanted = Math.floor(maxMemory / pageBytes) * pageBytes;
  const { memory, limit } = choice2.shared ? createMemory(wanted) : { memory: void 0, limit: wanted };
  const reasons = [...choice2.reasons];
  if (limit < wanted) reasons.push(`the host grants at most ${limit} bytes of memory`);
  if (noWide) reasons.push(noWide);
  return {
    choice: { ...choice2, reasons },
    wide: options.wide === true && noWide === void 0,
    source: await loadSource(absolute(options.wasmUrl, defaultWasmUrl), choice2.build, memory),
    limit,
    script: absolute(options.workerUrl, defaultWorkerUrl)
  };
}
function absoluteUrls(options) {
  const script2 = absolute(options.workerUrl, defaultWorkerUrl);
  const wasmUrl = absolute(options.wasmUrl, defaultWasmUrl).href;
  return { script: script2, posted: { ...options, wasmUrl, workerUrl: script2.href } };
}
function absolute(url, otherwise) {
  return url === void 0 ? otherwise : new URL(url, globalThis.location?.href);
}

// src/runtime/job.ts
var headWords = 5;
function jobBytes(addresses) {
  return 4 * (headWords + addresses);
}
function writeJob({ buffer }, at2, job) {
  const { key, place: place2, address, bytes, addresses } = job;
  const words = new Uint32Array(buffer, at2, headWords + addresses.length);
  words.set([key, place2, address, bytes, addresses.length]);
  words.set(addresses, headWords);
}
function encodeProgram({ calls, slots }) {
  return new TextEncoder().encode(JSON.stringify({ calls, slots }, withAllNumbers));
}
function withAllNumbers(_key, value) {
  if (typeof value !== "number") return value;
  if (Object.is(value, -0)) return "-0";
  return Number.isFinite(value) ? value : String(value);
}

// src/runtime/programs.ts
var noText = { address: 0, bytes: 0 };
var Programs = class {
  #heap;
  #memory;
  #loaded = /* @__PURE__ */ new Map();
  #places = [];
  #arena;
  constructor(heap, memory) {
    this.#heap = heap;
    this.#memory = memory;
  }
  /** Keeps a Program; nothing is allocated before it runs. */
  load(program) {
    if (this.#loaded.has(program.key)) return;
    const place2 = this.#places.pop() ?? this.#loaded.size;
    this.#loaded.set(program.key, { program, place: place2 });
  }
  /** Forgets a Program. */
  unload(key) {
    const loaded = this.#loaded.get(key);
    if (!loaded) return;
    this.#loaded.delete(key);
    this.#places.push(loaded.place);
    if (loaded.constants !== void 0) this.#heap.free(loaded.constants);
    if (loaded.text) this.#heap.free(loaded.text.address);
    const needs = [...this.#loaded.values()].map(({ program }) => program.arenaBytes);
    if (this.#arena && this.#arena.bytes > Math.max(0, ...needs)) this.#dropArena();
  }
  /** The Program of `key`. Throws StateError. */
  get(key) {
    return this.#get(key).program;
  }
  /** Finds place for all that a Program needs but its slots. Throws OutOfMemoryError. */
  prepare(key, instance, threads2) {
    const loaded = this.#get(key);
    const { program, place: place2 } = loaded;
    const arena = this.#arenaFor(program);
    loaded.constants ??= this.#putConstants(program);
    if (threads2 > 1) loaded.text ??= this.#putText(program, place2);
    if (loaded.ready?.instance !== instance) {
      loaded.ready = { instance, list: new CallList(instance, program) };
    }
    return {
      program,
      list: loaded.ready.list,
      constants: loaded.constants,
      arena,
      text: loaded.text ?? { key, place: place2, ...noText }
    };
  }
  #get(key) {
    const loaded = this.#loaded.get(key);
    if (!loaded) throw new StateError(`program ${key} is not loaded`);
    return loaded;
  }
  #arenaFor({ arenaBytes }) {
    if (this.#arena && this.#arena.bytes >= arenaBytes) return this.#arena.address;
    this.#dropArena();
    const address = this.#heap.allocate(arenaBytes, "the arena of intermediate results");
    this.#arena = { address, bytes: arenaBytes };
    return address;
  }
  #dropArena() {
    if (this.#arena) this.#heap.free(this.#arena.address);
    this.#arena = void 0;
  }
  #putConstants({ constants }) {
    const address = this.#heap.allocate(4 * constants.length, "a Program's constants");
    new Int32Array(this.#memory.buffer, address, constants.length).set(constants);
    return address;
  }
  #putText(program, place2) {
    const text = encodeProgram(program);
    const address = this.#heap.allocate(text.length, "a Program's calls");
    new Uint8Array(this.#memory.buffer, address, text.length).set(text);
    return { key: program.key, place: place2, address, bytes: text.length };
  }
};

// src/runtime/board.ts
var abandonedIndex = 0;
var errorLengthIndex = 1;
var firstWorker = 2;
var errorBytes = 4096;
var Board = class {
  #words;
  #error;
  constructor(memory, address, workers) {
    this.#words = new Int32Array(memory.buffer, address, firstWorker + workers);
    this.#error = new Uint8Array(memory.buffer, address + this.#words.byteLength, errorBytes);
  }
  /** Bytes of a board for so many workers. */
  static bytes(workers) {
    return 4 * (firstWorker + workers) + errorBytes;
  }
  /** Makes it the board of a new team. */
  clear() {
    this.#words.fill(0);
  }
  /** Whether the team is to be left. */
  get abandoned() {
    return Atomics.load(this.#words, abandonedIndex) !== 0;
  }
  /** What went wrong first, if a thread said so. */
  get error() {
    const length2 = Atomics.load(this.#words, errorLengthIndex);
    if (!this.abandoned || length2 === 0) return void 0;
    const text = new TextDecoder().decode(this.#error.slice(0, length2));
    return JSON.parse(text);
  }
  /** Tells all threads to leave the team, and why. */
  abandon(error) {
    if (Atomics.compareExchange(this.#words, abandonedIndex, 0, 1) !== 0) return;
    if (error !== void 0) {
      const message = packError(error);
      const encode = (part) => new TextEncoder().encode(JSON.stringify(part));
      let bytes = encode(message);
      if (bytes.length > errorBytes) {
        const text = message.message.slice(0, errorBytes / 8);
        bytes = encode({ kind: message.kind, message: text, stack: void 0 });
      }
      this.#error.set(bytes);
      Atomics.store(this.#words, errorLengthIndex, bytes.length);
    }
    Atomics.store(this.#words, abandonedIndex, 2);
  }
  /** Worker `index` says that it will touch the team no more. */
  leave(index) {
    Atomics.store(this.#words, firstWorker + index, 1);
    Atomics.notify(this.#words, firstWorker + index);
  }
  /** Waits up to `milliseconds` for worker `index` to leave, and says whether it has. */
  hasLeft(index, milliseconds) {
    Atomics.wait(this.#words, firstWorker + index, 0, milliseconds);
    return Atomics.load(this.#words, firstWorker + index) === 1;
  }
};

// src/runtime/rpc.ts
import * as comlink from "comlink";
var Peer = class {
  constructor(thread, name) {
    this.thread = thread;
    this.name = name;
    this.#remote = comlink.wrap(thread.endpoint);
    thread.onDeath((reason) => this.#die(`${name} died: ${reason}`));
  }
  thread;
  name;
  #remote;
  #pending = /* @__PURE__ */ new Set();
  #death;
  #watched = false;
  #onDeath;
  #closed = false;
  /** Whether the worker is not known to have died. */
  get alive() {
    return !this.#death;
  }
  /** Calls `listener` if the worker dies without having been closed. */
  onDeath(listener) {
    this.#onDeath = listener;
  }
  /** Calls `method` in the worker. Rejects with what it throws, or WorkerDiedError. */
  async call(method, ...args) {
    if (this.#death) throw this.#death;
    const outcome = await new Promise((resolve2, reject) => {
      this.#pending.add(reject);
      void this.#remote.call(method, args).then(resolve2, reject).finally(() => this.#pending.delete(reject));
    });
    if (!this.#watched) {
      this.#watched = true;
      this.thread.watch();
    }
    if ("error" in outcome) throw unpackError(outcome.error);
    return outcome.value;
  }
  /** Ends the worker; calls under way reject. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.thread.terminate();
    this.#die(`${this.name} was shut down`);
  }
  #die(message) {
    if (this.#death) return;
    this.#death = new WorkerDiedError(message);
    for (const reject of this.#pending) reject(this.#death);
    this.#pending.clear();
    if (!this.#closed) this.#onDeath?.(this.#death);
  }
};

// src/runtime/stall.ts
function onStall(hook) {
  globalThis.__ferrogradStall = hook;
}

// src/runtime/team.ts
var stallLimit = 3e4;
var sameWait = 500;
var leaveLimit = 2e3;
async function recruit(source, count, script2) {
  const peers = [];
  try {
    const members = Array.from({ length: count }, async (_, index) => {
      const name = `ferrograd worker ${index + 1}`;
      const peer = new Peer(await startThread(script2, name), name);
      peers.push(peer);
      const joined2 = await peer.call("join", source);
      peer.thread.keepAlive(false);
      return { peer, ...joined2 };
    });
    return await Promise.all(members);
  } catch (error) {
    for (const peer of peers) peer.close();
    throw error;
  }
}
var Team = class {
  #instance;
  #heap;
  #members;
  #isAlive;
  #address;
  #boardAddress;
  #board;
  #job;
  #call = 0;
  #waiting;
  /** A team of `members` and the calling thread. Throws OutOfMemoryError. */
  constructor(instance, heap, members, isAlive) {
    this.#instance = instance;
    this.#heap = heap;
    this.#members = members;
    this.#isAlive = isAlive;
    const workers = members.length;
    this.#boardAddress = heap.allocate(Board.bytes(workers), "the team's board");
    this.#address = instance.exports.team_new(workers + 1);
    if (workers === 0) return;
    this.#board = new Board(instance.memory, this.#boardAddress, workers);
    this.#board.clear();
    members.forEach(({ peer }, index) => {
      const membership = { team: this.#address, board: this.#boardAddress, workers, index };
      peer.call("follow", membership).catch(() => void 0);
    });
  }
  /** How many threads run a Program together. */
  get threads() {
    return this.#members.length + 1;
  }
  /** Makes room for a job of so many addresses. Throws OutOfMemoryError. */
  reserve(addresses) {
    const capacity = this.#job?.capacity ?? 0;
    if (addresses <= capacity || this.#members.length === 0) return;
    const wanted = Math.max(addresses, 2 * capacity);
    const address = this.#heap.allocate(jobBytes(wanted), "the team's job");
    if (this.#job) this.#heap.free(this.#job.address);
    this.#job = { address, capacity: wanted };
  }
  /** Runs `list`, which is what `job` is on this thread, on all threads, and tells of bad data. */
  run(list, job) {
    const { exports, memory } = this.#instance;
    const team = this.#address;
    faultWords(memory, exports.team_fault(team)).fill(0);
    this.#call = 0;
    this.#waiting = void 0;
    onStall(() => this.#onStall());
    if (this.#job) writeJob(memory, this.#job.address, job);
    exports.team_begin(team, this.#job?.address ?? 0);
    list.run(this.#instance, team, job.addresses, (index) => this.#call = index);
    const [code, call, position, value] = faultWords(memory, exports.team_fault(team));
    return code ? { code, call, position: position >>> 0, value } : void 0;
  }
  /** The call that is, or was last, under way. */
  get call() {
    return this.#call;
  }
  /** Why a member is not to be counted on, if one is not. */
  lost() {
    const dead = this.#members.find(
      ({ peer, systemThread }) => !peer.alive || !this.#isAlive(systemThread)
    );
    return dead && new WorkerDiedError(`${dead.peer.name} died`);
  }
  /** Ends the team for good: its workers leave, and are ended once they have. */
  disband() {
    const { exports } = this.#instance;
    this.#board?.abandon();
    if (this.#members.length > 0) exports.team_begin(this.#address, 0);
    const deadline = performance.now() + leaveLimit;
    const gone = this.#members.map((member, index) => this.#awaitLeave(member, index, deadline));
    for (const { peer } of this.#members) peer.close();
    if (!gone.every(Boolean)) return;
    for (const { memory } of this.#members) this.#instance.release(memory);
    exports.team_free(this.#address);
    this.#heap.free(this.#boardAddress);
    if (this.#job) this.#heap.free(this.#job.address);
  }
  /** Ends the workers at once; the memory is not to be used after. */
  close() {
    for (const { peer } of this.#members) peer.close();
  }
  #awaitLeave({ peer, systemThread }, index, deadline) {
    while (performance.now() < deadline) {
      if (this.#board?.hasLeft(index, 1)) return true;
      if (!peer.alive || !this.#isAlive(systemThread)) return true;
    }
    return false;
  }
  /** Called within a run, when the other threads are long in coming: throws if one never will. */
  #onStall() {
    if (this.#board?.abandoned) {
      const { error } = this.#board;
      const cause = error ? unpackError(error) : void 0;
      throw new WorkerDiedError(`a worker failed: ${cause?.message ?? "unknown"}`, { cause });
    }
    const lost = this.lost();
    if (lost) throw lost;
    const now = performance.now();
    const waiting = this.#waiting;
    if (waiting?.call === this.#call && now - waiting.last < sameWait) {
      waiting.last = now;
      if (now - waiting.since > stallLimit && !this.#members.every(isVisible)) {
        throw new WorkerDiedError(`a worker has not finished its part in ${stallLimit / 1e3} s`);
      }
    } else {
      this.#waiting = { since: now, last: now, call: this.#call };
    }
  }
};
function isVisible({ systemThread }) {
  return systemThread !== 0;
}

// src/runtime/leader.ts
var Leader = class _Leader {
  #parts;
  #heap;
  #buffers;
  #programs;
  #instance;
  /** Makes the instance that replaces this one after an abandoned run. */
  #spare;
  #team;
  /** Why products are not wide though they were to be. */
  #notWide;
  /** Why there are fewer threads than there should be. */
  #shortage;
  /** Raised at each replacement of the team: an older one that becomes ready is not wanted. */
  #teams = 0;
  #closed = false;
  constructor(parts, instance, members) {
    this.#parts = parts;
    this.#instance = instance;
    this.#spare = parts.spare;
    this.#heap = new Heap(instance.memory, parts.limit);
    this.#buffers = new Buffers(this.#heap);
    this.#programs = new Programs(this.#heap, instance.memory);
    this.#notWide = parts.wide ? tryWide(instance, this.#heap) : void 0;
    this.#team = this.#form(members);
  }
  /**
   * Starts the engine with its team. `host` says whether this thread is the caller's own. Throws
   * ArgumentError for options that this host cannot honour.
   */
  static async start(options, host2) {
    const resolved = await resolve(options);
    const { source, choice: choice2, script: script2 } = resolved;
    const instantiate = await prepare(source);
    const instance = instantiate();
    const [spare, isAlive, members] = await Promise.all([
      prepare(source),
      threadProbe(),
      recruit(source, choice2.threads - 1, script2)
    ]);
    return new _Leader({ ...resolved, host: host2, spare, isAlive }, instance, members);
  }
  /** What runs. */
  info() {
    const { choice: choice2, host: host2, wide } = this.#parts;
    const { build: build3, simd, reasons } = choice2;
    const later = [this.#notWide, this.#shortage].filter((reason) => reason !== void 0);
    return {
      build: build3,
      simd,
      wide: wide && this.#notWide === void 0,
      threads: this.#team.threads,
      host: host2,
      memory: this.#memory(),
      reasons: [...reasons, ...later]
    };
  }
  /**
   * Does what `request` asks. If it throws, frees, loads and unloads hold nevertheless; of the
   * rest nothing does when the request is refused (StateError, OutOfMemoryError), and the writes
   * hold, but no buffer that was to be made by the run exists, when the run fails: IndexError for
   * an index out of range, WorkerDiedError.
   */
  execute(request) {
    if (this.#closed) throw new StateError("the engine was shut down: call await init() again");
    const { frees = [], load, unload = [] } = request;
    for (const handle of frees) this.#buffers.free(handle);
    if (load) this.#programs.load(load);
    try {
      return this.#execute(request);
    } finally {
      for (const key of unload) this.#programs.unload(key);
    }
  }
  /** Ends the team; its memory is given up. */
  close() {
    this.#closed = true;
    this.#teams++;
    this.#team.close();
  }
  #execute({ writes = [], run, reads = [] }) {
    const written = [];
    const made2 = [];
    const make2 = (into, handle, bytes) => {
      if (this.#buffers.has(handle)) return;
      this.#buffers.make(handle, bytes);
      into.push(handle);
    };
    let bound;
    try {
      for (const { handle, data: data2 } of writes) make2(written, handle, data2.byteLength);
      if (run) {
        this.#programs.get(run.key).slots.forEach(({ bytes, role }, index) => {
          const handle = run.slots[index];
          if (role === "out" && handle !== void 0) make2(made2, handle, bytes);
        });
        bound = this.#bind(run);
      }
      for (const { handle, data: data2 } of writes) this.#buffers.address(handle, data2.byteLength);
      for (const { handle, bytes } of reads) this.#buffers.address(handle, bytes);
    } catch (error) {
      for (const handle of [...written, ...made2]) this.#buffers.free(handle);
      throw error;
    }
    for (const { handle, data: data2 } of writes) this.#write(handle, data2);
    try {
      if (bound) this.#run(bound);
    } catch (error) {
      for (const handle of made2) this.#buffers.free(handle);
      throw error;
    }
    return {
      reads: reads.map(({ handle, bytes }) => this.#read(handle, bytes)),
      memory: this.#memory()
    };
  }
  /** Finds the place of everything that a run touches, so that nothing can fail half-way. */
  #bind({ key, slots }) {
    const program = this.#programs.get(key);
    if (slots.length !== program.slots.length) {
      throw new StateError(
        `program ${key} has ${program.slots.length} slots: ${slots.length} buffers were given`
      );
    }
    const runnable = this.#programs.prepare(key, this.#instance, this.#team.threads);
    this.#team.reserve(bindingCount(program));
    const places2 = program.slots.map(
      ({ bytes }, index) => this.#buffers.address(slots[index], bytes)
    );
    return { ...runnable, addresses: bindings(runnable.constants, runnable.arena, places2) };
  }
  #run({ program, list, text, addresses }) {
    if (program.calls.length === 0) return;
    let fault;
    try {
      fault = this.#team.run(list, { ...text, addresses });
    } catch (error) {
      const call = program.calls[this.#team.call];
      this.#recover(true);
      throw describeFailure(error, program, call?.label ?? "");
    }
    if (fault) throw describeFault(fault, program);
  }
  /** Replaces the team, and after an abandoned run this thread's instance as well. */
  #recover(abandoned) {
    this.#teams++;
    this.#team.disband();
    const { source, choice: choice2 } = this.#parts;
    if (abandoned && source.memory && this.#spare) {
      const { thread } = this.#instance;
      this.#instance = this.#spare();
      this.#spare = void 0;
      this.#instance.release(thread);
    }
    this.#team = this.#form([]);
    void this.#refill(this.#teams, choice2.threads - 1);
  }
  /** Gets a new spare instance and new workers, and forms the team anew when they are ready. */
  async #refill(team, workers) {
    const { source, script: script2 } = this.#parts;
    if (workers > 0) this.#shortage = "a worker died: its successor is starting";
    try {
      this.#spare ??= await prepare(source);
      const members = await recruit(source, workers, script2);
      if (team !== this.#teams) {
        for (const { peer, memory } of members) {
          peer.close();
          this.#instance.release(memory);
        }
        return;
      }
      const solo = this.#team;
      this.#team = this.#form(members);
      solo.disband();
      this.#shortage = void 0;
    } catch (error) {
      this.#shortage = `a worker died, and no other could be started: ${String(error)}`;
    }
  }
  #form(members) {
    for (const { peer } of members) {
      peer.onDeath(() => this.#team.lost() && this.#recover(false));
    }
    return new Team(this.#instance, this.#heap, members, this.#parts.isAlive);
  }
  #write(handle, data2) {
    const { buffer, byteOffset, byteLength } = data2;
    const bytes = new Uint8Array(buffer, byteOffset, byteLength);
    const address = this.#buffers.address(handle, byteLength);
    new Uint8Array(this.#instance.memory.buffer, address, byteLength).set(bytes);
  }
  #read(handle, bytes) {
    const copy = new Uint8Array(bytes);
    const address = this.#buffers.address(handle, bytes);
    copy.set(new Uint8Array(this.#instance.memory.buffer, address, bytes));
    return copy.buffer;
  }
  #memory() {
    const { live, peak, reserved, limit } = this.#heap;
    return { live, peak, reserved, limit };
  }
};
function describeFault({ call, position, value }, { calls }) {
  const label = calls[call]?.label ?? `call ${call}`;
  return new IndexError(`${label}: index ${value} at position ${position} is out of range`);
}
function describeFailure(error, { slots }, label) {
  const message = reasonOf(error);
  const partly = slots.some(({ role }) => role === "inout") ? ". Tensors that the run updates in place may be updated in part: restore a checkpoint" : "";
  const Kind = error instanceof WorkerDiedError ? WorkerDiedError : FerrogradError;
  return new Kind(`${label}: ${message}${partly}`, { cause: error });
}

// src/runtime/remoteLeader.ts
var RemoteLeader = class _RemoteLeader {
  #script;
  #options;
  /** Called when a worker has died, with all that its memory held. */
  #onLoss;
  #peer;
  #starting;
  #info;
  #underWay = 0;
  #closed = false;
  constructor(script2, options, onLoss) {
    this.#script = script2;
    this.#options = options;
    this.#onLoss = onLoss;
  }
  /** Starts a worker from `script`, and in it a Leader. `options` hold no URL objects. */
  static async start(script2, options, onLoss) {
    const remote = new _RemoteLeader(script2, options, onLoss);
    await remote.#connect();
    return remote;
  }
  /** What runs, as of the last answer. */
  info() {
    if (!this.#info) throw new StateError("the engine has not started");
    return this.#info;
  }
  /** As `Leader.execute`; rejects with WorkerDiedError also if the Leader's own worker dies. */
  async execute(request) {
    if (this.#closed) throw new StateError("the engine was shut down: call await init() again");
    const posted = this.#peer ? this.#post(this.#peer, request) : this.#postLater(structuredClone(request));
    const { info, ...response } = await posted;
    this.#info = info;
    return response;
  }
  /** Ends the worker and its team. */
  close() {
    this.#closed = true;
    this.#peer?.close();
    this.#peer = void 0;
  }
  async #postLater(request) {
    return this.#post(await (this.#starting ?? this.#connect()), request);
  }
  async #post(peer, request) {
    if (this.#underWay++ === 0) peer.thread.keepAlive(true);
    try {
      return await peer.call("execute", request);
    } finally {
      if (--this.#underWay === 0) peer.thread.keepAlive(false);
    }
  }
  #connect() {
    this.#starting = this.#startPeer().finally(() => this.#starting = void 0);
    return this.#starting;
  }
  async #startPeer() {
    const name = "ferrograd leader";
    const peer = new Peer(await startThread(this.#script, name), name);
    try {
      this.#info = await peer.call("lead", this.#options);
    } catch (error) {
      peer.close();
      throw error;
    }
    if (this.#closed) peer.close();
    peer.thread.keepAlive(false);
    peer.onDeath(() => {
      peer.close();
      this.#peer = void 0;
      this.#onLoss();
      this.#connect().catch(() => void 0);
    });
    this.#peer = peer;
    return peer;
  }
};

// src/runtime/engine.ts
var Engine = class _Engine {
  #local;
  #remote;
  #loaded;
  constructor(leader, loaded) {
    this.#local = leader instanceof Leader ? leader : void 0;
    this.#remote = leader instanceof Leader ? void 0 : leader;
    this.#loaded = loaded;
  }
  /** Starts an engine. Throws ArgumentError for options that this host cannot honour. */
  static async start(options = {}) {
    const { host: host2 = inPage ? "worker" : "caller" } = options;
    if (host2 !== "worker" && host2 !== "caller") {
      throw new ArgumentError(`init: host is "${String(host2)}", not caller or worker`);
    }
    if (host2 === "caller" && inPage) {
      throw new ArgumentError(
        'init: a page may not block, so its engine is in a worker: host "worker"'
      );
    }
    const loaded = /* @__PURE__ */ new Set();
    if (host2 === "caller") return new _Engine(await Leader.start(options, host2), loaded);
    const { script: script2, posted } = absoluteUrls(options);
    return new _Engine(await RemoteLeader.start(script2, posted, () => loaded.clear()), loaded);
  }
  /** Whether the engine has the Program of `key`, or will have when its turn comes. */
  isLoaded(key) {
    return this.#loaded.has(key);
  }
  /** Runs `request` after those before it. Rejects with what `executeSync` throws. */
  async execute(request) {
    this.#note(request);
    if (this.#remote) return this.#remote.execute(request);
    const response = this.#leader().execute(request);
    await turn();
    return response;
  }
  /**
   * Runs `request` now. Throws StateError where the engine is not on this thread or a buffer or
   * Program is unknown, OutOfMemoryError, IndexError, WorkerDiedError.
   */
  executeSync(request) {
    const leader = this.#leader();
    this.#note(request);
    return leader.execute(request);
  }
  /** What runs: build, threads, memory, and why nothing faster. */
  info() {
    return (this.#remote ?? this.#leader()).info();
  }
  /** Ends the engine with all it holds; calls under way reject. */
  shutdown() {
    (this.#remote ?? this.#leader()).close();
  }
  #leader() {
    if (this.#local) return this.#local;
    throw new StateError(
      'the engine runs in a worker, so a result cannot be read without waiting: use `await data()`, or in Node `init({ host: "caller" })`'
    );
  }
  #note({ load, unload = [] }) {
    if (load) this.#loaded.add(load.key);
    for (const key of unload) this.#loaded.delete(key);
  }
};
var current;
async function init(options = {}) {
  if (current) {
    const differs = entries(options).find(([name, value]) => !has(current?.options, name, value));
    if (!differs) return current.started;
    throw new StateError(
      `init: the engine runs with other options than ${differs[0]} ${differs[1]}: call shutdown() first`
    );
  }
  const starting = { options, started: Engine.start(options) };
  current = starting;
  try {
    starting.engine = await starting.started;
  } catch (error) {
    if (current === starting) current = void 0;
    throw error;
  }
  if (current !== starting) starting.engine.shutdown();
  return starting.engine;
}
function engine() {
  if (current?.engine) return current.engine;
  throw new StateError("the engine is not running: call `await init()` first");
}
function shutdown() {
  current?.engine?.shutdown();
  current = void 0;
}
function entries(options) {
  return Object.entries(options).filter(([, value]) => value !== void 0).map(([name, value]) => [name, String(value)]);
}
function has(options, name, value) {
  return entries(options ?? {}).some(([known, given]) => known === name && given === value);
}

// src/updates.ts
var current2 = /* @__PURE__ */ new Map();
function noteUpdate(variable, before) {
  if (!current2.has(variable)) current2.set(variable, before);
}
function takeUpdates() {
  const taken = current2;
  current2 = /* @__PURE__ */ new Map();
  return taken;
}
function hasUpdates() {
  return current2.size > 0;
}
function collectUpdates(body) {
  const outer = current2;
  const updates = /* @__PURE__ */ new Map();
  current2 = updates;
  try {
    return { result: body(), updates };
  } finally {
    current2 = outer;
  }
}
var roots = [];
function noteRoot(root) {
  roots.push(new WeakRef(root));
}
function forgetPending() {
  takeUpdates();
  roots = [];
}
function takeRoots() {
  const taken = roots.flatMap((root) => root.deref() ?? []);
  roots = [];
  return taken;
}

// src/evaluate.ts
async function read(value) {
  const host2 = hostContent(value);
  if (host2) return host2;
  if (value.bytes === 0) return new dtypes[value.dtype].make(0);
  realize([value]);
  const { storage } = storedSource(value);
  await storage.ready;
  return arrayOf(value, await engine().execute(readRequest(value)));
}
function readSync(value) {
  const host2 = hostContent(value);
  if (host2) return host2;
  if (value.bytes === 0) return new dtypes[value.dtype].make(0);
  realize([value]);
  return arrayOf(value, engine().executeSync(readRequest(value)));
}
function realize(values2) {
  const targets = values2.filter((value) => !isLeaf(value) && value.bytes > 0);
  for (const value of values2) {
    if (!isLeaf(value) && value.bytes === 0) value.store(new Storage(0));
  }
  if (targets.length === 0) return;
  const storages = targets.map((value) => new Storage(value.bytes));
  const commit = () => targets.forEach((value, index) => value.store(storages[index]));
  const bound = bind(plan({ targets, overwrites: [] }), storages);
  dispatch(bound, storages, commit, () => void 0);
}
function flush() {
  const updates = takeUpdates();
  const roots2 = takeRoots().filter((value) => !isLeaf(value));
  try {
    runUpdates(updates, roots2);
  } catch (error) {
    for (const [variable, before] of updates) variable.adopt(before);
    throw error;
  }
}
function runUpdates(updates, roots2) {
  const fresh = [];
  const overwrites = [];
  for (const [variable, before] of updates) {
    const after = variable.value;
    if (isOwnHostData(after)) variable.adopt(after);
    else if (variable.overwrite) overwrites.push({ variable, before, after });
    else fresh.push({ variable, before, after });
  }
  const goal = { targets: [...roots2, ...fresh.map(({ after }) => after)], overwrites };
  if (goal.targets.length + overwrites.length === 0) return;
  const planned = plan(goal);
  const inputs = new Set(planned.leaves.map((leaf) => storedSource(leaf).storage));
  const rootStorages = roots2.map((value) => new Storage(value.bytes));
  const freshStorages = fresh.map(({ variable, after }) => {
    const spare = variable.takeSpare();
    return inputs.has(spare) ? new Storage(after.bytes) : spare;
  });
  const storages = [...rootStorages, ...freshStorages];
  const bound = bind(planned, storages);
  const commit = () => {
    roots2.forEach((value, index) => value.store(rootStorages[index]));
    fresh.forEach(({ variable, before, after }, index) => {
      const storage = freshStorages[index];
      storage.version++;
      variable.keepSpare(storedSource(before).storage);
      if (!isLeaf(after)) after.store(storage);
      variable.adopt(storedValue(storage, after.shape, after.dtype));
    });
    commitOverwrites(overwrites);
  };
  const revert = () => {
    for (const [variable, before] of updates) variable.adopt(before);
  };
  dispatch(bound, storages, commit, revert);
}
function commitOverwrites(overwrites) {
  for (const { variable, before } of overwrites) {
    const { storage } = storedSource(before);
    storage.version++;
    variable.adopt(storedValue(storage, before.shape, before.dtype));
  }
}
function bind({ program, leaves: leaves2 }, outputs, bufferOf = currentStorage) {
  const storages = leaves2.map(bufferOf);
  const uploads = [...new Set(storages)].flatMap(
    (storage) => storage.host ? [{ storage, host: storage.host }] : []
  );
  const loaded = engine().isLoaded(program.key);
  return {
    uploads,
    request: {
      frees: takeReleased(),
      unload: takeEvicted(),
      writes: uploads.map(({ storage, host: host2 }) => ({ handle: storage.handle, data: host2 })),
      ...!loaded && { load: program },
      run: {
        key: program.key,
        slots: [...storages, ...outputs].map(({ handle }) => handle)
      }
    }
  };
}
function dispatch(bound, outputs, commit, revert) {
  if (engine().info().host === "caller") {
    engine().executeSync(bound.request);
    for (const { storage } of bound.uploads) storage.host = void 0;
    commit();
    return;
  }
  const running = execute(bound);
  commit();
  const ready = running.then(
    () => outputs.forEach((storage) => storage.ready = void 0),
    (error) => {
      revert();
      throw error;
    }
  );
  ready.catch(() => void 0);
  for (const storage of outputs) storage.ready = ready;
}
async function execute({ request, uploads }) {
  for (const { storage } of uploads) storage.host = void 0;
  try {
    return await engine().execute(request);
  } catch (error) {
    for (const { storage, host: host2 } of uploads) storage.host ??= host2;
    throw error;
  }
}
function shutdown2() {
  forgetPending();
  shutdown();
}
function readRequest(value) {
  const { storage } = storedSource(value);
  const uploads = storage.host ? [{ handle: storage.handle, data: storage.host }] : [];
  return {
    frees: takeReleased(),
    writes: uploads,
    reads: [{ handle: storage.handle, bytes: value.bytes }]
  };
}
function arrayOf(value, response) {
  return new dtypes[value.dtype].make(response.reads[0]);
}
function hostContent(value) {
  if (value.source?.kind !== "stored") return void 0;
  const { host: host2 } = currentStorage(value);
  return host2 && new dtypes[value.dtype].make(host2);
}
function isOwnHostData(value) {
  return value.source?.kind === "stored" && !value.variable && !!value.source.storage.host;
}
function currentStorage(leaf) {
  const { storage, version } = storedSource(leaf);
  const name = leaf.variable?.name ?? "";
  const what = `${name && `${name} `}${formatShape(leaf.shape)} ${leaf.dtype}`;
  if (storage.disposed) {
    throw new StateError(`${what} was disposed: keep it until everything that reads it is read`);
  }
  if (storage.version !== version) {
    throw new StateError(
      `${what} has been updated since this was recorded: read results before the update that follows, or record them again`
    );
  }
  return storage;
}
function storedSource(value) {
  const { source } = value;
  if (source?.kind === "stored") return source;
  throw new StateError(
    `a tensor ${formatShape(value.shape)} of a function being compiled cannot be read inside it: return it from the function`
  );
}

// src/tensor.ts
var Tensor = class _Tensor {
  /** @internal */
  constructor(current4) {
    this.current = current4;
  }
  current;
  /** Where `backward` adds up the gradient, for tensors with `requiresGrad`. */
  grad;
  /** @internal The tensor's place in the graph. */
  get value() {
    return this.current;
  }
  /** The sizes of its axes, outermost first. */
  get shape() {
    return this.current.shape;
  }
  /** The type of its elements. */
  get dtype() {
    return this.current.dtype;
  }
  /** The number of axes. */
  get rank() {
    return this.shape.length;
  }
  /** The number of elements. */
  get size() {
    return sizeOf(this.shape);
  }
  /** Whether `backward` computes its gradient. Only float tensors may have one. */
  get requiresGrad() {
    return this.current.requiresGrad;
  }
  set requiresGrad(wanted) {
    if (wanted && !isFloat(this.dtype)) {
      throw new DTypeError(`requiresGrad: a ${this.dtype} tensor has no gradient; use float32`);
    }
    if (this.current.node) {
      throw new StateError("requiresGrad: set it on tensors that hold data; use detach() first");
    }
    this.current.requiresGrad = wanted;
    if (wanted) leaves.set(this.current, new WeakRef(this));
  }
  /** Its elements in row-major order, once they are computed. */
  data() {
    return read(this.current);
  }
  /** Its elements in row-major order; the thread blocks. Throws StateError where it may not. */
  dataSync() {
    return readSync(this.current);
  }
  /** The only element of a tensor of size 1. Throws ShapeError for other sizes. */
  async item() {
    this.checkSingle();
    return (await this.data())[0];
  }
  /** As `item`, with the thread blocking. */
  itemSync() {
    this.checkSingle();
    return this.dataSync()[0];
  }
  /** Its elements as nested arrays. */
  async toArray() {
    return nest(await this.data(), this.shape);
  }
  /** The same content with no history: gradients do not flow past it. */
  detach() {
    const { shape, dtype, source, variable } = this.current;
    if (source?.kind === "stored" && !variable) {
      return new _Tensor(storedValue(source.storage, shape, dtype));
    }
    return detachRecorded(this);
  }
  /** Frees its buffer now instead of when it is garbage collected. */
  dispose() {
    const { source } = this.current;
    if (source?.kind === "stored") source.storage.dispose();
  }
  /** `using` disposes. */
  [Symbol.dispose]() {
    this.dispose();
  }
  /** `Tensor [2, 3] float32`: the content is not computed for it. */
  toString() {
    return `Tensor ${formatShape(this.shape)} ${this.dtype}`;
  }
  checkSingle() {
    if (this.size === 1) return;
    throw new ShapeError(`item: ${formatShape(this.shape)} has ${this.size} elements, not one`);
  }
};
var leaves = /* @__PURE__ */ new WeakMap();
function leafTensor(value) {
  return value.variable ?? leaves.get(value)?.deref();
}
var detachRecorded = () => {
  throw new StateError("detach: the op table is not loaded");
};
function setDetach(detach2) {
  detachRecorded = detach2;
}
var Variable = class extends Tensor {
  /** A buffer of the variable's size to write the next content to, where one is at hand. */
  spare;
  gradientWanted;
  constructor(data2, shape, dtype, { requiresGrad = false, name = "", overwrite = false } = {}) {
    super(hostValue(data2, shape, dtype));
    this.name = name;
    this.overwrite = overwrite;
    this.gradientWanted = requiresGrad;
    this.adopt(this.current);
  }
  /** What errors and `summary` call it. */
  name;
  /** @internal Whether an update may overwrite the content even where an older record reads it. */
  overwrite;
  get requiresGrad() {
    return this.gradientWanted;
  }
  set requiresGrad(wanted) {
    this.gradientWanted = wanted;
    this.current.requiresGrad = wanted;
  }
  /** Its content from now on; ops recorded before keep the old one. Throws on another shape. */
  assign(next) {
    if (!sameShape(next.shape, this.shape) || next.dtype !== this.dtype) {
      throw new ShapeError(
        `assign: ${this.name || "variable"} is ${formatShape(this.shape)} ${this.dtype}, not ${formatShape(next.shape)} ${next.dtype}`
      );
    }
    noteUpdate(this, this.current);
    this.current = next.value;
  }
  /** Its content from host data. Throws ShapeError where the number of elements differs. */
  set(data2) {
    if (data2.length !== this.size) {
      throw new ShapeError(
        `set: ${this.name || "variable"} is ${formatShape(this.shape)}, ${this.size} elements; got ${data2.length}`
      );
    }
    const copy = new dtypes[this.dtype].make(data2);
    this.assign(new Tensor(hostValue(copy, this.shape, this.dtype)));
  }
  /** @internal Makes `value` its content, with nothing recorded. */
  adopt(value) {
    value.variable = this;
    value.requiresGrad = this.gradientWanted;
    this.current = value;
  }
  /** @internal The buffer for its next content: the one before the present, if it has the size. */
  takeSpare() {
    const spare = this.spare ?? new Storage(this.current.bytes);
    this.spare = void 0;
    return spare;
  }
  /** @internal Keeps `storage` for the content after next. */
  keepSpare(storage) {
    this.spare = storage;
  }
};
function tensor(data2, { shape, dtype, requiresGrad = false } = {}) {
  const found = ArrayBuffer.isView(data2) ? { numbers: data2, shape: [data2.length] } : flattenNested("tensor", data2);
  const wanted = shape ?? found.shape;
  checkShape("tensor", wanted);
  const { length: length2 } = found.numbers;
  if (sizeOf(wanted) !== length2) {
    throw new ShapeError(
      `tensor: ${length2} elements do not fill ${formatShape(wanted)} (${sizeOf(wanted)})`
    );
  }
  const kind = dtype ?? dtypeOf(data2);
  const made2 = new Tensor(hostValue(new dtypes[kind].make(found.numbers), wanted, kind));
  if (requiresGrad) made2.requiresGrad = true;
  return made2;
}
function dtypeOf(data2) {
  if (data2 instanceof Float64Array) return "float64";
  if (data2 instanceof Int32Array) return "int32";
  if (data2 instanceof Uint8Array) return "bool";
  let first = data2;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "float32";
}
function flattenNested(op, data2) {
  const numbers2 = [];
  return { numbers: numbers2, shape: append(op, data2, numbers2) };
}
function append(op, data2, into) {
  if (typeof data2 === "number" || typeof data2 === "boolean") {
    into.push(Number(data2));
    return [];
  }
  if (!Array.isArray(data2)) {
    throw new ArgumentError(`${op}: ${typeof data2} is neither a number nor an array of them`);
  }
  let inner;
  data2.forEach((row, index) => {
    const shape = append(op, row, into);
    inner ??= shape;
    if (!sameShape(inner, shape)) {
      throw new ShapeError(
        `${op}: ragged data: entry 0 has shape ${formatShape(inner)}, entry ${index} has ${formatShape(shape)}`
      );
    }
  });
  return [data2.length, ...inner ?? []];
}
function nest(data2, shape) {
  const build3 = (axis, start, size) => {
    if (axis === shape.length) return data2[start];
    const step = size / shape[axis];
    return Array.from({ length: shape[axis] }, (_, i) => build3(axis + 1, start + i * step, step));
  };
  return build3(0, 0, data2.length);
}

// src/op.ts
var gradientsEnabled = true;
function noGrad(body) {
  const before = gradientsEnabled;
  gradientsEnabled = false;
  try {
    return body();
  } finally {
    gradientsEnabled = before;
  }
}
function record(op, operands, attributes) {
  const values2 = operands.map((operand2) => operand2.value);
  const specs = op.infer(values2, attributes);
  const node = new Node(op, values2, attributes, Array.isArray(specs) ? specs : [specs]);
  if (gradientsEnabled && op.vjp && values2.some((value) => value.requiresGrad)) {
    for (const output of node.outputs.slice(0, op.differentiable)) {
      output.requiresGrad = isFloat(output.dtype);
    }
  }
  return node.outputs.map((output) => new Tensor(output));
}
function loweringOf(row) {
  if ("elementwise" in row) return { kind: "elementwise", instruction: row.elementwise };
  if ("view" in row) return { kind: "view", view: row.view };
  return { kind: "kernel", emit: row.kernel };
}
function defineOp(name, row) {
  const op = {
    name,
    infer: (operands, attributes) => row.infer(operands, attributes),
    lowering: loweringOf(row),
    vjp: row.vjp,
    ...row.differentiable !== void 0 && { differentiable: row.differentiable },
    ...row.inPlace && { inPlace: row.inPlace },
    ...row.takesAddend && { takesAddend: row.takesAddend }
  };
  const all = (...args) => {
    const { operands, attributes } = row.signature(...args);
    return record(op, operands, attributes);
  };
  return Object.assign((...args) => all(...args)[0], { all });
}

// src/random.ts
var wordSize = 2 ** 32;
var rounds = 10;
var multipliers = [3528531795, 3449720151];
var keySteps = [2654435769, 3144134277];
function multiply(a, b) {
  const [aHigh, aLow] = [a >>> 16, a & 65535];
  const [bHigh, bLow] = [b >>> 16, b & 65535];
  const middle = aHigh * bLow + Math.floor(aLow * bLow / 65536);
  const carry = aLow * bHigh + middle % 65536;
  const high = aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(carry / 65536);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}
function philox(counter, key) {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round2 = 0; round2 < rounds; round2++) {
    const [high0, low0] = multiply(multipliers[0], a);
    const [high1, low1] = multiply(multipliers[1], c);
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0];
    k0 = k0 + keySteps[0] >>> 0;
    k1 = k1 + keySteps[1] >>> 0;
  }
  return [a, b, c, d];
}
var Generator = class {
  seed;
  draws = 0;
  words = [];
  /** `seed`: a whole number from 0 to 2⁵³−1. */
  constructor(seed5) {
    checkSeed("Generator", seed5);
    this.seed = seed5;
  }
  /** What to give `restore` to go on from here. */
  get state() {
    return { seed: this.seed, draws: this.draws };
  }
  /** Goes on from a state. Throws ArgumentError for one that no generator had. */
  restore({ seed: seed5, draws: draws2 }) {
    checkSeed("Generator", seed5);
    if (!Number.isSafeInteger(draws2) || draws2 < 0) {
      throw new ArgumentError(`Generator: ${draws2} draws are no whole number \u2265 0`);
    }
    this.seed = seed5;
    this.draws = draws2;
    if (draws2 % 4 !== 0) this.words = this.block();
  }
  /** A whole number below 2³². */
  uint32() {
    if (this.draws % 4 === 0) this.words = this.block();
    return this.words[this.draws++ % 4];
  }
  /** An even choice from [0, 1), a multiple of 2⁻³². */
  uniform() {
    return this.uint32() / wordSize;
  }
  /** A whole number below `limit`, which is 1 to 2³², every one as likely. */
  below(limit) {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= wordSize)) {
      throw new ArgumentError(`Generator: below(${limit}); the limit must be from 1 to 2^32`);
    }
    const fair = wordSize - wordSize % limit;
    let word2 = this.uint32();
    while (word2 >= fair) word2 = this.uint32();
    return word2 % limit;
  }
  /** A number of the standard normal distribution (Marsaglia & Bray's polar method, 1964). */
  normal() {
    for (; ; ) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt(-2 * logarithm(s) / s);
    }
  }
  /** Puts `items` in a random order (Fisher & Yates). */
  shuffle(items) {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const item = items[last];
      items[last] = items[other];
      items[other] = item;
    }
  }
  block() {
    const block = Math.floor(this.draws / 4);
    const split2 = (x) => [x % wordSize, Math.floor(x / wordSize)];
    return philox([...split2(block), 0, 0], split2(this.seed));
  }
};
function checkSeed(caller, seed5) {
  if (Number.isSafeInteger(seed5) && seed5 >= 0) return;
  throw new ArgumentError(`${caller}: seed ${seed5} is not a whole number from 0 to 2^53 - 1`);
}
function logarithm(x) {
  let exponent = 0;
  let m2 = x;
  for (; m2 < Math.SQRT1_2; m2 *= 2) exponent--;
  const s = (m2 - 1) / (m2 + 1);
  const z = s * s;
  let sum2 = 0;
  for (let k2 = 21; k2 >= 1; k2 -= 2) sum2 = sum2 * z + 1 / k2;
  return 2 * s * sum2 + exponent * Math.LN2;
}

// src/trace.ts
var current3;
function currentTrace() {
  return current3;
}
function withTrace(body) {
  const outer = current3;
  current3 = { key: void 0, streams: 0 };
  try {
    return body();
  } finally {
    current3 = outer;
  }
}
function dynamic(data2, shape, dtype) {
  if (!current3) return new Tensor(hostValue(data2.provide(), shape, dtype));
  return new Tensor(new Value(shape, dtype, { source: { kind: "dynamic", ...data2 } }));
}

// src/seed.ts
var seed = 0;
var draws = 0;
var host = new Generator(0);
function manualSeed(value) {
  checkSeed("manualSeed", value);
  setRandomState({ seed: value, draws: 0, host: { seed: value, draws: 0 } });
}
function setRandomState(saved) {
  checkSeed("setRandomState", saved.seed);
  if (!Number.isSafeInteger(saved.draws) || saved.draws < 0) {
    throw new ArgumentError(`setRandomState: ${saved.draws} draws are no whole number \u2265 0`);
  }
  host.restore(saved.host);
  ({ seed, draws } = saved);
}
function hostGenerator() {
  return host;
}
var wordSize2 = 2 ** 32;
var keys = {
  provide: () => Int32Array.of(seed % wordSize2, Math.floor(seed / wordSize2), draws++ % wordSize2, 0),
  undo: () => {
    draws--;
  }
};
function nextKey() {
  const trace2 = currentTrace();
  if (!trace2) return { key: dynamic(keys, [4], "int32"), stream: 0 };
  trace2.key ??= dynamic(keys, [4], "int32");
  return { key: trace2.key, stream: trace2.streams++ };
}

// src/ops/elementwise.ts
var elementwise_exports = {};
__export(elementwise_exports, {
  abs: () => abs,
  add: () => add,
  cast: () => cast,
  ceil: () => ceil,
  checkProbability: () => checkProbability,
  clamp: () => clamp,
  cos: () => cos,
  detach: () => detach,
  div: () => div,
  dropout: () => dropout,
  dropoutWith: () => dropoutWith,
  eq: () => eq,
  erf: () => erf,
  exp: () => exp,
  expm1: () => expm1,
  floor: () => floor,
  ge: () => ge,
  gelu: () => gelu,
  gt: () => gt,
  isFinite: () => isFinite,
  isNaN: () => isNaN,
  le: () => le,
  log: () => log,
  log1p: () => log1p,
  logicalAnd: () => logicalAnd,
  logicalNot: () => logicalNot,
  logicalOr: () => logicalOr,
  logicalXor: () => logicalXor,
  lt: () => lt,
  maximum: () => maximum,
  minimum: () => minimum,
  mul: () => mul,
  ne: () => ne,
  neg: () => neg,
  pow: () => pow,
  reciprocal: () => reciprocal,
  relu: () => relu,
  remainder: () => remainder,
  round: () => round,
  rsqrt: () => rsqrt,
  sigmoid: () => sigmoid,
  sign: () => sign,
  silu: () => silu,
  sin: () => sin,
  softplus: () => softplus,
  sqrt: () => sqrt,
  square: () => square,
  sub: () => sub,
  tanh: () => tanh,
  where: () => where
});

// src/ops/reduce.ts
var reduce_exports = {};
__export(reduce_exports, {
  argMax: () => argMax,
  argMin: () => argMin,
  checkFloat: () => checkFloat,
  max: () => max,
  mean: () => mean,
  min: () => min,
  prod: () => prod,
  sum: () => sum,
  sumTo: () => sumTo,
  variance: () => variance
});

// src/ops/movement.ts
var movement_exports = {};
__export(movement_exports, {
  broadcastTo: () => broadcastTo,
  concat: () => concat,
  flatten: () => flatten,
  pad: () => pad,
  permute: () => permute,
  reshape: () => reshape,
  slice: () => slice,
  split: () => split,
  squeeze: () => squeeze,
  stack: () => stack,
  transpose: () => transpose,
  unsqueeze: () => unsqueeze
});
var reshape = defineOp("reshape", {
  signature: (x, shape) => ({
    operands: [x],
    attributes: { shape: infer(x, shape) }
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  view: (layout, { shape }) => reshapeLayout(layout, shape),
  vjp: (dy, { operands: [x] }) => [reshape(dy, x.shape)]
});
function infer(x, shape) {
  const open = shape.indexOf(-1);
  const known = sizeOf(shape.filter((_, axis) => axis !== open));
  const found = shape.map((size, axis) => axis === open ? x.size / known : size);
  const whole2 = found.every((size) => Number.isInteger(size) && size >= 0);
  if (!whole2 || sizeOf(found) !== x.size) {
    throw new ShapeError(
      `reshape: ${formatShape(x.shape)} has ${x.size} elements, which do not fill ${formatShape(shape)}`
    );
  }
  return found;
}
function flatten(x, { start = 0, end = -1 } = {}) {
  if (x.rank === 0) return reshape(x, [1]);
  const first = normalizeAxis("flatten", start, x.rank);
  const last = normalizeAxis("flatten", end, x.rank);
  const merged = sizeOf(x.shape.slice(first, last + 1));
  return reshape(x, [...x.shape.slice(0, first), merged, ...x.shape.slice(last + 1)]);
}
function unsqueeze(x, axis) {
  const at2 = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at2), 1, ...x.shape.slice(at2)]);
}
function squeeze(x, axis) {
  if (axis === void 0)
    return reshape(
      x,
      x.shape.filter((length2) => length2 !== 1)
    );
  const at2 = normalizeAxis("squeeze", axis, x.rank);
  if (x.shape[at2] !== 1) {
    throw new ShapeError(`squeeze: axis ${axis} of ${formatShape(x.shape)} is not of length 1`);
  }
  return reshape(x, [...x.shape.slice(0, at2), ...x.shape.slice(at2 + 1)]);
}
var permute = defineOp("permute", {
  signature: (x, axes) => {
    const order2 = axes.map((axis) => normalizeAxis("permute", axis, x.rank));
    if (new Set(order2).size !== x.rank || axes.length !== x.rank) {
      throw new ArgumentError(
        `permute: [${axes.join(", ")}] does not name each of the ${x.rank} axes of ${formatShape(x.shape)} once`
      );
    }
    return { operands: [x], attributes: { axes: order2 } };
  },
  infer: ([x], { axes }) => ({ shape: axes.map((axis) => x.shape[axis]), dtype: x.dtype }),
  view: ({ shape, strides, offset }, { axes }) => ({
    shape: axes.map((axis) => shape[axis]),
    strides: axes.map((axis) => strides[axis]),
    offset
  }),
  vjp: (dy, { attributes: { axes } }) => [
    permute(
      dy,
      axes.map((_, axis) => axes.indexOf(axis))
    )
  ]
});
function transpose(x, axis0 = -2, axis1 = -1) {
  const a = normalizeAxis("transpose", axis0, x.rank);
  const b = normalizeAxis("transpose", axis1, x.rank);
  const swapped = (axis) => axis === a ? b : axis === b ? a : axis;
  return permute(
    x,
    x.shape.map((_, axis) => swapped(axis))
  );
}
var broadcastTo = defineOp("broadcastTo", {
  signature: (x, shape) => {
    checkShape("broadcastTo", shape);
    if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
      throw new ShapeError(
        `broadcastTo: ${formatShape(x.shape)} does not stretch to ${formatShape(shape)}`
      );
    }
    return { operands: [x], attributes: { shape } };
  },
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  view: (layout, { shape }) => broadcastLayout(layout, shape),
  vjp: (dy, { operands: [x] }) => [sumTo(dy, x.shape)]
});
var strided = defineOp("slice", {
  signature: (x, starts, steps2, shape) => ({
    operands: [x],
    attributes: { starts, steps: steps2, shape }
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  view: ({ strides, offset }, { starts, steps: steps2, shape }) => ({
    shape,
    strides: strides.map((stride, axis) => stride * steps2[axis]),
    offset: starts.reduce((sum2, start, axis) => sum2 + start * strides[axis], offset)
  }),
  vjp: (dy, { operands: [x], attributes: { starts, steps: steps2 } }) => [
    embed(dy, x.shape, starts, steps2)
  ]
});
var embed = defineOp("embed", {
  signature: (x, shape, starts, steps2) => ({
    operands: [x],
    attributes: { shape, starts, steps: steps2 }
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  kernel: (emitter, { shape, starts, steps: steps2 }) => {
    emitter.output(0);
    emitter.fill(0);
    emitter.copyInto(0, region(shape, emitter.operands[0].shape, starts, steps2));
  },
  vjp: (dy, { operands: [x], attributes: { starts, steps: steps2 } }) => [
    strided(dy, starts, steps2, x.shape)
  ]
});
function region(outer, inner, starts, steps2) {
  const strides = stridesOf(outer);
  return {
    shape: inner,
    strides: strides.map((stride, axis) => stride * steps2[axis]),
    offset: starts.reduce((sum2, start, axis) => sum2 + start * strides[axis], 0)
  };
}
function slice(x, ranges) {
  if (ranges.length > x.rank) {
    throw new ArgumentError(
      `slice: ${ranges.length} ranges for the ${x.rank} axes of ${formatShape(x.shape)}`
    );
  }
  const bounds = x.shape.map((length2, axis) => {
    const [start, end = length2, step = 1] = ranges[axis] ?? [0];
    if (!Number.isInteger(step) || step < 1 || !Number.isInteger(start) || !Number.isInteger(end)) {
      throw new ArgumentError(
        `slice: [${start}, ${end}, ${step}] on axis ${axis}: whole numbers, and a step of \u2265 1`
      );
    }
    const clip = (at2) => Math.min(Math.max(at2 < 0 ? at2 + length2 : at2, 0), length2);
    const from = clip(start);
    return { from, step, count: Math.max(0, Math.ceil((clip(end) - from) / step)) };
  });
  const whole2 = bounds.every(({ step, count }, axis) => step === 1 && count === x.shape[axis]);
  if (whole2) return x;
  return strided(
    x,
    bounds.map(({ from }) => from),
    bounds.map(({ step }) => step),
    bounds.map(({ count }) => count)
  );
}
var join = defineOp("concat", {
  signature: (tensors, axis) => {
    const [first] = tensors;
    if (!first) throw new ArgumentError("concat: no tensors");
    return { operands: tensors, attributes: { axis: normalizeAxis("concat", axis, first.rank) } };
  },
  infer: ([first, ...others], { axis }) => {
    let length2 = first.shape[axis];
    let dtype = first.dtype;
    for (const { shape, dtype: other } of others) {
      const fits2 = shape.length === first.shape.length && shape.every((size, i) => i === axis || size === first.shape[i]);
      if (!fits2) {
        throw new ShapeError(
          `concat: ${formatShape(first.shape)} and ${formatShape(shape)} differ outside axis ${axis}`
        );
      }
      length2 += shape[axis];
      dtype = promote(dtype, other);
    }
    return { shape: first.shape.map((size, i) => i === axis ? length2 : size), dtype };
  },
  kernel: (emitter, { axis }) => {
    emitter.output(0);
    const { shape } = emitter.outputs[0];
    const steps2 = shape.map(() => 1);
    let at2 = 0;
    emitter.operands.forEach((operand2, index) => {
      const starts = shape.map((_, i) => i === axis ? at2 : 0);
      emitter.copyInto(index, region(shape, operand2.shape, starts, steps2));
      at2 += operand2.shape[axis];
    });
  },
  vjp: (dy, { operands, attributes: { axis } }) => {
    let at2 = 0;
    return operands.map(({ shape }) => {
      const start = at2;
      at2 += shape[axis];
      return slice(
        dy,
        shape.map((_, i) => i === axis ? [start, at2] : null)
      );
    });
  }
});
function concat(tensors, axis = 0) {
  return join(tensors, axis);
}
function stack(tensors, axis = 0) {
  return concat(
    tensors.map((tensor2) => unsqueeze(tensor2, axis)),
    axis
  );
}
function split(x, lengths, axis = 0) {
  const at2 = normalizeAxis("split", axis, x.rank);
  const total3 = lengths.reduce((sum2, length2) => sum2 + length2, 0);
  if (total3 !== x.shape[at2]) {
    throw new ShapeError(
      `split: lengths [${lengths.join(", ")}] add up to ${total3}, axis ${axis} of ${formatShape(x.shape)} is ${x.shape[at2]}`
    );
  }
  let start = 0;
  return lengths.map((length2) => {
    const range = [start, start += length2];
    return slice(
      x,
      x.shape.map((_, i) => i === at2 ? range : null)
    );
  });
}
function pad(x, widths, { value = 0 } = {}) {
  if (widths.length !== x.rank || widths.flat().some((n2) => !Number.isInteger(n2) || n2 < 0)) {
    throw new ArgumentError(
      `pad: ${formatShape(x.shape)} needs [before, after] \u2265 0 for each of its ${x.rank} axes`
    );
  }
  let padded2 = x;
  widths.forEach(([before, after], axis) => {
    const side = (length2) => full(
      padded2.shape.map((size, i) => i === axis ? length2 : size),
      value,
      x.dtype
    );
    if (before + after > 0) padded2 = concat([side(before), padded2, side(after)], axis);
  });
  return padded2;
}

// src/ops/reduce.ts
var pieceSize = 16384;
var leastPiece = 16;
var scratchPerPiece = 16;
var kinds2 = { sum: 0, max: 1, min: 2, argMax: 3, argMin: 4, prod: 5 };
function keptShape(shape, { first, last }) {
  return shape.map((length2, axis) => axis >= first && axis <= last ? 1 : length2);
}
function emitReduction(kind, emitter, { first, last }) {
  const { shape, dtype } = emitter.operands[0];
  const outer = sizeOf(shape.slice(0, first));
  const axis = sizeOf(shape.slice(first, last + 1));
  const inner = sizeOf(shape.slice(last + 1));
  if (outer * inner === 0) {
    emitter.output(0);
    return;
  }
  const pieceLength = Math.max(leastPiece, Math.floor(pieceSize / inner));
  const pieces = Math.max(1, Math.ceil(axis / pieceLength));
  const scratch = emitter.scratch(outer * pieces * inner * scratchPerPiece);
  const { code } = dtypes[dtype];
  const x = emitter.dense(0);
  const out = emitter.output(0);
  emitter.call("reduce", code, kind, outer, axis, inner, x, out, scratch, pieceLength);
}
function reduction(name, vjp, dtypeOf2 = (dtype) => dtype) {
  return defineOp(name, {
    signature: (x, first, last) => ({
      operands: [x.dtype === "bool" ? cast(x, "int32") : x],
      attributes: { first, last }
    }),
    infer: ([x], run) => ({ shape: keptShape(x.shape, run), dtype: dtypeOf2(x.dtype) }),
    kernel: (emitter, run) => emitReduction(kinds2[name], emitter, run),
    vjp
  });
}
var reduceSum = reduction("sum", (dy, { operands: [x] }) => [
  broadcastTo(dy, x.shape)
]);
var extremeVjp = (dy, { operands: [x], outputs: [y], attributes }) => {
  const hits = cast(eq(x, y), dy.dtype);
  return [mul(hits, div(dy, reduceSum(hits, attributes.first, attributes.last)))];
};
var reduceMax = reduction("max", extremeVjp);
var reduceMin = reduction("min", extremeVjp);
var reduceProd = reduction("prod", (dy, { operands: [x], attributes }) => {
  const { first, last } = attributes;
  const zero = eq(x, 0);
  const others = reduceProd(where(zero, 1, x), first, last);
  const zeros3 = reduceSum(cast(zero, dy.dtype), first, last);
  const noZero = where(eq(zeros3, 0), div(others, where(zero, 1, x)), 0);
  const oneZero = where(eq(zeros3, 1), others, 0);
  return [mul(dy, where(zero, oneZero, noZero))];
});
var reduceArgMax = reduction("argMax", null, () => "int32");
var reduceArgMin = reduction("argMin", null, () => "int32");
function over(name, reduce2, x, { axis, keepDims = false }) {
  const axes = normalizeAxes(name, axis, x.rank);
  let result = x;
  for (let at2 = axes.length - 1; at2 >= 0; at2--) {
    const last = axes[at2];
    while (at2 > 0 && axes[at2 - 1] === axes[at2] - 1) at2--;
    result = reduce2(result, axes[at2], last);
  }
  if (axes.length === 0) return x;
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  return keepDims ? result : reshape(result, shape);
}
function sum(x, options = {}) {
  return over("sum", reduceSum, x, options);
}
function prod(x, options = {}) {
  return over("prod", reduceProd, x, options);
}
function mean(x, options = {}) {
  const values2 = isFloat(x.dtype) ? x : cast(x, "float32");
  const axes = normalizeAxes("mean", options.axis, x.rank);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return div(sum(values2, options), count);
}
function variance(x, { correction = 1, ...options } = {}) {
  const axes = normalizeAxes("variance", options.axis, x.rank);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  const centre = mean(x, { axis: axes, keepDims: true });
  return div(sum(square(sub(x, centre)), options), Math.max(0, count - correction));
}
function max(x, options = {}) {
  checkSome("max", x, options);
  return over("max", reduceMax, x, options);
}
function min(x, options = {}) {
  checkSome("min", x, options);
  return over("min", reduceMin, x, options);
}
function argMax(x, { axis = -1, keepDims = false } = {}) {
  return argument("argMax", reduceArgMax, x, axis, keepDims);
}
function argMin(x, { axis = -1, keepDims = false } = {}) {
  return argument("argMin", reduceArgMin, x, axis, keepDims);
}
function argument(name, reduce2, x, axis, keepDims) {
  const normal3 = normalizeAxis(name, axis, x.rank);
  checkSome(name, x, { axis: normal3 });
  return over(name, reduce2, x, { axis: normal3, keepDims });
}
function checkSome(name, x, { axis }) {
  const axes = normalizeAxes(name, axis, x.rank);
  if (axes.every((i) => x.shape[i] > 0)) return;
  throw new ShapeError(`${name}: ${formatShape(x.shape)} has no elements along the axes reduced`);
}
function sumTo(x, shape) {
  if (sameShape(x.shape, shape)) return x;
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap(
    (length2, axis) => axis < lead || shape[axis - lead] === 1 && length2 !== 1 ? [axis] : []
  );
  return reshape(axes.length > 0 ? sum(x, { axis: axes }) : x, shape);
}
function checkFloat(op, { dtype }) {
  if (!isFloat(dtype)) {
    throw new DTypeError(`${op}: takes float32 or float64, not ${dtype}; cast() it first`);
  }
}

// src/ops/elementwise.ts
function pair(a, b) {
  const lift = (value, other) => {
    const near = typeof other === "number" ? "float32" : other.dtype;
    const fits2 = isFloat(near) || Number.isInteger(value);
    const dtype = near === "bool" ? "int32" : near;
    return constant(value, fits2 ? dtype : "float32");
  };
  return [typeof a === "number" ? lift(a, b) : a, typeof b === "number" ? lift(b, a) : b];
}
function floatOf(dtype) {
  return isFloat(dtype) ? dtype : "float32";
}
function unary(name, opcode, rule, dtypeOf2 = floatOf) {
  return defineOp(name, {
    signature: (x) => ({ operands: [x], attributes: {} }),
    infer: ([x]) => ({ shape: x.shape, dtype: dtypeOf2(x.dtype) }),
    elementwise: () => ({ opcode }),
    vjp: rule && ((dy, { operands: [x], outputs: [y] }) => [rule(dy, x, y)])
  });
}
function binary(name, opcode, rule, dtypeOf2 = (dtype) => dtype === "bool" ? "int32" : dtype) {
  const vjp = rule && ((dy, { operands: [a, b], outputs: [y], needs }) => {
    const grads = rule(dy, a, b, y);
    return [a, b].map(
      (operand2, i) => needs[i] ? sumTo(grads[i](), operand2.shape) : void 0
    );
  });
  return defineOp(name, {
    signature: (a, b) => ({ operands: pair(a, b), attributes: {} }),
    infer: ([a, b]) => ({
      shape: broadcastShapes(name, a.shape, b.shape),
      dtype: dtypeOf2(promote(a.dtype, b.dtype))
    }),
    elementwise: () => ({ opcode }),
    vjp
  });
}
var toBool = () => "bool";
var same = (dtype) => dtype;
var add = binary("add", Opcode.Add, (dy) => [() => dy, () => dy]);
var sub = binary("sub", Opcode.Sub, (dy) => [() => dy, () => neg(dy)]);
var mul = binary("mul", Opcode.Mul, (dy, a, b) => [
  () => mul(dy, b),
  () => mul(dy, a)
]);
var div = binary(
  "div",
  Opcode.Div,
  (dy, _, b, y) => [() => div(dy, b), () => neg(div(mul(dy, y), b))],
  floatOf
);
var pow = binary(
  "pow",
  Opcode.Pow,
  (dy, a, b, y) => [
    () => mul(dy, mul(b, pow(a, sub(b, 1)))),
    () => mul(dy, where(eq(a, 0), 0, mul(y, log(a))))
  ],
  floatOf
);
var maximum = binary("maximum", Opcode.Maximum, (dy, a, b) => [
  () => mul(dy, share(gt(a, b), eq(a, b), dy.dtype)),
  () => mul(dy, share(gt(b, a), eq(a, b), dy.dtype))
]);
var minimum = binary("minimum", Opcode.Minimum, (dy, a, b) => [
  () => mul(dy, share(lt(a, b), eq(a, b), dy.dtype)),
  () => mul(dy, share(lt(b, a), eq(a, b), dy.dtype))
]);
var remainder = binary("remainder", Opcode.Remainder, (dy, a, b) => [
  () => dy,
  () => neg(mul(dy, floor(div(a, b))))
]);
function share(wins, ties, dtype) {
  return add(cast(wins, dtype), mul(cast(ties, dtype), 0.5));
}
var eq = binary("eq", Opcode.Eq, null, toBool);
var ne = binary("ne", Opcode.Ne, null, toBool);
var lt = binary("lt", Opcode.Lt, null, toBool);
var le = binary("le", Opcode.Le, null, toBool);
var gt = binary("gt", Opcode.Gt, null, toBool);
var ge = binary("ge", Opcode.Ge, null, toBool);
var logicalAnd = binary("logicalAnd", Opcode.And, null, toBool);
var logicalOr = binary("logicalOr", Opcode.Or, null, toBool);
var logicalXor = binary("logicalXor", Opcode.Xor, null, toBool);
var logicalNot = unary("logicalNot", Opcode.Not, null, toBool);
var isNaN = unary("isNaN", Opcode.IsNan, null, toBool);
var isFinite = unary("isFinite", Opcode.IsFinite, null, toBool);
var neg = unary("neg", Opcode.Neg, (dy) => neg(dy), same);
var abs = unary("abs", Opcode.Abs, (dy, x) => mul(dy, sign(x)), same);
var sign = unary("sign", Opcode.Sign, null, same);
var floor = unary("floor", Opcode.Floor, null, same);
var ceil = unary("ceil", Opcode.Ceil, null, same);
var round = unary("round", Opcode.Round, null, same);
var square = unary("square", Opcode.Square, (dy, x) => mul(dy, mul(x, 2)), same);
var reciprocal = unary(
  "reciprocal",
  Opcode.Recip,
  (dy, _, y) => neg(mul(dy, square(y)))
);
var sqrt = unary("sqrt", Opcode.Sqrt, (dy, _, y) => div(dy, mul(y, 2)));
var rsqrt = unary(
  "rsqrt",
  Opcode.Rsqrt,
  (dy, _, y) => mul(mul(dy, -0.5), mul(y, square(y)))
);
var exp = unary("exp", Opcode.Exp, (dy, _, y) => mul(dy, y));
var expm1 = unary("expm1", Opcode.Expm1, (dy, _, y) => mul(dy, add(y, 1)));
var log = unary("log", Opcode.Log, (dy, x) => div(dy, x));
var log1p = unary("log1p", Opcode.Log1p, (dy, x) => div(dy, add(x, 1)));
var sin = unary("sin", Opcode.Sin, (dy, x) => mul(dy, cos(x)));
var cos = unary("cos", Opcode.Cos, (dy, x) => neg(mul(dy, sin(x))));
var tanh = unary("tanh", Opcode.Tanh, (dy, _, y) => mul(dy, sub(1, square(y))));
var sigmoid = unary(
  "sigmoid",
  Opcode.Sigmoid,
  (dy, _, y) => mul(dy, mul(y, sub(1, y)))
);
var relu = unary("relu", Opcode.Relu, (dy, x) => where(gt(x, 0), dy, 0), same);
var softplus = unary("softplus", Opcode.Softplus, (dy, x) => mul(dy, sigmoid(x)));
var silu = unary("silu", Opcode.Silu, (dy, x) => {
  const s = sigmoid(x);
  return mul(dy, mul(s, add(1, mul(x, sub(1, s)))));
});
var erf = unary(
  "erf",
  Opcode.Erf,
  (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))
);
var geluExact = unary("gelu", Opcode.Gelu, (dy, x) => {
  const cumulative = mul(add(erf(mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, add(cumulative, mul(x, density)));
});
var [geluSlope, geluCubic] = [Math.sqrt(2 / Math.PI), 0.044715];
var geluTanh = unary("geluTanh", Opcode.GeluTanh, (dy, x) => {
  const t = tanh(mul(mul(x, geluSlope), add(mul(square(x), geluCubic), 1)));
  const inner = mul(add(mul(square(x), 3 * geluCubic), 1), geluSlope);
  const slope = mul(mul(x, sub(1, square(t))), inner);
  return mul(dy, mul(add(add(t, 1), slope), 0.5));
});
function gelu(x, { approximate = "none" } = {}) {
  return approximate === "tanh" ? geluTanh(x) : geluExact(x);
}
var where = defineOp("where", {
  signature: (condition, a, b) => ({
    operands: [condition, ...pair(a, b)],
    attributes: {}
  }),
  infer: ([condition, a, b]) => ({
    shape: broadcastShapes("where", condition.shape, broadcastShapes("where", a.shape, b.shape)),
    dtype: promote(a.dtype, b.dtype)
  }),
  elementwise: () => ({ opcode: Opcode.Where }),
  vjp: (dy, { operands: [condition, a, b], needs }) => [
    void 0,
    needs[1] ? sumTo(where(condition, dy, 0), a.shape) : void 0,
    needs[2] ? sumTo(where(condition, 0, dy), b.shape) : void 0
  ]
});
function clamp(x, min2, max2) {
  if (!(min2 <= max2)) throw new ArgumentError(`clamp: min ${min2} is not below max ${max2}`);
  return where(lt(x, min2), min2, where(gt(x, max2), max2, x));
}
var convert = defineOp("cast", {
  signature: (x, dtype) => ({ operands: [x], attributes: { dtype } }),
  infer: ([x], { dtype }) => ({ shape: x.shape, dtype }),
  elementwise: () => ({ opcode: Opcode.Copy }),
  vjp: (dy, { operands: [x] }) => [convert(dy, x.dtype)]
});
function cast(x, dtype) {
  if (x.dtype === dtype) return x;
  if (dtype === "bool") return ne(x, 0);
  const whole2 = dtype === "int32" && isFloat(x.dtype);
  return convert(whole2 ? where(lt(x, 0), ceil(x), floor(x)) : x, dtype);
}
var detach = defineOp("detach", {
  signature: (x) => ({ operands: [x], attributes: {} }),
  infer: ([x]) => ({ shape: x.shape, dtype: x.dtype }),
  view: (layout) => layout,
  vjp: null
});
var dropoutWith = defineOp("dropout", {
  signature: (x, key, p, stream) => ({
    operands: [x, key],
    attributes: { p, stream }
  }),
  infer: ([x]) => ({ shape: x.shape, dtype: floatOf(x.dtype) }),
  elementwise: ({ p, stream }) => ({
    opcode: Opcode.Dropout,
    immediate: p,
    random: { key: 1, stream }
  }),
  vjp: (dy, { operands: [, key], attributes: { p, stream } }) => [
    dropoutWith(dy, key, p, stream)
  ]
});
function checkProbability(op, p) {
  if (p >= 0 && p <= 1) return;
  throw new ArgumentError(`${op}: p = ${p} is not a probability from 0 to 1`);
}
function dropout(x, { p = 0.5, training = true } = {}) {
  checkProbability("dropout", p);
  if (!training || p === 0) return x;
  const { key, stream } = nextKey();
  return dropoutWith(x, key, p, stream);
}

// src/ops/creation.ts
var constant = defineOp("constant", {
  signature: (value, dtype = "float32") => ({
    operands: [],
    attributes: { value, dtype }
  }),
  infer: (_, { dtype }) => ({ shape: [], dtype }),
  elementwise: ({ value }) => ({ opcode: Opcode.Const, immediate: value }),
  vjp: null
});
function full(shape, value, dtype = "float32") {
  return broadcastTo(constant(value, dtype), shape);
}
function zeros(shape, dtype = "float32") {
  return full(shape, 0, dtype);
}
function ones(shape, dtype = "float32") {
  return full(shape, 1, dtype);
}
var iota = defineOp("arange", {
  signature: (length2, dtype) => ({ operands: [], attributes: { length: length2, dtype } }),
  infer: (_, { length: length2, dtype }) => ({ shape: [length2], dtype }),
  elementwise: () => ({ opcode: Opcode.Iota }),
  vjp: null
});
function arange(startOrEnd, end, { step = 1, dtype = "int32" } = {}) {
  const [start, stop] = end === void 0 ? [0, startOrEnd] : [startOrEnd, end];
  if (step === 0) throw new ArgumentError("arange: the step is 0");
  const length2 = Math.max(0, Math.ceil((stop - start) / step));
  checkShape("arange", [length2]);
  return add(mul(iota(length2, dtype), step), start);
}
var uniform = defineOp(
  "uniform",
  {
    signature: (shape, dtype = "float32") => {
      checkShape("uniform", shape);
      const { key, stream } = nextKey();
      return { operands: [key], attributes: { shape, dtype, stream } };
    },
    infer: (_, { shape, dtype }) => ({ shape, dtype }),
    elementwise: ({ stream }) => ({ opcode: Opcode.Uniform, random: { key: 0, stream } }),
    vjp: null
  }
);
function normal(shape, dtype = "float32") {
  const radius = sqrt(mul(log(sub(1, uniform(shape, dtype))), -2));
  return mul(radius, cos(mul(uniform(shape, dtype), 2 * Math.PI)));
}

// src/autograd.ts
function backward(root, { gradient, retainGraph = false, createGraph = false } = {}) {
  if (!root.requiresGrad) {
    throw new StateError(
      root.value.historyUsed ? "backward: the history was used by an earlier backward; pass retainGraph: true to that one" : "backward: the tensor depends on nothing that has requiresGrad"
    );
  }
  const seed5 = gradient ?? unitGradient("backward", root);
  checkGradient("backward", root, seed5);
  const isTarget = (value) => value.requiresGrad && !value.node;
  const accumulate = () => {
    for (const [value, grad] of walk([root.value], [seed5], isTarget)) {
      const leaf = leafTensor(value);
      if (leaf) leaf.grad = leaf.grad ? add(leaf.grad, grad) : grad;
    }
  };
  if (createGraph) accumulate();
  else noGrad(accumulate);
  if (!currentTrace()) noteRoot(root.value);
  if (!retainGraph && !createGraph) releaseHistory(root.value);
}
function gradients(outputs, inputs, seeds = outputs.map((output) => unitGradient("grad", output))) {
  const wanted = new Set(inputs.map((input) => input.value));
  const found = walk(
    outputs.map((output) => output.value),
    seeds,
    (value) => wanted.has(value)
  );
  return inputs.map((input) => found.get(input.value) ?? full(input.shape, 0, input.dtype));
}
function through(formula) {
  return (_, { operands, attributes, gradients: seeds }) => {
    const outputs = formula(operands, attributes);
    const wanted = new Set(operands.map((operand2) => operand2.value));
    const found = walk(
      outputs.map((output) => output.value),
      seeds,
      (value) => wanted.has(value)
    );
    return operands.map((operand2) => found.get(operand2.value));
  };
}
function unitGradient(op, output) {
  if (output.size !== 1) {
    throw new ShapeError(
      `${op}: ${formatShape(output.shape)} is not a single number; sum it, or pass the gradient to start from`
    );
  }
  if (!isFloat(output.dtype)) {
    throw new DTypeError(`${op}: a ${output.dtype} tensor has no gradient`);
  }
  return full(output.shape, 1, output.dtype);
}
function checkGradient(op, output, gradient) {
  if (sameShape(output.shape, gradient.shape) && output.dtype === gradient.dtype) return;
  throw new ShapeError(
    `${op}: the gradient is ${formatShape(gradient.shape)} ${gradient.dtype}, the tensor ${formatShape(output.shape)} ${output.dtype}`
  );
}
function walk(roots2, seeds, isTarget) {
  const order2 = nodesBetween(roots2, isTarget);
  const arrived = /* @__PURE__ */ new Map();
  const arrive = (value, grad) => {
    const known = arrived.get(value);
    arrived.set(value, known ? add(known, grad) : grad);
  };
  roots2.forEach((root, index) => arrive(root, seeds[index]));
  for (const { node, needs } of order2) {
    const known = node.outputs.map((output) => arrived.get(output));
    const rule = node.op.vjp;
    if (!rule || known.every((grad) => grad === void 0)) continue;
    const wanted = known.map((grad, i) => {
      const { shape, dtype } = node.outputs[i];
      return grad ?? full(shape, 0, dtype);
    });
    const found = rule(wanted[0], {
      operands: node.inputs.map((input) => new Tensor(input)),
      outputs: node.outputs.map((output) => new Tensor(output)),
      attributes: node.attributes,
      gradients: wanted,
      needs
    });
    node.inputs.forEach((input, i) => {
      const grad = found[i];
      if (grad && needs[i]) arrive(input, grad);
    });
  }
  return new Map([...arrived].filter(([value]) => isTarget(value)));
}
function nodesBetween(roots2, isTarget) {
  const nodes2 = /* @__PURE__ */ new Set();
  const stack2 = [...roots2];
  for (let value = stack2.pop(); value; value = stack2.pop()) {
    const { node } = value;
    if (isTarget(value) || !node?.op.vjp || nodes2.has(node)) continue;
    nodes2.add(node);
    stack2.push(...node.inputs);
  }
  const leads = /* @__PURE__ */ new Map();
  const wanted = (value) => isTarget(value) || value.node !== void 0 && leads.get(value.node) === true;
  const found = [];
  for (const node of [...nodes2].sort((a, b) => a.id - b.id)) {
    const needs = node.inputs.map((input) => isFloat(input.dtype) && wanted(input));
    leads.set(node, needs.includes(true));
    if (needs.includes(true)) found.push({ node, needs });
  }
  return found.reverse();
}
function releaseHistory(root) {
  const stack2 = [root];
  for (let value = stack2.pop(); value; value = stack2.pop()) {
    if (value.historyUsed || !value.node) continue;
    value.historyUsed = true;
    value.requiresGrad = false;
    if (value.source) {
      const { inputs } = value.node;
      value.node = void 0;
      stack2.push(...inputs);
    } else {
      stack2.push(...value.node.inputs);
    }
  }
}

// src/ops/matmul.ts
function productShape(a, b) {
  const [m2, k2] = a.slice(-2);
  const [inner, n2] = b.slice(-2);
  if (k2 !== inner) {
    throw new ShapeError(
      `matmul: ${formatShape(a)} \xD7 ${formatShape(b)}: inner sizes ${k2} and ${inner} differ`
    );
  }
  return [...broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2)), m2, n2];
}
function matrixOf({ strides }) {
  return [strides.at(-2), strides.at(-1)];
}
function matrix(emitter, index) {
  const found = emitter.strided(index);
  return matrixOf(found.layout).includes(1) ? found : emitter.denseRows(index);
}
var fewResults = 2 ** 16;
var pieceDepth = 1024;
var mostPieces = 8;
function piecesOf(results, k2) {
  if (results > fewResults) return 1;
  return Math.min(mostPieces, Math.max(1, Math.floor(k2 / pieceDepth)));
}
var product = defineOp("matmul", {
  signature: (a, b) => {
    const dtype = promote(a.dtype, b.dtype);
    return { operands: [cast(a, dtype), cast(b, dtype)], attributes: {} };
  },
  infer: ([a, b]) => {
    checkFloat("matmul", a);
    return { shape: productShape(a.shape, b.shape), dtype: a.dtype };
  },
  kernel: (emitter) => {
    const { shape, dtype } = emitter.outputs[0];
    if (sizeOf(shape) === 0) {
      emitter.output(0);
      return;
    }
    const a = matrix(emitter, 0);
    const b = matrix(emitter, 1);
    const k2 = a.layout.shape.at(-1);
    const n2 = shape.at(-1);
    const rows3 = b.layout.shape.length === 2 ? sizeOf(shape.slice(0, -1)) : shape.at(-2);
    const flat = rows3 === shape.at(-2) ? void 0 : reshapeLayout(a.layout, [rows3, k2]);
    const [m2, left, batch2] = flat ? [rows3, flat, []] : [shape.at(-2), a.layout, shape.slice(0, -2)];
    const batchStrides = (layout2) => {
      const outer = { ...layout2, shape: layout2.shape.slice(0, -2) };
      return broadcastLayout({ ...outer, strides: layout2.strides.slice(0, -2) }, batch2).strides;
    };
    const layout = [
      batch2.length,
      ...batch2,
      ...flat ? [] : batchStrides(left),
      ...flat ? [] : batchStrides(b.layout)
    ];
    const pieces = piecesOf(sizeOf(shape), k2);
    const addend = emitter.addend();
    emitter.call(
      "gemm",
      dtypes[dtype].code,
      m2,
      n2,
      k2,
      sizeOf(batch2),
      emitter.words(layout),
      a.place,
      ...matrixOf(left),
      b.place,
      ...matrixOf(b.layout),
      emitter.output(0),
      addend.place,
      addend.row,
      pieces,
      pieces > 1 ? emitter.scratch((pieces - 1) * sizeOf(shape) * dtypes[dtype].bytes) : 0
    );
  },
  takesAddend: true,
  // dA = dY·Bᵀ, dB = Aᵀ·dY
  vjp: (dy, { operands: [a, b], needs }) => [
    needs[0] ? sumTo(product(dy, transpose(b)), a.shape) : void 0,
    needs[1] ? rightGradient(a, dy, b.shape) : void 0
  ]
});
function rightGradient(a, dy, shape) {
  if (shape.length > 2) return sumTo(product(transpose(a), dy), shape);
  const rows3 = (x) => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)]);
  return product(transpose(rows3(a)), rows3(dy));
}
function matmul(a, b) {
  if (a.rank === 0 || b.rank === 0) {
    throw new ShapeError(
      `matmul: ${formatShape(a.shape)} \xD7 ${formatShape(b.shape)}: a scalar has no rows; use mul`
    );
  }
  const left = a.rank === 1 ? unsqueeze(a, 0) : a;
  const right = b.rank === 1 ? unsqueeze(b, 1) : b;
  const full2 = product(left, right);
  const dropRow = a.rank === 1 ? full2.rank - 2 : -1;
  const dropColumn = b.rank === 1 ? full2.rank - 1 : -1;
  if (dropRow < 0 && dropColumn < 0) return full2;
  return reshape(
    full2,
    full2.shape.filter((_, axis) => axis !== dropRow && axis !== dropColumn)
  );
}

// src/ops/softmax.ts
function rowsAndColumns(emitter) {
  const { shape, dtype } = emitter.operands[0];
  return [dtypes[dtype].code, sizeOf(shape.slice(0, -1)), shape.at(-1)];
}
var softmaxRows = defineOp("softmax", {
  signature: (x, log2) => ({ operands: [x], attributes: { log: log2 } }),
  infer: ([x]) => {
    checkFloat("softmax", x);
    return { shape: x.shape, dtype: x.dtype };
  },
  kernel: (emitter, { log: log2 }) => {
    const sizes2 = rowsAndColumns(emitter);
    const x = emitter.dense(0);
    emitter.call("softmax", ...sizes2, x, emitter.output(0), Number(log2));
  },
  vjp: (dy, { outputs: [y], attributes: { log: log2 } }) => [softmaxBackward(y, dy, log2)]
});
var softmaxBackward = defineOp(
  "softmaxBackward",
  {
    signature: (y, dy, log2) => ({
      operands: [y, dy],
      attributes: { log: log2 }
    }),
    infer: ([y]) => ({ shape: y.shape, dtype: y.dtype }),
    kernel: (emitter, { log: log2 }) => {
      const sizes2 = rowsAndColumns(emitter);
      const y = emitter.dense(0);
      const dy = emitter.dense(1);
      emitter.call("softmax_backward", ...sizes2, y, dy, emitter.output(0), Number(log2));
    },
    // softmax: dX = Y·(dY − Σ dY·Y); log-softmax: dX = dY − eʸ·Σ dY
    vjp: through(([y, dy], { log: log2 }) => {
      const over2 = { axis: -1, keepDims: true };
      return log2 ? [sub(dy, mul(exp(y), sum(dy, over2)))] : [mul(y, sub(dy, sum(mul(dy, y), over2)))];
    })
  }
);
function alongAxis(name, x, axis, log2) {
  const at2 = normalizeAxis(name, axis, x.rank);
  if (at2 === x.rank - 1) return softmaxRows(x, log2);
  return transpose(softmaxRows(transpose(x, at2, -1), log2), at2, -1);
}
function softmax(x, { axis = -1 } = {}) {
  return alongAxis("softmax", x, axis, false);
}
function logSoftmax(x, { axis = -1 } = {}) {
  return alongAxis("logSoftmax", x, axis, true);
}

// src/ops/attention.ts
function extrasOf(operands, attributes) {
  return {
    mask: attributes.mask ? operands[3] : void 0,
    random: attributes.random ? operands[attributes.mask ? 4 : 3] : void 0
  };
}
function listOf({ mask, random }) {
  return [mask, random].filter((operand2) => operand2 !== void 0);
}
function extraPlaces(emitter, { mask, random }) {
  return [mask ? emitter.dense(3) : 0, random ? emitter.dense(mask ? 4 : 3) : 0];
}
function headsInside([, heads2, length2, dim2]) {
  return [length2 * heads2 * dim2, dim2, heads2 * dim2, 1];
}
function outerStrides({ strides }) {
  return strides.slice(0, 3);
}
function sizesOf([q, k2, v]) {
  const [batch2, heads2, queries, dim2] = q.shape;
  return [batch2, heads2, queries, k2.shape[2], dim2, v.shape[3]];
}
var attend = defineOp("attention", {
  signature: (q, k2, v, extras, attributes) => ({ operands: [q, k2, v, ...listOf(extras)], attributes }),
  infer: ([q, , v]) => {
    const [batch2, heads2, queries] = q.shape;
    const { dtype } = q;
    return [
      { shape: [batch2, heads2, queries, v.shape[3]], dtype },
      { shape: [batch2, heads2, queries], dtype }
    ];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const [q, k2, v] = [0, 1, 2].map((index) => emitter.denseRows(index));
    const [mask, random] = extraPlaces(emitter, attributes);
    const strides = headsInside(emitter.outputs[0].shape);
    const [o, lse] = [emitter.output(0, strides), emitter.output(1)];
    const layout = [
      ...sizesOf(emitter.operands),
      ...[q, k2, v].flatMap(({ layout: layout2 }) => outerStrides(layout2)),
      ...outerStrides({ strides })
    ];
    emitter.call(
      "attention",
      dtypes[emitter.operands[0].dtype].code,
      emitter.words(layout),
      q.place,
      k2.place,
      v.place,
      mask,
      random,
      attributes.scale,
      Number(attributes.causal),
      attributes.dropout,
      attributes.stream,
      o,
      lse
    );
  },
  vjp: (dy, { operands, outputs: [o, lse], attributes }) => {
    const [q, k2, v] = operands;
    const extras = extrasOf(operands, attributes);
    return attentionBackward.all(q, k2, v, extras, attributes, o, lse, dy);
  }
});
var attentionBackward = defineOp("attentionBackward", {
  signature: (q, k2, v, extras, attributes, o, lse, dy) => ({ operands: [q, k2, v, ...listOf(extras), o, lse, dy], attributes }),
  infer: ([q, k2, v]) => [q, k2, v],
  kernel: (emitter, attributes) => {
    const count = emitter.operands.length;
    const [q, k2, v, o, dy] = [0, 1, 2, count - 3, count - 1].map((i) => emitter.denseRows(i));
    const [mask, random] = extraPlaces(emitter, attributes);
    const lse = emitter.dense(count - 2);
    const { dtype } = emitter.operands[0];
    const [batch2, heads2, queries] = emitter.operands[0].shape;
    const delta = emitter.scratch(batch2 * heads2 * queries * dtypes[dtype].bytes);
    const strides = emitter.outputs.map(({ shape }) => headsInside(shape));
    const [dq, dk, dv] = strides.map((inside, index) => emitter.output(index, inside));
    const layout = [q, k2, v, o].flatMap((operand2) => outerStrides(operand2.layout));
    const gradientLayout = [
      ...outerStrides(dy.layout),
      ...strides.flatMap((inside) => outerStrides({ strides: inside }))
    ];
    emitter.call(
      "attention_backward",
      dtypes[dtype].code,
      emitter.words([...sizesOf(emitter.operands), ...layout]),
      emitter.words(gradientLayout),
      q.place,
      k2.place,
      v.place,
      mask,
      random,
      attributes.scale,
      Number(attributes.causal),
      attributes.dropout,
      attributes.stream,
      o.place,
      lse,
      dy.place,
      dq,
      dk,
      dv,
      delta
    );
  },
  vjp: through((operands, attributes) => {
    const [q, k2, v] = operands;
    const dy = operands.at(-1);
    const o = attentionFormula(q, k2, v, extrasOf(operands, attributes), attributes);
    return gradients([o], [q, k2, v], [dy]);
  })
});
function visibleKeys(queries, keys2, mask, causal) {
  const padding = mask && reshape(mask, [mask.shape[0], 1, 1, keys2]);
  if (!causal) return padding;
  const last = add(arange(queries), keys2 - queries);
  const before = le(arange(keys2), unsqueeze(last, -1));
  return padding ? logicalAnd(padding, before) : before;
}
var hidden = -1e30;
function attentionFormula(q, k2, v, { mask, random }, { scale, causal, dropout: dropout3, stream }) {
  const scores = mul(matmul(q, transpose(k2)), scale);
  const visible = visibleKeys(q.shape[2], k2.shape[2], mask, causal);
  const shown = visible ? where(visible, scores, hidden) : scores;
  const weights = softmax(shown);
  const kept = visible ? where(visible, weights, 0) : weights;
  return matmul(random ? dropoutWith(kept, random, dropout3, stream) : kept, v);
}
function scaledDotProductAttention(q, k2, v, { mask, causal = false, dropout: dropout3 = 0, scale } = {}) {
  checkShapes(q, k2, v);
  checkProbability("scaledDotProductAttention", dropout3);
  const [batch2, , , dim2] = q.shape;
  const keys2 = k2.shape[2];
  if (mask && (mask.dtype !== "bool" || !sameShape(mask.shape, [batch2, keys2]))) {
    throw new ShapeError(
      `scaledDotProductAttention: the mask is bool [batch, keys] = [${batch2}, ${keys2}], not ${mask.dtype} ${formatShape(mask.shape)}`
    );
  }
  const { key, stream } = dropout3 > 0 ? nextKey() : { key: void 0, stream: 0 };
  return attend(
    q,
    k2,
    v,
    { mask, random: key },
    {
      scale: scale ?? 1 / Math.sqrt(dim2),
      causal,
      dropout: dropout3,
      stream,
      mask: !!mask,
      random: !!key
    }
  );
}
function checkShapes(q, k2, v) {
  checkFloat("scaledDotProductAttention", q);
  if (q.dtype !== k2.dtype || q.dtype !== v.dtype) {
    throw new DTypeError(
      `scaledDotProductAttention: q, k, v are ${q.dtype}, ${k2.dtype}, ${v.dtype}; one is needed`
    );
  }
  const [batch2, heads2, , dim2] = q.shape;
  const fits2 = [q, k2, v].every((operand2) => operand2.rank === 4) && sameShape([k2.shape[0], k2.shape[1], k2.shape[3]], [batch2, heads2, dim2]) && sameShape(v.shape.slice(0, 3), k2.shape.slice(0, 3));
  if (fits2) return;
  throw new ShapeError(
    `scaledDotProductAttention: q [batch, heads, queries, dim], k [batch, heads, keys, dim] and v [batch, heads, keys, valueDim] are needed, not ${formatShape(q.shape)}, ${formatShape(k2.shape)}, ${formatShape(v.shape)}`
  );
}

// src/ops/embedding.ts
var none = -1;
var gather = defineOp("embedding", {
  signature: (ids, table2, skip) => ({
    operands: [ids, table2],
    attributes: { skip }
  }),
  infer: ([ids, table2]) => {
    if (ids.dtype !== "int32") {
      throw new DTypeError(`embedding: ids are int32, not ${ids.dtype}`);
    }
    checkFloat("embedding", table2);
    if (table2.shape.length !== 2) {
      throw new ShapeError(
        `embedding: the table is [rows, width], not ${formatShape(table2.shape)}`
      );
    }
    return { shape: [...ids.shape, table2.shape[1]], dtype: table2.dtype };
  },
  kernel: (emitter) => {
    const [ids, table2] = emitter.operands;
    const [rows3, width] = table2.shape;
    const { code } = dtypes[table2.dtype];
    emitter.note(`of ${rows3} rows`);
    const [at2, from] = [emitter.dense(0), emitter.dense(1)];
    emitter.call(
      "gather_rows",
      code,
      rows3,
      width,
      sizeOf(ids.shape),
      from,
      at2,
      emitter.output(0)
    );
  },
  vjp: (dy, { operands: [ids, table2], attributes: { skip } }) => [
    void 0,
    scatterAdd(ids, dy, table2.shape[0], skip)
  ]
});
var scatterAdd = defineOp(
  "embeddingBackward",
  {
    signature: (ids, dy, rows3, skip) => ({
      operands: [ids, dy],
      attributes: { rows: rows3, skip }
    }),
    infer: ([, dy], { rows: rows3 }) => ({ shape: [rows3, dy.shape.at(-1)], dtype: dy.dtype }),
    kernel: (emitter, { rows: rows3, skip }) => {
      const [ids, dy] = emitter.operands;
      const { code } = dtypes[dy.dtype];
      const [at2, from] = [emitter.dense(0), emitter.dense(1)];
      const count = sizeOf(ids.shape);
      const width = dy.shape.at(-1);
      emitter.call("scatter_add_rows", code, rows3, width, count, at2, from, emitter.output(0), skip);
    },
    vjp: (ddy, { operands: [ids], attributes: { skip } }) => {
      const rows3 = gather(ids, ddy, skip);
      const counted = cast(ne(ids, skip), ddy.dtype);
      return [void 0, skip === none ? rows3 : mul(rows3, unsqueeze(counted, -1))];
    }
  }
);
function embedding(ids, table2, { paddingIndex = none } = {}) {
  return gather(ids, table2, paddingIndex);
}
function oneHot(labels, classes2, dtype = "float32") {
  return cast(eq(unsqueeze(labels, -1), arange(classes2)), dtype);
}

// src/ops/crossEntropy.ts
function lossSpecs(logits) {
  checkFloat("crossEntropy", logits);
  const spec = { shape: logits.shape.slice(0, -1), dtype: logits.dtype };
  return [spec, spec];
}
function sizesOf2({ shape, dtype }) {
  return [dtypes[dtype].code, sizeOf(shape.slice(0, -1)), shape.at(-1)];
}
function smoothed(logits, labels, { smoothing: smoothing2, ignoreIndex }) {
  const classes2 = logits.shape.at(-1);
  const hard = oneHot(labels, classes2, logits.dtype);
  const soft = add(mul(hard, 1 - smoothing2), smoothing2 / classes2);
  return mul(soft, unsqueeze(cast(ne(labels, ignoreIndex), logits.dtype), -1));
}
var ofLabels = defineOp("crossEntropy", {
  signature: (logits, labels, smoothing2, ignoreIndex) => ({
    operands: [logits, labels],
    attributes: { smoothing: smoothing2, ignoreIndex }
  }),
  infer: ([logits]) => lossSpecs(logits),
  differentiable: 1,
  kernel: (emitter, { smoothing: smoothing2, ignoreIndex }) => {
    const sizes2 = sizesOf2(emitter.operands[0]);
    emitter.note(`of ${sizes2[2]} classes`);
    const [x, labels] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy", ...sizes2, x, labels, smoothing2, ignoreIndex, loss, lse);
  },
  vjp: (dy, { operands: [logits, labels], outputs: [, lse], attributes }) => [
    labelsBackward(logits, labels, lse, dy, attributes)
  ]
});
var labelsBackward = defineOp("crossEntropyBackward", {
  signature: (logits, labels, lse, dy, attributes) => ({ operands: [logits, labels, lse, dy], attributes }),
  infer: ([logits]) => ({ shape: logits.shape, dtype: logits.dtype }),
  kernel: (emitter, { smoothing: smoothing2, ignoreIndex }) => {
    const sizes2 = sizesOf2(emitter.operands[0]);
    const [x, labels, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    emitter.call(
      "cross_entropy_backward",
      ...sizes2,
      x,
      labels,
      smoothing2,
      ignoreIndex,
      lse,
      dy,
      emitter.output(0)
    );
  },
  // dX = (softmax(x)·Σt − t)·dLoss, t the smoothed one-hot label
  vjp: through(([logits, labels, , dy], attributes) => {
    const target = smoothed(logits, labels, attributes);
    return [distributionGradient(logits, target, dy)];
  })
});
function distributionGradient(logits, target, dy) {
  const weight = sum(target, { axis: -1, keepDims: true });
  return mul(sub(mul(softmax(logits), weight), target), unsqueeze(dy, -1));
}
var ofDistributions = defineOp("crossEntropySoft", {
  signature: (logits, target) => ({ operands: [logits, target], attributes: {} }),
  infer: ([logits]) => lossSpecs(logits),
  differentiable: 1,
  kernel: (emitter) => {
    const sizes2 = sizesOf2(emitter.operands[0]);
    const [x, target] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy_soft", ...sizes2, x, target, loss, lse);
  },
  // dX = (softmax(x)·Σt − t)·dLoss, dT = −ln softmax(x)·dLoss
  vjp: (dy, { operands: [logits, target], outputs: [, lse], needs }) => [
    needs[0] ? distributionsBackward(logits, target, lse, dy) : void 0,
    needs[1] ? mul(neg(logSoftmax(logits)), unsqueeze(dy, -1)) : void 0
  ]
});
var distributionsBackward = defineOp("crossEntropySoftBackward", {
  signature: (logits, target, lse, dy) => ({
    operands: [logits, target, lse, dy],
    attributes: {}
  }),
  infer: ([logits]) => ({ shape: logits.shape, dtype: logits.dtype }),
  kernel: (emitter) => {
    const sizes2 = sizesOf2(emitter.operands[0]);
    const [x, target, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    emitter.call(
      "cross_entropy_soft_backward",
      ...sizes2,
      x,
      target,
      lse,
      dy,
      emitter.output(0)
    );
  },
  vjp: through(([logits, target, , dy]) => [distributionGradient(logits, target, dy)])
});
function crossEntropy(logits, target, { reduction: reduction3 = "mean", labelSmoothing = 0, ignoreIndex = -100, weight } = {}) {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing ${labelSmoothing} is not from 0 to 1`);
  }
  const rows3 = logits.shape.slice(0, -1);
  const soft = isFloat(target.dtype);
  const expected = soft ? logits.shape : rows3;
  if (logits.rank === 0 || !sameShape(target.shape, expected)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} take int32 labels ${formatShape(rows3)} or distributions ${formatShape(logits.shape)}, not ${target.dtype} ` + formatShape(target.shape)
    );
  }
  if (target.dtype === "bool") {
    throw new DTypeError("crossEntropy: labels are int32, not bool; cast() them first");
  }
  const classes2 = logits.shape.at(-1);
  const losses2 = soft ? ofDistributions(
    logits,
    add(mul(cast(target, logits.dtype), 1 - labelSmoothing), labelSmoothing / classes2)
  ) : ofLabels(logits, target, labelSmoothing, ignoreIndex);
  const weighted = weight ? mul(losses2, reshape(weight, rows3)) : losses2;
  if (reduction3 === "none") return weighted;
  if (reduction3 === "sum") return sum(weighted);
  if (soft && !weight) return mean(weighted);
  const counts = soft ? void 0 : cast(ne(target, ignoreIndex), logits.dtype);
  const weights = weight && reshape(weight, rows3);
  const counted = weights && counts ? mul(weights, counts) : weights ?? counts;
  return div(sum(weighted), sum(counted));
}

// src/ops/normalization.ts
var rowsPerPiece = 64;
function optional(eps, weight, bias) {
  const operands = [weight, bias].filter((operand2) => operand2 !== void 0);
  return [operands, { eps, weight: !!weight, bias: !!bias }];
}
function affine(emitter, { weight, bias }) {
  return [weight ? emitter.dense(1) : 0, bias ? emitter.dense(weight ? 2 : 1) : 0];
}
function affineTensors(operands, { weight, bias }) {
  return {
    weight: weight ? operands[1] : void 0,
    bias: bias ? operands[weight ? 2 : 1] : void 0
  };
}
function scaleAndShift(x, weight, bias) {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
}
function operandGradients(all, { weight, bias }) {
  return [all[0], ...weight ? [all[1]] : [], ...bias ? [all[2]] : []];
}
var layerNormRows = defineOp("layerNorm", {
  signature: (x, eps, weight, bias) => {
    const [others, attributes] = optional(eps, weight, bias);
    return { operands: [x, ...others], attributes };
  },
  infer: ([x]) => {
    checkFloat("layerNorm", x);
    const statistic = { shape: x.shape.slice(0, -1), dtype: x.dtype };
    return [x, statistic, statistic];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const { shape, dtype } = emitter.operands[0];
    const rows3 = sizeOf(shape.slice(0, -1));
    const x = emitter.dense(0);
    const [weight, bias] = affine(emitter, attributes);
    const [y, centre, rstd] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "layer_norm",
      dtypes[dtype].code,
      rows3,
      shape.at(-1),
      x,
      weight,
      bias,
      attributes.eps,
      y,
      centre,
      rstd
    );
  },
  vjp: (dy, { operands, outputs: [, centre, rstd], attributes }) => {
    const { weight } = affineTensors(operands, attributes);
    const all = layerNormBackward.all(operands[0], centre, rstd, dy, attributes.eps, weight);
    return operandGradients(all, attributes);
  }
});
var layerNormBackward = defineOp("layerNormBackward", {
  signature: (x, centre, rstd, dy, eps, weight) => ({
    operands: [x, centre, rstd, dy, ...weight ? [weight] : []],
    attributes: { eps }
  }),
  infer: ([x]) => {
    const row = { shape: x.shape.slice(-1), dtype: x.dtype };
    return [x, row, row];
  },
  kernel: (emitter) => {
    const { shape, dtype } = emitter.operands[0];
    const rows3 = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1);
    const [x, centre, rstd, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const pieces = Math.max(1, Math.ceil(rows3 / rowsPerPiece));
    const bytes = pieces * 2 * columns * dtypes.float64.bytes;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "layer_norm_backward",
      dtypes[dtype].code,
      rows3,
      columns,
      x,
      weight,
      centre,
      rstd,
      dy,
      dx,
      dWeight,
      dBias,
      emitter.scratch(bytes),
      rowsPerPiece
    );
  },
  vjp: through(([x, , , dy, weight], { eps }) => {
    const formula = (input) => {
      const centre = mean(input, { axis: -1, keepDims: true });
      const spread2 = variance(input, { axis: -1, keepDims: true, correction: 0 });
      return mul(sub(input, centre), rsqrt(add(spread2, eps)));
    };
    const normal3 = formula(x);
    const [dx] = gradients([scaleAndShift(normal3, weight)], [x], [dy]);
    const rows3 = Array.from({ length: dy.rank - 1 }, (_, axis) => axis);
    return [dx, sum(mul(dy, normal3), { axis: rows3 }), sum(dy, { axis: rows3 })];
  })
});
function layerNorm(x, { weight, bias, eps = 1e-5, normalizedShape = x.shape.slice(-1) } = {}) {
  const tail = x.shape.slice(x.rank - normalizedShape.length);
  if (normalizedShape.length === 0 || !sameShape(tail, normalizedShape)) {
    throw new ShapeError(
      `layerNorm: ${formatShape(x.shape)} does not end in ${formatShape(normalizedShape)}`
    );
  }
  for (const [name, operand2] of Object.entries({ weight, bias })) {
    if (operand2 && !sameShape(operand2.shape, tail)) {
      throw new ShapeError(
        `layerNorm: ${name} is ${formatShape(operand2.shape)}, not ${formatShape(tail)}`
      );
    }
  }
  const width = [sizeOf(tail)];
  const row = (operand2) => operand2 && reshape(operand2, width);
  const lead = x.shape.slice(0, x.rank - tail.length);
  const rows3 = tail.length === 1 ? x : reshape(x, [...lead, ...width]);
  return reshape(layerNormRows(rows3, eps, row(weight), row(bias)), x.shape);
}
function channelSizes({ shape, dtype }) {
  return [dtypes[dtype].code, shape[0], shape[1], sizeOf(shape.slice(2))];
}
function alongChannels(vector, x) {
  return reshape(vector, [x.shape[1], ...x.shape.slice(2).map(() => 1)]);
}
function allButChannels(x) {
  return x.shape.flatMap((_, axis) => axis === 1 ? [] : [axis]);
}
var batchNormTraining = defineOp("batchNorm", {
  signature: (x, eps, weight, bias) => {
    const [others, attributes] = optional(eps, weight, bias);
    return { operands: [x, ...others], attributes };
  },
  infer: ([x]) => {
    checkFloat("batchNorm", x);
    const statistic = { shape: [x.shape[1]], dtype: x.dtype };
    return [x, statistic, statistic];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const sizes2 = channelSizes(emitter.operands[0]);
    const x = emitter.dense(0);
    const [weight, bias] = affine(emitter, attributes);
    const [y, centre, spread2] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call("batch_norm", ...sizes2, x, weight, bias, attributes.eps, y, centre, spread2);
  },
  vjp: (dy, { operands, outputs: [, centre, spread2], attributes }) => {
    const { weight } = affineTensors(operands, attributes);
    const { eps } = attributes;
    const all = batchNormBackward.all(operands[0], centre, spread2, dy, eps, weight);
    return operandGradients(all, attributes);
  }
});
var batchNormBackward = defineOp("batchNormBackward", {
  signature: (x, centre, spread2, dy, eps, weight) => ({
    operands: [x, centre, spread2, dy, ...weight ? [weight] : []],
    attributes: { eps }
  }),
  infer: ([x]) => {
    const channels = { shape: [x.shape[1]], dtype: x.dtype };
    return [x, channels, channels];
  },
  kernel: (emitter, { eps }) => {
    const sizes2 = channelSizes(emitter.operands[0]);
    const [x, centre, spread2, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "batch_norm_backward",
      ...sizes2,
      x,
      weight,
      centre,
      spread2,
      eps,
      dy,
      dx,
      dWeight,
      dBias
    );
  },
  vjp: through(([x, , , dy, weight], { eps }) => {
    const axis = allButChannels(x);
    const centre = mean(x, { axis, keepDims: true });
    const spread2 = variance(x, { axis, keepDims: true, correction: 0 });
    const normal3 = mul(sub(x, centre), rsqrt(add(spread2, eps)));
    const scaled = weight ? mul(normal3, alongChannels(weight, x)) : normal3;
    const [dx] = gradients([scaled], [x], [dy]);
    return [dx, sum(mul(dy, normal3), { axis }), sum(dy, { axis })];
  })
});
function batchNorm(x, {
  weight,
  bias,
  runningMean,
  runningVar,
  training = false,
  momentum = 0.1,
  eps = 1e-5
} = {}) {
  if (x.rank < 2) {
    throw new ShapeError(
      `batchNorm: [batch, channels, ...] is needed, not ${formatShape(x.shape)}`
    );
  }
  const channels = [x.shape[1]];
  for (const [name, operand2] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (operand2 && !sameShape(operand2.shape, channels)) {
      throw new ShapeError(
        `batchNorm: ${name} is ${formatShape(operand2.shape)}, not ${formatShape(channels)}`
      );
    }
  }
  if (!training) return inferenceNorm(x, eps, { weight, bias, runningMean, runningVar });
  const count = x.size / x.shape[1];
  if (count <= 1) {
    throw new ShapeError(
      `batchNorm: ${formatShape(x.shape)} has ${count} value a channel; training needs two or more`
    );
  }
  const [y, centre, spread2] = batchNormTraining.all(x, eps, weight, bias);
  noGrad(() => {
    const move = (running, batch2) => running?.assign(add(mul(running, 1 - momentum), mul(batch2, momentum)));
    move(runningMean, centre.detach());
    move(runningVar, mul(spread2.detach(), count / (count - 1)));
  });
  return y;
}
function inferenceNorm(x, eps, {
  weight,
  bias,
  runningMean,
  runningVar
}) {
  if (!runningMean || !runningVar) {
    throw new ArgumentError("batchNorm: inference needs runningMean and runningVar");
  }
  const channel = (vector) => alongChannels(vector, x);
  const normal3 = mul(sub(x, channel(runningMean)), rsqrt(add(channel(runningVar), eps)));
  return scaleAndShift(normal3, weight && channel(weight), bias && channel(bias));
}

// src/ops/index.ts
var { dropoutWith: dropoutWith2, checkProbability: checkProbability2, ...elementwiseOps } = elementwise_exports;
var { sumTo: sumTo2, checkFloat: checkFloat2, ...reductions } = reduce_exports;
var tensorOps = {
  ...elementwiseOps,
  ...movement_exports,
  ...reductions,
  matmul,
  softmax,
  logSoftmax,
  crossEntropy,
  layerNorm,
  batchNorm,
  embedding,
  oneHot,
  scaledDotProductAttention
};
var creationOps = { full, zeros, ones, arange, uniform, normal };
var ops = { ...tensorOps, ...creationOps };

// src/methods.ts
setDetach(detach);
var own = /* @__PURE__ */ new Set(["detach", "concat", "stack"]);
for (const [name, op] of Object.entries(tensorOps)) {
  if (own.has(name)) continue;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(...rest) {
      return Reflect.apply(op, void 0, [this, ...rest]);
    }
  });
}
Object.defineProperty(Tensor.prototype, "backward", {
  configurable: true,
  writable: true,
  value(options) {
    backward(this, options);
  }
});

// src/program/describe.ts
function peakBytes({ arenaBytes, constants, slots }) {
  return slots.reduce((sum2, { bytes }) => sum2 + bytes, arenaBytes + constants.length * 4);
}
function describe(program) {
  const argument4 = (arg) => typeof arg === "number" ? String(arg) : `${typeof arg.buffer === "number" ? `slot${arg.buffer}` : arg.buffer}+${arg.offset}`;
  const width = String(program.calls.length).length;
  const calls = program.calls.map(({ kernel, label, args }, index) => {
    const shown = kernel === "elementwise" ? args.filter((arg) => arg !== 0) : args;
    return `${String(index).padStart(width)}  ${label}  ${kernel}(${shown.map(argument4).join(", ")})`;
  });
  const chains = program.calls.filter(({ label }) => label.includes("\u2192")).length;
  const bytes = (role) => program.slots.reduce((sum2, slot) => sum2 + (slot.role === role ? slot.bytes : 0), 0);
  return [
    ...calls,
    `${program.calls.length} kernel calls, ${chains} fused chains`,
    `read ${bytes("in")} B, updated in place ${bytes("inout")} B, written ${bytes("out")} B`,
    `arena ${program.arenaBytes} B, constants ${program.constants.length * 4} B, peak ${peakBytes(program)} B`
  ].join("\n");
}

// src/compile.ts
function compile(body) {
  const traces = /* @__PURE__ */ new Map();
  const traced = (args) => {
    const signature2 = args.map(({ dtype, shape }) => `${dtype}[${shape.join()}]`).join();
    let found = traces.get(signature2);
    if (!found) {
      found = trace(body, args);
      traces.set(signature2, found);
    }
    return found;
  };
  const call = async (...args) => replay(traced(args), args);
  return Object.assign(call, {
    describe: (...args) => describe(traced(args).plan.program),
    peakBytes: (...args) => peakBytes(traced(args).plan.program)
  });
}
function trace(body, args) {
  if (hasUpdates()) flush();
  const inputs = args.map(argument2);
  const { result, updates } = collectUpdates(
    () => withTrace(() => body(...inputs))
  );
  const overwrites = [...updates].map(([variable, before]) => {
    const after = variable.value;
    variable.adopt(before);
    return { variable, before, after };
  });
  const tensors = listOf2(result);
  if (tensors.length + overwrites.length === 0) {
    throw new ArgumentError("compile: the function returns no tensor and updates no variable");
  }
  const targets = tensors.map((tensor2) => tensor2.value);
  const planned = plan({ targets, overwrites });
  const dynamics = /* @__PURE__ */ new Map();
  for (const leaf of planned.leaves) {
    if (leaf.source?.kind === "dynamic") dynamics.set(leaf, new Storage(leaf.bytes));
  }
  return { plan: planned, results: result, targets, overwrites, dynamics };
}
function argument2({ shape, dtype, requiresGrad }, index) {
  const tensor2 = new Tensor(new Value(shape, dtype, { source: { kind: "argument", index } }));
  tensor2.requiresGrad = requiresGrad;
  return tensor2;
}
async function replay(traced, args) {
  if (hasUpdates()) flush();
  realize(args.map((arg) => arg.value));
  const overwrites = traced.overwrites.map((overwrite) => ({
    ...overwrite,
    before: overwrite.variable.value
  }));
  const outputs = traced.targets.map((value) => new Storage(value.bytes));
  const provided = [];
  const bufferOf = (leaf) => {
    if (leaf.source?.kind === "argument") return currentStorage(args[leaf.source.index].value);
    if (leaf.source?.kind === "dynamic") {
      const storage = traced.dynamics.get(leaf);
      storage.host = leaf.source.provide();
      provided.push(leaf.source);
      return storage;
    }
    return currentStorage(leaf.variable?.value ?? leaf);
  };
  try {
    await execute(bind(traced.plan, outputs, bufferOf));
  } catch (error) {
    for (const { undo } of provided) undo();
    throw error;
  }
  commitOverwrites(overwrites);
  const values2 = traced.targets.map(
    (value, index) => storedValue(outputs[index], value.shape, value.dtype)
  );
  return rebuild(traced.results, values2);
}
function listOf2(results) {
  if (!results) return [];
  if (results instanceof Tensor) return [results];
  const list = Array.isArray(results) ? results : Object.values(results);
  return list.map((entry, index) => {
    if (entry instanceof Tensor) return entry;
    throw new StateError(`compile: result ${index} is ${typeof entry}, not a tensor`);
  });
}
function rebuild(form, values2) {
  const tensors = values2.map((value) => new Tensor(value));
  if (!form) return form;
  if (form instanceof Tensor) return tensors[0];
  if (Array.isArray(form)) return tensors;
  const names = Object.keys(form);
  return Object.fromEntries(names.map((name, index) => [name, tensors[index]]));
}

// src/data/batches.ts
function batches(rows3, { batchSize = 32, shuffle = true, seed: seed5 = 0, epoch = 0 } = {}) {
  checkWhole("batches: rows", rows3, 0);
  checkWhole("batches: batchSize", batchSize, 1);
  checkWhole("batches: epoch", epoch, 0);
  const order2 = ascending(rows3);
  if (shuffle) {
    const seeds = new Generator(seed5);
    let epochSeed = 0;
    for (let i = 0; i <= epoch; i++) epochSeed = seeds.uint32();
    new Generator(epochSeed).shuffle(order2);
  }
  return slices(order2, batchSize);
}
function* slices(order2, size) {
  for (let start = 0; start < order2.length; start += size) {
    yield order2.subarray(start, Math.min(order2.length, start + size));
  }
}
function ascending(rows3) {
  return Int32Array.from({ length: rows3 }, (_, row) => row);
}

// src/data/rows.ts
function gatherRows(table2, rows3, into) {
  const [count = 0, ...inner] = table2.shape;
  const width = sizeOf(inner);
  const length2 = rows3.length * width;
  const Made = table2.data.constructor;
  const buffer = into ?? new Made(length2);
  if (!(buffer instanceof Made) || buffer.length < length2) {
    throw new ArgumentError(
      `gatherRows: ${length2} elements of ${Made.name} do not go into ${buffer.length} of ${buffer.constructor.name}`
    );
  }
  for (let i = 0; i < rows3.length; i++) {
    const row = rows3[i];
    if (!(Number.isInteger(row) && row >= 0 && row < count)) {
      throw new ArgumentError(`gatherRows: row ${row} is none of ${count}`);
    }
    buffer.set(table2.data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { data: buffer.subarray(0, length2), shape: [rows3.length, ...inner] };
}

// src/train/nn.ts
var nn_exports = {};
__export(nn_exports, {
  Activation: () => Activation,
  BatchNorm: () => BatchNorm,
  BufferVariable: () => BufferVariable,
  Dropout: () => Dropout,
  Embedding: () => Embedding,
  Flatten: () => Flatten,
  GlobalAveragePooling1d: () => GlobalAveragePooling1d,
  GlobalMaxPooling1d: () => GlobalMaxPooling1d,
  LayerNorm: () => LayerNorm,
  Linear: () => Linear,
  Model: () => Model,
  Module: () => Module,
  MultiheadAttention: () => MultiheadAttention,
  Parameter: () => Parameter,
  Sequential: () => Sequential,
  TransformerEncoderLayer: () => TransformerEncoderLayer,
  activation: () => activation,
  batchNorm1d: () => batchNorm1d,
  batchNorm2d: () => batchNorm2d,
  checkSizes: () => checkSizes,
  dropout: () => dropout2,
  embedding: () => embedding2,
  flatten: () => flatten2,
  globalAveragePooling1d: () => globalAveragePooling1d,
  globalMaxPooling1d: () => globalMaxPooling1d,
  init: () => init_exports,
  layerNorm: () => layerNorm2,
  linear: () => linear,
  multiheadAttention: () => multiheadAttention,
  sequential: () => sequential,
  transformerEncoderLayer: () => transformerEncoderLayer
});

// src/nn/activation.ts
var functions = {
  linear: (x) => x,
  relu,
  gelu: (x) => gelu(x),
  silu,
  tanh,
  sigmoid,
  softplus,
  softmax: (x) => softmax(x)
};
function checkActivation(layer, name) {
  checkKnown(`${layer}: activation`, name, Object.keys(functions));
}
function activate(name, x, mask) {
  const y = functions[name](x);
  const keeps = name === "softmax" || name === "sigmoid";
  return { x: y, mask, ...keeps && { logits: { tensor: x, activation: name } } };
}

// src/nn/init.ts
var init_exports = {};
__export(init_exports, {
  kaimingUniform: () => kaimingUniform,
  normal: () => normal2,
  ones: () => ones2,
  uniform: () => uniform2,
  xavierUniform: () => xavierUniform,
  zeros: () => zeros2
});
function filled(shape, next) {
  return Float32Array.from({ length: sizeOf(shape) }, next);
}
function fans(shape) {
  if (shape.length < 2) {
    throw new ArgumentError(`init: a weight of ${shape.length} axes has no fan in and out`);
  }
  const field = sizeOf(shape.slice(2));
  return [shape[1] * field, shape[0] * field];
}
var zeros2 = (shape) => new Float32Array(sizeOf(shape));
var ones2 = (shape) => new Float32Array(sizeOf(shape)).fill(1);
function uniform2(low, high) {
  return (shape) => filled(shape, () => low + (high - low) * hostGenerator().uniform());
}
function normal2(mean3 = 0, deviation = 1) {
  return (shape) => filled(shape, () => mean3 + deviation * hostGenerator().normal());
}
var xavierUniform = (shape) => {
  const [fanIn, fanOut] = fans(shape);
  const bound = Math.sqrt(6 / (fanIn + fanOut));
  return uniform2(-bound, bound)(shape);
};
var kaimingUniform = (shape) => {
  const bound = Math.sqrt(6 / fans(shape)[0]);
  return uniform2(-bound, bound)(shape);
};

// src/nn/parameter.ts
var Parameter = class extends Variable {
  constructor(data2, shape, dtype = "float32") {
    super(data2, shape, dtype, { requiresGrad: true });
  }
};
var BufferVariable = class extends Variable {
  constructor(data2, shape, dtype = "float32") {
    super(data2, shape, dtype);
  }
};

// src/nn/module.ts
var Module = class _Module {
  /** Whether dropout drops and batch norm learns; set by `train()` and `eval()`. */
  training = true;
  /** Applies the module; what is watched sees its output. */
  apply(signal) {
    const output = this.run(signal);
    watcher?.(this, output);
    return output;
  }
  /** The output for one input. */
  forward(x, { mask } = {}) {
    return this.apply({ x, mask }).x;
  }
  /** Modules directly inside, by field name. */
  children() {
    return Object.entries(this).flatMap(([name, field]) => {
      if (field instanceof _Module) return [[name, field]];
      if (!Array.isArray(field)) return [];
      return field.flatMap(
        (entry, index) => entry instanceof _Module ? [[`${name}.${index}`, entry]] : []
      );
    });
  }
  /** All variables by path, `0.self_attn.in_proj_weight`: the module's own, then its children's. */
  namedVariables() {
    const found = /* @__PURE__ */ new Map();
    for (const [name, field] of Object.entries(this)) {
      if (field instanceof Variable) found.set(snakeCase(name), field);
    }
    for (const [name, child] of this.children()) {
      const prefix = snakeCase(name);
      for (const [path, variable] of child.namedVariables()) {
        found.set(`${prefix}.${path}`, variable);
      }
    }
    for (const [path, variable] of found) variable.name = path;
    return found;
  }
  /** The variables that training changes, by path. */
  namedParameters() {
    const found = /* @__PURE__ */ new Map();
    for (const [path, variable] of this.namedVariables()) {
      if (variable instanceof Parameter) found.set(path, variable);
    }
    return found;
  }
  /** The variables that training changes. */
  parameters() {
    return [...this.namedParameters().values()];
  }
  /** Sets training mode here and in all modules inside. */
  train(training = true) {
    this.training = training;
    for (const [, child] of this.children()) child.train(training);
    return this;
  }
  /** Sets inference mode here and in all modules inside. */
  eval() {
    return this.train(false);
  }
  /** The content of all variables, by path. */
  async stateDict() {
    const state = /* @__PURE__ */ new Map();
    for (const [path, variable] of this.namedVariables()) {
      const { shape, dtype } = variable;
      state.set(path, { shape, dtype, data: await variable.data() });
    }
    return state;
  }
  /**
   * Takes the content of all variables from `state`. Throws DataError where names are missing or
   * left over, ShapeError where shapes differ; then nothing has been loaded.
   */
  loadStateDict(state) {
    const variables = this.namedVariables();
    const missing = [...variables.keys()].filter((path) => !state.has(path));
    const unknown = [...state.keys()].filter((path) => !variables.has(path));
    if (missing.length + unknown.length > 0) {
      const list = (names) => names.join(", ") || "none";
      throw new DataError(
        `loadStateDict: missing ${list(missing)}; without a place in the model ${list(unknown)}`
      );
    }
    for (const [path, variable] of variables) {
      const { shape, dtype } = state.get(path);
      if (sameShape(shape, variable.shape) && dtype === variable.dtype) continue;
      throw new ShapeError(
        `loadStateDict: ${path} is ${formatShape(variable.shape)} ${variable.dtype} in the model, ${formatShape(shape)} ${dtype} in the state`
      );
    }
    for (const [path, variable] of variables) variable.set(state.get(path).data);
  }
};
function inMode(mode, model, body) {
  const before = /* @__PURE__ */ new Map();
  const note = (module) => {
    before.set(module, module.training);
    for (const [, child] of module.children()) note(child);
  };
  note(model);
  model.train(mode === "training");
  try {
    return body();
  } finally {
    for (const [module, training] of before) module.training = training;
  }
}
function snakeCase(name) {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
var watcher;
function watching(watch, body) {
  const outer = watcher;
  watcher = watch;
  try {
    return body();
  } finally {
    watcher = outer;
  }
}

// src/nn/layers.ts
function checkSizes(layer, sizes2) {
  for (const [name, size] of Object.entries(sizes2)) checkWhole(`${layer}: ${name}`, size, 1);
}
var Linear = class extends Module {
  type = "linear";
  weight;
  bias;
  options;
  constructor({ inFeatures, outFeatures, bias = true, activation: activation2 = "linear" }) {
    super();
    checkSizes("linear", { inFeatures, outFeatures });
    checkActivation("linear", activation2);
    this.options = { inFeatures, outFeatures, bias, activation: activation2 };
    const shape = [outFeatures, inFeatures];
    this.weight = new Parameter(xavierUniform(shape), shape);
    this.bias = bias ? new Parameter(zeros2([outFeatures]), [outFeatures]) : void 0;
  }
  run({ x, mask }) {
    const { inFeatures, activation: activation2 } = this.options;
    if (x.shape.at(-1) !== inFeatures) {
      throw new ShapeError(
        `linear: the last axis of ${formatShape(x.shape)} should have ${inFeatures} features`
      );
    }
    const product2 = matmul(x, transpose(this.weight));
    return activate(activation2, this.bias ? add(product2, this.bias) : product2, mask);
  }
  config() {
    return this.options;
  }
};
var Embedding = class extends Module {
  type = "embedding";
  weight;
  position;
  options;
  constructor({
    numEmbeddings,
    embeddingDim,
    maskZero = false,
    positions = 0
  }) {
    super();
    checkSizes("embedding", { numEmbeddings, embeddingDim, positions: positions || 1 });
    this.options = { numEmbeddings, embeddingDim, maskZero, positions };
    const table2 = (rows3) => {
      const shape = [rows3, embeddingDim];
      return new Parameter(uniform2(-spread, spread)(shape), shape);
    };
    this.weight = table2(numEmbeddings);
    this.position = positions > 0 ? table2(positions) : void 0;
  }
  run({ x }) {
    const { maskZero, positions } = this.options;
    if (x.dtype !== "int32") {
      throw new DTypeError(`embedding: ids are int32, not ${x.dtype}`);
    }
    const rows3 = embedding(x, this.weight, maskZero ? { paddingIndex: 0 } : {});
    const mask = maskZero ? ne(x, 0) : void 0;
    if (!this.position) return { x: rows3, mask };
    const length2 = x.shape.at(-1) ?? 1;
    if (length2 > positions) {
      throw new ShapeError(
        `embedding: ${formatShape(x.shape)} is longer than the ${positions} positions learned`
      );
    }
    return { x: add(rows3, slice(this.position, [[0, length2]])), mask };
  }
  config() {
    return this.options;
  }
};
var spread = 0.05;
var LayerNorm = class extends Module {
  type = "layerNorm";
  weight;
  bias;
  options;
  constructor({ features, eps = 1e-5 }) {
    super();
    checkSizes("layerNorm", { features });
    this.options = { features, eps };
    this.weight = new Parameter(ones2([features]), [features]);
    this.bias = new Parameter(zeros2([features]), [features]);
  }
  run({ x, mask }) {
    const { weight, bias } = this;
    return { x: layerNorm(x, { weight, bias, eps: this.options.eps }), mask };
  }
  config() {
    return this.options;
  }
};
var BatchNorm = class extends Module {
  type = "batchNorm";
  weight;
  bias;
  runningMean;
  runningVar;
  options;
  constructor({ features, eps = 1e-5, momentum = 0.1 }) {
    super();
    checkSizes("batchNorm", { features });
    this.options = { features, eps, momentum };
    this.weight = new Parameter(ones2([features]), [features]);
    this.bias = new Parameter(zeros2([features]), [features]);
    this.runningMean = new BufferVariable(zeros2([features]), [features]);
    this.runningVar = new BufferVariable(ones2([features]), [features]);
  }
  run({ x, mask }) {
    const { weight, bias, runningMean, runningVar, training } = this;
    const { eps, momentum } = this.options;
    const options = { weight, bias, runningMean, runningVar, training, eps, momentum };
    return { x: batchNorm(x, options), mask };
  }
  config() {
    return this.options;
  }
};
var Dropout = class extends Module {
  constructor(options) {
    super();
    this.options = options;
    checkProbability("dropout", options.p);
  }
  options;
  type = "dropout";
  run({ x, mask }) {
    return { x: dropout(x, { p: this.options.p, training: this.training }), mask };
  }
  config() {
    return this.options;
  }
};
var Activation = class extends Module {
  constructor(options) {
    super();
    this.options = options;
    checkActivation("activation", options.name);
  }
  options;
  type = "activation";
  run({ x, mask }) {
    return activate(this.options.name, x, mask);
  }
  config() {
    return this.options;
  }
};
var Flatten = class extends Module {
  type = "flatten";
  run({ x }) {
    return { x: flatten(x, { start: 1 }) };
  }
  config() {
    return {};
  }
};
function checkSequence(layer, { rank, shape }) {
  if (rank === 3) return;
  throw new ShapeError(`${layer}: [batch, length, features] is needed, not ${formatShape(shape)}`);
}
var GlobalAveragePooling1d = class extends Module {
  type = "globalAveragePooling1d";
  run({ x, mask }) {
    checkSequence("globalAveragePooling1d", x);
    if (!mask) return { x: mean(x, { axis: 1 }) };
    const real = cast(mask, x.dtype);
    const total3 = sum(mul(x, unsqueeze(real, -1)), { axis: 1 });
    const count = maximum(sum(real, { axis: 1, keepDims: true }), 1);
    return { x: div(total3, count) };
  }
  config() {
    return {};
  }
};
var GlobalMaxPooling1d = class extends Module {
  type = "globalMaxPooling1d";
  run({ x, mask }) {
    checkSequence("globalMaxPooling1d", x);
    const shown = mask ? where(unsqueeze(mask, -1), x, -Infinity) : x;
    return { x: max(shown, { axis: 1 }) };
  }
  config() {
    return {};
  }
};

// src/nn/transformer.ts
var MultiheadAttention = class extends Module {
  type = "multiheadAttention";
  /** The projections of queries, keys and values, one below the other. */
  inProjWeight;
  inProjBias;
  outProj;
  options;
  constructor({ modelDim, heads: heads2, dropout: dropout3 = 0, causal = false }) {
    super();
    checkSizes("multiheadAttention", { modelDim, heads: heads2 });
    checkProbability("multiheadAttention", dropout3);
    if (modelDim % heads2 !== 0) {
      throw new ArgumentError(
        `multiheadAttention: modelDim ${modelDim} does not divide into ${heads2} heads`
      );
    }
    this.options = { modelDim, heads: heads2, dropout: dropout3, causal };
    const square2 = [modelDim, modelDim];
    const projections = [0, 1, 2].map(() => xavierUniform(square2));
    const weights = new Float32Array(3 * modelDim * modelDim);
    projections.forEach((part, index) => weights.set(part, index * part.length));
    this.inProjWeight = new Parameter(weights, [3 * modelDim, modelDim]);
    this.inProjBias = new Parameter(zeros2([3 * modelDim]), [3 * modelDim]);
    this.outProj = new Linear({ inFeatures: modelDim, outFeatures: modelDim });
  }
  run({ x, mask }) {
    return { x: this.attend(x, x, { mask }), mask };
  }
  /**
   * Attention from `query: [batch, queries, modelDim]` to `memory: [batch, keys, modelDim]`, whose
   * `mask` is bool `[batch, keys]`.
   */
  attend(query, memory, { mask } = {}) {
    const { modelDim, causal, dropout: dropout3 } = this.options;
    for (const { rank, shape } of [query, memory]) {
      if (rank === 3 && shape[2] === modelDim) continue;
      throw new ShapeError(
        `multiheadAttention: [batch, length, ${modelDim}] is needed, not ${formatShape(shape)}`
      );
    }
    const q = this.heads(query, 0);
    const k2 = this.heads(memory, 1);
    const v = this.heads(memory, 2);
    const attended = scaledDotProductAttention(q, k2, v, {
      ...mask && { mask },
      causal,
      dropout: this.training ? dropout3 : 0
    });
    return this.outProj.forward(reshape(permute(attended, [0, 2, 1, 3]), query.shape));
  }
  /** Projection `part` of `x`, `[batch, heads, length, dim]`. */
  heads(x, part) {
    const { modelDim, heads: heads2 } = this.options;
    const rows3 = [part * modelDim, (part + 1) * modelDim];
    const weight = slice(this.inProjWeight, [rows3]);
    const projected = add(matmul(x, transpose(weight)), slice(this.inProjBias, [rows3]));
    const [batch2, length2] = x.shape;
    const split2 = reshape(projected, [batch2, length2, heads2, modelDim / heads2]);
    return permute(split2, [0, 2, 1, 3]);
  }
  config() {
    return this.options;
  }
};
var TransformerEncoderLayer = class extends Module {
  type = "transformerEncoderLayer";
  selfAttn;
  linear1;
  linear2;
  norm1;
  norm2;
  options;
  constructor({
    modelDim,
    heads: heads2,
    feedForwardDim = 4 * modelDim,
    dropout: dropout3 = 0.1,
    attentionDropout = 0,
    activation: activation2 = "relu",
    normFirst = false,
    causal = false,
    eps = 1e-5
  }) {
    super();
    checkSizes("transformerEncoderLayer", { feedForwardDim });
    checkProbability("transformerEncoderLayer", dropout3);
    checkActivation("transformerEncoderLayer", activation2);
    this.options = {
      modelDim,
      heads: heads2,
      feedForwardDim,
      dropout: dropout3,
      attentionDropout,
      activation: activation2,
      normFirst,
      causal,
      eps
    };
    this.selfAttn = new MultiheadAttention({ modelDim, heads: heads2, dropout: attentionDropout, causal });
    this.linear1 = new Linear({ inFeatures: modelDim, outFeatures: feedForwardDim });
    this.linear2 = new Linear({ inFeatures: feedForwardDim, outFeatures: modelDim });
    this.norm1 = new LayerNorm({ features: modelDim, eps });
    this.norm2 = new LayerNorm({ features: modelDim, eps });
  }
  run({ x, mask }) {
    const attend2 = (input) => this.drop(this.selfAttn.forward(input, { mask }));
    const feed = (input) => this.drop(this.feedForward(input));
    if (this.options.normFirst) {
      const attended2 = add(x, attend2(this.norm1.forward(x)));
      return { x: add(attended2, feed(this.norm2.forward(attended2))), mask };
    }
    const attended = this.norm1.forward(add(x, attend2(x)));
    return { x: this.norm2.forward(add(attended, feed(attended))), mask };
  }
  feedForward(x) {
    const hidden2 = activate(this.options.activation, this.linear1.forward(x), void 0);
    return this.linear2.forward(hidden2.x);
  }
  drop(x) {
    return dropout(x, { p: this.options.dropout, training: this.training });
  }
  config() {
    return this.options;
  }
};

// src/nn/registry.ts
var builders = {
  linear: (options) => new Linear(options),
  embedding: (options) => new Embedding(options),
  layerNorm: (options) => new LayerNorm(options),
  batchNorm: (options) => new BatchNorm(options),
  dropout: (options) => new Dropout(options),
  activation: (options) => new Activation(options),
  flatten: () => new Flatten(),
  globalAveragePooling1d: () => new GlobalAveragePooling1d(),
  globalMaxPooling1d: () => new GlobalMaxPooling1d(),
  multiheadAttention: (options) => new MultiheadAttention(options),
  transformerEncoderLayer: (options) => new TransformerEncoderLayer(options)
};
function describeLayer(layer) {
  return { type: layer.type, options: layer.config() };
}
function buildLayer({ type, options }) {
  const build3 = Object.hasOwn(builders, type) ? builders[type] : void 0;
  if (!build3) {
    const known = Object.keys(builders).join(", ");
    throw new DataError(`the model has a layer of type "${type}"; known are ${known}`);
  }
  return build3(options);
}

// src/metrics/metrics.ts
var threshold = 0.5;
var entryMetrics = {
  accuracy: ({ x }, target) => {
    const classes2 = x.shape.at(-1);
    if (classes2 === 1 || sameShape(x.shape, target.shape) === false) {
      const predicted = classes2 === 1 ? cast(ge(x, threshold), "int32") : argMax(x);
      const labels2 = reshape(cast(target, "int32"), predicted.shape);
      return toEntries(cast(eq(predicted, labels2), x.dtype));
    }
    const labels = isFloat(target.dtype) ? argMax(target) : argMax(cast(target, "float32"));
    return cast(eq(argMax(x), labels), x.dtype);
  },
  meanSquaredError: ({ x }, target) => meanOfEntry(square(sub(x, cast(reshape(target, x.shape), x.dtype)))),
  meanAbsoluteError: ({ x }, target) => meanOfEntry(abs(sub(x, cast(reshape(target, x.shape), x.dtype))))
};
function toEntries(x) {
  return x.rank > 1 && x.shape.at(-1) === 1 ? reshape(x, x.shape.slice(0, -1)) : x;
}
function meanOfEntry(x) {
  const axes = x.shape.slice(1).map((_, axis) => axis + 1);
  return axes.length > 0 ? mean(x, { axis: axes }) : x;
}
function entryMetric(name) {
  checkKnown("compile: metric", name, Object.keys(entryMetrics));
  return entryMetrics[name];
}

// src/optim/index.ts
var optim_exports = {};
__export(optim_exports, {
  Adam: () => Adam,
  AdamW: () => AdamW,
  Optimizer: () => Optimizer,
  SGD: () => SGD,
  adam: () => adam,
  adamW: () => adamW,
  clipGradNorm: () => clipGradNorm,
  globalNorm: () => globalNorm,
  makeOptimizer: () => makeOptimizer,
  sgd: () => sgd
});

// src/ops/optimizer.ts
function checkUpdate(op, [parameter, ...others]) {
  for (const { shape } of others) {
    if (sameShape(shape, parameter.shape)) continue;
    throw new ShapeError(
      `${op}: the parameter is ${formatShape(parameter.shape)}, its gradient or state ${formatShape(shape)}`
    );
  }
}
function head(emitter) {
  const { dtype, shape } = emitter.operands[0];
  return [dtypes[dtype].code, sizeOf(shape)];
}
function scaleOf(emitter, { scaled }) {
  return scaled ? emitter.dense(emitter.operands.length - 1) : 0;
}
var sgdUpdate = defineOp("sgdUpdate", {
  signature: (parameter, gradient, buffer, hyper, scale) => ({
    operands: [parameter, gradient, ...buffer ? [buffer] : [], hyper, ...scale ? [scale] : []],
    attributes: { momentum: !!buffer, scaled: !!scale }
  }),
  infer: (operands, { momentum }) => {
    checkUpdate("sgdUpdate", operands.slice(0, momentum ? 3 : 2));
    return momentum ? [operands[0], operands[2]] : operands[0];
  },
  inPlace: [
    [0, 0],
    [1, 2]
  ],
  kernel: (emitter, attributes) => {
    const { momentum } = attributes;
    const p = emitter.dense(0);
    const g = emitter.dense(1);
    const buffer = momentum ? emitter.dense(2) : 0;
    const hyper = emitter.dense(momentum ? 3 : 2);
    const scale = scaleOf(emitter, attributes);
    const out = emitter.output(0);
    const bufferOut = momentum ? emitter.output(1) : 0;
    emitter.call("sgd", ...head(emitter), p, g, buffer, hyper, scale, out, bufferOut);
  },
  vjp: null
});
var adamUpdate = defineOp("adamUpdate", {
  signature: (parameter, gradient, m2, v, hyper, scale) => ({
    operands: [parameter, gradient, m2, v, hyper, ...scale ? [scale] : []],
    attributes: { scaled: !!scale }
  }),
  infer: (operands) => {
    checkUpdate("adamUpdate", operands.slice(0, 4));
    return [operands[0], operands[2], operands[3]];
  },
  inPlace: [
    [0, 0],
    [1, 2],
    [2, 3]
  ],
  kernel: (emitter, attributes) => {
    const [p, g, m2, v, hyper] = [0, 1, 2, 3, 4].map((index) => emitter.dense(index));
    const scale = scaleOf(emitter, attributes);
    const [out, mOut, vOut] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call("adam", ...head(emitter), p, g, m2, v, hyper, scale, out, mOut, vOut);
  },
  vjp: null
});

// src/optim/optimizer.ts
var Optimizer = class {
  /** Steps taken so far. */
  steps = 0;
  /** How far a step goes; may be changed between steps. */
  learningRate;
  parameters;
  clipNorm;
  constructor(parameters, { learningRate, clipNorm }) {
    this.parameters = [...new Set(parameters)];
    if (this.parameters.length === 0) throw new ArgumentError("optimizer: no parameters");
    checkNumber("learningRate", learningRate, 0, Infinity);
    if (clipNorm !== void 0) checkNumber("clipNorm", clipNorm, 0, Infinity);
    this.learningRate = learningRate;
    this.clipNorm = clipNorm;
  }
  /**
   * Updates every parameter that has a gradient. In a function being compiled this is recorded and
   * counts at each replay; elsewhere it runs, together with the loss that `backward` was called on.
   */
  step({ guard } = {}) {
    const moved = this.parameters.filter((parameter) => parameter.grad);
    if (moved.length === 0) {
      throw new ArgumentError("step: no parameter has a gradient; call backward() on a loss first");
    }
    noGrad(() => {
      const length2 = this.hyper(1).length;
      const provide = () => Float64Array.from(this.hyper(++this.steps));
      const undo = () => {
        this.steps--;
      };
      const hyper = dynamic({ provide, undo }, [length2], "float64");
      const scale = this.scale(moved, guard);
      for (const parameter of moved) {
        this.update(parameter, parameter.grad, hyper, scale && cast(scale, parameter.dtype));
      }
    });
    if (currentTrace()) return;
    try {
      flush();
    } catch (error) {
      this.steps--;
      throw error;
    }
  }
  /** Forgets all gradients. */
  zeroGrad() {
    for (const parameter of this.parameters) parameter.grad = void 0;
  }
  /** What to save to go on later. */
  async stateDict() {
    const variables = /* @__PURE__ */ new Map();
    for (const [name, variable] of this.state()) {
      const { shape, dtype } = variable;
      variables.set(name, { shape, dtype, data: await variable.data() });
    }
    return { steps: this.steps, variables };
  }
  /** Goes on from what `stateDict` gave. Throws, having changed nothing, where it does not fit. */
  loadStateDict({ steps: steps2, variables }) {
    if (!Number.isSafeInteger(steps2) || steps2 < 0) {
      throw new DataError(`optimizer: ${steps2} saved steps are no whole number \u2265 0`);
    }
    const own2 = this.state();
    for (const [name, variable] of own2) {
      const saved = variables.get(name);
      if (!saved) throw new DataError(`optimizer: the saved state lacks ${name}`);
      if (sameShape(saved.shape, variable.shape)) continue;
      throw new ShapeError(
        `optimizer: ${name} is ${formatShape(variable.shape)}, saved as ${formatShape(saved.shape)}`
      );
    }
    for (const [name, variable] of own2) variable.set(variables.get(name).data);
    this.steps = steps2;
  }
  /** A variable of zeros for each parameter. */
  zeros() {
    const made2 = /* @__PURE__ */ new Map();
    for (const parameter of this.parameters) {
      const { shape, dtype } = parameter;
      const data2 = new dtypes[dtype].make(sizeOf(shape));
      made2.set(parameter, new Variable(data2, shape, dtype, { overwrite: true }));
    }
    return made2;
  }
  /** Names for state: `m.0`, `m.1`, … in the order of the parameters. */
  named(kind, variables) {
    return this.parameters.map((parameter, index) => [
      `${kind}.${index}`,
      variables.get(parameter)
    ]);
  }
  /** What gradients are multiplied by: for clipping, and NaN where the guard says no. */
  scale(moved, guard) {
    const clip = this.clipNorm === void 0 ? void 0 : clipScale(
      moved.map((parameter) => parameter.grad),
      this.clipNorm
    );
    const allowed = guard && add(mul(sum(guard), 0), 1);
    return clip && allowed ? mul(clip, cast(allowed, clip.dtype)) : clip ?? allowed;
  }
};
var normEps = 1e-6;
function globalNorm(gradients2) {
  return sqrt(sum(stack(gradients2.map((gradient) => sum(square(gradient))))));
}
function clipScale(gradients2, maxNorm) {
  return minimum(div(maxNorm, add(globalNorm(gradients2), normEps)), 1);
}
function clipGradNorm(parameters, maxNorm) {
  const moved = [...parameters].filter((parameter) => parameter.grad);
  if (moved.length === 0) throw new ArgumentError("clipGradNorm: no parameter has a gradient");
  return noGrad(() => {
    const gradients2 = moved.map((parameter) => parameter.grad);
    const scale = clipScale(gradients2, maxNorm);
    moved.forEach((parameter, index) => {
      parameter.grad = mul(gradients2[index], cast(scale, parameter.dtype));
    });
    return globalNorm(gradients2);
  });
}
function checkNumber(name, value, low, high) {
  if (value >= low && value < high) return;
  throw new ArgumentError(
    `optimizer: ${name} is ${value}; it must be from ${low} to below ${high}`
  );
}
function power(base, exponent) {
  let result = 1;
  let square2 = base;
  for (let left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square2;
    square2 *= square2;
  }
  return result;
}

// src/optim/adam.ts
var Adam = class extends Optimizer {
  constructor(parameters, {
    learningRate = 1e-3,
    betas = [0.9, 0.999],
    eps = 1e-8,
    weightDecay = 0,
    ...common
  } = {}, decoupled = false) {
    super(parameters, { learningRate, ...common });
    this.decoupled = decoupled;
    betas.forEach((beta, index) => checkNumber(`betas[${index}]`, beta, 0, 1));
    checkNumber("eps", eps, 0, Infinity);
    checkNumber("weightDecay", weightDecay, 0, Infinity);
    this.settings = { betas, eps, weightDecay };
    this.m = this.zeros();
    this.v = this.zeros();
  }
  decoupled;
  settings;
  m;
  v;
  hyper(step) {
    const {
      betas: [beta1, beta2],
      eps,
      weightDecay
    } = this.settings;
    const corrections = [1 - power(beta1, step), 1 - power(beta2, step)];
    const decay = [weightDecay, Number(this.decoupled)];
    return [this.learningRate, beta1, beta2, eps, ...decay, ...corrections];
  }
  update(parameter, gradient, hyper, scale) {
    const m2 = this.m.get(parameter);
    const v = this.v.get(parameter);
    const [next, nextM, nextV] = adamUpdate.all(parameter, gradient, m2, v, hyper, scale);
    parameter.assign(next);
    m2.assign(nextM);
    v.assign(nextV);
  }
  state() {
    return new Map([...this.named("m", this.m), ...this.named("v", this.v)]);
  }
};
var AdamW = class extends Adam {
  constructor(parameters, { weightDecay = 0.01, ...options } = {}) {
    super(parameters, { weightDecay, ...options }, true);
  }
};

// src/optim/sgd.ts
var SGD = class extends Optimizer {
  settings;
  buffers;
  constructor(parameters, {
    learningRate = 0.01,
    momentum = 0,
    dampening = 0,
    weightDecay = 0,
    nesterov = false,
    ...common
  } = {}) {
    super(parameters, { learningRate, ...common });
    checkNumber("momentum", momentum, 0, 1);
    checkNumber("dampening", dampening, 0, 1);
    checkNumber("weightDecay", weightDecay, 0, Infinity);
    if (nesterov && (momentum === 0 || dampening !== 0)) {
      throw new ArgumentError("optimizer: nesterov needs a momentum above 0 and no dampening");
    }
    this.settings = { momentum, dampening, weightDecay, nesterov };
    this.buffers = momentum > 0 ? this.zeros() : void 0;
  }
  hyper(step) {
    const { momentum, dampening, weightDecay, nesterov } = this.settings;
    const first = step === 1;
    return [this.learningRate, momentum, dampening, weightDecay, Number(nesterov), Number(first)];
  }
  update(parameter, gradient, hyper, scale) {
    const buffer = this.buffers?.get(parameter);
    const [next, nextBuffer] = sgdUpdate.all(parameter, gradient, buffer, hyper, scale);
    parameter.assign(next);
    if (nextBuffer) buffer?.assign(nextBuffer);
  }
  state() {
    return new Map(this.buffers ? this.named("momentum", this.buffers) : []);
  }
};

// src/optim/index.ts
function sgd(options = {}) {
  return { name: "sgd", options };
}
function adam(options = {}) {
  return { name: "adam", options };
}
function adamW(options = {}) {
  return { name: "adamW", options };
}
var makers = { sgd: SGD, adam: Adam, adamW: AdamW };
function makeOptimizer({ name, options }, parameters) {
  checkKnown("compile: optimizer", name, Object.keys(makers));
  return new makers[name](parameters, options);
}

// src/train/history.ts
var History = class {
  /** The number of each epoch recorded, from 0. */
  epoch = [];
  /** Each value over the epochs: `history.loss`, `history.valAccuracy`. */
  history = /* @__PURE__ */ Object.create(null);
  /** Adds an epoch's values. */
  add(epoch, report) {
    this.epoch.push(epoch);
    for (const [name, value] of Object.entries(report)) (this.history[name] ??= []).push(value);
  }
};
var Averages = class {
  constructor(names) {
    this.names = names;
    this.totals = names.map(() => 0);
  }
  names;
  count = 0;
  totals;
  /** Adds a batch's sums. */
  add([count, ...totals]) {
    this.count += count;
    totals.forEach((total3, index) => this.totals[index] += total3);
  }
  /** The means so far, each name behind `prefix`. */
  report(prefix = "") {
    return Object.fromEntries(
      this.names.map((name, index) => {
        const key = prefix ? prefix + name[0].toUpperCase() + name.slice(1) : name;
        return [key, this.totals[index] / this.count];
      })
    );
  }
};

// src/train/inputs.ts
function tableOf(name, input, whole2) {
  const table2 = rawTable(name, input, whole2);
  if (table2.shape[0] === 0) {
    throw new DataError(`${name} is empty: there is nothing to train on or to predict`);
  }
  return table2;
}
function rawTable(name, input, whole2) {
  if (ArrayBuffer.isView(input)) return { data: input, shape: [input.length] };
  if (input instanceof Tensor) {
    throw new DataError(`${name} is a Tensor; pass { data: await x.data(), shape: x.shape }`);
  }
  if ("ids" in input) return { data: input.ids, shape: input.shape };
  if ("data" in input) {
    if (sizeOf(input.shape) !== input.data.length) {
      throw new DataError(
        `${name}: ${input.data.length} numbers do not fill the shape ${formatShape(input.shape)}`
      );
    }
    return input;
  }
  const { numbers: numbers2, shape } = flattenNested(name, input);
  const labels = whole2 === "int32" && numbers2.every(Number.isInteger);
  return { data: labels ? Int32Array.from(numbers2) : Float32Array.from(numbers2), shape };
}
function sliceRows({ data: data2, shape }, start, end) {
  const width = sizeOf(shape.slice(1));
  return {
    data: data2.subarray(start * width, end * width),
    shape: [end - start, ...shape.slice(1)]
  };
}
function checkSameRows(x, others) {
  for (const [name, table2] of Object.entries(others)) {
    if (!table2 || table2.shape[0] === x.shape[0]) continue;
    throw new DataError(
      `x has ${x.shape[0]} rows, ${name} has ${table2.shape[0]}: one is needed each`
    );
  }
}

// src/train/evaluate.ts
var defaultBatchSize = 32;
function tensorOf({ data: data2, shape }) {
  return tensor(data2, { shape });
}
async function runStep(step, tables) {
  const inputs = tables.filter((table2) => table2 !== void 0).map(tensorOf);
  try {
    const sums = await step(...inputs);
    const values2 = await sums.data();
    sums.dispose();
    return values2;
  } finally {
    for (const input of inputs) input.dispose();
  }
}
async function averagesOf(step, names, [x, ...others], batchSize) {
  const averages = new Averages(names);
  const rows3 = x.shape[0];
  for (let start = 0; start < rows3; start += batchSize) {
    const end = Math.min(rows3, start + batchSize);
    const batch2 = [x, ...others].map((table2) => table2 && sliceRows(table2, start, end));
    averages.add(await runStep(step, batch2));
  }
  return averages;
}
async function evaluate(model, x, y, { batchSize = defaultBatchSize, sampleWeight }) {
  const setup = model.setup("evaluate");
  checkWhole("evaluate: batchSize", batchSize, 1);
  const inputs = tableOf("x", x, "float32");
  const targets = tableOf("y", y, "int32");
  const weights = sampleWeight && tableOf("sampleWeight", sampleWeight, "float32");
  checkSameRows(inputs, { y: targets, sampleWeight: weights });
  const tables = [inputs, targets, weights];
  const averages = await averagesOf(setup.evaluate, setup.names, tables, batchSize);
  return averages.report();
}
async function predict(step, x, { batchSize = defaultBatchSize }) {
  checkWhole("predict: batchSize", batchSize, 1);
  const table2 = tableOf("x", x, "float32");
  const rows3 = table2.shape[0];
  const parts = [];
  let inner = [];
  for (let start = 0; start < rows3; start += batchSize) {
    const input = tensorOf(sliceRows(table2, start, Math.min(rows3, start + batchSize)));
    const output = await step(input);
    parts.push(await output.data());
    inner = output.shape.slice(1);
    input.dispose();
    output.dispose();
  }
  return joined(parts, [rows3, ...inner]);
}
function joined(parts, shape) {
  const { constructor } = parts[0];
  const data2 = new constructor(sizeOf(shape));
  let at2 = 0;
  for (const part of parts) {
    data2.set(part, at2);
    at2 += part.length;
  }
  return tensor(data2, { shape });
}

// src/train/diagnose.ts
async function nonFiniteLoss(model, x, where2) {
  const at2 = `epoch ${where2.epoch + 1}, step ${where2.step + 1}`;
  const culprit = await firstNonFinite(model, x);
  return new NonFiniteError(
    `fit: the loss is not finite at ${at2}: ${culprit}. The step was not applied; lower the learning rate, clip gradients (clipNorm) or check the data`
  );
}
async function firstNonFinite(model, x) {
  for (const [path, variable] of model.namedVariables()) {
    if (await countNonFinite(variable) > 0) return `${path} holds values that are not finite`;
  }
  const names = new Map(modulePaths(model));
  const outputs = [];
  const watch = (module, output) => {
    const name = `${names.get(module) ?? ""} (${module.type})`.trim();
    outputs.push({ name, bad: nonFinite(output.x) });
  };
  noGrad(() => inMode("inference", model, () => watching(watch, () => model.apply({ x }))));
  for (const { name, bad } of outputs) {
    if (await bad.item() > 0)
      return `the first output that is not finite is that of layer ${name}`;
  }
  return "every layer's output is finite, the loss itself is not";
}
function nonFinite(x) {
  return sum(cast(logicalNot(isFinite(x)), "float32"));
}
async function countNonFinite(x) {
  return noGrad(() => nonFinite(x)).item();
}
function modulePaths(model, prefix = "") {
  return model.children().flatMap(([name, child]) => {
    const path = prefix ? `${prefix}.${name}` : name;
    return [[child, path], ...modulePaths(child, path)];
  });
}

// src/train/progressBar.ts
var barWidth = 20;
var redrawInterval = 50;
function formatDuration(seconds) {
  const whole2 = Math.max(0, Math.ceil(seconds));
  if (whole2 < 60) return `${whole2}s`;
  const two = (n2) => String(n2).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole2 / 3600), Math.floor(whole2 / 60) % 60];
  const rest = two(whole2 % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}
function formatReport(report) {
  return Object.entries(report).map(([name, value]) => `${name}: ${formatValue(value)}`).join(" - ");
}
function formatValue(value) {
  const isSmall = value !== 0 && Math.abs(value) < 1e-3;
  return isSmall ? value.toExponential(4) : value.toFixed(4);
}
function formatStep(milliseconds) {
  return `${milliseconds >= 10 ? Math.round(milliseconds) : milliseconds.toFixed(1)}ms/step`;
}
function formatBar(step, steps2, elapsed, report) {
  const filled2 = Math.floor(barWidth * step / steps2);
  const bar = "\u2501".repeat(filled2) + "\u254C".repeat(barWidth - filled2);
  const perStep = elapsed / step;
  const left = formatDuration((steps2 - step) * perStep / 1e3);
  const count = `${String(step).padStart(String(steps2).length)}/${steps2}`;
  return `${count} ${bar} ETA ${left} ${formatStep(perStep)} - ${formatReport(report)}`;
}
var ProgressBar = class {
  options;
  stream;
  clock;
  epoch = 0;
  started = 0;
  drawn = -Infinity;
  trained = 0;
  width = 0;
  constructor(options) {
    this.options = options;
    this.stream = options.verbose === 0 ? void 0 : options.stream ?? standardStream();
    this.clock = options.clock ?? (() => performance.now());
  }
  /** Begins an epoch. */
  startEpoch(epoch) {
    this.started = this.clock();
    this.drawn = -Infinity;
    if (this.live) this.stream?.write(`Epoch ${epoch + 1}/${this.options.epochs}
`);
    this.epoch = epoch;
  }
  /** Shows that `step` steps are done; draws no oftener than the eye sees. */
  update(step, report) {
    const now = this.clock();
    this.trained = now;
    if (!this.live || now - this.drawn < redrawInterval && step < this.options.steps) return;
    this.drawn = now;
    this.draw(formatBar(step, this.options.steps, now - this.started, report));
  }
  /** Ends an epoch with its values. */
  endEpoch(report) {
    const { steps: steps2, epochs } = this.options;
    const elapsed = this.trained - this.started;
    const times = `${formatDuration(elapsed / 1e3)} ${formatStep(elapsed / steps2)}`;
    const line = `${steps2}/${steps2} - ${times} - ${formatReport(report)}`;
    if (this.live) {
      this.draw(line);
      this.stream?.write("\n");
      this.width = 0;
    } else {
      this.stream?.write(`Epoch ${this.epoch + 1}/${epochs} - ${line}
`);
    }
  }
  /** Whether there is a bar to draw over. */
  get live() {
    return this.options.verbose === 1 && this.stream?.isTTY === true;
  }
  draw(line) {
    const shown = line.slice(0, (this.stream?.columns ?? Infinity) - 1);
    this.stream?.write(`\r${shown.padEnd(this.width)}`);
    this.width = shown.length;
  }
};
function standardStream() {
  if (typeof process === "object" && process.stdout) return process.stdout;
  return { write: (text) => console.log(text.trimEnd()) };
}

// src/train/fit.ts
async function fit(model, x, y, options) {
  const { batchSize = defaultBatchSize, epochs = 1, shuffle = true, seed: seed5 = 0 } = options;
  const setup = model.setup("fit");
  checkWhole("fit: batchSize", batchSize, 1);
  checkWhole("fit: epochs", epochs, 1);
  const { rows: rows3, validation } = splitRows(x, y, options);
  const count = rows3[0].shape[0];
  const steps2 = Math.ceil(count / batchSize);
  const history = new History();
  const bar = new ProgressBar({
    epochs,
    steps: steps2,
    verbose: options.verbose ?? 1,
    ...options.progress && { stream: options.progress }
  });
  const first = Int32Array.from({ length: Math.min(batchSize, count) }, (_, row) => row);
  const buffers = rows3.map((table2) => table2 && gatherRows(table2, first).data);
  const callbacks = options.callbacks ?? [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const averages = new Averages(setup.names);
    bar.startEpoch(epoch);
    let step = 0;
    for (const chosen2 of batches(count, { batchSize, shuffle, seed: seed5, epoch })) {
      const batch2 = rows3.map((table2, i) => table2 && gatherRows(table2, chosen2, buffers[i]));
      const sums = await runStep(setup.train, batch2);
      if (!Number.isFinite(sums[1])) {
        setup.optimizer.steps--;
        throw await nonFiniteLoss(model, tensorOf(batch2[0]), { epoch, step });
      }
      averages.add(sums);
      const report2 = averages.report();
      bar.update(++step, report2);
      for (const { onBatchEnd } of callbacks) await onBatchEnd?.(step, report2);
    }
    const measured = validation ? (await averagesOf(setup.evaluate, setup.names, validation, batchSize)).report("val") : {};
    const report = { ...averages.report(), ...measured };
    history.add(epoch, report);
    bar.endEpoch(report);
    for (const { onEpochEnd } of callbacks) await onEpochEnd?.(epoch, report);
  }
  return history;
}
function splitRows(x, y, { validationSplit = 0, validationData, sampleWeight }) {
  const rows3 = rowsOf(x, y, sampleWeight, "");
  if (validationData) {
    return { rows: rows3, validation: rowsOf(...validationData, void 0, "validation ") };
  }
  if (validationSplit === 0) return { rows: rows3, validation: void 0 };
  const count = rows3[0].shape[0];
  const kept = Math.floor(count * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count) {
    throw new ArgumentError(
      `fit: validationSplit ${validationSplit} of ${count} rows leaves nothing on one side`
    );
  }
  const cut = (start, end) => {
    const [inputs, targets, weights] = rows3;
    const part = (table2) => sliceRows(table2, start, end);
    return [part(inputs), part(targets), weights && part(weights)];
  };
  return { rows: cut(0, kept), validation: cut(kept, count) };
}
function rowsOf(x, y, weight, prefix) {
  const inputs = tableOf(`${prefix}x`, x, "float32");
  const targets = tableOf(`${prefix}y`, y, "int32");
  const weights = weight && tableOf(`${prefix}sampleWeight`, weight, "float32");
  checkSameRows(inputs, { [`${prefix}y`]: targets, sampleWeight: weights });
  return [inputs, targets, weights];
}

// src/train/losses.ts
function difference(name, prediction, target) {
  if (!sameShape(prediction.shape, target.shape)) {
    throw new ShapeError(
      `${name}: the prediction is ${formatShape(prediction.shape)}, the target ${formatShape(target.shape)}`
    );
  }
  return sub(prediction, cast(target, prediction.dtype));
}
var probabilityEps = 1e-7;
function categoricalCrossEntropy(probabilities, target) {
  const dense = distributionOf(probabilities, target);
  const safe = clamp(probabilities, probabilityEps, 1);
  return neg(sum(mul(dense, log(safe)), { axis: -1 }));
}
function distributionOf(prediction, target) {
  if (sameShape(target.shape, prediction.shape)) return cast(target, prediction.dtype);
  return oneHot(target, prediction.shape.at(-1), prediction.dtype);
}
function binaryCrossEntropy(probabilities, target) {
  const y = cast(target, probabilities.dtype);
  const p = clamp(probabilities, probabilityEps, 1 - probabilityEps);
  return neg(add(mul(y, log(p)), mul(sub(1, y), log(sub(1, p)))));
}
function binaryCrossEntropyWithLogits(logits, target) {
  const y = cast(target, logits.dtype);
  return add(sub(relu(logits), mul(logits, y)), log1p(exp(neg(abs(logits)))));
}
function perEntry(losses2, entries2) {
  const inner = losses2.rank - entries2.length;
  if (inner <= 0) return losses2;
  const axes = Array.from({ length: inner }, (_, axis) => entries2.length + axis);
  return mean(losses2, { axis: axes });
}
function fitTarget(name, { x }, target) {
  if (sameShape(x.shape, target.shape)) return target;
  if (sizeOf(x.shape) === target.size && x.shape[0] === target.shape[0]) {
    return reshape(target, x.shape);
  }
  throw new ShapeError(
    `${name}: the model gives ${formatShape(x.shape)}, the target is ${formatShape(target.shape)}`
  );
}
function ofClasses(output, target) {
  const { logits, x } = output;
  if (logits?.activation === "softmax") {
    const rows3 = sameShape(target.shape, x.shape) ? cast(target, x.dtype) : target;
    return crossEntropy(logits.tensor, rows3, { reduction: "none" });
  }
  if (x.shape.at(-1) === 1) {
    throw new ShapeError(
      "categoricalCrossentropy: the model gives one number; end it in a layer of as many units as classes with activation softmax"
    );
  }
  return categoricalCrossEntropy(x, target);
}
var entryLosses = {
  meanSquaredError: (output, target) => {
    const fitted = fitTarget("meanSquaredError", output, target);
    const squares = square(difference("meanSquaredError", output.x, fitted));
    return perEntry(squares, output.x.shape.slice(0, 1));
  },
  halfSquaredError: (output, target) => {
    const fitted = fitTarget("halfSquaredError", output, target);
    const squares = square(difference("halfSquaredError", output.x, fitted));
    const axes = squares.shape.slice(1).map((_, axis) => axis + 1);
    return mul(sum(squares, { axis: axes }), 0.5);
  },
  categoricalCrossentropy: ofClasses,
  sparseCategoricalCrossentropy: ofClasses,
  binaryCrossentropy: (output, target) => {
    const fitted = fitTarget("binaryCrossentropy", output, target);
    const { logits, x } = output;
    const losses2 = logits?.activation === "sigmoid" ? binaryCrossEntropyWithLogits(logits.tensor, fitted) : binaryCrossEntropy(x, fitted);
    return perEntry(losses2, x.shape.slice(0, 1));
  }
};
function entryLoss(name) {
  checkKnown("compile: loss", name, [...Object.keys(entryLosses), "mse"]);
  return entryLosses[name === "mse" ? "meanSquaredError" : name];
}
function totalOf(losses2, mask, weights) {
  const masked = mask && sameShape(mask.shape, losses2.shape);
  const real = masked ? cast(mask, losses2.dtype) : void 0;
  const weight = weights && cast(weights, losses2.dtype);
  const both = real && weight ? mul(real, weight) : real ?? weight;
  if (!both) return { total: sum(losses2), count: full([], losses2.size, losses2.dtype) };
  return { total: sum(mul(losses2, both)), count: sum(both) };
}

// src/train/steps.ts
function trainStep(model, objective, optimizer) {
  return compile((...[x, y, weights]) => {
    const before = buffersOf(model);
    const output = inMode("training", model, () => model.apply({ x }));
    const { sums, loss } = measure(objective, output, y, weights);
    noGrad(() => keepUnlessFinite(loss, before));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step({ guard: loss });
    optimizer.zeroGrad();
    return sums;
  });
}
function buffersOf(model) {
  const found = /* @__PURE__ */ new Map();
  for (const variable of model.namedVariables().values()) {
    if (variable instanceof BufferVariable) found.set(variable, new Tensor(variable.value));
  }
  return found;
}
function keepUnlessFinite(loss, before) {
  const finite = isFinite(loss);
  for (const [variable, old] of before) {
    if (variable.value !== old.value) variable.assign(where(finite, variable, old));
  }
}
function evaluateStep(model, objective) {
  return compile(
    (...[x, y, weights]) => noGrad(() => {
      const output = inMode("inference", model, () => model.apply({ x }));
      return measure(objective, output, y, weights).sums;
    })
  );
}
function predictStep(model) {
  return compile(
    (x) => noGrad(() => inMode("inference", model, () => model.apply({ x }).x))
  );
}
function measure({ loss: entryLoss2, metrics }, output, target, weights) {
  const { mask } = output;
  const { total: total3, count } = totalOf(entryLoss2(output, target), mask, weights);
  const counted = noGrad(
    () => [...metrics.values()].map((metric) => totalOf(metric(output, target), mask, weights).total)
  );
  const sums = noGrad(
    () => stack([count, total3, ...counted].map((sum2) => cast(sum2.detach(), "float32")))
  );
  return { sums, loss: div(total3, count) };
}

// src/train/summary.ts
function summarize(model, input) {
  const shapes = /* @__PURE__ */ new Map();
  const apply = () => model.apply({ x: zeros([1, ...input.shape], input.dtype) });
  noGrad(
    () => inMode(
      "inference",
      model,
      () => watching((module, { x }) => shapes.set(module, x.shape), apply)
    )
  );
  const rows3 = model.children().map(([name, child]) => {
    const shape = shapes.get(child);
    return {
      name: `${name} (${child.type})`,
      shape: shape ? formatShape(shape).replace("[1", "[batch") : "",
      parameters: countOf(child)
    };
  });
  const all = model.parameters();
  const trained = all.filter((parameter) => parameter.requiresGrad);
  const bytes = all.reduce((sum2, { size, dtype }) => sum2 + size * dtypes[dtype].bytes, 0);
  return [
    ...table(["Layer (type)", "Output shape", "Parameters"], rows3),
    `Parameters: ${total(all)} (${(bytes / 2 ** 20).toFixed(2)} MB), trained: ${total(trained)}`
  ].join("\n");
}
function total(parameters) {
  return parameters.reduce((sum2, { shape }) => sum2 + sizeOf(shape), 0).toLocaleString("en");
}
function countOf(module) {
  return module.parameters().reduce((sum2, { size }) => sum2 + size, 0);
}
function table(head2, rows3) {
  const cells = [
    head2,
    ...rows3.map(({ name, shape, parameters }) => [name, shape, parameters.toLocaleString("en")])
  ];
  const widths = head2.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map(
    (row) => row.map(
      (cell, column) => column === 2 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])
    ).join("  ")
  );
  const rule = "\u2500".repeat(lines[0].length);
  return [lines[0], rule, ...lines.slice(1), rule];
}

// src/train/model.ts
var Model = class extends Module {
  #training;
  #predict;
  /** Sets the optimizer, loss and metrics; training starts anew. */
  compile(options) {
    const metrics = new Map((options.metrics ?? []).map((name) => [name, entryMetric(name)]));
    const objective = { loss: entryLoss(options.loss), metrics };
    const optimizer = makeOptimizer(options.optimizer, this.parameters());
    this.#training = {
      options,
      objective,
      optimizer,
      train: trainStep(this, objective, optimizer),
      evaluate: evaluateStep(this, objective),
      names: ["loss", ...metrics.keys()]
    };
  }
  /** @internal The training that `compile` set up. Throws StateError before it. */
  setup(caller) {
    if (this.#training) return this.#training;
    throw new StateError(`${caller}: call compile({ optimizer, loss }) first`);
  }
  /** Whether `compile` was called. */
  get compiled() {
    return this.#training !== void 0;
  }
  /**
   * Trains on `x` and `y`, a row for a row. Throws DataError for empty or unequal data, IndexError
   * for labels or ids out of range, NonFiniteError naming step and layer for a loss that is none.
   */
  async fit(x, y, options = {}) {
    return fit(this, x, y, options);
  }
  /** The loss and metrics on `x` and `y`. */
  async evaluate(x, y, options = {}) {
    return evaluate(this, x, y, options);
  }
  /**
   * What a training step on such a batch will do and need, before any runs: its kernel calls as
   * text, and the bytes in memory at the most. `x` and `y` are one batch.
   */
  planStep(x, y) {
    const { train } = this.setup("planStep");
    const inputs = [tensorOf(tableOf("x", x, "float32")), tensorOf(tableOf("y", y, "int32"))];
    return { description: train.describe(...inputs), peakBytes: train.peakBytes(...inputs) };
  }
  /** The outputs for `x`, `[rows, ...]`. */
  async predict(x, options = {}) {
    this.#predict ??= predictStep(this);
    return predict(this.#predict, x, options);
  }
  /** Layers, output shapes and parameters as text, for inputs of `inputShape` without the batch. */
  summary(inputShape, { dtype = "float32" } = {}) {
    return summarize(this, { shape: inputShape, dtype });
  }
};

// src/train/sequential.ts
var Sequential = class _Sequential extends Model {
  type = "sequential";
  layers;
  constructor(...layers) {
    super();
    if (layers.length === 0) throw new ArgumentError("sequential: no layers");
    this.layers = layers;
  }
  children() {
    return this.layers.map((layer, index) => [String(index), layer]);
  }
  run(signal) {
    return this.layers.reduce((current4, layer) => layer.apply(current4), signal);
  }
  config() {
    return { layers: this.layers.map(describeLayer) };
  }
  /** Builds the model that `config` describes. Throws DataError for what is no description. */
  static fromConfig({ layers }) {
    return new _Sequential(...layers.map(buildLayer));
  }
};

// src/nn/index.ts
function linear(inFeatures, outFeatures, options = {}) {
  return new Linear({ inFeatures, outFeatures, ...options });
}
function embedding2(numEmbeddings, embeddingDim, options = {}) {
  return new Embedding({ numEmbeddings, embeddingDim, ...options });
}
function layerNorm2(features, options = {}) {
  return new LayerNorm({ features, ...options });
}
function batchNorm1d(features, options = {}) {
  return new BatchNorm({ features, ...options });
}
var batchNorm2d = batchNorm1d;
function dropout2(p) {
  return new Dropout({ p });
}
function activation(name) {
  return new Activation({ name });
}
function flatten2() {
  return new Flatten();
}
function globalAveragePooling1d() {
  return new GlobalAveragePooling1d();
}
function globalMaxPooling1d() {
  return new GlobalMaxPooling1d();
}
function multiheadAttention(options) {
  return new MultiheadAttention(options);
}
function transformerEncoderLayer(options) {
  return new TransformerEncoderLayer(options);
}

// src/train/nn.ts
function sequential(...layers) {
  return new Sequential(...layers);
}

// bench/measure.ts
var warmups = 3;
var turn2 = 10;
var fewestTurns = 2;
var mostTurns = 50;
function timed(run) {
  return async () => {
    const start = performance.now();
    await run();
    return performance.now() - start;
  };
}
async function measure2(timers, seconds) {
  for (const timer of timers) for (let i = 0; i < warmups; i++) await timer();
  const samples = timers.map(() => []);
  const end = performance.now() + seconds * 1e3;
  for (let n2 = 0; n2 < fewestTurns || n2 < mostTurns && performance.now() < end; n2++) {
    for (const [index, timer] of timers.entries()) {
      for (let i = 0; i < turn2; i++) samples[index].push(await timer());
    }
  }
  return samples.map((times) => {
    const sorted = times.sort((a, b) => a - b);
    return {
      min: sorted[0],
      median: sorted[Math.floor(sorted.length / 2)],
      samples: sorted.length
    };
  });
}

// test/reference.ts
function sizeOf2(shape) {
  return shape.reduce((size, length2) => size * length2, 1);
}
function numbers(shape, salt = 1) {
  const data2 = Array.from({ length: sizeOf2(shape) }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + salt * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });
  return { shape, data: data2 };
}
function map(a, f) {
  return { shape: a.shape, data: a.data.map(f) };
}
function indexOf2(shape, at2) {
  const index = [];
  let rest = at2;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return index;
}
function at(a, index) {
  const lead = index.length - a.shape.length;
  let place2 = 0;
  a.shape.forEach((length2, axis) => {
    place2 = place2 * length2 + (length2 === 1 ? 0 : index[axis + lead]);
  });
  return a.data[place2];
}
function build(shape, f) {
  return { shape, data: Array.from({ length: sizeOf2(shape) }, (_, i) => f(indexOf2(shape, i))) };
}
function broadcast(...shapes) {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return lengths.find((length2) => length2 !== 1) ?? 1;
  });
}
function zip(arrays, f) {
  const shape = broadcast(...arrays.map((a) => a.shape));
  return build(shape, (index) => f(...arrays.map((a) => at(a, index))));
}
function reduce(a, axes, f) {
  const kept = a.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const inner = axes.map((axis) => a.shape[axis]);
  return build(
    kept.map((axis) => a.shape[axis]),
    (outer) => {
      const run = Array.from({ length: sizeOf2(inner) }, (_, i) => {
        const along = indexOf2(inner, i);
        const index = a.shape.map(
          (_2, axis) => axes.includes(axis) ? along[axes.indexOf(axis)] : outer[kept.indexOf(axis)]
        );
        return at(a, index);
      });
      return f(run);
    }
  );
}
function mapRows(a, f) {
  const width = a.shape.at(-1);
  const rows3 = width === 0 ? 0 : a.data.length / width;
  const data2 = Array.from(
    { length: rows3 },
    (_, r) => f(a.data.slice(r * width, (r + 1) * width))
  ).flat();
  return { shape: a.shape, data: data2 };
}
function total2(run) {
  return run.reduce((sum2, x) => sum2 + x, 0);
}
function matmul2(a, b) {
  const k2 = a.shape.at(-1);
  const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return build([...lead, a.shape.at(-2), b.shape.at(-1)], (index) => {
    const outer = index.slice(0, -2);
    const [i, j] = index.slice(-2);
    return total2(
      Array.from({ length: k2 }, (_, p) => at(a, [...outer, i, p]) * at(b, [...outer, p, j]))
    );
  });
}
function permute2(a, axes) {
  return build(
    axes.map((axis) => a.shape[axis]),
    (index) => {
      const from = [];
      axes.forEach((axis, i) => from[axis] = index[i]);
      return at(a, from);
    }
  );
}
function softmaxRow(row) {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const sum2 = total2(powers);
  return powers.map((x) => x / sum2);
}
function logSumExp(row) {
  const top = Math.max(...row);
  return top + Math.log(total2(row.map((x) => Math.exp(x - top))));
}
function erf2(x) {
  if (Math.abs(x) === Infinity) return Math.sign(x);
  let term = x;
  let sum2 = x;
  for (let n2 = 1; n2 < 80; n2++) {
    term *= -x * x / n2;
    sum2 += term / (2 * n2 + 1);
  }
  return 2 / Math.sqrt(Math.PI) * sum2;
}

// test/philox.ts
var word = (1n << 32n) - 1n;
function philox2(counter, key) {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round2 = 0; round2 < 10; round2++) {
    const first = 0xd2511f53n * a;
    const second = 0xcd9e8d57n * c;
    [a, b, c, d] = [second >> 32n ^ b ^ k0, second & word, first >> 32n ^ d ^ k1, first & word];
    [k0, k1] = [k0 + 0x9e3779b9n & word, k1 + 0xbb67ae85n & word];
  }
  return [a, b, c, d];
}
function uniforms(shape, seed5, draw = 0) {
  const size = sizeOf2(shape);
  const quads = Array.from(
    { length: Math.ceil(size / 4) },
    (_, quad) => philox2([BigInt(quad), 0n, 0n, BigInt(draw)], [BigInt(seed5), 0n])
  );
  const data2 = quads.flat().map((bits) => Number(bits >> 8n) / 2 ** 24);
  return { shape, data: data2.slice(0, size) };
}

// test/cases/case.ts
var benchShape = [300, 257];
var sizes = [0, 1, 3, 17];
function operand(shape, {
  salt = 1,
  low = -1,
  high = 1,
  ...rest
} = {}) {
  const { data: data2 } = numbers(shape, salt);
  return { shape, data: data2.map((x) => low + (x + 1) / 2 * (high - low)), ...rest };
}
function integers(shape, limit, salt = 1) {
  const { data: data2 } = numbers(shape, salt);
  return { shape, data: data2.map((x) => Math.floor((x + 1) / 2 * limit)), dtype: "int32" };
}
var specialValues = [NaN, Infinity, -Infinity, 0, -0, 1, -1, 2.5];
function specialPairs() {
  const pairs = specialValues.flatMap((a) => specialValues.map((b) => [a, b]));
  return [
    { shape: [pairs.length], data: pairs.map(([a]) => a) },
    { shape: [pairs.length], data: pairs.map(([, b]) => b) }
  ];
}

// test/cases/attention.ts
var seed2 = 3;
function attention(q, k2, v, { causal = false, lengths, dropout: dropout3 = 0, scale }) {
  const [batch2, heads2, queries, dim2] = q.shape;
  const keys2 = k2.shape[2];
  const products2 = matmul2(q, permute2(k2, [0, 1, 3, 2]));
  const shape = [batch2, heads2, queries, keys2];
  const scores = build(shape, (index) => {
    const [b, , i, j] = index;
    const visible = (!lengths || j < lengths[b]) && (!causal || j <= i + keys2 - queries);
    return visible ? at(products2, index) * (scale ?? 1 / Math.sqrt(dim2)) : -Infinity;
  });
  const weights = mapRows(
    scores,
    (row) => row.every((x) => x === -Infinity) ? row.map(() => 0) : softmaxRow(row)
  );
  const drawn = uniforms(shape, seed2);
  const kept = build(
    shape,
    (index) => at(drawn, index) < dropout3 ? 0 : at(weights, index) / (1 - dropout3)
  );
  return matmul2(dropout3 > 0 ? kept : weights, v);
}
function attentionCall([batch2, heads2, queries, keys2, dim2, valueDim], { lengths, ...options } = {}) {
  const bool = "bool";
  const mask = lengths && {
    shape: [batch2, keys2],
    data: lengths.flatMap((length2) => Array.from({ length: keys2 }, (_, j) => Number(j < length2))),
    dtype: bool
  };
  return {
    operands: [
      operand([batch2, heads2, queries, dim2]),
      operand([batch2, heads2, keys2, dim2], { salt: 2 }),
      operand([batch2, heads2, keys2, valueDim], { salt: 3 }),
      ...mask ? [mask] : []
    ],
    call: (q, k2, v, mask2) => {
      manualSeed(seed2);
      return scaledDotProductAttention(q, k2, v, { ...options, ...mask2 && { mask: mask2 } });
    }
  };
}
function sample(sizes2, options = {}) {
  return {
    ...attentionCall(sizes2, options),
    reference: (q, k2, v) => attention(q, k2, v, options)
  };
}
function headsInside2() {
  const { call, reference, operands } = sample([2, 3, 4, 4, 5, 5]);
  return {
    operands: operands.map((one) => ({ ...one, shape: [2, 4, 3, 5] })),
    call: (...all) => call(...all.map((x) => permute(x, [0, 2, 1, 3]))),
    reference: (...all) => reference(...all.map((x) => permute2(x, [0, 2, 1, 3])))
  };
}
var attentionCases = {
  scaledDotProductAttention: {
    samples: [
      sample([1, 1, 1, 1, 1, 1]),
      sample([0, 1, 3, 3, 2, 2]),
      sample([2, 2, 3, 3, 3, 3]),
      sample([2, 2, 5, 7, 4, 3], { lengths: [7, 3] }),
      sample([1, 2, 6, 6, 4, 4], { causal: true }),
      sample([2, 1, 3, 6, 4, 2], { causal: true, lengths: [6, 4] }),
      sample([2, 1, 3, 4, 2, 2], { lengths: [0, 4] }),
      sample([1, 1, 3, 17, 2, 2], { scale: 0.7 }),
      sample([2, 2, 3, 5, 2, 2], { dropout: 0.4 }),
      sample([1, 2, 4, 4, 2, 2], { dropout: 0.3, causal: true, lengths: [3] }),
      sample([1, 1, 70, 150, 8, 8], { lengths: [140] }),
      headsInside2()
    ],
    special: [
      {
        ...sample([1, 1, 2, 2, 1, 1]),
        operands: [
          { shape: [1, 1, 2, 1], data: [NaN, 1] },
          { shape: [1, 1, 2, 1], data: [1, 2] },
          { shape: [1, 1, 2, 1], data: [3, 4] }
        ]
      }
    ],
    random: true,
    bench: () => attentionCall([2, 4, 128, 128, 32, 32], { causal: true, lengths: [128, 90], dropout: 0.1 })
  }
};

// test/cases/creation.ts
function made(call, reference) {
  const shapes = [...sizes.map((size) => [size]), [3, 1], [2, 5, 7]];
  const typed = (shape) => ({
    operands: [{ shape: [0], data: [] }],
    call: ({ dtype }) => call(shape, dtype === "float64" ? dtype : "float32")
  });
  return {
    samples: shapes.map((shape) => ({ ...typed(shape), reference: () => reference(shape) })),
    noGradient: "has no operand",
    special: "has no operand",
    bench: () => {
      const { operands, call: call2 } = typed(benchShape);
      return { operands, call: (x) => neg(call2(x)) };
    }
  };
}
var fills = (value) => (shape) => build(shape, () => value);
var seed3 = 5;
function seeded(call) {
  return (...all) => {
    manualSeed(seed3);
    return call(...all);
  };
}
var creationCases = {
  full: made((shape, dtype) => full(shape, 0.5, dtype), fills(0.5)),
  zeros: made(zeros, fills(0)),
  ones: made(ones, fills(1)),
  arange: made(
    ([length2], dtype) => arange(2, 2 + 3 * length2, { step: 3, dtype }),
    ([length2]) => build([length2], ([i]) => 2 + 3 * i)
  ),
  uniform: {
    ...made(seeded(uniform), (shape) => uniforms(shape, seed3)),
    random: true
  },
  normal: {
    ...made(
      seeded(normal),
      (shape) => zip(
        [uniforms(shape, seed3, 0), uniforms(shape, seed3, 1)],
        (u, v) => Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v)
      )
    ),
    random: true
  }
};

// test/cases/elementwise.ts
function unarySamples(call, f, low, high) {
  const reference = (x) => map(x, f);
  const shapes = [...sizes.map((size) => [size]), [2, 3, 5]];
  return [
    ...shapes.map((shape) => ({ operands: [operand(shape, { low, high })], call, reference })),
    ...["transposed", "sliced"].map((placement) => ({
      operands: [operand([5, 7], { low, high, placement })],
      call,
      reference
    }))
  ];
}
function unary2(call, f, { low = -2, high = 2, ...rest } = {}) {
  const special = {
    operands: [{ shape: [specialValues.length], data: specialValues }],
    call,
    reference: (x) => map(x, f)
  };
  const bench = () => ({ operands: [operand(benchShape, { low, high })], call });
  return { samples: unarySamples(call, f, low, high), special: [special], bench, ...rest };
}
function fromOne(shape) {
  const found = integers(shape, 5, 2);
  return { ...found, data: found.data.map((x) => x + 1) };
}
function binary2(call, f, { low = -2, high = 2, low2 = low, high2 = high, whole: whole2, ...rest } = {}) {
  const pairs = [
    ...sizes.map((size) => [[size], [size]]),
    [[2, 3, 5], [5]],
    [[4, 1], [3]],
    [[], [3, 2]],
    [
      [3, 1, 2],
      [1, 4, 1]
    ]
  ];
  const reference = (a, b) => zip([a, b], f);
  const samples = [
    ...pairs.map(([a, b]) => ({
      operands: [operand(a, { low, high }), operand(b, { low: low2, high: high2, salt: 2 })],
      call,
      reference
    })),
    {
      operands: [
        operand([5, 7], { low, high, placement: "transposed" }),
        operand([5, 7], { low: low2, high: high2, salt: 2, placement: "sliced" })
      ],
      call,
      reference
    }
  ];
  if (whole2) samples.push({ operands: [integers([17], 9), fromOne([17])], call, reference });
  const bench = () => ({
    operands: [
      operand(benchShape, { low, high }),
      operand(benchShape.slice(1), { low: low2, high: high2, salt: 2 })
    ],
    call
  });
  return { samples, special: [{ operands: specialPairs(), call, reference }], bench, ...rest };
}
var truth = (x) => x ? 1 : 0;
var whole = true;
var comparison = { noGradient: "gives truth values", whole };
var predicate = { noGradient: comparison.noGradient };
var steps = { noGradient: "constant between its steps" };
function coarse(row) {
  return {
    ...row,
    samples: row.samples.map((sample2) => ({
      ...sample2,
      operands: sample2.operands.map((one) => ({
        ...one,
        data: one.data.map((x) => Math.round(x * 2) / 2)
      }))
    }))
  };
}
var sigmoid2 = (x) => 1 / (1 + Math.exp(-x));
var gelu2 = (x) => 0.5 * x * (1 + erf2(x / Math.SQRT2));
var geluTanh2 = (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
var even = (x) => {
  const near = Math.round(x);
  return Math.abs(x - Math.trunc(x)) === 0.5 && near % 2 !== 0 ? near - 1 : near;
};
function power2(a, b) {
  if (a === 1 || a === -1 && Math.abs(b) === Infinity) return 1;
  return a ** b;
}
function choice(c, a, b) {
  return {
    operands: [
      { shape: c, data: operand(c).data.map((x) => truth(x > 0)), dtype: "bool" },
      operand(a, { salt: 2 }),
      operand(b, { salt: 3 })
    ],
    call: (condition, a2, b2) => where(condition, a2, b2),
    reference: (c2, a2, b2) => zip([c2, a2, b2], (c3, a3, b3) => c3 !== 0 ? a3 : b3)
  };
}
var seed4 = 11;
function dropped(shape, p) {
  return {
    operands: [operand(shape)],
    call: (x) => {
      manualSeed(seed4);
      return dropout(x, { p });
    },
    reference: (x) => zip([x, uniforms(x.shape, seed4)], (x2, u) => u < p ? 0 : x2 / (1 - p))
  };
}
var pairsOfSpecials = [...specialValues, ...specialValues];
var elementwiseCases = {
  add: binary2(add, (a, b) => a + b, { whole }),
  sub: binary2(sub, (a, b) => a - b, { whole }),
  mul: binary2(mul, (a, b) => a * b, { whole }),
  div: binary2(div, (a, b) => a / b, { low2: 0.5, high2: 3 }),
  pow: binary2(pow, power2, { low: 0.2, high: 3 }),
  maximum: binary2(maximum, (a, b) => Math.max(a, b), { whole }),
  minimum: binary2(minimum, (a, b) => Math.min(a, b), { whole }),
  remainder: binary2(remainder, (a, b) => a - b * Math.floor(a / b), {
    low2: 0.5,
    high2: 2,
    whole
  }),
  eq: coarse(binary2(eq, (a, b) => truth(a === b), comparison)),
  ne: coarse(binary2(ne, (a, b) => truth(a !== b), comparison)),
  lt: coarse(binary2(lt, (a, b) => truth(a < b), comparison)),
  le: coarse(binary2(le, (a, b) => truth(a <= b), comparison)),
  gt: coarse(binary2(gt, (a, b) => truth(a > b), comparison)),
  ge: coarse(binary2(ge, (a, b) => truth(a >= b), comparison)),
  logicalAnd: coarse(binary2(logicalAnd, (a, b) => truth(a !== 0 && b !== 0), comparison)),
  logicalOr: coarse(binary2(logicalOr, (a, b) => truth(a !== 0 || b !== 0), comparison)),
  logicalXor: coarse(binary2(logicalXor, (a, b) => truth(a !== 0 !== (b !== 0)), comparison)),
  logicalNot: coarse(unary2(logicalNot, (x) => truth(x === 0), predicate)),
  isNaN: unary2(isNaN, (x) => truth(Number.isNaN(x)), predicate),
  isFinite: unary2(isFinite, (x) => truth(Number.isFinite(x)), predicate),
  neg: unary2(neg, (x) => -x),
  abs: unary2(abs, Math.abs),
  sign: unary2(sign, Math.sign, steps),
  floor: unary2(floor, Math.floor, steps),
  ceil: unary2(ceil, Math.ceil, steps),
  round: coarse(unary2(round, even, steps)),
  square: unary2(square, (x) => x * x),
  reciprocal: unary2(reciprocal, (x) => 1 / x, { low: 0.3 }),
  sqrt: unary2(sqrt, Math.sqrt, { low: 0.1 }),
  rsqrt: unary2(rsqrt, (x) => 1 / Math.sqrt(x), { low: 0.1 }),
  exp: unary2(exp, Math.exp, { low: -8, high: 8 }),
  expm1: unary2(expm1, Math.expm1),
  log: unary2(log, Math.log, { low: 0.05, high: 8 }),
  log1p: unary2(log1p, Math.log1p, { low: -0.9, high: 4 }),
  sin: unary2(sin, Math.sin, { low: -7, high: 7 }),
  cos: unary2(cos, Math.cos, { low: -7, high: 7 }),
  tanh: unary2(tanh, Math.tanh, { low: -4, high: 4 }),
  sigmoid: unary2(sigmoid, sigmoid2, { low: -6, high: 6 }),
  relu: unary2(relu, (x) => x < 0 ? 0 : x),
  softplus: unary2(softplus, (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  silu: unary2(silu, (x) => x * sigmoid2(x)),
  erf: unary2(erf, erf2),
  gelu: {
    ...unary2((x) => gelu(x), gelu2),
    samples: [
      ...unarySamples((x) => gelu(x), gelu2, -2, 2),
      ...unarySamples((x) => gelu(x, { approximate: "tanh" }), geluTanh2, -4, 4)
    ]
  },
  where: {
    samples: [
      [[17], [17], [17]],
      [[0], [1], [0]],
      [[3, 1], [4], [1, 1]],
      [[1], [], [2, 3]]
    ].map(([c, a, b]) => choice(c, a, b)),
    special: [
      {
        ...choice([2], [], []),
        operands: [
          { shape: [2], data: [1, 0], dtype: "bool" },
          ...specialPairs().map(({ shape, data: data2 }) => ({ shape: [...shape, 1], data: data2 }))
        ]
      }
    ],
    bench: () => choice(benchShape, benchShape, benchShape.slice(1))
  },
  clamp: unary2(
    (x) => clamp(x, -0.5, 1),
    (x) => x < -0.5 ? -0.5 : x > 1 ? 1 : x
  ),
  cast: {
    ...unary2((x) => cast(cast(x, "int32"), "float64"), Math.trunc, steps),
    special: "integers hold none"
  },
  detach: unary2(
    (x) => x.detach(),
    (x) => x,
    { noGradient: "cuts the history on purpose" }
  ),
  dropout: {
    samples: [0, 0.3, 0.5, 1].flatMap((p) => sizes.map((size) => dropped([size], p))),
    special: [{ ...dropped([2, 8], 0.5), operands: [{ shape: [2, 8], data: pairsOfSpecials }] }],
    bench: () => dropped(benchShape, 0.3),
    random: true
  }
};

// test/cases/layers.ts
function products() {
  const pairs = [
    [
      [1, 1],
      [1, 1]
    ],
    [
      [3, 5],
      [5, 17]
    ],
    [
      [17, 3],
      [3, 17]
    ],
    [
      [0, 3],
      [3, 2]
    ],
    [
      [2, 0],
      [0, 3]
    ],
    [
      [33, 70],
      [70, 9]
    ],
    [
      [2, 3, 5],
      [5, 4]
    ],
    [
      [2, 3, 5],
      [2, 5, 4]
    ],
    [
      [4, 1, 3, 5],
      [2, 5, 2]
    ],
    [[7, 7], [7, 7], "transposed"],
    [[7, 7], [7, 7], "sliced"]
  ];
  return pairs.map(([a, b, placement = "dense"]) => ({
    operands: [operand(a, { placement }), operand(b, { salt: 2, placement })],
    call: (a2, b2) => matmul(a2, b2),
    reference: (a2, b2) => matmul2(a2, b2)
  }));
}
var rowShapes = [
  [3, 5],
  [1, 17],
  [2, 3, 1],
  [0, 4],
  [5, 7],
  [2, 130]
];
function rows(call, f, special) {
  const sample2 = (one) => ({
    operands: [one],
    call: (x) => call(x),
    reference: (x) => mapRows(x, f)
  });
  return {
    samples: [
      ...rowShapes.map((shape) => sample2(operand(shape, { low: -3, high: 3 }))),
      sample2(operand([7, 5], { placement: "transposed" }))
    ],
    special: special.map((data2) => sample2({ shape: [1, data2.length], data: data2 })),
    bench: () => ({ operands: [operand(benchShape, { low: -3, high: 3 })], call })
  };
}
var smoothing = 0.1;
function entropy(logits, labels, s, ignore = -100) {
  const classes2 = logits.shape.at(-1);
  const losses2 = labels.data.map((label, row) => {
    if (label === ignore) return 0;
    const x = logits.data.slice(row * classes2, (row + 1) * classes2);
    const terms = x.map((v) => logSumExp(x) - v);
    return (1 - s) * terms[label] + s / classes2 * total2(terms);
  });
  const counted = labels.data.filter((label) => label !== ignore).length;
  return { shape: [], data: [total2(losses2) / counted] };
}
var layerCases = {
  matmul: {
    samples: products(),
    special: [
      {
        operands: [
          { shape: [2, 2], data: [NaN, 1, Infinity, 2] },
          { shape: [2, 2], data: [1, -Infinity, 2, 3] }
        ],
        call: (a, b) => matmul(a, b),
        reference: (a, b) => matmul2(a, b)
      }
    ],
    bench: () => ({
      operands: [operand([257, 300]), operand([300, 129], { salt: 2 })],
      call: (a, b) => matmul(a, b)
    })
  },
  softmax: rows((x) => softmax(x), softmaxRow, [
    [1, -Infinity, 2],
    [NaN, 1, 2],
    [-Infinity, -Infinity],
    [1e3, 999],
    [Infinity, 1]
  ]),
  logSoftmax: rows(
    (x) => logSoftmax(x),
    (row) => row.map((x) => x - logSumExp(row)),
    [
      [NaN, 1, 2],
      [1e3, 999],
      [-1e3, 0]
    ]
  ),
  crossEntropy: {
    samples: [
      ...[0, smoothing].flatMap(
        (labelSmoothing) => [
          [3, 5],
          [17, 2],
          [1, 1]
        ].map(([n2, classes2]) => ({
          operands: [operand([n2, classes2], { low: -3, high: 3 }), integers([n2], classes2)],
          call: (x, y) => crossEntropy(x, y, { labelSmoothing }),
          reference: (x, y) => entropy(x, y, labelSmoothing)
        }))
      ),
      {
        operands: [operand([4, 3]), { shape: [4], data: [0, 1, 2, 1], dtype: "int32" }],
        call: (x, y) => crossEntropy(x, y, { ignoreIndex: 1, labelSmoothing: smoothing }),
        reference: (x, y) => entropy(x, y, smoothing, 1)
      },
      {
        operands: [operand([4, 3]), { shape: [4], data: [0, 7, 2, 7], dtype: "int32" }],
        call: (x, y) => crossEntropy(x, y, { ignoreIndex: 7 }),
        reference: (x, y) => entropy(x, y, 0, 7)
      },
      {
        operands: [
          operand([4, 3], { low: -3, high: 3 }),
          { shape: [4], data: [0, 7, 2, 1], dtype: "int32" },
          operand([4], { low: 0.5, high: 2, salt: 2 })
        ],
        call: (x, y, weight) => crossEntropy(x, y, { ignoreIndex: 7, weight }),
        reference: (x, y, weight) => {
          const some = [0, 2, 3];
          const losses2 = some.map(
            (row) => logSumExp(x.data.slice(3 * row, 3 * row + 3)) - x.data[3 * row + y.data[row]]
          );
          const weights = some.map((row) => weight.data[row]);
          const sum2 = total2(losses2.map((loss, i) => loss * weights[i]));
          return { shape: [], data: [sum2 / total2(weights)] };
        }
      },
      {
        operands: [
          operand([5, 4], { low: -3, high: 3 }),
          operand([5, 4], { low: 0, high: 1, salt: 2 })
        ],
        call: (x, t) => crossEntropy(x, t, { reduction: "sum" }),
        reference: (x, t) => ({
          shape: [],
          data: [
            total2(
              mapRows(x, (row) => row.map((v) => logSumExp(row) - v)).data.map(
                (nll, i) => nll * t.data[i]
              )
            )
          ]
        })
      }
    ],
    special: [
      {
        operands: [
          { shape: [2, 3], data: [1, NaN, 2, 0, 1, 2] },
          { shape: [2], data: [0, 1], dtype: "int32" }
        ],
        call: (x, y) => crossEntropy(x, y, { reduction: "none" }),
        reference: (x) => ({
          shape: [2],
          data: [NaN, logSumExp(x.data.slice(3)) - 1]
        })
      }
    ],
    bench: () => ({
      operands: [operand(benchShape, { low: -3, high: 3 }), integers([300], 257)],
      call: (x, y) => crossEntropy(x, y, { labelSmoothing: smoothing })
    })
  },
  embedding: {
    samples: [[3], [2, 5], [0], [17]].flatMap(
      (shape) => [4, 17].map((width) => ({
        operands: [integers(shape, 7), operand([7, width], { salt: 2 })],
        call: (ids, table2) => embedding(ids, table2),
        reference: (ids, table2) => build(
          [...shape, width],
          (index) => at(table2, [at(ids, index.slice(0, -1)), index.at(-1)])
        )
      }))
    ),
    special: [
      {
        operands: [
          { shape: [3], data: [1, 0, 1], dtype: "int32" },
          { shape: [2, 4], data: specialValues }
        ],
        call: (ids, table2) => embedding(ids, table2),
        reference: (ids, table2) => build([3, 4], ([i, j]) => at(table2, [ids.data[i], j]))
      }
    ],
    bench: () => ({
      operands: [integers([700], 1500), operand([1500, 64])],
      call: (ids, table2) => embedding(ids, table2)
    })
  },
  oneHot: {
    samples: [[3], [0], [2, 5]].map((shape) => ({
      operands: [integers(shape, 4)],
      call: (labels) => oneHot(labels, 4),
      reference: (labels) => build([...shape, 4], (index) => at(labels, index.slice(0, -1)) === index.at(-1) ? 1 : 0)
    })),
    bench: () => ({
      operands: [integers([300], 257)],
      call: (labels) => oneHot(labels, 257)
    }),
    noGradient: "its operand is whole numbers",
    special: "its operand is whole numbers"
  }
};

// test/cases/movement.ts
function moves(shapes, call, reference, bench = benchShape) {
  const placed = ["dense", "transposed", "sliced"].flatMap(
    (placement) => shapes.filter((shape2) => placement === "dense" || shape2.length === 2).map((shape2) => operand(shape2, { placement }))
  );
  const sample2 = (one) => ({ operands: [one], call, reference });
  const shape = shapes.find((shape2) => sizeOf2(shape2) >= specialValues.length);
  const data2 = Array.from({ length: sizeOf2(shape) }, (_, i) => specialValues[i % 8]);
  return {
    samples: placed.map(sample2),
    special: [sample2({ shape, data: data2 })],
    bench: onBench(call, bench)
  };
}
function onBench(call, shape) {
  return () => ({ operands: [operand(shape)], call: (x) => neg(call(x)) });
}
var same2 = (shapeOf) => (x) => ({ shape: shapeOf(x.shape), data: x.data });
function padded(x) {
  const [rows3, columns] = x.shape;
  return build([rows3 + 3, columns + 1], ([i, j]) => {
    const inside = i >= 1 && i <= rows3 && j >= 1 && j <= columns;
    return inside ? at(x, [i - 1, j - 1]) : 0.5;
  });
}
function concatenated(axis) {
  return (...all) => {
    const shape = all[0].shape.map(
      (length2, i) => i === axis ? all.reduce((sum2, { shape: shape2 }) => sum2 + shape2[axis], 0) : length2
    );
    return build(shape, (index) => {
      let left = index[axis];
      const from = all.find(({ shape: shape2 }) => left < shape2[axis] || (left -= shape2[axis], false));
      return at(
        from,
        index.map((i, a) => a === axis ? left : i)
      );
    });
  };
}
var movementCases = {
  reshape: moves(
    [[6, 4], [0, 4], [24]],
    (x) => reshape(x, [-1, 2]),
    same2((s) => [sizeOf2(s) / 2, 2])
  ),
  flatten: moves(
    [[5, 7], [2, 3, 4], [1]],
    (x) => flatten(x),
    same2((s) => [sizeOf2(s)])
  ),
  unsqueeze: moves(
    [[5, 7], [17], [0]],
    (x) => unsqueeze(x, 1),
    same2((s) => [s[0], 1, ...s.slice(1)])
  ),
  squeeze: moves(
    [
      [17, 1],
      [3, 1, 5]
    ],
    (x) => squeeze(x, 1),
    same2((s) => [s[0], ...s.slice(2)]),
    [300, 1, 257]
  ),
  permute: moves(
    [
      [2, 3, 5],
      [0, 3, 1]
    ],
    (x) => permute(x, [2, 0, 1]),
    (x) => permute2(x, [2, 0, 1]),
    [30, 10, 257]
  ),
  transpose: moves(
    [
      [5, 7],
      [1, 17],
      [0, 3]
    ],
    (x) => transpose(x),
    (x) => permute2(x, [1, 0])
  ),
  broadcastTo: {
    ...moves(
      [
        [5, 1],
        [3, 5, 4]
      ],
      (x) => broadcastTo(x, broadcast(x.shape, [2, 3, 5, 4])),
      (x) => build(broadcast(x.shape, [2, 3, 5, 4]), (index) => at(x, index))
    ),
    bench: onBench((x) => broadcastTo(x, benchShape), [300, 1])
  },
  slice: moves(
    [
      [9, 7],
      [17, 3]
    ],
    (x) => slice(x, [[1, -1, 3], [1]]),
    (x) => build(
      [Math.ceil((x.shape[0] - 2) / 3), x.shape[1] - 1],
      ([i, j]) => at(x, [1 + 3 * i, 1 + j])
    ),
    [1800, 257]
  ),
  concat: {
    samples: [
      [[2, 3], [4, 3], 0],
      [[2, 3], [2, 0], 1],
      [[17], [1], 0],
      [[2, 3, 5], [2, 1, 5], 1]
    ].map(([a, b, axis]) => ({
      operands: [operand(a), operand(b, { salt: 2 })],
      call: (a2, b2) => concat([a2, b2], axis),
      reference: concatenated(axis)
    })),
    special: [
      {
        operands: [
          { shape: [8], data: specialValues },
          { shape: [8], data: specialValues }
        ],
        call: (a, b) => concat([a, b]),
        reference: concatenated(0)
      }
    ],
    bench: () => ({
      operands: [operand(benchShape), operand(benchShape, { salt: 2 })],
      call: (a, b) => concat([a, b])
    })
  },
  stack: {
    samples: [[3], [0], [5, 7]].map((shape) => ({
      operands: [
        operand(shape),
        operand(shape, { salt: 2, placement: shape.length === 2 ? "transposed" : "dense" })
      ],
      call: (a, b) => stack([a, b], 1),
      reference: (a, b) => build(
        [shape[0], 2, ...shape.slice(1)],
        ([i, which, ...rest]) => at(which === 0 ? a : b, [i, ...rest])
      )
    })),
    special: [
      {
        operands: [
          { shape: [8], data: specialValues },
          { shape: [8], data: specialValues }
        ],
        call: (a, b) => stack([a, b]),
        reference: (a, b) => ({ shape: [2, 8], data: [...a.data, ...b.data] })
      }
    ],
    bench: () => ({
      operands: [operand(benchShape), operand(benchShape, { salt: 2 })],
      call: (a, b) => stack([a, b], 1)
    })
  },
  split: moves(
    [
      [9, 7],
      [9, 1]
    ],
    (x) => split(x, [4, x.shape[0] - 4])[1],
    (x) => build([x.shape[0] - 4, x.shape[1]], ([i, j]) => at(x, [i + 4, j]))
  ),
  pad: moves(
    [
      [5, 7],
      [0, 3],
      [1, 1]
    ],
    (x) => pad(
      x,
      [
        [1, 2],
        [1, 0]
      ],
      { value: 0.5 }
    ),
    padded
  )
};

// test/cases/normalization.ts
function normalized(values2, eps) {
  const mean3 = total2(values2) / values2.length;
  const variance2 = total2(values2.map((x) => (x - mean3) ** 2)) / values2.length;
  return values2.map((x) => (x - mean3) / Math.sqrt(variance2 + eps));
}
var normalizationCases = {
  layerNorm: {
    samples: [
      [3, 5],
      [2, 3, 17],
      [1, 130],
      [0, 4],
      [70, 3]
    ].flatMap((shape) => [
      {
        operands: [
          operand(shape),
          operand([shape.at(-1)], { salt: 2 }),
          operand([shape.at(-1)], { salt: 3 })
        ],
        call: (x, weight, bias) => layerNorm(x, { weight, bias }),
        reference: (x, w, b) => mapRows(x, (row) => normalized(row, 1e-5).map((h, i) => h * w.data[i] + b.data[i]))
      },
      {
        operands: [operand(shape)],
        call: (x) => layerNorm(x),
        reference: (x) => mapRows(x, (row) => normalized(row, 1e-5))
      }
    ]).concat({
      operands: [operand([3, 2, 5]), operand([2, 5], { salt: 2 })],
      call: (x, weight) => layerNorm(x, { weight, normalizedShape: [2, 5], eps: 0.01 }),
      reference: (x, w) => {
        const rows3 = mapRows(
          { ...x, shape: [3, 10] },
          (row) => normalized(row, 0.01).map((h, i) => h * w.data[i])
        );
        return { ...rows3, shape: x.shape };
      }
    }),
    special: [
      {
        operands: [{ shape: [2, 3], data: [1, NaN, 2, 4, 5, 6] }],
        call: (x) => layerNorm(x),
        reference: (x) => mapRows(x, (row) => normalized(row, 1e-5))
      }
    ],
    bench: () => ({
      operands: [operand(benchShape), operand([257], { salt: 2 }), operand([257], { salt: 3 })],
      call: (x, weight, bias) => layerNorm(x, { weight, bias })
    })
  },
  batchNorm: {
    samples: [
      [4, 3],
      [17, 1],
      [3, 5, 7],
      [2, 3, 2, 5]
    ].map((shape) => ({
      operands: [
        operand(shape),
        operand([shape[1]], { salt: 2 }),
        operand([shape[1]], { salt: 3 })
      ],
      call: (x, weight, bias) => batchNorm(x, { weight, bias, training: true }),
      reference: (x, w, b) => {
        const out = [...x.data];
        for (let channel = 0; channel < shape[1]; channel++) {
          const places2 = out.map((_, i) => i).filter((i) => indexOf2(shape, i)[1] === channel);
          const values2 = normalized(
            places2.map((i) => x.data[i]),
            1e-5
          );
          places2.forEach((i, n2) => out[i] = values2[n2] * w.data[channel] + b.data[channel]);
        }
        return { shape, data: out };
      }
    })),
    special: [
      {
        operands: [{ shape: [2, 2], data: [1, NaN, 2, 3] }],
        call: (x) => batchNorm(x, { training: true }),
        reference: (x) => {
          const first = normalized([x.data[0], x.data[2]], 1e-5);
          return { shape: [2, 2], data: [first[0], NaN, first[1], NaN] };
        }
      }
    ],
    bench: () => ({
      operands: [operand([40, 17, 150]), operand([17], { salt: 2 }), operand([17], { salt: 3 })],
      call: (x, weight, bias) => batchNorm(x, { weight, bias, training: true })
    })
  }
};

// test/cases/reduce.ts
function reduction2(call, f, { empty = true, ...rest } = {}) {
  const some = [
    [[17], [0]],
    [[1], [0]],
    [[3, 5], [1]],
    [[3, 5], [0]],
    [
      [2, 3, 5],
      [0, 2]
    ],
    [
      [2, 3, 5, 2],
      [1, 2]
    ],
    [[0, 3], [1]],
    [
      [70, 300],
      [0, 1]
    ]
  ];
  const none2 = [
    [[0], [0]],
    [[3, 0], [1]]
  ];
  const sample2 = (shape, axis, placement) => ({
    operands: [operand(shape, { placement, low: 0.5, high: 1.5 })],
    call: (x) => call(x, { axis }),
    reference: (x) => reduce(x, axis, f)
  });
  const special = [
    [0, 1],
    [2, 3],
    [0, 3],
    [3, 4, 5],
    [3, 6, 7]
  ].map((pick) => {
    const data2 = pick.map((i) => specialValues[i]);
    return {
      operands: [{ shape: [data2.length], data: data2 }],
      call: (x) => call(x),
      reference: (x) => reduce(x, [0], f)
    };
  });
  return {
    samples: [
      ...[...some, ...empty ? none2 : []].map(([shape, axis]) => sample2(shape, axis, "dense")),
      sample2([5, 7], [0], "transposed")
    ],
    special,
    bench: () => ({
      operands: [operand([4, ...benchShape], { low: 0.5, high: 1.5 })],
      // All, along rows and along columns.
      call: (x) => concat([[0, 1, 2], [2], [1]].map((axis) => flatten(call(x, { axis }))))
    }),
    ...rest
  };
}
var mean2 = (run) => total2(run) / run.length;
var places = { empty: false, noGradient: "gives places" };
var reduceCases = {
  sum: reduction2(sum, total2),
  prod: reduction2(prod, (run) => run.reduce((product2, x) => product2 * x, 1), {}),
  mean: reduction2(mean, mean2),
  variance: reduction2(
    (x, options) => variance(x, { ...options, correction: 0 }),
    (run) => {
      const centre = mean2(run);
      return mean2(run.map((x) => (x - centre) ** 2));
    }
  ),
  max: reduction2(max, (run) => Math.max(...run), { empty: false }),
  min: reduction2(min, (run) => Math.min(...run), { empty: false }),
  argMax: argument3(argMax, (run) => run.indexOf(Math.max(...run))),
  argMin: argument3(argMin, (run) => run.indexOf(Math.min(...run)))
};
function argument3(call, f) {
  const row = reduction2((x, options) => call(x, { axis: options?.axis?.[0] ?? 0 }), f, places);
  return {
    ...row,
    samples: row.samples.filter(({ operands: [x] }) => x.shape.length <= 2 && x.data.length < 1e3).map((sample2) => ({ ...sample2 })),
    special: [
      {
        operands: [{ shape: [4], data: [1, NaN, 3, NaN] }],
        call: (x) => call(x, { axis: 0 }),
        reference: () => ({ shape: [], data: [1] })
      }
    ]
  };
}

// test/cases.ts
var cases = {
  ...elementwiseCases,
  ...movementCases,
  ...reduceCases,
  ...layerCases,
  ...normalizationCases,
  ...attentionCases,
  ...creationCases
};

// test/opChecks.ts
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
function place(one, float) {
  const dtype = one.dtype ?? float;
  if (one.placement === "transposed") {
    const [rows3, columns] = one.shape;
    const turned = Array.from({ length: one.data.length }, (_, i) => {
      const [row, column] = [i % rows3, Math.floor(i / rows3)];
      return one.data[row * columns + column];
    });
    return transpose(make(turned, [columns, rows3], dtype));
  }
  if (one.placement === "sliced") {
    const [rows3, columns] = one.shape;
    const spread2 = new Array(2 * rows3 * (columns + 1)).fill(99);
    one.data.forEach((x, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      spread2[2 * row * (columns + 1) + column + 1] = x;
    });
    return slice(make(spread2, [2 * rows3, columns + 1], dtype), [[0, 2 * rows3, 2], [1]]);
  }
  return make(one.data, one.shape, dtype);
}
function make(data2, shape, dtype) {
  return tensor(Float64Array.from(data2), { shape, dtype });
}
setFlagsFromString("--expose-gc");
var collect = runInNewContext("gc");

// bench/ops.ts
function compute(row, float, backward2) {
  const { operands, call } = row.bench();
  const placed = operands.map((one) => place(one, float));
  const isFloat2 = (_, index) => operands[index].dtype === void 0;
  const weights = place(operand(call(...placed).shape, { salt: 9 }), float);
  const program = compile((...inputs) => {
    const y = call(...inputs);
    return backward2 ? gradients([y], inputs.filter(isFloat2), [weights]) : [y];
  });
  return () => program(...placed);
}
async function errorOf(single, double) {
  const values2 = async (results) => {
    manualSeed(1);
    const arrays = await Promise.all((await results()).map((x) => x.data()));
    return arrays.flatMap((array) => Array.from(array));
  };
  const [a, b] = [await values2(single), await values2(double)];
  const largest = (x) => x.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  return largest(a.map((value, index) => value - b[index])) / (largest(b) || 1);
}
function rowOf(name, row, backward2) {
  return {
    name: `op_${name}${backward2 ? "_backward" : ""}`,
    inTorch: false,
    async prepare() {
      const single = compute(row, "float32", backward2);
      const error = await errorOf(single, compute(row, "float64", backward2));
      return {
        error,
        run: async () => {
          await single();
        }
      };
    }
  };
}
var ops2 = Object.entries(cases).flatMap(([name, row]) => {
  const hasGradient = row.noGradient === void 0 && row.bench().operands.some(({ dtype }) => !dtype);
  return [rowOf(name, row, false), ...hasGradient ? [rowOf(name, row, true)] : []];
});

// bench/numbers.ts
function noise(seed5, count, scale = 1) {
  const start = Math.imul(seed5, 2654435769);
  return Float32Array.from({ length: count }, (_, index) => {
    let word2 = start + index;
    word2 = Math.imul(word2 ^ word2 >>> 16, 2246822507);
    word2 = Math.imul(word2 ^ word2 >>> 13, 3266489909);
    word2 ^= word2 >>> 16;
    return ((word2 >>> 0) / 2 ** 31 - 1) * scale;
  });
}
function noiseIntegers(seed5, count, limit) {
  const share2 = (x) => Math.floor((x * 0.5 + 0.5) * limit);
  return Int32Array.from(noise(seed5, count), (x) => Math.min(share2(x), limit - 1));
}
function glorot(seed5, inputs, outputs) {
  return noise(seed5, inputs * outputs, Math.sqrt(6 / (inputs + outputs)));
}
function transposed(matrix2, rows3, columns) {
  return matrix2.map((_, index) => matrix2[index % rows3 * columns + Math.floor(index / rows3)]);
}

// bench/textClassifier.ts
var batch = 32;
var length = 128;
var tokens = 1e4;
var dim = 128;
var heads = 4;
var classes = 2;
var losses = [0.9437242673214494, 0.6128457864916778, 0.4227449705819519, 0.1816916004968945];
function makeModel(dropout3) {
  const model = nn_exports.sequential(
    nn_exports.embedding(tokens, dim, { maskZero: true, positions: length }),
    nn_exports.transformerEncoderLayer({ modelDim: dim, heads, feedForwardDim: dim, dropout: dropout3, eps: 1e-6 }),
    nn_exports.globalAveragePooling1d(),
    nn_exports.dropout(dropout3),
    nn_exports.linear(dim, classes)
  );
  const square2 = (seed5) => transposed(glorot(seed5, dim, dim), dim, dim);
  const weights = {
    "0.weight": noise(101, tokens * dim, 0.05),
    "0.position": noise(102, length * dim, 0.05),
    // Queries, keys and values.
    "1.self_attn.in_proj_weight": Float32Array.from([103, 104, 105].flatMap((s) => [...square2(s)])),
    "1.self_attn.out_proj.weight": square2(106),
    "1.linear1.weight": square2(110),
    "1.linear2.weight": square2(111),
    "4.weight": transposed(glorot(112, dim, classes), dim, classes)
  };
  const parameters = model.namedParameters();
  for (const [name, data2] of Object.entries(weights)) parameters.get(name).set(data2);
  return model;
}
function data() {
  const lengths = noiseIntegers(120, batch, length - 15);
  const ids = noiseIntegers(121, batch * length, tokens - 1);
  const isReal = (index) => index % length < lengths[Math.floor(index / length)] + 16;
  return {
    ids: ids.map((id, index) => isReal(index) ? id + 1 : 0),
    labels: noiseIntegers(122, batch, classes)
  };
}
function makeStep(dropout3) {
  const model = makeModel(dropout3);
  const optimizer = new optim_exports.Adam(model.parameters(), { learningRate: 1e-3 });
  const step = compile((ids2, labels2) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(ids2), labels2);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const { ids, labels } = data();
  const x = tensor(ids, { shape: [batch, length] });
  const y = tensor(labels, { shape: [batch] });
  return async () => {
    const loss = await step(x, y);
    return loss.item();
  };
}
var textClassifier = {
  name: "clf_step",
  inTorch: true,
  async prepare() {
    const checked = makeStep(0);
    let error = 0;
    for (const loss of losses) error = Math.max(error, Math.abs(await checked() / loss - 1));
    const step = makeStep(0.1);
    return {
      error,
      run: async () => {
        await step();
      }
    };
  }
};

// bench/rows.ts
var rows2 = [textClassifier, ...ops2];

// bench/pytorch.ts
import { spawn } from "node:child_process";
import { on } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
var script = fileURLToPath(new URL("../pytorch.py", import.meta.url));
async function startTorch(python, name, threads2) {
  const child = spawn(python, [script, name, "--threads", String(threads2)], {
    stdio: ["pipe", "pipe", "inherit"]
  });
  const lines = createInterface({ input: child.stdout });
  const answers = on(lines, "line", { close: ["close"] });
  const failed = new Promise((_, reject) => child.once("error", reject));
  const nextLine = async () => {
    const answer = await Promise.race([answers.next(), failed]);
    if (answer.done) throw new Error(`${python}: PyTorch ended`);
    return answer.value[0];
  };
  return {
    version: await nextLine(),
    timer: async () => {
      child.stdin.write("\n");
      return Number(await nextLine());
    },
    stop: () => child.stdin.end()
  };
}

// bench/main.ts
var { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    threads: { type: "string" },
    build: { type: "string" },
    seconds: { type: "string", default: "2" },
    torch: { type: "string" },
    json: { type: "boolean", default: false }
  }
});
var chosen = rows2.filter(({ name }) => name.includes(values.only));
if (chosen.length === 0) {
  throw new Error(`no row is called ${values.only}; there are ${rows2.map((r) => r.name).join()}`);
}
await init({
  wide: process.env.WIDE === "1",
  ...values.threads && { threads: Number(values.threads) },
  // init refuses what is no build.
  ...values.build && { build: values.build }
});
var { build: build2, threads } = engine().info();
var rounded = (x) => Number(x.toPrecision(4));
for (const row of chosen) {
  const { name } = row;
  const work = await row.prepare();
  const torch = values.torch && row.inTorch ? await startTorch(values.torch, name, threads) : void 0;
  const timers = [timed(() => work.run()), ...torch ? [torch.timer] : []];
  const [own2, peer] = await measure2(timers, Number(values.seconds));
  torch?.stop();
  const line = {
    w: name,
    build: build2,
    threads,
    min_ms: rounded(own2.min),
    med_ms: rounded(own2.median),
    n: own2.samples,
    err: rounded(work.error),
    ...peer && {
      torch: torch.version,
      torch_min_ms: rounded(peer.min),
      torch_med_ms: rounded(peer.median),
      ratio: rounded(own2.min / peer.min)
    }
  };
  console.log(values.json ? JSON.stringify(line) : textOf(line));
}
shutdown2();
function textOf({ w, ...rest }) {
  const parts = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return `${w}: ${parts.join(", ")}`;
}
//# sourceMappingURL=main.js.map

for(const [l,p] of globalThis.__lists){ if(!l.__p||Object.values(l.__p)[0].length<20)continue; const rows=p.calls.map((c,i)=>({k:c.kernel,l:c.label,t:l.__p[i]?Math.min(...l.__p[i]):0})); const tot=rows.reduce((a,r)=>a+r.t,0); const by={}; for(const r of rows)by[r.k]=(by[r.k]??0)+r.t; console.log('total',tot.toFixed(2),rows.length,'calls'); console.log(Object.entries(by).sort((a,b)=>b[1]-a[1]).map(([k,v])=>k+' '+v.toFixed(2)).join('  ')); if(process.env.ROWS)for(const r of rows)console.log(r.t.toFixed(3).padStart(8),r.k.padEnd(22),r.l.slice(0,150)); }
