/** Text as numbers. */
export type {
  Split,
  TokenBatch,
  Vectorizer,
  VectorizerData,
  VectorizerOptions,
} from "./vectorizer.js";
export { paddingId, unknownId, vectorizer, vectorizerFromJSON } from "./vectorizer.js";
