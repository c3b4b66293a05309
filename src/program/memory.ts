/** Gives the intermediates of a Program their places in one arena. */

/** A run of bytes that lives from the first call that names it to the last. */
export interface Lifetime {
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

/** Arena offsets keep cache lines, and SIMD loads, whole. */
const alignment = 64;

/** `bytes` rounded up to whole cache lines. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/**
 * Offsets such that buffers alive at the same call never overlap, and the size of the arena.
 * Largest first, each at the lowest place free for its whole life.
 */
export function placeLifetimes(lifetimes: readonly Lifetime[]): {
  readonly offsets: readonly number[];
  readonly bytes: number;
} {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  const placed: { start: number; end: number; first: number; last: number }[] = [];
  const bySize = lifetimes.map((_, index) => index);
  bySize.sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  let total = 0;
  for (const index of bySize) {
    const { bytes, first, last } = lifetimes[index]!;
    const size = aligned(bytes);
    let start = 0;
    // `placed` is sorted by start: walk up until a gap is wide enough.
    for (const other of placed) {
      if (other.last < first || other.first > last) continue;
      if (other.start >= start + size) break;
      start = Math.max(start, other.end);
    }
    offsets[index] = start;
    const entry = { start, end: start + size, first, last };
    const at = placed.findIndex((other) => other.start > start);
    placed.splice(at < 0 ? placed.length : at, 0, entry);
    total = Math.max(total, entry.end);
  }
  return { offsets, bytes: total };
}
