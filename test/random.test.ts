/** Host-side random numbers: the cipher's published vectors, even choices, and going on. */
import { describe, expect, it } from "vitest";
import { ArgumentError } from "../src/errors.js";
import { exponential, Generator, logarithm, philox } from "../src/random.js";

const all = 0xffffffff;

describe("philox", () => {
  // The vectors that Random123, the cipher's first implementation, is tested with.
  it.each([
    {
      counter: [0, 0, 0, 0],
      key: [0, 0],
      words: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    },
    {
      counter: [all, all, all, all],
      key: [all, all],
      words: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    },
    {
      counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      key: [0xa4093822, 0x299f31d0],
      words: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    },
  ] as const)("gives the published words for counter $counter", ({ counter, key, words }) => {
    expect(philox(counter, key)).toEqual(words);
  });
});

describe("exponential", () => {
  it("is within 2 units in the last place", () => {
    const generator = new Generator(2);
    let worst = 0;
    for (let i = 0; i < 100_000; i++) {
      const x = (generator.uniform() - 0.5) * [1e-3, 1, 30, 1400][i % 4]!;
      const exact = Math.exp(x);
      const unit = 2 ** (Math.floor(Math.log2(exact)) - 52);
      worst = Math.max(worst, Math.abs(exponential(x) - exact) / unit);
    }
    expect(worst).toBeLessThanOrEqual(2);
  });

  it("goes as far as doubles do", () => {
    expect([-Infinity, -800, 0, 800, Infinity, NaN].map(exponential)).toEqual([
      0,
      0,
      1,
      Infinity,
      Infinity,
      NaN,
    ]);
    expect(exponential(-745)).toBe(Number.MIN_VALUE);
    expect(exponential(709.78)).toBeGreaterThan(1.79e308);
  });
});

describe("logarithm", () => {
  const unitsOff = (x: number): number => {
    const exact = Math.log(x);
    const unit = 2 ** (Math.floor(Math.log2(Math.abs(exact))) - 52);
    return Math.abs(logarithm(x) - exact) / unit;
  };

  it("is within 2 units in the last place", () => {
    const generator = new Generator(1);
    let worst = 0;
    for (let i = 0; i < 200_000; i++) {
      const u = generator.uniform();
      for (const x of [u, 1 - u * 2 ** -(i % 50), u * 2 ** -(i % 60)]) {
        if (x > 0 && x < 1) worst = Math.max(worst, unitsOff(x));
      }
    }
    expect(worst).toBeLessThanOrEqual(2);
  });

  it.each([2 ** -62, 2 ** -32, Math.SQRT1_2, 0.5, 1 - 2 ** -53])("of %d", (x) => {
    expect(unitsOff(x)).toBeLessThanOrEqual(2);
  });
});

describe("Generator", () => {
  it("starts from the seed, all 53 bits of it", () => {
    const first = (seed: number): number => new Generator(seed).uint32();
    // Counter 0, key 0: the first published word.
    expect(first(0)).toBe(0x6627e8d5);
    const seeds = [0, 1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER];
    expect(new Set(seeds.map(first)).size).toBe(seeds.length);
    expect(first(2 ** 32)).toBe(philox([0, 0, 0, 0], [0, 1])[0]);
  });

  it("counts on: its fifth word is the first of the next counter", () => {
    const generator = new Generator(5);
    const words = Array.from({ length: 5 }, () => generator.uint32());
    expect(words[4]).toBe(philox([1, 0, 0, 0], [5, 0])[0]);
  });

  it.each([-1, 0.5, NaN, Infinity, 2 ** 53])("refuses the seed %d", (seed) => {
    expect(() => new Generator(seed)).toThrow(ArgumentError);
    expect(() => new Generator(seed)).toThrow(`seed ${seed} is not a whole number`);
  });

  it.each([0, 1, 2, 3, 4, 5, 1001])("goes on from its state after %i draws", (draws) => {
    const generator = new Generator(11);
    for (let i = 0; i < draws; i++) generator.uint32();
    const saved = JSON.stringify(generator.state);
    const expected = Array.from({ length: 9 }, () => generator.normal());
    const other = new Generator(0);
    other.restore(JSON.parse(saved) as Generator["state"]);
    expect(Array.from({ length: 9 }, () => other.normal())).toEqual(expected);
  });

  it.each([
    { seed: 1, draws: -1 },
    { seed: 1, draws: 0.5 },
    { seed: -1, draws: 0 },
    { seed: 1, draws: NaN },
  ])("refuses the state $seed, $draws and keeps its own", (state) => {
    const generator = new Generator(3);
    generator.uint32();
    expect(() => generator.restore(state)).toThrow(ArgumentError);
    expect(generator.state).toEqual({ seed: 3, draws: 1 });
  });

  it("draws uniform numbers from [0, 1), evenly", () => {
    const generator = new Generator(2);
    const draws = 100_000;
    const bins = new Array<number>(20).fill(0);
    for (let i = 0; i < draws; i++) {
      const u = generator.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      bins[Math.floor(u * bins.length)]!++;
    }
    // χ² with 19 degrees of freedom is above 43.8 once in a thousand seeds.
    const expected = draws / bins.length;
    const chi2 = bins.reduce((sum, bin) => sum + (bin - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(43.8);
  });

  it("draws normal numbers with the moments and tails of the distribution", () => {
    const generator = new Generator(4);
    const draws = Float64Array.from({ length: 200_000 }, () => generator.normal());
    const mean = (f: (x: number) => number): number =>
      draws.reduce((sum, x) => sum + f(x), 0) / draws.length;
    // Five standard errors each: √(1/n), √(2/n), √(15/n), √(96/n).
    const within = (count: number): number => 5 * Math.sqrt(count / draws.length);
    expect(Math.abs(mean((x) => x))).toBeLessThan(within(1));
    expect(Math.abs(mean((x) => x ** 2) - 1)).toBeLessThan(within(2));
    expect(Math.abs(mean((x) => x ** 3))).toBeLessThan(within(15));
    expect(Math.abs(mean((x) => x ** 4) - 3)).toBeLessThan(within(96));
    // P(|x| > 3) = 0.0026998.
    expect(mean((x) => (Math.abs(x) > 3 ? 1 : 0))).toBeCloseTo(0.0026998, 3);
  });

  it("always draws the same normal numbers", () => {
    const generator = new Generator(0);
    const draws = Array.from({ length: 3 }, () => generator.normal());
    expect(draws).toMatchInlineSnapshot(`
      [
        -0.25075878340702995,
        1.4838958237248259,
        0.2443397437881435,
      ]
    `);
  });

  it("chooses below a limit evenly, where words do not divide evenly", () => {
    const generator = new Generator(6);
    const limit = 3 * 2 ** 30; // a quarter of all words must be drawn again
    let low = 0;
    const draws = 20_000;
    for (let i = 0; i < draws; i++) {
      const chosen = generator.below(limit);
      expect(chosen).toBeLessThan(limit);
      if (chosen < limit / 3) low++;
    }
    // Words modulo the limit would be low in half of the draws.
    expect(low / draws).toBeCloseTo(1 / 3, 1);
    expect(generator.state.draws).toBeGreaterThan(draws * 1.2);
  });

  it.each([0, -1, 1.5, NaN, 2 ** 32 + 1])("refuses the limit %d", (limit) => {
    expect(() => new Generator(0).below(limit)).toThrow(ArgumentError);
  });

  it("takes all words below the greatest limit", () => {
    expect(new Generator(0).below(2 ** 32)).toBe(0x6627e8d5);
    expect(new Generator(0).below(1)).toBe(0);
  });

  it("shuffles into every order as often", () => {
    const generator = new Generator(7);
    const counts = new Map<string, number>();
    const rounds = 24_000;
    for (let i = 0; i < rounds; i++) {
      const items = ["a", "b", "c", "d"];
      generator.shuffle(items);
      const order = items.join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    // χ² with 23 degrees of freedom is above 49.7 once in a thousand seeds.
    const chi2 = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(49.7);
  });

  it.each([0, 1])("shuffles %i items without a draw", (length) => {
    const generator = new Generator(8);
    generator.shuffle(new Int32Array(length));
    expect(generator.state.draws).toBe(0);
  });
});
