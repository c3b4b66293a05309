var __defProp = Object.defineProperty;
var __export = (target, all) => {
  for (var name in all)
    __defProp(target, name, { get: all[name], enumerable: true });
};

// ../convb/fuzz.ts
import { readFileSync } from "node:fs";

// src/index.ts
var src_exports = {};
__export(src_exports, {
  ArgumentError: () => ArgumentError,
  DTypeError: () => DTypeError,
  DataError: () => DataError,
  Engine: () => Engine,
  FerrogradError: () => FerrogradError,
  History: () => History,
  IndexError: () => IndexError,
  NonFiniteError: () => NonFiniteError,
  OutOfMemoryError: () => OutOfMemoryError,
  ShapeError: () => ShapeError,
  StateError: () => StateError,
  Tensor: () => Tensor,
  Variable: () => Variable,
  WorkerDiedError: () => WorkerDiedError,
  abs: () => abs,
  adaptiveAvgPool1d: () => adaptiveAvgPool1d,
  adaptiveAvgPool2d: () => adaptiveAvgPool2d,
  adaptiveMaxPool1d: () => adaptiveMaxPool1d,
  adaptiveMaxPool2d: () => adaptiveMaxPool2d,
  add: () => add,
  arange: () => arange,
  argMax: () => argMax,
  argMin: () => argMin,
  avgPool1d: () => avgPool1d,
  avgPool2d: () => avgPool2d,
  backward: () => backward,
  batchNorm: () => batchNorm,
  binaryCrossEntropy: () => binaryCrossEntropy,
  binaryCrossEntropyWithLogits: () => binaryCrossEntropyWithLogits,
  broadcastTo: () => broadcastTo,
  cast: () => cast,
  categoricalCrossEntropy: () => categoricalCrossEntropy,
  ceil: () => ceil,
  clamp: () => clamp,
  compile: () => compile,
  concat: () => concat,
  conv1d: () => conv1d,
  conv2d: () => conv2d,
  convTranspose1d: () => convTranspose1d,
  convTranspose2d: () => convTranspose2d,
  cos: () => cos,
  crossEntropy: () => crossEntropy,
  data: () => data_exports,
  div: () => div,
  dropout: () => dropout,
  embedding: () => embedding,
  engine: () => engine,
  eq: () => eq,
  erf: () => erf,
  exp: () => exp,
  expm1: () => expm1,
  flatten: () => flatten,
  floor: () => floor,
  flush: () => flush,
  full: () => full,
  ge: () => ge,
  gelu: () => gelu,
  grad: () => grad,
  gt: () => gt,
  halfSquaredError: () => halfSquaredError,
  init: () => init,
  io: () => io_exports,
  isFinite: () => isFinite,
  isNaN: () => isNaN,
  layerNorm: () => layerNorm,
  le: () => le,
  loadModel: () => loadModel,
  log: () => log,
  log1p: () => log1p,
  logSoftmax: () => logSoftmax,
  logicalAnd: () => logicalAnd,
  logicalNot: () => logicalNot,
  logicalOr: () => logicalOr,
  logicalXor: () => logicalXor,
  lt: () => lt,
  manualSeed: () => manualSeed,
  matmul: () => matmul,
  max: () => max,
  maxPool1d: () => maxPool1d,
  maxPool2d: () => maxPool2d,
  maximum: () => maximum,
  mean: () => mean,
  meanSquaredError: () => meanSquaredError,
  metrics: () => metrics_exports,
  min: () => min,
  minimum: () => minimum,
  modelFiles: () => modelFiles,
  modelFromFiles: () => modelFromFiles,
  mul: () => mul,
  ne: () => ne,
  neg: () => neg,
  nn: () => nn_exports,
  noGrad: () => noGrad,
  normal: () => normal,
  oneHot: () => oneHot,
  ones: () => ones,
  optim: () => optim_exports,
  pad: () => pad,
  permute: () => permute,
  pow: () => pow,
  prod: () => prod,
  random: () => random_exports,
  randomState: () => randomState,
  reciprocal: () => reciprocal,
  relu: () => relu,
  remainder: () => remainder,
  reshape: () => reshape,
  round: () => round,
  rsqrt: () => rsqrt,
  saveModel: () => saveModel,
  scaledDotProductAttention: () => scaledDotProductAttention,
  setRandomState: () => setRandomState,
  shutdown: () => shutdown2,
  sigmoid: () => sigmoid,
  sign: () => sign,
  silu: () => silu,
  sin: () => sin,
  slice: () => slice,
  softmax: () => softmax,
  softplus: () => softplus,
  split: () => split,
  sqrt: () => sqrt,
  square: () => square,
  squeeze: () => squeeze,
  stack: () => stack,
  sub: () => sub,
  sum: () => sum,
  tanh: () => tanh,
  tensor: () => tensor,
  text: () => text_exports,
  transpose: () => transpose,
  uniform: () => uniform,
  unsqueeze: () => unsqueeze,
  valueAndGrad: () => valueAndGrad,
  variance: () => variance,
  vjp: () => vjp,
  weightsHash: () => weightsHash,
  where: () => where,
  zeros: () => zeros
});

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
function checkShape(op, shape) {
  if (shape.every((length) => Number.isSafeInteger(length) && length >= 0)) return;
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
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m === n || n === 1) return m;
    if (m === 1) return n;
    throw new ShapeError(
      `${op}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: sizes ${m} and ${n} meet at axis ${axis - rank}`
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
      (spec, index2) => new Value(spec.shape, spec.dtype, { node: this, index: index2 })
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
  const names2 = nodes2.map((node) => node.op.name).join("\u2192");
  return `${names2} ${formatShape(nodes2.at(-1).outputs[0].shape)}`;
}
function laneOf(node) {
  const wide = (dtype) => dtype === "float64" || dtype === "int32";
  const keys2 = keyOperand(node);
  const operands2 = node.inputs.filter((_, index2) => index2 !== keys2);
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
  const groups = /* @__PURE__ */ new Map();
  for (const node of graph.nodes) {
    let group = /* @__PURE__ */ new Set([node]);
    if (isElementwise(node) && !isConstant(node)) {
      for (const input of node.inputs) {
        const producer = isLeaf(input) ? void 0 : input.node;
        if (!producer || group.has(producer) || !canChain(producer, node)) continue;
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
      node.inputs.forEach((input, index2) => {
        if (index2 !== key && !members.has(input)) this.load(input, node.outputs[0].shape);
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
    const sources = node.inputs.filter((_, index2) => index2 !== random?.key).map((input) => this.source(input));
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
  const count2 = sizeOf(code.shape);
  if (count2 === 0) return;
  const accesses = [...code.loads, ...code.stores];
  const merged = collapse(
    code.shape,
    accesses.map(({ strides }) => strides)
  );
  const scalar = merged.shape.length === 0;
  const dims = scalar ? [1] : merged.shape;
  const places = [...code.loads.map(({ place }) => place), ...code.keys];
  const words2 = [
    dtypes[code.lane].code,
    dims.length,
    count2,
    code.loads.length,
    code.instructions.length,
    code.stores.length,
    code.registers,
    ...dims
  ];
  const access = ({ dtype, register }, pointer, index2) => {
    words2.push(pointer, dtypes[dtype].code, register);
    words2.push(...scalar ? [0] : merged.strides[index2]);
  };
  code.loads.forEach((load, index2) => access(load, index2, index2));
  for (const one of code.instructions) words2.push(...one);
  code.stores.forEach((store, index2) => {
    places.push(store.place);
    access(store, places.length - 1, code.loads.length + index2);
  });
  const padding = new Array(maxPointers - places.length).fill(0);
  builder.call("elementwise", [builder.words(words2), ...places, ...padding], label);
}

// src/program/memory.ts
var alignment = 64;
function aligned(bytes) {
  return Math.ceil(bytes / alignment) * alignment;
}
function placeLifetimes(lifetimes) {
  const offsets = new Array(lifetimes.length).fill(0);
  const placed = [];
  const bySize = lifetimes.map((_, index2) => index2);
  bySize.sort((a, b) => lifetimes[b].bytes - lifetimes[a].bytes || a - b);
  let total2 = 0;
  for (const index2 of bySize) {
    const { bytes, first, last } = lifetimes[index2];
    const size = aligned(bytes);
    let start = 0;
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      if (other.start >= start + size) break;
      start = Math.max(start, other.end);
    }
    offsets[index2] = start;
    const entry = { start, end: start + size, first, last };
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, entry);
    total2 = Math.max(total2, entry.end);
  }
  return { offsets, bytes: total2 };
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
    this.calls.forEach(({ args }, index2) => {
      for (const arg of args) {
        if (typeof arg === "number" || arg.buffer === "constants") continue;
        if (arg.buffer.slot !== void 0) continue;
        const span = spans.get(arg.buffer);
        if (span) span.last = index2;
        else spans.set(arg.buffer, { bytes: arg.buffer.bytes, first: index2, last: index2 });
      }
    });
    const buffers = [...spans.keys()];
    const { offsets, bytes } = placeLifetimes([...spans.values()]);
    const starts = new Map(buffers.map((buffer, index2) => [buffer, offsets[index2]]));
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
function kernelEmitter(builder, node) {
  const operand = (index2) => node.inputs[index2];
  let label = labelOf([node]);
  const located = (value, placed) => ({
    place: startOf(placed, value.dtype),
    layout: placed.layout
  });
  const output = (index2, strides) => {
    const value = node.outputs[index2];
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
    strided: (index2) => located(operand(index2), builder.find(operand(index2))),
    dense: (index2) => startOf(builder.dense(operand(index2)), operand(index2).dtype),
    denseRows: (index2) => {
      const value = operand(index2);
      const placed = builder.find(value);
      const inRows = placed.layout.strides.at(-1) === 1 || value.shape.at(-1) <= 1;
      return located(value, inRows ? placed : builder.dense(value));
    },
    output: (index2, strides) => startOf(output(index2, strides), node.outputs[index2].dtype),
    scratch: (bytes) => ({ buffer: builder.temporary(bytes), offset: 0 }),
    words: (values) => builder.words(values),
    copyInto: (index2, region2) => {
      const { buffer } = builder.find(node.outputs[0]);
      const from = builder.find(operand(index2));
      emitCopy(builder, operand(index2).dtype, from, { buffer, layout: region2 }, node.op.name);
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
function emit(graph, { steps, inPlace }, key) {
  const builder = new Builder(inPlace);
  const overwritten = new Set(graph.overwrites.map(({ before }) => before));
  for (const leaf of graph.leaves) {
    const buffer = builder.slot(leaf.bytes, overwritten.has(leaf) ? "inout" : "in");
    builder.place(leaf, { buffer, layout: denseLayout(leaf.shape) });
  }
  const results = graph.targets.map((value) => builder.slot(value.bytes, "out"));
  graph.targets.forEach((value, index2) => {
    if (!isLeaf(value)) builder.setHome(value, results[index2]);
  });
  const kept = /* @__PURE__ */ new Set([...graph.targets, ...graph.overwrites.map(({ after }) => after)]);
  const escaping = valuesBetweenSteps(steps, kept);
  for (const step of steps) emitStep(builder, step, escaping);
  graph.targets.forEach((value, index2) => moveTo(builder, value, results[index2]));
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
function emitStep(builder, { nodes: nodes2 }, escaping) {
  const [first] = nodes2;
  if (isConstant(first)) return;
  if (isElementwise(first)) {
    const stores = nodes2.map((node) => node.outputs[0]).filter((value) => escaping.has(value));
    emitChain(builder, nodes2, stores);
  } else if (first.op.lowering.kind === "kernel") {
    first.op.lowering.emit(kernelEmitter(builder, first), first.attributes);
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
  const { node, index: index2 } = after;
  if (isLeaf(after) || graph.targets.includes(after)) return false;
  const pair2 = node.op.inPlace?.find(([output]) => output === index2);
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
function engineFile(wasm, build2, name) {
  return new URL(`${build2}/${name}`, wasm.href.endsWith("/") ? wasm : `${wasm.href}/`);
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
async function loadSource(wasmUrl, build2, memory) {
  const bytes = await readBytes(engineFile(wasmUrl, build2, "engine_bg.wasm"));
  const module = await WebAssembly.compile(bytes);
  return { module, glue: engineFile(wasmUrl, build2, "engine.js").href, memory };
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
    for (let index2 = 0; index2 <= last; index2++) {
      const { kernel, args } = this.#calls[index2];
      onCall?.(index2);
      exports.team_set_call(team, index2);
      kernel(...args);
      exports.team_barrier(team);
      if (index2 === last) return;
      if (fault.length === 0) fault = faultWords(memory, faultAddress);
      if (Atomics.load(fault, 0) === 0 || Atomics.load(fault, 1) > index2) continue;
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
      for (const { args, index: index2, offset } of this.#patches[buffer]) args[index2] = address + offset;
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
  const build2 = wanted ?? order2.find((candidate) => !refusals[candidate]) ?? "single";
  const faster = order2.slice(0, order2.indexOf(build2));
  const reasons = wanted && faster.length > 0 ? [`build "${wanted}" was asked for`] : [];
  if (!wanted) {
    const missing = faster.map((candidate) => refusals[candidate]);
    reasons.push(...new Set(missing.filter((reason) => reason !== void 0)));
  }
  const shared = build2 !== "single";
  if (shared && !isolated && threads > 1) reasons.push(notIsolated);
  if (!shared && wanted && threads > 1) reasons.push('build "single" has one thread');
  return {
    build: build2,
    simd: build2 === "relaxed" ? "relaxed-simd" : "simd128",
    shared,
    threads: shared && isolated ? threads : 1,
    reasons
  };
}

// src/runtime/urls.ts
var defaultWorkerUrl = new URL("../../dist/runtime/worker.js", import.meta.url);
var defaultWasmUrl = new URL("../../wasm/", import.meta.url);

// src/runtime/options.ts
var addressable = 2 ** 32;
var mostCores = 16;
var mostThreads = 64;
async function resolve(options) {
  const { build: build2, maxMemory = addressable } = options;
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
  const choice = chooseBuild(detectAbilities(isIsolated), build2, threads);
  const wanted = Math.floor(maxMemory / pageBytes) * pageBytes;
  const { memory, limit } = choice.shared ? createMemory(wanted) : { memory: void 0, limit: wanted };
  const lowered = `the host grants at most ${limit} bytes of memory`;
  return {
    choice: limit < wanted ? { ...choice, reasons: [...choice.reasons, lowered] } : choice,
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
  const words2 = new Uint32Array(buffer, at, headWords + addresses.length);
  words2.set([key, place, address, bytes, addresses.length]);
  words2.set(addresses, headWords);
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
  leave(index2) {
    Atomics.store(this.#words, firstWorker + index2, 1);
    Atomics.notify(this.#words, firstWorker + index2);
  }
  /** Waits up to `milliseconds` for worker `index` to leave, and says whether it has. */
  hasLeft(index2, milliseconds) {
    Atomics.wait(this.#words, firstWorker + index2, 0, milliseconds);
    return Atomics.load(this.#words, firstWorker + index2) === 1;
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
async function recruit(source, count2, script) {
  const peers = [];
  try {
    const members = Array.from({ length: count2 }, async (_, index2) => {
      const name = `ferrograd worker ${index2 + 1}`;
      const peer = new Peer(await startThread(script, name), name);
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
    members.forEach(({ peer }, index2) => {
      const membership = { team: this.#address, board: this.#boardAddress, workers, index: index2 };
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
    list.run(this.#instance, team, job.addresses, (index2) => this.#call = index2);
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
    const gone = this.#members.map((member, index2) => this.#awaitLeave(member, index2, deadline));
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
  #awaitLeave({ peer, systemThread }, index2, deadline) {
    while (performance.now() < deadline) {
      if (this.#board?.hasLeft(index2, 1)) return true;
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
    const { choice, host: host2 } = this.#parts;
    const { build: build2, simd, reasons } = choice;
    return {
      build: build2,
      simd,
      threads: this.#team.threads,
      host: host2,
      memory: this.#memory(),
      reasons: this.#shortage ? [...reasons, this.#shortage] : reasons
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
        this.#programs.get(run.key).slots.forEach(({ bytes, role }, index2) => {
          const handle = run.slots[index2];
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
      ({ bytes }, index2) => this.#buffers.address(slots[index2], bytes)
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
    const { live, peak, reserved: reserved2, limit } = this.#heap;
    return { live, peak, reserved: reserved2, limit };
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
function realize(values) {
  const targets = values.filter((value) => !isLeaf(value) && value.bytes > 0);
  for (const value of values) {
    if (!isLeaf(value) && value.bytes === 0) value.store(new Storage(0));
  }
  if (targets.length === 0) return;
  const storages = targets.map((value) => new Storage(value.bytes));
  const commit = () => targets.forEach((value, index2) => value.store(storages[index2]));
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
    roots2.forEach((value, index2) => value.store(rootStorages[index2]));
    fresh.forEach(({ variable, before, after }, index2) => {
      const storage = freshStorages[index2];
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
  const { storage, version: version2 } = storedSource(leaf);
  const name = leaf.variable?.name ?? "";
  const what = `${name && `${name} `}${formatShape(leaf.shape)} ${leaf.dtype}`;
  if (storage.disposed) {
    throw new StateError(`${what} was disposed: keep it until everything that reads it is read`);
  }
  if (storage.version !== version2) {
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
  constructor(data, shape, dtype, { requiresGrad = false, name = "", overwrite = false } = {}) {
    super(hostValue(data, shape, dtype));
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
  set(data) {
    if (data.length !== this.size) {
      throw new ShapeError(
        `set: ${this.name || "variable"} is ${formatShape(this.shape)}, ${this.size} elements; got ${data.length}`
      );
    }
    const copy = new dtypes[this.dtype].make(data);
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
function flattenNested(op, data) {
  const numbers = [];
  return { numbers, shape: append(op, data, numbers) };
}
function append(op, data, into) {
  if (typeof data === "number" || typeof data === "boolean") {
    into.push(Number(data));
    return [];
  }
  if (!Array.isArray(data)) {
    throw new ArgumentError(`${op}: ${typeof data} is neither a number nor an array of them`);
  }
  let inner;
  data.forEach((row, index2) => {
    const shape = append(op, row, into);
    inner ??= shape;
    if (!sameShape(inner, shape)) {
      throw new ShapeError(
        `${op}: ragged data: entry 0 has shape ${formatShape(inner)}, entry ${index2} has ${formatShape(shape)}`
      );
    }
  });
  return [data.length, ...inner ?? []];
}
function nest(data, shape) {
  const build2 = (axis, start, size) => {
    if (axis === shape.length) return data[start];
    const step = size / shape[axis];
    return Array.from({ length: shape[axis] }, (_, i) => build2(axis + 1, start + i * step, step));
  };
  return build2(0, 0, data.length);
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
function record(op, operands2, attributes) {
  const values = operands2.map((operand) => operand.value);
  const specs = op.infer(values, attributes);
  const node = new Node(op, values, attributes, Array.isArray(specs) ? specs : [specs]);
  if (gradientsEnabled && op.vjp && values.some((value) => value.requiresGrad)) {
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
    infer: (operands2, attributes) => row.infer(operands2, attributes),
    lowering: loweringOf(row),
    vjp: row.vjp,
    ...row.differentiable !== void 0 && { differentiable: row.differentiable },
    ...row.inPlace && { inPlace: row.inPlace }
  };
  const all = (...args) => {
    const { operands: operands2, attributes } = row.signature(...args);
    return record(op, operands2, attributes);
  };
  return Object.assign((...args) => all(...args)[0], { all });
}

// src/random.ts
var random_exports = {};
__export(random_exports, {
  Generator: () => Generator,
  checkSeed: () => checkSeed,
  logarithm: () => logarithm,
  philox: () => philox
});
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
  let m = x;
  for (; m < Math.SQRT1_2; m *= 2) exponent--;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum2 = 0;
  for (let k = 21; k >= 1; k -= 2) sum2 = sum2 * z + 1 / k;
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
function manualSeed(value) {
  checkSeed("manualSeed", value);
  setRandomState({ seed: value, draws: 0, host: { seed: value, draws: 0 } });
}
function randomState() {
  return { seed, draws, host: host.state };
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
  const whole2 = bounds.every(({ step, count: count2 }, axis) => step === 1 && count2 === x.shape[axis]);
  if (whole2) return x;
  return strided(
    x,
    bounds.map(({ from }) => from),
    bounds.map(({ step }) => step),
    bounds.map(({ count: count2 }) => count2)
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
    emitter.operands.forEach((operand, index2) => {
      const starts = shape.map((_, i) => i === axis ? at : 0);
      emitter.copyInto(index2, region(shape, operand.shape, starts, steps));
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
  const total2 = lengths.reduce((sum2, length) => sum2 + length, 0);
  if (total2 !== x.shape[at]) {
    throw new ShapeError(
      `split: lengths [${lengths.join(", ")}] add up to ${total2}, axis ${axis} of ${formatShape(x.shape)} is ${x.shape[at]}`
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
  if (widths.length !== x.rank || widths.flat().some((n) => !Number.isInteger(n) || n < 0)) {
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
function reduction(name, vjp2, dtypeOf2 = (dtype) => dtype) {
  return defineOp(name, {
    signature: (x, first, last) => ({
      operands: [x.dtype === "bool" ? cast(x, "int32") : x],
      attributes: { first, last }
    }),
    infer: ([x], run) => ({ shape: keptShape(x.shape, run), dtype: dtypeOf2(x.dtype) }),
    kernel: (emitter, run) => emitReduction(kinds2[name], emitter, run),
    vjp: vjp2
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
  const count2 = sizeOf(axes.map((axis) => x.shape[axis]));
  return div(sum(values, options), count2);
}
function variance(x, { correction = 1, ...options } = {}) {
  const axes = normalizeAxes("variance", options.axis, x.rank);
  const count2 = sizeOf(axes.map((axis) => x.shape[axis]));
  const centre = mean(x, { axis: axes, keepDims: true });
  return div(sum(square(sub(x, centre)), options), Math.max(0, count2 - correction));
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
  const normal3 = normalizeAxis(name, axis, x.rank);
  checkSome(name, x, { axis: normal3 });
  return over(name, reduce, x, { axis: normal3, keepDims });
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
  const vjp2 = rule && ((dy, { operands: [a, b], outputs: [y], needs }) => {
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
    vjp: vjp2
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
    for (const [value, grad2] of walk([root.value], [seed2], isTarget)) {
      const leaf = leafTensor(value);
      if (leaf) leaf.grad = leaf.grad ? add(leaf.grad, grad2) : grad2;
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
function vjp(f, ...args) {
  const result = keepingHistory(args, () => f(...args));
  return [
    result,
    (dy) => {
      checkGradient("vjp", result, dy);
      return gradients([result], args, [dy]);
    }
  ];
}
function keepingHistory(args, body) {
  const marked = args.flatMap(
    ({ value }) => isFloat(value.dtype) && !value.requiresGrad ? [value] : []
  );
  for (const value of marked) value.requiresGrad = true;
  try {
    return body();
  } finally {
    for (const value of marked) value.requiresGrad = false;
  }
}
function valueAndGrad(f) {
  return (...args) => {
    const value = f(...args);
    return [value, gradients([value], args)];
  };
}
function grad(f) {
  return (...args) => {
    const [first] = args;
    if (!first) throw new ArgumentError("grad: the function has no argument");
    return gradients([f(...args)], [first])[0];
  };
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
  const arrive = (value, grad2) => {
    const known = arrived.get(value);
    arrived.set(value, known ? add(known, grad2) : grad2);
  };
  roots2.forEach((root, index2) => arrive(root, seeds[index2]));
  for (const { node, needs } of order2) {
    const known = node.outputs.map((output) => arrived.get(output));
    const rule = node.op.vjp;
    if (!rule || known.every((grad2) => grad2 === void 0)) continue;
    const wanted = known.map((grad2, i) => {
      const { shape, dtype } = node.outputs[i];
      return grad2 ?? full(shape, 0, dtype);
    });
    const found = rule(wanted[0], {
      operands: node.inputs.map((input) => new Tensor(input)),
      outputs: node.outputs.map((output) => new Tensor(output)),
      attributes: node.attributes,
      gradients: wanted,
      needs
    });
    node.inputs.forEach((input, i) => {
      const grad2 = found[i];
      if (grad2 && needs[i]) arrive(input, grad2);
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
  const [m, k] = a.slice(-2);
  const [inner, n] = b.slice(-2);
  if (k !== inner) {
    throw new ShapeError(
      `matmul: ${formatShape(a)} \xD7 ${formatShape(b)}: inner sizes ${k} and ${inner} differ`
    );
  }
  return [...broadcastShapes("matmul", a.slice(0, -2), b.slice(0, -2)), m, n];
}
function matrixOf({ strides }) {
  return [strides.at(-2), strides.at(-1)];
}
function matrix(emitter, index2) {
  const found = emitter.strided(index2);
  return matrixOf(found.layout).includes(1) ? found : emitter.denseRows(index2);
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
    const k = a.layout.shape.at(-1);
    const n = shape.at(-1);
    const rows = b.layout.shape.length === 2 ? sizeOf(shape.slice(0, -1)) : shape.at(-2);
    const flat = rows === shape.at(-2) ? void 0 : reshapeLayout(a.layout, [rows, k]);
    const [m, left, batch] = flat ? [rows, flat, []] : [shape.at(-2), a.layout, shape.slice(0, -2)];
    const batchStrides = (layout2) => {
      const outer = { ...layout2, shape: layout2.shape.slice(0, -2) };
      return broadcastLayout({ ...outer, strides: layout2.strides.slice(0, -2) }, batch).strides;
    };
    const layout = [
      batch.length,
      ...batch,
      ...flat ? [] : batchStrides(left),
      ...flat ? [] : batchStrides(b.layout)
    ];
    emitter.call(
      "gemm",
      dtypes[dtype].code,
      m,
      n,
      k,
      sizeOf(batch),
      emitter.words(layout),
      a.place,
      ...matrixOf(left),
      b.place,
      ...matrixOf(b.layout),
      emitter.output(0)
    );
  },
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

// src/ops/attention.ts
function extrasOf(operands2, attributes) {
  return {
    mask: attributes.mask ? operands2[3] : void 0,
    random: attributes.random ? operands2[attributes.mask ? 4 : 3] : void 0
  };
}
function listOf({ mask, random }) {
  return [mask, random].filter((operand) => operand !== void 0);
}
function extraPlaces(emitter, { mask, random }) {
  return [mask ? emitter.dense(3) : 0, random ? emitter.dense(mask ? 4 : 3) : 0];
}
function headsInside([, heads, length, dim]) {
  return [length * heads * dim, dim, heads * dim, 1];
}
function outerStrides({ strides }) {
  return strides.slice(0, 3);
}
function sizesOf([q, k, v]) {
  const [batch, heads, queries, dim] = q.shape;
  return [batch, heads, queries, k.shape[2], dim, v.shape[3]];
}
var attend = defineOp("attention", {
  signature: (q, k, v, extras, attributes) => ({ operands: [q, k, v, ...listOf(extras)], attributes }),
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
    const [q, k, v] = [0, 1, 2].map((index2) => emitter.denseRows(index2));
    const [mask, random] = extraPlaces(emitter, attributes);
    const strides = headsInside(emitter.outputs[0].shape);
    const [o, lse] = [emitter.output(0, strides), emitter.output(1)];
    const layout = [
      ...sizesOf(emitter.operands),
      ...[q, k, v].flatMap(({ layout: layout2 }) => outerStrides(layout2)),
      ...outerStrides({ strides })
    ];
    emitter.call(
      "attention",
      dtypes[emitter.operands[0].dtype].code,
      emitter.words(layout),
      q.place,
      k.place,
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
  vjp: (dy, { operands: operands2, outputs: [o, lse], attributes }) => {
    const [q, k, v] = operands2;
    const extras = extrasOf(operands2, attributes);
    return attentionBackward.all(q, k, v, extras, attributes, o, lse, dy);
  }
});
var attentionBackward = defineOp("attentionBackward", {
  signature: (q, k, v, extras, attributes, o, lse, dy) => ({ operands: [q, k, v, ...listOf(extras), o, lse, dy], attributes }),
  infer: ([q, k, v]) => [q, k, v],
  kernel: (emitter, attributes) => {
    const count2 = emitter.operands.length;
    const [q, k, v, o, dy] = [0, 1, 2, count2 - 3, count2 - 1].map((i) => emitter.denseRows(i));
    const [mask, random] = extraPlaces(emitter, attributes);
    const lse = emitter.dense(count2 - 2);
    const { dtype } = emitter.operands[0];
    const [batch, heads, queries] = emitter.operands[0].shape;
    const delta = emitter.scratch(batch * heads * queries * dtypes[dtype].bytes);
    const strides = emitter.outputs.map(({ shape }) => headsInside(shape));
    const [dq, dk, dv] = strides.map((inside, index2) => emitter.output(index2, inside));
    const layout = [q, k, v, o].flatMap((operand) => outerStrides(operand.layout));
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
      k.place,
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
  vjp: through((operands2, attributes) => {
    const [q, k, v] = operands2;
    const dy = operands2.at(-1);
    const o = attentionFormula(q, k, v, extrasOf(operands2, attributes), attributes);
    return gradients([o], [q, k, v], [dy]);
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
function attentionFormula(q, k, v, { mask, random }, { scale, causal, dropout: dropout3, stream }) {
  const scores = mul(matmul(q, transpose(k)), scale);
  const visible = visibleKeys(q.shape[2], k.shape[2], mask, causal);
  const shown = visible ? where(visible, scores, hidden) : scores;
  const weights = softmax(shown);
  const kept = visible ? where(visible, weights, 0) : weights;
  return matmul(random ? dropoutWith(kept, random, dropout3, stream) : kept, v);
}
function scaledDotProductAttention(q, k, v, { mask, causal = false, dropout: dropout3 = 0, scale } = {}) {
  checkShapes(q, k, v);
  checkProbability("scaledDotProductAttention", dropout3);
  const [batch, , , dim] = q.shape;
  const keys2 = k.shape[2];
  if (mask && (mask.dtype !== "bool" || !sameShape(mask.shape, [batch, keys2]))) {
    throw new ShapeError(
      `scaledDotProductAttention: the mask is bool [batch, keys] = [${batch}, ${keys2}], not ${mask.dtype} ${formatShape(mask.shape)}`
    );
  }
  const { key, stream } = dropout3 > 0 ? nextKey() : { key: void 0, stream: 0 };
  return attend(
    q,
    k,
    v,
    { mask, random: key },
    {
      scale: scale ?? 1 / Math.sqrt(dim),
      causal,
      dropout: dropout3,
      stream,
      mask: !!mask,
      random: !!key
    }
  );
}
function checkShapes(q, k, v) {
  checkFloat("scaledDotProductAttention", q);
  if (q.dtype !== k.dtype || q.dtype !== v.dtype) {
    throw new DTypeError(
      `scaledDotProductAttention: q, k, v are ${q.dtype}, ${k.dtype}, ${v.dtype}; one is needed`
    );
  }
  const [batch, heads, , dim] = q.shape;
  const fits2 = [q, k, v].every((operand) => operand.rank === 4) && sameShape([k.shape[0], k.shape[1], k.shape[3]], [batch, heads, dim]) && sameShape(v.shape.slice(0, 3), k.shape.slice(0, 3));
  if (fits2) return;
  throw new ShapeError(
    `scaledDotProductAttention: q [batch, heads, queries, dim], k [batch, heads, keys, dim] and v [batch, heads, keys, valueDim] are needed, not ${formatShape(q.shape)}, ${formatShape(k.shape)}, ${formatShape(v.shape)}`
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
function checkAxes(op, x, names2) {
  if (x.rank === names2.length) return;
  throw new ShapeError(`${op}: [${names2.join(", ")}] is needed, not ${formatShape(x.shape)}`);
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
      const [code, words2, x, dy] = kernelArguments(emitter, sizes);
      const weights = sizeOf(weightShape(sizes));
      const wanted = Math.ceil(tasks / Math.ceil(weights / weightsPerTask));
      const pieces = Math.max(1, Math.min(sizes.batch, wanted));
      const { bytes } = dtypes[emitter.outputs[0].dtype];
      const scratch = pieces > 1 ? emitter.scratch(pieces * weights * bytes) : 0;
      const dw = emitter.output(0);
      emitter.call("convolution_weight", code, words2, x, dy, dw, scratch, pieces);
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
function asImages(op, x, weight, body) {
  checkAxes(op, x, signalAxes);
  checkAxes(`${op}: weight`, weight, ["out", "in", "kernel"]);
  const oneRow = ({ shape: [a, b, length] }) => [a, b, 1, length];
  const y = body(reshape(x, oneRow(x)), reshape(weight, oneRow(weight)));
  return reshape(y, [y.shape[0], y.shape[1], y.shape[3]]);
}
function convolve(op, x, weight, options) {
  const { groups = 1, bias, padding = 0 } = options;
  const [image, filters] = operands(op, x, weight);
  checkGroups(op, groups, { "output channels": filters.shape[0] });
  const [out, inputs, ...kernel] = filters.shape;
  checkChannels(op, x, weight, inputs * groups);
  const stride = pairOf(`${op}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op}: dilation`, options.dilation ?? 1, 1);
  const axis = (which) => {
    const input = image.shape[2 + which];
    const reach = dilation[which] * (kernel[which] - 1) + 1;
    const [before, after] = paddings(op, padding, { which, stride, reach });
    const room = input + before + after;
    if (reach > room || kernel[which] === 0) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: a window of ${reach} does not fit in ${room} positions, padding included`
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
  return convolution(sizes, image, filters, biasOf(op, bias, out, image));
}
function convolveTransposed(op, x, weight, options) {
  const { groups = 1, bias } = options;
  const [image, filters] = operands(op, x, weight);
  const [inputs, out, ...kernel] = filters.shape;
  checkGroups(op, groups, { "input channels": inputs });
  checkChannels(op, x, weight, inputs);
  const stride = pairOf(`${op}: stride`, options.stride ?? 1, 1);
  const dilation = pairOf(`${op}: dilation`, options.dilation ?? 1, 1);
  const padding = pairOf(`${op}: padding`, options.padding ?? 0, 0);
  const outputPadding = pairOf(`${op}: outputPadding`, options.outputPadding ?? 0, 0);
  const axis = (which) => {
    const most = Math.max(stride[which], dilation[which]);
    if (outputPadding[which] >= most) {
      throw new ArgumentError(
        `${op}: outputPadding is ${outputPadding[which]}; it must be less than the stride or the dilation, so than ${most}`
      );
    }
    const input = image.shape[2 + which];
    const reach = dilation[which] * (kernel[which] - 1) + 1;
    const whole2 = (input - 1) * stride[which] + reach + outputPadding[which];
    const output = whole2 - 2 * padding[which];
    if (output < 1 || input < 1 || kernel[which] === 0) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: padding ${padding[which]} on both sides leaves nothing of ${whole2} positions`
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
  return convolutionInput(sizes, image, filters, biasOf(op, bias, out * groups, image));
}
function operands(op, x, weight) {
  checkAxes(op, x, imageAxes);
  checkAxes(`${op}: weight`, weight, ["out", "in", "height", "width"]);
  const dtype = promote(x.dtype, weight.dtype);
  checkFloat(op, { shape: x.shape, dtype });
  return [cast(x, dtype), cast(weight, dtype)];
}
function checkGroups(op, groups, channels) {
  checkWhole(`${op}: groups`, groups, 1);
  for (const [name, count2] of Object.entries(channels)) {
    if (count2 % groups === 0) continue;
    throw new ArgumentError(`${op}: ${count2} ${name} cannot be cut into ${groups} groups`);
  }
}
function checkChannels(op, x, weight, expected) {
  if (x.shape[1] === expected) return;
  throw new ShapeError(
    `${op}: ${formatShape(x.shape)} \xD7 ${formatShape(weight.shape)}: ${x.shape[1]} channels, not the ${expected} that the weight is for`
  );
}
function biasOf(op, bias, channels, { dtype }) {
  if (!bias) return void 0;
  if (!sameShape(bias.shape, [channels])) {
    throw new ShapeError(`${op}: bias is ${formatShape(bias.shape)}, not [${channels}]`);
  }
  return cast(bias, dtype);
}
function paddings(op, padding, { which, stride, reach }) {
  if (padding === "valid") return [0, 0];
  if (padding !== "same") {
    const both = pairOf(`${op}: padding`, padding, 0)[which];
    return [both, both];
  }
  if (stride[which] !== 1) {
    throw new ArgumentError(
      `${op}: padding "same" needs stride 1, not ${stride[which]}; give the padding as a number`
    );
  }
  const before = Math.floor((reach - 1) / 2);
  return [before, reach - 1 - before];
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
    const [rows, width] = table2.shape;
    const { code } = dtypes[table2.dtype];
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
  vjp: (dy, { operands: [ids, table2], attributes: { skip } }) => [
    void 0,
    scatterAdd(ids, dy, table2.shape[0], skip)
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
      const count2 = sizeOf(ids.shape);
      const width = dy.shape.at(-1);
      emitter.call("scatter_add_rows", code, rows, width, count2, at, from, emitter.output(0), skip);
    },
    vjp: (ddy, { operands: [ids], attributes: { skip } }) => {
      const rows = gather(ids, ddy, skip);
      const counted = cast(ne(ids, skip), ddy.dtype);
      return [void 0, skip === none ? rows : mul(rows, unsqueeze(counted, -1))];
    }
  }
);
function embedding(ids, table2, { paddingIndex = none } = {}) {
  return gather(ids, table2, paddingIndex);
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
function sizesOf2({ shape, dtype }) {
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
    const sizes = sizesOf2(emitter.operands[0]);
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
    const sizes = sizesOf2(emitter.operands[0]);
    const [x, labels, lse, dy] = [0, 1, 2, 3].map((index2) => emitter.dense(index2));
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
    const sizes = sizesOf2(emitter.operands[0]);
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
    const sizes = sizesOf2(emitter.operands[0]);
    const [x, target, lse, dy] = [0, 1, 2, 3].map((index2) => emitter.dense(index2));
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
    const rows = sizeOf(shape.slice(0, -1));
    const x = emitter.dense(0);
    const [weight, bias] = affine(emitter, attributes);
    const [y, centre, rstd] = [0, 1, 2].map((index2) => emitter.output(index2));
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
    const all = layerNormBackward.all(operands2[0], centre, rstd, dy, attributes.eps, weight);
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
    const rows = sizeOf(shape.slice(0, -1));
    const columns = shape.at(-1);
    const [x, centre, rstd, dy] = [0, 1, 2, 3].map((index2) => emitter.dense(index2));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const pieces = Math.max(1, Math.ceil(rows / rowsPerPiece));
    const bytes = pieces * 2 * columns * dtypes.float64.bytes;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index2) => emitter.output(index2));
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
      const spread2 = variance(input, { axis: -1, keepDims: true, correction: 0 });
      return mul(sub(input, centre), rsqrt(add(spread2, eps)));
    };
    const normal3 = formula(x);
    const [dx] = gradients([scaleAndShift(normal3, weight)], [x], [dy]);
    const rows = Array.from({ length: dy.rank - 1 }, (_, axis) => axis);
    return [dx, sum(mul(dy, normal3), { axis: rows }), sum(dy, { axis: rows })];
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
    const [y, centre, spread2] = [0, 1, 2].map((index2) => emitter.output(index2));
    emitter.call("batch_norm", ...sizes, x, weight, bias, attributes.eps, y, centre, spread2);
  },
  vjp: (dy, { operands: operands2, outputs: [, centre, spread2], attributes }) => {
    const { weight } = affineTensors(operands2, attributes);
    const { eps } = attributes;
    const all = batchNormBackward.all(operands2[0], centre, spread2, dy, eps, weight);
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
    const sizes = channelSizes(emitter.operands[0]);
    const [x, centre, spread2, dy] = [0, 1, 2, 3].map((index2) => emitter.dense(index2));
    const weight = emitter.operands.length > 4 ? emitter.dense(4) : 0;
    const [dx, dWeight, dBias] = [0, 1, 2].map((index2) => emitter.output(index2));
    emitter.call(
      "batch_norm_backward",
      ...sizes,
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
  for (const [name, operand] of Object.entries({ weight, bias, runningMean, runningVar })) {
    if (operand && !sameShape(operand.shape, channels)) {
      throw new ShapeError(
        `batchNorm: ${name} is ${formatShape(operand.shape)}, not ${formatShape(channels)}`
      );
    }
  }
  if (!training) return inferenceNorm(x, eps, { weight, bias, runningMean, runningVar });
  const count2 = x.size / x.shape[1];
  if (count2 <= 1) {
    throw new ShapeError(
      `batchNorm: ${formatShape(x.shape)} has ${count2} value a channel; training needs two or more`
    );
  }
  const [y, centre, spread2] = batchNormTraining.all(x, eps, weight, bias);
  noGrad(() => {
    const move = (running, batch) => running?.assign(add(mul(running, 1 - momentum), mul(batch, momentum)));
    move(runningMean, centre.detach());
    move(runningVar, mul(spread2.detach(), count2 / (count2 - 1)));
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
    const words2 = emitter.words(wordsOf2(x, sizes));
    const from = emitter.dense(0);
    const [y, taps] = [emitter.output(0), emitter.output(1)];
    emitter.call("max_pool", dtypes[x.dtype].code, words2, from, y, taps);
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
    const words2 = emitter.words(wordsOf2(dy, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_backward", dtypes[dy.dtype].code, words2, from, taps, emitter.output(0));
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
    const words2 = emitter.words(wordsOf2(x, sizes));
    const [from, taps] = [emitter.dense(0), emitter.dense(1)];
    emitter.call("max_pool_gather", dtypes[x.dtype].code, words2, from, taps, emitter.output(0));
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
function asImage(op, x, body) {
  checkAxes(op, x, signalAxes);
  const [batch, channels, length] = x.shape;
  const y = body(reshape(x, [batch, channels, 1, length]));
  return reshape(y, [batch, channels, y.shape[3]]);
}
function axesOf(op, x, kernelSize, { stride = kernelSize, padding = 0, dilation = 1, ceilMode = false }) {
  checkAxes(op, x, imageAxes);
  checkFloat(op, x);
  const kernels = pairOf(`${op}: kernelSize`, kernelSize, 1);
  const strides = pairOf(`${op}: stride`, stride, 1);
  const paddings2 = pairOf(`${op}: padding`, padding, 0);
  const dilations = pairOf(`${op}: dilation`, dilation, 1);
  const axis = (which) => {
    const [kernel, pad2] = [kernels[which], paddings2[which]];
    const reach = dilations[which] * (kernel - 1) + 1;
    if (pad2 >= reach) {
      throw new ArgumentError(
        `${op}: padding ${pad2} is not less than the window of ${reach}, which it would fill`
      );
    }
    const input = x.shape[2 + which];
    const room = input + 2 * pad2;
    const windows = windowsIn(room, { stride: strides[which], reach, ceil: ceilMode });
    if (windows < 1) {
      throw new ShapeError(
        `${op}: ${formatShape(x.shape)}: a window of ${reach} does not fit in ${room} positions, padding included`
      );
    }
    const output = (windows - 1) * strides[which] >= input + pad2 ? windows - 1 : windows;
    return [input, output, kernel, strides[which], dilations[which], pad2];
  };
  return { rows: axis(0), columns: axis(1) };
}
function poolMax(op, x, kernelSize, options) {
  const sizes = axesOf(op, x, kernelSize, options);
  if (kernelOf2(sizes.rows) * kernelOf2(sizes.columns) > mostTaps) {
    throw new ArgumentError(`${op}: a window of more than ${mostTaps} positions`);
  }
  return maxPool(x, sizes);
}
function poolMean(op, x, kernelSize, { countIncludePad = true, ...options }) {
  const { rows, columns } = axesOf(op, x, kernelSize, options);
  const sums = windowSums(x, rows, columns);
  const isWhole = ([input, output, kernel, stride, , padding]) => (countIncludePad || padding === 0) && (output - 1) * stride + kernel <= input + 2 * padding;
  if (isWhole(rows) && isWhole(columns)) return div(sums, kernelOf2(rows) * kernelOf2(columns));
  const counted = ([input, output, kernel, stride, dilation, padding]) => countIncludePad ? [input + 2 * padding, output, kernel, stride, dilation, 0] : [input, output, kernel, stride, dilation, padding];
  const [high, wide] = [counted(rows), counted(columns)];
  const ones3 = full([1, 1, inputOf(high), inputOf(wide)], 1, x.dtype);
  return div(sums, windowSums(ones3, high, wide));
}
function windowSums(x, rows, columns) {
  const [batch, channels] = x.shape;
  const planes = batch * channels;
  const image = reshape(x, [planes, 1, inputOf(rows), inputOf(columns)]);
  const ones3 = full([1, 1, kernelOf2(rows), kernelOf2(columns)], 1, x.dtype);
  const sizes = { batch: planes, groups: 1, inputs: 1, outputs: 1, rows, columns };
  const sums = convolution(sizes, image, ones3);
  return reshape(sums, [batch, channels, outputOf(rows), outputOf(columns)]);
}
function adaptive(op, x, outputSize, { pool, whole: whole2 }) {
  checkAxes(op, x, imageAxes);
  checkFloat(op, x);
  const outputs = pairOf(`${op}: outputSize`, outputSize, 1);
  const inputs = [x.shape[2], x.shape[3]];
  inputs.forEach((input, which) => checkWhole(`${op}: axis ${2 + which}`, input, 1));
  if (outputs[0] === 1 && outputs[1] === 1) return whole2(x, { axis: [2, 3], keepDims: true });
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
      const cut2 = slice(y, which === 0 ? [null, null, window] : [null, null, null, window]);
      return pool(cut2, size(end - start));
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
  const argument3 = (arg) => typeof arg === "number" ? String(arg) : `${typeof arg.buffer === "number" ? `slot${arg.buffer}` : arg.buffer}+${arg.offset}`;
  const width = String(program.calls.length).length;
  const calls = program.calls.map(({ kernel, label, args }, index2) => {
    const shown = kernel === "elementwise" ? args.filter((arg) => arg !== 0) : args;
    return `${String(index2).padStart(width)}  ${label}  ${kernel}(${shown.map(argument3).join(", ")})`;
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
function argument2({ shape, dtype, requiresGrad }, index2) {
  const tensor2 = new Tensor(new Value(shape, dtype, { source: { kind: "argument", index: index2 } }));
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
    (value, index2) => storedValue(outputs[index2], value.shape, value.dtype)
  );
  return rebuild(traced.results, values);
}
function listOf2(results) {
  if (!results) return [];
  if (results instanceof Tensor) return [results];
  const list = Array.isArray(results) ? results : Object.values(results);
  return list.map((entry, index2) => {
    if (entry instanceof Tensor) return entry;
    throw new StateError(`compile: result ${index2} is ${typeof entry}, not a tensor`);
  });
}
function rebuild(form, values) {
  const tensors = values.map((value) => new Tensor(value));
  if (!form) return form;
  if (form instanceof Tensor) return tensors[0];
  if (Array.isArray(form)) return tensors;
  const names2 = Object.keys(form);
  return Object.fromEntries(names2.map((name, index2) => [name, tensors[index2]]));
}

// src/data/index.ts
var data_exports = {};
__export(data_exports, {
  batches: () => batches,
  gatherRows: () => gatherRows,
  labelledTexts: () => labelledTexts,
  parseCsv: () => parseCsv,
  parseJsonl: () => parseJsonl,
  parseTsv: () => parseTsv,
  readCsv: () => readCsv,
  readJsonl: () => readJsonl,
  readText: () => readText,
  readTsv: () => readTsv,
  trainTestSplit: () => trainTestSplit
});

// src/data/batches.ts
function batches(rows, { batchSize = 32, shuffle = true, seed: seed2 = 0, epoch = 0 } = {}) {
  checkWhole("batches: rows", rows, 0);
  checkWhole("batches: batchSize", batchSize, 1);
  checkWhole("batches: epoch", epoch, 0);
  const order2 = ascending(rows);
  if (shuffle) {
    const seeds = new Generator(seed2);
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
function trainTestSplit(rows, { testSize = 0.25, shuffle = true, seed: seed2 = 0 } = {}) {
  checkWhole("trainTestSplit: rows", rows, 0);
  const kept = rows - Math.round(rows * testSize);
  if (!(testSize > 0 && testSize < 1) || kept === 0 || kept === rows) {
    throw new ArgumentError(
      `trainTestSplit: testSize ${testSize} of ${rows} rows leaves nothing on one side`
    );
  }
  const order2 = ascending(rows);
  if (shuffle) new Generator(seed2).shuffle(order2);
  return { train: order2.subarray(0, kept), test: order2.subarray(kept) };
}
function ascending(rows) {
  return Int32Array.from({ length: rows }, (_, row) => row);
}

// src/data/tables.ts
import Papa from "papaparse";
function parseCsv(text, options = {}) {
  return parse(text, { delimiter: "," }, options);
}
function parseTsv(text, options = {}) {
  return parse(text, { delimiter: "	", fastMode: true }, options);
}
function plainLines(text) {
  const content = text.startsWith("\uFEFF") ? text.slice(1) : text;
  return content.replace(/\r\n?/g, "\n");
}
function parse(text, config, { name = "the table", header: header2 = false }) {
  const { data, errors } = Papa.parse(plainLines(text), { ...config, newline: "\n" });
  const fail = (row, reason) => {
    const line = data.slice(0, row).reduce((sum2, fields) => sum2 + linesOf(fields), 1);
    throw new DataError(`${name}: line ${line}${reason}`);
  };
  const [problem] = errors;
  if (problem) fail(problem.row ?? 0, `: ${problem.message}`);
  const numbered = data.map((fields, row) => ({ fields, row })).filter(({ fields }) => fields.length > 1 || fields[0] !== "");
  const [first] = numbered;
  if (!first) throw new DataError(`${name} is empty`);
  const width = first.fields.length;
  for (const { fields, row } of numbered) {
    if (fields.length === width) continue;
    fail(row, ` has ${fields.length} fields, the first line has ${width}`);
  }
  const rows = numbered.map(({ fields }) => fields);
  if (!header2) return { columns: void 0, rows };
  const columns = first.fields;
  const twice = columns.find((column, index2) => columns.indexOf(column) < index2);
  if (twice !== void 0) fail(first.row, ` names two columns "${twice}"`);
  if (rows.length === 1) throw new DataError(`${name} has a header and no rows`);
  return { columns, rows: rows.slice(1) };
}
function linesOf(fields) {
  return fields.join("").split("\n").length;
}
function parseJsonl(text, { name = "the lines" } = {}) {
  const values = plainLines(text).split("\n").flatMap((line, index2) => {
    if (line.trim() === "") return [];
    try {
      return [JSON.parse(line)];
    } catch (error) {
      throw new DataError(`${name}: line ${index2 + 1} is not JSON: ${reasonOf(error)}`, {
        cause: error
      });
    }
  });
  if (values.length === 0) throw new DataError(`${name} is empty`);
  return values;
}

// src/data/files.ts
async function readText(source) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await readBytes2(source));
  } catch (error) {
    throw new DataError(`${String(source)} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}
async function readBytes2(source) {
  const name = String(source);
  if (typeof location === "object" || /^(https?|blob|data):/.test(name)) {
    const response = await fetch(source);
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return response.arrayBuffer();
  }
  const { readFile } = await import("node:fs/promises");
  return readFile(name.startsWith("file:") ? new URL(name) : name);
}
async function readCsv(source, options = {}) {
  return parseCsv(await readText(source), { name: String(source), ...options });
}
async function readTsv(source, options = {}) {
  return parseTsv(await readText(source), { name: String(source), ...options });
}
async function readJsonl(source, options = {}) {
  return parseJsonl(await readText(source), { name: String(source), ...options });
}

// src/data/labels.ts
function labelledTexts({ columns, rows }, { text = 0, label = 1, classes, name = "the table" } = {}) {
  const columnOf = (column) => {
    const index2 = typeof column === "number" ? column : columns?.indexOf(column) ?? -1;
    if (rows[0]?.[index2] !== void 0) return index2;
    throw new DataError(
      `${name} has no column ${column}: there are ` + (columns?.join(", ") ?? `${rows[0]?.length ?? 0} without names`)
    );
  };
  const [from, to] = [columnOf(text), columnOf(label)];
  const known = classes ?? sortedLabels(new Set(rows.map((row) => row[to])));
  const numbers = new Map(known.map((value, index2) => [value, index2]));
  const labels = Int32Array.from(rows, (row, index2) => {
    const number = numbers.get(row[to]);
    if (number !== void 0) return number;
    throw new DataError(
      `${name}: row ${index2 + 1} has the label "${row[to]}", which is none of ${known.join(", ")}`
    );
  });
  return { texts: rows.map((row) => row[from]), labels, classes: known };
}
function sortedLabels(labels) {
  const sorted = [...labels].sort();
  const areNumbers = sorted.every((label) => /^-?\d+$/.test(label));
  return areNumbers ? sorted.sort((a, b) => Number(a) - Number(b)) : sorted;
}

// src/data/rows.ts
function gatherRows(table2, rows, into) {
  const [count2 = 0, ...inner] = table2.shape;
  const width = sizeOf(inner);
  const length = rows.length * width;
  const Made = table2.data.constructor;
  const buffer = into ?? new Made(length);
  if (!(buffer instanceof Made) || buffer.length < length) {
    throw new ArgumentError(
      `gatherRows: ${length} elements of ${Made.name} do not go into ${buffer.length} of ${buffer.constructor.name}`
    );
  }
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    if (!(Number.isInteger(row) && row >= 0 && row < count2)) {
      throw new ArgumentError(`gatherRows: row ${row} is none of ${count2}`);
    }
    buffer.set(table2.data.subarray(row * width, (row + 1) * width), i * width);
  }
  return { data: buffer.subarray(0, length), shape: [rows.length, ...inner] };
}

// src/io/index.ts
var io_exports = {};
__export(io_exports, {
  readSafetensors: () => readSafetensors,
  readSafetensorsMetadata: () => readSafetensorsMetadata,
  writeSafetensors: () => writeSafetensors
});

// src/io/halfFloats.ts
function fromFloat16(halves) {
  const bits = Uint32Array.from(halves, (half2) => {
    const sign2 = (half2 & 32768) << 16;
    const exponent = half2 >> 10 & 31;
    const fraction = half2 & 1023;
    if (exponent === 31) return sign2 | 2139095040 | fraction << 13;
    if (exponent > 0) return sign2 | exponent + 112 << 23 | fraction << 13;
    if (fraction === 0) return sign2;
    const top = 31 - Math.clz32(fraction);
    return sign2 | top + 103 << 23 | fraction << 23 - top & 8388607;
  });
  return new Float32Array(bits.buffer);
}
function fromBfloat16(halves) {
  return new Float32Array(Uint32Array.from(halves, (half2) => half2 << 16).buffer);
}

// src/io/jsonKeys.ts
function findDuplicateKey(text) {
  const open = [];
  let start = 0;
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    const sign2 = text[at];
    if (sign2 === '"') {
      start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
      end = at + 1;
    } else if (sign2 === ":") {
      const key = JSON.parse(text.slice(start, end));
      const keys2 = open.at(-1);
      if (keys2?.has(key)) return key;
      keys2?.add(key);
    } else if (sign2 === "{") open.push(/* @__PURE__ */ new Set());
    else if (sign2 === "[") open.push(void 0);
    else if (sign2 === "}" || sign2 === "]") open.pop();
  }
  return void 0;
}

// src/io/safetensors.ts
var names = {
  float32: "F32",
  float64: "F64",
  int32: "I32",
  bool: "BOOL"
};
var fileTypes = /* @__PURE__ */ new Map([
  ["F32", whole("float32")],
  ["F64", whole("float64")],
  ["I32", whole("int32")],
  ["BOOL", whole("bool")],
  ["F16", half(fromFloat16)],
  ["BF16", half(fromBfloat16)]
]);
function whole(dtype) {
  const { bytes, make } = dtypes[dtype];
  return { bytes, dtype, decode: (buffer) => new make(buffer) };
}
function half(widen) {
  return { bytes: 2, dtype: "float32", decode: (buffer) => widen(new Uint16Array(buffer)) };
}
var prefix = 8;
var maxHeader = 1e8;
var alignment3 = 8;
var metadataKey = "__metadata__";
function writeSafetensors(tensors, metadata) {
  let end = 0;
  const entries2 = [...tensors].map(([name, tensor2]) => {
    checkTensor(name, tensor2);
    const { dtype, shape, data } = tensor2;
    const start = end;
    end += data.byteLength;
    return [name, { dtype: names[dtype], shape, data_offsets: [start, end] }];
  });
  const fields = metadata ? [[metadataKey, metadata], ...entries2] : entries2;
  const header2 = new TextEncoder().encode(JSON.stringify(Object.fromEntries(fields)));
  const length = Math.ceil(header2.length / alignment3) * alignment3;
  if (length > maxHeader) {
    throw new ArgumentError(`writeSafetensors: names and shapes take ${length} bytes of header`);
  }
  const bytes = new Uint8Array(prefix + length + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.fill(32, prefix, prefix + length);
  bytes.set(header2, prefix);
  let at = prefix + length;
  for (const { data } of tensors.values()) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}
function checkTensor(name, { dtype, shape, data }) {
  const fail = (reason) => {
    throw new ArgumentError(`writeSafetensors: tensor "${name}" ${reason}`);
  };
  if (name === metadataKey) fail("has the one name that the format keeps for itself");
  if (!(data instanceof dtypes[dtype].make)) {
    fail(`is of dtype ${dtype}: its data must be a ${dtypes[dtype].make.name}`);
  }
  if (data.length !== sizeOf(shape)) {
    fail(`of shape ${formatShape(shape)} has ${data.length} elements, not ${sizeOf(shape)}`);
  }
}
function readSafetensors(bytes, name = "safetensors") {
  const fail = failing(name);
  const { entries: entries2, body } = splitFile(bytes, fail);
  const found = entries2.map(([key, entry]) => checkEntry(key, entry, fail)).sort((a, b) => a.start - b.start || a.end - b.end);
  let at = 0;
  for (const { key, start, end } of found) {
    if (start !== at) fail(`tensor "${cut(key)}" begins at byte ${start}, not ${at}`);
    at = end;
  }
  if (at !== body.length) fail(`its tensors end at byte ${at}, its data at ${body.length}`);
  return new Map(
    found.map(({ key, type, shape, start, end }) => {
      const data = type.decode(body.slice(start, end).buffer);
      if (type.dtype === "bool" && data.some((byte) => byte > 1)) {
        fail(`tensor "${cut(key)}" is of dtype BOOL and holds other bytes than 0 and 1`);
      }
      return [key, { dtype: type.dtype, shape, data }];
    })
  );
}
function readSafetensorsMetadata(bytes, name = "safetensors") {
  return splitFile(bytes, failing(name)).metadata;
}
function failing(name) {
  return (reason) => {
    throw new DataError(`${name} is no valid safetensors file: ${reason}`);
  };
}
function splitFile(bytes, fail) {
  if (bytes.length < prefix) fail(`${bytes.length} bytes hold no header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > maxHeader) fail(`its header of ${length} bytes is over the limit of ${maxHeader}`);
  if (prefix + length > bytes.length) fail(`its header of ${length} bytes is cut off`);
  const fields = Object.entries(parseHeader(bytes.subarray(prefix, prefix + length), fail));
  const about = fields.find(([key]) => key === metadataKey)?.[1];
  return {
    entries: fields.filter(([key]) => key !== metadataKey),
    metadata: about === void 0 ? {} : checkMetadata(about, fail),
    body: bytes.subarray(prefix + length)
  };
}
function checkMetadata(about, fail) {
  return isMetadata(about) ? about : fail(`its ${metadataKey} is no object of texts`);
}
function isMetadata(value) {
  return isObject(value) && Object.values(value).every((text) => typeof text === "string");
}
function parseHeader(bytes, fail) {
  if (bytes[0] !== 123) fail("its header does not begin with {");
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    fail("its header is not UTF-8");
  }
  let header2 = {};
  try {
    header2 = JSON.parse(text);
  } catch (error) {
    fail(`its header is not JSON: ${reasonOf(error)}`);
  }
  const twice = findDuplicateKey(text);
  if (twice !== void 0) fail(`its header names "${cut(twice)}" twice`);
  return header2;
}
function checkEntry(key, entry, fail) {
  const tensor2 = `tensor "${cut(key)}"`;
  if (!isObject(entry)) return fail(`${tensor2} is not described by an object`);
  const { dtype, shape, data_offsets: offsets } = entry;
  const type = typeof dtype === "string" ? fileTypes.get(dtype) : void 0;
  if (!type) {
    const read2 = [...fileTypes.keys()].join(", ");
    return fail(`${tensor2} is of dtype ${show(dtype)}; ${read2} can be read`);
  }
  const sizes = wholeNumbers(shape, `shape of ${tensor2}`, fail);
  const [start, end, ...more] = wholeNumbers(offsets, `data_offsets of ${tensor2}`, fail);
  if (start === void 0 || end === void 0 || more.length > 0 || end < start) {
    return fail(`the data_offsets of ${tensor2} are no begin and end`);
  }
  const bytes = sizeOf(sizes) * type.bytes;
  if (end - start !== bytes) {
    fail(`${tensor2} of shape ${formatShape(sizes)} has ${end - start} bytes, not ${bytes}`);
  }
  return { key, type, shape: sizes, start, end };
}
function wholeNumbers(list, what, fail) {
  if (!Array.isArray(list)) return fail(`the ${what} is no list`);
  return list.map((n) => {
    if (typeof n === "number" && Number.isSafeInteger(n) && n >= 0) return n;
    return fail(`the ${what} holds ${show(n)}, which is no size`);
  });
}
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function show(value) {
  return isObject(value) || Array.isArray(value) ? "a list or object" : cut(String(value));
}
function cut(text) {
  return text.length > 80 ? `${text.slice(0, 80)}\u2026` : text;
}

// src/metrics/index.ts
var metrics_exports = {};
__export(metrics_exports, {
  confusionMatrix: () => confusionMatrix
});

// src/metrics/confusionMatrix.ts
function confusionMatrix(labels, predictions, classes) {
  if (labels.length !== predictions.length) {
    throw new DataError(
      `confusionMatrix: ${labels.length} labels and ${predictions.length} predictions`
    );
  }
  const counts = Array.from({ length: classes }, () => new Array(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[labels[i]];
    if (row?.[predictions[i]] === void 0) {
      throw new DataError(
        `confusionMatrix: entry ${i} is class ${labels[i]} taken for ${predictions[i]}; there are ${classes} classes`
      );
    }
    row[predictions[i]]++;
  }
  return counts;
}

// src/train/nn.ts
var nn_exports = {};
__export(nn_exports, {
  Activation: () => Activation,
  AdaptiveAvgPool1d: () => AdaptiveAvgPool1d,
  AdaptiveAvgPool2d: () => AdaptiveAvgPool2d,
  AdaptiveMaxPool1d: () => AdaptiveMaxPool1d,
  AdaptiveMaxPool2d: () => AdaptiveMaxPool2d,
  AvgPool1d: () => AvgPool1d,
  AvgPool2d: () => AvgPool2d,
  BatchNorm: () => BatchNorm,
  BufferVariable: () => BufferVariable,
  Conv1d: () => Conv1d,
  Conv2d: () => Conv2d,
  ConvTranspose1d: () => ConvTranspose1d,
  ConvTranspose2d: () => ConvTranspose2d,
  Dropout: () => Dropout,
  Embedding: () => Embedding,
  Flatten: () => Flatten,
  GlobalAveragePooling1d: () => GlobalAveragePooling1d,
  GlobalAveragePooling2d: () => GlobalAveragePooling2d,
  GlobalMaxPooling1d: () => GlobalMaxPooling1d,
  GlobalMaxPooling2d: () => GlobalMaxPooling2d,
  LayerNorm: () => LayerNorm,
  Linear: () => Linear,
  MaxPool1d: () => MaxPool1d,
  MaxPool2d: () => MaxPool2d,
  Model: () => Model,
  Module: () => Module,
  MultiheadAttention: () => MultiheadAttention,
  Parameter: () => Parameter,
  Sequential: () => Sequential,
  TransformerEncoderLayer: () => TransformerEncoderLayer,
  activation: () => activation,
  adaptiveAvgPool1d: () => adaptiveAvgPool1d2,
  adaptiveAvgPool2d: () => adaptiveAvgPool2d2,
  adaptiveMaxPool1d: () => adaptiveMaxPool1d2,
  adaptiveMaxPool2d: () => adaptiveMaxPool2d2,
  avgPool1d: () => avgPool1d2,
  avgPool2d: () => avgPool2d2,
  batchNorm1d: () => batchNorm1d,
  batchNorm2d: () => batchNorm2d,
  checkSizes: () => checkSizes,
  conv1d: () => conv1d2,
  conv2d: () => conv2d2,
  convTranspose1d: () => convTranspose1d2,
  convTranspose2d: () => convTranspose2d2,
  dropout: () => dropout2,
  embedding: () => embedding2,
  flatten: () => flatten2,
  globalAveragePooling1d: () => globalAveragePooling1d,
  globalAveragePooling2d: () => globalAveragePooling2d,
  globalMaxPooling1d: () => globalMaxPooling1d,
  globalMaxPooling2d: () => globalMaxPooling2d,
  init: () => init_exports,
  layerNorm: () => layerNorm2,
  linear: () => linear,
  maxPool1d: () => maxPool1d2,
  maxPool2d: () => maxPool2d2,
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
function normal2(mean2 = 0, deviation = 1) {
  return (shape) => filled(shape, () => mean2 + deviation * hostGenerator().normal());
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
  constructor(data, shape, dtype = "float32") {
    super(data, shape, dtype, { requiresGrad: true });
  }
};
var BufferVariable = class extends Variable {
  constructor(data, shape, dtype = "float32") {
    super(data, shape, dtype);
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
        (entry, index2) => entry instanceof _Module ? [[`${name}.${index2}`, entry]] : []
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
      const prefix2 = snakeCase(name);
      for (const [path, variable] of child.namedVariables()) {
        found.set(`${prefix2}.${path}`, variable);
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
      const list = (names2) => names2.join(", ") || "none";
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
function checkSizes(layer, sizes) {
  for (const [name, size] of Object.entries(sizes)) checkWhole(`${layer}: ${name}`, size, 1);
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
    const table2 = (rows) => {
      const shape = [rows, embeddingDim];
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
    const rows = embedding(x, this.weight, maskZero ? { paddingIndex: 0 } : {});
    const mask = maskZero ? ne(x, 0) : void 0;
    if (!this.position) return { x: rows, mask };
    const length = x.shape.at(-1) ?? 1;
    if (length > positions) {
      throw new ShapeError(
        `embedding: ${formatShape(x.shape)} is longer than the ${positions} positions learned`
      );
    }
    return { x: add(rows, slice(this.position, [[0, length]])), mask };
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
    const total2 = sum(mul(x, unsqueeze(real, -1)), { axis: 1 });
    const count2 = maximum(sum(real, { axis: 1, keepDims: true }), 1);
    return { x: div(total2, count2) };
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

// src/nn/convolution.ts
var defaults = {
  stride: 1,
  dilation: 1,
  groups: 1,
  bias: true,
  activation: "linear",
  padding: 0
};
var ConvolutionLayer = class extends Module {
  constructor(layer, options, weightShape2) {
    super();
    this.options = options;
    const { inChannels, outChannels, groups, activation: activation2, padding } = options;
    checkSizes(layer, { inChannels, outChannels, groups });
    checkActivation(layer, activation2);
    for (const name of ["kernelSize", "stride", "dilation"]) {
      pairOf(`${layer}: ${name}`, options[name], 1);
    }
    if (typeof padding === "string") checkKnown(`${layer}: padding`, padding, ["same", "valid"]);
    else pairOf(`${layer}: padding`, padding, 0);
    if (inChannels % groups !== 0 || outChannels % groups !== 0) {
      throw new ArgumentError(
        `${layer}: ${inChannels} and ${outChannels} channels cannot be cut into ${groups} groups`
      );
    }
    const shape = weightShape2([inChannels / groups, outChannels / groups]);
    const bound = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    const parameter = (of) => new Parameter(uniform2(-bound, bound)(of), of);
    this.weight = parameter(shape);
    this.bias = options.bias ? parameter([outChannels]) : void 0;
  }
  options;
  weight;
  bias;
  run({ x }) {
    return activate(this.options.activation, this.convolve(x), void 0);
  }
  config() {
    return this.options;
  }
};
var Conv1d = class extends ConvolutionLayer {
  type = "conv1d";
  constructor(options) {
    const all = { ...defaults, ...options };
    super("conv1d", all, ([inputs]) => [all.outChannels, inputs, all.kernelSize]);
  }
  convolve(x) {
    const { stride, padding, dilation, groups } = this.options;
    return conv1d(x, this.weight, { bias: this.bias, stride, padding, dilation, groups });
  }
};
var Conv2d = class extends ConvolutionLayer {
  type = "conv2d";
  constructor(options) {
    const all = { ...defaults, ...options };
    const kernel = pairOf("conv2d: kernelSize", all.kernelSize, 1);
    super("conv2d", all, ([inputs]) => [all.outChannels, inputs, ...kernel]);
  }
  convolve(x) {
    const { stride, padding, dilation, groups } = this.options;
    return conv2d(x, this.weight, { bias: this.bias, stride, padding, dilation, groups });
  }
};
var ConvTranspose1d = class extends ConvolutionLayer {
  type = "convTranspose1d";
  constructor(options) {
    const all = { ...defaults, outputPadding: 0, ...options };
    pairOf("convTranspose1d: outputPadding", all.outputPadding, 0);
    super("convTranspose1d", all, ([, outputs]) => [all.inChannels, outputs, all.kernelSize]);
  }
  convolve(x) {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose1d(x, this.weight, { bias: this.bias, ...options });
  }
};
var ConvTranspose2d = class extends ConvolutionLayer {
  type = "convTranspose2d";
  constructor(options) {
    const all = { ...defaults, outputPadding: 0, ...options };
    pairOf("convTranspose2d: outputPadding", all.outputPadding, 0);
    const kernel = pairOf("convTranspose2d: kernelSize", all.kernelSize, 1);
    super("convTranspose2d", all, ([, outputs]) => [all.inChannels, outputs, ...kernel]);
  }
  convolve(x) {
    const { stride, padding, outputPadding, dilation, groups } = this.options;
    const options = { stride, padding, outputPadding, dilation, groups };
    return convTranspose2d(x, this.weight, { bias: this.bias, ...options });
  }
};

// src/nn/pooling.ts
var Pool = class extends Module {
  constructor(layer, options) {
    super();
    this.options = options;
    const { padding = 0, kernelSize, stride, dilation, outputSize } = options;
    pairOf(`${layer}: padding`, padding, 0);
    for (const [name, size] of Object.entries({ kernelSize, stride, dilation, outputSize })) {
      if (size !== void 0) pairOf(`${layer}: ${name}`, size, 1);
    }
  }
  options;
  run({ x }) {
    return { x: this.pool(x) };
  }
  config() {
    return this.options;
  }
};
var MaxPool1d = class extends Pool {
  type = "maxPool1d";
  constructor(options) {
    super("maxPool1d", options);
  }
  pool(x) {
    return maxPool1d(x, this.options.kernelSize, this.options);
  }
};
var MaxPool2d = class extends Pool {
  type = "maxPool2d";
  constructor(options) {
    super("maxPool2d", options);
  }
  pool(x) {
    return maxPool2d(x, this.options.kernelSize, this.options);
  }
};
var AvgPool1d = class extends Pool {
  type = "avgPool1d";
  constructor(options) {
    super("avgPool1d", options);
  }
  pool(x) {
    return avgPool1d(x, this.options.kernelSize, this.options);
  }
};
var AvgPool2d = class extends Pool {
  type = "avgPool2d";
  constructor(options) {
    super("avgPool2d", options);
  }
  pool(x) {
    return avgPool2d(x, this.options.kernelSize, this.options);
  }
};
var AdaptiveAvgPool1d = class extends Pool {
  type = "adaptiveAvgPool1d";
  constructor(options) {
    super("adaptiveAvgPool1d", options);
  }
  pool(x) {
    return adaptiveAvgPool1d(x, this.options.outputSize);
  }
};
var AdaptiveAvgPool2d = class extends Pool {
  type = "adaptiveAvgPool2d";
  constructor(options) {
    super("adaptiveAvgPool2d", options);
  }
  pool(x) {
    return adaptiveAvgPool2d(x, this.options.outputSize);
  }
};
var AdaptiveMaxPool1d = class extends Pool {
  type = "adaptiveMaxPool1d";
  constructor(options) {
    super("adaptiveMaxPool1d", options);
  }
  pool(x) {
    return adaptiveMaxPool1d(x, this.options.outputSize);
  }
};
var AdaptiveMaxPool2d = class extends Pool {
  type = "adaptiveMaxPool2d";
  constructor(options) {
    super("adaptiveMaxPool2d", options);
  }
  pool(x) {
    return adaptiveMaxPool2d(x, this.options.outputSize);
  }
};
var GlobalAveragePooling2d = class extends Module {
  type = "globalAveragePooling2d";
  run({ x }) {
    checkAxes("globalAveragePooling2d", x, imageAxes);
    return { x: mean(x, { axis: [2, 3] }) };
  }
  config() {
    return {};
  }
};
var GlobalMaxPooling2d = class extends Module {
  type = "globalMaxPooling2d";
  run({ x }) {
    checkAxes("globalMaxPooling2d", x, imageAxes);
    return { x: max(x, { axis: [2, 3] }) };
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
  constructor({ modelDim, heads, dropout: dropout3 = 0, causal = false }) {
    super();
    checkSizes("multiheadAttention", { modelDim, heads });
    checkProbability("multiheadAttention", dropout3);
    if (modelDim % heads !== 0) {
      throw new ArgumentError(
        `multiheadAttention: modelDim ${modelDim} does not divide into ${heads} heads`
      );
    }
    this.options = { modelDim, heads, dropout: dropout3, causal };
    const square2 = [modelDim, modelDim];
    const projections = [0, 1, 2].map(() => xavierUniform(square2));
    const weights = new Float32Array(3 * modelDim * modelDim);
    projections.forEach((part, index2) => weights.set(part, index2 * part.length));
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
    const k = this.heads(memory, 1);
    const v = this.heads(memory, 2);
    const attended = scaledDotProductAttention(q, k, v, {
      ...mask && { mask },
      causal,
      dropout: this.training ? dropout3 : 0
    });
    return this.outProj.forward(reshape(permute(attended, [0, 2, 1, 3]), query.shape));
  }
  /** Projection `part` of `x`, `[batch, heads, length, dim]`. */
  heads(x, part) {
    const { modelDim, heads } = this.options;
    const rows = [part * modelDim, (part + 1) * modelDim];
    const weight = slice(this.inProjWeight, [rows]);
    const projected = add(matmul(x, transpose(weight)), slice(this.inProjBias, [rows]));
    const [batch, length] = x.shape;
    const split2 = reshape(projected, [batch, length, heads, modelDim / heads]);
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
    heads,
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
      heads,
      feedForwardDim,
      dropout: dropout3,
      attentionDropout,
      activation: activation2,
      normFirst,
      causal,
      eps
    };
    this.selfAttn = new MultiheadAttention({ modelDim, heads, dropout: attentionDropout, causal });
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
  conv1d: (options) => new Conv1d(options),
  conv2d: (options) => new Conv2d(options),
  convTranspose1d: (options) => new ConvTranspose1d(options),
  convTranspose2d: (options) => new ConvTranspose2d(options),
  maxPool1d: (options) => new MaxPool1d(options),
  avgPool1d: (options) => new AvgPool1d(options),
  adaptiveAvgPool1d: (options) => new AdaptiveAvgPool1d(options),
  adaptiveMaxPool1d: (options) => new AdaptiveMaxPool1d(options),
  maxPool2d: (options) => new MaxPool2d(options),
  avgPool2d: (options) => new AvgPool2d(options),
  adaptiveAvgPool2d: (options) => new AdaptiveAvgPool2d(options),
  adaptiveMaxPool2d: (options) => new AdaptiveMaxPool2d(options),
  globalAveragePooling2d: () => new GlobalAveragePooling2d(),
  globalMaxPooling2d: () => new GlobalMaxPooling2d(),
  multiheadAttention: (options) => new MultiheadAttention(options),
  transformerEncoderLayer: (options) => new TransformerEncoderLayer(options)
};
function describeLayer(layer) {
  return { type: layer.type, options: layer.config() };
}
function buildLayer({ type, options }) {
  const build2 = Object.hasOwn(builders, type) ? builders[type] : void 0;
  if (!build2) {
    const known = Object.keys(builders).join(", ");
    throw new DataError(`the model has a layer of type "${type}"; known are ${known}`);
  }
  return build2(options);
}

// src/metrics/metrics.ts
var threshold = 0.5;
var entryMetrics = {
  accuracy: ({ x }, target) => {
    const classes = x.shape.at(-1);
    if (classes === 1 || sameShape(x.shape, target.shape) === false) {
      const predicted = classes === 1 ? cast(ge(x, threshold), "int32") : argMax(x);
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
  infer: (operands2, { momentum }) => {
    checkUpdate("sgdUpdate", operands2.slice(0, momentum ? 3 : 2));
    return momentum ? [operands2[0], operands2[2]] : operands2[0];
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
  signature: (parameter, gradient, m, v, hyper, scale) => ({
    operands: [parameter, gradient, m, v, hyper, ...scale ? [scale] : []],
    attributes: { scaled: !!scale }
  }),
  infer: (operands2) => {
    checkUpdate("adamUpdate", operands2.slice(0, 4));
    return [operands2[0], operands2[2], operands2[3]];
  },
  inPlace: [
    [0, 0],
    [1, 2],
    [2, 3]
  ],
  kernel: (emitter, attributes) => {
    const [p, g, m, v, hyper] = [0, 1, 2, 3, 4].map((index2) => emitter.dense(index2));
    const scale = scaleOf(emitter, attributes);
    const [out, mOut, vOut] = [0, 1, 2].map((index2) => emitter.output(index2));
    emitter.call("adam", ...head(emitter), p, g, m, v, hyper, scale, out, mOut, vOut);
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
      const length = this.hyper(1).length;
      const provide = () => Float64Array.from(this.hyper(++this.steps));
      const undo = () => {
        this.steps--;
      };
      const hyper = dynamic({ provide, undo }, [length], "float64");
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
  loadStateDict({ steps, variables }) {
    if (!Number.isSafeInteger(steps) || steps < 0) {
      throw new DataError(`optimizer: ${steps} saved steps are no whole number \u2265 0`);
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
    this.steps = steps;
  }
  /** A variable of zeros for each parameter. */
  zeros() {
    const made = /* @__PURE__ */ new Map();
    for (const parameter of this.parameters) {
      const { shape, dtype } = parameter;
      const data = new dtypes[dtype].make(sizeOf(shape));
      made.set(parameter, new Variable(data, shape, dtype, { overwrite: true }));
    }
    return made;
  }
  /** Names for state: `m.0`, `m.1`, … in the order of the parameters. */
  named(kind, variables) {
    return this.parameters.map((parameter, index2) => [
      `${kind}.${index2}`,
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
    moved.forEach((parameter, index2) => {
      parameter.grad = mul(gradients2[index2], cast(scale, parameter.dtype));
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
    betas.forEach((beta, index2) => checkNumber(`betas[${index2}]`, beta, 0, 1));
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
    const m = this.m.get(parameter);
    const v = this.v.get(parameter);
    const [next, nextM, nextV] = adamUpdate.all(parameter, gradient, m, v, hyper, scale);
    parameter.assign(next);
    m.assign(nextM);
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
  constructor(names2) {
    this.names = names2;
    this.totals = names2.map(() => 0);
  }
  names;
  count = 0;
  totals;
  /** Adds a batch's sums. */
  add([count2, ...totals]) {
    this.count += count2;
    totals.forEach((total2, index2) => this.totals[index2] += total2);
  }
  /** The means so far, each name behind `prefix`. */
  report(prefix2 = "") {
    return Object.fromEntries(
      this.names.map((name, index2) => {
        const key = prefix2 ? prefix2 + name[0].toUpperCase() + name.slice(1) : name;
        return [key, this.totals[index2] / this.count];
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
  const { numbers, shape } = flattenNested(name, input);
  const labels = whole2 === "int32" && numbers.every(Number.isInteger);
  return { data: labels ? Int32Array.from(numbers) : Float32Array.from(numbers), shape };
}
function sliceRows({ data, shape }, start, end) {
  const width = sizeOf(shape.slice(1));
  return {
    data: data.subarray(start * width, end * width),
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
function tensorOf({ data, shape }) {
  return tensor(data, { shape });
}
async function runStep(step, tables) {
  const inputs = tables.filter((table2) => table2 !== void 0).map(tensorOf);
  try {
    const sums = await step(...inputs);
    const values = await sums.data();
    sums.dispose();
    return values;
  } finally {
    for (const input of inputs) input.dispose();
  }
}
async function averagesOf(step, names2, [x, ...others], batchSize) {
  const averages = new Averages(names2);
  const rows = x.shape[0];
  for (let start = 0; start < rows; start += batchSize) {
    const end = Math.min(rows, start + batchSize);
    const batch = [x, ...others].map((table2) => table2 && sliceRows(table2, start, end));
    averages.add(await runStep(step, batch));
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
  const rows = table2.shape[0];
  const parts = [];
  let inner = [];
  for (let start = 0; start < rows; start += batchSize) {
    const input = tensorOf(sliceRows(table2, start, Math.min(rows, start + batchSize)));
    const output = await step(input);
    parts.push(await output.data());
    inner = output.shape.slice(1);
    input.dispose();
    output.dispose();
  }
  return joined(parts, [rows, ...inner]);
}
function joined(parts, shape) {
  const { constructor } = parts[0];
  const data = new constructor(sizeOf(shape));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return tensor(data, { shape });
}

// src/train/diagnose.ts
async function nonFiniteLoss(model, x, where2) {
  const at = `epoch ${where2.epoch + 1}, step ${where2.step + 1}`;
  const culprit = await firstNonFinite(model, x);
  return new NonFiniteError(
    `fit: the loss is not finite at ${at}: ${culprit}. The step was not applied; lower the learning rate, clip gradients (clipNorm) or check the data`
  );
}
async function firstNonFinite(model, x) {
  for (const [path, variable] of model.namedVariables()) {
    if (await countNonFinite(variable) > 0) return `${path} holds values that are not finite`;
  }
  const names2 = new Map(modulePaths(model));
  const outputs = [];
  const watch = (module, output) => {
    const name = `${names2.get(module) ?? ""} (${module.type})`.trim();
    outputs.push({ name, bad: nonFinite(output.x) });
  };
  noGrad(() => inMode("inference", model, () => watching(watch, () => model.apply({ x }))));
  for (const { name, bad: bad2 } of outputs) {
    if (await bad2.item() > 0)
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
function modulePaths(model, prefix2 = "") {
  return model.children().flatMap(([name, child]) => {
    const path = prefix2 ? `${prefix2}.${name}` : name;
    return [[child, path], ...modulePaths(child, path)];
  });
}

// src/train/progressBar.ts
var barWidth = 20;
var redrawInterval = 50;
function formatDuration(seconds) {
  const whole2 = Math.max(0, Math.ceil(seconds));
  if (whole2 < 60) return `${whole2}s`;
  const two = (n) => String(n).padStart(2, "0");
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
function formatBar(step, steps, elapsed, report) {
  const filled2 = Math.floor(barWidth * step / steps);
  const bar = "\u2501".repeat(filled2) + "\u254C".repeat(barWidth - filled2);
  const perStep = elapsed / step;
  const left = formatDuration((steps - step) * perStep / 1e3);
  const count2 = `${String(step).padStart(String(steps).length)}/${steps}`;
  return `${count2} ${bar} ETA ${left} ${formatStep(perStep)} - ${formatReport(report)}`;
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
    const { steps, epochs } = this.options;
    const elapsed = this.trained - this.started;
    const times = `${formatDuration(elapsed / 1e3)} ${formatStep(elapsed / steps)}`;
    const line = `${steps}/${steps} - ${times} - ${formatReport(report)}`;
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
  const { batchSize = defaultBatchSize, epochs = 1, shuffle = true, seed: seed2 = 0 } = options;
  const setup = model.setup("fit");
  checkWhole("fit: batchSize", batchSize, 1);
  checkWhole("fit: epochs", epochs, 1);
  const { rows, validation } = splitRows(x, y, options);
  const count2 = rows[0].shape[0];
  const steps = Math.ceil(count2 / batchSize);
  const history = new History();
  const bar = new ProgressBar({
    epochs,
    steps,
    verbose: options.verbose ?? 1,
    ...options.progress && { stream: options.progress }
  });
  const first = Int32Array.from({ length: Math.min(batchSize, count2) }, (_, row) => row);
  const buffers = rows.map((table2) => table2 && gatherRows(table2, first).data);
  const callbacks = options.callbacks ?? [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    const averages = new Averages(setup.names);
    bar.startEpoch(epoch);
    let step = 0;
    for (const chosen of batches(count2, { batchSize, shuffle, seed: seed2, epoch })) {
      const batch = rows.map((table2, i) => table2 && gatherRows(table2, chosen, buffers[i]));
      const sums = await runStep(setup.train, batch);
      if (!Number.isFinite(sums[1])) {
        setup.optimizer.steps--;
        throw await nonFiniteLoss(model, tensorOf(batch[0]), { epoch, step });
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
  const rows = rowsOf(x, y, sampleWeight, "");
  if (validationData) {
    return { rows, validation: rowsOf(...validationData, void 0, "validation ") };
  }
  if (validationSplit === 0) return { rows, validation: void 0 };
  const count2 = rows[0].shape[0];
  const kept = Math.floor(count2 * (1 - validationSplit));
  if (!(validationSplit > 0 && validationSplit < 1) || kept === 0 || kept === count2) {
    throw new ArgumentError(
      `fit: validationSplit ${validationSplit} of ${count2} rows leaves nothing on one side`
    );
  }
  const cut2 = (start, end) => {
    const [inputs, targets, weights] = rows;
    const part = (table2) => sliceRows(table2, start, end);
    return [part(inputs), part(targets), weights && part(weights)];
  };
  return { rows: cut2(0, kept), validation: cut2(kept, count2) };
}
function rowsOf(x, y, weight, prefix2) {
  const inputs = tableOf(`${prefix2}x`, x, "float32");
  const targets = tableOf(`${prefix2}y`, y, "int32");
  const weights = weight && tableOf(`${prefix2}sampleWeight`, weight, "float32");
  checkSameRows(inputs, { [`${prefix2}y`]: targets, sampleWeight: weights });
  return [inputs, targets, weights];
}

// src/train/losses.ts
function meanSquaredError(prediction, target) {
  return mean(square(difference("meanSquaredError", prediction, target)));
}
function halfSquaredError(prediction, target) {
  return mul(sum(square(difference("halfSquaredError", prediction, target))), 0.5);
}
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
function perEntry(losses, entries2) {
  const inner = losses.rank - entries2.length;
  if (inner <= 0) return losses;
  const axes = Array.from({ length: inner }, (_, axis) => entries2.length + axis);
  return mean(losses, { axis: axes });
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
    const rows = sameShape(target.shape, x.shape) ? cast(target, x.dtype) : target;
    return crossEntropy(logits.tensor, rows, { reduction: "none" });
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
    const losses = logits?.activation === "sigmoid" ? binaryCrossEntropyWithLogits(logits.tensor, fitted) : binaryCrossEntropy(x, fitted);
    return perEntry(losses, x.shape.slice(0, 1));
  }
};
function entryLoss(name) {
  checkKnown("compile: loss", name, [...Object.keys(entryLosses), "mse"]);
  return entryLosses[name === "mse" ? "meanSquaredError" : name];
}
function totalOf(losses, mask, weights) {
  const masked = mask && sameShape(mask.shape, losses.shape);
  const real = masked ? cast(mask, losses.dtype) : void 0;
  const weight = weights && cast(weights, losses.dtype);
  const both = real && weight ? mul(real, weight) : real ?? weight;
  if (!both) return { total: sum(losses), count: full([], losses.size, losses.dtype) };
  return { total: sum(mul(losses, both)), count: sum(both) };
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
  const { total: total2, count: count2 } = totalOf(entryLoss2(output, target), mask, weights);
  const counted = noGrad(
    () => [...metrics.values()].map((metric) => totalOf(metric(output, target), mask, weights).total)
  );
  const sums = noGrad(
    () => stack([count2, total2, ...counted].map((sum2) => cast(sum2.detach(), "float32")))
  );
  return { sums, loss: div(total2, count2) };
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
  const rows = model.children().map(([name, child]) => {
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
    ...table(["Layer (type)", "Output shape", "Parameters"], rows),
    `Parameters: ${total(all)} (${(bytes / 2 ** 20).toFixed(2)} MB), trained: ${total(trained)}`
  ].join("\n");
}
function total(parameters) {
  return parameters.reduce((sum2, { shape }) => sum2 + sizeOf(shape), 0).toLocaleString("en");
}
function countOf(module) {
  return module.parameters().reduce((sum2, { size }) => sum2 + size, 0);
}
function table(head2, rows) {
  const cells = [
    head2,
    ...rows.map(({ name, shape, parameters }) => [name, shape, parameters.toLocaleString("en")])
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
  summary(inputShape2, { dtype = "float32" } = {}) {
    return summarize(this, { shape: inputShape2, dtype });
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
    return this.layers.map((layer, index2) => [String(index2), layer]);
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
function conv1d2(inChannels, outChannels, kernelSize, options = {}) {
  return new Conv1d({ inChannels, outChannels, kernelSize, ...options });
}
function conv2d2(inChannels, outChannels, kernelSize, options = {}) {
  return new Conv2d({ inChannels, outChannels, kernelSize, ...options });
}
function convTranspose1d2(inChannels, outChannels, kernelSize, options = {}) {
  return new ConvTranspose1d({ inChannels, outChannels, kernelSize, ...options });
}
function convTranspose2d2(inChannels, outChannels, kernelSize, options = {}) {
  return new ConvTranspose2d({ inChannels, outChannels, kernelSize, ...options });
}
function maxPool1d2(kernelSize, options = {}) {
  return new MaxPool1d({ kernelSize, ...options });
}
function maxPool2d2(kernelSize, options = {}) {
  return new MaxPool2d({ kernelSize, ...options });
}
function avgPool1d2(kernelSize, options = {}) {
  return new AvgPool1d({ kernelSize, ...options });
}
function avgPool2d2(kernelSize, options = {}) {
  return new AvgPool2d({ kernelSize, ...options });
}
function adaptiveMaxPool1d2(outputSize) {
  return new AdaptiveMaxPool1d({ outputSize });
}
function adaptiveMaxPool2d2(outputSize) {
  return new AdaptiveMaxPool2d({ outputSize });
}
function adaptiveAvgPool1d2(outputSize) {
  return new AdaptiveAvgPool1d({ outputSize });
}
function adaptiveAvgPool2d2(outputSize) {
  return new AdaptiveAvgPool2d({ outputSize });
}
function globalAveragePooling2d() {
  return new GlobalAveragePooling2d();
}
function globalMaxPooling2d() {
  return new GlobalMaxPooling2d();
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

// src/text/index.ts
var text_exports = {};
__export(text_exports, {
  paddingId: () => paddingId,
  unknownId: () => unknownId,
  vectorizer: () => vectorizer,
  vectorizerFromJSON: () => vectorizerFromJSON
});

// src/text/tokens.ts
var words = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]/gu;
var boundary = "\u2402";
function tokensOf(text, { split: split2, ngrams, lowercase }) {
  const normal3 = text.normalize("NFC");
  const plain = lowercase ? normal3.toLowerCase() : normal3;
  if (split2 === "words") return plain.match(words) ?? [];
  if (split2 === "characters") return Array.from(plain);
  return runsOf(boundary + plain + boundary, ngrams);
}
function runsOf(text, [from, to]) {
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1) + character.length);
  const runs = [];
  for (let at = 0; at + from < starts.length; at++) {
    const longest = Math.min(to, starts.length - 1 - at);
    for (let length = from; length <= longest; length++) {
      runs.push(text.slice(starts[at], starts[at + length]));
    }
  }
  return runs;
}

// src/text/vectorizer.ts
var paddingId = 0;
var unknownId = 1;
var reserved = 2;
function vectorizer(options) {
  return build(settingsOf(options), void 0);
}
function vectorizerFromJSON(data) {
  const { options, vocabulary } = data;
  if (typeof options !== "object" || options === null) {
    throw new DataError("vectorizer: the saved one has no options");
  }
  if (!Array.isArray(vocabulary) || vocabulary.some((token) => typeof token !== "string")) {
    throw new DataError("vectorizer: the saved vocabulary is not a list of tokens");
  }
  if (new Set(vocabulary).size < vocabulary.length) {
    throw new DataError("vectorizer: the saved vocabulary has a token twice");
  }
  const settings = savedSettings(options);
  if (vocabulary.length > settings.maxTokens - reserved) {
    throw new DataError(
      `vectorizer: ${vocabulary.length} tokens are saved, maxTokens is ${settings.maxTokens}`
    );
  }
  return build(settings, vocabulary);
}
function savedSettings(options) {
  try {
    return settingsOf(options);
  } catch (error) {
    throw new DataError(`saved ${reasonOf(error)}`, { cause: error });
  }
}
function settingsOf({
  maxTokens = 1e4,
  maxLength,
  split: split2 = "words",
  ngrams = 3,
  lowercase = true
}) {
  checkWhole("vectorizer: maxTokens", maxTokens, reserved + 1);
  checkWhole("vectorizer: maxLength", maxLength, 1);
  const [from, to] = typeof ngrams === "number" ? [ngrams, ngrams] : ngrams;
  checkWhole("vectorizer: ngrams from", from, 1);
  checkWhole("vectorizer: ngrams to", to, from);
  checkKnown("vectorizer: split", split2, ["words", "characters", "ngrams"]);
  return { maxTokens, maxLength, split: split2, ngrams: [from, to], lowercase };
}
function build(options, known) {
  let vocabulary = known;
  let ids = idsOf(known ?? []);
  const learned = () => {
    if (vocabulary) return vocabulary;
    throw new StateError("vectorizer: call adapt(texts) first");
  };
  const vectorize = (texts) => {
    learned();
    checkTexts(texts);
    const { maxLength } = options;
    const batch = new Int32Array(texts.length * maxLength).fill(paddingId);
    texts.forEach((text, row) => {
      const tokens = tokensOf(text, options);
      const length = Math.min(tokens.length, maxLength);
      for (let at = 0; at < length; at++) {
        batch[row * maxLength + at] = ids.get(tokens[at]) ?? unknownId;
      }
    });
    return { ids: batch, shape: [texts.length, maxLength] };
  };
  const made = Object.assign(vectorize, {
    adapt(texts) {
      checkTexts(texts);
      vocabulary = mostFrequent(texts, options);
      ids = idsOf(vocabulary);
      return made;
    },
    tokens: (text) => tokensOf(text, options),
    options,
    toJSON: () => ({ options, vocabulary: learned() }),
    vocabulary: []
  });
  return Object.defineProperty(made, "vocabulary", { get: learned });
}
function checkTexts(texts) {
  const wrong = Array.isArray(texts) ? texts.findIndex((text) => typeof text !== "string") : 0;
  if (wrong === -1) return;
  throw new ArgumentError(
    Array.isArray(texts) ? `vectorizer: text ${wrong} is of type ${typeof texts[wrong]}, not a string` : `vectorizer: expected a list of texts, met ${typeof texts}: [text] is a list of one`
  );
}
function idsOf(vocabulary) {
  return new Map(vocabulary.map((token, index2) => [token, index2 + reserved]));
}
function mostFrequent(texts, options) {
  const counts = /* @__PURE__ */ new Map();
  for (const text of texts) {
    for (const token of tokensOf(text, options)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  if (counts.size === 0) throw new DataError("vectorizer: adapt needs texts with tokens in them");
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, options.maxTokens - reserved).map(([token]) => token);
}

// src/io/atomicFile.ts
async function makeFolder(folder) {
  const { mkdir } = await import("node:fs/promises");
  const path = await import("node:path");
  const first = await mkdir(folder, { recursive: true });
  if (first === void 0) return;
  for (let made = path.resolve(folder); ; made = path.dirname(made)) {
    await syncFolder(path.dirname(made));
    if (made.length <= first.length) return;
  }
}
async function writeAtomically(folder, name, bytes) {
  const { open, rename, rm } = await import("node:fs/promises");
  const path = await import("node:path");
  const temporary = path.join(folder, `.${name}.${crypto.randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "w");
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path.join(folder, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(folder);
}
async function syncFolder(folder) {
  if (process.platform === "win32") return;
  const { open } = await import("node:fs/promises");
  const directory = await open(folder, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

// src/io/modelFiles.ts
var index = "model.json";
var nameDigits = 16;
var ownName = /^\w+-[0-9a-f]{16}\.safetensors$|^\.(model\.json|\w+-[0-9a-f]{16}\.\w+)\..*\.tmp$/;
async function sha256(bytes) {
  const subtle = crypto.subtle;
  if (!subtle) throw new StateError("sha256: the page needs a secure context (HTTPS or localhost)");
  const digest = new Uint8Array(await subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
var saves = /* @__PURE__ */ new Map();
async function writeModelFiles(folder, files) {
  const path = await import("node:path");
  const place = path.resolve(folder);
  const earlier = saves.get(place) ?? Promise.resolve();
  const save = earlier.catch(() => void 0).then(() => saveFiles(place, files));
  saves.set(place, save);
  try {
    await save;
  } catch (error) {
    throw new DataError(`${folder} cannot be written: ${reasonOf(error)}`, { cause: error });
  } finally {
    if (saves.get(place) === save) saves.delete(place);
  }
}
async function saveFiles(folder, { description, data }) {
  await makeFolder(folder);
  const records = {};
  for (const [kind, bytes] of data) {
    const digest = await sha256(bytes);
    const name = `${kind}-${digest.slice(0, nameDigits)}.safetensors`;
    await writeAtomically(folder, name, bytes);
    records[kind] = { name, bytes: bytes.length, sha256: digest };
  }
  const whole2 = { ...description, files: records };
  const text = JSON.stringify({ ...whole2, checksum: await checksumOf(whole2) }, void 0, 2);
  await writeAtomically(folder, index, new TextEncoder().encode(`${text}
`));
  await removeReplaced(folder, new Set(Object.values(records).map(({ name }) => name)));
}
async function removeReplaced(folder, kept) {
  const { readdir, rm } = await import("node:fs/promises");
  const path = await import("node:path");
  for (const name of await readdir(folder)) {
    if (!ownName.test(name) || kept.has(name)) continue;
    await rm(path.join(folder, name), { force: true }).catch(() => void 0);
  }
}
async function readModelFiles(folder) {
  const path = await import("node:path");
  const place = path.join(folder, index);
  const read2 = async () => new TextDecoder().decode(await readBytes3(place));
  for (let text = await read2(); ; ) {
    try {
      return await readListed(folder, await parseIndex(place, text));
    } catch (error) {
      const now = await read2();
      if (now === text) throw error;
      text = now;
    }
  }
}
async function parseIndex(place, text) {
  const fail = (reason) => {
    throw new DataError(`${place} ${reason}`);
  };
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    fail(`is not JSON: ${reasonOf(error)}`);
  }
  if (typeof parsed !== "object" || parsed === null || !("checksum" in parsed)) {
    return fail("does not describe a saved model");
  }
  const { checksum, ...description } = parsed;
  if (checksum !== await checksumOf(description)) {
    fail("is corrupt: its checksum is not the one that was saved");
  }
  const files = "files" in description ? description.files : void 0;
  if (typeof files !== "object" || files === null) return fail("does not list a model's files");
  return {
    description,
    files: Object.entries(files).map(
      ([kind, file]) => isFileRecord(file) ? [kind, file] : fail(`has no name, size and checksum of the ${kind}`)
    )
  };
}
function checksumOf(description) {
  return sha256(new TextEncoder().encode(JSON.stringify(description)));
}
function isFileRecord(file) {
  if (typeof file !== "object" || file === null) return false;
  const { name, bytes, sha256: digest } = file;
  return (
    // A name is a name, not a way out of the folder.
    typeof name === "string" && /^[\w-]+\.safetensors$/.test(name) && typeof bytes === "number" && typeof digest === "string"
  );
}
async function readListed(folder, { description, files }) {
  const path = await import("node:path");
  const data = /* @__PURE__ */ new Map();
  for (const [kind, { name, bytes: size, sha256: expected }] of files) {
    const place = path.join(folder, name);
    const bytes = await readBytes3(place);
    if (bytes.length !== size) {
      throw new DataError(`${place} has ${bytes.length} bytes where ${size} were saved`);
    }
    if (await sha256(bytes) !== expected) {
      throw new DataError(`${place} is corrupt: its checksum is not the one that was saved`);
    }
    data.set(kind, bytes);
  }
  return { description, data };
}
async function readBytes3(place) {
  const { readFile } = await import("node:fs/promises");
  try {
    return new Uint8Array(await readFile(place));
  } catch (error) {
    throw new DataError(`${place} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

// src/train/save.ts
var format = "ferrograd";
var version = 1;
async function modelFiles(model, { vectorizer: vectorizer2, classes } = {}) {
  const training = model.compiled ? model.setup("save") : void 0;
  const state = await training?.optimizer.stateDict();
  const description = {
    format,
    version,
    model: { type: model.type, options: model.config() },
    ...training && { training: training.options },
    ...state && { optimizerSteps: state.steps, random: randomState() },
    ...vectorizer2 && { vectorizer: vectorizer2.toJSON() },
    ...classes && { classes }
  };
  const data = /* @__PURE__ */ new Map([["weights", writeSafetensors(await model.stateDict())]]);
  if (state) data.set("optimizer", writeSafetensors(state.variables));
  return { description, data };
}
function modelFromFiles(files, name = "the model") {
  const before = randomState();
  try {
    return buildModel(files);
  } catch (error) {
    setRandomState(before);
    throw new DataError(`${name} cannot be loaded: ${reasonOf(error)}`, { cause: error });
  }
}
function buildModel({ description, data }) {
  const saved = checkDescription(description);
  const weights = tensorsOf(data, "weights");
  const model = Sequential.fromConfig(checkSequential(saved.model));
  model.loadStateDict(weights);
  if (saved.training) {
    model.compile(saved.training);
    const variables = tensorsOf(data, "optimizer");
    model.setup("load").optimizer.loadStateDict({ steps: saved.optimizerSteps ?? 0, variables });
  }
  const vectorizer2 = saved.vectorizer && vectorizerFromJSON(saved.vectorizer);
  if (saved.random) setRandomState(saved.random);
  return { model, vectorizer: vectorizer2, classes: saved.classes };
}
async function saveModel(model, folder, companions = {}) {
  await writeModelFiles(folder, await modelFiles(model, companions));
}
async function loadModel(folder) {
  return modelFromFiles(await readModelFiles(folder), folder);
}
async function weightsHash(model) {
  const parts = [];
  for (const parameter of model.parameters()) {
    const data = await parameter.data();
    parts.push(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  const whole2 = new Uint8Array(parts.reduce((sum2, part) => sum2 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole2.set(part, at);
    at += part.length;
  }
  return sha256(whole2);
}
function tensorsOf(data, kind) {
  const bytes = data.get(kind);
  if (!bytes) throw new DataError(`the saved model has no ${kind}`);
  return readSafetensors(bytes, kind);
}
function checkDescription(description) {
  const saved = description;
  if (saved.format !== format || typeof saved.model !== "object") {
    throw new DataError("model.json does not describe a Ferrograd model");
  }
  if (saved.version !== version) {
    throw new DataError(
      `the model is of format version ${saved.version}; this release reads version ${version}`
    );
  }
  const { classes } = saved;
  if (classes && !(Array.isArray(classes) && classes.every((name) => typeof name === "string"))) {
    throw new DataError("the saved classes are no list of names");
  }
  return saved;
}
function checkSequential({ type, options }) {
  const layers = "layers" in options ? options.layers : void 0;
  if (type === "sequential" && Array.isArray(layers)) return { layers };
  throw new DataError(`the saved model is of type "${type}"; this release loads "sequential"`);
}

// ../convb/fuzz.ts
var cases = JSON.parse(readFileSync("/tmp/w/convb/fuzz.json", "utf8"));
await init({ threads: 2 });
var T = (t) => tensor(Float64Array.from(t.data), { shape: t.shape, dtype: "float64" });
var count = {};
var bad = 0;
for (const c of cases) {
  const ins = c.ins.map(T);
  const { k, ...o } = c.args;
  try {
    const y = k ? src_exports[c.op](ins[0], k, o) : src_exports[c.op](ins[0], ins[1], { ...o, bias: ins[2] });
    const all = [y, ...gradients([y], ins, [T(c.dy)])];
    const want = [c.y, ...c.g];
    let e = 0;
    for (let i = 0; i < all.length; i++) {
      if (all[i].shape.join() !== want[i].shape.join()) throw new Error("shape " + all[i].shape + " not " + want[i].shape);
      (await all[i].data()).forEach((v, j) => e = Math.max(e, Math.abs(v - want[i].data[j]) / (1 + Math.abs(v))));
    }
    if (!(e < 1e-12)) throw new Error("err " + e);
    count[c.op] = (count[c.op] ?? 0) + 1;
  } catch (e) {
    bad++;
    if (bad < 15) console.log(c.op, JSON.stringify(c.args), c.ins.map((x) => x.shape.join()).join(" "), e.message);
  }
}
console.log(count, "bad", bad);
shutdown2();
