/** `ferrograd/train`: what only trainings of some length need, apart from the library itself. */
export type {
  CheckpointContent,
  CheckpointsOptions,
  FoundCheckpoint,
  RejectedCheckpoint,
} from "../io/checkpoints.js";
export { Checkpoints } from "../io/checkpoints.js";
export * as lrScheduler from "../optim/lrScheduler/index.js";
export * from "./callbacks/index.js";
export type { EpochWork } from "./history.js";
export { History } from "./history.js";
export type { CallbackState, FitCallbacks, FitContext, TrainingState } from "./hooks.js";
export type { ProgbarOptions } from "./progbarLogger.js";
export { ProgbarLogger } from "./progbarLogger.js";
