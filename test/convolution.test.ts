/** Layers of convolutions and pools: what they make, refuse, save and learn. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  adaptiveAvgPool2d,
  ArgumentError,
  avgPool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  DTypeError,
  engine,
  init,
  loadModel,
  manualSeed,
  maxPool1d,
  maxPool2d,
  nn,
  optim,
  saveModel,
  ShapeError,
  shutdown,
  tensor,
  weightsHash,
  zeros,
} from "../src/index.js";
import type { FerrogradError } from "../src/index.js";

beforeAll(() => init({ threads: 2 }));
afterAll(shutdown);

const side = 8;
const silent = { verbose: 0 } as const;

/** Images with a bright bar: class 0 upright, 1 lying, 2 on the diagonal. */
function bars(count: number): { x: { data: Float32Array; shape: number[] }; y: number[] } {
  const data = new Float32Array(count * side * side);
  const y = Array.from({ length: count }, (_, image) => image % 3);
  y.forEach((label, image) => {
    const at = (image * 5) % side;
    for (let i = 0; i < side; i++) {
      const [row, column] = [
        [i, at],
        [at, i],
        [i, (i + at) % side],
      ][label]!;
      data[(image * side + row!) * side + column!] = 1;
    }
  });
  return { x: { data, shape: [count, 1, side, side] }, y };
}

function network(): nn.Sequential {
  manualSeed(5);
  const model = nn.sequential(
    nn.conv2d(1, 8, 3, { padding: "same" }),
    nn.batchNorm2d(8),
    nn.activation("relu"),
    nn.maxPool2d(2),
    nn.conv2d(8, 8, 3, { padding: 1, groups: 8, activation: "relu" }),
    nn.conv2d(8, 12, 1, { stride: 2, bias: false }),
    nn.adaptiveAvgPool2d(2),
    nn.flatten(),
    nn.linear(48, 3, { activation: "softmax" }),
  );
  model.compile({
    optimizer: optim.adam({ learningRate: 0.02 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  return model;
}

describe("a convolutional network", () => {
  it("learns, with the same bits on one thread and two", async () => {
    const { x, y } = bars(96);
    const hashes: string[] = [];
    for (const threads of [1, 2]) {
      shutdown();
      await init({ threads });
      const model = network();
      await model.fit(x, y, { ...silent, batchSize: 16, epochs: 6 });
      hashes.push(await weightsHash(model));
      expect((await model.evaluate(x, y)).accuracy).toBe(1);
    }
    expect(hashes[1]).toBe(hashes[0]);
  });

  it("predicts the same after it is saved and loaded", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "ferrograd-cnn-"));
    const { x, y } = bars(12);
    const model = network();
    await model.fit(x, y, { ...silent, epochs: 1 });
    await saveModel(model, path.join(folder, "cnn"));
    const loaded = await loadModel(path.join(folder, "cnn"));
    await rm(folder, { recursive: true });
    expect(Array.from(await (await loaded.model.predict(x)).data())).toEqual(
      Array.from(await (await model.predict(x)).data()),
    );
    expect(loaded.model.summary([1, side, side])).toBe(model.summary([1, side, side]));
  });

  it("says its layers and shapes", () => {
    const lines = network()
      .summary([1, side, side])
      .split("\n")
      .map((line) => line.split(/ {2,}/).slice(0, 3));
    expect(lines.slice(2, 11)).toEqual([
      ["0 (conv2d)", "[batch, 8, 8, 8]", "80"],
      ["1 (batchNorm)", "[batch, 8, 8, 8]", "16"],
      ["2 (activation)", "[batch, 8, 8, 8]", "0"],
      ["3 (maxPool2d)", "[batch, 8, 4, 4]", "0"],
      ["4 (conv2d)", "[batch, 8, 4, 4]", "80"],
      ["5 (conv2d)", "[batch, 12, 2, 2]", "96"],
      ["6 (adaptiveAvgPool2d)", "[batch, 12, 2, 2]", "0"],
      ["7 (flatten)", "[batch, 48]", "0"],
      ["8 (linear)", "[batch, 3]", "147"],
    ]);
  });

  it("leaves nothing behind", async () => {
    const { x, y } = bars(32);
    const model = network();
    const live = async (): Promise<number> => {
      await model.fit(x, y, { ...silent, batchSize: 16, epochs: 1 });
      return (await engine().execute({ frees: [] })).memory.live;
    };
    await live();
    const before = await live();
    expect(await live()).toBeLessThanOrEqual(before);
  });
});

describe("layers", () => {
  it("begin as PyTorch's do: within ±1/√fanIn", async () => {
    manualSeed(2);
    const layers = [
      [nn.conv2d(6, 40, [3, 5], { groups: 2 }), [40, 3, 3, 5]],
      [nn.conv1d(4, 30, 7), [30, 4, 7]],
      [nn.convTranspose2d(40, 6, 3, { groups: 2 }), [40, 3, 3, 3]],
      [nn.convTranspose1d(30, 8, 5), [30, 8, 5]],
    ] as const;
    for (const [layer, shape] of layers) {
      expect(layer.weight.shape).toEqual(shape);
      const bound = 1 / Math.sqrt(shape.slice(1).reduce((product, size) => product * size, 1));
      const weights = Array.from(await layer.weight.data(), Math.abs);
      expect(Math.max(...weights)).toBeLessThanOrEqual(Math.fround(bound));
      expect(Math.max(...weights)).toBeGreaterThan(0.97 * bound);
      const biases = Array.from(await layer.bias!.data(), Math.abs);
      expect(Math.max(...biases)).toBeLessThanOrEqual(Math.fround(bound));
      expect(Math.max(...biases)).toBeGreaterThan(0);
    }
    expect(nn.conv2d(1, 2, 3, { bias: false }).bias).toBeUndefined();
  });

  it("give the shapes they say", () => {
    const image = zeros([2, 4, 9, 12]);
    const signal = zeros([2, 4, 20]);
    const shapes: [nn.Module, readonly number[], number[]][] = [
      [nn.conv1d(4, 6, 5, { stride: 2, padding: 2 }), signal.shape, [2, 6, 10]],
      [nn.conv2d(4, 6, [3, 2], { dilation: [2, 1] }), image.shape, [2, 6, 5, 11]],
      [nn.convTranspose1d(4, 6, 4, { stride: 2, padding: 1 }), signal.shape, [2, 6, 40]],
      [
        nn.convTranspose2d(4, 6, 3, { stride: 2, padding: 1, outputPadding: 1 }),
        image.shape,
        [2, 6, 18, 24],
      ],
      [nn.maxPool1d(3), signal.shape, [2, 4, 6]],
      [nn.maxPool2d([2, 3], { stride: 2, ceilMode: true }), image.shape, [2, 4, 5, 6]],
      [nn.avgPool1d(4, { padding: 2 }), signal.shape, [2, 4, 6]],
      [nn.avgPool2d(3, { countIncludePad: false }), image.shape, [2, 4, 3, 4]],
      [nn.adaptiveAvgPool1d(7), signal.shape, [2, 4, 7]],
      [nn.adaptiveAvgPool2d([2, 5]), image.shape, [2, 4, 2, 5]],
      [nn.adaptiveMaxPool1d(7), signal.shape, [2, 4, 7]],
      [nn.adaptiveMaxPool2d(4), image.shape, [2, 4, 4, 4]],
      [nn.globalAveragePooling2d(), image.shape, [2, 4]],
      [nn.globalMaxPooling2d(), image.shape, [2, 4]],
    ];
    for (const [layer, input, output] of shapes) {
      expect(layer.forward(zeros(input)).shape, layer.type).toEqual(output);
    }
  });
});

describe("errors", () => {
  const image = zeros([2, 3, 8, 8]);
  const cases: [string, () => unknown, new (message: string) => FerrogradError, string][] = [
    [
      "channels that do not fit",
      () => conv2d(image, zeros([4, 2, 3, 3])),
      ShapeError,
      "conv2d: [2, 3, 8, 8] × [4, 2, 3, 3]: 3 channels, not the 2 that the weight is for",
    ],
    [
      "a window larger than the image",
      () => conv2d(image, zeros([4, 3, 3, 11]), { padding: 1 }),
      ShapeError,
      "conv2d: [2, 3, 8, 8] × [4, 3, 3, 11]: a window of 11 does not fit in 10 positions",
    ],
    [
      "an input without its axes",
      () => conv1d(image, zeros([4, 3, 3])),
      ShapeError,
      "conv1d: [batch, channels, length] is needed, not [2, 3, 8, 8]",
    ],
    [
      "a weight without its axes",
      () => conv2d(image, zeros([4, 3, 3])),
      ShapeError,
      "conv2d: weight: [out, in, height, width] is needed, not [4, 3, 3]",
    ],
    [
      "groups that do not divide the channels",
      () => conv2d(image, zeros([4, 1, 3, 3]), { groups: 3 }),
      ArgumentError,
      "conv2d: 4 output channels cannot be cut into 3 groups",
    ],
    [
      "a bias of another length",
      () => conv2d(image, zeros([4, 3, 3, 3]), { bias: zeros([3]) }),
      ShapeError,
      "conv2d: bias is [3], not [4]",
    ],
    [
      "a stride of nothing",
      () => conv2d(image, zeros([4, 3, 3, 3]), { stride: [1, 0] }),
      ArgumentError,
      "conv2d: stride is 0; it must be a whole number ≥ 1",
    ],
    [
      "padding that cannot be the same",
      () => conv2d(image, zeros([4, 3, 3, 3]), { stride: 2, padding: "same" }),
      ArgumentError,
      'conv2d: padding "same" needs stride 1, not 2; give the padding as a number',
    ],
    [
      "integers",
      () => conv2d(zeros([1, 1, 3, 3], "int32"), zeros([1, 1, 1, 1], "int32")),
      DTypeError,
      "conv2d: takes float32 or float64, not int32",
    ],
    [
      "more output padding than stride",
      () => convTranspose2d(image, zeros([3, 1, 3, 3]), { stride: 2, outputPadding: 2 }),
      ArgumentError,
      "convTranspose2d: outputPadding is 2; it must be less than the stride or the dilation",
    ],
    [
      "padding that leaves nothing",
      () => convTranspose2d(zeros([1, 1, 1, 1]), zeros([1, 1, 3, 3]), { padding: 2 }),
      ShapeError,
      "convTranspose2d: [1, 1, 1, 1] × [1, 1, 3, 3]: padding 2 on both sides leaves nothing of 3",
    ],
    [
      "padding that fills a window",
      () => maxPool2d(image, 2, { padding: 2 }),
      ArgumentError,
      "maxPool2d: padding 2 is not less than the window of 2, which it would fill",
    ],
    [
      "a pool larger than the image",
      () => avgPool2d(image, 9),
      ShapeError,
      "avgPool2d: [2, 3, 8, 8]: a window of 9 does not fit in 8 positions",
    ],
    [
      "a pool of integers",
      () => maxPool1d(zeros([1, 1, 4], "int32"), 2),
      DTypeError,
      "maxPool1d: takes float32 or float64, not int32",
    ],
    [
      "an image without positions",
      () => adaptiveAvgPool2d(zeros([1, 1, 0, 4]), 2),
      ArgumentError,
      "adaptiveAvgPool2d: axis 2 is 0",
    ],
    [
      "a layer with groups that do not divide its channels",
      () => nn.conv2d(4, 6, 3, { groups: 4 }),
      ArgumentError,
      "conv2d: 4 and 6 channels cannot be cut into 4 groups",
    ],
    [
      "a layer without channels",
      () => nn.conv1d(0, 6, 3),
      ArgumentError,
      "conv1d: inChannels is 0",
    ],
    [
      "a pool layer without a window",
      () => nn.maxPool2d([2, 0]),
      ArgumentError,
      "maxPool2d: kernelSize is 0",
    ],
    [
      "a global pool of a matrix",
      () => nn.globalAveragePooling2d().forward(zeros([2, 3])),
      ShapeError,
      "globalAveragePooling2d: [batch, channels, height, width] is needed, not [2, 3]",
    ],
  ];
  it.each(cases)("%s", (_, body, kind, message) => {
    let thrown: unknown;
    try {
      body();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(kind);
    expect((thrown as Error).message).toContain(message);
  });

  it("padding says what it may be", () => {
    // @ts-expect-error: no such padding
    expect(() => nn.conv2d(1, 1, 3, { padding: "full" })).toThrow('"full" is none of same, valid');
  });
});

it("integer images meet float weights, and float32 meets float64", async () => {
  const image = tensor(Int32Array.of(1, 2, 3, 4), { shape: [1, 1, 2, 2] });
  const ones = tensor(Float64Array.of(1, 1, 1, 1), { shape: [1, 1, 2, 2] });
  expect(ones.dtype).toBe("float64");
  const y = conv2d(image, ones);
  expect(y.dtype).toBe("float64");
  expect(await y.item()).toBe(10);
});
