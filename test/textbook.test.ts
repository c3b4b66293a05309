/** The worked examples of docs/textbook.md, with their arithmetic. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  batchNorm,
  categoricalCrossEntropy,
  halfSquaredError,
  init,
  matmul,
  meanSquaredError,
  mul,
  nn,
  optim,
  sigmoid,
  shutdown,
  square,
  sub,
  sum,
  tensor,
  transpose,
} from "../src/index.js";
import type { NestedNumbers, Tensor } from "../src/index.js";
import { batches } from "../src/data/batches.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const double = (numbers: NestedNumbers, requiresGrad = false): Tensor =>
  tensor(numbers, { dtype: "float64", requiresGrad });

const σ = (x: number): number => 1 / (1 + Math.exp(-x));

function expectClose(found: ArrayLike<number>, expected: readonly number[], digits = 12): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, index) => expect(found[index]).toBeCloseTo(value, digits));
}

describe("a network of one hidden layer of sigmoids", () => {
  const x = [0.05, 0.1];
  const y = [0.01, 0.99];
  const [w1, b1] = [
    [
      [0.15, 0.2],
      [0.25, 0.3],
      [-0.1, 0.4],
    ],
    [0.35, -0.2, 0.1],
  ];
  const [w2, b2] = [
    [
      [0.4, 0.45, -0.3],
      [0.5, 0.55, 0.2],
    ],
    [0.6, -0.4],
  ];

  /** Activations, δ and gradients by hand: `δ₂ = (a₂ − y)⊙σ'(z₂)`, `δ₁ = (W₂ᵀδ₂)⊙σ'(z₁)`. */
  function byHand(): {
    a1: number[];
    a2: number[];
    delta1: number[];
    delta2: number[];
    w1: number[];
    w2: number[];
  } {
    const layer = (w: number[][], b: number[], input: number[]): number[] =>
      w.map((row, j) => σ(row.reduce((z, weight, i) => z + weight * input[i]!, b[j]!)));
    const a1 = layer(w1, b1, x);
    const a2 = layer(w2, b2, a1);
    const delta2 = a2.map((a, k) => (a - y[k]!) * a * (1 - a));
    const delta1 = a1.map(
      (a, j) => delta2.reduce((total, δ, k) => total + δ * w2[k]![j]!, 0) * a * (1 - a),
    );
    const outer = (δ: number[], input: number[]): number[] =>
      δ.flatMap((row) => input.map((value) => row * value));
    return { a1, a2, delta1, delta2, w1: outer(delta1, x), w2: outer(delta2, a1) };
  }

  function recorded(): { loss: Tensor; parameters: Tensor[]; output: Tensor } {
    const parameters = [w1, b1, w2, b2].map((numbers) => double(numbers, true));
    const [weight1, bias1, weight2, bias2] = parameters as [Tensor, Tensor, Tensor, Tensor];
    const hidden = sigmoid(matmul(double([x]), transpose(weight1)).add(bias1));
    const output = sigmoid(matmul(hidden, transpose(weight2)).add(bias2));
    return { loss: halfSquaredError(output, double([y])), parameters, output };
  }

  it("has the outputs and the loss of the hand calculation", async () => {
    const { loss, output } = recorded();
    const { a2 } = byHand();
    expectClose(await output.data(), a2);
    expect(await loss.item()).toBeCloseTo(
      0.5 * ((a2[0]! - y[0]!) ** 2 + (a2[1]! - y[1]!) ** 2),
      12,
    );
  });

  it("has the gradients δ·aᵀ of the weights and δ of the biases", async () => {
    const { loss, parameters } = recorded();
    loss.backward();
    const hand = byHand();
    const expected = [hand.w1, hand.delta1, hand.w2, hand.delta2];
    for (const [index, parameter] of parameters.entries()) {
      expectClose(await parameter.grad!.data(), expected[index]!);
    }
  });
});

it("takes one SGD step as by hand: w ← w − η·∂L/∂w", async () => {
  // ŷ = w·x + b with w = 2, b = 1, x = 3, y = 10: ŷ − y = −3, so ∂L/∂w = −9 and ∂L/∂b = −3.
  const w = new nn.Parameter(Float64Array.of(2), [], "float64");
  const b = new nn.Parameter(Float64Array.of(1), [], "float64");
  const optimizer = new optim.SGD([w, b], { learningRate: 0.1 });
  const loss = halfSquaredError(mul(w, 3).add(b), double(10));
  loss.backward();
  optimizer.step();
  expect(await loss.item()).toBe(4.5);
  expect(await w.grad!.item()).toBe(-9);
  expect(await b.grad!.item()).toBe(-3);
  expect(await w.item()).toBeCloseTo(2.9, 15);
  expect(await b.item()).toBeCloseTo(1.3, 15);
});

describe("losses", () => {
  const y = double([1, 2, 3, 4, 5]);
  const predicted = double([1.1, 2.1, 3.1, 4.1, 5.1]);

  it("½Σ(y − ŷ)² = 0.025, the sum without ½ 0.05, the mean 0.01", async () => {
    expect(await halfSquaredError(predicted, y).item()).toBeCloseTo(0.025, 12);
    expect(await sum(square(sub(predicted, y))).item()).toBeCloseTo(0.05, 12);
    expect(await meanSquaredError(predicted, y).item()).toBeCloseTo(0.01, 12);
  });

  it("−Σ y·ln ŷ = 0.8393, and 0.28 over the 3 positives", async () => {
    const truth = double([1, 0, 1, 0, 1]);
    const probabilities = double([0.8, 0.2, 0.6, 0.4, 0.9]);
    const loss = await categoricalCrossEntropy(probabilities, truth).item();
    expect(loss).toBeCloseTo(-(Math.log(0.8) + Math.log(0.6) + Math.log(0.9)), 12);
    expect(loss).toBeCloseTo(0.8393, 4);
    expect(loss / 3).toBeCloseTo(0.28, 2);
  });
});

it("normalizes a batch by the four formulas", async () => {
  const batch = [
    [1, 10],
    [2, 20],
    [3, 60],
    [6, 30],
  ];
  const [gamma, beta, eps] = [[2, 0.5], [1, -1], 1e-5];
  const columns = [0, 1].map((column) => batch.map((row) => row[column]!));
  const mean = columns.map((values) => values.reduce((a, b) => a + b) / 4);
  const variance = columns.map(
    (values, c) => values.reduce((total, value) => total + (value - mean[c]!) ** 2, 0) / 4,
  );
  expect(mean).toEqual([3, 30]);
  expect(variance).toEqual([3.5, 350]);
  const expected = batch.flatMap((row) =>
    row.map((value, c) => {
      const normal = (value - mean[c]!) / Math.sqrt(variance[c]! + eps);
      return gamma[c]! * normal + beta[c]!;
    }),
  );
  const [weight, bias] = [double(gamma), double(beta)];
  const y = batchNorm(double(batch), { weight, bias, eps, training: true });
  expectClose(await y.data(), expected);
});

it("reaches the known minimum by mini-batch SGD", async () => {
  // y = 3x − 2 without noise: the least squares lie at w = 3, b = −2.
  const rows = Array.from({ length: 40 }, (_, i) => i / 20 - 1);
  const w = new nn.Parameter(Float64Array.of(0), [], "float64");
  const b = new nn.Parameter(Float64Array.of(0), [], "float64");
  const optimizer = new optim.SGD([w, b], { learningRate: 0.2 });
  for (let epoch = 0; epoch < 40; epoch++) {
    for (const chosen of batches(rows.length, { batchSize: 8, shuffle: true, seed: 1, epoch })) {
      const x = Array.from(chosen, (row) => rows[row]!);
      const loss = meanSquaredError(mul(w, double(x)).add(b), double(x.map((v) => 3 * v - 2)));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
  }
  expect(await w.item()).toBeCloseTo(3, 6);
  expect(await b.item()).toBeCloseTo(-2, 6);
});
