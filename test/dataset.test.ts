/** Datasets: every stage, its order, and going on from a saved state. */
import { describe, expect, it } from "vitest";
import { DataError, StateError, ArgumentError } from "../src/index.js";
import * as data from "../src/data/index.js";
import type { Dataset, Json } from "../src/data/index.js";
import type { Generator } from "../src/random.js";

const { fromArrays, fromIterable, fromList } = data;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The same elements, one that can be read in any order and one that cannot. */
const listed = (count: number): Dataset<number> => fromList(numbers(count));
const streamed = (count: number): Dataset<number> =>
  fromIterable(async function* () {
    for (let i = 0; i < count; i++) yield i;
  });
const kinds = { list: listed, stream: streamed };

/** Elements as text, for comparison. */
const text = (element: unknown): string => JSON.stringify(element);

describe.each(Object.entries(kinds))("of a %s", (_, of) => {
  it("is iterated as often as one likes", async () => {
    const dataset = of(4);
    const found: number[] = [];
    for await (const element of dataset) found.push(element);
    expect(found).toEqual([0, 1, 2, 3]);
    expect(await dataset.toArray()).toEqual(found);
    expect(await of(0).toArray()).toEqual([]);
  });

  it("maps, filters, takes, skips", async () => {
    const dataset = of(10)
      .map((x) => x * 2)
      .filter((x) => x % 3 === 0);
    expect(await dataset.toArray()).toEqual([0, 6, 12, 18]);
    expect(await of(10).skip(3).take(4).toArray()).toEqual([3, 4, 5, 6]);
    expect(await of(10).take(4).skip(3).toArray()).toEqual([3]);
    expect(await of(3).take(9).toArray()).toEqual([0, 1, 2]);
    expect(await of(3).skip(9).toArray()).toEqual([]);
    expect(await of(3).take(0).toArray()).toEqual([]);
    expect(await of(3).take(Infinity).toArray()).toEqual([0, 1, 2]);
  });

  it("maps with random numbers that follow from seed, epoch and number", async () => {
    const draw = (seed: number): Dataset<number> =>
      of(20).map((_, random) => random.uint32(), { seed });
    const first = await draw(1).toArray();
    expect(new Set(first).size).toBe(20);
    expect(await draw(1).toArray()).toEqual(first);
    expect(await draw(2).toArray()).not.toEqual(first);
    expect(await draw(1).toArray({ epoch: 1 })).not.toEqual(first);
    expect(await draw(1).skip(5).toArray()).toEqual(first.slice(5));
    const parallel = of(20).map((_, random) => random.uint32(), { seed: 1, parallel: 4 });
    expect(await parallel.toArray()).toEqual(first);
  });

  it("shuffles, each epoch otherwise, each element once", async () => {
    const dataset = of(50).shuffle({ seed: 3 });
    const orders = await Promise.all([0, 1, 0].map((epoch) => dataset.toArray({ epoch })));
    expect(orders[0]).toEqual(orders[2]);
    expect(orders[0]).not.toEqual(orders[1]);
    for (const order of orders) expect([...order].sort((a, b) => a - b)).toEqual(numbers(50));
    const same = of(50).shuffle({ seed: 3, reshuffle: false });
    expect(await same.toArray({ epoch: 1 })).toEqual(await same.toArray());
  });

  it("repeats, each round an epoch of its own", async () => {
    const rounds = await of(5).shuffle().repeat(3).toArray();
    expect(rounds).toHaveLength(15);
    expect(rounds.slice(0, 5)).toEqual(await of(5).shuffle().toArray());
    expect(rounds.slice(5, 10)).toEqual(await of(5).shuffle().toArray({ epoch: 1 }));
    const next = await of(5).shuffle().repeat(3).toArray({ epoch: 1 });
    expect(next.slice(0, 5)).toEqual(await of(5).shuffle().toArray({ epoch: 3 }));
    expect(await of(3).repeat().take(8).toArray()).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
  });

  it("does not repeat nothing forever", async () => {
    await expect(
      of(4)
        .filter(() => false)
        .repeat()
        .toArray(),
    ).rejects.toThrow("nothing to repeat");
  });

  it("batches", async () => {
    const batches = await of(5).batch(2).toArray();
    expect(batches).toEqual([
      { data: Float32Array.of(0, 1), shape: [2] },
      { data: Float32Array.of(2, 3), shape: [2] },
      { data: Float32Array.of(4), shape: [1] },
    ]);
    expect(await of(5).batch(2, { dropRemainder: true }).toArray()).toEqual(batches.slice(0, 2));
    expect(await of(0).batch(2).toArray()).toEqual([]);
  });

  it("reads once what is cached", async () => {
    let reads = 0;
    const dataset = of(6)
      .map((x) => (reads++, x))
      .cache();
    expect(await dataset.take(3).toArray()).toEqual([0, 1, 2]);
    expect(reads).toBe(3);
    const both = await Promise.all([dataset.toArray(), dataset.toArray({ epoch: 1 })]);
    expect(both).toEqual([numbers(6), numbers(6)]);
    expect(reads).toBe(6);
    expect(await dataset.shuffle().repeat(2).toArray()).toHaveLength(12);
    expect(reads).toBe(6);
  });

  it("does not cache a failure", async () => {
    let failures = 1;
    const dataset = of(3)
      .map((x) => {
        if (x === 1 && failures-- > 0) throw new Error("once");
        return x;
      })
      .cache();
    await expect(dataset.toArray()).rejects.toThrow("once");
    if (of === listed) expect(await dataset.toArray()).toEqual([0, 1, 2]);
  });

  it("zips, concatenates and interleaves", async () => {
    const letters = fromList(["a", "b", "c"]);
    expect(await data.zip(of(9), letters).toArray()).toEqual([
      [0, "a"],
      [1, "b"],
      [2, "c"],
    ]);
    expect(await data.concatenate(of(2), listed(0), of(3)).toArray()).toEqual([0, 1, 0, 1, 2]);
    const tens = of(4).map((x) => x * 10);
    expect(await data.interleave(of(2), tens).toArray()).toEqual([0, 0, 1, 10, 20, 30]);
  });

  it("reads ahead, and no further", async () => {
    let read = 0;
    const dataset = of(10)
      .map((x) => ((read = x + 1), x))
      .prefetch(3);
    const iterator = dataset.iterator();
    expect(read).toBe(0);
    expect((await iterator.next()).value).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(read).toBe(4);
    await iterator.return();
    expect(await dataset.toArray()).toEqual(numbers(10));
  });

  it("works on several elements at a time, and gives them in order", async () => {
    let [now, most] = [0, 0];
    const dataset = of(12).map(
      async (x) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setTimeout(resolve, (x * 7) % 5));
        now--;
        return x;
      },
      { parallel: 4 },
    );
    expect(await dataset.toArray()).toEqual(numbers(12));
    expect(most).toBe(4);
  });

  it("passes on what fails, and can be left and closed then", async () => {
    const dataset = of(5)
      .map((x) => {
        if (x === 2) throw new RangeError("no");
        return x;
      })
      .prefetch(2);
    const iterator = dataset.iterator();
    expect((await iterator.next()).value).toBe(0);
    expect((await iterator.next()).value).toBe(1);
    await expect(iterator.next()).rejects.toThrow(RangeError);
    await iterator.return();
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
    expect(() => iterator.state()).toThrow(StateError);
  });
});

describe("going on from a state", () => {
  const lengths = fromIterable(function* () {
    for (let i = 0; i < 40; i++) yield new Float32Array(1 + ((i * 7) % 9)).fill(i);
  });
  const pairs = fromArrays(
    numbers(30).map((i) => [i, i]),
    numbers(30),
  );
  const noisy = (x: number, random: Generator): number => x + random.uniform();
  const pipelines: readonly (readonly [string, Dataset<unknown>])[] = Object.entries(kinds).flatMap(
    ([kind, of]) => {
      const all: Record<string, Dataset<unknown>> = {
        map: of(20).map(noisy, { seed: 5 }),
        "parallel map": of(20).map(noisy, { parallel: 3 }),
        filter: of(30).filter((x) => x % 3 > 0),
        "take and skip": of(20).skip(3).take(12),
        shuffle: of(23).shuffle({ seed: 9 }),
        "shuffled blocks": of(23)
          .filter(() => true)
          .shuffle({ seed: 9, bufferSize: 5 }),
        repeat: of(4).shuffle().repeat(5),
        "endless repeat": of(4).filter(Boolean).shuffle().repeat().take(21),
        batch: of(23).batch(4),
        cache: of(17).map(noisy).cache(),
        prefetch: of(17).map(noisy).prefetch(4),
        zip: data.zip(of(12).shuffle(), of(15).map(noisy)),
        concatenate: data.concatenate(of(6), of(7).shuffle()),
        interleave: data.interleave(of(3), of(9), of(5)),
        sample: listed(20)
          .sample({ weights: numbers(20), size: 15 })
          .map(noisy),
        all: of(50)
          .map(noisy)
          .shuffle({ bufferSize: 20 })
          .filter((x) => x % 2 < 1.7)
          .repeat(2)
          .batch(3)
          .prefetch(2),
      };
      return Object.entries(all).map(([name, made]) => [`${name} of a ${kind}`, made] as const);
    },
  );

  it.each<readonly [string, Dataset<unknown>]>([
    ...pipelines,
    ["a padded batch", lengths.paddedBatch(3)],
    [
      "a bucketed batch",
      lengths.bucketedBatch({
        batchSize: 3,
        blockSize: 15,
        boundaries: [3, 6, 9],
        length: (x) => x.length,
      }),
    ],
    ["arrays", pairs.shuffle().batch(4)],
  ])("gives the same elements from everywhere: %s", async (_, dataset) => {
    for (const epoch of [0, 2]) {
      const whole = (await dataset.toArray({ epoch })).map(text);
      expect(whole.length).toBeGreaterThan(4);
      const iterator = dataset.iterator({ epoch });
      for (let at = 0; at <= whole.length; at++) {
        const state = JSON.parse(JSON.stringify(iterator.state())) as Json;
        const other = await dataset.iterator({ epoch: 7 }).load(state);
        expect(other.state()).toEqual(state);
        const rest: string[] = [];
        for await (const element of other) rest.push(text(element));
        expect(rest).toEqual(whole.slice(at));
        await iterator.next();
      }
      // Ended is a state too.
      const ended = await dataset.iterator().load(iterator.state());
      expect((await ended.next()).done).toBe(true);
    }
  });

  it("goes back, too", async () => {
    const iterator = streamed(6).iterator();
    await iterator.next();
    const state = iterator.state();
    for (let i = 0; i < 4; i++) await iterator.next();
    await iterator.load(state);
    expect((await iterator.next()).value).toBe(1);
  });

  it("not from that of another pipeline, and stands where it stood", async () => {
    const iterator = listed(5).iterator();
    await iterator.next();
    const state = iterator.state();
    for (const wrong of [
      null,
      [],
      {},
      { epoch: 0, ended: 0 },
      { epoch: 0, ended: 0, cursor: {} },
      { epoch: 0, ended: 0, cursor: { row: 6 } },
      { epoch: 0, ended: 0, cursor: { row: -1 } },
      { epoch: 0, ended: 0, cursor: { row: "1" } },
      { epoch: -1, ended: 0, cursor: { row: 1 } },
      { epoch: 0, ended: 2, cursor: { row: 1 } },
      streamed(5).shuffle().iterator().state(),
    ] as Json[]) {
      await expect(iterator.load(wrong)).rejects.toThrow(DataError);
      expect(iterator.state()).toEqual(state);
    }
    expect((await iterator.next()).value).toBe(1);
    await expect(
      streamed(3)
        .iterator()
        .load({ epoch: 0, ended: 0, cursor: { item: 4 } }),
    ).rejects.toThrow("the saved state is of element 4, there are 3");
  });
});

describe("batches", () => {
  it("stack numbers, nested numbers, arrays, fields; list all else", async () => {
    const rows = fromList([
      { x: [1, 2], y: 3, name: "a", at: Int32Array.of(7), when: null },
      { x: [4, 5], y: 6, name: "b", at: Int32Array.of(8), when: null },
    ]);
    const [batch] = await rows.batch(2).toArray();
    expect(batch).toEqual({
      x: { data: Float32Array.of(1, 2, 4, 5), shape: [2, 2] },
      y: { data: Float32Array.of(3, 6), shape: [2] },
      name: ["a", "b"],
      at: { data: Int32Array.of(7, 8), shape: [2, 1] },
      when: [null, null],
    });
    const [pair] = await fromList([
      ["a", 1],
      ["b", 2],
    ] as [string, number][])
      .batch(2)
      .toArray();
    expect(pair).toEqual([["a", "b"], { data: Float32Array.of(1, 2), shape: [2] }]);
  });

  it("are arrays' rows, of their dtypes", async () => {
    const [batch] = await fromArrays(
      { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      Int32Array.of(5, 6),
      [0.5, 1],
    )
      .batch(2)
      .toArray();
    expect(batch).toEqual([
      { data: Float32Array.of(1, 2, 3, 4), shape: [2, 2] },
      { data: Int32Array.of(5, 6), shape: [2] },
      { data: Float32Array.of(0.5, 1), shape: [2] },
    ]);
  });

  it("are padded to the longest, or to a length, with a value", async () => {
    const rows = fromList<[Int32Array, number]>([
      [Int32Array.of(1, 2, 3), 0],
      [Int32Array.of(4), 1],
    ]);
    const [batch] = await rows.paddedBatch(2).toArray();
    expect(batch![0]).toEqual({ data: Int32Array.of(1, 2, 3, 4, 0, 0), shape: [2, 3] });
    expect(batch![1]).toEqual({ data: Float32Array.of(0, 1), shape: [2] });
    const [wide] = await rows.paddedBatch(2, { length: 4, value: 9 }).toArray();
    expect(wide![0].data).toEqual(Int32Array.of(1, 2, 3, 9, 4, 9, 9, 9));
    await expect(rows.paddedBatch(2, { length: 2 }).toArray()).rejects.toThrow(
      "field 0 of element 0 of the batch is Int32Array [3], where Int32Array [2]",
    );
  });

  it("are of one bucket, padded to its boundary, each element once", async () => {
    const lengths = numbers(100).map((i) => 1 + ((i * 13) % 12));
    const rows = fromList(
      lengths.map((n, i): [Int32Array, number] => [new Int32Array(n).fill(1), i]),
    );
    const options = { batchSize: 8, boundaries: [4, 8, 12] };
    const dataset = rows.bucketedBatch({ ...options, length: ([x]) => x.length });
    const batches = await dataset.toArray();
    const seen: number[] = [];
    for (const [x, ids] of batches) {
      expect([4, 8, 12]).toContain(x.shape[1]);
      for (const id of ids.data) {
        seen.push(id);
        expect(options.boundaries.find((bound) => lengths[id]! <= bound)).toBe(x.shape[1]);
      }
    }
    expect(seen.sort((a, b) => a - b)).toEqual(numbers(100));
    expect((await dataset.toArray({ epoch: 1 })).map(text)).not.toEqual(batches.map(text));
    const short = rows.bucketedBatch({ batchSize: 8, boundaries: [4], length: ([x]) => x.length });
    await expect(short.toArray()).rejects.toThrow("over the last boundary, 4");
  });

  it.each<[string, unknown[]]>([
    ["element 1 of the batch is Float32Array [1], where Float32Array [2]", [[[1, 2]], [[3]]]],
    ["paddedBatch fills up", [[[1, 2]], [[3]]]],
    [
      "field 1 is numbers in some elements",
      [
        ["a", 1],
        ["b", "c"],
      ],
    ],
    [
      "has 2 fields, element 1 of the batch does not",
      [
        [1, 2],
        [1, 2, 3],
      ],
    ],
    ["field 0 of element 1 of the batch is Int32Array", [[Float32Array.of(1)], [Int32Array.of(1)]]],
    ["field a is numbers in some", [{ a: 1 }, { b: 1 }]],
  ])("do not fit: %s", async (message, elements) => {
    const batches = fromList(elements).batch(2).toArray();
    await expect(batches).rejects.toThrow(DataError);
    await expect(batches).rejects.toThrow(message);
  });
});

describe("sizes", () => {
  it("are known where they can be", () => {
    const [list, stream] = [listed(10), streamed(10)];
    expect(list.map(String).shuffle().batch(3).size).toBe(4);
    expect(list.batch(3, { dropRemainder: true }).size).toBe(3);
    expect(list.skip(4).take(9).repeat(3).size).toBe(18);
    expect(list.repeat().size).toBe(Infinity);
    expect(stream.size).toBeUndefined();
    expect(list.filter(Boolean).size).toBeUndefined();
    expect(data.zip(list, listed(3)).size).toBe(3);
    expect(data.concatenate(list, listed(3)).size).toBe(13);
    expect(data.concatenate(list, stream).size).toBeUndefined();
    expect(data.interleave(list, list.repeat()).size).toBe(Infinity);
  });
});

describe("split", () => {
  it("by number, by share, and at random", async () => {
    const [first, rest] = listed(10).split(0.7);
    expect([await first.toArray(), await rest.toArray()]).toEqual([numbers(7), [7, 8, 9]]);
    const [train, test] = listed(10).split(6, { shuffle: true, seed: 4 });
    const all = [...(await train.toArray({ epoch: 3 })), ...(await test.toArray({ epoch: 5 }))];
    expect(all).not.toEqual(numbers(10));
    expect(all.sort((a, b) => a - b)).toEqual(numbers(10));
  });

  it("leaves something on both sides", () => {
    for (const part of [0, 10, 11, 0.01, 0.99, NaN, -1, 2.5]) {
      expect(() => listed(10).split(part)).toThrow(ArgumentError);
    }
    expect(() => streamed(10).split(0.5)).toThrow("an unknown number of");
    expect(() => streamed(10).split(5, { shuffle: true })).toThrow(ArgumentError);
  });
});

describe("samplers", () => {
  const labels = numbers(200).map((i) => (i % 20 === 0 ? 1 : 0));

  it("class weights are scikit-learn's balanced ones", () => {
    expect(data.classWeights([0, 0, 0, 1])).toEqual({ 0: 4 / 6, 1: 2 });
    expect(data.classWeights([2, 7, 7])).toEqual({ 2: 1.5, 7: 0.75 });
    expect(() => data.classWeights([])).toThrow("there are no labels");
    expect(() => data.classWeights([0.5])).toThrow("label 0 is 0.5");
  });

  it("draw all classes alike, or in given shares", async () => {
    const share = async (weights: Float64Array): Promise<number> => {
      const rows = await listed(200).sample({ weights, size: 4000 }).toArray();
      return rows.filter((row) => labels[row] === 1).length / 4000;
    };
    expect(await share(data.rowWeights(labels))).toBeCloseTo(0.5, 1);
    expect(await share(data.rowWeights(labels, { 0: 3, 1: 1 }))).toBeCloseTo(0.25, 1);
    expect(() => data.rowWeights(labels, { 0: 1 })).toThrow("class 1 has no share");
  });

  it("draw each row as its weight says", async () => {
    const rows = await listed(5)
      .sample({ weights: [0, 1, 2, 3, 4], size: 20_000 })
      .toArray();
    const counts = numbers(5).map((row) => rows.filter((drawn) => drawn === row).length);
    expect(counts[0]).toBe(0);
    // Three standard deviations of a binomial.
    counts.forEach((count, row) => {
      const p = row / 10;
      expect(Math.abs(count - 20_000 * p)).toBeLessThanOrEqual(3 * Math.sqrt(20_000 * p * (1 - p)));
    });
  });

  it("each epoch its own; without replacement, each row once", async () => {
    const dataset = listed(30).sample({
      weights: new Float64Array(30).fill(1),
      replacement: false,
    });
    const [first, second] = [await dataset.toArray(), await dataset.toArray({ epoch: 1 })];
    expect(first).not.toEqual(second);
    for (const rows of [first, second]) {
      expect([...rows].sort((a, b) => a - b)).toEqual(numbers(30));
    }
  });

  it.each<[string, data.SampleOptions]>([
    ["2 weights for 3 rows", { weights: [1, 2] }],
    ["weight 1 is -1", { weights: [1, -1, 1] }],
    ["weight 2 is NaN", { weights: [1, 1, NaN] }],
    ["3 rows cannot be drawn of 0", { weights: [0, 0, 0] }],
    ["3 rows cannot be drawn of 2", { weights: [0, 1, 1], replacement: false }],
    ["size is 0", { weights: [1, 1, 1], size: 0 }],
  ])("not so: %s", (message, options) => {
    expect(() => listed(3).sample(options)).toThrow(ArgumentError);
    expect(() => listed(3).sample(options)).toThrow(message);
  });
});

describe("what is refused", () => {
  it.each<[string, () => unknown]>([
    ["batch size is 0", () => listed(3).batch(0)],
    ["parallel is 0", () => listed(3).map(String, { parallel: 0 })],
    ["seed -1", () => listed(3).shuffle({ seed: -1 })],
    ["elements in a block is 0", () => streamed(3).shuffle({ bufferSize: 0 })],
    ["take: count is 1.5", () => listed(3).take(1.5)],
    ["repeat: count is 0", () => listed(3).repeat(0)],
    ["prefetch: count is 0", () => listed(3).prefetch(0)],
    ["epoch is -1", () => listed(3).iterator({ epoch: -1 })],
    [
      "boundaries 3, 2 must",
      () => listed(3).bucketedBatch({ batchSize: 1, boundaries: [3, 2], length: () => 1 }),
    ],
    ["can only be read in order", () => streamed(3).sample({ weights: [1] })],
    ["expected an iterable", () => fromIterable(3 as never)],
  ])("%s", (message, make) => {
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(message);
  });

  it("arrays of different lengths, elements that are not there, endless arrays", async () => {
    expect(() => fromArrays([1, 2], [1])).toThrow("x has 2 rows, array 1 has 1");
    await expect(listed(3).at(3)).rejects.toThrow("element 3 is none of 3");
    await expect(streamed(3).at(0)).rejects.toThrow(ArgumentError);
    await expect(listed(3).repeat().toArray()).rejects.toThrow("never end");
  });

  it("a second epoch of what can be read once", async () => {
    const generator = (function* () {
      yield 1;
      yield 2;
    })();
    const dataset = fromIterable(generator);
    expect(await dataset.toArray()).toEqual([1, 2]);
    await expect(dataset.toArray()).rejects.toThrow(StateError);
    const stream = fromIterable(new Blob(["ab"]).stream());
    expect(await stream.toArray()).toEqual([Uint8Array.of(97, 98)]);
    await expect(stream.toArray()).rejects.toThrow(StateError);
  });

  it("a call while another is under way", async () => {
    const iterator = streamed(3).iterator();
    const first = iterator.next();
    await expect(iterator.next()).rejects.toThrow("next() is under way");
    expect((await first).value).toBe(0);
  });

  it("nothing of what an iterable holds open is left when it is left", async () => {
    let closed = 0;
    const dataset = fromIterable(function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed++;
      }
    });
    for await (const element of dataset
      .map((x) => x)
      .batch(2)
      .prefetch(2)) {
      if (element.data[0] === 4) break;
    }
    expect(closed).toBe(1);
  });
});
