// ONNX Runtime's WebAssembly build, which computes forwards only.
import * as ort from "onnxruntime-web";
import { outputError } from "../references.ts";
import {
  attentionInputs,
  attentions,
  eps,
  layerNormInputs,
  matrices,
  products,
  sheet,
  sheetInput,
} from "../workloads.ts";
import { model } from "./onnx.mjs";
import manifest from "./package.json" with { type: "json" };

const session = (description) =>
  ort.InferenceSession.create(model(description), {
    executionProviders: ["wasm"],
    graphOptimizationLevel: "all",
  });

const toTensor = ({ data, shape }) => new ort.Tensor("float32", data, shape);

/** See Driver in driver.ts. */
export async function start({ threads, packages }) {
  ort.env.wasm.numThreads = threads;
  if (packages !== undefined) ort.env.wasm.wasmPaths = `${packages}/onnxruntime-web/dist/`;
  const shape = [4, 4];
  const first = await session({
    nodes: [{ op: "MatMul", inputs: ["a", "b"], output: "y" }],
    inputs: { a: shape, b: shape },
    output: { y: shape },
  });
  const ones = toTensor({ data: new Float32Array(16).fill(1), shape });
  await first.run({ a: ones, b: ones });
  return { version: manifest.dependencies["onnxruntime-web"], threads };
}

/** The work of `nodes` on named tables; the result is `y`. */
async function op(name, tables, shape, nodes) {
  const inputs = Object.entries(tables);
  const ready = await session({
    nodes,
    inputs: Object.fromEntries(inputs.map(([input, table]) => [input, table.shape])),
    output: { y: shape },
  });
  const feeds = Object.fromEntries(inputs.map(([input, table]) => [input, toTensor(table)]));
  const { y } = await ready.run(feeds);
  return {
    error: outputError(name, { y: y.data }),
    run: async () => {
      await ready.run(feeds);
    },
  };
}

function product(name) {
  const { m, n, transposed } = products[name];
  const attributes = { transA: Number(transposed === "a"), transB: Number(transposed === "b") };
  const kind = transposed ? { op: "Gemm", attributes } : { op: "MatMul" };
  return op(name, matrices(products[name]), [m, n], [{ ...kind, inputs: ["a", "b"], output: "y" }]);
}

function attention(name, { shape, causal }) {
  const [, , length, dim] = shape;
  const { q, k, v } = attentionInputs({ shape });
  const ahead = (_, place) => (place % length > Math.floor(place / length) ? -1e9 : 0);
  const scale = { data: Float32Array.of(1 / Math.sqrt(dim)), shape: [1] };
  const mask = { data: Float32Array.from({ length: length ** 2 }, ahead), shape: [length, length] };
  return op(name, { q, k, v, scale, ...(causal && { mask }) }, shape, [
    { op: "Transpose", inputs: ["k"], output: "keys", attributes: { perm: [0, 1, 3, 2] } },
    { op: "MatMul", inputs: ["q", "keys"], output: "products" },
    { op: "Mul", inputs: ["products", "scale"], output: "scores" },
    ...(causal ? [{ op: "Add", inputs: ["scores", "mask"], output: "masked" }] : []),
    { op: "Softmax", inputs: [causal ? "masked" : "scores"], output: "weights" },
    { op: "MatMul", inputs: ["weights", "v"], output: "y" },
  ]);
}

function overSheet(name, node, more = {}) {
  const inputs = ["x", ...Object.keys(more)];
  return op(name, { x: sheetInput(), ...more }, sheet, [{ ...node, inputs, output: "y" }]);
}

const others = {
  exp_4m: (name) => overSheet(name, { op: "Exp" }),
  gelu_4m: (name) => overSheet(name, { op: "Gelu", attributes: { approximate: "tanh" } }),
  softmax_4m: (name) => overSheet(name, { op: "Softmax" }),
  layernorm_4m: (name) =>
    overSheet(name, { op: "LayerNormalization", attributes: { epsilon: eps } }, layerNormInputs()),
};

/** See Driver in driver.ts. */
export async function prepare(name) {
  if (name in products) return product(name);
  const attended = /^(attn_.*)_fwd$/.exec(name)?.[1];
  if (attended) return attention(name, attentions[attended]);
  if (!(name in others)) throw new Error("ONNX Runtime's package for the web does not train");
  return others[name](name);
}
