/** Text as numbers. */
export type { Split, TokenOptions } from "./tokens.js";
export type {
  TokenBatch,
  Vectorizer,
  VectorizerData,
  VectorizerOptions,
  VectorizerSettings,
} from "./vectorizer.js";
export { paddingId, unknownId, vectorizer, vectorizerFromJSON } from "./vectorizer.js";
