/** What a page loads with a script. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** `path` in `folder`, and what it imports at once, directly or not; not what it may import later. */
export function loadedWith(folder: string, path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const text = readFileSync(join(folder, path), "latin1");
  for (const [, name] of text.matchAll(/(?:from|import)\s*"(\.[^"]+\.js)"/g)) {
    loadedWith(folder, join(path, "..", name!), found);
  }
  return found;
}
