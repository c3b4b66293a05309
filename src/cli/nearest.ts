/** The name that was meant. */

/** Of longer names so many letters a mistake are forgiven. */
const lettersAMistake = 3;

/** How many letters must be put in, left out or changed to make `b` of `a` (Levenshtein, 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: Array.from(b).length + 1 }, (_, column) => column);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (const [j, other] of Array.from(b).entries()) {
      next.push(Math.min(row[j]! + Number(letter !== other), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}

/** The one of `known` that `name` is a misspelling of; undefined where none is close. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string): string => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const [best] = known
    .map((one) => ({ one, mistakes: distance(plain(name), plain(one)) }))
    .sort((a, b) => a.mistakes - b.mistakes);
  const bearable = Math.ceil(name.length / lettersAMistake);
  return best && best.mistakes <= bearable ? best.one : undefined;
}

/** What is wrong with a name that is none of `known`. */
export function notAmong(name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  return meant === undefined
    ? `"${name}" is none of ${known.join(", ")}`
    : `"${name}" is unknown; did you mean ${meant}?`;
}
