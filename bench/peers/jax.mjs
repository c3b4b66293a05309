// jax-js on its WebAssembly backend. An operation consumes its arguments; `.ref` keeps them.
import {
  blockUntilReady,
  defaultDevice,
  init,
  jit,
  lax,
  nn,
  numpy as np,
  tree,
  valueAndGrad,
  vjp,
} from "@jax-js/jax";
import { lossError, outputError } from "../references.ts";
import {
  adamInputs,
  adamSteps,
  attentionInputs,
  attentions,
  batchNormInputs,
  checkedSteps,
  cnnBatch,
  cnnWeights,
  eps,
  layerNormInputs,
  learningRate,
  matrices,
  mlpBatch,
  mlpWeights,
  products,
  sheetInput,
} from "../workloads.ts";
import manifest from "./package.json" with { type: "json" };

/** See Driver in driver.ts. */
export async function start({ threads }) {
  // It takes as many threads as there are cores.
  Object.defineProperty(navigator, "hardwareConcurrency", { value: threads });
  await init("wasm");
  defaultDevice("wasm");
  const ones = np.ones([4, 4]);
  await np.matmul(ones.ref, ones).sum().data();
  return { version: manifest.dependencies["@jax-js/jax"], threads };
}

const toArray = ({ data, shape }) => np.array(data).reshape(shape);
const toArrays = (tables) =>
  Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, toArray(table)]));

/** The work of `compute`, compiled: named inputs in, named results out. */
async function op(name, tables, compute) {
  const inputs = await blockUntilReady(toArrays(tables));
  const compiled = jit(compute);
  const once = () => compiled(tree.ref(inputs));
  const values = Object.entries(once()).map(async ([output, result]) => [
    output,
    await result.data(),
  ]);
  const error = outputError(name, Object.fromEntries(await Promise.all(values)));
  return { error, run: async () => tree.dispose(await blockUntilReady(once())) };
}

function product(name) {
  const { transposed } = products[name];
  return op(name, matrices(products[name]), ({ a, b }) => {
    const left = transposed === "a" ? np.matrixTranspose(a) : a;
    return { y: np.matmul(left, transposed === "b" ? np.matrixTranspose(b) : b) };
  });
}

function attention(name, { shape, causal }, backward) {
  const [, , length, dim] = shape;
  const ahead = (_, place) => (place % length > Math.floor(place / length) ? -1e9 : 0);
  const mask = {
    data: Float32Array.from({ length: length * length }, ahead),
    shape: [length, length],
  };
  const tables = { ...attentionInputs({ shape }), ...(causal && { bias: mask }) };
  const attend = (q, k, v, bias) => {
    const scores = np.matmul(q, np.matrixTranspose(k)).mul(1 / Math.sqrt(dim));
    return np.matmul(nn.softmax(bias ? scores.add(bias) : scores, -1), v);
  };
  return op(name, tables, ({ q, k, v, dy, bias }) => {
    if (!backward) {
      dy.dispose();
      return { y: attend(q, k, v, bias) };
    }
    const [y, pullback] = vjp((...args) => attend(...args, bias), [q, k, v]);
    const [dq, dk, dv] = pullback(dy);
    pullback.dispose?.();
    return { y, dq, dk, dv };
  });
}

const keepDims = { keepdims: true };

function normalize(x, axes) {
  const centred = x.ref.sub(np.mean(x, axes, keepDims));
  const variance = np.mean(np.square(centred.ref), axes, keepDims);
  return centred.mul(np.reciprocal(np.sqrt(variance.add(eps))));
}

/** Of `[batch, channels, height, width]`. */
function normalizeChannels(x, weight, bias) {
  const shape = [1, weight.shape[0], 1, 1];
  return normalize(x, [0, 2, 3]).mul(weight.reshape(shape)).add(bias.reshape(shape));
}

function batchNorm(name) {
  return op(name, batchNormInputs(), ({ x, weight, bias, dy }) => {
    const [y, pullback] = vjp(normalizeChannels, [x, weight, bias]);
    const [dx, dweight, dbias] = pullback(dy);
    pullback.dispose?.();
    return { y, dx, dweight, dbias };
  });
}

const overSheet = (name, compute) => op(name, { x: sheetInput() }, ({ x }) => ({ y: compute(x) }));

function layerNorm(name) {
  return op(name, { x: sheetInput(), ...layerNormInputs() }, ({ x, weight, bias }) => ({
    y: normalize(x, -1).mul(weight).add(bias),
  }));
}

/** A step of Adam on one array; `step` counts from 1. */
function adamStep(parameter, m, v, gradient, step) {
  const nextM = m.mul(0.9).add(gradient.ref.mul(0.1));
  const nextV = v.mul(0.999).add(np.square(gradient).mul(0.001));
  const corrected = (moment, beta) => moment.ref.div(np.subtract(1, np.power(beta, step.ref)));
  const root = np.sqrt(corrected(nextV, 0.999)).add(1e-8);
  return [parameter.sub(corrected(nextM, 0.9).div(root).mul(learningRate)), nextM, nextV];
}

/** Counts from 1. */
const counter = () => {
  let steps = 0;
  return () => np.array([++steps]).reshape([]);
};

async function adam(name) {
  const tables = adamInputs();
  const gradient = toArray(tables.gradient);
  const zeros = () => np.zeros(tables.parameter.shape);
  let state = [toArray(tables.parameter), zeros(), zeros()];
  const next = counter();
  const compiled = jit((parameter, m, v, dy, step) => {
    const moved = adamStep(parameter, m, v, dy, step);
    step.dispose();
    return moved;
  });
  const run = async () => {
    state = await blockUntilReady(compiled(...state, gradient.ref, next()));
  };
  for (let i = 0; i < adamSteps; i++) await run();
  return { error: outputError(name, { y: await state[0].ref.data() }), run };
}

/** Steps of training: `lossOf(weights, batch)` is the loss, `weights` and `batch` are tables. */
async function training(name, weights, batch, lossOf) {
  const names = Object.keys(weights);
  const inputs = await blockUntilReady(toArrays(batch));
  const moments = () => Object.fromEntries(names.map((key) => [key, np.zeros(weights[key].shape)]));
  let state = [toArrays(weights), moments(), moments()];
  const next = counter();
  const compiled = jit((parameters, m, v, data, step) => {
    const [loss, gradients] = valueAndGrad((moved) => lossOf(moved, data))(tree.ref(parameters));
    const after = [{}, {}, {}];
    for (const key of names) {
      const moved = adamStep(parameters[key], m[key], v[key], gradients[key], step);
      moved.forEach((array, part) => (after[part][key] = array));
    }
    step.dispose();
    return [loss, ...after];
  });
  const step = async () => {
    const [loss, ...after] = compiled(...state, tree.ref(inputs), next());
    state = await blockUntilReady(after);
    return (await loss.data())[0];
  };
  const losses = [];
  while (losses.length < checkedSteps) losses.push(await step());
  return {
    error: lossError(name, losses),
    run: async () => {
      await step();
    },
  };
}

/** `labels` with a 1 in the column of each row's class. */
function oneHot(labels, classes) {
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (data[row * classes + label] = 1));
  return { data, shape: [labels.length, classes] };
}

const crossEntropy = (logits, hot) => np.sum(nn.logSoftmax(logits, -1).mul(hot), -1).mean().mul(-1);
const zeroTable = (size) => ({ data: new Float32Array(size), shape: [size] });
const oneTable = (size) => ({ data: new Float32Array(size).fill(1), shape: [size] });

function perceptron(name) {
  const { x, labels } = mlpBatch();
  const layers = mlpWeights();
  const named = layers.flatMap((table, layer) => [
    [`weight${layer}`, table],
    [`bias${layer}`, zeroTable(table.shape[1])],
  ]);
  const lossOf = (parameters, batch) => {
    let h = batch.x;
    layers.forEach((_, layer) => {
      h = np.matmul(h, parameters[`weight${layer}`]).add(parameters[`bias${layer}`]);
      if (layer < layers.length - 1) h = nn.relu(h);
    });
    return crossEntropy(h, batch.hot);
  };
  return training(name, Object.fromEntries(named), { x, hot: oneHot(labels, 10) }, lossOf);
}

function convolutional(name) {
  const { x, labels } = cnnBatch();
  const { kernels, dense } = cnnWeights();
  const named = kernels.flatMap((kernel, layer) => {
    const channels = kernel.shape[0];
    return [
      [`kernel${layer}`, kernel],
      [`bias${layer}`, zeroTable(channels)],
      [`scale${layer}`, oneTable(channels)],
      [`shift${layer}`, zeroTable(channels)],
    ];
  });
  const weights = { ...Object.fromEntries(named), dense, denseBias: zeroTable(10) };
  const lossOf = (parameters, batch) => {
    let h = batch.x;
    kernels.forEach(({ shape: [channels] }, layer) => {
      const bias = parameters[`bias${layer}`].reshape([1, channels, 1, 1]);
      h = lax.conv(h, parameters[`kernel${layer}`], [1, 1], "SAME").add(bias);
      h = nn.relu(normalizeChannels(h, parameters[`scale${layer}`], parameters[`shift${layer}`]));
      h = lax.reduceWindow(h, np.max, [2, 2], [2, 2]);
    });
    const flat = h.reshape([64, 3136]);
    return crossEntropy(np.matmul(flat, parameters.dense).add(parameters.denseBias), batch.hot);
  };
  return training(name, weights, { x, hot: oneHot(labels, 10) }, lossOf);
}

/** The gradient of looking up rows of a table, compiled, which text models begin with. */
async function embedding() {
  const ids = np.array(Int32Array.from([1, 2, 1]), { dtype: np.int32 });
  const lookUp = jit((rows, places) =>
    valueAndGrad((table) => np.take(table, places, 0).sum())(rows),
  );
  await blockUntilReady(lookUp(np.ones([4, 2]), ids));
  throw new Error("np.take has a gradient under jit in this version: the model is to be written");
}

const others = {
  bn_fwdbwd: batchNorm,
  exp_4m: (name) => overSheet(name, np.exp),
  gelu_4m: (name) => overSheet(name, (x) => nn.gelu(x, { approximate: true })),
  softmax_4m: (name) => overSheet(name, (x) => nn.softmax(x, -1)),
  layernorm_4m: layerNorm,
  adam_10m: adam,
  mlp_step: perceptron,
  cnn_step: convolutional,
  clf_step: embedding,
  gpt_step: embedding,
};

/** See Driver in driver.ts. */
export async function prepare(name) {
  if (name in products) return product(name);
  const [, attended, passes] = /^(attn_.*)_(fwd|fwdbwd)$/.exec(name) ?? [];
  if (attended) return attention(name, attentions[attended], passes === "fwdbwd");
  if (!(name in others)) throw new Error("there is no driver for this row");
  return others[name](name);
}
