/** A batch cut in shards, and the sum of what the shards give, in an order of its own. */
import { sliceRows } from "../data/inputs.js";
import type { Table } from "../data/rows.js";
import type { Rows } from "../train/feed.js";
import { StateError } from "../errors.js";
import type { Exchanged } from "./communicator.js";

/** Part of a batch, in memory of its own. */
export interface Shard {
  readonly tables: Rows;
  /** Its part of the batch's rows, from 0 to 1. */
  readonly share: number;
}

/** A batch norm has no statistics of fewer rows. */
const fewestRows = 2;

/** How many pieces a batch is cut in: `shards`, or fewer where there are few rows. */
export function piecesOf(rows: number, shards: number): number {
  return Math.max(1, Math.min(shards, Math.floor(rows / fewestRows)));
}

/** Where piece `index` of `pieces` begins and ends in `total`: sizes differ by one at most. */
export function rangeOf(
  index: number,
  pieces: number,
  total: number,
): readonly [start: number, end: number] {
  return [Math.floor((index * total) / pieces), Math.floor(((index + 1) * total) / pieces)];
}

/** Piece `index` of the `pieces` that a batch is cut in. */
export function shardOf([x, y, weights]: Rows, index: number, pieces: number): Shard {
  const rows = x.shape[0]!;
  const [start, end] = rangeOf(index, pieces, rows);
  const part = (table: Table): Table => {
    const { data, shape } = sliceRows(table, start, end);
    return { data: data.slice(), shape };
  };
  return {
    tables: [part(x), part(y), weights && part(weights)],
    share: (end - start) / rows,
  };
}

/** A sum of several things: of its two halves. */
interface Sum {
  readonly above: Sum | undefined;
  halves: readonly [Sum, Sum] | undefined;
  value: readonly Exchanged[] | undefined;
}

/**
 * Adds up lists of vectors as they come, in an order that only their number decides: the first half
 * and the second half in the same way, then the two sums. So whoever adds up a half by itself, and
 * whichever comes first, the bits are the same.
 */
export class Reduction {
  private readonly root: Sum;
  private readonly leaves: Sum[] = [];

  constructor(count: number) {
    this.root = this.sumOf(count, undefined);
  }

  /** Takes list number `index`, whose memory is used. */
  put(index: number, vectors: readonly Exchanged[]): void {
    let sum: Sum | undefined = this.leaves[index];
    sum!.value = vectors;
    while ((sum = sum?.above)) {
      const [first, second] = sum.halves!;
      if (!first.value || !second.value) return;
      const added = second.value;
      first.value.forEach((vector, place) => addTo(vector, added[place]!));
      sum.value = first.value;
      sum.halves = undefined;
    }
  }

  /** The sum of all. Throws StateError before every list has come. */
  get total(): readonly Exchanged[] {
    if (this.root.value) return this.root.value;
    throw new StateError("workers: a shard is missing from the sum");
  }

  private sumOf(count: number, above: Sum | undefined): Sum {
    const sum: Sum = { above, halves: undefined, value: undefined };
    if (count === 1) this.leaves.push(sum);
    else {
      const half = Math.floor(count / 2);
      sum.halves = [this.sumOf(half, sum), this.sumOf(count - half, sum)];
    }
    return sum;
  }
}

function addTo(sum: Exchanged, more: Exchanged): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += more[i]!;
}
