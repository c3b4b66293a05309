/**
 * Schedules of the learning rate, with PyTorch's names and meanings. A schedule sets the rate of its
 * optimizer when it is made and at each `step()`; groups of parameters follow in proportion.
 */
export type { CosineOptions, WarmRestartsOptions } from "./cosines.js";
export { CosineAnnealingLR, CosineAnnealingWarmRestarts } from "./cosines.js";
export type { LinearOptions, PolynomialOptions } from "./lines.js";
export { LinearLR, PolynomialLR } from "./lines.js";
export type { OneCycleOptions } from "./oneCycle.js";
export { OneCycleLR } from "./oneCycle.js";
export type { PlateauOptions, PlateauState } from "./reduceOnPlateau.js";
export { ReduceLROnPlateau } from "./reduceOnPlateau.js";
export type { SchedulerState } from "./scheduler.js";
export { LRScheduler } from "./scheduler.js";
export { SequentialLR } from "./sequential.js";
export type {
  ConstantOptions,
  ExponentialOptions,
  MultiStepOptions,
  StepOptions,
} from "./steps.js";
export { ConstantLR, ExponentialLR, LambdaLR, MultiStepLR, StepLR } from "./steps.js";
