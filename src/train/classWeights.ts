/** Rows that count by their class, where some classes are rarer than others. */
import { isObject, shown } from "../checks.js";
import type { Table } from "../data/rows.js";
import { classWeights } from "../data/samplers.js";
import type { TypedArray } from "../dtype.js";
import { ArgumentError, DataError } from "../errors.js";
import { formatShape } from "../shape.js";
import type { Rows } from "./feed.js";

/**
 * How much each class counts: numbers by class, or `balanced` for rows/(classes·rows of the class),
 * so that all classes count the same together.
 */
export type ClassWeight = "balanced" | readonly number[] | { readonly [label: number]: number };

/** `rows` with weights multiplied by those of their classes. Throws for a class without one. */
export function weighClasses(rows: Rows, classWeight: ClassWeight): Rows {
  const [x, y, weights] = rows;
  const labels = labelsOf(y);
  const byClass = given(classWeight === "balanced" ? classWeights(labels) : classWeight);
  const data = Float32Array.from(labels, (label, row) => {
    const weight = byClass.get(label);
    if (weight === undefined) {
      throw new ArgumentError(
        `fit: classWeight has no weight of class ${label}, which row ${row} is of`,
      );
    }
    return weight * (weights?.data[row] ?? 1);
  });
  return [x, y, { data, shape: [labels.length] }];
}

/** The class of each row: `y` are class numbers, `[rows]` or `[rows, 1]`, or one-hot rows. */
function labelsOf({ data, shape }: Table): TypedArray {
  const [rows = 0, classes = 1, ...inner] = shape;
  if (inner.length > 0) {
    throw new DataError(
      `fit: classWeight takes one class a row; y is ${formatShape(shape)}: use sampleWeight`,
    );
  }
  if (classes > 1) {
    return Int32Array.from({ length: rows }, (_, row) => {
      let best = 0;
      for (let label = 1; label < classes; label++) {
        if (data[row * classes + label]! > data[row * classes + best]!) best = label;
      }
      return best;
    });
  }
  const bad = data.findIndex((label) => !Number.isInteger(label) || label < 0);
  if (bad >= 0) {
    throw new DataError(`fit: classWeight needs classes; row ${bad} of y is ${data[bad]}`);
  }
  return data;
}

function given(weights: Exclude<ClassWeight, "balanced">): Map<number, number> {
  const isList: boolean = Array.isArray(weights) || isObject(weights);
  if (!isList) {
    throw new ArgumentError(
      `fit: classWeight is ${shown(weights)}; "balanced", or weights by class are expected`,
    );
  }
  return new Map(
    Object.entries(weights).map(([label, weight]: [string, number]) => {
      if (Number.isFinite(weight) && weight >= 0) return [Number(label), weight];
      throw new ArgumentError(
        `fit: classWeight of class ${label} is ${shown(weight)}; it must be ≥ 0`,
      );
    }),
  );
}
