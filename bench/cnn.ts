/** A training step of a small convolutional network: 64 images of 28×28, with Adam. */
import type { Tensor } from "../src/index.js";
import { compile, crossEntropy, nn, optim, tensor } from "../src/index.js";
import { noise, noiseIntegers } from "./numbers.js";
import type { Row } from "./row.js";

const batch = 64;
const side = 28;
const classes = 10;
/** Channels of the two convolutions; each is followed by a pool of 2×2. */
const [first, second] = [32, 64];
const features = second * (side / 4) ** 2;
const kernel = 9;

/** The first losses, by PyTorch in float64 (`bench/pytorch.py cnn_step --losses`). */
const losses = [2.9015206247180942, 3.1804674541374562, 2.8588381425394482, 2.0119698732130593];

/** A weight of so many numbers, uniform within ±√(6/(inputs + outputs)). */
function weights(seed: number, count: number, inputs: number, outputs: number): Float32Array {
  return noise(seed, count, Math.sqrt(6 / (inputs + outputs)));
}

function makeModel(): nn.Sequential {
  const block = (inputs: number, outputs: number): nn.Module[] => [
    nn.conv2d(inputs, outputs, 3, { padding: 1 }),
    nn.batchNorm2d(outputs),
    nn.activation("relu"),
    nn.maxPool2d(2),
  ];
  const model = nn.sequential(
    ...block(1, first),
    ...block(first, second),
    nn.flatten(),
    nn.linear(features, classes),
  );
  const values = {
    "0.weight": weights(201, first * kernel, kernel, first * kernel),
    "0.bias": new Float32Array(first),
    "4.weight": weights(202, second * first * kernel, first * kernel, second * kernel),
    "4.bias": new Float32Array(second),
    "9.weight": weights(203, classes * features, features, classes),
  };
  const parameters = model.namedParameters();
  for (const [name, data] of Object.entries(values)) parameters.get(name)!.set(data);
  return model;
}

/** The step, which gives the loss. */
function makeStep(): () => Promise<number> {
  const model = makeModel();
  const optimizer = new optim.Adam(model.parameters(), { learningRate: 1e-3 });
  const step = compile((images: Tensor, labels: Tensor) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(images), labels);
    loss.backward();
    optimizer.step();
    return loss;
  });
  const x = tensor(noise(210, batch * side * side), { shape: [batch, 1, side, side] });
  const y = tensor(noiseIntegers(211, batch, classes), { shape: [batch] });
  return async () => {
    const loss = await step(x, y);
    return loss.item();
  };
}

/** The row. */
export const cnn: Row = {
  name: "cnn_step",
  inTorch: true,
  async prepare() {
    const checked = makeStep();
    let error = 0;
    for (const loss of losses) error = Math.max(error, Math.abs((await checked()) / loss - 1));
    const step = makeStep();
    return {
      error,
      run: async () => {
        await step();
      },
    };
  },
};
