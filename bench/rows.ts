/** All benchmarks. */
import { convolutional } from "./convolutional.js";
import { kernels } from "./kernels.js";
import { languageModel } from "./languageModel.js";
import { perceptron } from "./perceptron.js";
import type { Row } from "./row.js";
import { textClassifier } from "./textClassifier.js";

/** In the order they run. */
export const rows: readonly Row[] = [
  ...kernels,
  perceptron,
  textClassifier,
  convolutional,
  languageModel,
];
