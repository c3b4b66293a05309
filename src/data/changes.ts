/** What random changes of images, batches and texts check alike. */
import { ArgumentError } from "../errors.js";
import type { Generator } from "../random.js";

/** Throws ArgumentError, saying how to get one, unless `random` is a generator. */
export function checkRandom(name: string, random: Generator): void {
  if (typeof random?.uniform === "function") return;
  throw new ArgumentError(
    `${name}: it needs a generator as its second argument; map gives one to its function: ` +
      "map((element, random) => change(element, random))",
  );
}
