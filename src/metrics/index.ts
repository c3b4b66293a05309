/** Metrics. */
export { confusionMatrix } from "./confusionMatrix.js";
export type { EntryMetric, MetricName } from "./metrics.js";
