/** Reading data, and its order in training. */
export type { BatchOptions, Split, SplitOptions } from "./batches.js";
export { batches, trainTestSplit } from "./batches.js";
export { readCsv, readJsonl, readText, readTsv } from "./files.js";
export type { LabelledTexts, LabelledTextsOptions } from "./labels.js";
export { labelledTexts } from "./labels.js";
export { gatherRows } from "./rows.js";
export type { TableOptions, TextTable } from "./tables.js";
export { parseCsv, parseJsonl, parseTsv } from "./tables.js";
