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

type State = { [name: string]: number };
type Formula = (p: number, g: number, state: State, t: number) => number;

const mean = (old: number | undefined, next: number, beta: number): number =>
  beta * (old ?? 0) + (1 - beta) * next;

/** Each optimizer that is left, with PyTorch's formula for it; Lion's is its paper's. */
const others: [string, (all: nn.Parameter[]) => Optim.Optimizer, Formula][] = [
  [
    "AMSGrad",
    (all) => new optim.Adam(all, { learningRate: 0.3, amsgrad: true, betas: [0.5, 0.6] }),
    (p, g, state, t) => {
      state.m = mean(state.m, g, 0.5);
      state.v = mean(state.v, g * g, 0.6);
      state.most = Math.max(state.most ?? 0, state.v);
      const size = Math.sqrt(state.most / (1 - 0.6 ** t)) + 1e-8;
      return p - ((0.3 / (1 - 0.5 ** t)) * state.m) / size;
    },
  ],
  [
    "Adamax",
    (all) => new optim.Adamax(all, { learningRate: 0.2, betas: [0.8, 0.9], weightDecay: 0.1 }),
    (p, gradient, state, t) => {
      const g = gradient + 0.1 * p;
      state.m = mean(state.m, g, 0.8);
      state.most = Math.max(0.9 * (state.most ?? 0), Math.abs(g) + 1e-8);
      return p - ((0.2 / (1 - 0.8 ** t)) * state.m) / state.most;
    },
  ],
  [
    "NAdam",
    (all) => new optim.NAdam(all, { learningRate: 0.1, momentumDecay: 0.02, weightDecay: 0.1 }),
    (p, gradient, state, t) => {
      const g = gradient + 0.1 * p;
      const mu = (t: number): number => 0.9 * (1 - 0.5 * 0.96 ** (t * 0.02));
      state.product = (state.product ?? 1) * mu(t);
      state.m = mean(state.m, g, 0.9);
      state.v = mean(state.v, g * g, 0.999);
      const size = Math.sqrt(state.v / (1 - 0.999 ** t)) + 1e-8;
      const byGradient = (0.1 * (1 - mu(t))) / (1 - state.product);
      const byMean = (0.1 * mu(t + 1)) / (1 - state.product * mu(t + 1));
      return p - (byGradient * g + byMean * state.m) / size;
    },
  ],
  [
    "RAdam",
    (all) =>
      new optim.RAdam(all, {
        learningRate: 0.1,
        betas: [0.9, 0.7],
        weightDecay: 0.2,
        decoupledWeightDecay: true,
      }),
    (from, g, state, t) => {
      const p = from * (1 - 0.1 * 0.2);
      state.m = mean(state.m, g, 0.9);
      state.v = mean(state.v, g * g, 0.7);
      const [rest1, rest2] = [1 - 0.9 ** t, 1 - 0.7 ** t];
      const most = 2 / (1 - 0.7) - 1;
      const rho = most - (2 * t * 0.7 ** t) / rest2;
      const rectified = ((rho - 4) * (rho - 2) * most) / ((most - 4) * (most - 2) * rho);
      const factor =
        rho > 5 ? (Math.sqrt(rectified) * Math.sqrt(rest2)) / (Math.sqrt(state.v) + 1e-8) : 1;
      return p - ((0.1 * state.m) / rest1) * factor;
    },
  ],
  ...[
    { momentum: 0, centered: false },
    { momentum: 0.5, centered: false },
    { momentum: 0, centered: true },
    { momentum: 0.5, centered: true },
  ].map(({ momentum, centered }): (typeof others)[number] => [
    `RMSprop, momentum ${momentum}, centered ${centered}`,
    (all) =>
      new optim.RMSprop(all, {
        learningRate: 0.05,
        alpha: 0.7,
        weightDecay: 0.1,
        momentum,
        centered,
      }),
    (p, gradient, state) => {
      const g = gradient + 0.1 * p;
      state.v = mean(state.v, g * g, 0.7);
      state.m = mean(state.m, g, 0.7);
      const square = centered ? state.v - state.m ** 2 : state.v;
      state.buffer = momentum * (state.buffer ?? 0) + g / (Math.sqrt(square) + 1e-8);
      return p - 0.05 * state.buffer;
    },
  ]),
  [
    "Adagrad",
    (all) =>
      new optim.Adagrad(all, { learningRate: 0.5, lrDecay: 0.3, initialAccumulatorValue: 0.2 }),
    (p, g, state, t) => {
      state.sum = (state.sum ?? 0.2) + g * g;
      return p - ((0.5 / (1 + (t - 1) * 0.3)) * g) / (Math.sqrt(state.sum) + 1e-10);
    },
  ],
  [
    "Adadelta",
    (all) => new optim.Adadelta(all, { learningRate: 2, rho: 0.8, eps: 1e-3 }),
    (p, g, state) => {
      state.v = mean(state.v, g * g, 0.8);
      const step = (Math.sqrt((state.moved ?? 0) + 1e-3) / Math.sqrt(state.v + 1e-3)) * g;
      state.moved = mean(state.moved, step * step, 0.8);
      return p - 2 * step;
    },
  ],
  [
    "Lion",
    (all) => new optim.Lion(all, { learningRate: 0.1, weightDecay: 0.3 }),
    (p, g, state) => {
      const towards = mean(state.m, g, 0.9);
      state.m = mean(state.m, g, 0.99);
      return p * (1 - 0.1 * 0.3) - 0.1 * Math.sign(towards);
    },
  ],
];

describe("other optimizers", () => {
  it.each(others)("%s follows its formula", async (_, make, formula) => {
    expectClose(await run(make), reference(formula));
  });

  it.each(others)("%s goes on from a saved state as if never stopped", async (_, make) => {
    const all = parameters();
    let optimizer = make(all);
    for (let step = 0; step < steps; step++) {
      if (step === 2) {
        const state = await optimizer.stateDict();
        optimizer = make(all);
        optimizer.loadStateDict(state);
      }
      optimizer.zeroGrad();
      lossOf(all).backward();
      optimizer.step();
    }
    const found = await Promise.all(all.map(async (p) => Array.from(await p.data())));
    expect(found).toEqual(await run(make));
  });

  it("refuse numbers out of range", () => {
    const all = parameters();
    const wrong: [() => unknown, string][] = [
      [() => new optim.RMSprop(all, { alpha: 1 }), "alpha is 1"],
      [() => new optim.RMSprop(all, { momentum: -1 }), "momentum is -1"],
      [() => new optim.Adagrad(all, { initialAccumulatorValue: -1 }), "initialAccumulatorValue"],
      [() => new optim.Adadelta(all, { rho: NaN }), "rho is NaN"],
      [() => new optim.Lion(all, { betas: [0.9, 1] }), "betas[1] is 1"],
      [() => new optim.NAdam(all, { momentumDecay: -1 }), "momentumDecay is -1"],
      [() => new optim.RAdam(all, { eps: -1 }), "eps is -1"],
    ];
    for (const [make, message] of wrong) expect(make).toThrow(`optimizer: ${message}`);
  });
});

describe("a parameter whose first gradient comes late", () => {
  const late = 2;
  const cases: [string, (all: nn.Parameter[]) => Optim.Optimizer, Formula][] = [
    [
      "SGD",
      (all) => new optim.SGD(all, { learningRate: 0.1, momentum: 0.9, dampening: 0.4 }),
      sgd({ learningRate: 0.1, momentum: 0.9, dampening: 0.4 }),
    ],
    [
      "Adam",
      (all) => new optim.Adam(all, { learningRate: 0.1 }),
      adam({ learningRate: 0.1 }, false),
    ],
    ...others.filter(([name]) => ["NAdam", "RAdam", "Adagrad"].includes(name)),
  ];

  it.each(cases)("begins with %s's first step, as in PyTorch", async (_, make, formula) => {
    const all = parameters();
    const optimizer = make(all);
    const states = start.map((row) => row.map((): State => ({})));
    let expected = start;
    for (let step = 1; step <= steps; step++) {
      optimizer.zeroGrad();
      lossOf(all).backward();
      if (step <= late) all[1]!.grad = undefined;
      optimizer.step();
      const g = gradients(expected);
      expected = expected.map((row, i) => {
        const own = i === 1 ? step - late : step;
        if (own < 1) return row;
        return row.map((value, j) => formula(value, g[i]![j]!, states[i]![j]!, own));
      });
    }
    const found = await Promise.all(all.map(async (p) => Array.from(await p.data())));
    expectClose(found, expected);
  });

  it("counts no step that the guard forbids", async () => {
    const all = parameters();
    const optimizer = new optim.Adam(all, { learningRate: 0.1 });
    for (const guard of [NaN, 0]) {
      optimizer.zeroGrad();
      lossOf(all).backward();
      optimizer.step({ guard: tensor(guard, { dtype: "float64" }) });
    }
    const found = await Promise.all(all.map(async (p) => Array.from(await p.data())));
    const single = (p: number, g: number, t: number): number =>
      t === 1 ? adam({ learningRate: 0.1 }, false)(p, g, {}, 1) : p;
    expectClose(
      found,
      start.map((row, i) => row.map((value, j) => single(value, gradients(start)[i]![j]!, 1))),
    );
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
