/** Texts as token ids: a vocabulary learned from examples, padding and truncation. */
import { ArgumentError, DataError, StateError } from "../errors.js";
import type { Shape } from "../shape.js";

/** How a text is cut into tokens. */
export type Split = "words" | "characters" | "ngrams";

/** Options of `vectorizer`. */
export interface VectorizerOptions {
  /** The size of the vocabulary, padding and unknown included. Default: 10,000. */
  readonly maxTokens?: number;
  /** Tokens a text is cut or padded to. */
  readonly maxLength: number;
  /** Words (letters and digits, or single signs), characters, or runs of characters. */
  readonly split?: Split;
  /** Lengths of runs for `ngrams`, from and to. Default: [3, 3]. */
  readonly ngrams?: readonly [from: number, to: number];
  /** Whether capitals count as small letters. Default: true. */
  readonly lowercase?: boolean;
}

/** Token ids, `[texts, maxLength]`. */
export interface TokenBatch {
  readonly ids: Int32Array;
  readonly shape: Shape;
}

/** A vectorizer as plain data. */
export interface VectorizerData {
  readonly options: Required<VectorizerOptions>;
  readonly vocabulary: readonly string[];
}

/** The id of padding, which models mask. */
export const paddingId = 0;
/** The id of every token outside the vocabulary. */
export const unknownId = 1;
/** Ids that stand for no token of their own. */
const reserved = 2;
/** Stands before and behind a text, so that runs of characters tell its beginning and end. */
const boundary = "\u2402";

/** Learns a vocabulary and turns texts into ids; call it with texts. */
export interface Vectorizer {
  (texts: readonly string[]): TokenBatch;
  /** Learns the most frequent tokens of `texts`, ties in the order of first appearance. */
  adapt(texts: readonly string[]): Vectorizer;
  /** The tokens of a text, before they are looked up. */
  tokens(text: string): string[];
  /** Tokens by id, from the first after padding and unknown. Throws StateError before `adapt`. */
  readonly vocabulary: readonly string[];
  readonly options: Required<VectorizerOptions>;
  /** All it needs to be made again. */
  toJSON(): VectorizerData;
}

/** A vectorizer with no vocabulary yet. Throws ArgumentError for impossible options. */
export function vectorizer(options: VectorizerOptions): Vectorizer {
  return build(checkOptions(options), undefined);
}

/** The vectorizer that `toJSON` gave. Throws DataError where `data` is none. */
export function vectorizerFromJSON(data: VectorizerData): Vectorizer {
  const { options, vocabulary } = data;
  if (!Array.isArray(vocabulary) || vocabulary.some((token) => typeof token !== "string")) {
    throw new DataError("vectorizer: the saved vocabulary is not a list of tokens");
  }
  const checked = checkOptions(options);
  if (vocabulary.length > checked.maxTokens - reserved) {
    throw new DataError(
      `vectorizer: ${vocabulary.length} tokens are saved, maxTokens is ${checked.maxTokens}`,
    );
  }
  return build(checked, vocabulary);
}

function checkOptions({
  maxTokens = 10_000,
  maxLength,
  split = "words",
  ngrams = [3, 3],
  lowercase = true,
}: VectorizerOptions): Required<VectorizerOptions> {
  const whole = (name: string, value: number, least: number): void => {
    if (Number.isSafeInteger(value) && value >= least) return;
    throw new ArgumentError(
      `vectorizer: ${name} is ${value}; it must be a whole number ≥ ${least}`,
    );
  };
  whole("maxTokens", maxTokens, reserved + 1);
  whole("maxLength", maxLength, 1);
  const [from, to] = ngrams;
  whole("ngrams from", from, 1);
  whole("ngrams to", to, from);
  if (!["words", "characters", "ngrams"].includes(split)) {
    throw new ArgumentError(`vectorizer: split "${split}" is none of words, characters, ngrams`);
  }
  return { maxTokens, maxLength, split, ngrams: [from, to], lowercase };
}

function build(
  options: Required<VectorizerOptions>,
  known: readonly string[] | undefined,
): Vectorizer {
  let vocabulary = known;
  let ids = idsOf(known ?? []);
  const tokens = (text: string): string[] => cut(text, options);

  const vectorize = (texts: readonly string[]): TokenBatch => {
    if (!vocabulary) throw new StateError("vectorizer: call adapt(texts) first");
    const { maxLength } = options;
    const batch = new Int32Array(texts.length * maxLength).fill(paddingId);
    texts.forEach((text, row) => {
      tokens(text)
        .slice(0, maxLength)
        .forEach((token, at) => (batch[row * maxLength + at] = ids.get(token) ?? unknownId));
    });
    return { ids: batch, shape: [texts.length, maxLength] };
  };

  const made: Vectorizer = Object.assign(vectorize, {
    adapt(texts: readonly string[]): Vectorizer {
      vocabulary = mostFrequent(texts, tokens, options.maxTokens - reserved);
      ids = idsOf(vocabulary);
      return made;
    },
    tokens,
    options,
    toJSON: (): VectorizerData => ({ options, vocabulary: made.vocabulary }),
    vocabulary: [] as readonly string[],
  });
  Object.defineProperty(made, "vocabulary", {
    get(): readonly string[] {
      if (!vocabulary) throw new StateError("vectorizer: call adapt(texts) first");
      return vocabulary;
    },
  });
  return made;
}

function idsOf(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((token, index) => [token, index + reserved]));
}

function mostFrequent(
  texts: readonly string[],
  tokens: (text: string) => string[],
  size: number,
): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const token of tokens(text)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  if (counts.size === 0) throw new DataError("vectorizer: adapt needs texts with tokens in them");
  // Sorting is stable, and a Map keeps the order of first appearance.
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, size).map(([token]) => token);
}

/** Words with their marks and inner apostrophes, or single signs that are neither. */
const words = /[\p{L}\p{M}\p{N}]+(?:['’][\p{L}\p{M}\p{N}]+)*|[^\s\p{L}\p{M}\p{N}]/gu;

function cut(text: string, { split, ngrams, lowercase }: Required<VectorizerOptions>): string[] {
  const normal = text.normalize("NFC");
  const plain = lowercase ? normal.toLowerCase() : normal;
  if (split === "words") return plain.match(words) ?? [];
  const characters = Array.from(plain);
  if (split === "characters") return characters;
  const bounded = [boundary, ...characters, boundary];
  const [from, to] = ngrams;
  const runs: string[] = [];
  for (let at = 0; at < bounded.length; at++) {
    for (let length = from; length <= to && at + length <= bounded.length; length++) {
      runs.push(bounded.slice(at, at + length).join(""));
    }
  }
  return runs;
}
