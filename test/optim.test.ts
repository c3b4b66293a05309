/** Optimizers against float64 references written from their papers and PyTorch's documentation. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { init, mul, nn, optim, shutdown, square, sub, sum, tensor } from "../src/index.js";
import type { optim as Optim, Tensor } from "../src/index.js";

beforeAll(async () => {
  await init({ threads: 2 });
});
afterAll(shutdown);

const steps = 5;
const start = [
  [0.5, -1.25, 2],
  [3, -0.75],
];
const aims = [
  [1, 1, -1],
  [0, 2],
];
const curvature = [
  [1, 4, 0.5],
  [2, 3],
];

/** The gradient of ½·Σ c·(p − a)². */
function gradients(p: readonly number[][]): number[][] {
  return p.map((row, i) => row.map((value, j) => curvature[i]![j]! * (value - aims[i]![j]!)));
}

function parameters(): nn.Parameter[] {
  return start.map((row) => new nn.Parameter(Float64Array.from(row), [row.length], "float64"));
}

function lossOf(all: readonly nn.Parameter[]): Tensor {
  const double = (row: number[]): Tensor => tensor(row, { dtype: "float64" });
  const [first, second] = all.map((parameter, i) =>
    mul(sum(mul(square(sub(parameter, double(aims[i]!))), double(curvature[i]!))), 0.5),
  );
  return first!.add(second!);
}

async function run(
  make: (all: nn.Parameter[]) => Optim.Optimizer,
  count = steps,
): Promise<number[][]> {
  const all = parameters();
  const optimizer = make(all);
  for (let step = 0; step < count; step++) {
    optimizer.zeroGrad();
    lossOf(all).backward();
    optimizer.step();
  }
  return Promise.all(all.map(async (parameter) => Array.from(await parameter.data())));
}

function expectClose(found: number[][], expected: number[][]): void {
  expected.forEach((row, i) =>
    row.forEach((value, j) => expect(found[i]![j]).toBeCloseTo(value, 12)),
  );
}

/** Updates each number by `rule`, which keeps what it likes in `state`. */
function reference(
  rule: (p: number, g: number, state: { [name: string]: number }, t: number) => number,
  scaleOf: (g: number[][]) => number = () => 1,
): number[][] {
  let p = start.map((row) => [...row]);
  const states = p.map((row) => row.map((): { [name: string]: number } => ({})));
  for (let t = 1; t <= steps; t++) {
    const g = gradients(p);
    const scale = scaleOf(g);
    p = p.map((row, i) => row.map((value, j) => rule(value, scale * g[i]![j]!, states[i]![j]!, t)));
  }
  return p;
}

interface Sgd {
  learningRate: number;
  momentum?: number;
  dampening?: number;
  weightDecay?: number;
  nesterov?: boolean;
}

function sgd({ learningRate, momentum = 0, dampening = 0, weightDecay = 0, nesterov }: Sgd) {
  return (p: number, gradient: number, state: { [name: string]: number }): number => {
    let g = gradient + weightDecay * p;
    if (momentum > 0) {
      state.buffer = state.buffer === undefined ? g : momentum * state.buffer + (1 - dampening) * g;
      g = nesterov ? g + momentum * state.buffer : state.buffer;
    }
    return p - learningRate * g;
  };
}

describe("SGD", () => {
  it.each<Sgd>([
    { learningRate: 0.1 },
    { learningRate: 0.1, weightDecay: 0.05 },
    { learningRate: 0.1, momentum: 0.9 },
    { learningRate: 0.1, momentum: 0.9, dampening: 0.4 },
    { learningRate: 0.1, momentum: 0.8, nesterov: true },
    { learningRate: 0.05, momentum: 0.8, nesterov: true, weightDecay: 0.1 },
    { learningRate: 0.05, momentum: 0.8, dampening: 0.2, weightDecay: 0.1 },
  ])("follows its formula with %o", async (options) => {
    const found = await run((all) => new optim.SGD(all, options));
    expectClose(found, reference(sgd(options)));
  });

  it("refuses Nesterov's momentum without momentum or with dampening", () => {
    const make = (options: optim.SgdOptions) => () => new optim.SGD(parameters(), options);
    const message = "optimizer: nesterov needs a momentum above 0 and no dampening";
    expect(make({ nesterov: true })).toThrow(message);
    expect(make({ nesterov: true, momentum: 0.9, dampening: 0.1 })).toThrow(message);
    expect(make({ momentum: 0.9, dampening: NaN })).toThrow("dampening is NaN");
  });
});

interface Adam {
  learningRate: number;
  betas?: [number, number];
  eps?: number;
  weightDecay?: number;
}

function adam(
  { learningRate, betas: [b1, b2] = [0.9, 0.999], eps = 1e-8, weightDecay = 0 }: Adam,
  decoupled: boolean,
) {
  return (p: number, g: number, state: { [name: string]: number }, t: number): number => {
    const from = decoupled ? p * (1 - learningRate * weightDecay) : p;
    const slope = decoupled ? g : g + weightDecay * p;
    state.m = b1 * (state.m ?? 0) + (1 - b1) * slope;
    state.v = b2 * (state.v ?? 0) + (1 - b2) * slope * slope;
    const [m, v] = [state.m / (1 - b1 ** t), state.v / (1 - b2 ** t)];
    return from - (learningRate * m) / (Math.sqrt(v) + eps);
  };
}

const adams: Adam[] = [
  { learningRate: 0.1 },
  { learningRate: 0.02, betas: [0.5, 0.8], eps: 1e-3 },
  { learningRate: 0.1, weightDecay: 0.3 },
];

describe("Adam and AdamW", () => {
  it.each(adams)("Adam follows its formula with %o", async (options) => {
    const found = await run((all) => new optim.Adam(all, options));
    expectClose(found, reference(adam(options, false)));
  });

  it.each(adams)("AdamW follows its formula with %o", async (options) => {
    const found = await run((all) => new optim.AdamW(all, options));
    expectClose(found, reference(adam({ weightDecay: 0.01, ...options }, true)));
  });

  it("differ where weights decay", async () => {
    const options = { learningRate: 0.1, weightDecay: 0.3 };
    const one = await run((all) => new optim.Adam(all, options));
    const other = await run((all) => new optim.AdamW(all, options));
    expect(one).not.toEqual(other);
  });
});

describe("clipping", () => {
  const norm = (g: number[][]): number => Math.sqrt(g.flat().reduce((s, x) => s + x * x, 0));
  const scaleOf = (most: number) => (g: number[][]) => Math.min(1, most / (norm(g) + 1e-6));

  it("scales all gradients by one factor", async () => {
    const options = { learningRate: 0.1, momentum: 0.9 };
    const found = await run((all) => new optim.SGD(all, { ...options, clipNorm: 2 }));
    expectClose(found, reference(sgd(options), scaleOf(2)));
    expect(found).not.toEqual(await run((all) => new optim.SGD(all, options)));
  });

  it("leaves short gradients as they are", async () => {
    const options = { learningRate: 0.1 };
    const found = await run((all) => new optim.Adam(all, { ...options, clipNorm: 1e6 }));
    expect(found).toEqual(await run((all) => new optim.Adam(all, options)));
  });

  it("clipGradNorm gives the norm before, and gradients of the norm wanted", async () => {
    const all = parameters();
    lossOf(all).backward();
    const before = optim.clipGradNorm(all, 1);
    expect(await before.item()).toBeCloseTo(norm(gradients(start)), 12);
    const after = optim.globalNorm(all.map((parameter) => parameter.grad!));
    expect(await after.item()).toBeCloseTo(1, 5);
  });
});

describe("the loop", () => {
  it("adds up the gradients of several backward passes", async () => {
    const [all, once] = [parameters(), parameters()];
    lossOf(all).backward();
    lossOf(all).backward();
    lossOf(once).backward();
    for (const [index, parameter] of all.entries()) {
      const single = await once[index]!.grad!.data();
      expect(await parameter.grad!.data()).toEqual(single.map((value) => 2 * value));
    }
  });

  it("steps less far once the learning rate is lowered", async () => {
    const [p] = parameters();
    const optimizer = new optim.SGD([p!], { learningRate: 1 });
    optimizer.learningRate = 0.5;
    sum(p!).backward();
    optimizer.step();
    expect(Array.from(await p!.data())).toEqual(start[0]!.map((value) => value - 0.5));
  });

  it("goes on from a saved state as if never stopped", async () => {
    const whole = await run((all) => new optim.Adam(all, { learningRate: 0.1 }));
    const all = parameters();
    let optimizer = new optim.Adam(all, { learningRate: 0.1 });
    for (let step = 0; step < steps; step++) {
      if (step === 2) {
        const state = await optimizer.stateDict();
        optimizer = new optim.Adam(all, { learningRate: 0.1 });
        optimizer.loadStateDict(state);
      }
      optimizer.zeroGrad();
      lossOf(all).backward();
      optimizer.step();
    }
    const found = await Promise.all(all.map(async (p) => Array.from(await p.data())));
    expect(found).toEqual(whole);
  });

  it("changes nothing where the guard is not finite", async () => {
    const all = parameters();
    const optimizer = new optim.Adam(all, { learningRate: 0.1 });
    lossOf(all).backward();
    optimizer.step({ guard: tensor(NaN, { dtype: "float64" }) });
    for (const [index, parameter] of all.entries()) {
      expect(Array.from(await parameter.data())).toEqual(start[index]);
    }
  });
});
