/** Training, as users import it. */
export type { EvaluateOptions, PredictOptions } from "./evaluate.js";
export type { ClassWeight } from "./classWeights.js";
export { TrainingControl } from "./control.js";
export type { FitEvent, FitEvents } from "./fit.js";
export type { FitOptions } from "./fitOptions.js";
export type { CallbackState, FitCallbacks, FitContext, TrainingState } from "./hooks.js";
export type { TrainingBatch } from "./feed.js";
export { History } from "./history.js";
export type { EpochWork, Report } from "./history.js";
export type { Table } from "../data/rows.js";
export type { Input } from "../data/inputs.js";
export type { LossName } from "./losses.js";
export {
  binaryCrossEntropy,
  binaryCrossEntropyWithLogits,
  categoricalCrossEntropy,
  halfSquaredError,
  meanSquaredError,
} from "./losses.js";
export type { CompileOptions } from "./model.js";
export type { ProgressStream } from "./progressBar.js";
export * as regularizers from "./regularizers.js";
export type { Companions, LoadedModel } from "./save.js";
export { loadModel, modelFiles, modelFromFiles, saveModel, weightsHash } from "./save.js";
