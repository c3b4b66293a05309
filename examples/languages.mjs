/**
 * Phrases of many languages that every JavaScript engine carries: the names that Unicode's CLDR
 * has for regions, languages, currencies and units. No download, and real text.
 */

/** The languages told apart: several scripts, and neighbours that are easily confused. */
export const languages = [
  "en",
  "es",
  "fr",
  "de",
  "it",
  "pt",
  "pl",
  "tr",
  "fi",
  "ru",
  "uk",
  "el",
  "ar",
  "hi",
  "ja",
  "ko",
];

/** Phrases in an example: one alone is often spelled alike in several languages. */
const phrasesPerExample = 4;
/** The share of concepts kept for the test. */
const testShare = 0.2;

const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
const pairs = letters.flatMap((a) => letters.map((b) => a + b));

/** Concepts by kind: what they are called in a language, or undefined where it has no name. */
function concepts() {
  const named = (type, codes) =>
    codes.map((code) => (language) => {
      const names = new Intl.DisplayNames([language], { type, fallback: "none" });
      return names.of(code);
    });
  const units = Intl.supportedValuesOf("unit").map((unit) => (language) => {
    const format = new Intl.NumberFormat([language], { style: "unit", unit, unitDisplay: "long" });
    const parts = format.formatToParts(5);
    return parts
      .filter(({ type }) => type === "unit")
      .map(({ value }) => value.trim())
      .join(" ");
  });
  return [
    ...named("region", pairs),
    ...named(
      "language",
      pairs.map((code) => code.toLowerCase()),
    ),
    ...named("currency", Intl.supportedValuesOf("currency")),
    ...units,
  ];
}

/**
 * Each concept's phrases, one a language, for the concepts that all languages name. No phrase is
 * there twice in a language: DD and DE are both Germany, and would be on both sides of the test.
 */
export function parallelPhrases() {
  const used = languages.map(() => new Set());
  return concepts()
    .map((name) => languages.map((language) => name(language)))
    .filter((phrases) => phrases.every((phrase) => phrase))
    .filter((phrases) => {
      if (phrases.some((phrase, language) => used[language].has(phrase))) return false;
      phrases.forEach((phrase, language) => used[language].add(phrase));
      return true;
    });
}

/** Lists of phrases of one language, drawn from `table`: a row a concept, a column a language. */
function lists(table, perLanguage, random) {
  const texts = [];
  const labels = [];
  languages.forEach((_, language) => {
    for (let i = 0; i < perLanguage; i++) {
      const phrases = Array.from(
        { length: phrasesPerExample },
        () => table[random.below(table.length)][language],
      );
      texts.push(phrases.join(", "));
      labels.push(language);
    }
  });
  return { texts, labels: Int32Array.from(labels) };
}

/**
 * Training and test lists. Concepts, not strings, are divided between the two, so that no phrase
 * of the test is the translation of one in the training.
 */
export function languageLists({ random, trainPerLanguage = 500, testPerLanguage = 100 }) {
  const table = parallelPhrases();
  random.shuffle(table);
  const kept = Math.round(table.length * testShare);
  return {
    train: lists(table.slice(kept), trainPerLanguage, random),
    test: lists(table.slice(0, kept), testPerLanguage, random),
    concepts: table.length,
  };
}
