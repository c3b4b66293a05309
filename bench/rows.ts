/** All benchmarks. */
import { cnn } from "./cnn.js";
import { ops } from "./ops.js";
import type { Row } from "./row.js";
import { textClassifier } from "./textClassifier.js";

/** In the order they run. */
export const rows: readonly Row[] = [textClassifier, cnn, ...ops];
