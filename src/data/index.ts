/** Reading data. */
export { readCsv, readJsonl, readText, readTsv } from "./files.js";
export type { TableOptions, TextTable } from "./tables.js";
export { labelledTexts, parseCsv, parseJsonl, parseTsv } from "./tables.js";
