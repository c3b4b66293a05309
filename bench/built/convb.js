var __defProp = Object.defineProperty;
var __export = (target, all2) => {
  for (var name in all2)
    __defProp(target, name, { get: all2[name], enumerable: true });
};

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
  return shape.reduce((size, length) => size * length, 1);
}
function sameShape(a, b) {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
function checkShape(op2, shape) {
  if (shape.every((length) => Number.isSafeInteger(length) && length >= 0)) return;
  throw new ShapeError(`${op2}: ${formatShape(shape)} is no shape: sizes are whole numbers \u2265 0`);
}
function normalizeAxis(op2, axis, rank) {
  const normal2 = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normal2 >= 0 && normal2 < rank) return normal2;
  throw new ArgumentError(`${op2}: axis ${axis} is outside a tensor of ${rank} axes`);
}
function normalizeAxes(op2, axes, rank) {
  if (axes === void 0) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  const normal2 = list.map((axis) => normalizeAxis(op2, axis, rank)).sort((a, b) => a - b);
  if (new Set(normal2).size === normal2.length) return normal2;
  throw new ArgumentError(`${op2}: axes [${list.join(", ")}] name an axis twice`);
}
function broadcastShapes(op2, a, b) {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m2 = a[axis - rank + a.length] ?? 1;
    const n2 = b[axis - rank + b.length] ?? 1;
    if (m2 === n2 || n2 === 1) return m2;
    if (m2 === 1) return n2;
    throw new ShapeError(
      `${op2}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: sizes ${m2} and ${n2} meet at axis ${axis - rank}`
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
function collapse(shape, operands2) {
  const dims = [];
  const strides = operands2.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis];
    if (length === 1) continue;
    const last = dims.length - 1;
    const merges = last >= 0 && operands2.every((operand, i) => strides[i][last] === operand[axis] * length);
    if (merges) {
      dims[last] *= length;
      operands2.forEach((operand, i) => strides[i][last] = operand[axis]);
    } else {
      dims.push(length);
      operands2.forEach((operand, i) => strides[i].push(operand[axis]));
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
      const length = shape[axis];
      if (left % length !== 0) return void 0;
      strides[axis] = stride;
      stride *= length;
      left /= length;
      axis--;
    }
  }
  return { shape, strides, offset: layout.offset };
}
function broadcastLayout(layout, shape) {
  const lead = shape.length - layout.shape.length;
  const strides = shape.map(
    (length, axis) => axis < lead || layout.shape[axis - lead] !== length ? 0 : layout.strides[axis - lead]
  );
  return { shape, strides, offset: layout.offset };
}
function columnsFirst(layout) {
  const [rows, columns] = layout.shape.slice(-2);
  const strides = denseLayout([...layout.shape.slice(0, -2), columns, rows]).strides;
  return { ...layout, strides: [...strides.slice(0, -2), strides.at(-1), strides.at(-2)] };
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
  constructor(op2, inputs, attributes, outputs) {
    this.op = op2;
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
function hostValue(data, shape, dtype) {
  return storedValue(new Storage(data.byteLength, data), shape, dtype);
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
  const numbers = /* @__PURE__ */ new Map();
  const nameOf = (value) => {
    if (!isLeaf(value)) return `${numbers.get(value.node)}.${value.index}`;
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
    numbers.set(node, numbers.size);
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
  GeluSlope: 20,
  "20": "GeluSlope",
  GeluTanh: 21,
  "21": "GeluTanh",
  GeluTanhSlope: 22,
  "22": "GeluTanhSlope",
  Silu: 23,
  "23": "Silu",
  SiluSlope: 24,
  "24": "SiluSlope",
  Softplus: 25,
  "25": "Softplus",
  Erf: 26,
  "26": "Erf",
  Floor: 27,
  "27": "Floor",
  Ceil: 28,
  "28": "Ceil",
  Round: 29,
  "29": "Round",
  Not: 30,
  "30": "Not",
  IsNan: 31,
  "31": "IsNan",
  IsFinite: 32,
  "32": "IsFinite",
  Add: 33,
  "33": "Add",
  Sub: 34,
  "34": "Sub",
  Mul: 35,
  "35": "Mul",
  Div: 36,
  "36": "Div",
  Pow: 37,
  "37": "Pow",
  Maximum: 38,
  "38": "Maximum",
  Minimum: 39,
  "39": "Minimum",
  Remainder: 40,
  "40": "Remainder",
  Eq: 41,
  "41": "Eq",
  Ne: 42,
  "42": "Ne",
  Lt: 43,
  "43": "Lt",
  Le: 44,
  "44": "Le",
  Gt: 45,
  "45": "Gt",
  Ge: 46,
  "46": "Ge",
  And: 47,
  "47": "And",
  Or: 48,
  "48": "Or",
  Xor: 49,
  "49": "Xor",
  Where: 50,
  "50": "Where",
  Uniform: 51,
  "51": "Uniform",
  Dropout: 52,
  "52": "Dropout"
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
function isSum({ op: op2, attributes }) {
  return op2.lowering.kind === "elementwise" && op2.lowering.instruction(attributes).opcode === Opcode.Add;
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
  const operands2 = node.inputs.filter((_, index) => index !== keys2);
  return [...operands2, ...node.outputs].some(({ dtype }) => wide(dtype)) ? "float64" : "float32";
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
    this.members = new Set(nodes2.flatMap((node) => node.outputs));
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
  members;
  compile() {
    for (const node of this.nodes) {
      const key = keyOperand(node);
      node.inputs.forEach((input, index) => {
        if (index !== key && !this.members.has(input)) this.load(input, node.outputs[0].shape);
      });
    }
    for (const node of this.nodes) this.append(node);
  }
  registerOf(value) {
    return this.values.get(value);
  }
  load(value, shape) {
    if (this.values.has(value) || constantOf(value) !== void 0) return;
    const placed = this.builder.find(value);
    const register = this.registers++;
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
    const target = this.free.pop() ?? this.registers++;
    this.values.set(output, target);
    this.instructions.push(instruction(opcode, target, sources, random?.stream ?? 0, immediate));
    for (const input of new Set(node.inputs)) {
      if (!this.members.has(input) || this.stores.has(input)) continue;
      if (this.lastReader.get(input) === node) this.free.push(this.registerOf(input));
    }
  }
  source(input) {
    const number = constantOf(input);
    if (number === void 0) return this.values.get(input);
    let register = this.constants.get(number);
    if (register === void 0) {
      register = this.registers++;
      this.constants.set(number, register);
      this.instructions.push(instruction(Opcode.Const, register, [], 0, number));
    }
    return register;
  }
  /** Instructions name a key by the number of its pointer, which follow those of the loads. */
  key(value) {
    const place = startOf(this.builder.dense(value), value.dtype);
    this.keys.push(place);
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
  const places = [...code.loads.map(({ place }) => place), ...code.keys];
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
    places.push(store.place);
    access(store, places.length - 1, code.loads.length + index);
  });
  const padding = new Array(maxPointers - places.length).fill(0);
  builder.call("elementwise", [builder.words(words), ...places, ...padding], label);
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
  let total = 0;
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
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, entry);
    total = Math.max(total, entry.end);
  }
  return { offsets, bytes: total };
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
  words(values) {
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
function kernelEmitter(builder, node, sum2, inColumns) {
  const operand = (index) => node.inputs[index];
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
    strided: (index) => located(operand(index), builder.find(operand(index))),
    dense: (index) => startOf(builder.dense(operand(index)), operand(index).dtype),
    denseRows: (index) => {
      const value = operand(index);
      const placed = builder.find(value);
      const inRows = placed.layout.strides.at(-1) === 1 || value.shape.at(-1) <= 1;
      return located(value, inRows ? placed : builder.dense(value));
    },
    inColumns,
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
    words: (values) => builder.words(values),
    copyInto: (index, region2) => {
      const { buffer } = builder.find(node.outputs[0]);
      const from = builder.find(operand(index));
      emitCopy(builder, operand(index).dtype, from, { buffer, layout: region2 }, node.op.name);
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

// src/program/layouts.ts
function wantedInColumns({ nodes: nodes2 }, kept) {
  const wanted = /* @__PURE__ */ new Set();
  const others = new Set(kept);
  for (const node of nodes2) {
    const { lowering } = node.op;
    for (const input of node.inputs) {
      if (isLeaf(input) || input.shape.length < 2) continue;
      const [output] = node.outputs;
      const seen = lowering.kind === "view" && input === node.inputs[0] ? lowering.view(columnsFirst(denseLayout(input.shape)), node.attributes, output) : void 0;
      (seen && isDense(seen) ? wanted : others).add(input);
    }
  }
  for (const value of others) wanted.delete(value);
  return wanted;
}

// src/program/emit.ts
function emit(graph, { steps, inPlace }, key) {
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
  const escaping = valuesBetweenSteps(steps, kept);
  const inColumns = wantedInColumns(graph, kept);
  for (const step of steps) emitStep(builder, step, escaping, inColumns);
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
function valuesBetweenSteps(steps, kept) {
  const escaping = new Set(kept);
  for (const { nodes: nodes2 } of steps) {
    const own2 = new Set(nodes2);
    for (const input of nodes2.flatMap((node) => node.inputs)) {
      if (!isLeaf(input) && !own2.has(input.node)) escaping.add(input);
    }
  }
  return escaping;
}
function emitStep(builder, { nodes: nodes2 }, escaping, inColumns) {
  const [first, sum2] = nodes2;
  if (isConstant(first)) return;
  if (isElementwise(first)) {
    const stores = nodes2.map((node) => node.outputs[0]).filter((value) => escaping.has(value));
    emitChain(builder, nodes2, stores);
  } else if (first.op.lowering.kind === "kernel") {
    const emitter = kernelEmitter(builder, first, sum2, inColumns.has(first.outputs[0]));
    first.op.lowering.emit(emitter, first.attributes);
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
function schedule(graph, steps) {
  const stepOf = /* @__PURE__ */ new Map();
  for (const step of steps) for (const node of step.nodes) stepOf.set(node, step);
  const needs = new Map(steps.map((step) => [step, /* @__PURE__ */ new Set()]));
  const readers = /* @__PURE__ */ new Map();
  for (const step of steps) {
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
  return { steps: order(steps, needs, early), inPlace };
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
function order(steps, needs, early) {
  const rank = new Map(steps.map((step) => [step, early.has(step) ? 0 : step.nodes.at(-1).id]));
  const waiting = new Map(steps.map((step) => [step, needs.get(step).size]));
  const users = new Map(steps.map((step) => [step, []]));
  for (const [step, needed] of needs) for (const one of needed) users.get(one).push(step);
  const ready = steps.filter((step) => waiting.get(step) === 0);
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
    const place = this.#places.get(handle);
    if (!place) return;
    this.#places.delete(handle);
    this.#heap.free(place.address);
  }
  /** Where a buffer is. Throws StateError unless it exists with this size, or more. */
  address(handle, bytes) {
    const place = this.#places.get(handle);
    if (!place) {
      throw new StateError(
        `buffer ${handle} is not in the engine's memory: it was never made, was freed, or was lost with the worker that led the engine`
      );
    }
    if (place.bytes < bytes) {
      throw new StateError(`buffer ${handle} holds ${place.bytes} bytes: ${bytes} are wanted`);
    }
    return place.address;
  }
};

// src/runtime/files.ts
function engineFile(wasm, build, name) {
  return new URL(`${build}/${name}`, wasm.href.endsWith("/") ? wasm : `${wasm.href}/`);
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
    const joined = { address, bytes };
    let first = low;
    let replaced = 0;
    if (before && endOf(before) === address) {
      joined.address = before.address;
      joined.bytes += before.bytes;
      first--;
      replaced++;
    }
    if (after?.address === address + bytes) {
      joined.bytes += after.bytes;
      replaced++;
    }
    this.#free.splice(first, replaced, joined);
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
      const receive = (data) => {
        const event = new MessageEvent("message", { data });
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
async function loadSource(wasmUrl, build, memory) {
  const bytes = await readBytes(engineFile(wasmUrl, build, "engine_bg.wasm"));
  const module = await WebAssembly.compile(bytes);
  return { module, glue: engineFile(wasmUrl, build, "engine.js").href, memory };
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
  constructor({ exports }, program) {
    this.#exports = exports;
    const patches = Array.from({ length: firstSlot + program.slots.length }, () => []);
    const kernels = /* @__PURE__ */ new Map();
    this.#calls = program.calls.map((call) => {
      const kernel = kernels.get(call.kernel) ?? kernelOf(exports, call.kernel);
      kernels.set(call.kernel, kernel);
      const args = [0];
      for (const argument3 of call.args) {
        if (typeof argument3 !== "number") {
          const { buffer, offset } = argument3;
          patches[indexOf(buffer)].push({ args, index: args.length, offset });
        }
        args.push(typeof argument3 === "number" ? argument3 : 0);
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
      kernel(...args);
      exports.team_barrier(team);
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
function chooseBuild(abilities, wanted, threads) {
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
  const build = wanted ?? order2.find((candidate) => !refusals[candidate]) ?? "single";
  const faster = order2.slice(0, order2.indexOf(build));
  const reasons = wanted && faster.length > 0 ? [`build "${wanted}" was asked for`] : [];
  if (!wanted) {
    const missing = faster.map((candidate) => refusals[candidate]);
    reasons.push(...new Set(missing.filter((reason) => reason !== void 0)));
  }
  const shared = build !== "single";
  if (shared && !isolated && threads > 1) reasons.push(notIsolated);
  if (!shared && wanted && threads > 1) reasons.push('build "single" has one thread');
  return {
    build,
    simd: build === "relaxed" ? "relaxed-simd" : "simd128",
    shared,
    threads: shared && isolated ? threads : 1,
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
var budget = 1e3;
var optimized = 0.5;
var clearly = 0.9;
var verdict;
function tryWide(instance, heap) {
  verdict ??= { refusal: checkWide(instance, heap) };
  instance.exports.team_prefer_wide(verdict.refusal === void 0);
  return verdict.refusal;
}
function checkWide({ exports, memory }, heap) {
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
  const sample = (wide) => {
    const begun = performance.now();
    run(wide);
    return performance.now() - begun;
  };
  try {
    const operands2 = new Float32Array(memory.buffer, a, (m + n) * k);
    operands2.forEach((_, index) => operands2[index] = Math.fround((index % 97 - 48) / 49));
    new Int32Array(memory.buffer, layout, 1)[0] = 0;
    const first = [sample(false), sample(true)];
    let [narrow, wide] = first;
    const end = performance.now() + budget;
    for (let calm = 0; calm < calmRounds && performance.now() < end; calm++) {
      const times = [sample(false), sample(true)];
      const improved = times[0] < narrow * clearly || times[1] < wide * clearly;
      [narrow, wide] = [Math.min(narrow, times[0]), Math.min(wide, times[1])];
      if (improved || narrow > first[0] * optimized || wide > first[1] * optimized) calm = 0;
    }
    run(false);
    const portable = result().slice();
    run(true);
    if (result().some((bits, index) => bits !== portable[index])) {
      return "wide: the wide micro-kernel gives other bits here";
    }
    if (wide < narrow * clearly) return void 0;
    return "wide: the wide micro-kernel is not the faster one here";
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
  const { build, maxMemory = addressable } = options;
  const threads = options.threads ?? Math.min(await coreCount(), mostCores);
  if (!Number.isInteger(threads) || threads < 1 || threads > mostThreads) {
    throw new ArgumentError(
      `init: threads is ${threads}, not a whole number of 1 to ${mostThreads}`
    );
  }
  if (!(maxMemory >= initialBytes && maxMemory <= addressable)) {
    throw new ArgumentError(
      `init: maxMemory is ${maxMemory} bytes, not ${initialBytes} to ${addressable}`
    );
  }
  const noWide = options.wide ? await unlockWide() : void 0;
  const choice = chooseBuild(detectAbilities(isIsolated), build, threads);
  const wanted = Math.floor(maxMemory / pageBytes) * pageBytes;
  const { memory, limit } = choice.shared ? createMemory(wanted) : { memory: void 0, limit: wanted };
  const reasons = [...choice.reasons];
  if (limit < wanted) reasons.push(`the host grants at most ${limit} bytes of memory`);
  if (noWide) reasons.push(noWide);
  return {
    choice: { ...choice, reasons },
    wide: options.wide === true && noWide === void 0,
    source: await loadSource(absolute(options.wasmUrl, defaultWasmUrl), choice.build, memory),
    limit,
    script: absolute(options.workerUrl, defaultWorkerUrl)
  };
}
function absoluteUrls(options) {
  const script = absolute(options.workerUrl, defaultWorkerUrl);
  const wasmUrl = absolute(options.wasmUrl, defaultWasmUrl).href;
  return { script, posted: { ...options, wasmUrl, workerUrl: script.href } };
}
function absolute(url, otherwise) {
  return url === void 0 ? otherwise : new URL(url, globalThis.location?.href);
}

// src/runtime/job.ts
var headWords = 5;
function jobBytes(addresses) {
  return 4 * (headWords + addresses);
}
function writeJob({ buffer }, at, job) {
  const { key, place, address, bytes, addresses } = job;
  const words = new Uint32Array(buffer, at, headWords + addresses.length);
  words.set([key, place, address, bytes, addresses.length]);
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
    const place = this.#places.pop() ?? this.#loaded.size;
    this.#loaded.set(program.key, { program, place });
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
  prepare(key, instance, threads) {
    const loaded = this.#get(key);
    const { program, place } = loaded;
    const arena = this.#arenaFor(program);
    loaded.constants ??= this.#putConstants(program);
    if (threads > 1) loaded.text ??= this.#putText(program, place);
    if (loaded.ready?.instance !== instance) {
      loaded.ready = { instance, list: new CallList(instance, program) };
    }
    return {
      program,
      list: loaded.ready.list,
      constants: loaded.constants,
      arena,
      text: loaded.text ?? { key, place, ...noText }
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
  #putText(program, place) {
    const text = encodeProgram(program);
    const address = this.#heap.allocate(text.length, "a Program's calls");
    new Uint8Array(this.#memory.buffer, address, text.length).set(text);
    return { key: program.key, place, address, bytes: text.length };
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
    const length = Atomics.load(this.#words, errorLengthIndex);
    if (!this.abandoned || length === 0) return void 0;
    const text = new TextDecoder().decode(this.#error.slice(0, length));
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
async function recruit(source, count, script) {
  const peers = [];
  try {
    const members = Array.from({ length: count }, async (_, index) => {
      const name = `ferrograd worker ${index + 1}`;
      const peer = new Peer(await startThread(script, name), name);
      peers.push(peer);
      const joined = await peer.call("join", source);
      peer.thread.keepAlive(false);
      return { peer, ...joined };
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
    const { source, choice, script } = resolved;
    const instantiate = await prepare(source);
    const instance = instantiate();
    const [spare, isAlive, members] = await Promise.all([
      prepare(source),
      threadProbe(),
      recruit(source, choice.threads - 1, script)
    ]);
    return new _Leader({ ...resolved, host: host2, spare, isAlive }, instance, members);
  }
  /** What runs. */
  info() {
    const { choice, host: host2, wide } = this.#parts;
    const { build, simd, reasons } = choice;
    const later = [this.#notWide, this.#shortage].filter((reason) => reason !== void 0);
    return {
      build,
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
    const made = [];
    const make = (into, handle, bytes) => {
      if (this.#buffers.has(handle)) return;
      this.#buffers.make(handle, bytes);
      into.push(handle);
    };
    let bound;
    try {
      for (const { handle, data } of writes) make(written, handle, data.byteLength);
      if (run) {
        this.#programs.get(run.key).slots.forEach(({ bytes, role }, index) => {
          const handle = run.slots[index];
          if (role === "out" && handle !== void 0) make(made, handle, bytes);
        });
        bound = this.#bind(run);
      }
      for (const { handle, data } of writes) this.#buffers.address(handle, data.byteLength);
      for (const { handle, bytes } of reads) this.#buffers.address(handle, bytes);
    } catch (error) {
      for (const handle of [...written, ...made]) this.#buffers.free(handle);
      throw error;
    }
    for (const { handle, data } of writes) this.#write(handle, data);
    try {
      if (bound) this.#run(bound);
    } catch (error) {
      for (const handle of made) this.#buffers.free(handle);
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
    const places = program.slots.map(
      ({ bytes }, index) => this.#buffers.address(slots[index], bytes)
    );
    return { ...runnable, addresses: bindings(runnable.constants, runnable.arena, places) };
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
    const { source, choice } = this.#parts;
    if (abandoned && source.memory && this.#spare) {
      const { thread } = this.#instance;
      this.#instance = this.#spare();
      this.#spare = void 0;
      this.#instance.release(thread);
    }
    this.#team = this.#form([]);
    void this.#refill(this.#teams, choice.threads - 1);
  }
  /** Gets a new spare instance and new workers, and forms the team anew when they are ready. */
  async #refill(team, workers) {
    const { source, script } = this.#parts;
    if (workers > 0) this.#shortage = "a worker died: its successor is starting";
    try {
      this.#spare ??= await prepare(source);
      const members = await recruit(source, workers, script);
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
  #write(handle, data) {
    const { buffer, byteOffset, byteLength } = data;
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
  constructor(script, options, onLoss) {
    this.#script = script;
    this.#options = options;
    this.#onLoss = onLoss;
  }
  /** Starts a worker from `script`, and in it a Leader. `options` hold no URL objects. */
  static async start(script, options, onLoss) {
    const remote = new _RemoteLeader(script, options, onLoss);
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
    const { script, posted } = absoluteUrls(options);
    return new _Engine(await RemoteLeader.start(script, posted, () => loaded.clear()), loaded);
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
function realize(values) {
  const targets = values.filter((value) => !isLeaf(value) && value.bytes > 0);
  for (const value of values) {
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
function tensor(data, { shape, dtype, requiresGrad = false } = {}) {
  const found = ArrayBuffer.isView(data) ? { numbers: data, shape: [data.length] } : flattenNested("tensor", data);
  const wanted = shape ?? found.shape;
  checkShape("tensor", wanted);
  const { length } = found.numbers;
  if (sizeOf(wanted) !== length) {
    throw new ShapeError(
      `tensor: ${length} elements do not fill ${formatShape(wanted)} (${sizeOf(wanted)})`
    );
  }
  const kind = dtype ?? dtypeOf(data);
  const made = new Tensor(hostValue(new dtypes[kind].make(found.numbers), wanted, kind));
  if (requiresGrad) made.requiresGrad = true;
  return made;
}
function dtypeOf(data) {
  if (data instanceof Float64Array) return "float64";
  if (data instanceof Int32Array) return "int32";
  if (data instanceof Uint8Array) return "bool";
  let first = data;
  while (Array.isArray(first)) first = first[0];
  return typeof first === "boolean" ? "bool" : "float32";
}
function flattenNested(op2, data) {
  const numbers = [];
  return { numbers, shape: append(op2, data, numbers) };
}
function append(op2, data, into) {
  if (typeof data === "number" || typeof data === "boolean") {
    into.push(Number(data));
    return [];
  }
  if (!Array.isArray(data)) {
    throw new ArgumentError(`${op2}: ${typeof data} is neither a number nor an array of them`);
  }
  let inner;
  data.forEach((row, index) => {
    const shape = append(op2, row, into);
    inner ??= shape;
    if (!sameShape(inner, shape)) {
      throw new ShapeError(
        `${op2}: ragged data: entry 0 has shape ${formatShape(inner)}, entry ${index} has ${formatShape(shape)}`
      );
    }
  });
  return [data.length, ...inner ?? []];
}
function nest(data, shape) {
  const build = (axis, start, size) => {
    if (axis === shape.length) return data[start];
    const step = size / shape[axis];
    return Array.from({ length: shape[axis] }, (_, i) => build(axis + 1, start + i * step, step));
  };
  return build(0, 0, data.length);
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
function record(op2, operands2, attributes) {
  const values = operands2.map((operand) => operand.value);
  const specs = op2.infer(values, attributes);
  const node = new Node(op2, values, attributes, Array.isArray(specs) ? specs : [specs]);
  if (gradientsEnabled && op2.vjp && values.some((value) => value.requiresGrad)) {
    for (const output of node.outputs.slice(0, op2.differentiable)) {
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
  const op2 = {
    name,
    infer: (operands2, attributes) => row.infer(operands2, attributes),
    lowering: loweringOf(row),
    vjp: row.vjp,
    ...row.differentiable !== void 0 && { differentiable: row.differentiable },
    ...row.inPlace && { inPlace: row.inPlace },
    ...row.takesAddend && { takesAddend: row.takesAddend }
  };
  const all2 = (...args) => {
    const { operands: operands2, attributes } = row.signature(...args);
    return record(op2, operands2, attributes);
  };
  return Object.assign((...args) => all2(...args)[0], { all: all2 });
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
  constructor(seed2) {
    checkSeed("Generator", seed2);
    this.seed = seed2;
  }
  /** What to give `restore` to go on from here. */
  get state() {
    return { seed: this.seed, draws: this.draws };
  }
  /** Goes on from a state. Throws ArgumentError for one that no generator had. */
  restore({ seed: seed2, draws: draws2 }) {
    checkSeed("Generator", seed2);
    if (!Number.isSafeInteger(draws2) || draws2 < 0) {
      throw new ArgumentError(`Generator: ${draws2} draws are no whole number \u2265 0`);
    }
    this.seed = seed2;
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
    let word = this.uint32();
    while (word >= fair) word = this.uint32();
    return word % limit;
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
function checkSeed(caller, seed2) {
  if (Number.isSafeInteger(seed2) && seed2 >= 0) return;
  throw new ArgumentError(`${caller}: seed ${seed2} is not a whole number from 0 to 2^53 - 1`);
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
function dynamic(data, shape, dtype) {
  if (!current3) return new Tensor(hostValue(data.provide(), shape, dtype));
  return new Tensor(new Value(shape, dtype, { source: { kind: "dynamic", ...data } }));
}

// src/seed.ts
var seed = 0;
var draws = 0;
var host = new Generator(0);
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
  const whole = found.every((size) => Number.isInteger(size) && size >= 0);
  if (!whole || sizeOf(found) !== x.size) {
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
  const at = normalizeAxis("unsqueeze", axis, x.rank + 1);
  return reshape(x, [...x.shape.slice(0, at), 1, ...x.shape.slice(at)]);
}
function squeeze(x, axis) {
  if (axis === void 0)
    return reshape(
      x,
      x.shape.filter((length) => length !== 1)
    );
  const at = normalizeAxis("squeeze", axis, x.rank);
  if (x.shape[at] !== 1) {
    throw new ShapeError(`squeeze: axis ${axis} of ${formatShape(x.shape)} is not of length 1`);
  }
  return reshape(x, [...x.shape.slice(0, at), ...x.shape.slice(at + 1)]);
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
  signature: (x, starts, steps, shape) => ({
    operands: [x],
    attributes: { starts, steps, shape }
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  view: ({ strides, offset }, { starts, steps, shape }) => ({
    shape,
    strides: strides.map((stride, axis) => stride * steps[axis]),
    offset: starts.reduce((sum2, start, axis) => sum2 + start * strides[axis], offset)
  }),
  vjp: (dy, { operands: [x], attributes: { starts, steps } }) => [
    embed(dy, x.shape, starts, steps)
  ]
});
var embed = defineOp("embed", {
  signature: (x, shape, starts, steps) => ({
    operands: [x],
    attributes: { shape, starts, steps }
  }),
  infer: ([x], { shape }) => ({ shape, dtype: x.dtype }),
  kernel: (emitter, { shape, starts, steps }) => {
    emitter.output(0);
    emitter.fill(0);
    emitter.copyInto(0, region(shape, emitter.operands[0].shape, starts, steps));
  },
  vjp: (dy, { operands: [x], attributes: { starts, steps } }) => [
    strided(dy, starts, steps, x.shape)
  ]
});
function region(outer, inner, starts, steps) {
  const strides = stridesOf(outer);
  return {
    shape: inner,
    strides: strides.map((stride, axis) => stride * steps[axis]),
    offset: starts.reduce((sum2, start, axis) => sum2 + start * strides[axis], 0)
  };
}
function slice(x, ranges) {
  if (ranges.length > x.rank) {
    throw new ArgumentError(
      `slice: ${ranges.length} ranges for the ${x.rank} axes of ${formatShape(x.shape)}`
    );
  }
  const bounds = x.shape.map((length, axis) => {
    const [start, end = length, step = 1] = ranges[axis] ?? [0];
    if (!Number.isInteger(step) || step < 1 || !Number.isInteger(start) || !Number.isInteger(end)) {
      throw new ArgumentError(
        `slice: [${start}, ${end}, ${step}] on axis ${axis}: whole numbers, and a step of \u2265 1`
      );
    }
    const clip = (at) => Math.min(Math.max(at < 0 ? at + length : at, 0), length);
    const from = clip(start);
    return { from, step, count: Math.max(0, Math.ceil((clip(end) - from) / step)) };
  });
  const whole = bounds.every(({ step, count }, axis) => step === 1 && count === x.shape[axis]);
  if (whole) return x;
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
    let length = first.shape[axis];
    let dtype = first.dtype;
    for (const { shape, dtype: other } of others) {
      const fits2 = shape.length === first.shape.length && shape.every((size, i) => i === axis || size === first.shape[i]);
      if (!fits2) {
        throw new ShapeError(
          `concat: ${formatShape(first.shape)} and ${formatShape(shape)} differ outside axis ${axis}`
        );
      }
      length += shape[axis];
      dtype = promote(dtype, other);
    }
    return { shape: first.shape.map((size, i) => i === axis ? length : size), dtype };
  },
  kernel: (emitter, { axis }) => {
    emitter.output(0);
    const { shape } = emitter.outputs[0];
    const steps = shape.map(() => 1);
    let at = 0;
    emitter.operands.forEach((operand, index) => {
      const starts = shape.map((_, i) => i === axis ? at : 0);
      emitter.copyInto(index, region(shape, operand.shape, starts, steps));
      at += operand.shape[axis];
    });
  },
  vjp: (dy, { operands: operands2, attributes: { axis } }) => {
    let at = 0;
    return operands2.map(({ shape }) => {
      const start = at;
      at += shape[axis];
      return slice(
        dy,
        shape.map((_, i) => i === axis ? [start, at] : null)
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
  const at = normalizeAxis("split", axis, x.rank);
  const total = lengths.reduce((sum2, length) => sum2 + length, 0);
  if (total !== x.shape[at]) {
    throw new ShapeError(
      `split: lengths [${lengths.join(", ")}] add up to ${total}, axis ${axis} of ${formatShape(x.shape)} is ${x.shape[at]}`
    );
  }
  let start = 0;
  return lengths.map((length) => {
    const range = [start, start += length];
    return slice(
      x,
      x.shape.map((_, i) => i === at ? range : null)
    );
  });
}
function pad(x, widths, { value = 0 } = {}) {
  if (widths.length !== x.rank || widths.flat().some((n2) => !Number.isInteger(n2) || n2 < 0)) {
    throw new ArgumentError(
      `pad: ${formatShape(x.shape)} needs [before, after] \u2265 0 for each of its ${x.rank} axes`
    );
  }
  let padded = x;
  widths.forEach(([before, after], axis) => {
    const side = (length) => full(
      padded.shape.map((size, i) => i === axis ? length : size),
      value,
      x.dtype
    );
    if (before + after > 0) padded = concat([side(before), padded, side(after)], axis);
  });
  return padded;
}

// src/ops/reduce.ts
var pieceSize = 16384;
var leastPiece = 16;
var scratchPerPiece = 16;
var kinds2 = { sum: 0, max: 1, min: 2, argMax: 3, argMin: 4, prod: 5 };
function keptShape(shape, { first, last }) {
  return shape.map((length, axis) => axis >= first && axis <= last ? 1 : length);
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
  const zeros2 = reduceSum(cast(zero, dy.dtype), first, last);
  const noZero = where(eq(zeros2, 0), div(others, where(zero, 1, x)), 0);
  const oneZero = where(eq(zeros2, 1), others, 0);
  return [mul(dy, where(zero, oneZero, noZero))];
});
var reduceArgMax = reduction("argMax", null, () => "int32");
var reduceArgMin = reduction("argMin", null, () => "int32");
function over(name, reduce, x, { axis, keepDims = false }) {
  const axes = normalizeAxes(name, axis, x.rank);
  let result = x;
  for (let at = axes.length - 1; at >= 0; at--) {
    const last = axes[at];
    while (at > 0 && axes[at - 1] === axes[at] - 1) at--;
    result = reduce(result, axes[at], last);
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
  const values = isFloat(x.dtype) ? x : cast(x, "float32");
  const axes = normalizeAxes("mean", options.axis, x.rank);
  const count = sizeOf(axes.map((axis) => x.shape[axis]));
  return div(sum(values, options), count);
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
function argument(name, reduce, x, axis, keepDims) {
  const normal2 = normalizeAxis(name, axis, x.rank);
  checkSome(name, x, { axis: normal2 });
  return over(name, reduce, x, { axis: normal2, keepDims });
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
    (length, axis) => axis < lead || shape[axis - lead] === 1 && length !== 1 ? [axis] : []
  );
  return reshape(axes.length > 0 ? sum(x, { axis: axes }) : x, shape);
}
function checkFloat(op2, { dtype }) {
  if (!isFloat(dtype)) {
    throw new DTypeError(`${op2}: takes float32 or float64, not ${dtype}; cast() it first`);
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
      (operand, i) => needs[i] ? sumTo(grads[i](), operand.shape) : void 0
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
var siluSlope = unary("siluSlope", Opcode.SiluSlope, (dy, x) => {
  const s = sigmoid(x);
  const bent = mul(mul(s, sub(1, s)), add(2, mul(x, sub(1, mul(s, 2)))));
  return mul(dy, bent);
});
var silu = unary("silu", Opcode.Silu, (dy, x) => mul(dy, siluSlope(x)));
var erf = unary(
  "erf",
  Opcode.Erf,
  (dy, x) => mul(dy, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI)))
);
var geluSlope = unary("geluSlope", Opcode.GeluSlope, (dy, x) => {
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, mul(density, sub(2, square(x))));
});
var geluExact = unary("gelu", Opcode.Gelu, (dy, x) => mul(dy, geluSlope(x)));
var [tanhSlope, tanhCubic] = [Math.sqrt(2 / Math.PI), 0.044715];
var geluTanhSlope = unary("geluTanhSlope", Opcode.GeluTanhSlope, (dy, x) => {
  const s = sigmoid(mul(mul(x, 2 * tanhSlope), add(mul(square(x), tanhCubic), 1)));
  const first = mul(add(mul(square(x), 3 * tanhCubic), 1), 2 * tanhSlope);
  const second = mul(x, 12 * tanhSlope * tanhCubic);
  const bent = mul(first, add(2, mul(mul(x, sub(1, mul(s, 2))), first)));
  return mul(dy, mul(mul(s, sub(1, s)), add(bent, mul(x, second))));
});
var geluTanh = unary("geluTanh", Opcode.GeluTanh, (dy, x) => mul(dy, geluTanhSlope(x)));
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
  const whole = dtype === "int32" && isFloat(x.dtype);
  return convert(whole ? where(lt(x, 0), ceil(x), floor(x)) : x, dtype);
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
function checkProbability(op2, p) {
  if (p >= 0 && p <= 1) return;
  throw new ArgumentError(`${op2}: p = ${p} is not a probability from 0 to 1`);
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
  signature: (length, dtype) => ({ operands: [], attributes: { length, dtype } }),
  infer: (_, { length, dtype }) => ({ shape: [length], dtype }),
  elementwise: () => ({ opcode: Opcode.Iota }),
  vjp: null
});
function arange(startOrEnd, end, { step = 1, dtype = "int32" } = {}) {
  const [start, stop] = end === void 0 ? [0, startOrEnd] : [startOrEnd, end];
  if (step === 0) throw new ArgumentError("arange: the step is 0");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  checkShape("arange", [length]);
  return add(mul(iota(length, dtype), step), start);
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
  const seed2 = gradient ?? unitGradient("backward", root);
  checkGradient("backward", root, seed2);
  const isTarget = (value) => value.requiresGrad && !value.node;
  const accumulate = () => {
    for (const [value, grad] of walk([root.value], [seed2], isTarget)) {
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
  return (_, { operands: operands2, attributes, gradients: seeds }) => {
    const outputs = formula(operands2, attributes);
    const wanted = new Set(operands2.map((operand) => operand.value));
    const found = walk(
      outputs.map((output) => output.value),
      seeds,
      (value) => wanted.has(value)
    );
    return operands2.map((operand) => found.get(operand.value));
  };
}
function unitGradient(op2, output) {
  if (output.size !== 1) {
    throw new ShapeError(
      `${op2}: ${formatShape(output.shape)} is not a single number; sum it, or pass the gradient to start from`
    );
  }
  if (!isFloat(output.dtype)) {
    throw new DTypeError(`${op2}: a ${output.dtype} tensor has no gradient`);
  }
  return full(output.shape, 1, output.dtype);
}
function checkGradient(op2, output, gradient) {
  if (sameShape(output.shape, gradient.shape) && output.dtype === gradient.dtype) return;
  throw new ShapeError(
    `${op2}: the gradient is ${formatShape(gradient.shape)} ${gradient.dtype}, the tensor ${formatShape(output.shape)} ${output.dtype}`
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
function transposed({ matrix: [row, column], ...rest }) {
  return { ...rest, matrix: [column, row] };
}
function batchStrides({ shape, strides, offset }, batch) {
  const outer = { shape: shape.slice(0, -2), strides: strides.slice(0, -2), offset };
  return broadcastLayout(outer, batch).strides;
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
    const [m2, n2] = [shape.at(-2), shape.at(-1)];
    const rows = b.layout.shape.length === 2 ? sizeOf(shape.slice(0, -1)) : m2;
    const flat = rows === m2 ? void 0 : reshapeLayout(a.layout, [rows, k2]);
    const batch = flat ? [] : shape.slice(0, -2);
    const side = (place, layout) => ({
      place,
      matrix: matrixOf(layout),
      batches: flat ? [] : batchStrides(layout, batch)
    });
    const left = side(a.place, flat ?? a.layout);
    const right = side(b.place, b.layout);
    const swapped = emitter.inColumns && !flat;
    const [first, second] = swapped ? [transposed(right), transposed(left)] : [left, right];
    const pieces = piecesOf(sizeOf(shape), k2);
    const addend = emitter.addend();
    emitter.call(
      "gemm",
      dtypes[dtype].code,
      ...swapped ? [n2, m2] : [rows, n2],
      k2,
      sizeOf(batch),
      emitter.words([batch.length, ...batch, ...first.batches, ...second.batches]),
      first.place,
      ...first.matrix,
      second.place,
      ...second.matrix,
      emitter.output(0, swapped ? columnsFirst(denseLayout(shape)).strides : void 0),
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
  const rows = (x) => reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)]);
  return product(transpose(rows(a)), rows(dy));
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
    const sizes = rowsAndColumns(emitter);
    const x = emitter.dense(0);
    emitter.call("softmax", ...sizes, x, emitter.output(0), Number(log2));
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
      const sizes = rowsAndColumns(emitter);
      const y = emitter.dense(0);
      const dy = emitter.dense(1);
      emitter.call("softmax_backward", ...sizes, y, dy, emitter.output(0), Number(log2));
    },
    // softmax: dX = Y·(dY − Σ dY·Y); log-softmax: dX = dY − eʸ·Σ dY
    vjp: through(([y, dy], { log: log2 }) => {
      const over2 = { axis: -1, keepDims: true };
      return log2 ? [sub(dy, mul(exp(y), sum(dy, over2)))] : [mul(y, sub(dy, sum(mul(dy, y), over2)))];
    })
  }
);
function alongAxis(name, x, axis, log2) {
  const at = normalizeAxis(name, axis, x.rank);
  if (at === x.rank - 1) return softmaxRows(x, log2);
  return transpose(softmaxRows(transpose(x, at, -1), log2), at, -1);
}
function softmax(x, { axis = -1 } = {}) {
  return alongAxis("softmax", x, axis, false);
}
function logSoftmax(x, { axis = -1 } = {}) {
  return alongAxis("logSoftmax", x, axis, true);
}

// src/ops/flashAttention.ts
var all = -1;
function positionsOf({ mask, bias, random }) {
  let next = 3;
  const take = (present) => present ? next++ : void 0;
  return { mask: take(mask), bias: take(bias), random: take(random) };
}
function extrasOf(operands2, attributes) {
  const { mask, bias, random } = positionsOf(attributes);
  const at = (index) => index === void 0 ? void 0 : operands2[index];
  return { mask: at(mask), bias: at(bias), random: at(random) };
}
function listOf({ mask, bias, random }) {
  return [mask, bias, random].filter((operand) => operand !== void 0);
}
function headsInside([, heads, length, dim]) {
  return [length * heads * dim, dim, heads * dim, 1];
}
function outerStrides({ strides }) {
  return strides.slice(0, 3);
}
function describe(emitter, attributes, o) {
  const [q, k2, v] = [0, 1, 2].map((index) => emitter.denseRows(index));
  const [batch, heads, queries, dim] = q.layout.shape;
  const [, keyHeads, keys2] = k2.layout.shape;
  const at = positionsOf(attributes);
  const bias = at.bias === void 0 ? void 0 : emitter.denseRows(at.bias);
  const scores = [batch, heads, queries, keys2];
  const biasLayout = bias ? broadcastLayout(bias.layout, scores) : { strides: [0, 0, 0] };
  const { before, after, stream } = attributes;
  const sizes = [batch, heads, keyHeads, queries, keys2, dim, v.layout.shape[3]];
  return {
    layout: [
      ...sizes,
      before,
      after,
      stream,
      ...[q.layout, k2.layout, v.layout, o, biasLayout].flatMap(outerStrides)
    ],
    args: [
      q.place,
      k2.place,
      v.place,
      at.mask === void 0 ? 0 : emitter.dense(at.mask),
      bias?.place ?? 0,
      at.random === void 0 ? 0 : emitter.dense(at.random),
      attributes.scale,
      attributes.dropout
    ]
  };
}
var attend = defineOp("attention", {
  signature: (q, k2, v, extras, attributes) => ({ operands: [q, k2, v, ...listOf(extras)], attributes }),
  infer: ([q, , v]) => {
    const [batch, heads, queries] = q.shape;
    const { dtype } = q;
    return [
      { shape: [batch, heads, queries, v.shape[3]], dtype },
      { shape: [batch, heads, queries], dtype }
    ];
  },
  differentiable: 1,
  kernel: (emitter, attributes) => {
    const strides = headsInside(emitter.outputs[0].shape);
    const { layout, args } = describe(emitter, attributes, { strides });
    emitter.call(
      "attention",
      dtypes[emitter.operands[0].dtype].code,
      emitter.words(layout),
      ...args,
      emitter.output(0, strides),
      emitter.output(1)
    );
  },
  vjp: (dy, { operands: operands2, outputs: [o, lse], attributes, needs }) => {
    const [q, k2, v] = operands2;
    const extras = extrasOf(operands2, attributes);
    const rest = [q, k2, v, extras, attributes, o, lse, dy];
    const found = operands2.map(() => void 0);
    if (needs[0] || needs[1] || needs[2]) found.splice(0, 3, ...attentionBackward.all(...rest));
    const { bias } = positionsOf(attributes);
    if (bias !== void 0 && needs[bias]) found[bias] = attentionBiasBackward(...rest);
    return found;
  }
});
function backwardSignature(...[q, k2, v, extras, attributes, o, lse, dy]) {
  return { operands: [q, k2, v, ...listOf(extras), o, lse, dy], attributes };
}
function describeBackward(emitter, attributes) {
  const count = emitter.operands.length;
  const [o, dy] = [count - 3, count - 1].map((index) => emitter.denseRows(index));
  const { layout, args } = describe(emitter, attributes, o.layout);
  const { shape, dtype } = emitter.operands[count - 2];
  const delta = emitter.scratch(sizeOf(shape) * dtypes[dtype].bytes);
  return {
    layout: [...layout, ...outerStrides(dy.layout)],
    args: [...args, o.place, emitter.dense(count - 2), dy.place, delta]
  };
}
var blocks = 16;
var blockKeys = 128;
function partsOf({ shape }) {
  const [batch, heads, keys2] = shape;
  const wanted = Math.ceil(blocks / Math.max(1, batch * heads));
  return Math.max(1, Math.min(wanted, Math.ceil(keys2 / blockKeys)));
}
var attentionBackward = defineOp("attentionBackward", {
  signature: backwardSignature,
  infer: ([q, k2, v]) => [q, k2, v],
  kernel: (emitter, attributes) => {
    const { layout, args } = describeBackward(emitter, attributes);
    const strides = emitter.outputs.map(({ shape: shape2 }) => headsInside(shape2));
    const [dq, dk, dv] = strides.map((inside, index) => emitter.output(index, inside));
    const parts = partsOf(emitter.operands[1]);
    const { shape, dtype } = emitter.operands[0];
    const { code, bytes } = dtypes[dtype];
    const words = [
      ...layout,
      ...strides.flatMap((inside) => outerStrides({ strides: inside })),
      parts
    ];
    emitter.call(
      "attention_backward",
      code,
      emitter.words(words),
      ...args,
      dq,
      dk,
      dv,
      emitter.scratch((parts - 1) * sizeOf(shape) * bytes)
    );
  },
  vjp: through((operands2, attributes) => {
    const [q, k2, v] = operands2;
    return gradients([attentionFormula(operands2, attributes)], [q, k2, v], [operands2.at(-1)]);
  })
});
var attentionBiasBackward = defineOp("attentionBiasBackward", {
  signature: backwardSignature,
  infer: (operands2, attributes) => operands2[positionsOf(attributes).bias],
  kernel: (emitter, attributes) => {
    const { layout, args } = describeBackward(emitter, attributes);
    const { shape, dtype } = emitter.outputs[0];
    emitter.call(
      "attention_bias_backward",
      dtypes[dtype].code,
      emitter.words([...layout, ...shape.slice(0, 3)]),
      ...args,
      emitter.output(0)
    );
  },
  vjp: through((operands2, attributes) => {
    const { bias } = extrasOf(operands2, attributes);
    return gradients([attentionFormula(operands2, attributes)], [bias], [operands2.at(-1)]);
  })
});
function both(a, b) {
  return a && b ? logicalAnd(a, b) : a ?? b;
}
function visibleKeys(queries, keys2, { mask, bias }, { before, after }) {
  const padding = mask && reshape(mask, [mask.shape[0], 1, 1, keys2]);
  const own2 = unsqueeze(add(arange(queries), keys2 - queries), -1);
  const first = before === all ? void 0 : ge(arange(keys2), add(own2, -before));
  const last = after === all ? void 0 : le(arange(keys2), add(own2, after));
  return [padding, first, last, bias && ne(bias, -Infinity)].reduce(both);
}
var hidden = -1e30;
function attentionFormula(operands2, attributes) {
  const [q, k2, v] = operands2;
  const extras = extrasOf(operands2, attributes);
  const [batch, heads, queries] = q.shape;
  const [, keyHeads, keys2] = k2.shape;
  const grouped = (x) => reshape(x, [batch, keyHeads, heads / Math.max(1, keyHeads), queries, x.shape[3]]);
  const single = (x) => reshape(x, [batch, heads, queries, x.shape[4]]);
  const products = single(matmul(grouped(q), transpose(unsqueeze(k2, 2))));
  const scaled = mul(products, attributes.scale);
  const scores = extras.bias ? add(scaled, extras.bias) : scaled;
  const visible = visibleKeys(queries, keys2, extras, attributes);
  const weights = softmax(visible ? where(visible, scores, hidden) : scores);
  const kept = visible ? where(visible, weights, 0) : weights;
  const { dropout: dropout2, stream } = attributes;
  const dropped = extras.random ? dropoutWith(kept, extras.random, dropout2, stream) : kept;
  return single(matmul(grouped(dropped), unsqueeze(v, 2)));
}

// src/ops/attention.ts
var op = "scaledDotProductAttention";
function scaledDotProductAttention(q, k2, v, options = {}) {
  const { enableGqa = false, dropout: dropout2 = 0, scale } = options;
  checkShapes([q, k2, v], enableGqa);
  checkProbability(op, dropout2);
  const [before, after] = reachOf(options);
  const { mask, bias } = extrasOf2(q, k2, options);
  const { key, stream } = dropout2 > 0 ? nextKey() : { key: void 0, stream: 0 };
  return attend(
    q,
    k2,
    v,
    { mask, bias, random: key },
    {
      scale: scale ?? 1 / Math.sqrt(q.shape[3]),
      before,
      after,
      dropout: dropout2,
      stream,
      mask: !!mask,
      bias: !!bias,
      random: !!key
    }
  );
}
function reachOf({
  causal = false,
  window
}) {
  if (window === void 0) return [all, causal ? 0 : all];
  const [before, behind] = typeof window === "number" ? [window, window] : window;
  checkWhole(`${op}: window`, before, 0);
  checkWhole(`${op}: window`, behind, 0);
  const most = 2 ** 31 - 1;
  return [Math.min(before, most), causal ? 0 : Math.min(behind, most)];
}
function extrasOf2(q, k2, { mask, bias }) {
  const [batch, heads, queries] = q.shape;
  const keys2 = k2.shape[2];
  const scores = [batch, heads, queries, keys2];
  if (bias && bias.dtype !== q.dtype) {
    throw new DTypeError(`${op}: the bias is ${bias.dtype}, q ${q.dtype}; cast it`);
  }
  if (bias && !broadcasts(bias.shape, scores)) {
    throw new ShapeError(
      `${op}: a bias that broadcasts to [batch, heads, queries, keys] = ${formatShape(scores)} is needed, not ${formatShape(bias.shape)}`
    );
  }
  const added = bias && withKeys(bias, keys2);
  if (!mask) return { mask, bias: added };
  const padding = sameShape(mask.shape, [batch, keys2]);
  if (mask.dtype !== "bool" || !(padding || mask.rank === 4 && broadcasts(mask.shape, scores))) {
    throw new ShapeError(
      `${op}: the mask is bool [batch, keys] = [${batch}, ${keys2}] or broadcasts to [batch, heads, queries, keys] = ${formatShape(scores)}, not ${mask.dtype} ` + formatShape(mask.shape)
    );
  }
  if (padding) return { mask, bias: added };
  if (sameShape(mask.shape, [batch, 1, 1, keys2])) {
    return { mask: reshape(mask, [batch, keys2]), bias: added };
  }
  const shown = added ?? full([], 0, q.dtype);
  const masked = where(mask, shown, full([], -Infinity, q.dtype));
  return { mask: void 0, bias: withKeys(masked, keys2) };
}
function broadcasts(shape, to) {
  const lead = to.length - shape.length;
  return lead >= 0 && shape.every((size, axis) => size === 1 || size === to[lead + axis]);
}
function withKeys(bias, keys2) {
  const four = [1, 1, 1, 1, ...bias.shape].slice(-4);
  return broadcastTo(reshape(bias, four), [...four.slice(0, 3), keys2]);
}
function checkShapes(operands2, grouped) {
  const [q, k2, v] = operands2;
  checkFloat(op, q);
  if (q.dtype !== k2.dtype || q.dtype !== v.dtype) {
    throw new DTypeError(`${op}: q, k, v are ${q.dtype}, ${k2.dtype}, ${v.dtype}; one is needed`);
  }
  const fits2 = operands2.every((operand) => operand.rank === 4) && sameShape([k2.shape[0], k2.shape[3]], [q.shape[0], q.shape[3]]) && sameShape(v.shape.slice(0, 3), k2.shape.slice(0, 3));
  if (!fits2) {
    throw new ShapeError(
      `${op}: q [batch, heads, queries, dim], k [batch, heads, keys, dim] and v [batch, heads, keys, valueDim] are needed, not ${operands2.map(({ shape }) => formatShape(shape)).join(", ")}`
    );
  }
  const [heads, keyHeads] = [q.shape[1], k2.shape[1]];
  if (heads === keyHeads) return;
  if (!grouped) {
    throw new ShapeError(
      `${op}: q has ${heads} heads, k and v ${keyHeads}; set enableGqa for heads of k and v that several of q share`
    );
  }
  if (keyHeads > 0 && heads % keyHeads === 0) return;
  throw new ArgumentError(
    `${op}: ${heads} heads of q do not divide into groups for ${keyHeads} of k and v`
  );
}

// src/ops/window.ts
function inputOf([input]) {
  return input;
}
function outputOf([, output]) {
  return output;
}
function kernelOf2([, , kernel]) {
  return kernel;
}
function pairOf(what, value, least) {
  const pair2 = typeof value === "number" ? [value, value] : value;
  if (pair2.length !== 2) {
    throw new ArgumentError(`${what} is [${pair2.join(", ")}]; it must be a number or two`);
  }
  for (const one of pair2) checkWhole(what, one, least);
  return pair2;
}
function windowsIn(room, { stride, reach, ceil: ceil2 = false }) {
  const places = (room - reach) / stride;
  return (ceil2 ? Math.ceil(places) : Math.floor(places)) + 1;
}
function checkAxes(op2, x, names) {
  if (x.rank === names.length) return;
  throw new ShapeError(`${op2}: [${names.join(", ")}] is needed, not ${formatShape(x.shape)}`);
}
var imageAxes = ["batch", "channels", "height", "width"];
var signalAxes = ["batch", "channels", "length"];

// src/ops/convolution.ts
var [weightsPerTask, tasks] = [4096, 16];
function wordsOf({ batch, groups, inputs, outputs, rows, columns }) {
  return [batch, groups, inputs, outputs, ...rows, ...columns];
}
function inputShape({ batch, groups, inputs, rows, columns }) {
  return [batch, groups * inputs, inputOf(rows), inputOf(columns)];
}
function outputShape({ batch, groups, outputs, rows, columns }) {
  return [batch, groups * outputs, outputOf(rows), outputOf(columns)];
}
function weightShape({ groups, inputs, outputs, rows, columns }) {
  return [groups * outputs, inputs, kernelOf2(rows), kernelOf2(columns)];
}
function kernelArguments(emitter, sizes) {
  const { code } = dtypes[emitter.outputs[0].dtype];
  const bias = emitter.operands.length > 2 ? emitter.dense(2) : 0;
  return [code, emitter.words(wordsOf(sizes)), emitter.dense(0), emitter.dense(1), bias];
}
function biasGradient(dy, needed) {
  return needed ? sum(dy, { axis: [0, 2, 3] }) : void 0;
}
var convolution = defineOp("convolution", {
  signature: (sizes, x, weight, bias) => ({
    operands: [x, weight, ...bias ? [bias] : []],
    attributes: sizes
  }),
  infer: ([x], sizes) => ({ shape: outputShape(sizes), dtype: x.dtype }),
  kernel: (emitter, sizes) => {
    const operands2 = kernelArguments(emitter, sizes);
    emitter.call("convolution", ...operands2, emitter.output(0));
  },
  vjp: (dy, { operands: [x, weight], attributes, needs }) => [
    needs[0] ? convolutionInput(attributes, dy, weight) : void 0,
    needs[1] ? convolutionWeight(attributes, x, dy) : void 0,
    biasGradient(dy, needs[2])
  ]
});
var convolutionInput = defineOp("convolutionInput", {
  signature: (sizes, dy, weight, bias) => ({
    operands: [dy, weight, ...bias ? [bias] : []],
    attributes: sizes
  }),
  infer: ([dy], sizes) => ({ shape: inputShape(sizes), dtype: dy.dtype }),
  kernel: (emitter, sizes) => {
    const operands2 = kernelArguments(emitter, sizes);
    const { bytes } = dtypes[emitter.outputs[0].dtype];
    const turned = emitter.scratch(sizeOf(weightShape(sizes)) * bytes);
    emitter.call("convolution_input", ...operands2, emitter.output(0), turned);
  },
  vjp: (g, { operands: [dy, weight], attributes, needs }) => [
    needs[0] ? convolution(attributes, g, weight) : void 0,
    needs[1] ? convolutionWeight(attributes, g, dy) : void 0,
    biasGradient(g, needs[2])
  ]
});
var convolutionWeight = defineOp(
  "convolutionWeight",
  {
    signature: (sizes, x, dy) => ({ operands: [x, dy], attributes: sizes }),
    infer: ([x], sizes) => ({ shape: weightShape(sizes), dtype: x.dtype }),
    kernel: (emitter, sizes) => {
      const [code, words, x, dy] = kernelArguments(emitter, sizes);
      const weights = sizeOf(weightShape(sizes));
      const wanted = Math.ceil(tasks / Math.ceil(weights / weightsPerTask));
      const pieces = Math.max(1, Math.min(sizes.batch, wanted));
      const { bytes } = dtypes[emitter.outputs[0].dtype];
      const scratch = emitter.scratch(pieces * weights * bytes);
      const dw = emitter.output(0);
      emitter.call("convolution_weight", code, words, x, dy, dw, scratch, pieces);
    },
    vjp: (g, { operands: [x, dy], attributes, needs }) => [
      needs[0] ? convolutionInput(attributes, dy, g) : void 0,
      needs[1] ? convolution(attributes, x, g) : void 0
    ]
  }
);

// src/ops/conv.ts
function conv2d(x, weight, options = {}) {
  return convolve("conv2d", x, weight, options);
}
function conv1d(x, weight, { stride = 1, padding = 0, dilation = 1, ...rest } = {}) {
  return asImages(
    "conv1d",
    x,
    weight,
    (images, filters) => convolve("conv1d", images, filters, {
      ...rest,
      stride: [1, stride],
      padding: typeof padding === "number" ? [0, padding] : padding,
      dilation: [1, dilation]
    })
  );
}
function convTranspose2d(x, weight, options = {}) {
  return convolveTransposed("convTranspose2d", x, weight, options);
}
function convTranspose1d(x, weight, {
  stride = 1,
  padding = 0,
  outputPadding = 0,
  dilation = 1,
  ...rest
} = {}) {
  return asImages(
    "convTranspose1d",
    x,
    weight,
    (images, filters) => convolveTransposed("convTranspose1d", images, filters, {
      ...rest,
      stride: [1, stride],
      padding: [0, padding],
      outputPadding: [0, outputPadding],
      dilation: [1, dilation]
    })
  );
}
function asImages(op2, x, weight, body) {
  checkAxes(op2, x, signalAxes);
  checkAxes(`${op2}: weight`, weight, ["out", "in", "kernel"]);
  const oneRow = ({ shape: [a, b, length] }) => [a, b, 1, length];
  const y = body(reshape(x, oneRow(x)), reshape(weight, oneRow(weight)));
  return reshape(y, [y.shape[0], y.shape[1], y.shape[3]]);
}
function convolve(op2, x, weight, options) {
  const { groups = 1, bias, padding = 0 } = options;
  const [image, filters] = operands(op2, x, weight);
  checkGroups(op2, groups, { "output channels": filters.shape[0] });
  const [out, inputs, ...kernel] = filters.shape;
  checkChannels(op2, x, weight, inputs * groups);
  const stride = pairOf(`${op2}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op2}: dilation`, options.dilation ?? 1, 1);
  const axis = (which) => {
    const input = image.shape[2 + which];
    const reach = dilation[which] * (kernel[which] - 1) + 1;
    const [before, after] = paddings(op2, padding, { which, stride, reach });
    const room = input + before + after;
    if (reach > room || kernel[which] === 0) {
      throw new ShapeError(
        `${op2}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: a window of ${reach} does not fit in ${room} positions, padding included`
      );
    }
    const output = windowsIn(room, { stride: stride[which], reach });
    return [input, output, kernel[which], stride[which], dilation[which], before];
  };
  const sizes = {
    batch: image.shape[0],
    groups,
    inputs,
    outputs: out / groups,
    rows: axis(0),
    columns: axis(1)
  };
  return convolution(sizes, image, filters, biasOf(op2, bias, out, image));
}
function convolveTransposed(op2, x, weight, options) {
  const { groups = 1, bias } = options;
  const [image, filters] = operands(op2, x, weight);
  const [inputs, out, ...kernel] = filters.shape;
  checkGroups(op2, groups, { "input channels": inputs });
  checkChannels(op2, x, weight, inputs);
  const stride = pairOf(`${op2}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op2}: dilation`, options.dilation ?? 1, 1);
  const padding = pairOf(`${op2}: padding`, options.padding ?? 0, 0);
  const outputPadding = pairOf(`${op2}: outputPadding`, options.outputPadding ?? 0, 0);
  const axis = (which) => {
    const most = Math.max(stride[which], dilation[which]);
    if (outputPadding[which] >= most) {
      throw new ArgumentError(
        `${op2}: outputPadding is ${outputPadding[which]}; it must be less than the stride or the dilation, so than ${most}`
      );
    }
    const input = image.shape[2 + which];
    const reach = dilation[which] * (kernel[which] - 1) + 1;
    const whole = (input - 1) * stride[which] + reach + outputPadding[which];
    const output = whole - 2 * padding[which];
    if (output < 1 || input < 1 || kernel[which] === 0) {
      throw new ShapeError(
        `${op2}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: padding ${padding[which]} on both sides leaves nothing of ${whole} positions`
      );
    }
    return [output, input, kernel[which], stride[which], dilation[which], padding[which]];
  };
  const sizes = {
    batch: image.shape[0],
    groups,
    inputs: out,
    outputs: inputs / groups,
    rows: axis(0),
    columns: axis(1)
  };
  return convolutionInput(sizes, image, filters, biasOf(op2, bias, out * groups, image));
}
function operands(op2, x, weight) {
  checkAxes(op2, x, imageAxes);
  checkAxes(`${op2}: weight`, weight, ["out", "in", "height", "width"]);
  const dtype = promote(x.dtype, weight.dtype);
  checkFloat(op2, { shape: x.shape, dtype });
  return [cast(x, dtype), cast(weight, dtype)];
}
function checkGroups(op2, groups, channels) {
  checkWhole(`${op2}: groups`, groups, 1);
  for (const [name, count] of Object.entries(channels)) {
    if (count % groups === 0) continue;
    throw new ArgumentError(`${op2}: ${count} ${name} cannot be cut into ${groups} groups`);
  }
}
function checkChannels(op2, x, weight, expected) {
  if (x.shape[1] === expected) return;
  throw new ShapeError(
    `${op2}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: ${x.shape[1]} channels, not the ${expected} that the weight is for`
  );
}
function biasOf(op2, bias, channels, { dtype }) {
  if (!bias) return void 0;
  if (!sameShape(bias.shape, [channels])) {
    throw new ShapeError(`${op2}: bias is ${formatShape(bias.shape)}, not [${channels}]`);
  }
  return cast(bias, dtype);
}
function paddings(op2, padding, { which, stride, reach }) {
  if (padding === "valid") return [0, 0];
  if (padding !== "same") {
    const both2 = pairOf(`${op2}: padding`, padding, 0)[which];
    return [both2, both2];
  }
  if (stride[which] !== 1) {
    throw new ArgumentError(
      `${op2}: padding "same" needs stride 1, not ${stride[which]}; give the padding as a number`
    );
  }
  const before = Math.floor((reach - 1) / 2);
  return [before, reach - 1 - before];
}

// src/ops/embedding.ts
var none = -1;
var gather = defineOp("embedding", {
  signature: (ids, table, skip) => ({
    operands: [ids, table],
    attributes: { skip }
  }),
  infer: ([ids, table]) => {
    if (ids.dtype !== "int32") {
      throw new DTypeError(`embedding: ids are int32, not ${ids.dtype}`);
    }
    checkFloat("embedding", table);
    if (table.shape.length !== 2) {
      throw new ShapeError(
        `embedding: the table is [rows, width], not ${formatShape(table.shape)}`
      );
    }
    return { shape: [...ids.shape, table.shape[1]], dtype: table.dtype };
  },
  kernel: (emitter) => {
    const [ids, table] = emitter.operands;
    const [rows, width] = table.shape;
    const { code } = dtypes[table.dtype];
    emitter.note(`of ${rows} rows`);
    const [at, from] = [emitter.dense(0), emitter.dense(1)];
    emitter.call(
      "gather_rows",
      code,
      rows,
      width,
      sizeOf(ids.shape),
      from,
      at,
      emitter.output(0)
    );
  },
  vjp: (dy, { operands: [ids, table], attributes: { skip } }) => [
    void 0,
    scatterAdd(ids, dy, table.shape[0], skip)
  ]
});
var scatterAdd = defineOp(
  "embeddingBackward",
  {
    signature: (ids, dy, rows, skip) => ({
      operands: [ids, dy],
      attributes: { rows, skip }
    }),
    infer: ([, dy], { rows }) => ({ shape: [rows, dy.shape.at(-1)], dtype: dy.dtype }),
    kernel: (emitter, { rows, skip }) => {
      const [ids, dy] = emitter.operands;
      const { code } = dtypes[dy.dtype];
      const [at, from] = [emitter.dense(0), emitter.dense(1)];
      const count = sizeOf(ids.shape);
      const width = dy.shape.at(-1);
      emitter.call("scatter_add_rows", code, rows, width, count, at, from, emitter.output(0), skip);
    },
    vjp: (ddy, { operands: [ids], attributes: { skip } }) => {
      const rows = gather(ids, ddy, skip);
      const counted = cast(ne(ids, skip), ddy.dtype);
      return [void 0, skip === none ? rows : mul(rows, unsqueeze(counted, -1))];
    }
  }
);
function embedding(ids, table, { paddingIndex = none } = {}) {
  return gather(ids, table, paddingIndex);
}
function oneHot(labels, classes, dtype = "float32") {
  return cast(eq(unsqueeze(labels, -1), arange(classes)), dtype);
}

// src/ops/crossEntropy.ts
function lossSpecs(logits) {
  checkFloat("crossEntropy", logits);
  const spec = { shape: logits.shape.slice(0, -1), dtype: logits.dtype };
  return [spec, spec];
}
function sizesOf({ shape, dtype }) {
  return [dtypes[dtype].code, sizeOf(shape.slice(0, -1)), shape.at(-1)];
}
function smoothed(logits, labels, { smoothing, ignoreIndex }) {
  const classes = logits.shape.at(-1);
  const hard = oneHot(labels, classes, logits.dtype);
  const soft = add(mul(hard, 1 - smoothing), smoothing / classes);
  return mul(soft, unsqueeze(cast(ne(labels, ignoreIndex), logits.dtype), -1));
}
var ofLabels = defineOp("crossEntropy", {
  signature: (logits, labels, smoothing, ignoreIndex) => ({
    operands: [logits, labels],
    attributes: { smoothing, ignoreIndex }
  }),
  infer: ([logits]) => lossSpecs(logits),
  differentiable: 1,
  kernel: (emitter, { smoothing, ignoreIndex }) => {
    const sizes = sizesOf(emitter.operands[0]);
    emitter.note(`of ${sizes[2]} classes`);
    const [x, labels] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy", ...sizes, x, labels, smoothing, ignoreIndex, loss, lse);
  },
  vjp: (dy, { operands: [logits, labels], outputs: [, lse], attributes }) => [
    labelsBackward(logits, labels, lse, dy, attributes)
  ]
});
var labelsBackward = defineOp("crossEntropyBackward", {
  signature: (logits, labels, lse, dy, attributes) => ({ operands: [logits, labels, lse, dy], attributes }),
  infer: ([logits]) => ({ shape: logits.shape, dtype: logits.dtype }),
  kernel: (emitter, { smoothing, ignoreIndex }) => {
    const sizes = sizesOf(emitter.operands[0]);
    const [x, labels, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    emitter.call(
      "cross_entropy_backward",
      ...sizes,
      x,
      labels,
      smoothing,
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
    const sizes = sizesOf(emitter.operands[0]);
    const [x, target] = [emitter.dense(0), emitter.dense(1)];
    const [loss, lse] = [emitter.output(0), emitter.output(1)];
    emitter.call("cross_entropy_soft", ...sizes, x, target, loss, lse);
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
    const sizes = sizesOf(emitter.operands[0]);
    const [x, target, lse, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    emitter.call(
      "cross_entropy_soft_backward",
      ...sizes,
      x,
      target,
      lse,
      dy,
      emitter.output(0)
    );
  },
  vjp: through(([logits, target, , dy]) => [distributionGradient(logits, target, dy)])
});
function crossEntropy(logits, target, { reduction: reduction2 = "mean", labelSmoothing = 0, ignoreIndex = -100, weight } = {}) {
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing ${labelSmoothing} is not from 0 to 1`);
  }
  const rows = logits.shape.slice(0, -1);
  const soft = isFloat(target.dtype);
  const expected = soft ? logits.shape : rows;
  if (logits.rank === 0 || !sameShape(target.shape, expected)) {
    throw new ShapeError(
      `crossEntropy: logits ${formatShape(logits.shape)} take int32 labels ${formatShape(rows)} or distributions ${formatShape(logits.shape)}, not ${target.dtype} ` + formatShape(target.shape)
    );
  }
  if (target.dtype === "bool") {
    throw new DTypeError("crossEntropy: labels are int32, not bool; cast() them first");
  }
  const classes = logits.shape.at(-1);
  const losses = soft ? ofDistributions(
    logits,
    add(mul(cast(target, logits.dtype), 1 - labelSmoothing), labelSmoothing / classes)
  ) : ofLabels(logits, target, labelSmoothing, ignoreIndex);
  const weighted = weight ? mul(losses, reshape(weight, rows)) : losses;
  if (reduction2 === "none") return weighted;
  if (reduction2 === "sum") return sum(weighted);
  if (soft && !weight) return mean(weighted);
  const counts = soft ? void 0 : cast(ne(target, ignoreIndex), logits.dtype);
  const weights = weight && reshape(weight, rows);
  const counted = weights && counts ? mul(weights, counts) : weights ?? counts;
  return div(sum(weighted), sum(counted));
}

// src/ops/normalization.ts
var rowsPerPiece = 64;
function optional(eps, weight, bias) {
  const operands2 = [weight, bias].filter((operand) => operand !== void 0);
  return [operands2, { eps, weight: !!weight, bias: !!bias }];
}
function affine(emitter, { weight, bias }) {
  return [weight ? emitter.dense(1) : 0, bias ? emitter.dense(weight ? 2 : 1) : 0];
}
function affineTensors(operands2, { weight, bias }) {
  return {
    weight: weight ? operands2[1] : void 0,
    bias: bias ? operands2[weight ? 2 : 1] : void 0
  };
}
function scaleAndShift(x, weight, bias) {
  const scaled = weight ? mul(x, weight) : x;
  return bias ? add(scaled, bias) : scaled;
}
function operandGradients(all2, { weight, bias }) {
  return [all2[0], ...weight ? [all2[1]] : [], ...bias ? [all2[2]] : []];
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
    const rows = sizeOf(shape.slice(0, -1));
    const x = emitter.dense(0);
    const [weight, bias] = affine(emitter, attributes);
    const [y, centre, rstd] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "layer_norm",
      dtypes[dtype].code,
      rows,
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
  vjp: (dy, { operands: operands2, outputs: [, centre, rstd], attributes }) => {
    const { weight } = affineTensors(operands2, attributes);
    const all2 = layerNormBackward.all(operands2[0], centre, rstd, dy, attributes.eps, weight);
    return operandGradients(all2, attributes);
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
    const rows = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1);
    const [x, centre, rstd, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const pieces = Math.max(1, Math.ceil(rows / rowsPerPiece));
    const bytes = pieces * 2 * columns * dtypes.float64.bytes;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "layer_norm_backward",
      dtypes[dtype].code,
      rows,
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
      const spread = variance(input, { axis: -1, keepDims: true, correction: 0 });
      return mul(sub(input, centre), rsqrt(add(spread, eps)));
    };
    const normal2 = formula(x);
    const [dx] = gradients([scaleAndShift(normal2, weight)], [x], [dy]);
    const rows = Array.from({ length: dy.rank - 1 }, (_, axis) => axis);
    return [dx, sum(mul(dy, normal2), { axis: rows }), sum(dy, { axis: rows })];
  })
});
function layerNorm(x, { weight, bias, eps = 1e-5, normalizedShape = x.shape.slice(-1) } = {}) {
  const tail = x.shape.slice(x.rank - normalizedShape.length);
  if (normalizedShape.length === 0 || !sameShape(tail, normalizedShape)) {
    throw new ShapeError(
      `layerNorm: ${formatShape(x.shape)} does not end in ${formatShape(normalizedShape)}`
    );
  }
  for (const [name, operand] of Object.entries({ weight, bias })) {
    if (operand && !sameShape(operand.shape, tail)) {
      throw new ShapeError(
        `layerNorm: ${name} is ${formatShape(operand.shape)}, not ${formatShape(tail)}`
      );
    }
  }
  const width = [sizeOf(tail)];
  const row = (operand) => operand && reshape(operand, width);
  const lead = x.shape.slice(0, x.rank - tail.length);
  const rows = tail.length === 1 ? x : reshape(x, [...lead, ...width]);
  return reshape(layerNormRows(rows, eps, row(weight), row(bias)), x.shape);
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
    const sizes = channelSizes(emitter.operands[0]);
    const x = emitter.dense(0);
    const [weight, bias] = affine(emitter, attributes);
    const [y, centre, spread] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call("batch_norm", ...sizes, x, weight, bias, attributes.eps, y, centre, spread);
  },
  vjp: (dy, { operands: operands2, outputs: [, centre, spread], attributes }) => {
    const { weight } = affineTensors(operands2, attributes);
    const { eps } = attributes;
    const all2 = batchNormBackward.all(operands2[0], centre, spread, dy, eps, weight);
    return operandGradients(all2, attributes);
  }
});
var batchNormBackward = defineOp("batchNormBackward", {
  signature: (x, centre, spread, dy, eps, weight) => ({
    operands: [x, centre, spread, dy, ...weight ? [weight] : []],
    attributes: { eps }
  }),
  infer: ([x]) => {
    const channels = { shape: [x.shape[1]], dtype: x.dtype };
    return [x, channels, channels];
  },
  kernel: (emitter, { eps }) => {
    const sizes = channelSizes(emitter.operands[0]);
    const [x, centre, spread, dy] = [0, 1, 2, 3].map((index) => emitter.dense(index));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index) => emitter.output(index));
    emitter.call(
      "batch_norm_backward",
      ...sizes,
      x,
      weight,
      centre,
      spread,
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
    const spread = variance(x, { axis, keepDims: true, correction: 0 });
    const normal2 = mul(sub(x, centre), rsqrt(add(spread, eps)));
    const scaled = weight ? mul(normal2, alongChannels(weight, x)) : normal2;
    const [dx] = gradients([scaled], [x], [dy]);
    return [dx, sum(mul(dy, normal2), { axis }), sum(dy, { axis })];
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
  for (const [name, operand] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (operand && !sameShape(operand.shape, channels)) {
      throw new ShapeError(
        `batchNorm: ${name} is ${formatShape(operand.shape)}, not ${formatShape(channels)}`
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
  const [y, centre, spread] = batchNormTraining.all(x, eps, weight, bias);
  noGrad(() => {
    const move = (running, batch) => running?.assign(add(mul(running, 1 - momentum), mul(batch, momentum)));
    move(runningMean, centre.detach());
    move(runningVar, mul(spread.detach(), count / (count - 1)));
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
  const normal2 = mul(sub(x, channel(runningMean)), rsqrt(add(channel(runningVar), eps)));
  return scaleAndShift(normal2, weight && channel(weight), bias && channel(bias));
}

// src/ops/pooling.ts
var pooling_exports = {};
__export(pooling_exports, {
  adaptiveAvgPool1d: () => adaptiveAvgPool1d,
  adaptiveAvgPool2d: () => adaptiveAvgPool2d,
  adaptiveMaxPool1d: () => adaptiveMaxPool1d,
  adaptiveMaxPool2d: () => adaptiveMaxPool2d,
  avgPool1d: () => avgPool1d,
  avgPool2d: () => avgPool2d,
  maxPool1d: () => maxPool1d,
  maxPool2d: () => maxPool2d
});

// src/ops/maxPool.ts
function wordsOf2({ shape }, { rows, columns }) {
  return [sizeOf(shape.slice(0, 2)), ...rows, ...columns];
}
function pooled({ shape, dtype }, { rows, columns }) {
  return { shape: [...shape.slice(0, 2), outputOf(rows), outputOf(columns)], dtype };
}
function unpooled({ shape, dtype }, { rows, columns }) {
  return { shape: [...shape.slice(0, 2), inputOf(rows), inputOf(columns)], dtype };
}
var maxPool = defineOp("maxPool", {
  signature: (x, sizes) => ({ operands: [x], attributes: sizes }),
  infer: ([x], sizes) => [pooled(x, sizes), pooled(x, sizes)],
  differentiable: 1,
  kernel: (emitter, sizes) => {
    const [x] = emitter.operands;
    const words = emitter.words(wordsOf2(x, sizes));
    const from = emitter.dense(0);
    const [y, taps] = [emitter.output(0), emitter.output(1)];
    emitter.call("max_pool", dtypes[x.dtype].code, words, from, y, taps);
  },
  vjp: (dy, { outputs: [, taps], attributes }) => [maxPoolBackward(dy, taps, attributes)]
});
var maxPoolBackward = defineOp("maxPoolBackward", {
  signature: (dy, taps, sizes) => ({
    operands: [dy, taps],
    attributes: sizes
  }),
  infer: ([dy], sizes) => unpooled(dy, sizes),
  kernel: (emitter, sizes) => {
    const [dy] = emitter.operands;
    const words = emitter.words(wordsOf2(dy, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_backward", dtypes[dy.dtype].code, words, from, taps, emitter.output(0));
  },
  vjp: (g, { operands: [, taps], attributes }) => [maxPoolGather(g, taps, attributes), void 0]
});
var maxPoolGather = defineOp("maxPoolGather", {
  signature: (x, taps, sizes) => ({
    operands: [x, taps],
    attributes: sizes
  }),
  infer: ([x], sizes) => pooled(x, sizes),
  kernel: (emitter, sizes) => {
    const [x] = emitter.operands;
    const words = emitter.words(wordsOf2(x, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_gather", dtypes[x.dtype].code, words, from, taps, emitter.output(0));
  },
  vjp: (dy, { operands: [, taps], attributes }) => [
    maxPoolBackward(dy, taps, attributes),
    void 0
  ]
});

// src/ops/pooling.ts
var mostTaps = 2 ** 24;
function maxPool2d(x, kernelSize, options = {}) {
  return poolMax("maxPool2d", x, kernelSize, options);
}
function maxPool1d(x, kernelSize, { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false } = {}) {
  return asImage(
    "maxPool1d",
    x,
    (image) => poolMax("maxPool1d", image, [1, kernelSize], {
      stride: [1, stride],
      padding: [0, padding],
      dilation: [1, dilation],
      ceilMode
    })
  );
}
function avgPool2d(x, kernelSize, options = {}) {
  return poolMean("avgPool2d", x, kernelSize, options);
}
function avgPool1d(x, kernelSize, { stride = kernelSize, padding = 0, ...rest } = {}) {
  return asImage(
    "avgPool1d",
    x,
    (image) => poolMean("avgPool1d", image, [1, kernelSize], {
      ...rest,
      stride: [1, stride],
      padding: [0, padding]
    })
  );
}
function adaptiveMaxPool2d(x, outputSize) {
  return adaptive("adaptiveMaxPool2d", x, outputSize, { pool: maxPool2d, whole: max });
}
function adaptiveMaxPool1d(x, outputSize) {
  return asImage(
    "adaptiveMaxPool1d",
    x,
    (image) => adaptive("adaptiveMaxPool1d", image, [1, outputSize], { pool: maxPool2d, whole: max })
  );
}
function adaptiveAvgPool2d(x, outputSize) {
  return adaptive("adaptiveAvgPool2d", x, outputSize, { pool: avgPool2d, whole: mean });
}
function adaptiveAvgPool1d(x, outputSize) {
  return asImage(
    "adaptiveAvgPool1d",
    x,
    (image) => adaptive("adaptiveAvgPool1d", image, [1, outputSize], { pool: avgPool2d, whole: mean })
  );
}
function asImage(op2, x, body) {
  checkAxes(op2, x, signalAxes);
  const [batch, channels, length] = x.shape;
  const y = body(reshape(x, [batch, channels, 1, length]));
  return reshape(y, [batch, channels, y.shape[3]]);
}
function axesOf(op2, x, kernelSize, { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }) {
  checkAxes(op2, x, imageAxes);
  checkFloat(op2, x);
  const kernels = pairOf(`${op2}: kernelSize`, kernelSize, 1);
  const strides = pairOf(`${op2}: stride`, stride, 1);
  const paddings2 = pairOf(`${op2}: padding`, padding, 0);
  const dilations = pairOf(`${op2}: dilation`, dilation, 1);
  const axis = (which) => {
    const [kernel, pad2] = [kernels[which], paddings2[which]];
    const reach = dilations[which] * (kernel - 1) + 1;
    if (pad2 >= reach) {
      throw new ArgumentError(
        `${op2}: padding ${pad2} is not less than the window of ${reach}, which it would fill`
      );
    }
    const input = x.shape[2 + which];
    const room = input + 2 * pad2;
    const windows = windowsIn(room, { stride: strides[which], reach, ceil: ceilMode });
    if (windows < 1) {
      throw new ShapeError(
        `${op2}: ${formatShape(x.shape)}: a window of ${reach} does not fit in ${room} positions, padding included`
      );
    }
    const output = (windows - 1) * strides[which] >= input + pad2 ? windows - 1 : windows;
    return [input, output, kernel, strides[which], dilations[which], pad2];
  };
  return { rows: axis(0), columns: axis(1) };
}
function poolMax(op2, x, kernelSize, options) {
  const sizes = axesOf(op2, x, kernelSize, options);
  if (kernelOf2(sizes.rows) * kernelOf2(sizes.columns) > mostTaps) {
    throw new ArgumentError(`${op2}: a window of more than ${mostTaps} positions`);
  }
  return maxPool(x, sizes);
}
function poolMean(op2, x, kernelSize, { countIncludePad = true, ...options }) {
  const { rows, columns } = axesOf(op2, x, kernelSize, options);
  const sums = windowSums(x, rows, columns);
  const isWhole = ([input, output, kernel, stride, , padding]) => (countIncludePad || padding === 0) && (output - 1) * stride + kernel <= input + 2 * padding;
  if (isWhole(rows) && isWhole(columns)) return div(sums, kernelOf2(rows) * kernelOf2(columns));
  const counted = ([input, output, kernel, stride, dilation, padding]) => countIncludePad ? [input + 2 * padding, output, kernel, stride, dilation, 0] : [input, output, kernel, stride, dilation, padding];
  const [high, wide] = [counted(rows), counted(columns)];
  const ones2 = full([1, 1, inputOf(high), inputOf(wide)], 1, x.dtype);
  return div(sums, windowSums(ones2, high, wide));
}
function windowSums(x, rows, columns) {
  const [batch, channels] = x.shape;
  const planes = batch * channels;
  const image = reshape(x, [planes, 1, inputOf(rows), inputOf(columns)]);
  const ones2 = full([1, 1, kernelOf2(rows), kernelOf2(columns)], 1, x.dtype);
  const sizes = { batch: planes, groups: 1, inputs: 1, outputs: 1, rows, columns };
  const sums = convolution(sizes, image, ones2);
  return reshape(sums, [batch, channels, outputOf(rows), outputOf(columns)]);
}
function adaptive(op2, x, outputSize, { pool, whole }) {
  checkAxes(op2, x, imageAxes);
  checkFloat(op2, x);
  const outputs = pairOf(`${op2}: outputSize`, outputSize, 1);
  const inputs = [x.shape[2], x.shape[3]];
  inputs.forEach((input, which) => checkWhole(`${op2}: axis ${2 + which}`, input, 1));
  if (outputs[0] === 1 && outputs[1] === 1) return whole(x, { axis: [2, 3], keepDims: true });
  const evenly = (which) => inputs[which] % outputs[which] === 0;
  if (evenly(0) && evenly(1)) {
    return pool(x, [inputs[0] / outputs[0], inputs[1] / outputs[1]]);
  }
  return [0, 1].reduce((y, which) => {
    const [input, output] = [inputs[which], outputs[which]];
    const size = (length) => which === 0 ? [length, 1] : [1, length];
    if (evenly(which)) return pool(y, size(input / output));
    const windows = Array.from({ length: output }, (_, i) => {
      const start = Math.floor(i * input / output);
      const end = Math.ceil((i + 1) * input / output);
      const window = [start, end];
      const cut = slice(y, which === 0 ? [null, null, window] : [null, null, null, window]);
      return pool(cut, size(end - start));
    });
    return concat(windows, 2 + which);
  }, x);
}

// src/ops/index.ts
var { dropoutWith: dropoutWith2, checkProbability: checkProbability2, ...elementwiseOps } = elementwise_exports;
var { sumTo: sumTo2, checkFloat: checkFloat2, ...reductions } = reduce_exports;
var tensorOps = {
  ...elementwiseOps,
  ...movement_exports,
  ...reductions,
  ...pooling_exports,
  matmul,
  conv1d,
  conv2d,
  convTranspose1d,
  convTranspose2d,
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
for (const [name, op2] of Object.entries(tensorOps)) {
  if (own.has(name)) continue;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(...rest) {
      return Reflect.apply(op2, void 0, [this, ...rest]);
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
function describe2(program) {
  const argument3 = (arg) => typeof arg === "number" ? String(arg) : `${typeof arg.buffer === "number" ? `slot${arg.buffer}` : arg.buffer}+${arg.offset}`;
  const width = String(program.calls.length).length;
  const calls = program.calls.map(({ kernel, label, args }, index) => {
    const shown = kernel === "elementwise" ? args.filter((arg) => arg !== 0) : args;
    return `${String(index).padStart(width)}  ${label}  ${kernel}(${shown.map(argument3).join(", ")})`;
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
    describe: (...args) => describe2(traced(args).plan.program),
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
  const values = traced.targets.map(
    (value, index) => storedValue(outputs[index], value.shape, value.dtype)
  );
  return rebuild(traced.results, values);
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
function rebuild(form, values) {
  const tensors = values.map((value) => new Tensor(value));
  if (!form) return form;
  if (form instanceof Tensor) return tensors[0];
  if (Array.isArray(form)) return tensors;
  const names = Object.keys(form);
  return Object.fromEntries(names.map((name, index) => [name, tensors[index]]));
}

// ../convb/main.ts
var rnd = (n2) => Float32Array.from({ length: n2 }, (_, i) => Math.sin(i * 12.9898));
var T = (...shape) => tensor(rnd(shape.reduce((a, b) => a * b, 1)), { shape });
await init({ ...process.env.WIDE ? { wide: true } : {}, threads: Number(process.env.T ?? 1), ...process.argv[2] ? { build: process.argv[2] } : {} });
async function time(name, flops, f, ...x) {
  if (process.argv[3] && !name.includes(process.argv[3])) return;
  const p = compile(f);
  let best = 1e9;
  for (let i = 0; i < Number(process.env.REPS ?? 25); i++) {
    const t = performance.now();
    const out = await p(...x);
    const d = performance.now() - t;
    best = Math.min(best, d);
    out.forEach((o) => o.dispose());
  }
  console.log(name.padEnd(22), best.toFixed(2), "ms", flops ? (flops / best / 1e6).toFixed(1) + " GF/s" : "");
}
async function conv(tag, [n2, c, h], [o, k2], options) {
  const x = T(n2, c, h, h), w = T(o, options.groups ? c / options.groups : c, k2, k2);
  const y = conv2d(x, w, options);
  const dy = T(...y.shape);
  const fl = 2 * dy.size * w.size / o;
  await time(tag + " fwd", fl, (x2, w2) => [conv2d(x2, w2, options)], x, w);
  await time(tag + " dx", fl, (x2, w2, dy2) => gradients([conv2d(x2, w2, options)], [x2], [dy2]), x, w, dy);
  await time(tag + " dw", fl, (x2, w2, dy2) => gradients([conv2d(x2, w2, options)], [w2], [dy2]), x, w, dy);
}
await conv("c1 1\u219232 28", [64, 1, 28], [32, 3], { padding: 1 });
await conv("c2 32\u219264 14", [64, 32, 14], [64, 3], { padding: 1 });
await conv("64\u219264 56", [4, 64, 56], [64, 3], { padding: 1 });
await conv("64\u2192128 s2 56", [4, 64, 56], [128, 3], { padding: 1, stride: 2 });
await conv("256\u2192256 14", [8, 256, 14], [256, 3], { padding: 1 });
await conv("512\u2192512 7", [8, 512, 7], [512, 3], { padding: 1 });
await conv("64\u2192256 1x1 56", [4, 64, 56], [256, 1], {});
await conv("dw 64 56", [4, 64, 56], [64, 3], { padding: 1, groups: 64 });
await conv("dw s2 64 56", [4, 64, 56], [64, 3], { padding: 1, groups: 64, stride: 2 });
await time("gemm 64x288x12544", 2 * 64 * 288 * 12544, (a, b) => [matmul(a, b)], T(64, 288), T(288, 12544));
await time("gemm 512", 2 * 512 ** 3, (a, b) => [matmul(a, b)], T(512, 512), T(512, 512));
for (const [c, h] of [[32, 28], [64, 14]]) {
  const x = T(64, c, h, h), dy = T(64, c, h / 2, h / 2), w = T(c);
  await time(`pool ${h} fwd`, 0, (x2) => [maxPool2d(x2, 2)], x);
  await time(`pool ${h} bwd`, 0, (x2, dy2) => gradients([maxPool2d(x2, 2)], [x2], [dy2]), x, dy);
  await time(`relu ${h} fwd`, 0, (x2) => [relu(x2)], x);
  await time(`bn ${h} fwd`, 0, (x2, w2) => [batchNorm(x2, { weight: w2, bias: w2, training: true })], x, w);
  await time(`bn ${h} bwd`, 0, (x2, w2) => gradients([batchNorm(x2, { weight: w2, bias: w2, training: true })], [x2, w2], [x2]), x, w);
  await time(`pool3s2 ${h} fwd`, 0, (x2) => [maxPool2d(x2, 3, { stride: 2, padding: 1 })], x);
  await time(`pool3s2 ${h} bwd`, 0, (x2, dy2) => gradients([maxPool2d(x2, 3, { stride: 2, padding: 1 })], [x2], [dy2]), x, dy);
}
shutdown2();
