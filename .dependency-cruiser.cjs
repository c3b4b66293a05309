// Which part of src/ may import which: the one direction of flow. A part is a file or a folder;
// every part may import its own files. What is not said here is an error.

const pure = ["checks", "dtype", "errors", "shape"];
// Tensors, the graph they record, and how ops are said.
const recording = ["graph", "op", "tensor", "trace", "updates"];
const tensors = [
  ...pure,
  ...recording,
  "seed",
  "autograd",
  "evaluate",
  "compile",
  "methods",
  "ops",
];

/** part → the parts it may import */
const layers = {
  errors: [],
  checks: ["errors"],
  dtype: [],
  shape: ["errors"],
  random: ["checks", "errors"],

  // A graph becomes a Program, which is plain data.
  program: [...pure, "graph", "op"],
  // Runs Programs; knows no graph. Of program/ it sees the data's type only (below).
  runtime: ["checks", "errors", "dtype", "program"],

  graph: [...pure, "op", "tensor"],
  op: [...pure, "graph", "tensor", "program"],
  trace: [...pure, "graph", "tensor"],
  updates: [...pure, "graph", "tensor"],
  seed: [...pure, "random", "graph", "tensor", "trace"],
  // Where tensors are read: the one bridge from graph to Program to engine.
  evaluate: [...pure, ...recording, "program", "runtime"],
  tensor: [...pure, "graph", "updates", "evaluate"],
  compile: [...pure, ...recording, "evaluate", "program"],

  ops: [...pure, ...recording, "seed", "autograd", "program"],
  autograd: [...pure, ...recording, "ops"],
  checkpoint: [...pure, ...recording, "autograd"],
  methods: ["tensor", "ops", "autograd"],

  nn: [...tensors, "random"],
  // What draws is loaded when something is drawn.
  plot: [...tensors, "nn"],
  metrics: [...tensors, "random", "nn", "data", "plot"],
  optim: [...tensors, "random", "nn"],
  data: [...tensors, "random"],
  text: [...tensors, "random"],
  io: [...tensors, "data", "nn", "optim", "text", "train"],
  train: [...tensors, "random", "nn", "plot", "metrics", "optim", "data", "text", "io", "parallel"],
  // Training on workers: loaded by `train` when it is asked for.
  parallel: [...tensors, "checkpoint", "runtime", "nn", "metrics", "data", "train"],
  // A program of its own: it uses the library, and nothing uses it.
  cli: [...tensors, "random", "runtime", "nn", "metrics", "optim", "data", "text", "io", "train"],
  index: [
    ...[...tensors, "checkpoint", "random", "runtime", "program"],
    ...["nn", "metrics", "optim", "data", "text", "io", "train"],
  ],
  inline: ["index", "data"],
};

const pattern = (parts) => `^src/(${parts.join("|")})(/|\\.ts$)`;

module.exports = {
  forbidden: [
    ...Object.entries(layers).map(([part, allowed]) => ({
      name: `${part}-imports`,
      comment: `${part} may import ${allowed.join(", ") || "nothing"}`,
      severity: "error",
      from: { path: pattern([part]) },
      to: { path: "^src/", pathNot: pattern([part, ...allowed]) },
    })),
    {
      name: "part-without-a-place",
      comment: "every part of src/ has a line in the table of .dependency-cruiser.cjs",
      severity: "error",
      from: { path: "^src/", pathNot: pattern(Object.keys(layers)) },
      to: {},
    },
    {
      name: "only-the-data-of-program",
      comment: "the runtime and the ops know the form of a Program, not how it is made",
      severity: "error",
      from: { path: "^src/(runtime|op|ops)(/|\\.ts$)" },
      to: { path: "^src/program/", pathNot: "^src/program/(program|place)\\.ts$" },
    },
    {
      name: "types-in-circles-only",
      comment:
        "modules that need each other to be loaded; the gradient of one op is another's, so the ops and " +
        "autograd may, and tensors read themselves by evaluating",
      severity: "error",
      from: { pathNot: "^src/(ops/|autograd|tensor|evaluate|op|graph|updates|trace)" },
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only", "dynamic-import"] } },
    },
    {
      name: "kernels-by-types-and-opcode",
      comment: "kernels are called by the runtime",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(op\\.ts|ops/|program/|runtime/)" },
      to: { path: "^wasm/" },
    },
  ],
  options: {
    doNotFollow: { path: ["node_modules", "^wasm/"] },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: [".ts", ".js", ".d.ts"] },
  },
};
