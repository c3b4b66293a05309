/** Gradient checkpointing: the same gradients in less memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tensor } from "../src/index.js";
import {
  checkpoint,
  compile,
  dropout,
  grad,
  init,
  manualSeed,
  matmul,
  mul,
  nn,
  shutdown,
  sin,
  sum,
  tensor,
  tanh,
} from "../src/index.js";
import { numbers } from "./reference.js";

beforeAll(() => init({ threads: 2 }));
afterAll(shutdown);

function matrix(rows: number, columns: number, salt: number, requiresGrad = false): Tensor {
  const { data } = numbers([rows, columns], salt);
  return tensor(data, { shape: [rows, columns], dtype: "float32", requiresGrad });
}

const width = 32;

/** A deep network, in blocks that are checkpointed or not. */
function network(wrap: (block: (x: Tensor) => Tensor) => (x: Tensor) => Tensor) {
  const weights = Array.from({ length: 12 }, (_, i) => matrix(width, width, i, true));
  const blocks = [0, 4, 8].map((first) =>
    wrap((x) =>
      weights
        .slice(first, first + 4)
        .reduce((h, weight) => dropout(tanh(matmul(h, weight)), { p: 0.2 }), x),
    ),
  );
  const step = compile((x: Tensor) => {
    for (const weight of weights) weight.grad = undefined;
    sum(blocks.reduce((h, block) => block(h), x)).backward();
    return weights.map((weight) => weight.grad!);
  });
  return { step, x: matrix(200, width, 99) };
}

describe("checkpoint", () => {
  it("gives the same bits of the gradients, dropout included, in less memory", async () => {
    const [plain, saving] = [network((block) => block), network(checkpoint)];
    manualSeed(3);
    const expected = await plain.step(plain.x);
    manualSeed(3);
    const found = await saving.step(saving.x);
    for (const [index, weight] of expected.entries()) {
      expect(await found[index]!.data()).toEqual(await weight.data());
    }
    const bytes = 200 * width * 4;
    // Plain, each of 12 layers keeps what its product and its dropout give; in three blocks, four do.
    const saved = plain.step.peakBytes(plain.x) - saving.step.peakBytes(saving.x);
    expect(saved).toBeGreaterThan(10 * bytes);
  });

  it("calls its function once, and leaves a result that was not made by it alone", async () => {
    const x = matrix(2, 3, 1, true);
    let calls = 0;
    const same = checkpoint((y: Tensor) => {
      calls++;
      return y;
    })(x);
    expect(same).toBe(x);
    const square = checkpoint((y: Tensor) => {
      calls++;
      return sum(mul(y, y));
    })(x);
    square.backward();
    expect([...(await x.grad!.data())]).toEqual([...(await mul(x, 2).data())]);
    expect(calls).toBe(2);
  });

  it("passes gradients to what its function takes from outside", async () => {
    const [x, captured] = [matrix(2, 3, 1), matrix(2, 3, 2, true)];
    const before = mul(captured, 3);
    sum(checkpoint((y: Tensor) => mul(sin(y), before))(x)).backward();
    expect([...(await captured.grad!.data())]).toEqual([...(await mul(sin(x), 3).data())]);
  });

  it("can be read before its gradient is taken", async () => {
    const x = matrix(2, 3, 1, true);
    const y = checkpoint((z: Tensor) => sin(sin(z)))(x);
    await y.data();
    sum(y).backward();
    const direct = grad((z: Tensor) => sum(sin(sin(z))))(x.detach());
    expect([...(await x.grad!.data())]).toEqual([...(await direct.data())]);
  });

  it("has second gradients, and may stand in another checkpoint", async () => {
    const cube = (x: Tensor): Tensor => mul(mul(x, x), x);
    const nested = checkpoint((x: Tensor) => checkpoint(cube)(mul(x, 2)));
    const x = tensor([0.5, -2], { dtype: "float64" });
    const second = grad((y: Tensor) => sum(grad((z: Tensor) => sum(nested(z)))(y)))(x);
    // (2x)³ twice differentiated: 48x.
    expect([...(await second.data())]).toEqual([24, -96]);
  });

  it("works around layers", async () => {
    manualSeed(1);
    const layer = nn.transformerEncoderLayer({
      modelDim: 8,
      heads: 2,
      feedForwardDim: 16,
      dropout: 0,
    });
    const x = tensor(numbers([2, 5, 8], 4).data, { shape: [2, 5, 8], dtype: "float32" });
    layer.forward(x).mul(x).sum().backward();
    const expected = await Promise.all(layer.parameters().map(({ grad: dw }) => dw!.data()));
    for (const parameter of layer.parameters()) parameter.grad = undefined;
    checkpoint((y: Tensor) => layer.forward(y))(x)
      .mul(x)
      .sum()
      .backward();
    const found = await Promise.all(layer.parameters().map(({ grad: dw }) => dw!.data()));
    expect(found).toEqual(expected);
  });
});
