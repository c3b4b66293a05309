/** Plain float64 arrays, and the ops on them that kernels are held against. */

/** An array in row-major order. */
export interface NumberArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

/** The number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** Numbers from −1 to 1 that look random; `salt` makes others. */
export function numbers(shape: readonly number[], salt = 1): NumberArray {
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => {
    const x = Math.sin((i + 1) * 12.9898 + salt * 78.233) * 43758.5453;
    return 2 * (x - Math.floor(x)) - 1;
  });
  return { shape, data };
}

/** `f` of every element. */
export function map(a: NumberArray, f: (x: number) => number): NumberArray {
  return { shape: a.shape, data: a.data.map(f) };
}

/** The multi-index of place `at` in a shape. */
export function indexOf(shape: readonly number[], at: number): number[] {
  const index: number[] = [];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index[axis] = rest % shape[axis]!;
    rest = Math.floor(rest / shape[axis]!);
  }
  return index;
}

/** The element at a multi-index of a shape `a` broadcasts to. */
export function at(a: NumberArray, index: readonly number[]): number {
  const lead = index.length - a.shape.length;
  let place = 0;
  a.shape.forEach((length, axis) => {
    place = place * length + (length === 1 ? 0 : index[axis + lead]!);
  });
  return a.data[place]!;
}

/** An array of `shape` whose elements `f` makes of their multi-index. */
export function build(shape: readonly number[], f: (index: number[]) => number): NumberArray {
  return { shape, data: Array.from({ length: sizeOf(shape) }, (_, i) => f(indexOf(shape, i))) };
}

/** The shape that shapes broadcast to. */
export function broadcast(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const lengths = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return lengths.find((length) => length !== 1) ?? 1;
  });
}

/** `f` of the elements of arrays that broadcast. */
export function zip(arrays: readonly NumberArray[], f: (...x: number[]) => number): NumberArray {
  const shape = broadcast(...arrays.map((a) => a.shape));
  return build(shape, (index) => f(...arrays.map((a) => at(a, index))));
}

/** `f` of each run of elements along `axes`, which are dropped. */
export function reduce(
  a: NumberArray,
  axes: readonly number[],
  f: (run: number[]) => number,
): NumberArray {
  const kept = a.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const inner = axes.map((axis) => a.shape[axis]!);
  return build(
    kept.map((axis) => a.shape[axis]!),
    (outer) => {
      const run = Array.from({ length: sizeOf(inner) }, (_, i) => {
        const along = indexOf(inner, i);
        const index = a.shape.map((_, axis) =>
          axes.includes(axis) ? along[axes.indexOf(axis)]! : outer[kept.indexOf(axis)]!,
        );
        return at(a, index);
      });
      return f(run);
    },
  );
}

/** `f` of each row along the last axis, a row of as many. */
export function mapRows(a: NumberArray, f: (row: number[]) => number[]): NumberArray {
  const width = a.shape.at(-1)!;
  const rows = width === 0 ? 0 : a.data.length / width;
  const data = Array.from({ length: rows }, (_, r) =>
    f(a.data.slice(r * width, (r + 1) * width)),
  ).flat();
  return { shape: a.shape, data };
}

/** The sum of numbers. */
export function total(run: readonly number[]): number {
  return run.reduce((sum, x) => sum + x, 0);
}

/** Matrix product of arrays of two axes or more, leading ones broadcast. */
export function matmul(a: NumberArray, b: NumberArray): NumberArray {
  const k = a.shape.at(-1)!;
  const lead = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return build([...lead, a.shape.at(-2)!, b.shape.at(-1)!], (index) => {
    const outer = index.slice(0, -2);
    const [i, j] = index.slice(-2);
    return total(
      Array.from({ length: k }, (_, p) => at(a, [...outer, i!, p]) * at(b, [...outer, p, j!])),
    );
  });
}

/** Axes in another order. */
export function permute(a: NumberArray, axes: readonly number[]): NumberArray {
  return build(
    axes.map((axis) => a.shape[axis]!),
    (index) => {
      const from: number[] = [];
      axes.forEach((axis, i) => (from[axis] = index[i]!));
      return at(a, from);
    },
  );
}

/** Softmax of a row. */
export function softmaxRow(row: readonly number[]): number[] {
  const top = Math.max(...row);
  const powers = row.map((x) => Math.exp(x - top));
  const sum = total(powers);
  return powers.map((x) => x / sum);
}

/** ln Σ eˣ of a row. */
export function logSumExp(row: readonly number[]): number {
  const top = Math.max(...row);
  return top + Math.log(total(row.map((x) => Math.exp(x - top))));
}

/** The error function by its series, exact to about 1e-13 for |x| ≤ 2.5. */
export function erf(x: number): number {
  if (Math.abs(x) === Infinity) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 80; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
