/** Text files record by record, however large: pieces of them that hold whole records. */
import { DataError, StateError } from "../errors.js";
import type { Bytes } from "./bytes.js";
import { joined } from "./bytes.js";

/** Whole records of a file, one after the other. */
export interface Piece {
  readonly text: string;
  /** Where in the file it begins. */
  readonly offset: number;
  /** The line that it begins in, the first being 1. */
  readonly line: number;
}

/** Where in a file to begin. */
export interface Place {
  readonly offset: number;
  readonly line: number;
}

const [lf, cr, quote] = [0x0a, 0x0d, 0x22];
/** A record longer than this is a quote that was left open, or no text. */
const longestRecord = 2 ** 26;

/**
 * The records of `bytes` from `place` on, which a record begins at. A line's end ends a record,
 * except in quotes, where `quoted` says which sign is between fields. Throws DataError for what is
 * not UTF-8, and records over 64 MiB.
 */
export async function* piecesOf(
  bytes: Bytes,
  place: Place,
  quoted: string | undefined,
): AsyncGenerator<Piece, void> {
  const end = quoted === undefined ? lineEnd : quotedEnd(quoted.charCodeAt(0));
  let rest: Uint8Array[] = [];
  let length = 0;
  let { offset, line } = place;
  const take = (tail: Uint8Array): Piece => {
    const whole = joined([...rest, tail], length + tail.length);
    const text = decode(bytes.name, whole, offset, line);
    const piece = { text, offset, line };
    offset += whole.length;
    line += countLines(whole);
    rest = [];
    length = 0;
    return piece;
  };
  for await (const found of bytes.stream(offset)) {
    const cut = end(found);
    if (cut > 0) yield take(found.subarray(0, cut));
    if (cut < found.length) rest.push(found.slice(cut));
    length += found.length - cut;
    if (length > longestRecord) {
      throw new DataError(
        `${bytes.name}: the record that begins in line ${line} is longer than ${longestRecord} ` +
          "bytes: is a quote left open?",
      );
    }
  }
  if (length > 0) yield take(new Uint8Array(0));
}

function decode(name: string, bytes: Uint8Array, offset: number, line: number): string {
  try {
    // A mark at the beginning of the file is no part of its text; one elsewhere is.
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return offset === 0 && text.startsWith("\uFEFF") ? text.slice(1) : text;
  } catch (error) {
    throw new DataError(
      `${name}: bytes ${offset} to ${offset + bytes.length}, from line ${line} on, are not UTF-8`,
      { cause: error },
    );
  }
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === lf || (bytes[at] === cr && bytes[at + 1] !== lf)) lines++;
  }
  return lines;
}

/** Behind the last line's end in `bytes`; 0 where there is none. */
function lineEnd(bytes: Uint8Array): number {
  // A CR in the last place may have its LF in the next piece.
  for (let at = bytes.length - 1; at >= 0; at--) {
    if (bytes[at] === lf || (bytes[at] === cr && at < bytes.length - 1)) return at + 1;
  }
  return 0;
}

/** Behind the last line's end that is not in quotes; goes on from piece to piece. */
function quotedEnd(delimiter: number): (bytes: Uint8Array) => number {
  let inQuotes = false;
  // Where a quote begins a field, or, behind another in quotes, stands for itself.
  let mayOpen = true;
  return (bytes) => {
    let found = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte === quote) {
        const closes = inQuotes;
        inQuotes = !inQuotes && mayOpen;
        mayOpen = closes;
      } else if (!inQuotes) {
        const ends = byte === lf || byte === cr;
        if (byte === lf || (byte === cr && at < bytes.length - 1)) found = at + 1;
        mayOpen = ends || byte === delimiter;
      }
    }
    return found;
  };
}

/** A stream as something to read from, once. */
export function onceBytes(name: string, stream: AsyncIterable<Uint8Array>): Bytes {
  let used = false;
  const refuse = (): never => {
    throw new StateError(`${name} can be read once, and was; pass a function or a file instead`);
  };
  return {
    name,
    size: refuse,
    read: refuse,
    async *stream(start = 0) {
      if (used) refuse();
      used = true;
      let skip = start;
      for await (const piece of stream) {
        const passed = Math.min(skip, piece.length);
        skip -= passed;
        if (passed < piece.length) yield piece.subarray(passed);
      }
    },
  };
}
