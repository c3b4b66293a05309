/** How texts are cut into tokens. */

/** How a text is cut into tokens. */
export type Split = "words" | "characters" | "ngrams";

/** All that the tokens of a text depend on. */
export interface TokenOptions {
  readonly split: Split;
  /** Lengths of the runs for `ngrams`. */
  readonly ngrams: readonly [from: number, to: number];
  readonly lowercase: boolean;
}

/** Words with their marks and inner apostrophes, or single signs that are neither. */
const words = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]/gu;

/** Stands before and behind a text, so that runs of characters tell its beginning and end. */
const boundary = "\u2402";

/** The tokens of `text`, in the order they begin in. */
export function tokensOf(text: string, { split, ngrams, lowercase }: TokenOptions): string[] {
  // One spelling of what looks the same: é may be one character or two.
  const normal = text.normalize("NFC");
  const plain = lowercase ? normal.toLowerCase() : normal;
  if (split === "words") return plain.match(words) ?? [];
  if (split === "characters") return Array.from(plain);
  return runsOf(boundary + plain + boundary, ngrams);
}

/** All runs of `from` to `to` characters, where a character is a code point. */
function runsOf(text: string, [from, to]: readonly [number, number]): string[] {
  /** Where each character begins, and the text ends. */
  const starts = [0];
  for (const character of text) starts.push(starts.at(-1)! + character.length);
  const runs: string[] = [];
  for (let at = 0; at + from < starts.length; at++) {
    const longest = Math.min(to, starts.length - 1 - at);
    for (let length = from; length <= longest; length++) {
      runs.push(text.slice(starts[at], starts[at + length]));
    }
  }
  return runs;
}
