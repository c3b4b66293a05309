/** Hostile layers, optimizers, schedules, metrics, tensors, and files of models. */
import {
  ArgumentError,
  DataError,
  DTypeError,
  init,
  io,
  loadModel,
  matmul,
  metrics,
  modelFiles,
  modelFromFiles,
  nn,
  optim,
  OutOfMemoryError,
  reshape,
  saveModel,
  ShapeError,
  StateError,
  tensor,
  IndexError,
  embedding,
  concat,
  zeros,
} from "../../src/index.js";
import { lrScheduler } from "../../src/train/entry.js";
import * as train from "../../src/train/entry.js";
import { file, one } from "../safetensorsFiles.js";
import type { Bench, Row } from "./row.js";
import { rows, wrong } from "./row.js";

/** The files of the bench's model, with its description changed. */
async function described(
  { model }: Bench,
  change: (
    plain: {
      model: { options: { layers: { type: string; options: Record<string, unknown> }[] } };
    } & Record<string, unknown>,
  ) => void,
): Promise<unknown> {
  const { description, data } = await modelFiles(model);
  const plain = JSON.parse(JSON.stringify(description)) as Parameters<typeof change>[0];
  change(plain);
  return modelFromFiles({ description: plain, data });
}

/** The bench's model from files of which `kind` is changed. */
async function withData(
  { model }: Bench,
  kind: string,
  change: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array,
): Promise<unknown> {
  const { description, data } = await modelFiles(model);
  const changed = new Map(data).set(kind, Uint8Array.from(change(data.get(kind)!)));
  return modelFromFiles({ description, data: changed });
}

const metric = (make: () => unknown): (() => unknown) => make;

export const modelRows: readonly Row[] = [
  [
    "linear of no inputs",
    () => nn.linear(0, 2),
    ArgumentError,
    /linear: inFeatures is 0; it must be a whole number ≥ 1/,
  ],
  [
    "linear of a text",
    () => nn.linear(wrong("4"), 2),
    ArgumentError,
    /linear: inFeatures is "4"; it must be a whole number ≥ 1/,
  ],
  [
    "linear of NaN",
    () => nn.linear(2, NaN),
    ArgumentError,
    /linear: outFeatures is NaN; it must be a whole number ≥ 1/,
  ],
  [
    "linear larger than memory",
    () => nn.linear(2 ** 40, 2 ** 12),
    ArgumentError,
    /init: \[4096, 1099511627776\] is larger than the memory of the engine/,
  ],
  [
    "linear of an unknown activation",
    () => nn.linear(1, 1, { activation: wrong("swish") }),
    ArgumentError,
    /linear: activation "swish" is none of linear, relu, gelu, silu, tanh,/,
  ],
  [
    "dropout of 1.5",
    () => nn.dropout(1.5),
    ArgumentError,
    /dropout: p = 1\.5 is not a probability from 0 to 1/,
  ],
  [
    "dropout of a text",
    () => nn.dropout(wrong("0.5")),
    ArgumentError,
    /dropout: p = "0\.5" is not a probability from 0 to 1/,
  ],
  [
    "embedding of −1",
    () => nn.embedding(-1, 2),
    ArgumentError,
    /embedding: numEmbeddings is -1; it must be a whole number ≥ 1/,
  ],
  [
    "embedding of half a position",
    () => nn.embedding(2, 2, { positions: 0.5 }),
    ArgumentError,
    /embedding: positions is 0\.5; it must be a whole number ≥ 1/,
  ],
  [
    "layer norm of eps −1",
    () => nn.layerNorm(2, { eps: -1 }),
    ArgumentError,
    /layerNorm: eps is -1; it must be from 0 to below Infinity/,
  ],
  [
    "batch norm of momentum 2",
    () => nn.batchNorm1d(2, { momentum: 2 }),
    ArgumentError,
    /batchNorm: momentum is 2; it must be from 0 to below/,
  ],
  [
    "group norm that does not divide",
    () => nn.groupNorm(3, 4),
    ArgumentError,
    /groupNorm: 4 channels do not divide into 3 groups/,
  ],
  [
    "conv of a kernel of 0",
    () => nn.conv2d(1, 1, 0),
    ArgumentError,
    /conv2d: kernelSize is 0; it must be a whole number ≥ 1/,
  ],
  [
    "conv of a kernel of three sizes",
    () => nn.conv2d(1, 1, wrong([1, 1, 1])),
    ArgumentError,
    /conv2d: kernelSize is \[1, 1, 1\]; it must be a number or two/,
  ],
  [
    "conv of groups that do not divide",
    () => nn.conv2d(3, 4, 1, { groups: 2 }),
    ArgumentError,
    /conv2d: 3 and 4 channels cannot be cut into 2 groups/,
  ],
  [
    "conv of an unknown padding",
    () => nn.conv2d(1, 1, 1, { padding: wrong("full") }),
    ArgumentError,
    /conv2d: padding "full" is none of same, valid/,
  ],
  [
    "conv of a negative padding",
    () => nn.conv2d(1, 1, 1, { padding: -1 }),
    ArgumentError,
    /conv2d: padding is -1; it must be a whole number ≥ 0/,
  ],
  [
    "conv of an image that is too small",
    () => nn.conv2d(1, 1, 5).forward(zeros([1, 1, 2, 2])),
    ShapeError,
    /conv2d: \[1, 1, 2, 2\] × \[1, 1, 5, 5\]: a window of 5 does not fit in 2/,
  ],
  [
    "pool of stride 0",
    () => nn.maxPool2d(2, { stride: 0 }),
    ArgumentError,
    /maxPool2d: stride is 0; it must be a whole number ≥ 1/,
  ],
  [
    "attention of heads that do not divide",
    () => nn.multiheadAttention({ modelDim: 6, heads: 4 }),
    ArgumentError,
    /multiheadAttention: modelDim 6 does not divide into 4 heads/,
  ],
  [
    "activation that is unknown",
    () => nn.activation(wrong("toString")),
    ArgumentError,
    /activation: activation "toString" is none of linear, relu, gelu,/,
  ],
  ["sequential of no layers", () => nn.sequential(), ArgumentError, /sequential: no layers/],
  [
    "sequential of a function",
    () => nn.sequential(wrong(() => 1)),
    ArgumentError,
    /sequential: layer 0 is a function, not a layer/,
  ],
  [
    "a layer of another shape",
    () => nn.linear(4, 2).forward(zeros([2, 3])),
    ShapeError,
    /linear: the last axis of \[2, 3\] should have 4 features/,
  ],
  [
    "a layer of an array",
    () => nn.linear(4, 2).forward(wrong(rows)),
    ArgumentError,
    /linear: the input is a list, not a tensor/,
  ],
  [
    "a state that lacks a weight",
    ({ model }) => {
      model.loadStateDict(new Map());
    },
    DataError,
    /loadStateDict: missing 0\.weight, 0\.bias, 1\.weight, 1\.bias,/,
  ],
  [
    "a state of other shapes",
    async ({ model }) => {
      const state = await model.stateDict();
      const entry = { shape: [1], dtype: "float32", data: new Float32Array(1) } as const;
      model.loadStateDict(new Map(state).set("0.weight", entry));
    },
    ShapeError,
    /loadStateDict: 0\.weight is \[5, 4\] float32 in the model, \[1\] float32/,
  ],
  [
    "a state whose data does not fill its shape",
    async ({ model }) => {
      const state = await model.stateDict();
      model.loadStateDict(
        new Map(state).set("2.bias", { ...state.get("2.bias")!, data: new Float32Array(1) }),
      );
    },
    DataError,
    /loadStateDict: 2\.bias: the saved data does not fill its shape/,
  ],
  [
    "an optimizer of no parameters",
    () => new optim.SGD([]),
    ArgumentError,
    /optimizer: no parameters/,
  ],
  [
    "an optimizer of no list",
    () => new optim.SGD(wrong(5)),
    ArgumentError,
    /optimizer: 5 is no list of parameters/,
  ],
  [
    "an optimizer of tensors",
    () => new optim.SGD(wrong([zeros([2])])),
    ArgumentError,
    /optimizer: no parameters/,
  ],
  [
    "a learning rate of NaN",
    ({ optimizer }) => {
      optimizer.learningRate = NaN;
    },
    ArgumentError,
    /optimizer: learningRate is NaN; it must be from 0 to below Infinity/,
  ],
  [
    "a step without gradients",
    ({ optimizer }) => {
      optimizer.step();
    },
    ArgumentError,
    /step: no parameter has a gradient; call backward\(\) on a loss first/,
  ],
  [
    "nesterov without momentum",
    () => new optim.SGD(nn.linear(1, 1).parameters(), { nesterov: true }),
    ArgumentError,
    /optimizer: nesterov needs a momentum above 0 and no dampening/,
  ],
  [
    "an optimizer's state of other steps",
    async ({ optimizer }) => {
      optimizer.loadStateDict({ ...(await optimizer.stateDict()), steps: -1 });
    },
    DataError,
    /optimizer: -1 saved steps are no whole number ≥ 0/,
  ],
  [
    "an optimizer's state that is null",
    ({ optimizer }) => {
      optimizer.loadStateDict(wrong(null));
    },
    DataError,
    /optimizer: the saved state is null, not an object/,
  ],
  [
    "clipping by −1",
    ({ model }) => optim.clipGradNorm(model.parameters(), -1),
    ArgumentError,
    /clipGradNorm: no parameter has a gradient/,
  ],
  [
    "a schedule of no optimizer",
    () => new lrScheduler.StepLR(wrong({}), { stepSize: 1 }),
    ArgumentError,
    /lrScheduler: an object is no optimizer/,
  ],
  [
    "a schedule of steps of 0",
    ({ optimizer }) => new lrScheduler.StepLR(optimizer, { stepSize: 0 }),
    ArgumentError,
    /stepLR: stepSize is 0; it must be a whole number ≥ 1/,
  ],
  [
    "a schedule by a function of NaN",
    ({ optimizer }) => new lrScheduler.LambdaLR(optimizer, () => NaN),
    ArgumentError,
    /optimizer: learningRate is NaN; it must be from 0 to below Infinity/,
  ],
  [
    "a schedule by no function",
    ({ optimizer }) => new lrScheduler.LambdaLR(optimizer, wrong(0.5)),
    ArgumentError,
    /lambdaLR: factor is 0\.5; it must be a function/,
  ],
  [
    "one cycle of no steps",
    ({ optimizer }) => new lrScheduler.OneCycleLR(optimizer, { maxLearningRate: 1, totalSteps: 0 }),
    ArgumentError,
    /oneCycleLR: totalSteps is 0; it must be a whole number ≥ 1/,
  ],
  [
    "one cycle that rises for one step",
    ({ optimizer }) =>
      new lrScheduler.OneCycleLR(optimizer, { maxLearningRate: 1, totalSteps: 10, pctStart: 0.1 }),
    ArgumentError,
    /optimizer: learningRate is NaN; it must be from 0 to below Infinity/,
  ],
  [
    "milestones that fall",
    ({ optimizer }) => new lrScheduler.SequentialLR(optimizer, [], [3, 2]),
    ArgumentError,
    /sequentialLR: milestones\[1\] is 2; it must be a whole number ≥ 4/,
  ],
  [
    "milestones that are no list",
    ({ optimizer }) => new lrScheduler.MultiStepLR(optimizer, { milestones: wrong(5) }),
    ArgumentError,
    /multiStepLR: milestones is 5; it must be a list/,
  ],
  [
    "a schedule's state of half a step",
    ({ scheduler }) => {
      scheduler.loadStateDict({ steps: 0.5 });
    },
    DataError,
    /lrScheduler: 0\.5 saved steps are no whole number ≥ 0/,
  ],
  [
    "a plateau's value of NaN",
    ({ optimizer }) => new lrScheduler.ReduceLROnPlateau(optimizer).step(NaN),
    ArgumentError,
    /reduceLROnPlateau: the value is NaN/,
  ],
  [
    "a metric of other sizes",
    metric(() => metrics.f1().update([0, 1], [0])),
    DataError,
    /f1: yTrue is \[2\], yPred \[1\]: they have an entry for an entry, and/,
  ],
  [
    "a metric of NaN",
    metric(() => metrics.f1().update([0, 1], [NaN, 0])),
    DataError,
    /f1: yPred of entry 0 is NaN, neither a class number nor a probability/,
  ],
  [
    "a metric of a label out of range",
    metric(() => metrics.f1({ classes: 2 }).update([0, 5], [0, 1])),
    DataError,
    /f1: entry 1 is class 5 taken for 1; there are 2 classes/,
  ],
  [
    "a metric of labels of 10^9",
    metric(() => metrics.f1().update([0, 1e9], [0, 1])),
    DataError,
    /f1: entry 1 is class 1000000000 taken for 1; there are at most 4096/,
  ],
  [
    "a metric of null",
    metric(() => metrics.f1().update(wrong(null), [0])),
    ArgumentError,
    /yTrue is null; expected are nested numbers, a typed array, or \{ data,/,
  ],
  [
    "a metric of texts",
    metric(() => metrics.f1().update(wrong(["a"]), [0])),
    ArgumentError,
    /yTrue: "a" is neither a number nor an array of them/,
  ],
  [
    "a metric by negative weights",
    metric(() => metrics.f1().update([0, 1], [0, 1], { sampleWeight: [1, -1] })),
    DataError,
    /f1: sampleWeight of entry 1 is -1, which is no weight/,
  ],
  [
    "a metric of −1 classes",
    metric(() => metrics.f1({ classes: -1 })),
    ArgumentError,
    /f1: classes is -1; it must be a whole number ≥ 1/,
  ],
  [
    "a metric of a threshold of 2",
    metric(() => metrics.binaryAccuracy({ threshold: 2 })),
    ArgumentError,
    /binaryAccuracy: threshold is 2; it must be from 0 to 1/,
  ],
  [
    "a metric by an unknown average",
    metric(() => metrics.f1({ average: wrong("mean") })),
    ArgumentError,
    /f1: average "mean" is none of binary, micro, macro, weighted, none/,
  ],
  [
    "the best 0 of a metric",
    metric(() => metrics.topKAccuracy({ k: 0 })),
    ArgumentError,
    /topKAccuracy: k is 0; it must be a whole number ≥ 1/,
  ],
  [
    "a curve of labels that are not two",
    metric(() => metrics.rocCurve([0, 2], [0.1, 0.2])),
    DataError,
    /rocCurve: labels are 0 or 1, and there is a 2/,
  ],
  [
    "a metric's state of texts",
    metric(() => {
      metrics.r2().load(wrong({ moments: ["a"] }));
    }),
    DataError,
    /r2: the saved state has no numbers "moments"/,
  ],
  [
    "a tensor of ragged rows",
    () => tensor([[1], [1, 2]]),
    ShapeError,
    /tensor: ragged data: entry 0 has shape \[1\], entry 1 has \[2\]/,
  ],
  [
    "a tensor of null",
    () => tensor(wrong(null)),
    ArgumentError,
    /tensor: null is neither a number nor an array of them/,
  ],
  [
    "a tensor of an unknown dtype",
    () => tensor([1], { dtype: wrong("float16") }),
    DTypeError,
    /tensor: dtype "float16" is none of bool, int32, float32, float64/,
  ],
  [
    "a tensor that its data does not fill",
    () => tensor([1, 2, 3], { shape: [2, 2] }),
    ShapeError,
    /tensor: 3 elements do not fill \[2, 2\] \(4\)/,
  ],
  [
    "a tensor of a negative shape",
    () => zeros([-1]),
    ShapeError,
    /broadcastTo: \[-1\] is no shape: sizes are whole numbers ≥ 0/,
  ],
  [
    "a tensor larger than memory",
    () => zeros([2 ** 20, 2 ** 20]).data(),
    OutOfMemoryError,
    /out of memory: buffer \d+ asks for 4096\.0 GiB/,
  ],
  [
    "a product that does not fit",
    () => matmul(zeros([2, 3]), zeros([4, 5])),
    ShapeError,
    /matmul: \[2, 3\] × \[4, 5\]: inner sizes 3 and 4 differ/,
  ],
  [
    "a sum with null",
    () => zeros([2]).add(wrong(null)),
    ArgumentError,
    /add: operand 1 is null, not a tensor/,
  ],
  [
    "a reshape to other sizes",
    () => reshape(zeros([4]), [3]),
    ShapeError,
    /reshape: \[4\] has 4 elements, which do not fill \[3\]/,
  ],
  ["a concat of nothing", () => concat([]), ArgumentError, /concat: no tensors/],
  [
    "ids outside a table",
    () => embedding(tensor([7], { dtype: "int32" }), zeros([2, 2])).data(),
    IndexError,
    /embedding \[1, 2\] of 2 rows: index 7 at position 0 is out of range/,
  ],
  [
    "a backward of no gradients",
    () => {
      zeros([1]).backward();
    },
    StateError,
    /backward: the tensor depends on nothing that has requiresGrad/,
  ],
  [
    "init with other options",
    () => init({ threads: 7 }),
    StateError,
    /init: the engine runs with other options than threads 7: call/,
  ],
  [
    "safetensors of nothing",
    () => io.readSafetensors(new Uint8Array(0)),
    DataError,
    /safetensors is no valid safetensors file: 0 bytes hold no header/,
  ],
  [
    "safetensors of a header of 2^63 bytes",
    () => io.readSafetensors(file("{}", 0, 2n ** 63n)),
    DataError,
    /safetensors is no valid safetensors file: its header of/,
  ],
  [
    "safetensors of 10^15 numbers",
    () => io.readSafetensors(file(one("F32", "[1000000000000000]"), 8)),
    DataError,
    /safetensors is no valid safetensors file: tensor "a" of shape/,
  ],
  [
    "safetensors of what is no data",
    () =>
      io.writeSafetensors(new Map([["a", { dtype: "float32", shape: [2], data: wrong([1, 2]) }]])),
    ArgumentError,
    /writeSafetensors: tensor "a" is of dtype float32: its data must be a/,
  ],
  [
    "a model's folder that is not there",
    ({ folder }) => loadModel(`${folder}/none`),
    DataError,
    /none\/model\.json cannot be read: ENOENT: no such file or directory,/,
  ],
  [
    "a model's folder that is a file",
    ({ folder }) => loadModel(`${folder}/file`),
    DataError,
    /file\/model\.json cannot be read: ENOTDIR: not a directory, open/,
  ],
  [
    "a model saved where a file is",
    ({ model, folder }) => saveModel(model, `${folder}/file`),
    DataError,
    /cannot be written: EEXIST/,
  ],
  [
    "a model of nothing",
    () => modelFromFiles({ description: wrong(null), data: new Map() }),
    DataError,
    /the model cannot be loaded: the description is null, not an object/,
  ],
  [
    "a model of a version to come",
    (bench) =>
      described(bench, (plain) => {
        plain.version = 99;
      }),
    DataError,
    /the model cannot be loaded: the model is of format version 99; this/,
  ],
  [
    "a model of an unknown layer",
    (bench) =>
      described(bench, (plain) => {
        plain.model.options.layers[0]!.type = "constructor";
      }),
    DataError,
    /the model cannot be loaded: the model has a layer of type/,
  ],
  [
    "a model of a layer of 10^12 numbers",
    (bench) =>
      described(bench, (plain) => {
        Object.assign(plain.model.options.layers[0]!.options, {
          inFeatures: 1e6,
          outFeatures: 1e6,
        });
      }),
    DataError,
    /the model cannot be loaded: a layer of \[1000000, 1000000\] is larger/,
  ],
  [
    "a model of layers of no options",
    (bench) =>
      described(bench, (plain) => {
        plain.model.options.layers[0]!.options = wrong(null);
      }),
    DataError,
    /the model cannot be loaded: the options of a saved linear are null,/,
  ],
  [
    "a model whose layers are no list",
    (bench) =>
      described(bench, (plain) => {
        plain.model.options.layers = wrong("abc");
      }),
    DataError,
    /the model cannot be loaded: the saved model has no list of layers/,
  ],
  [
    "a model without its weights",
    (bench) =>
      described(bench, (plain) => {
        plain.model.options.layers.push({
          type: "linear",
          options: { inFeatures: 3, outFeatures: 3 },
        });
      }),
    DataError,
    /the model cannot be loaded: loadStateDict: missing 3\.weight, 3\.bias;/,
  ],
  [
    "a model of an unknown optimizer",
    (bench) =>
      described(bench, (plain) => {
        Object.assign(plain.training as object, { optimizer: { name: "x", options: {} } });
      }),
    DataError,
    /the model cannot be loaded: compile: optimizer "x" is none of sgd,/,
  ],
  [
    "a model whose weights are cut short",
    (bench) => withData(bench, "weights", (bytes) => bytes.subarray(0, -1)),
    DataError,
    /the model cannot be loaded: weights is no valid safetensors file: its/,
  ],
  [
    "a model whose header has a bit flipped",
    (bench) =>
      withData(bench, "weights", (bytes) => bytes.map((byte, at) => (at === 12 ? byte ^ 1 : byte))),
    DataError,
    /the model cannot be loaded: loadStateDict: missing 0\.weight; without/,
  ],
  [
    "a model whose optimizer is of another",
    (bench) => withData(bench, "optimizer", () => file("{}")),
    DataError,
    /the model cannot be loaded: optimizer: the saved state lacks/,
  ],
  [
    "checkpoints to keep 0 of",
    ({ folder }) => new train.Checkpoints(folder, { keep: 0 }),
    ArgumentError,
    /Checkpoints: keep is 0; it must be a whole number ≥ 1/,
  ],
  [
    "a checkpoint of a negative step",
    ({ folder }) => new train.Checkpoints(folder).save(-1, { values: {}, tensors: new Map() }),
    ArgumentError,
    /Checkpoints: step is -1; it must be a whole number ≥ 0/,
  ],
  [
    "checkpoints where a file is",
    ({ folder }) => new train.Checkpoints(`${folder}/file`).latest(),
    DataError,
    /cannot be read: ENOTDIR/,
  ],
  [
    "a resume from what is none",
    (bench) =>
      bench.fit({
        callbacks: [
          {
            onTrainBegin: (run) => {
              run.resume(wrong({ values: { format: "x" }, tensors: new Map() }));
            },
          },
        ],
      }),
    DataError,
    /fit: the checkpoint is not one of a training/,
  ],
];
