/** Shared words in which the leader and the workers of a team tell each other how they are. */
import type { ErrorMessage } from "../errors.js";
import { packError } from "../errors.js";

/** Words: whether the team's run is abandoned, length of the error's text, then one per worker. */
const abandonedIndex = 0;
const errorLengthIndex = 1;
const firstWorker = 2;

/** Bytes of the text of the first error; a longer one loses its stack. */
const errorBytes = 4096;

/** One team's board, as each of its threads makes it for itself. */
export class Board {
  readonly #words: Int32Array;
  readonly #error: Uint8Array;

  constructor(memory: WebAssembly.Memory, address: number, workers: number) {
    this.#words = new Int32Array(memory.buffer, address, firstWorker + workers);
    this.#error = new Uint8Array(memory.buffer, address + this.#words.byteLength, errorBytes);
  }

  /** Bytes of a board for so many workers. */
  static bytes(workers: number): number {
    return 4 * (firstWorker + workers) + errorBytes;
  }

  /** Makes it the board of a new team. */
  clear(): void {
    this.#words.fill(0);
  }

  /** Whether the team is to be left. */
  get abandoned(): boolean {
    return Atomics.load(this.#words, abandonedIndex) !== 0;
  }

  /** What went wrong first, if a thread said so. */
  get error(): ErrorMessage | undefined {
    const length = Atomics.load(this.#words, errorLengthIndex);
    if (!this.abandoned || length === 0) return undefined;
    const text = new TextDecoder().decode(this.#error.slice(0, length));
    return JSON.parse(text) as ErrorMessage;
  }

  /** Tells all threads to leave the team, and why. */
  abandon(error?: unknown): void {
    // 1 while the first to abandon writes its error, 2 when it can be read.
    if (Atomics.compareExchange(this.#words, abandonedIndex, 0, 1) !== 0) return;
    if (error !== undefined) {
      const message = packError(error);
      const encode = (part: ErrorMessage): Uint8Array =>
        new TextEncoder().encode(JSON.stringify(part));
      let bytes = encode(message);
      if (bytes.length > errorBytes) {
        const text = message.message.slice(0, errorBytes / 8);
        bytes = encode({ kind: message.kind, message: text, stack: undefined });
      }
      this.#error.set(bytes);
      Atomics.store(this.#words, errorLengthIndex, bytes.length);
    }
    Atomics.store(this.#words, abandonedIndex, 2);
  }

  /** Worker `index` says that it will touch the team no more. */
  leave(index: number): void {
    Atomics.store(this.#words, firstWorker + index, 1);
    Atomics.notify(this.#words, firstWorker + index);
  }

  /** Waits up to `milliseconds` for worker `index` to leave, and says whether it has. */
  hasLeft(index: number, milliseconds: number): boolean {
    Atomics.wait(this.#words, firstWorker + index, 0, milliseconds);
    return Atomics.load(this.#words, firstWorker + index) === 1;
  }
}
