/** A training step of a small convolutional network: 64 images of 28×28. */
import { nn, tensor } from "../src/index.js";
import { transposed } from "./numbers.js";
import { toTensor } from "./opRow.js";
import type { Row } from "./row.js";
import { setWeights, trainingRow } from "./trainingRow.js";
import { cnnBatch, cnnWeights } from "./workloads.js";

/** The row. */
export const convolutional: Row = trainingRow("cnn_step", {
  makeModel() {
    const { kernels, dense } = cnnWeights();
    const blocks = kernels.map(({ shape: [outputs, inputs] }): nn.Module[] => [
      nn.conv2d(inputs!, outputs!, 3, { padding: 1 }),
      nn.batchNorm2d(outputs!),
      nn.activation("relu"),
      nn.maxPool2d(2),
    ]);
    const [features, classes] = dense.shape;
    const head = [nn.flatten(), nn.linear(features!, classes!)];
    const model = nn.sequential(...blocks.flat(), ...head);
    setWeights(model, {
      "0.weight": kernels[0]!.data,
      "0.bias": new Float32Array(kernels[0]!.shape[0]!),
      "4.weight": kernels[1]!.data,
      "4.bias": new Float32Array(kernels[1]!.shape[0]!),
      "9.weight": transposed(dense.data, features!, classes!),
    });
    return model;
  },
  makeBatch() {
    const { x, labels } = cnnBatch();
    return { x: toTensor(x), labels: tensor(labels) };
  },
});
