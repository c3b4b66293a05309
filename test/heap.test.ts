import { describe, expect, it } from "vitest";
import { OutOfMemoryError } from "../src/errors.js";
import type { GrowableMemory } from "../src/runtime/heap.js";
import { Heap, pageBytes } from "../src/runtime/heap.js";

/** A memory without bytes that another allocator may grow too. */
class FakeMemory implements GrowableMemory {
  buffer = { byteLength: pageBytes };

  constructor(readonly most = 2 ** 32) {}

  grow(pages: number): number {
    const before = this.buffer.byteLength;
    if (before + pages * pageBytes > this.most) throw new RangeError("no more memory");
    this.buffer = { byteLength: before + pages * pageBytes };
    return before / pageBytes;
  }
}

const megabyte = 2 ** 20;

/** A small linear congruential generator: the same sequence in every run. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("Heap", () => {
  it("returns aligned addresses beyond what was there, and never 0", () => {
    const heap = new Heap(new FakeMemory(), 2 ** 32);
    for (const bytes of [0, 1, 63, 64, 65, 1000]) {
      const address = heap.allocate(bytes, "x");
      expect(address % 64).toBe(0);
      expect(address).toBeGreaterThanOrEqual(pageBytes);
    }
  });

  it.each([1, 2, 3, 4, 5])("never overlaps, and coalesces to nothing lost (seed %i)", (seed) => {
    const random = generator(seed);
    const memory = new FakeMemory();
    const heap = new Heap(memory, 2 ** 32);
    const blocks = new Map<number, number>();
    let sum = 0;
    for (let step = 0; step < 3000; step++) {
      if (random(100) < 2) memory.grow(1 + random(3)); // Rust's allocator
      if (blocks.size > 0 && random(100) < 48) {
        const address = [...blocks.keys()][random(blocks.size)]!;
        heap.free(address);
        sum -= blocks.get(address)!;
        blocks.delete(address);
      } else {
        const bytes = 64 * (1 + random(random(10) === 0 ? 20_000 : 200));
        blocks.set(heap.allocate(bytes, "x"), bytes);
        sum += bytes;
      }
      expect(heap.live).toBe(sum);
    }
    const sorted = [...blocks].sort(([a], [b]) => a - b);
    sorted.forEach(([address, bytes], index) => {
      expect(address + bytes).toBeLessThanOrEqual(sorted[index + 1]?.[0] ?? heap.reserved);
    });
    for (const address of blocks.keys()) heap.free(address);
    expect(heap.live).toBe(0);
    const { reserved } = heap;
    const again = [...blocks.values()].map((bytes) => heap.allocate(bytes, "x"));
    expect(heap.reserved).toBe(reserved);
    for (const address of again) heap.free(address);
  });

  it("keeps the peak", () => {
    const heap = new Heap(new FakeMemory(), 2 ** 32);
    const address = heap.allocate(megabyte, "x");
    heap.free(address);
    heap.allocate(64, "y");
    expect(heap.peak).toBe(megabyte);
    expect(heap.live).toBe(64);
  });

  it("takes the smallest span that fits", () => {
    const heap = new Heap(new FakeMemory(), 2 ** 32);
    const [large, , small] = [6400, 64, 640, 64].map((bytes) => heap.allocate(bytes, "x"));
    heap.free(large!);
    heap.free(small!);
    expect(heap.allocate(600, "x")).toBe(small);
    expect(heap.allocate(6400, "x")).toBe(large);
  });

  it("grows by as little as will do when the limit is near, and uses its tail", () => {
    const memory = new FakeMemory(10 * megabyte);
    const heap = new Heap(memory, 10 * megabyte);
    heap.allocate(5 * megabyte, "a");
    heap.allocate(4.5 * megabyte, "b");
    expect(heap.reserved).toBeLessThanOrEqual(10 * megabyte);
  });

  it("says what was asked, what is live, the biggest buffers and the limit", () => {
    const heap = new Heap(new FakeMemory(), 8 * megabyte);
    heap.allocate(3 * megabyte, "buffer 7");
    const kept = heap.allocate(64, "buffer 8");
    const ask = (): number => heap.allocate(6 * megabyte, "the arena");
    expect(ask).toThrow(OutOfMemoryError);
    expect(ask).toThrow(
      /^out of memory: the arena asks for 6\.0 MiB; 3\.0 MiB are live in 2 buffers \(biggest: buffer 7 3\.0 MiB, buffer 8 64 B\); .* of at most 8\.0 MiB/,
    );
    heap.free(kept);
    expect(heap.live).toBe(3 * megabyte);
    expect(heap.allocate(megabyte, "less")).toBeGreaterThan(0);
  });

  it("refuses to free what it did not give", () => {
    expect(() => new Heap(new FakeMemory(), 2 ** 32).free(64)).toThrow(
      "nothing is allocated at 64",
    );
  });
});
