/** Texts as token ids. */
import { describe, expect, it } from "vitest";
import { ArgumentError, DataError, StateError } from "../src/errors.js";
import type { VectorizerData, VectorizerOptions } from "../src/text/index.js";
import { vectorizer, vectorizerFromJSON } from "../src/text/index.js";

/** The ids of one text, without padding. */
function idsOf(texts: readonly string[], text: string, options: VectorizerOptions): number[] {
  const { ids } = vectorizer(options).adapt(texts)([text]);
  return Array.from(ids).filter((id) => id !== 0);
}

describe("words", () => {
  const words = (text: string): string[] => vectorizer({ maxLength: 1 }).tokens(text);

  it.each([
    ["a plain sentence", "The film is good.", ["the", "film", "is", "good", "."]],
    ["apostrophes within words", "Don't l'été", ["don't", "l'été"]],
    ["a typographic apostrophe", "don’t", ["don’t"]],
    ["tokenised text", "it does n't work , -- ok", "it does n't work , - - ok".split(" ")],
    ["quotes around words", "'so' \"so\"", ["'", "so", "'", '"', "so", '"']],
    ["digits", "in 1999, 50%", ["in", "1999", ",", "50", "%"]],
    ["Greek, with its final sigma", "ΟΔΟΣ ΣΑΣ", ["οδος", "σας"]],
    ["Russian", "Ёлка и мир", ["ёлка", "и", "мир"]],
    ["Hindi, whose vowels are marks", "हिन्दी भाषा", ["हिन्दी", "भाषा"]],
    ["Arabic with marks", "عَرَبِيّ", ["عَرَبِيّ"]],
    ["Turkish İ, which becomes two characters", "İstanbul", ["i̇stanbul"]],
    ["emoji outside the basic plane", "ok👍👍", ["ok", "👍", "👍"]],
    ["all kinds of space", "a\tb\nc\u00a0d\u3000e", ["a", "b", "c", "d", "e"]],
    ["nothing", "", []],
    ["only space", "  \n ", []],
  ])("%s", (_, text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it("are one word however an accent is spelled", () => {
    const composed = "caf\u00e9";
    const decomposed = "cafe\u0301";
    expect(words(decomposed)).toEqual(words(composed));
  });

  it("keep capitals where lowercase is off", () => {
    expect(vectorizer({ maxLength: 1, lowercase: false }).tokens("New York")).toEqual([
      "New",
      "York",
    ]);
  });
});

describe("characters", () => {
  it("are code points, spaces among them", () => {
    const vectorize = vectorizer({ maxLength: 9, split: "characters" });
    expect(vectorize.tokens("Hi 👍é")).toEqual(["h", "i", " ", "👍", "é"]);
    expect(vectorize.tokens("")).toEqual([]);
  });
});

describe("ngrams", () => {
  const runs = (text: string, ngrams: VectorizerOptions["ngrams"]): string[] =>
    vectorizer({ maxLength: 9, split: "ngrams", ...(ngrams && { ngrams }) }).tokens(text);

  it("tell the beginning and the end of a text", () => {
    expect(runs("abc", undefined)).toEqual(["␂ab", "abc", "bc␂"]);
    expect(runs("a", 3)).toEqual(["␂a␂"]);
  });

  it("have every length from the least to the greatest", () => {
    expect(runs("ab", [1, 2])).toEqual(["␂", "␂a", "a", "ab", "b", "b␂", "␂"]);
    expect(runs("ab", 1)).toEqual(["␂", "a", "b", "␂"]);
  });

  it("never cut a character in two", () => {
    expect(runs("👍😀", 2)).toEqual(["␂👍", "👍😀", "😀␂"]);
  });

  it("are none in a text that is too short", () => {
    expect(runs("", 3)).toEqual([]);
    expect(runs("ab", [5, 9])).toEqual([]);
  });

  it("are as many as the lengths leave room for", () => {
    // 12 characters with the bounds: 11 + 10 + 9 runs of 2, 3, 4.
    expect(runs("0123456789", [2, 4])).toHaveLength(30);
  });
});

describe("vocabulary", () => {
  it("is in order of frequency, ties in the order of first appearance", () => {
    const { vocabulary } = vectorizer({ maxLength: 4 }).adapt(["b a c a", "z c a", "c"]);
    expect(vocabulary).toEqual(["a", "c", "b", "z"]);
  });

  it("counts padding and unknown in its size", () => {
    const { vocabulary } = vectorizer({ maxLength: 4, maxTokens: 4 }).adapt(["a a a b b c"]);
    expect(vocabulary).toEqual(["a", "b"]);
  });

  it("holds words that objects have as properties", () => {
    const vectorize = vectorizer({ maxLength: 3 }).adapt(["constructor valueOf"]);
    const { ids } = vectorize(["valueOf hasOwnProperty constructor"]);
    expect(ids).toEqual(Int32Array.of(3, 1, 2));
    const runs = vectorizer({ maxLength: 3, split: "ngrams", ngrams: 9 }).adapt(["__proto__"]);
    expect(runs.vocabulary).toEqual(["␂__proto_", "__proto__", "_proto__␂"]);
    expect(runs(["__proto__"]).ids).toEqual(Int32Array.of(2, 3, 4));
  });

  it("is learned anew by another adapt", () => {
    const vectorize = vectorizer({ maxLength: 2 }).adapt(["old"]);
    vectorize.adapt(["new"]);
    expect(vectorize.vocabulary).toEqual(["new"]);
    expect(vectorize(["old new"]).ids).toEqual(Int32Array.of(1, 2));
  });
});

describe("ids", () => {
  it("are padded with 0 and cut at the end; 1 is unknown", () => {
    const vectorize = vectorizer({ maxLength: 3 }).adapt(["a a a b b c"]);
    const { ids, shape } = vectorize(["b", "a b c a", "", "a x c"]);
    expect(shape).toEqual([4, 3]);
    expect(Array.from(ids)).toEqual([3, 0, 0, 2, 3, 4, 0, 0, 0, 2, 1, 4]);
  });

  it("of no texts are none", () => {
    const { ids, shape } = vectorizer({ maxLength: 3 }).adapt(["a"])([]);
    expect(shape).toEqual([0, 3]);
    expect(ids).toHaveLength(0);
  });

  it("do not depend on capitals, unless asked to", () => {
    expect(idsOf(["film"], "FILM Film film", { maxLength: 3 })).toEqual([2, 2, 2]);
    expect(idsOf(["film"], "FILM film", { maxLength: 3, lowercase: false })).toEqual([1, 2]);
  });

  it("of 5,000 long texts take seconds at the most", () => {
    const texts = Array.from({ length: 5000 }, (_, i) =>
      Array.from({ length: 20 }, (_, at) => `w${(i * 31 + at * at * 17) % 9999}`).join(" "),
    );
    const begun = performance.now();
    for (const split of ["words", "characters", "ngrams"] as const) {
      vectorizer({ split, maxLength: 64 }).adapt(texts)(texts);
    }
    expect(performance.now() - begun).toBeLessThan(20_000);
  });
});

describe("misuse", () => {
  it.each<[string, Partial<VectorizerOptions>]>([
    ["maxTokens is 2; it must be a whole number ≥ 3", { maxTokens: 2 }],
    ["maxTokens is 10.5", { maxTokens: 10.5 }],
    ["maxLength is 0; it must be a whole number ≥ 1", { maxLength: 0 }],
    ["maxLength is NaN", { maxLength: NaN }],
    ["ngrams from is 0", { ngrams: 0 }],
    ["ngrams to is 2; it must be a whole number ≥ 3", { ngrams: [3, 2] }],
    ['split "sentences" is none of words', { split: "sentences" as "words" }],
  ])("%s", (message, options) => {
    const make = (): unknown => vectorizer({ maxLength: 8, ...options });
    expect(make).toThrow(ArgumentError);
    expect(make).toThrow(`vectorizer: ${message}`);
  });

  it.each([[[]], [[""]], [["  ", "\n"]]])("adapts to nothing: %j", (texts) => {
    const adapt = (): unknown => vectorizer({ maxLength: 8 }).adapt(texts);
    expect(adapt).toThrow(DataError);
    expect(adapt).toThrow("adapt needs texts with tokens");
  });

  it("keeps its vocabulary when it cannot adapt", () => {
    const vectorize = vectorizer({ maxLength: 8 }).adapt(["kept"]);
    expect(() => vectorize.adapt([])).toThrow(DataError);
    expect(vectorize.vocabulary).toEqual(["kept"]);
  });

  it("used before adapt", () => {
    const vectorize = vectorizer({ maxLength: 8 });
    const uses = [
      () => vectorize(["a"]),
      () => vectorize([]),
      () => vectorize.vocabulary,
      () => JSON.stringify(vectorize),
    ];
    for (const use of uses) {
      expect(use).toThrow(StateError);
      expect(use).toThrow("call adapt(texts) first");
    }
  });

  it.each<[string, unknown]>([
    ["expected a list of texts, met string", "one text"],
    ["expected a list of texts, met undefined", undefined],
    ["text 1 is of type number", ["a", 1]],
    ["text 0 is of type object", [null]],
  ])("%s", (message, texts) => {
    const vectorize = vectorizer({ maxLength: 8 }).adapt(["a"]);
    const wrong = texts as string[];
    for (const use of [() => vectorize(wrong), () => vectorize.adapt(wrong)]) {
      expect(use).toThrow(ArgumentError);
      expect(use).toThrow(`vectorizer: ${message}`);
    }
  });
});

describe("saving", () => {
  const texts = [
    "İstanbul'da ␂ çay \ud800",
    "emoji 👍👍 __proto__ constructor",
    '"quotes" \\ \u2028',
  ];

  it.each(["words", "characters", "ngrams"] as const)(
    "%s: the copy gives the same ids",
    (split) => {
      const options = {
        split,
        maxLength: 40,
        maxTokens: 60,
        ngrams: [2, 4],
        lowercase: false,
      } as const;
      const original = vectorizer(options).adapt(texts);
      const text = JSON.stringify(original);
      const copy = vectorizerFromJSON(JSON.parse(text) as VectorizerData);
      const unseen = [...texts, "çay emoji unseen", ""];
      expect(copy(unseen)).toEqual(original(unseen));
      expect(copy.vocabulary).toEqual(original.vocabulary);
      expect(JSON.stringify(copy)).toBe(text);
    },
  );

  const good = { options: { maxLength: 4, maxTokens: 4 }, vocabulary: ["a", "b"] };
  it.each<[string, object]>([
    ["has no options", { vocabulary: [] }],
    ["has no options", { options: null, vocabulary: [] }],
    ["vocabulary is not a list of tokens", { options: good.options }],
    ["vocabulary is not a list of tokens", { ...good, vocabulary: { 0: "a" } }],
    ["vocabulary is not a list of tokens", { ...good, vocabulary: ["a", 1] }],
    ["has a token twice", { ...good, vocabulary: ["a", "a"] }],
    ["3 tokens are saved, maxTokens is 4", { ...good, vocabulary: ["a", "b", "c"] }],
    ["saved vectorizer: maxLength is undefined", { ...good, options: {} }],
    ["saved vectorizer: split", { ...good, options: { ...good.options, split: 1 } }],
  ])("refuses what is no vectorizer: %s", (message, data) => {
    const load = (): unknown => vectorizerFromJSON(data as VectorizerData);
    expect(load).toThrow(DataError);
    expect(load).toThrow(message);
  });
});
