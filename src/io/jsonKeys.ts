/** What JSON.parse does not tell: whether an object names a key twice. */

/** A key that some object in valid JSON `text` has twice, if there is one. */
export function findDuplicateKey(text: string): string | undefined {
  /** The keys met so far of each object that is open; an array has none. */
  const open: (Set<string> | undefined)[] = [];
  let start = 0;
  let end = 0;
  // By hand: a regular expression overflows its stack on a string of megabytes.
  for (let at = 0; at < text.length; at++) {
    const sign = text[at];
    if (sign === '"') {
      start = at;
      for (at++; text[at] !== '"'; at++) if (text[at] === "\\") at++;
      end = at + 1;
    } else if (sign === ":") {
      // The string before a colon is a key; escapes are other spellings of the same one.
      const key = JSON.parse(text.slice(start, end)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    } else if (sign === "{") open.push(new Set());
    else if (sign === "[") open.push(undefined);
    else if (sign === "}" || sign === "]") open.pop();
  }
  return undefined;
}
