/** Texts as token ids: a vocabulary learned from examples, padding and truncation. */
import { checkFlag, checkKnown, checkWhole, fieldsOf, isObject, shown } from "../checks.js";
import { ArgumentError, DataError, StateError, reasonOf } from "../errors.js";
import type { Shape } from "../shape.js";
import type { Split, TokenOptions } from "./tokens.js";
import { tokensOf } from "./tokens.js";

/** Options of `vectorizer`. */
export interface VectorizerOptions {
  /** The size of the vocabulary, padding and unknown included. Default: 10,000. */
  readonly maxTokens?: number;
  /** Tokens a text is cut or padded to. */
  readonly maxLength: number;
  /**
   * Words (letters and digits, or single signs), characters (code points), or runs of characters
   * within a text whose ends are marked. Default: words.
   */
  readonly split?: Split;
  /** Length of the runs for `ngrams`, or the least and the greatest. Default: 3. */
  readonly ngrams?: number | readonly [from: number, to: number];
  /** Whether capitals count as small letters. Default: true. */
  readonly lowercase?: boolean;
}

/** Options of a vectorizer, all of them said. */
export interface VectorizerSettings extends TokenOptions {
  readonly maxTokens: number;
  readonly maxLength: number;
}

/** Token ids, `[texts, maxLength]`. */
export interface TokenBatch {
  readonly ids: Int32Array;
  readonly shape: Shape;
}

/** A vectorizer as plain data. */
export interface VectorizerData {
  readonly options: VectorizerSettings;
  readonly vocabulary: readonly string[];
}

/** The id of padding, which models mask. */
export const paddingId = 0;
/** The id of every token outside the vocabulary. */
export const unknownId = 1;
/** Ids that stand for no token of their own. */
const reserved = 2;

/** Learns a vocabulary and turns texts into ids; call it with texts. */
export interface Vectorizer {
  /** Throws StateError before `adapt`, ArgumentError for what is no list of texts. */
  (texts: readonly string[]): TokenBatch;
  /**
   * Learns the most frequent tokens of `texts`, ties in the order of first appearance. Throws
   * DataError where there are no tokens.
   */
  adapt(texts: readonly string[]): Vectorizer;
  /** The tokens of a text, before they are looked up. */
  tokens(text: string): string[];
  /** Tokens by id, from the first after padding and unknown. Throws StateError before `adapt`. */
  readonly vocabulary: readonly string[];
  readonly options: VectorizerSettings;
  /** All it needs to be made again. Throws StateError before `adapt`. */
  toJSON(): VectorizerData;
}

/** A vectorizer with no vocabulary yet. Throws ArgumentError for impossible options. */
export function vectorizer(options: VectorizerOptions): Vectorizer {
  return build(settingsOf(options), undefined);
}

/** The vectorizer that `toJSON` gave. Throws DataError where `data` is none. */
export function vectorizerFromJSON(data: VectorizerData): Vectorizer {
  const { options, vocabulary } = fieldsOf("vectorizer: the saved one", data);
  if (!isObject(options)) throw new DataError("vectorizer: the saved one has no options");
  if (!Array.isArray(vocabulary) || vocabulary.some((token) => typeof token !== "string")) {
    throw new DataError("vectorizer: the saved vocabulary is not a list of tokens");
  }
  if (new Set(vocabulary).size < vocabulary.length) {
    throw new DataError("vectorizer: the saved vocabulary has a token twice");
  }
  const settings = savedSettings(options);
  if (vocabulary.length > settings.maxTokens - reserved) {
    throw new DataError(
      `vectorizer: ${vocabulary.length} tokens are saved, maxTokens is ${settings.maxTokens}`,
    );
  }
  return build(settings, vocabulary);
}

function savedSettings(options: VectorizerSettings): VectorizerSettings {
  try {
    return settingsOf(options);
  } catch (error) {
    throw new DataError(`saved ${reasonOf(error)}`, { cause: error });
  }
}

function settingsOf({
  maxTokens = 10_000,
  maxLength,
  split = "words",
  ngrams = 3,
  lowercase = true,
}: VectorizerOptions): VectorizerSettings {
  checkWhole("vectorizer: maxTokens", maxTokens, reserved + 1);
  checkWhole("vectorizer: maxLength", maxLength, 1);
  if (typeof ngrams !== "number" && !(Array.isArray(ngrams) && ngrams.length === 2)) {
    throw new ArgumentError(`vectorizer: ngrams is ${shown(ngrams)}; a length or two are expected`);
  }
  const [from, to] = typeof ngrams === "number" ? [ngrams, ngrams] : ngrams;
  checkWhole("vectorizer: ngrams from", from, 1);
  checkWhole("vectorizer: ngrams to", to, from);
  checkFlag("vectorizer: lowercase", lowercase);
  checkKnown("vectorizer: split", split, ["words", "characters", "ngrams"]);
  return { maxTokens, maxLength, split, ngrams: [from, to], lowercase };
}

function build(options: VectorizerSettings, known: readonly string[] | undefined): Vectorizer {
  let vocabulary = known;
  let ids = idsOf(known ?? []);
  const learned = (): readonly string[] => {
    if (vocabulary) return vocabulary;
    throw new StateError("vectorizer: call adapt(texts) first");
  };

  const vectorize = (texts: readonly string[]): TokenBatch => {
    learned();
    checkTexts(texts);
    const { maxLength } = options;
    const batch = new Int32Array(texts.length * maxLength).fill(paddingId);
    texts.forEach((text, row) => {
      const tokens = tokensOf(text, options);
      const length = Math.min(tokens.length, maxLength);
      for (let at = 0; at < length; at++) {
        batch[row * maxLength + at] = ids.get(tokens[at]!) ?? unknownId;
      }
    });
    return { ids: batch, shape: [texts.length, maxLength] };
  };

  const made: Vectorizer = Object.assign(vectorize, {
    adapt(texts: readonly string[]): Vectorizer {
      checkTexts(texts);
      vocabulary = mostFrequent(texts, options);
      ids = idsOf(vocabulary);
      return made;
    },
    tokens: (text: string): string[] => tokensOf(text, options),
    options,
    toJSON: (): VectorizerData => ({ options, vocabulary: learned() }),
    vocabulary: [] as readonly string[],
  });
  // Object.assign would read a getter, not keep it.
  return Object.defineProperty(made, "vocabulary", { get: learned });
}

function checkTexts(texts: readonly string[]): void {
  const wrong = Array.isArray(texts) ? texts.findIndex((text) => typeof text !== "string") : 0;
  if (wrong === -1) return;
  throw new ArgumentError(
    Array.isArray(texts)
      ? `vectorizer: text ${wrong} is of type ${typeof texts[wrong]}, not a string`
      : `vectorizer: expected a list of texts, met ${typeof texts}: [text] is a list of one`,
  );
}

function idsOf(vocabulary: readonly string[]): Map<string, number> {
  return new Map(vocabulary.map((token, index) => [token, index + reserved]));
}

function mostFrequent(texts: readonly string[], options: VectorizerSettings): string[] {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const token of tokensOf(text, options)) counts.set(token, (counts.get(token) ?? 0) + 1);
  }
  if (counts.size === 0) throw new DataError("vectorizer: adapt needs texts with tokens in them");
  // Sorting is stable, and a Map keeps the order of first appearance.
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  return sorted.slice(0, options.maxTokens - reserved).map(([token]) => token);
}
