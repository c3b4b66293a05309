/** Random changes of texts, for `map`: `(text, random) => text`. */
import { checkWhole } from "../checks.js";
import { ArgumentError } from "../errors.js";
import type { Generator } from "../random.js";
import { checkRandom } from "./changes.js";

/** A random change of a text. */
export type TextChange = (text: string, random: Generator) => string;

function wordsOf(name: string, text: string): string[] {
  const isText: boolean = typeof text === "string";
  if (isText) return text.split(/\s+/u).filter((word) => word !== "");
  throw new ArgumentError(`${name}: a text is expected, met ${typeof text}: change before batch`);
}

/** Leaves words out, each with probability `p`; one word always stays (Wei & Zou, 2019). */
export function wordDropout(p = 0.1): TextChange {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`wordDropout: p is ${p}; it must be 0 to 1`);
  return (text, random) => {
    checkRandom("wordDropout", random);
    const words = wordsOf("wordDropout", text);
    const kept = words.filter(() => random.uniform() >= p);
    if (kept.length > 0 || words.length === 0) return kept.join(" ");
    return words[random.below(words.length)]!;
  };
}

/** Swaps two words, `times` over (Wei & Zou, 2019). */
export function wordSwap(times = 1): TextChange {
  checkWhole("wordSwap: times", times, 0);
  return (text, random) => {
    checkRandom("wordSwap", random);
    const words = wordsOf("wordSwap", text);
    if (words.length < 2) return words.join(" ");
    for (let i = 0; i < times; i++) {
      const [a, b] = [random.below(words.length), random.below(words.length)];
      [words[a], words[b]] = [words[b]!, words[a]!];
    }
    return words.join(" ");
  };
}
