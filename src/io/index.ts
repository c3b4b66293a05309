/** Files. */
export type { Metadata, TensorData } from "./safetensors.js";
export { readSafetensors, readSafetensorsMetadata, writeSafetensors } from "./safetensors.js";
