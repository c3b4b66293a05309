/** A training step of a perceptron of two hidden layers. */
import { nn, tensor } from "../src/index.js";
import { transposed } from "./numbers.js";
import { toTensor } from "./opRow.js";
import type { Row } from "./row.js";
import { setWeights, trainingRow } from "./trainingRow.js";
import { mlpBatch, mlpSizes, mlpWeights } from "./workloads.js";

const [features, hidden, , classes] = mlpSizes;

/** The row. */
export const perceptron: Row = trainingRow("mlp_step", {
  makeModel() {
    const model = nn.sequential(
      nn.linear(features, hidden, { activation: "relu" }),
      nn.linear(hidden, hidden, { activation: "relu" }),
      nn.linear(hidden, classes),
    );
    const weights = mlpWeights().map(({ data, shape: [inputs, outputs] }, layer) => [
      `${layer}.weight`,
      transposed(data, inputs!, outputs!),
    ]);
    setWeights(model, Object.fromEntries(weights) as Record<string, Float32Array>);
    return model;
  },
  makeBatch() {
    const { x, labels } = mlpBatch();
    return { x: toTensor(x), labels: tensor(labels) };
  },
});
