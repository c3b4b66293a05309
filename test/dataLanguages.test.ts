/** The demo's data: real phrases, enough of them, and none on both sides. */
import { describe, expect, it } from "vitest";
import { languageLists, languages, parallelPhrases } from "../examples/languages.mjs";
import { Generator } from "../src/random.js";

const table = parallelPhrases();

describe("phrases", () => {
  it("are of 16 languages or more, 600 in each, every one there", () => {
    expect(languages.length).toBeGreaterThanOrEqual(16);
    expect(new Set(languages).size).toBe(languages.length);
    expect(table.length).toBeGreaterThanOrEqual(600);
    for (const phrases of table) {
      expect(phrases).toHaveLength(languages.length);
      for (const phrase of phrases) expect(phrase.trim()).not.toBe("");
    }
  });

  it("are there once in each language", () => {
    languages.forEach((language, at) => {
      expect(new Set(table.map((phrases) => phrases[at])).size, language).toBe(table.length);
    });
  });

  it.each([
    ["el", /\p{Script=Greek}/u],
    ["ru", /\p{Script=Cyrillic}/u],
    ["ar", /\p{Script=Arabic}/u],
    ["hi", /\p{Script=Devanagari}/u],
    ["ja", /[\p{Script=Katakana}\p{Script=Hiragana}\p{Script=Han}]/u],
    ["ko", /\p{Script=Hangul}/u],
  ])("of %s are translated, not codes or English", (language, script) => {
    const phrases = table.map((row) => row[languages.indexOf(language)]!);
    const written = phrases.filter((phrase) => script.test(phrase)).length;
    expect(written / phrases.length).toBeGreaterThan(0.95);
  });

  it("of neighbours are seldom spelled alike", () => {
    const where = new Map<string, Set<number>>();
    for (const row of table) {
      row.forEach((phrase, at) => where.set(phrase, (where.get(phrase) ?? new Set()).add(at)));
    }
    const alike = table.flat().filter((phrase) => where.get(phrase)!.size > 1).length;
    expect(alike / table.flat().length).toBeLessThan(0.3);
  });
});

describe("lists", () => {
  const { train, test } = languageLists({ random: new Generator(0) });
  const known = languages.map((_, at) => new Set(table.map((row) => row[at])));

  it("are as many of each language, on each side", () => {
    for (const [lists, count] of [
      [train, 500],
      [test, 100],
    ] as const) {
      expect(lists.texts).toHaveLength(count * languages.length);
      languages.forEach((_, language) => {
        expect(lists.labels.filter((label) => label === language)).toHaveLength(count);
      });
    }
  });

  it("are of four phrases of their language", () => {
    for (const { texts, labels } of [train, test]) {
      texts.forEach((text, at) => {
        const phrases = text.split(", ");
        // A few names have a comma of their own: "Hong Kong, RAE da China".
        if (phrases.length > 4) return;
        expect(phrases).toHaveLength(4);
        for (const phrase of phrases) expect(known[labels[at]!]!.has(phrase), phrase).toBe(true);
      });
    }
  });

  it("share no concept between training and test", () => {
    /** The rows of the table that lists were made of. */
    const concepts = ({ texts, labels }: typeof train): Set<number> => {
      const found = new Set<number>();
      texts.forEach((text, at) => {
        for (const phrase of text.split(", ")) {
          found.add(table.findIndex((row) => row[labels[at]!] === phrase));
        }
      });
      found.delete(-1);
      return found;
    };
    const [trained, tested] = [concepts(train), concepts(test)];
    expect(tested.size).toBeGreaterThan(100);
    expect(trained.size).toBeGreaterThan(400);
    expect([...tested].filter((concept) => trained.has(concept))).toEqual([]);
  });

  it("follow from the seed", () => {
    const texts = (seed: number): string =>
      languageLists({ random: new Generator(seed), trainPerLanguage: 3 }).train.texts.join("\n");
    expect(texts(1)).toBe(texts(1));
    expect(texts(1)).not.toBe(texts(2));
  });
});
