/** Metrics: how good a model is. */
export type {
  AverageOptions,
  ClassOptions,
  FBetaOptions,
  KappaOptions,
  PerClass,
} from "./classification.js";
export {
  balancedAccuracy,
  cohensKappa,
  f1,
  fBeta,
  matthewsCorrelation,
  precision,
  recall,
} from "./classification.js";
export type { Average, ClassScore, KappaWeights } from "./classScores.js";
export type { ConfusionMatrixOptions } from "./confusionMatrix.js";
export { ConfusionMatrix, confusionMatrix } from "./confusionMatrix.js";
export type {
  CurveAverage,
  CurveOptions,
  PerClassCurve,
  PrecisionRecallCurve,
  RocCurve,
} from "./curves.js";
export { prAuc, precisionRecallCurve, rocAuc, rocCurve } from "./curves.js";
export type { ThresholdOptions, TopKOptions } from "./means.js";
export {
  accuracy,
  binaryAccuracy,
  categoricalAccuracy,
  logLoss,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  perplexity,
  rootMeanSquaredError,
  sparseCategoricalAccuracy,
  topKAccuracy,
} from "./means.js";
export type { Metric, MetricConfig, MetricState, UpdateOptions, Values } from "./metric.js";
export type { MetricName, MetricSpec } from "./named.js";
export { r2 } from "./r2.js";
export type { ClassificationReport, NamedScore, ReportOptions } from "./report.js";
export { classificationReport } from "./report.js";
