/** One row for each op of the table; the compiler misses a forgotten one. */
import type { ops } from "../src/ops/index.js";
import type { Case } from "./cases/case.js";
import { attentionCases } from "./cases/attention.js";
import { convolutionCases } from "./cases/convolution.js";
import { creationCases } from "./cases/creation.js";
import { elementwiseCases } from "./cases/elementwise.js";
import { layerCases } from "./cases/layers.js";
import { movementCases } from "./cases/movement.js";
import { normalizationCases } from "./cases/normalization.js";
import { poolingCases } from "./cases/pooling.js";
import { reduceCases } from "./cases/reduce.js";

export const cases = {
  ...elementwiseCases,
  ...movementCases,
  ...reduceCases,
  ...layerCases,
  ...normalizationCases,
  ...attentionCases,
  ...convolutionCases,
  ...poolingCases,
  ...creationCases,
} satisfies Record<keyof typeof ops, Case>;
