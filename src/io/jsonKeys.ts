/** What JSON.parse does not tell: whether an object names a key twice. */

/** A key that some object in valid JSON `text` has twice, if there is one. */
export function findDuplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  // Strings whole, so that braces and colons in them do not count; then structure.
  const pieces = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g;
  for (const [piece, colon] of text.matchAll(pieces)) {
    if (piece === "{") open.push(new Set());
    else if (piece === "[") open.push(undefined);
    else if (piece === "}" || piece === "]") open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(piece.slice(0, piece.length - colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
