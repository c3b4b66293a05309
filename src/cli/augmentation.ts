/** Random changes of a config's training data, by name. */
import { z } from "zod";
import * as augment from "../data/augmentation.js";
import type { BatchChange, ImageChange, TextChange } from "../data/augmentation.js";
import { kind, named, number, positive, whole } from "./schema.js";

/** A change, and of what it is one. */
export type Change =
  | { readonly of: "images"; readonly change: ImageChange }
  | { readonly of: "texts"; readonly change: TextChange }
  | { readonly of: "batches"; readonly make: (classes: number) => BatchChange };

const images = (change: ImageChange): Change => ({ of: "images", change });
const texts = (change: TextChange): Change => ({ of: "texts", change });
const batches = (make: (classes: number) => BatchChange): Change => ({ of: "batches", make });

const share = z.strictObject({ p: number.optional() });
const size = z.tuple([positive, positive]);

export const augmentationKinds = {
  randomHorizontalFlip: kind(share, ({ p }) => images(augment.randomHorizontalFlip(p))),
  randomVerticalFlip: kind(share, ({ p }) => images(augment.randomVerticalFlip(p))),
  randomCrop: kind(
    z.strictObject({ size, padding: whole.optional(), fill: number.optional() }),
    (options) => images(augment.randomCrop(options)),
  ),
  randomAffine: kind(
    z.strictObject({
      degrees: number.optional(),
      translate: number.optional(),
      scale: z.tuple([number, number]).optional(),
      fill: number.optional(),
    }),
    (options) => images(augment.randomAffine(options)),
  ),
  randomRotation: kind(
    z.strictObject({ degrees: number, fill: number.optional() }),
    ({ degrees, fill }) => images(augment.randomRotation(degrees, fill)),
  ),
  colorJitter: kind(
    z.strictObject({
      brightness: number.optional(),
      contrast: number.optional(),
      saturation: number.optional(),
    }),
    (options) => images(augment.colorJitter(options)),
  ),
  randomErasing: kind(
    z.strictObject({ p: number.optional(), share: number.optional(), fill: number.optional() }),
    (options) => images(augment.randomErasing(options)),
  ),
  randomNoise: kind(z.strictObject({ deviation: number }), ({ deviation }) =>
    images(augment.randomNoise(deviation)),
  ),
  wordDropout: kind(share, ({ p }) => texts(augment.wordDropout(p))),
  wordSwap: kind(z.strictObject({ times: whole.optional() }), ({ times }) =>
    texts(augment.wordSwap(times)),
  ),
  mixup: kind(z.strictObject({ alpha: number.optional() }), (options) =>
    batches((classes) => augment.mixup({ ...options, classes })),
  ),
  cutmix: kind(z.strictObject({ alpha: number.optional() }), (options) =>
    batches((classes) => augment.cutmix({ ...options, classes })),
  ),
};

export const augmentation = named("name", augmentationKinds);
