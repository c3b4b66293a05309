/** How often each class was taken for each other. */
import { DataError } from "../errors.js";

/** Counts of `[true class][predicted class]`. Throws DataError for labels outside the classes. */
export function confusionMatrix(
  labels: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classes: number,
): number[][] {
  if (labels.length !== predictions.length) {
    throw new DataError(
      `confusionMatrix: ${labels.length} labels and ${predictions.length} predictions`,
    );
  }
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    const row = counts[labels[i]!];
    if (row?.[predictions[i]!] === undefined) {
      throw new DataError(
        `confusionMatrix: entry ${i} is class ${labels[i]} taken for ${predictions[i]}; ` +
          `there are ${classes} classes`,
      );
    }
    row[predictions[i]!]!++;
  }
  return counts;
}
