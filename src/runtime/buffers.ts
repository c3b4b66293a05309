/** The Leader's buffers: which handle is where, and how big. */
import { StateError } from "../errors.js";
import type { Heap } from "./heap.js";
import type { Handle } from "./protocol.js";

interface Place {
  readonly address: number;
  readonly bytes: number;
}

/** Handles and their memory. */
export class Buffers {
  readonly #heap: Heap;
  readonly #places = new Map<Handle, Place>();

  constructor(heap: Heap) {
    this.#heap = heap;
  }

  has(handle: Handle): boolean {
    return this.#places.has(handle);
  }

  /** Makes the buffer of a new handle. Throws OutOfMemoryError. */
  make(handle: Handle, bytes: number): void {
    const address = this.#heap.allocate(bytes, `buffer ${handle}`);
    this.#places.set(handle, { address, bytes });
  }

  /** Frees a buffer; one that never came to be, because its run failed, is none to free. */
  free(handle: Handle): void {
    const place = this.#places.get(handle);
    if (!place) return;
    this.#places.delete(handle);
    this.#heap.free(place.address);
  }

  /** Where a buffer is. Throws StateError unless it exists with this size, or more. */
  address(handle: Handle, bytes: number): number {
    const place = this.#places.get(handle);
    if (!place) {
      throw new StateError(
        `buffer ${handle} is not in the engine's memory: it was never made, was freed, ` +
          "or was lost with the worker that led the engine",
      );
    }
    if (place.bytes < bytes) {
      throw new StateError(`buffer ${handle} holds ${place.bytes} bytes: ${bytes} are wanted`);
    }
    return place.address;
  }
}
