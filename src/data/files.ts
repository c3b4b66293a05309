/** Tables in files and at addresses. */
import { DataError, reasonOf } from "../errors.js";
import { bytesOf, readAll } from "./bytes.js";
import type { TableOptions, TextTable } from "./tables.js";
import { parseCsv, parseJsonl, parseTsv } from "./tables.js";

/**
 * The UTF-8 text at a path (Node) or an address, which a page may give relative to its own. Throws
 * DataError where it cannot be read or is not UTF-8.
 */
export async function readText(source: string | URL): Promise<string> {
  const bytes = await readAll(bytesOf(source));
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DataError(`${String(source)} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** Comma-separated values of a file or address. Throws as `readText` and `parseCsv` do. */
export async function readCsv(
  source: string | URL,
  options: TableOptions = {},
): Promise<TextTable> {
  return parseCsv(await readText(source), { name: String(source), ...options });
}

/** Tab-separated values of a file or address. Throws as `readText` and `parseTsv` do. */
export async function readTsv(
  source: string | URL,
  options: TableOptions = {},
): Promise<TextTable> {
  return parseTsv(await readText(source), { name: String(source), ...options });
}

/** JSON values of a file or address, one a line. Throws as `readText` and `parseJsonl` do. */
export async function readJsonl(
  source: string | URL,
  options: TableOptions = {},
): Promise<unknown[]> {
  return parseJsonl(await readText(source), { name: String(source), ...options });
}
