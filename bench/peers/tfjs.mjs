// TensorFlow.js on its WebAssembly backend.
import * as tf from "@tensorflow/tfjs";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import { lossError, outputError } from "../references.ts";
import {
  adamInputs,
  adamSteps,
  attentionInputs,
  attentions,
  batchNormInputs,
  checkedSteps,
  eps,
  layerNormInputs,
  learningRate,
  matrices,
  mlpBatch,
  mlpWeights,
  products,
  sheetInput,
} from "../workloads.ts";

/** See Driver in driver.ts. */
export async function start({ threads, packages }) {
  if (packages !== undefined) {
    wasm.setWasmPaths(`${packages}/@tensorflow/tfjs-backend-wasm/dist/`);
    tf.env().set("WASM_HAS_MULTITHREAD_SUPPORT", threads > 1);
    if (threads > 1) wasm.setThreadsCount(threads);
  }
  await tf.setBackend("wasm");
  await tf.ready();
  const ones = tf.ones([4, 4]);
  tf.matMul(ones, ones).sum().dataSync();
  return { version: tf.version.tfjs, threads };
}

const toTensor = ({ data, shape }) => tf.tensor(data, shape);
const toTensors = (tables) =>
  Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, toTensor(table)]));

/** The work of `compute`, which returns named results; `convert` makes a result ours for checking. */
function op(name, compute, convert = (result) => result.dataSync()) {
  const outputs = tf.tidy(compute);
  const values = Object.entries(outputs).map(([output, result]) => [output, convert(result)]);
  const error = outputError(name, Object.fromEntries(values));
  tf.dispose(outputs);
  return { error, run: async () => tf.dispose(tf.tidy(compute)) };
}

function product(name) {
  const { transposed } = products[name];
  const { a, b } = toTensors(matrices(products[name]));
  return op(name, () => ({ y: tf.matMul(a, b, transposed === "a", transposed === "b") }));
}

function attention(name, { shape, causal }, backward) {
  const { q, k, v, dy } = toTensors(attentionInputs({ shape }));
  const [, , length, dim] = shape;
  const ahead = (_, place) => (place % length > Math.floor(place / length) ? -1e9 : 0);
  const bias = tf.tensor(Float32Array.from({ length: length * length }, ahead), [length, length]);
  const attend = (queries, keys, values) => {
    const scores = tf.matMul(queries, keys, false, true).mul(1 / Math.sqrt(dim));
    return tf.matMul(tf.softmax(causal ? scores.add(bias) : scores), values);
  };
  if (!backward) return op(name, () => ({ y: attend(q, k, v) }));
  const pullback = tf.valueAndGrads(attend);
  return op(name, () => {
    const { value, grads } = pullback([q, k, v], dy);
    return { y: value, dq: grads[0], dk: grads[1], dv: grads[2] };
  });
}

function batchNorm(name) {
  const inputs = toTensors(batchNormInputs());
  // Channels last, which is what tfjs is made for; tf.batchNorm's own gradient takes longer.
  const channelsLast = (x) => tf.transpose(x, [0, 2, 3, 1]);
  const normalize = (x, weight, bias) => {
    const axes = [0, 1, 2];
    const centred = x.sub(x.mean(axes));
    const scale = centred.square().mean(axes).add(eps).rsqrt().mul(weight);
    return centred.mul(scale).add(bias);
  };
  const x = channelsLast(inputs.x);
  const dy = channelsLast(inputs.dy);
  const pullback = tf.valueAndGrads(normalize);
  const convert = (result) =>
    (result.rank === 4 ? tf.transpose(result, [0, 3, 1, 2]) : result).dataSync();
  return op(
    name,
    () => {
      const { value, grads } = pullback([x, inputs.weight, inputs.bias], dy);
      return { y: value, dx: grads[0], dweight: grads[1], dbias: grads[2] };
    },
    convert,
  );
}

const gelu = (x) =>
  tf.tidy(() => {
    const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
    return inner.tanh().add(1).mul(x).mul(0.5);
  });

function overSheet(name, compute) {
  const x = toTensor(sheetInput());
  return op(name, () => ({ y: compute(x) }));
}

function layerNorm(name) {
  const { x, weight, bias } = toTensors({ x: sheetInput(), ...layerNormInputs() });
  return op(name, () => {
    const centred = x.sub(x.mean(-1, true));
    const scale = centred.square().mean(-1, true).add(eps).rsqrt();
    return { y: centred.mul(scale).mul(weight).add(bias) };
  });
}

function adam(name) {
  const { parameter, gradient } = toTensors(adamInputs());
  const moved = tf.variable(parameter);
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  const run = async () => optimizer.applyGradients([{ name: moved.name, tensor: gradient }]);
  for (let i = 0; i < adamSteps; i++) void run();
  return { error: outputError(name, { y: moved.dataSync() }), run };
}

function perceptron(name) {
  const batch = mlpBatch();
  const x = toTensor(batch.x);
  const labels = tf.oneHot(tf.tensor1d(batch.labels, "int32"), 10).toFloat();
  const layers = mlpWeights().map((table) => ({
    weight: tf.variable(toTensor(table)),
    bias: tf.variable(tf.zeros([table.shape[1]])),
  }));
  const lossOf = () =>
    tf.losses.softmaxCrossEntropy(
      labels,
      layers.reduce((h, { weight, bias }, layer) => {
        const sums = tf.matMul(h, weight).add(bias);
        return layer < layers.length - 1 ? sums.relu() : sums;
      }, x),
    );
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  const step = () => {
    const loss = optimizer.minimize(lossOf, true);
    const value = loss.dataSync()[0];
    loss.dispose();
    return value;
  };
  const losses = Array.from({ length: checkedSteps }, step);
  return {
    error: lossError(name, losses),
    run: async () => {
      step();
    },
  };
}

/** The gradient of looking up rows of a table, which text models begin with. */
function embedding() {
  const ids = tf.tensor1d([1, 2, 1], "int32");
  tf.grad((rows) => tf.gather(rows, ids).sum())(tf.ones([4, 2]));
  throw new Error("tf.gather has a gradient in this version: the model is to be written");
}

/** The gradient of a convolution by its kernel. */
function convolution() {
  const x = tf.ones([1, 4, 4, 1]);
  tf.grad((kernel) => tf.conv2d(x, kernel, 1, "same").sum())(tf.ones([3, 3, 1, 2]));
  throw new Error("tf.conv2d has a gradient in this version: the model is to be written");
}

const others = {
  bn_fwdbwd: batchNorm,
  exp_4m: (name) => overSheet(name, tf.exp),
  gelu_4m: (name) => overSheet(name, gelu),
  softmax_4m: (name) => overSheet(name, tf.softmax),
  layernorm_4m: layerNorm,
  adam_10m: adam,
  mlp_step: perceptron,
  clf_step: embedding,
  gpt_step: embedding,
  cnn_step: convolution,
};

/** See Driver in driver.ts. */
export async function prepare(name) {
  if (name in products) return product(name);
  const [, attended, passes] = /^(attn_.*)_(fwd|fwdbwd)$/.exec(name) ?? [];
  if (attended) return attention(name, attentions[attended], passes === "fwdbwd");
  if (!(name in others)) throw new Error("there is no driver for this row");
  return others[name](name);
}
