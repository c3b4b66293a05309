/** Tables in files and at addresses. */
import { DataError } from "../errors.js";
import type { TableOptions, TextTable } from "./tables.js";
import { parseCsv, parseJsonl, parseTsv } from "./tables.js";

/** The text at a path (Node) or an address. Throws DataError where it cannot be read. */
export async function readText(source: string | URL): Promise<string> {
  const name = String(source);
  try {
    if (/^(https?|blob|data):/.test(name)) {
      const response = await fetch(source);
      if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
      return await response.text();
    }
    const { readFile } = await import("node:fs/promises");
    return await readFile(source, "utf8");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new DataError(`${name} cannot be read: ${reason}`, { cause: error });
  }
}

/** Comma-separated values of a file or address. */
export async function readCsv(
  source: string | URL,
  options: TableOptions = {},
): Promise<TextTable> {
  return parseCsv(await readText(source), { name: String(source), ...options });
}

/** Tab-separated values of a file or address. */
export async function readTsv(
  source: string | URL,
  options: TableOptions = {},
): Promise<TextTable> {
  return parseTsv(await readText(source), { name: String(source), ...options });
}

/** JSON values of a file or address, one a line. */
export async function readJsonl(
  source: string | URL,
  options: TableOptions = {},
): Promise<unknown[]> {
  return parseJsonl(await readText(source), { name: String(source), ...options });
}
