/** Parameter groups, clipping by value, averages of weights and frozen layers. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  ArgumentError,
  compile,
  DataError,
  init,
  manualSeed,
  meanSquaredError,
  mul,
  nn,
  optim,
  shutdown,
  StateError,
  sum,
  tensor,
} from "../src/index.js";
import type { Tensor } from "../src/index.js";
import { select } from "../src/optim/parameterGroups.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const double = (row: readonly number[]): nn.Parameter =>
  new nn.Parameter(Float64Array.from(row), [row.length], "float64");

/** A step whose gradients are `slopes`. */
function push(optimizer: optim.Optimizer, slopes: readonly number[][]): void {
  optimizer.zeroGrad();
  const terms = optimizer.parameters.map((parameter, i) =>
    sum(mul(parameter, tensor([...slopes[i]!], { dtype: "float64" }))),
  );
  terms.reduce((a, b) => a.add(b)).backward();
  optimizer.step();
}

const content = async (x: Tensor): Promise<number[]> => Array.from(await x.data());

describe("parameter groups", () => {
  it("have rates and decays of their own, in proportion to the optimizer's", async () => {
    const [a, b, c] = [double([1, -2]), double([3]), double([4])];
    const optimizer = new optim.SGD(
      [
        { parameters: [a], learningRate: 0.5 },
        { parameters: [b], weightDecay: 0 },
        { parameters: [c] },
      ],
      { learningRate: 0.1, weightDecay: 0.25 },
    );
    push(optimizer, [[1, 1], [1], [1]]);
    expect(await content(a)).toEqual([1 - 0.5 * (1 + 0.25), -2 - 0.5 * (1 - 0.5)]);
    expect(await content(b)).toEqual([3 - 0.1]);
    expect(await content(c)).toEqual([4 - 0.1 * 2]);
    // Halved for all.
    optimizer.learningRate = 0.05;
    const before = await content(b);
    push(optimizer, [[0, 0], [1], [0]]);
    expect(await content(b)).toEqual([before[0]! - 0.05]);
    const [x] = await content(a);
    push(optimizer, [[4, 0], [0], [0]]);
    expect((await content(a))[0]).toBe(x! - 0.25 * (4 + 0.25 * x!));
  });

  it("give each parameter the bits it has with an optimizer of its own", async () => {
    const [a, b] = [double([1, -2]), double([3])];
    const [alone, other] = [double([1, -2]), double([3])];
    const together = new optim.AdamW(
      [
        { parameters: [a], learningRate: 0.3 },
        { parameters: [b], weightDecay: 0.5 },
      ],
      { learningRate: 0.1, weightDecay: 0.2 },
    );
    const first = new optim.AdamW([alone], { learningRate: 0.3, weightDecay: 0.2 });
    const second = new optim.AdamW([other], { learningRate: 0.1, weightDecay: 0.5 });
    for (let step = 0; step < 4; step++) {
      const slopes = [[step - 1.5, 0.25], [0.5 * step]];
      push(together, slopes);
      push(first, [slopes[0]!]);
      push(second, [slopes[1]!]);
    }
    expect(await content(a)).toEqual(await content(alone));
    expect(await content(b)).toEqual(await content(other));
  });

  it("are the same bits in a compiled loop", async () => {
    const ends: number[][] = [];
    for (const traced of [false, true]) {
      const [a, b] = [double([1, -2]), double([3])];
      const optimizer = new optim.Adam(
        [{ parameters: [a], learningRate: 0.3 }, { parameters: [b] }],
        {
          emaMomentum: 0.5,
        },
      );
      const body = (x: Tensor): Tensor => {
        optimizer.zeroGrad();
        const loss = sum(mul(mul(a, a), x)).add(sum(mul(b, b)));
        loss.backward();
        optimizer.step({ guard: loss });
        return loss;
      };
      const step = traced ? compile(body) : body;
      for (let i = 0; i < 4; i++) await (await step(tensor([i, 1], { dtype: "float64" }))).item();
      optimizer.swapAverages();
      ends.push([...(await content(a)), ...(await content(b))]);
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  it("are selected by name and rank, the first that fits", async () => {
    manualSeed(1);
    const model = nn.sequential(nn.linear(2, 3), nn.batchNorm1d(3), nn.linear(3, 1));
    model.compile({
      optimizer: optim.sgd({
        learningRate: 1,
        groups: [
          { names: ["0.*"], learningRate: 0 },
          { maxRank: 1, learningRate: 0.5 },
        ],
      }),
      loss: "mse",
    });
    const { optimizer } = model.setup("test");
    const [first] = await Promise.all(model.parameters().map(content));
    for (const parameter of model.parameters()) parameter.grad = parameter.mul(0).add(1);
    const before = await Promise.all(model.parameters().map(content));
    optimizer.step();
    const after = await Promise.all(model.parameters().map(content));
    const moved = after.map((row, i) => row.map((value, j) => before[i]![j]! - value));
    expect(after[0]).toEqual(first);
    expect(moved.map((row) => Math.round(row[0]! * 100) / 100)).toEqual([0, 0, 0.5, 0.5, 1, 0.5]);
  });

  it.each<[string, readonly string[], readonly string[]]>([
    ["*", ["a.weight", "b"], ["a.weight", "b"]],
    ["a.*", ["a.weight", "b.a."], ["a.weight"]],
    ["*.bias", ["0.bias", "bias", "0.bias2"], ["0.bias"]],
    ["a*b*c", ["abc", "aXbbYc", "ab", "acb", "abcbc"], ["abc", "aXbbYc", "abcbc"]],
    ["ab*ba", ["aba", "abba", "abXba"], ["abba", "abXba"]],
    ["weight", ["weight", "0.weight"], ["weight"]],
    ["a.b", ["a.b", "aXb"], ["a.b"]],
  ])("names match %s", (pattern, all, expected) => {
    const named = new Map(all.map((name) => [name, double([1])]));
    expect([...select(named, { names: [pattern] }, "test").keys()]).toEqual(expected);
  });

  it("refuse what cannot be meant", () => {
    const [a, b] = [double([1]), double([2])];
    const make = (groups: readonly optim.ParameterGroup[], learningRate = 0.1) => {
      return () => new optim.SGD(groups, { learningRate });
    };
    expect(make([])).toThrow("optimizer: no parameters");
    expect(make([{ parameters: [a] }, { parameters: [b, a] }])).toThrow("is in two groups");
    expect(make([{ parameters: [a], learningRate: NaN }])).toThrow(
      "learningRate of group 0 is NaN",
    );
    expect(make([{ parameters: [a], weightDecay: -1 }])).toThrow("weightDecay of group 0 is -1");
    expect(make([{ parameters: [a], learningRate: 1 }], 0)).toThrow("in proportion to, is 0");
    expect(() => new optim.SGD([a, { parameters: [b] }] as never)).toThrow("are mixed");
    const model = nn.sequential(nn.linear(2, 2));
    const optimizer = optim.sgd({ groups: [{ names: ["1.*"] }] });
    expect(() => model.compile({ optimizer, loss: "mse" })).toThrow(
      "optimizer: groups[0] selects no parameter of 0.weight, 0.bias",
    );
    const { parameters } = new optim.SGD([a]);
    expect(parameters).toEqual([a]);
    const given = new optim.SGD([a], { learningRate: 1 });
    expect(() => (given.learningRate = -1)).toThrow(ArgumentError);
    expect(given.learningRate).toBe(1);
  });
});

describe("clipping by value", () => {
  it("bounds each element, whoever does it", async () => {
    const slopes = [[3, -0.5, -2, 0.25]];
    const [byOption, byHand] = [double([0, 0, 0, 0]), double([0, 0, 0, 0])];
    push(new optim.SGD([byOption], { learningRate: 1, clipValue: 1 }), slopes);
    const optimizer = new optim.SGD([byHand], { learningRate: 1 });
    sum(mul(byHand, tensor(slopes[0]!, { dtype: "float64" }))).backward();
    optim.clipGradValue([byHand], 1);
    optimizer.step();
    expect(await content(byOption)).toEqual([-1, 0.5, 1, -0.25]);
    expect(await content(byHand)).toEqual(await content(byOption));
  });

  it("is not mixed with clipping by norm", () => {
    const make = (): unknown => new optim.Adam([double([1])], { clipNorm: 1, clipValue: 1 });
    expect(make).toThrow("by clipNorm or by clipValue, not by both");
    expect(() => new optim.Adam([double([1])], { clipValue: -1 })).toThrow("clipValue is -1");
    expect(() => optim.clipGradValue([double([1])], 1)).toThrow("no parameter has a gradient");
  });
});

describe("averages of weights", () => {
  const momentum = 0.75;

  it("follow their formula, from the parameters after the first step", async () => {
    const p = double([1, -2]);
    const optimizer = new optim.SGD([p], { learningRate: 0.5, emaMomentum: momentum });
    let average: number[] = [];
    for (let step = 0; step < 4; step++) {
      push(optimizer, [[step, 1]]);
      const now = await content(p);
      average = now.map((value, i) => value + (step && momentum) * ((average[i] ?? 0) - value));
    }
    const raw = await content(p);
    optimizer.swapAverages();
    expect(await content(p)).toEqual(average);
    expect(optimizer.averagesSwapped).toBe(true);
    expect(() => push(optimizer, [[1, 1]])).toThrow("step: the parameters hold their averages");
    await expect(optimizer.stateDict()).rejects.toThrow("swapAverages() first");
    optimizer.swapAverages();
    expect(await content(p)).toEqual(raw);
    optimizer.useAverages();
    expect(await content(p)).toEqual(average);
    expect(optimizer.averagesSwapped).toBe(false);
    optimizer.useAverages();
    expect(await content(p)).toEqual(average);
  });

  it("do not see a step that the guard stopped", async () => {
    const p = double([1, -2]);
    const optimizer = new optim.SGD([p], { learningRate: 0.5, emaMomentum: momentum });
    push(optimizer, [[1, 1]]);
    const before = await content(p);
    mul(sum(p), tensor(3, { dtype: "float64" })).backward();
    optimizer.step({ guard: tensor(Infinity, { dtype: "float64" }) });
    expect(await content(p)).toEqual(before);
    optimizer.swapAverages();
    expect(await content(p)).toEqual(before);
  });

  it("may be swapped around compiled steps and evaluation", async () => {
    const p = double([1, -2]);
    const optimizer = new optim.SGD([p], { learningRate: 0.5, emaMomentum: momentum });
    const twice = compile((x: Tensor) => mul(p, x));
    const two = tensor(2, { dtype: "float64" });
    const doubled = async (): Promise<number[]> => content(await twice(two));
    const step = compile((x: Tensor) => {
      optimizer.zeroGrad();
      const loss = sum(mul(p, x));
      loss.backward();
      optimizer.step();
      return loss;
    });
    // Traced when the parameter is fresh, swapped at once, and swapped again later.
    expect(await doubled()).toEqual([2, -4]);
    await step(tensor([1, 1], { dtype: "float64" }));
    await step(tensor([2, 4], { dtype: "float64" }));
    expect(await doubled()).toEqual([-1, -9]);
    const average = [0.5, -2.5].map((first, i) => {
      const last = [-0.5, -4.5][i]!;
      return 2 * (last + momentum * (first - last));
    });
    for (let round = 0; round < 3; round++) {
      optimizer.swapAverages();
      expect(await doubled()).toEqual(average);
      optimizer.swapAverages();
      expect(await doubled()).toEqual([-1, -9]);
    }
    await step(tensor([0, 0], { dtype: "float64" }));
    expect(await doubled()).toEqual([-1, -9]);
  });

  it("are saved and go on", async () => {
    const ends: number[][] = [];
    for (const stopped of [false, true]) {
      const p = double([1, -2]);
      const make = (): optim.Adam => new optim.Adam([p], { emaMomentum: momentum });
      let optimizer = make();
      optimizer.learningRate = 0.25;
      for (let step = 0; step < 4; step++) {
        if (stopped && step === 2) {
          const state = await optimizer.stateDict();
          expect([...state.variables.keys()]).toEqual(["m.0", "v.0", "average.0", "step"]);
          optimizer = make();
          optimizer.loadStateDict(state);
          expect(optimizer.learningRate).toBe(0.25);
        }
        push(optimizer, [[step, 1]]);
      }
      optimizer.swapAverages();
      ends.push(await content(p));
    }
    expect(ends[1]).toEqual(ends[0]);
  });

  it("say so where there are none", async () => {
    const plain = new optim.SGD([double([1])]);
    expect(() => plain.swapAverages()).toThrow(StateError);
    expect(() => plain.swapAverages()).toThrow("give it emaMomentum");
    const fresh = new optim.SGD([double([1])], { emaMomentum: 0.9 });
    expect(fresh.hasAverages).toBe(false);
    expect(() => fresh.useAverages()).toThrow("nothing is averaged before the first step");
    expect(() => new optim.SGD([double([1])], { emaMomentum: 1 })).toThrow("emaMomentum is 1");
    const saved = { ...(await plain.stateDict()), learningRate: -1 };
    expect(() => plain.loadStateDict(saved)).toThrow(DataError);
    expect(plain.learningRate).toBe(0.01);
  });
});

describe("frozen layers", () => {
  it("learn nothing, nor their statistics, and drop nothing", async () => {
    manualSeed(2);
    const model = nn.sequential(
      nn.linear(2, 3),
      nn.batchNorm1d(3),
      nn.dropout(0.5),
      nn.linear(3, 1),
    );
    for (const layer of model.layers.slice(0, 3)) layer.freeze();
    const x = tensor([
      [1, 2],
      [3, -1],
    ]);
    const state = await model.stateDict();
    const output = await content(model.eval().forward(x));
    model.train();
    expect(await content(model.forward(x))).toEqual(output);
    const optimizer = new optim.SGD(model.parameters(), { learningRate: 0.1 });
    meanSquaredError(model.forward(x), tensor([[1], [0]])).backward();
    optimizer.step();
    const after = await model.stateDict();
    const changed = [...after].filter(([name, { data }]) =>
      data.some((value, i) => value !== state.get(name)!.data[i]),
    );
    expect(changed.map(([name]) => name)).toEqual(["3.weight", "3.bias"]);
    model.layers[0]!.unfreeze();
    optimizer.zeroGrad();
    meanSquaredError(model.forward(x), tensor([[1], [0]])).backward();
    expect(model.parameters().map(({ grad }) => grad !== undefined)).toEqual([
      ...[true, true],
      ...[false, false],
      ...[true, true],
    ]);
  });
});
