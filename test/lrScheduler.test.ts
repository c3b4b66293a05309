/** Learning-rate schedules against the rates that PyTorch 2.2 gives. */
import { describe, expect, it } from "vitest";
import { ArgumentError, DataError, nn, optim } from "../src/index.js";
import { cosineOfPi, powerOf } from "../src/optim/elementary.js";
import * as lr from "../src/optim/lrScheduler/index.js";

function optimizer(learningRate = 0.1): optim.Optimizer {
  return new optim.SGD([new nn.Parameter(new Float32Array(1), [1])], { learningRate });
}

function expectRates(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((rate, i) =>
    expect(Math.abs(rate - expected[i]!)).toBeLessThanOrEqual(1e-14 + 1e-13 * expected[i]!),
  );
}

type Make = (o: optim.Optimizer) => lr.LRScheduler;

/** The rate at first and after each of 12 steps, as printed by PyTorch's lr_scheduler. */
const schedules: [name: string, make: Make, rates: readonly number[]][] = [
  [
    "step",
    (o) => new lr.StepLR(o, { stepSize: 3, gamma: 0.5 }),
    [0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125, 0.0125, 0.0125, 0.00625],
  ],
  [
    "milestones",
    (o) => new lr.MultiStepLR(o, { milestones: [2, 5, 5, 9] }),
    [0.1, 0.1, 0.01, 0.01, 0.01, 0.0001, 0.0001, 0.0001, 0.0001, 1e-5, 1e-5, 1e-5, 1e-5],
  ],
  [
    "exponential",
    (o) => new lr.ExponentialLR(o, { gamma: 0.9 }),
    [
      0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049, 0.0531441, 0.04782969, 0.043046721, 0.0387420489,
      0.03486784401, 0.031381059609, 0.0282429536481,
    ],
  ],
  [
    "constant",
    (o) => new lr.ConstantLR(o, { factor: 0.25, totalIters: 4 }),
    [0.025, 0.025, 0.025, 0.025, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  ],
  [
    "linear",
    (o) => new lr.LinearLR(o, { startFactor: 0.2, totalIters: 4 }),
    [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1],
  ],
  [
    "polynomial",
    (o) => new lr.PolynomialLR(o, { totalIters: 8 }),
    [0.1, 0.0875, 0.075, 0.0625, 0.05, 0.0375, 0.025, 0.0125, 0.0, 0.0, 0.0, 0.0, 0.0],
  ],
  [
    "polynomial of power 2.5",
    (o) => new lr.PolynomialLR(o, { totalIters: 8, power: 2.5 }),
    [
      0.1, 0.07161766091872, 0.0487139289628747, 0.0308816177750818, 0.0176776695296637,
      0.00861148737697211, 0.003125, 0.00055242717280199, 0.0, 0.0, 0.0, 0.0, 0.0,
    ],
  ],
  [
    "lambda",
    (o) => new lr.LambdaLR(o, (step) => 1 / (1 + step)),
    [
      0.1, 0.05, 0.0333333333333333, 0.025, 0.02, 0.0166666666666667, 0.0142857142857143, 0.0125,
      0.0111111111111111, 0.01, 0.00909090909090909, 0.00833333333333333, 0.00769230769230769,
    ],
  ],
  [
    "cosine",
    (o) => new lr.CosineAnnealingLR(o, { tMax: 5, etaMin: 0.01 }),
    [
      0.1, 0.0914057647468726, 0.0689057647468726, 0.0410942352531274, 0.0185942352531274, 0.01,
      0.0185942352531274, 0.0410942352531274, 0.0689057647468727, 0.0914057647468727, 0.1,
      0.0914057647468727, 0.0689057647468727,
    ],
  ],
  [
    "warm restarts, each longer",
    (o) => new lr.CosineAnnealingWarmRestarts(o, { t0: 3, tMult: 2, etaMin: 0.01 }),
    [
      0.1, 0.0775, 0.0325, 0.1, 0.0939711431702998, 0.0775, 0.055, 0.0325, 0.0160288568297003, 0.1,
      0.0984666621830081, 0.0939711431702998, 0.0868198051533946,
    ],
  ],
  [
    "warm restarts",
    (o) => new lr.CosineAnnealingWarmRestarts(o, { t0: 4 }),
    [
      0.1, 0.0853553390593274, 0.05, 0.0146446609406726, 0.1, 0.0853553390593274, 0.05,
      0.0146446609406726, 0.1, 0.0853553390593274, 0.05, 0.0146446609406726, 0.1,
    ],
  ],
  [
    "one cycle",
    (o) => new lr.OneCycleLR(o, { maxLearningRate: 1, totalSteps: 13 }),
    [
      0.04, 0.295163948464101, 0.789369791373943, 0.999702071467254, 0.964378262550171,
      0.874255877064054, 0.739969779104937, 0.577366357936471, 0.405633579748733, 0.245036717670141,
      0.11452695450886, 0.0295050543141226, 4e-6,
    ],
  ],
  [
    "one cycle in three lines",
    (o) =>
      new lr.OneCycleLR(o, {
        maxLearningRate: 1,
        totalSteps: 13,
        pctStart: 0.4,
        annealStrategy: "linear",
        divFactor: 10,
        finalDivFactor: 100,
        threePhase: true,
      }),
    [
      0.1, 0.314285714285714, 0.528571428571429, 0.742857142857143, 0.957142857142857,
      0.828571428571429, 0.614285714285714, 0.4, 0.185714285714286, 0.0835, 0.056, 0.0285, 0.001,
    ],
  ],
  [
    "a warm-up, then a cosine",
    (o) =>
      new lr.SequentialLR(
        o,
        [
          new lr.LinearLR(o, { startFactor: 0.25, totalIters: 4 }),
          new lr.CosineAnnealingLR(o, { tMax: 8 }),
        ],
        [4],
      ),
    [
      0.025, 0.04375, 0.0625, 0.08125, 0.1, 0.0961939766255643, 0.0853553390593274,
      0.0691341716182545, 0.05, 0.0308658283817455, 0.0146446609406726, 0.00380602337443566, 0.0,
    ],
  ],
];

describe.each(schedules)("%s", (_, make, rates) => {
  it("has PyTorch's rates", () => {
    const own = optimizer();
    const schedule = make(own);
    const found = [own.learningRate];
    for (let step = 1; step < rates.length; step++) {
      schedule.step();
      found.push(own.learningRate);
    }
    expectRates(found, rates);
    expect(schedule.steps).toBe(12);
    expect(found).toEqual(rates.map((_rate, step) => schedule.rateAt(step)));
  });

  it("goes on from its state", () => {
    const first = make(optimizer());
    for (let step = 0; step < 7; step++) first.step();
    const own = optimizer();
    const second = make(own);
    second.loadStateDict(first.stateDict());
    expect(own.learningRate).toBe(first.rateAt(7));
    second.step();
    expect(own.learningRate).toBe(first.rateAt(8));
  });
});

/** What is measured step by step, and the rate after each as PyTorch has it. */
const values = [
  1, 0.9, 0.9, 0.9, 0.9, 0.89995, 0.95, 0.8, 0.81, 0.82, 0.83, 0.79, 0.9, 0.9, 0.9, 0.9,
];
const plateaus: [options: lr.PlateauOptions, rates: readonly number[]][] = [
  [
    { factor: 0.5, patience: 2 },
    [
      0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.0125,
      0.0125,
    ],
  ],
  [
    {
      factor: 0.5,
      patience: 1,
      cooldown: 2,
      threshold: 0.05,
      thresholdMode: "abs",
      minLearningRate: 0.02,
    },
    [
      0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.025, 0.02, 0.02,
      0.02,
    ],
  ],
  [
    { mode: "max", patience: 0 },
    [
      0.1, 0.01, 0.001, 0.0001, 1e-5, 1e-6, 1e-7, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8,
      1e-8,
    ],
  ],
];

describe.each(plateaus)("reduceLROnPlateau with %o", (options, rates) => {
  it("has PyTorch's rates, interrupted or not", () => {
    for (const stop of [-1, 3, 9, 10]) {
      const own = optimizer();
      let schedule = new lr.ReduceLROnPlateau(own, options);
      const found = values.map((value, step) => {
        if (step === stop) {
          const state = schedule.stateDict();
          schedule = new lr.ReduceLROnPlateau(own, options);
          schedule.loadStateDict(state);
        }
        const before = own.learningRate;
        expect(schedule.step(value)).toBe(own.learningRate < before);
        return own.learningRate;
      });
      expectRates(found, rates);
    }
  });
});

it("the cosine and powers are within a few units of the last place", () => {
  for (let i = 0; i <= 1024; i++) {
    const x = i / 1024;
    expect(Math.abs(cosineOfPi(x) - Math.cos(Math.PI * x))).toBeLessThan(5e-16);
    for (const same of [2 - x, 2 + x, 6 - x]) expect(cosineOfPi(same)).toBe(cosineOfPi(x));
  }
  expect([0, 0.5, 1, 1.5, 2, 3].map(cosineOfPi)).toEqual([1, 0, -1, 0, 1, -1]);
  for (let i = 0; i <= 100; i++) {
    for (const p of [0.1, 0.5, 1.7, 2, 2.5, 9.25]) {
      const expected = (i / 100) ** p;
      expect(Math.abs(powerOf(i / 100, p) - expected)).toBeLessThanOrEqual(8e-15 * expected);
    }
  }
});

describe("what cannot be meant", () => {
  it.each<[string, () => unknown]>([
    ["stepLR: stepSize is 0", () => new lr.StepLR(optimizer(), { stepSize: 0 })],
    ["stepLR: gamma is NaN", () => new lr.StepLR(optimizer(), { stepSize: 1, gamma: NaN })],
    [
      "multiStepLR: milestones[1] is -1",
      () => new lr.MultiStepLR(optimizer(), { milestones: [1, -1] }),
    ],
    ["exponentialLR: gamma is -1", () => new lr.ExponentialLR(optimizer(), { gamma: -1 })],
    ["linearLR: totalIters is 0", () => new lr.LinearLR(optimizer(), { totalIters: 0 })],
    ["constantLR: factor is -1", () => new lr.ConstantLR(optimizer(), { factor: -1 })],
    ["polynomialLR: power is -1", () => new lr.PolynomialLR(optimizer(), { power: -1 })],
    ["cosineAnnealingLR: tMax is 1.5", () => new lr.CosineAnnealingLR(optimizer(), { tMax: 1.5 })],
    [
      "cosineAnnealingWarmRestarts: tMult is 0",
      () => new lr.CosineAnnealingWarmRestarts(optimizer(), { t0: 1, tMult: 0 }),
    ],
    [
      "oneCycleLR: annealStrategy",
      () =>
        new lr.OneCycleLR(optimizer(), {
          maxLearningRate: 1,
          totalSteps: 9,
          annealStrategy: "x" as never,
        }),
    ],
    [
      "oneCycleLR: pctStart is 0.6",
      () =>
        new lr.OneCycleLR(optimizer(), {
          maxLearningRate: 1,
          totalSteps: 9,
          pctStart: 0.6,
          threePhase: true,
        }),
    ],
    [
      "1 schedules have 0 milestones",
      () => new lr.SequentialLR(optimizer(), [new lr.ConstantLR(optimizer())], [1]),
    ],
    ["milestones[0] is 0", () => new lr.SequentialLR(optimizer(), [], [0])],
    ["reduceLROnPlateau: factor is 1", () => new lr.ReduceLROnPlateau(optimizer(), { factor: 1 })],
    [
      "reduceLROnPlateau: mode",
      () => new lr.ReduceLROnPlateau(optimizer(), { mode: "x" as never }),
    ],
    ["the value is NaN", () => new lr.ReduceLROnPlateau(optimizer()).step(NaN)],
    ["learningRate is -1", () => new lr.LambdaLR(optimizer(), () => -10)],
  ])("%s", (message, make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  it("a state that is none", () => {
    const own = optimizer();
    const schedule = new lr.StepLR(own, { stepSize: 1 });
    expect(() => schedule.loadStateDict({ steps: -1 })).toThrow(DataError);
    expect(own.learningRate).toBe(0.1);
    const plateau = new lr.ReduceLROnPlateau(own);
    const state = { best: 1, badSteps: 0.5, cooldownLeft: 0 };
    expect(() => plateau.loadStateDict(state)).toThrow(DataError);
  });
});
