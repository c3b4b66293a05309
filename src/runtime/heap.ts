/** Bookkeeping of the wasm memory that tensors live in: pages beyond those of Rust's allocator. */
import { OutOfMemoryError } from "../errors.js";

/** What the Heap needs of a `WebAssembly.Memory`. */
export interface GrowableMemory {
  readonly buffer: { readonly byteLength: number };
  /** Grows by whole pages and returns the size before, in pages; throws where it cannot. */
  grow(pages: number): number;
}

/** The unit in which wasm memory grows. */
export const pageBytes = 65536;

/** A cache line, and the widest vector load. */
const alignment = 64;

/** Grown by at least this much, so that a model being built does not grow page by page. */
const growthBytes = 4 * 2 ** 20;

/** How many of the biggest buffers an OutOfMemoryError names. */
const named = 3;

interface Span {
  address: number;
  bytes: number;
}

interface Block {
  readonly bytes: number;
  readonly label: string;
}

/**
 * Best-fit allocator with coalescing. It keeps addresses only, never a view of the memory, and
 * takes what `grow` returns, which need not follow the last pages: Rust grows the memory too.
 */
export class Heap {
  /** Free spans by address; neighbours are merged. */
  readonly #free: Span[] = [];
  readonly #blocks = new Map<number, Block>();
  #live = 0;
  #peak = 0;

  constructor(
    readonly memory: GrowableMemory,
    /** The most bytes the memory may grow to. */
    readonly limit: number,
  ) {}

  /** Bytes allocated now. */
  get live(): number {
    return this.#live;
  }

  /** The most bytes that were ever allocated. */
  get peak(): number {
    return this.#peak;
  }

  /** Bytes the memory has grown to, Rust's included. */
  get reserved(): number {
    return this.memory.buffer.byteLength;
  }

  /**
   * The address of `bytes` new bytes, a multiple of 64 and never 0; their content is undefined.
   * `label` names them in errors. Throws OutOfMemoryError.
   */
  allocate(bytes: number, label: string): number {
    const size = roundUp(Math.max(bytes, 1), alignment);
    const address = this.#take(size) ?? (this.#grow(size) ? this.#take(size) : undefined);
    if (address === undefined) throw this.#outOfMemory(size, label);
    this.#blocks.set(address, { bytes: size, label });
    this.#live += size;
    this.#peak = Math.max(this.#peak, this.#live);
    return address;
  }

  /** Gives back what `allocate` returned. */
  free(address: number): void {
    const block = this.#blocks.get(address);
    if (!block) throw new RangeError(`heap: nothing is allocated at ${address}`);
    this.#blocks.delete(address);
    this.#live -= block.bytes;
    this.#addFree(address, block.bytes);
  }

  #take(size: number): number | undefined {
    let best = -1;
    let bestBytes = Infinity;
    for (let i = 0; i < this.#free.length; i++) {
      const { bytes } = this.#free[i]!;
      if (bytes >= size && bytes < bestBytes) {
        best = i;
        bestBytes = bytes;
      }
    }
    const span = this.#free[best];
    if (!span) return undefined;
    const { address } = span;
    if (span.bytes === size) {
      this.#free.splice(best, 1);
    } else {
      span.address += size;
      span.bytes -= size;
    }
    return address;
  }

  /** Gets pages for `size` more bytes; in steps first, then as little as will do. */
  #grow(size: number): boolean {
    const last = this.#free.at(-1);
    const tail = last && endOf(last) === this.reserved ? last.bytes : 0;
    const least = size - tail;
    const step = Math.max(least, growthBytes, this.reserved / 8);
    // Where Rust has grown the memory meanwhile, the tail is no longer one with the new pages.
    for (const bytes of [step, least, size]) {
      if (this.#growBy(Math.ceil(bytes / pageBytes))) {
        if (this.#free.some((span) => span.bytes >= size)) return true;
      }
    }
    return false;
  }

  #growBy(pages: number): boolean {
    if (this.reserved + pages * pageBytes > this.limit) return false;
    let before: number;
    try {
      before = this.memory.grow(pages);
    } catch {
      return false;
    }
    this.#addFree(before * pageBytes, pages * pageBytes);
    return true;
  }

  #addFree(address: number, bytes: number): void {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#free[middle]!.address < address) low = middle + 1;
      else high = middle;
    }
    const before = this.#free[low - 1];
    const after = this.#free[low];
    const joined = { address, bytes };
    let first = low;
    let replaced = 0;
    if (before && endOf(before) === address) {
      joined.address = before.address;
      joined.bytes += before.bytes;
      first--;
      replaced++;
    }
    if (after?.address === address + bytes) {
      joined.bytes += after.bytes;
      replaced++;
    }
    this.#free.splice(first, replaced, joined);
  }

  #outOfMemory(size: number, label: string): OutOfMemoryError {
    const biggest = [...this.#blocks.values()]
      .sort((a, b) => b.bytes - a.bytes)
      .slice(0, named)
      .map((block) => `${block.label} ${formatBytes(block.bytes)}`);
    const holds = biggest.length > 0 ? ` (biggest: ${biggest.join(", ")})` : "";
    const free = this.#free.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    return new OutOfMemoryError(
      `out of memory: ${label} asks for ${formatBytes(size)}; ${formatBytes(this.#live)} are live ` +
        `in ${this.#blocks.size} buffers${holds}; the memory holds ${formatBytes(this.reserved)} ` +
        `of at most ${formatBytes(this.limit)}, its largest free piece ${formatBytes(free)}. ` +
        "Use smaller batches, dispose what is no longer needed, or raise init's maxMemory",
    );
  }
}

function endOf({ address, bytes }: Span): number {
  return address + bytes;
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ["KiB", "MiB", "GiB"];
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]}`;
}
