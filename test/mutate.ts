/** Files made wrong at random, from right ones. */
import type { Generator } from "../src/random.js";

/** Bytes at which parsers like to fail. */
const telling = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x22, 0x27, 0x28, 0x2c, 0x5c, 0x7b];

/** `seed` with a few changes: bytes flipped, replaced, cut out, repeated, or those of `other`. */
export function mutate(seed: Uint8Array, other: Uint8Array, random: Generator): Uint8Array {
  let bytes = Array.from(seed);
  const place = (): number => random.below(Math.max(bytes.length, 1));
  const changes = 1 + random.below(6);
  for (let i = 0; i < changes; i++) {
    const [at, length] = [place(), 1 + random.below(8)];
    switch (random.below(8)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        bytes[at] = telling[random.below(telling.length)]!;
        break;
      case 2:
        bytes[at] = random.below(256);
        break;
      case 3:
        bytes = bytes.slice(0, at);
        break;
      case 4:
        bytes.splice(at, length);
        break;
      case 5:
        bytes.splice(at, 0, ...bytes.slice(place()).slice(0, length));
        break;
      case 6:
        for (let j = 0; j < length; j++) bytes[at + j] = random.below(2) ? 0xff : 0;
        break;
      default:
        bytes = [...bytes.slice(0, at), ...Array.from(other).slice(place())];
    }
  }
  return Uint8Array.from(bytes);
}

/** Values at which readers of plain data like to fail. */
const hostile: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  7,
  1e9,
  1e15,
  2 ** 53,
  -0,
  NaN,
  Infinity,
  "",
  "__proto__",
  "constructor",
  "x".repeat(200),
  [],
  [null],
  {},
  { toString: 1, valueOf: null },
];

/** `seed`, plain data, with a few of its parts replaced, left out, repeated or renamed. */
export function mutatePlain(seed: unknown, random: Generator): unknown {
  const whole = structuredClone({ seed });
  const changes = 1 + random.below(3);
  for (let i = 0; i < changes; i++) {
    let parent: Record<string, unknown> = whole;
    let key = "seed";
    // Down a path of random length: deep parts are met as often as the others.
    for (let depth = random.below(8); depth > 0; depth--) {
      const child = parent[key];
      const keys = typeof child === "object" && child !== null ? Object.keys(child) : [];
      if (keys.length === 0) break;
      parent = child as Record<string, unknown>;
      key = keys[random.below(keys.length)]!;
    }
    const value = hostile[random.below(hostile.length)];
    switch (random.below(6)) {
      case 0:
        if (Array.isArray(parent)) parent.splice(Number(key), 1);
        else Reflect.deleteProperty(parent, key);
        break;
      case 1:
        if (Array.isArray(parent)) parent.push(parent[0]);
        else parent[`${key}2`] = value;
        break;
      case 2:
        parent[key] = Array.isArray(parent[key]) ? [parent[key], value] : [parent[key]];
        break;
      default:
        parent[key] = structuredClone(value);
    }
  }
  return whole.seed;
}
