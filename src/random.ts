/** Random numbers on the host: shuffles and first weights. Integer arithmetic, the same everywhere. */
import { checkWhole, shown } from "./checks.js";
import { ArgumentError } from "./errors.js";

/** What a Generator depends on; saved in checkpoints. */
export interface GeneratorState {
  readonly seed: number;
  readonly draws: number;
}

const wordSize = 2 ** 32;
/** Rounds of the counter cipher (Salmon et al., 2011). */
const rounds = 10;
const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
const keySteps = [0x9e3779b9, 0xbb67ae85] as const;

/** The high and low words of a·b. */
function multiply(a: number, b: number): readonly [high: number, low: number] {
  const [aHigh, aLow] = [a >>> 16, a & 0xffff];
  const [bHigh, bLow] = [b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carry = aLow * bHigh + (middle % 0x10000);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
  return [high >>> 0, Math.imul(a, b) >>> 0];
}

/** Philox4x32-10: four random words from a counter and a key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [a, b, c, d] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [high0, low0] = multiply(multipliers[0], a);
    const [high1, low1] = multiply(multipliers[1], c);
    [a, b, c, d] = [(high1 ^ b ^ k0) >>> 0, low1, (high0 ^ d ^ k1) >>> 0, low0];
    k0 = (k0 + keySteps[0]) >>> 0;
    k1 = (k1 + keySteps[1]) >>> 0;
  }
  return [a, b, c, d];
}

/** A sequence of random numbers that its seed determines. */
export class Generator {
  private seed: number;
  private draws = 0;
  private words: readonly number[] = [];

  /** `seed`: a whole number from 0 to 2⁵³−1. */
  constructor(seed: number) {
    checkSeed("Generator", seed);
    this.seed = seed;
  }

  /** What to give `restore` to go on from here. */
  get state(): GeneratorState {
    return { seed: this.seed, draws: this.draws };
  }

  /** Goes on from a state. Throws ArgumentError for one that no generator had. */
  restore({ seed, draws }: GeneratorState): void {
    checkSeed("Generator", seed);
    checkWhole("Generator: draws", draws, 0);
    this.seed = seed;
    this.draws = draws;
    if (draws % 4 !== 0) this.words = this.block();
  }

  /** A whole number below 2³². */
  uint32(): number {
    if (this.draws % 4 === 0) this.words = this.block();
    return this.words[this.draws++ % 4]!;
  }

  /** An even choice from [0, 1), a multiple of 2⁻³². */
  uniform(): number {
    return this.uint32() / wordSize;
  }

  /** A whole number below `limit`, which is 1 to 2³², every one as likely. */
  below(limit: number): number {
    if (!(Number.isInteger(limit) && limit >= 1 && limit <= wordSize)) {
      throw new ArgumentError(`Generator: below(${limit}); the limit must be from 1 to 2^32`);
    }
    // Words past the last whole multiple of the limit would favour small numbers.
    const fair = wordSize - (wordSize % limit);
    let word = this.uint32();
    while (word >= fair) word = this.uint32();
    return word % limit;
  }

  /** A number of the standard normal distribution (Marsaglia & Bray's polar method, 1964). */
  normal(): number {
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s > 0 && s < 1) return u * Math.sqrt((-2 * logarithm(s)) / s);
    }
  }

  /** Puts `items` in a random order (Fisher & Yates). */
  shuffle<T>(items: { length: number; [index: number]: T }): void {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      const item = items[last]!;
      items[last] = items[other]!;
      items[other] = item;
    }
  }

  private block(): number[] {
    const block = Math.floor(this.draws / 4);
    const split = (x: number): [number, number] => [x % wordSize, Math.floor(x / wordSize)];
    return philox([...split(block), 0, 0], split(this.seed));
  }
}

/** Throws ArgumentError unless `seed` is a whole number from 0 to 2⁵³−1. */
export function checkSeed(caller: string, seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new ArgumentError(
    `${caller}: seed ${shown(seed)} is not a whole number from 0 to 2^53 - 1`,
  );
}

/** ln x for 0 < x ≤ 1, to 2 units in the last place: engines differ in Math.log. */
export function logarithm(x: number): number {
  let exponent = 0;
  let m = x;
  for (; m < Math.SQRT1_2; m *= 2) exponent--;
  // ln m = 2·artanh(s), s = (m − 1)/(m + 1), |s| ≤ 0.172: terms beyond the 11th vanish.
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let sum = 0;
  for (let k = 21; k >= 1; k -= 2) sum = sum * z + 1 / k;
  return 2 * s * sum + exponent * Math.LN2;
}

/** ln 2 as a number whose products with small whole numbers are exact, and the rest of it. */
const ln2 = [0.69314718036912381649, 1.90821492927058770002e-10] as const;

/** eˣ, to 2 units in the last place: engines differ in Math.exp. */
export function exponential(x: number): number {
  if (Number.isNaN(x) || x === Infinity) return x;
  if (x > 710) return Infinity;
  if (x < -746) return 0;
  // eˣ = 2ᵏ·eʳ, |r| ≤ ln 2 / 2: Taylor's terms beyond the 14th vanish.
  const k = Math.round(x / Math.LN2);
  const r = x - k * ln2[0] - k * ln2[1];
  let sum = 1;
  for (let n = 14; n >= 1; n--) sum = 1 + (sum * r) / n;
  // In two steps: 2ᵏ itself may be out of range where the product is not.
  const half = Math.trunc(k / 2);
  return sum * 2 ** half * 2 ** (k - half);
}

/** cos and sin of an angle from −π to π, to 2⁻⁵⁰: engines differ in Math.cos. */
export function cosineAndSine(angle: number): readonly [cosine: number, sine: number] {
  // Taylor's terms beyond the 29th vanish.
  const square = angle * angle;
  let [cosine, sine] = [1, 1];
  for (let n = 28; n >= 2; n -= 2) {
    cosine = 1 - (cosine * square) / (n * (n - 1));
    sine = 1 - (sine * square) / (n * (n + 1));
  }
  return [cosine, angle * sine];
}
