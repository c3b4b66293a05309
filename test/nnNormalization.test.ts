import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  add,
  ArgumentError,
  batchNorm,
  DTypeError,
  groupNorm,
  init,
  instanceNorm,
  layerNorm,
  loadModel,
  nn,
  relu,
  rmsNorm,
  saveModel,
  ShapeError,
  shutdown,
  tensor,
  zeros,
} from "../src/index.js";
import type { Tensor } from "../src/index.js";
import { operand } from "./cases/case.js";
import { difference } from "./opChecks.js";

beforeAll(() => init({ threads: 2 }));
afterAll(shutdown);

const shape = [3, 4, 5, 2];
const numbers = (salt: number, of: readonly number[] = shape): Tensor =>
  tensor(Float32Array.from(operand(of, { salt }).data), { shape: of });
const read = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

async function expectClose(found: Tensor, wanted: Tensor): Promise<void> {
  const reference = { shape: wanted.shape, data: await read(wanted) };
  expect(difference(await found.data(), reference, 1e-5)).toBeUndefined();
}

/** The layer with other numbers than it starts with. */
function shaken<M extends nn.Module>(layer: M): M {
  [...layer.parameters()].forEach((parameter, index) => {
    const { data } = operand(parameter.shape, { salt: 20 + index, low: 0.5, high: 2 });
    parameter.set(Float32Array.from(data));
  });
  return layer;
}

describe("layers", () => {
  it("compute what their ops do", async () => {
    const x = numbers(1);
    const group = shaken(nn.groupNorm(2, 4, { eps: 0.1 }));
    const { weight, bias } = group;
    await expectClose(
      group.forward(x),
      groupNorm(x, 2, { weight: weight!, bias: bias!, eps: 0.1 }),
    );
    await expectClose(nn.groupNorm(4, 4, { affine: false }).forward(x), instanceNorm(x));
    await expectClose(nn.instanceNorm2d(4).forward(x), instanceNorm(x));
    const affine = shaken(nn.instanceNorm2d(4, { affine: true }));
    const own = { weight: affine.weight!, bias: affine.bias! };
    await expectClose(affine.forward(x), instanceNorm(x, own));
    const rms = shaken(nn.rmsNorm(2));
    await expectClose(rms.forward(x), rmsNorm(x, { weight: rms.weight }));
  });

  it("have as parameters what they learn", () => {
    const names = (layer: nn.Module): string[] => [...layer.namedParameters().keys()];
    expect(names(nn.groupNorm(2, 4))).toEqual(["weight", "bias"]);
    expect(names(nn.groupNorm(2, 4, { affine: false }))).toEqual([]);
    expect(names(nn.instanceNorm1d(4))).toEqual([]);
    expect(names(nn.instanceNorm1d(4, { affine: true }))).toEqual(["weight", "bias"]);
    expect(names(nn.rmsNorm(4))).toEqual(["weight"]);
  });

  it("come back from a file as they were", async () => {
    const folder = await mkdtemp(join(tmpdir(), "norms-"));
    try {
      const model = shaken(
        nn.sequential(
          nn.groupNorm(2, 4, { eps: 0.01 }),
          nn.instanceNorm2d(4, { affine: true }),
          nn.batchNorm2d(4, { activation: "relu" }),
          nn.rmsNorm(2, { eps: 0.5 }),
        ),
      );
      await saveModel(model, folder);
      const loaded = await loadModel(folder);
      model.eval();
      loaded.model.eval();
      const x = numbers(2);
      expect(await read(loaded.model.forward(x))).toEqual(await read(model.forward(x)));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe("batch norm with what follows it", () => {
  it("is what the ops one after the other are, in training and inference", async () => {
    const [x, residual] = [numbers(3), numbers(4)];
    for (const training of [true, false]) {
      const plain = shaken(nn.batchNorm2d(4)).train(training);
      const cut = shaken(nn.batchNorm2d(4, { activation: "relu" })).train(training);
      await expectClose(cut.forward(x), relu(plain.forward(x)));
      await expectClose(cut.addTo(residual, x), relu(add(plain.forward(x), residual)));
      await expectClose(plain.addTo(residual, x), add(plain.forward(x), residual));
      // Both have learned the same of the batches they have seen: two, and three.
      const smooth = shaken(nn.batchNorm2d(4, { activation: "tanh" })).train(training);
      await expectClose(
        smooth.forward(x),
        shaken(nn.batchNorm2d(4)).train(training).forward(x).tanh(),
      );
    }
  });

  it("takes in the activation that is the next layer of a sequential model", async () => {
    const x = numbers(3);
    for (const name of ["relu", "tanh"] as const) {
      const model = nn.sequential(nn.batchNorm2d(4), nn.activation(name)).train();
      const { op } = model.forward(x).value.node!;
      expect(op.name).toBe(name === "relu" ? "batchNorm" : name);
      const one = nn.batchNorm2d(4, { activation: name }).train();
      expect(await read(model.forward(x))).toEqual(await read(one.forward(x)));
    }
  });

  it("gives the gradients of the ops one after the other", async () => {
    const weights = numbers(5);
    const gradientsOf = async (f: (x: Tensor, residual: Tensor) => Tensor): Promise<Tensor[]> => {
      const [x, residual] = [6, 7].map((salt) => {
        const { data } = operand(shape, { salt });
        return tensor(Float32Array.from(data), { shape, requiresGrad: true });
      });
      f(x!, residual!).mul(weights).sum().backward();
      return [x!.grad!, residual!.grad!];
    };
    const fused = await gradientsOf((x, residual) =>
      batchNorm(x, { residual, training: true, activation: "relu" }),
    );
    const apart = await gradientsOf((x, residual) =>
      relu(add(batchNorm(x, { training: true }), residual)),
    );
    for (const [index, found] of fused.entries()) await expectClose(found, apart[index]!);
  });
});

describe("misuse", () => {
  const cases: [string, () => unknown, new (message: string) => Error, string[]][] = [
    ["groups that do not divide", () => groupNorm(zeros([2, 6]), 4), ShapeError, ["6", "4"]],
    ["no whole number of groups", () => groupNorm(zeros([2, 6]), 1.5), ArgumentError, ["1.5"]],
    ["too few axes", () => instanceNorm(zeros([2, 6])), ShapeError, ["[2, 6]", "length"]],
    [
      "a weight of another size",
      () => rmsNorm(zeros([2, 6]), { weight: zeros([5]) }),
      ShapeError,
      ["weight", "[5]", "[6]"],
    ],
    [
      "rows of another shape",
      () => rmsNorm(zeros([2, 6]), { normalizedShape: [3] }),
      ShapeError,
      ["[2, 6]", "[3]"],
    ],
    [
      "a residual of another shape",
      () => batchNorm(zeros([2, 6]), { training: true, residual: zeros([2, 5]) }),
      ShapeError,
      ["residual", "[2, 5]", "[2, 6]"],
    ],
    [
      "another dtype",
      () => layerNorm(zeros([2, 6]), { weight: zeros([6], "float64") }),
      DTypeError,
      ["float32", "float64"],
    ],
    ["a layer's groups that do not divide", () => nn.groupNorm(4, 6), ArgumentError, ["6", "4"]],
  ];
  it.each(cases)("names %s", (_, call, kind, parts) => {
    expect(call).toThrow(kind);
    for (const part of parts) expect(call).toThrow(part);
  });
});
