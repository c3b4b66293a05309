/** `ferrograd/plot`: pictures of trainings and models, and reports of them. */
export type { AttentionPlotOptions } from "./attention.js";
export { attentionOf, plotAttention } from "./attention.js";
export type { ConfusionMatrixPlotOptions } from "./confusionMatrix.js";
export { plotConfusionMatrix } from "./confusionMatrix.js";
export type { Course, LearningCurvesOptions } from "./learningCurves.js";
export { plotHistory } from "./learningCurves.js";
export { Picture } from "./picture.js";
export type { ReportOptions, ReportPart, ReportTable, ReportText } from "./report.js";
export { report } from "./report.js";
export type { PrecisionRecallPoints, RocPoints, ScoreCurvesOptions } from "./scoreCurves.js";
export { plotPrecisionRecallCurve, plotRocCurve } from "./scoreCurves.js";
export { sparkline } from "./sparkline.js";
