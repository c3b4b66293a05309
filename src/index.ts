/** Ferrograd: deep-learning training on wasm kernels. */
import "./methods.js";

export type { BackwardOptions } from "./autograd.js";
export { backward, grad, valueAndGrad, vjp } from "./autograd.js";
export { checkpoint } from "./checkpoint.js";
export type { Compiled, Results } from "./compile.js";
export { compile } from "./compile.js";
export type { DType, TypedArray } from "./dtype.js";
export {
  ArgumentError,
  DataError,
  DTypeError,
  FerrogradError,
  IndexError,
  NonFiniteError,
  OutOfMemoryError,
  ShapeError,
  StateError,
  WorkerDiedError,
} from "./errors.js";
export { flush, shutdown } from "./evaluate.js";
export * as io from "./io/index.js";
export * as metrics from "./metrics/index.js";
export * as nn from "./train/nn.js";
export { noGrad } from "./op.js";
export * from "./ops/public.js";
export * as optim from "./optim/index.js";
export { Engine, engine, init } from "./runtime/engine.js";
export type { EngineInfo, InitOptions, MemoryInfo } from "./runtime/protocol.js";
export * as random from "./random.js";
export { manualSeed, randomState, setRandomState } from "./seed.js";
export type { RandomState } from "./seed.js";
export type { Shape } from "./shape.js";
export type { NestedNumbers, TensorOptions } from "./tensor.js";
export { Tensor, tensor, Variable } from "./tensor.js";
export * as text from "./text/index.js";
export * from "./train/public.js";
