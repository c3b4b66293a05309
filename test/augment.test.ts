/** Random changes of images, batches and texts. */
import { describe, expect, it } from "vitest";
import { ArgumentError, DataError, ShapeError } from "../src/index.js";
import * as data from "../src/data/index.js";
import type { Table } from "../src/data/rows.js";
import { cosineAndSine, Generator } from "../src/random.js";

const { augment } = data;

/** A generator whose draws are all alike. */
class Fixed extends Generator {
  constructor(private readonly draw: number) {
    super(0);
  }
  override uniform(): number {
    return this.draw;
  }
}

/** Two channels of 3 × 4 whose values tell where they are: 100·channel + 10·row + column. */
const image: Table = {
  data: Float32Array.from(
    { length: 24 },
    (_, i) => 100 * Math.floor(i / 12) + 10 * (Math.floor(i / 4) % 3) + (i % 4),
  ),
  shape: [2, 3, 4],
};
const untouched = Float32Array.from(image.data);

const sumOf = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

/** A row of a channel. */
const rowOf = ({ data: values, shape }: Table, channel: number, row: number): number[] => {
  const start = (channel * shape[1]! + row) * shape[2]!;
  return [...values.subarray(start, start + shape[2]!)];
};

describe("images", () => {
  it("flips, always and never, and half of the time", () => {
    const across = augment.randomHorizontalFlip(1)(image, new Generator(0));
    expect(rowOf(across, 1, 2)).toEqual([123, 122, 121, 120]);
    const down = augment.randomVerticalFlip(1)(image, new Generator(0));
    expect(rowOf(down, 1, 0)).toEqual([120, 121, 122, 123]);
    expect(augment.randomHorizontalFlip(0)(image, new Generator(0))).toBe(image);
    const random = new Generator(1);
    const flips = Array.from({ length: 400 }, () => augment.randomVerticalFlip()(image, random));
    const flipped = flips.filter(({ data: values }) => values[0] !== 0).length;
    expect(Math.abs(flipped - 200)).toBeLessThan(3 * 10);
    expect(image.data).toEqual(untouched);
  });

  it("crops everywhere, with padding around", () => {
    const random = new Generator(2);
    const corners = new Set<number>();
    for (let i = 0; i < 200; i++) {
      const crop = augment.randomCrop({ size: [2, 2] })(image, random);
      expect(crop.shape).toEqual([2, 2, 2]);
      const [first] = crop.data;
      corners.add(first!);
      expect(rowOf(crop, 1, 1)).toEqual([first! + 110, first! + 111]);
    }
    expect([...corners].sort((a, b) => a - b)).toEqual([0, 1, 2, 10, 11, 12]);
    const padded = augment.randomCrop({ size: [7, 8], padding: 2, fill: -1 })(image, random);
    expect(rowOf(padded, 0, 0)).toEqual(new Array(8).fill(-1));
    expect(rowOf(padded, 1, 2)).toEqual([-1, -1, 100, 101, 102, 103, -1, -1]);
    expect(rowOf(augment.centerCrop(image, [1, 2]), 0, 0)).toEqual([11, 12]);
    expect(() => augment.randomCrop({ size: [4, 4] })(image, random)).toThrow(ShapeError);
    expect(() => augment.centerCrop(image, [4, 4])).toThrow("4 × 4 pixels of an image of 3 × 4");
  });

  it("turns about the middle", () => {
    const square: Table = { data: Float32Array.from({ length: 9 }, (_, i) => i), shape: [1, 3, 3] };
    // The greatest draw turns by the full angle.
    const full = new Fixed(1);
    const quarter = augment.randomRotation(90)(square, full);
    const turned = [...quarter.data].map((value) => Math.round(value));
    expect([
      [2, 5, 8, 1, 4, 7, 0, 3, 6],
      [6, 3, 0, 7, 4, 1, 8, 5, 2],
    ]).toContainEqual(turned);
    const half = augment.randomRotation(180)(square, full);
    expect([...half.data].map((value) => Math.round(value))).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const none = augment.randomAffine({})(square, new Generator(0));
    expect(none.data).toEqual(square.data);
  });

  it("moves and scales", () => {
    const full = new Fixed(1);
    const square: Table = {
      data: Float32Array.from({ length: 16 }, (_, i) => i),
      shape: [1, 4, 4],
    };
    const moved = augment.randomAffine({ translate: 0.25, fill: -1 })(square, full);
    expect(rowOf(moved, 0, 0)).toEqual([-1, -1, -1, -1]);
    expect(rowOf(moved, 0, 1)).toEqual([-1, 0, 1, 2]);
    const twice = augment.randomAffine({ scale: [2, 2] })(square, full);
    // The middle, 7.5, stays; steps are half as large.
    expect(rowOf(twice, 0, 1)[1]! - rowOf(twice, 0, 1)[0]!).toBeCloseTo(0.5, 6);
    expect(sumOf(twice.data) / 16).toBeCloseTo(7.5, 6);
  });

  it("is resized as PyTorch does without corners aligned", () => {
    const line: Table = { data: Float32Array.of(0, 1, 2, 3), shape: [1, 1, 4] };
    const wider = augment.resize(line, [1, 8]);
    const wanted = [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3];
    wanted.forEach((value, i) => expect(wider.data[i]).toBeCloseTo(value, 6));
    expect([...augment.resize(line, [1, 2]).data]).toEqual([0.5, 2.5]);
    expect(augment.resize(line, [1, 4])).toBe(line);
    expect(augment.resize(line, [3, 4]).shape).toEqual([1, 3, 4]);
  });

  it("colours change within bounds, and not without shares", () => {
    const random = new Generator(3);
    const colours: Table = {
      data: Float32Array.from({ length: 12 }, () => random.uniform()),
      shape: [3, 2, 2],
    };
    const same = augment.colorJitter({})(colours, random);
    same.data.forEach((value, i) => expect(value).toBeCloseTo(colours.data[i]!, 6));
    const bright = augment.colorJitter({ brightness: 0.5 })(colours, new Fixed(0));
    bright.data.forEach((value, i) => expect(value).toBeCloseTo(colours.data[i]! / 2, 6));
    const grey = augment.colorJitter({ saturation: 1 })(colours, new Fixed(0));
    expect(grey.data[0]).toBeCloseTo(grey.data[4]!, 6);
    const flat = augment.colorJitter({ contrast: 1 })(colours, new Fixed(0));
    flat.data.forEach((value) => expect(value).toBeCloseTo(flat.data[0]!, 6));
    const wild = augment.colorJitter({ brightness: 1, contrast: 1, saturation: 1 });
    for (let i = 0; i < 50; i++) {
      for (const value of wild(colours, random).data) {
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }
    }
  });

  it("is normalised by one number or one a channel", () => {
    const change = augment.normalize([1, 2], 2);
    expect(rowOf(change(image), 1, 0)).toEqual([49, 49.5, 50, 50.5]);
    expect(() => augment.normalize([1], 2)(image)).toThrow("1 numbers for an image of 2 channels");
    expect(() => augment.normalize(0, 0)).toThrow(ArgumentError);
  });

  it("loses a rectangle, gains noise", () => {
    const random = new Generator(4);
    const erased = augment.randomErasing({ p: 1, share: 0.5, fill: -1 });
    for (let i = 0; i < 50; i++) {
      const { data: values } = erased(image, random);
      const gone = values.filter((value) => value === -1).length / 2;
      expect(gone).toBeLessThanOrEqual(2 * 2);
    }
    const large: Table = { data: new Float32Array(3 * 50 * 50), shape: [3, 50, 50] };
    const noise = augment.randomNoise(0.1)(large, random).data;
    const spread = Math.sqrt(sumOf(Array.from(noise, (value) => value * value)) / noise.length);
    expect(spread).toBeCloseTo(0.1, 2);
  });

  it("changes follow from seed and epoch in a Dataset, and go on from a state", async () => {
    const change = augment.sequence(
      augment.randomHorizontalFlip(),
      augment.randomCrop({ size: [3, 4], padding: 1 }),
      augment.randomRotation(20),
      augment.randomNoise(0.01),
    );
    const images = data.fromList(new Array<Table>(12).fill(image)).map(change, { seed: 5 });
    const epochs = await Promise.all([0, 0, 1].map((epoch) => images.toArray({ epoch })));
    expect(epochs[0]).toEqual(epochs[1]);
    expect(epochs[0]).not.toEqual(epochs[2]);
    const iterator = images.iterator();
    for (let i = 0; i < 5; i++) await iterator.next();
    const other = await images.iterator().load(iterator.state());
    expect((await other.next()).value).toEqual(epochs[0]![5]);
  });

  it.each<[string, () => unknown]>([
    ["p is 2", () => augment.randomHorizontalFlip(2)],
    ["p is NaN", () => augment.randomErasing({ p: NaN })],
    ["height is 0", () => augment.randomCrop({ size: [0, 1] })],
    ["padding is -1", () => augment.randomCrop({ size: [1, 1], padding: -1 })],
    ["degrees is 200", () => augment.randomRotation(200)],
    ["scale 2 to 1", () => augment.randomAffine({ scale: [2, 1] })],
    ["deviation is -1", () => augment.randomNoise(-1)],
    ["p is 2", () => augment.wordDropout(2)],
    ["times is -1", () => augment.wordSwap(-1)],
    ["classes is 1", () => augment.mixup({ classes: 1 })],
    ["alpha is 0", () => augment.cutmix({ classes: 2, alpha: 0 })],
    ["alpha is 9", () => augment.mixup({ classes: 2, alpha: 9 })],
  ])("refuses: %s", (message, make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  it("refuses what is no image", () => {
    const flat: Table = { data: new Float32Array(4), shape: [2, 2] };
    expect(() => augment.randomHorizontalFlip()(flat, new Generator(0))).toThrow(ShapeError);
    expect(() => augment.resize(flat, [2, 2])).toThrow("an image is [channels, height, width]");
  });
});

describe("batches", () => {
  const rows = 6;
  const x: Table = {
    data: Float32Array.from({ length: rows * 16 }, (_, i) => Math.floor(i / 16)),
    shape: [rows, 1, 4, 4],
  };
  const y: Table = { data: Int32Array.from({ length: rows }, (_, i) => i % 3), shape: [rows] };

  it("mixup: rows and targets blended alike", () => {
    for (const alpha of [0.2, 1, 4]) {
      const [mixed, targets] = augment.mixup({ classes: 3, alpha })([x, y], new Generator(9));
      expect(targets.shape).toEqual([rows, 3]);
      for (let row = 0; row < rows; row++) {
        const target = targets.data.subarray(row * 3, row * 3 + 3);
        expect(sumOf(target)).toBeCloseTo(1, 6);
        expect(mixed.data[row * 16]).toBe(mixed.data[row * 16 + 15]);
      }
      const total = sumOf(mixed.data);
      expect(total).toBeCloseTo(sumOf(x.data), 3);
    }
    expect(x.data[16]).toBe(1);
  });

  it("cutmix: a rectangle of each, and targets by its area", () => {
    const random = new Generator(10);
    for (let i = 0; i < 30; i++) {
      const [mixed, targets] = augment.cutmix({ classes: 3 })([x, y], random);
      for (let row = 0; row < rows; row++) {
        const kept = mixed.data.subarray(row * 16, row * 16 + 16).filter((v) => v === row).length;
        expect(targets.data[row * 3 + (row % 3)]!).toBeGreaterThanOrEqual(kept / 16 - 1e-6);
      }
    }
  });

  it("shares have the distribution that is asked for", () => {
    const random = new Generator(11);
    const pair: Table = { data: Float32Array.of(0, 1), shape: [2, 1] };
    const labels: Table = { data: Int32Array.of(0, 1), shape: [2] };
    for (const alpha of [0.4, 1, 3]) {
      const shares: number[] = [];
      while (shares.length < 3000) {
        const [mixed] = augment.mixup({ classes: 2, alpha })([pair, labels], random);
        // Where the partners are others, the share is seen.
        if (mixed.data[0] !== 0 || mixed.data[1] !== 1) shares.push(mixed.data[1]!);
      }
      const mean = shares.reduce((a, b) => a + b, 0) / shares.length;
      const variance = shares.reduce((sum, s) => sum + (s - mean) ** 2, 0) / shares.length;
      expect(mean).toBeCloseTo(0.5, 1);
      expect(variance).toBeCloseTo(1 / (4 * (2 * alpha + 1)), 1.7);
    }
  });

  it("take distributions, and nothing that does not fit", () => {
    const soft: Table = {
      data: Float32Array.from({ length: rows * 3 }, () => 1 / 3),
      shape: [rows, 3],
    };
    const [, targets] = augment.mixup({ classes: 3 })([x, soft], new Generator(1));
    for (const value of targets.data) expect(value).toBeCloseTo(1 / 3, 6);
    const mix =
      (labels: Table, classes = 3) =>
      () =>
        augment.mixup({ classes })([x, labels], new Generator(1));
    expect(mix(y, 2)).toThrow(DataError);
    expect(mix(y, 2)).toThrow("row 2 is of class 2; there are 2");
    expect(mix({ data: new Float32Array(12), shape: [6, 2] })).toThrow(ShapeError);
    const flat: Table = { data: new Float32Array(rows), shape: [rows, 1] };
    expect(() => augment.cutmix({ classes: 3 })([flat, y], new Generator(1))).toThrow(ShapeError);
  });
});

describe("texts", () => {
  const text = "the quick brown  fox jumps\nover";

  it("lose words, never all", () => {
    const random = new Generator(12);
    expect(augment.wordDropout(0)(text, random)).toBe("the quick brown fox jumps over");
    const one = augment.wordDropout(1)(text, random);
    expect(text.split(/\s+/)).toContain(one);
    let kept = 0;
    for (let i = 0; i < 500; i++) kept += augment.wordDropout(0.5)(text, random).split(" ").length;
    expect(kept / 500).toBeCloseTo(3, 0);
    expect(augment.wordDropout(0.5)("", random)).toBe("");
  });

  it("swap words, and keep each", () => {
    const random = new Generator(13);
    const orders = new Set<string>();
    for (let i = 0; i < 100; i++) {
      const swapped = augment.wordSwap(2)(text, random);
      orders.add(swapped);
      expect(swapped.split(" ").sort()).toEqual(text.split(/\s+/).sort());
    }
    expect(orders.size).toBeGreaterThan(20);
    expect(augment.wordSwap()("one", random)).toBe("one");
  });
});

describe("changes that are called wrongly", () => {
  const plane: Table = { data: new Float32Array(4), shape: [1, 2, 2] };
  const batch = [
    { data: new Float32Array(4), shape: [1, 1, 2, 2] },
    { data: new Float32Array(1), shape: [1] },
  ] as const;
  const images = {
    randomHorizontalFlip: augment.randomHorizontalFlip(),
    randomVerticalFlip: augment.randomVerticalFlip(),
    randomCrop: augment.randomCrop({ size: [1, 1] }),
    randomAffine: augment.randomRotation(10),
    colorJitter: augment.colorJitter({}),
    randomErasing: augment.randomErasing(),
    randomNoise: augment.randomNoise(1),
  };
  const batches = {
    mixup: augment.mixup({ classes: 2 }),
    cutmix: augment.cutmix({ classes: 2 }),
  };
  const texts = { wordDropout: augment.wordDropout(), wordSwap: augment.wordSwap() };

  it.each([
    ...Object.entries(images).map(([name, change]) => [name, () => change(plane, none())] as const),
    ...Object.entries(batches).map(([name, mix]) => [name, () => mix(batch, none())] as const),
    ...Object.entries(texts).map(([name, change]) => [name, () => change("a", none())] as const),
  ])("%s says that it needs a generator, and where one is", (name, call) => {
    expect(call).toThrow(ArgumentError);
    expect(call).toThrow(`${name}: it needs a generator`);
  });

  it.each(Object.entries(texts))("%s says that it takes no batches", (name, change) => {
    const call = (): unknown => Reflect.apply(change, undefined, [["a", "b"], new Generator(0)]);
    expect(call).toThrow(`${name}: a text is expected, met object: change before batch`);
  });
});

/** What a caller from JavaScript passes who forgets the generator. */
function none(): Generator {
  const nothing: { generator?: Generator } = {};
  return nothing.generator!;
}

describe("cosineAndSine", () => {
  it("is within 2⁻⁵⁰", () => {
    for (let i = -1000; i <= 1000; i++) {
      const angle = (i / 1000) * Math.PI;
      const [cosine, sine] = cosineAndSine(angle);
      expect(Math.abs(cosine - Math.cos(angle))).toBeLessThanOrEqual(2 ** -50);
      expect(Math.abs(sine - Math.sin(angle))).toBeLessThanOrEqual(2 ** -50);
    }
  });
});
