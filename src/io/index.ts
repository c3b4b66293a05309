/** Files. */
export type { TensorData } from "./safetensors.js";
export { readSafetensors, writeSafetensors } from "./safetensors.js";
