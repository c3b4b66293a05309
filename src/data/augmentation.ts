/** Random changes of images, batches and texts. */
export type {
  AffineOptions,
  CropOptions,
  ErasingOptions,
  ImageChange,
  JitterOptions,
} from "./augment.js";
export {
  centerCrop,
  colorJitter,
  normalize,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomNoise,
  randomRotation,
  randomVerticalFlip,
  resize,
  sequence,
} from "./augment.js";
export type { BatchChange, MixableBatch, MixOptions } from "./mixing.js";
export { cutmix, mixup } from "./mixing.js";
export type { TextChange } from "./textChanges.js";
export { wordDropout, wordSwap } from "./textChanges.js";
