/** Rows of one training step: a model's loss, its gradients, and Adam. */
import type { Tensor, nn } from "../src/index.js";
import { compile, crossEntropy, optim } from "../src/index.js";
import { lossError } from "./references.js";
import type { Row } from "./row.js";
import { checkedSteps, learningRate } from "./workloads.js";

/** What a model learns from. */
interface Batch {
  readonly x: Tensor;
  readonly labels: Tensor;
}

/** The step of a row, made anew each time. */
export interface Training {
  /** The model with its first weights; `dropout` where it has any. */
  makeModel(dropout: number): nn.Module;
  makeBatch(): Batch;
  /** While timed; for the comparison there is none. */
  readonly dropout?: number;
}

/** Gives `model`'s parameters their first values, by name; others keep what they have. */
export function setWeights(
  model: nn.Module,
  weights: Readonly<Record<string, Float32Array>>,
): void {
  const parameters = model.namedParameters();
  for (const [name, data] of Object.entries(weights)) parameters.get(name)!.set(data);
}

function makeStep(model: nn.Module, { x, labels }: Batch): () => Promise<number> {
  const optimizer = new optim.Adam(model.parameters(), { learningRate });
  const step = compile((input: Tensor, target: Tensor) => {
    optimizer.zeroGrad();
    const loss = crossEntropy(model.forward(input), target);
    loss.backward();
    optimizer.step();
    return loss;
  });
  return async () => {
    const loss = await step(x, labels);
    return loss.item();
  };
}

/** The row `name`. */
export function trainingRow(name: string, training: Training): Row {
  const { makeModel, makeBatch, dropout = 0 } = training;
  return {
    name,
    async prepare() {
      const batch = makeBatch();
      const checked = makeStep(makeModel(0), batch);
      const losses: number[] = [];
      while (losses.length < checkedSteps) losses.push(await checked());
      const step = makeStep(makeModel(dropout), batch);
      return {
        error: lossError(name, losses),
        run: async () => {
          await step();
        },
      };
    },
  };
}
