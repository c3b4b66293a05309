/** What modules make models of in a worker: layers, tensors and ops, by the names of `ferrograd`. */
export { checkpoint } from "../checkpoint.js";
export { noGrad } from "../op.js";
export * from "../ops/public.js";
export { Tensor, tensor, Variable } from "../tensor.js";
export * as nn from "../train/nn.js";
