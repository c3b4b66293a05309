/** Memory for what layers begin with. */
import { ArgumentError, DataError } from "../errors.js";
import type { Shape } from "../shape.js";
import { formatShape, sizeOf } from "../shape.js";

/** Numbers that 4 GiB hold, the most that WebAssembly addresses. */
const most = 2 ** 30;

/** How many numbers may still be made, where there is a limit. */
let left = Infinity;

/**
 * Runs `body`, in which layers may begin with so many numbers in all: a file that describes a model
 * cannot ask for more memory than its weights fill. Throws DataError for more.
 */
export function withRoom<T>(numbers: number, body: () => T): T {
  const outer = left;
  left = numbers;
  try {
    return body();
  } finally {
    left = outer;
  }
}

/** Room for a parameter of `shape`. */
export function room(shape: Shape): Float32Array {
  const size = sizeOf(shape);
  if (!(size <= left)) {
    throw new DataError(`a layer of ${formatShape(shape)} is larger than all weights there are`);
  }
  if (size > most) {
    throw new ArgumentError(
      `init: ${formatShape(shape)} is larger than the memory of the engine can ever be`,
    );
  }
  left -= size;
  return new Float32Array(size);
}
