/** The package's version. */
import { readFileSync } from "node:fs";

/** The version that this package's package.json says; it is two folders up, built or not. */
export function version(): string {
  const file = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  const { version: said } = JSON.parse(file) as { readonly version: string };
  return said;
}
