/** Bytes of files, addresses, blobs and arrays: as a whole, in parts, or as a stream. */
import { ArgumentError, DataError, reasonOf } from "../errors.js";

/** Whether there are files; pages and their workers have addresses instead. */
export const inNode = typeof process === "object" && typeof process.versions?.node === "string";

/** Where data is: a path (Node), an address, a file that a page was given, or bytes in memory. */
export type FileSource = string | URL | Blob | Uint8Array;

/** Something to read bytes from. */
export interface Bytes {
  /** What errors call it. */
  readonly name: string;
  /** How many bytes there are; of a compressed file, all are read for it. */
  size(): Promise<number>;
  /** The bytes from `start` up to `end`. Throws DataError where they are not there. */
  read(start: number, end: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The bytes from `start` on, in pieces. */
  stream(start?: number): AsyncIterable<Uint8Array>;
}

/** What to read of a source. */
export interface BytesOptions {
  /** What errors call it. Default: its path, address or file name. */
  readonly name?: string;
  /** Whether it is compressed by gzip. Default: whether its name ends in `.gz`. */
  readonly gzip?: boolean;
}

/** The bytes of `source`; nothing is read yet. Throws ArgumentError for what is no source. */
export function bytesOf(source: FileSource, options: BytesOptions = {}): Bytes {
  const plain = plainBytes(source, options.name);
  const gzip = options.gzip ?? plain.name.endsWith(".gz");
  return gzip ? unzipped(plain) : plain;
}

function plainBytes(source: FileSource, given: string | undefined): Bytes {
  if (source instanceof Uint8Array) return memoryBytes(given ?? "the bytes", source);
  if (source instanceof Blob) return blobBytes(given ?? nameOf(source), source);
  if (typeof source !== "string" && !(source instanceof URL)) {
    throw new ArgumentError("a path, an address, a Blob or a Uint8Array is expected");
  }
  const place = String(source);
  const name = given ?? place;
  return inNode && !/^(https?|blob|data):/.test(place)
    ? fileBytes(name, place)
    : addressBytes(name, source);
}

function nameOf(blob: Blob): string {
  return "name" in blob && typeof blob.name === "string" ? blob.name : "the blob";
}

/** All of it. Throws DataError where it cannot be read. */
export async function readAll(bytes: Bytes): Promise<Uint8Array<ArrayBuffer>> {
  return bytes.read(0, await bytes.size());
}

function unreadable(name: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  return new DataError(`${name} cannot be read: ${reasonOf(error)}`, { cause: error });
}

function checkRange(name: string, size: number, start: number, end: number): void {
  if (start >= 0 && start <= end && end <= size) return;
  throw new DataError(`${name}: bytes ${start} to ${end} are wanted, there are ${size}`);
}

function memoryBytes(name: string, data: Uint8Array): Bytes {
  return {
    name,
    size: () => Promise.resolve(data.length),
    read: (start, end) =>
      Promise.resolve().then(() => {
        checkRange(name, data.length, start, end);
        return data.slice(start, end);
      }),
    stream: async function* (start = 0) {
      yield await Promise.resolve(data.subarray(start));
    },
  };
}

function blobBytes(name: string, blob: Blob): Bytes {
  return {
    name,
    size: () => Promise.resolve(blob.size),
    async read(start, end) {
      checkRange(name, blob.size, start, end);
      return new Uint8Array(await blob.slice(start, end).arrayBuffer());
    },
    stream: (start = 0) => piecesOf(name, () => blob.slice(start).stream()),
  };
}

/** The pieces of a stream; not every browser's streams can be iterated. */
async function* piecesOf(
  name: string,
  open: () => ReadableStream<Uint8Array> | Promise<ReadableStream<Uint8Array>>,
): AsyncGenerator<Uint8Array, void> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  try {
    reader = (await open()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw unreadable(name, error);
  } finally {
    await reader?.cancel().catch(() => undefined);
  }
}

function fileBytes(name: string, place: string): Bytes {
  const path = place.startsWith("file:") ? new URL(place) : place;
  return {
    name,
    async size() {
      const { stat } = await import("node:fs/promises");
      try {
        return (await stat(path)).size;
      } catch (error) {
        throw unreadable(name, error);
      }
    },
    async read(start, end) {
      const { open } = await import("node:fs/promises");
      try {
        const file = await open(path);
        try {
          // Before memory is taken: the range may come from a header.
          checkRange(name, (await file.stat()).size, start, end);
          const data = new Uint8Array(end - start);
          let at = 0;
          while (at < data.length) {
            const { bytesRead } = await file.read(data, at, data.length - at, start + at);
            if (bytesRead === 0) throw new DataError(`${name} ends at byte ${start + at}`);
            at += bytesRead;
          }
          return data;
        } finally {
          await file.close();
        }
      } catch (error) {
        throw unreadable(name, error);
      }
    },
    async *stream(start = 0) {
      const { createReadStream } = await import("node:fs");
      const stream = createReadStream(path, { start });
      try {
        for await (const piece of stream) yield piece as Uint8Array;
      } catch (error) {
        throw unreadable(name, error);
      } finally {
        stream.destroy();
      }
    },
  };
}

function addressBytes(name: string, address: string | URL): Bytes {
  const get = async (headers: Record<string, string> = {}): Promise<Response> => {
    const response = await fetch(address, { headers });
    if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
    return response;
  };
  // Parts are asked for by few programs and refused by many servers: the whole is kept.
  let whole: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const load = (): Promise<Uint8Array<ArrayBuffer>> => {
    whole ??= get()
      .then(async (response) => new Uint8Array(await response.arrayBuffer()))
      .catch((error: unknown) => {
        whole = undefined;
        throw unreadable(name, error);
      });
    return whole;
  };
  return {
    name,
    size: async () => (await load()).length,
    async read(start, end) {
      const data = await load();
      checkRange(name, data.length, start, end);
      return data.slice(start, end);
    },
    async *stream(start = 0) {
      let skip = start;
      const pieces = piecesOf(name, async () => {
        const response = await get(start > 0 ? { range: `bytes=${start}-` } : {});
        // A server that gives parts says so; another one gives it all.
        if (response.status === 206) skip = 0;
        return response.body ?? new Blob([]).stream();
      });
      for await (const piece of pieces) {
        const passed = Math.min(skip, piece.length);
        skip -= passed;
        if (passed < piece.length) yield piece.subarray(passed);
      }
    },
  };
}

/** What `packed`, a gzip file, holds. It can only be read from its beginning. */
function unzipped(packed: Bytes): Bytes {
  const { name } = packed;
  const open = (): AsyncGenerator<Uint8Array, void> =>
    piecesOf(name, () => {
      const source = packed.stream()[Symbol.asyncIterator]();
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        async pull(controller) {
          const step = await source.next();
          if (step.done === true) controller.close();
          else controller.enqueue(new Uint8Array(step.value));
        },
        async cancel() {
          await source.return?.();
        },
      });
      return stream.pipeThrough(new DecompressionStream("gzip"));
    });
  async function* from(start: number): AsyncGenerator<Uint8Array, void> {
    let skip = start;
    for await (const piece of open()) {
      const passed = Math.min(skip, piece.length);
      skip -= passed;
      if (passed < piece.length) yield piece.subarray(passed);
    }
  }
  let known: Promise<number> | undefined;
  const measure = async (): Promise<number> => {
    let size = 0;
    for await (const piece of open()) size += piece.length;
    return size;
  };
  return {
    name,
    size: () => (known ??= measure()),
    async read(start, end) {
      checkRange(name, Infinity, start, end);
      const pieces: Uint8Array[] = [];
      let found = 0;
      for await (const piece of from(start)) {
        pieces.push(piece.subarray(0, end - start - found));
        found += pieces.at(-1)!.length;
        if (found === end - start) break;
      }
      if (found < end - start) throw new DataError(`${name} ends at byte ${start + found}`);
      return joined(pieces, found);
    },
    stream: (start = 0) => from(start),
  };
}

/** Pieces as one array. */
export function joined(pieces: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
