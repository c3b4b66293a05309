/** The order of rows: batches, divisions, and gathering. */
import { describe, expect, it } from "vitest";
import { batches, gatherRows, trainTestSplit } from "../src/data/index.js";
import { ArgumentError } from "../src/errors.js";

describe("batches", () => {
  const listed = (...args: Parameters<typeof batches>): number[][] =>
    [...batches(...args)].map((batch) => Array.from(batch));

  it("are in order without shuffling; the last may be smaller", () => {
    expect(listed(7, { batchSize: 3, shuffle: false })).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(listed(6, { batchSize: 3, shuffle: false })).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(listed(2, { batchSize: 100, shuffle: false })).toEqual([[0, 1]]);
    expect(listed(0, { batchSize: 3 })).toEqual([]);
  });

  it.each([1, 2, 31, 32, 33, 1000])("have each of %i rows once", (rows) => {
    const found = listed(rows, { seed: 3 });
    expect(found).toHaveLength(Math.ceil(rows / 32));
    expect(found.flat().sort((a, b) => a - b)).toEqual([...Array(rows).keys()]);
  });

  it("follow from the seed and the epoch, and from nothing else", () => {
    const order = (seed: number, epoch: number): string =>
      listed(50, { batchSize: 7, seed, epoch }).join();
    expect(order(1, 2)).toBe(order(1, 2));
    const orders = [order(0, 0), order(0, 1), order(0, 2), order(1, 0), order(1, 1)];
    expect(new Set(orders).size).toBe(orders.length);
    expect(listed(50, { batchSize: 9, seed: 1, epoch: 2 }).flat().join()).toBe(order(1, 2));
  });

  it("put every row in every place as often", () => {
    const rows = 5;
    const counts = Array.from({ length: rows }, () => new Array<number>(rows).fill(0));
    for (let seed = 0; seed < 4000; seed++) {
      const [order] = batches(rows, { seed, epoch: seed % 3, batchSize: rows });
      order!.forEach((row, at) => counts[at]![row]!++);
    }
    // 800 of each, give or take five standard deviations of √(4000 · 0.2 · 0.8) = 25.
    for (const count of counts.flat()) expect(Math.abs(count - 800)).toBeLessThan(127);
  });

  it.each<[string, Parameters<typeof batches>]>([
    ["batches: batchSize is 0; it must be a whole number ≥ 1", [5, { batchSize: 0 }]],
    ["batches: batchSize is 2.5", [5, { batchSize: 2.5 }]],
    ["batches: rows is -1", [-1, {}]],
    ["batches: epoch is -1", [5, { epoch: -1 }]],
    ["seed 0.5 is not a whole number", [5, { seed: 0.5 }]],
  ])("at once: %s", (message, args) => {
    expect(() => batches(...args)).toThrow(ArgumentError);
    expect(() => batches(...args)).toThrow(message);
  });
});

describe("trainTestSplit", () => {
  it("puts each row on one side", () => {
    const { train, test } = trainTestSplit(101, { testSize: 0.2, seed: 4 });
    expect(test).toHaveLength(20);
    const rows = [...train, ...test].sort((a, b) => a - b);
    expect(rows).toEqual([...Array(101).keys()]);
    expect(trainTestSplit(101, { testSize: 0.2, seed: 4 }).test).toEqual(test);
    expect(trainTestSplit(101, { testSize: 0.2, seed: 5 }).test).not.toEqual(test);
  });

  it("takes the last rows without shuffling", () => {
    const { train, test } = trainTestSplit(4, { shuffle: false });
    expect([train, test]).toEqual([Int32Array.of(0, 1, 2), Int32Array.of(3)]);
  });

  it.each([
    [0, 0.5],
    [1, 0.5],
    [10, 0],
    [10, 1],
    [10, -0.1],
    [10, NaN],
    [10, 0.01],
    [10, 0.99],
  ])("of %i rows with testSize %d leaves a side empty", (rows, testSize) => {
    const split = (): unknown => trainTestSplit(rows, { testSize });
    expect(split).toThrow(ArgumentError);
    expect(split).toThrow(`testSize ${testSize} of ${rows} rows leaves nothing on one side`);
  });
});

describe("gatherRows", () => {
  const table = { data: Float32Array.of(0, 1, 10, 11, 20, 21), shape: [3, 2] };

  it("copies rows by number, in their order", () => {
    const { data, shape } = gatherRows(table, [2, 0, 2]);
    expect(data).toEqual(Float32Array.of(20, 21, 0, 1, 20, 21));
    expect(shape).toEqual([3, 2]);
    expect(data.buffer).not.toBe(table.data.buffer);
  });

  it("of single numbers, of none, and of rows without numbers", () => {
    const labels = { data: Int32Array.of(5, 6, 7), shape: [3] };
    expect(gatherRows(labels, [1, 2])).toEqual({ data: Int32Array.of(6, 7), shape: [2] });
    expect(gatherRows(labels, [])).toEqual({ data: new Int32Array(0), shape: [0] });
    const empty = { data: new Float32Array(0), shape: [3, 0, 4] };
    expect(gatherRows(empty, [1])).toEqual({ data: new Float32Array(0), shape: [1, 0, 4] });
  });

  it("fills one buffer again and again", () => {
    const buffer = new Float32Array(4);
    const first = gatherRows(table, [1, 2], buffer);
    expect(first.data.buffer).toBe(buffer.buffer);
    const last = gatherRows(table, [0], buffer);
    expect(last).toEqual({ data: Float32Array.of(0, 1), shape: [1, 2] });
    expect(last.data.buffer).toBe(buffer.buffer);
    expect(buffer).toEqual(Float32Array.of(0, 1, 20, 21));
  });

  it.each<[string, () => unknown]>([
    ["row 3 is none of 3", () => gatherRows(table, [0, 3])],
    ["row -1 is none of 3", () => gatherRows(table, [-1])],
    ["row 0.5 is none of 3", () => gatherRows(table, [0.5])],
    [
      "4 elements of Float32Array do not go into 3 of Float32Array",
      () => gatherRows(table, [0, 1], new Float32Array(3)),
    ],
    [
      "4 elements of Float32Array do not go into 4 of Int32Array",
      () => gatherRows(table, [0, 1], new Int32Array(4)),
    ],
  ])("%s", (message, body) => {
    expect(body).toThrow(ArgumentError);
    expect(body).toThrow(`gatherRows: ${message}`);
  });
});
