import { ArgumentError, ShapeError } from "./errors.js";

/** The sizes of a tensor's axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** `[2, 3]`, as error messages write a shape. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** The number of elements of a tensor of this shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((size, length) => size * length, 1);
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** Throws where `shape` is not a list of whole numbers ≥ 0; `op` is named in the message. */
export function checkShape(op: string, shape: Shape): void {
  if (isShape(shape)) return;
  const given = Array.isArray(shape) ? formatShape(shape) : String(shape);
  throw new ShapeError(`${op}: ${given} is no shape: sizes are whole numbers ≥ 0`);
}

/** Whether `value` is a list of whole numbers ≥ 0. */
export function isShape(value: unknown): value is Shape {
  return (
    Array.isArray(value) && value.every((length) => Number.isSafeInteger(length) && length >= 0)
  );
}

/** `axis` counted from the front; negative ones count from the back. Throws outside the rank. */
export function normalizeAxis(op: string, axis: number, rank: number): number {
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normal >= 0 && normal < rank) return normal;
  throw new ArgumentError(`${op}: axis ${axis} is outside a tensor of ${rank} axes`);
}

/** Axes counted from the front, ascending; all of them where none is named. Throws on repeats. */
export function normalizeAxes(
  op: string,
  axes: number | readonly number[] | undefined,
  rank: number,
): readonly number[] {
  if (axes === undefined) return Array.from({ length: rank }, (_, axis) => axis);
  const list = typeof axes === "number" ? [axes] : axes;
  const normal = list.map((axis) => normalizeAxis(op, axis, rank)).sort((a, b) => a - b);
  if (new Set(normal).size === normal.length) return normal;
  throw new ArgumentError(`${op}: axes [${list.join(", ")}] name an axis twice`);
}

/** The shape two operands broadcast to (NumPy's rule). Throws, naming `op` and both, if none. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const m = a[axis - rank + a.length] ?? 1;
    const n = b[axis - rank + b.length] ?? 1;
    if (m === n || n === 1) return m;
    if (m === 1) return n;
    throw new ShapeError(
      `${op}: ${formatShape(a)} and ${formatShape(b)} do not broadcast: ` +
        `sizes ${m} and ${n} meet at axis ${axis - rank}`,
    );
  });
}

/** Where the elements of a value stand in its buffer, counted in elements. */
export interface Layout {
  readonly shape: Shape;
  readonly strides: readonly number[];
  readonly offset: number;
}

/** The strides of a dense row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** A dense row-major layout. */
export function denseLayout(shape: Shape): Layout {
  return { shape, strides: stridesOf(shape), offset: 0 };
}

/** Whether the elements stand densely in row-major order, from wherever they begin. */
export function isDense({ shape, strides }: Layout): boolean {
  if (sizeOf(shape) === 0) return true;
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** Axes of length 1 dropped, and neighbours that walk memory evenly merged into one. */
export function collapse(
  shape: Shape,
  operands: readonly (readonly number[])[],
): { shape: number[]; strides: number[][] } {
  const dims: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (length === 1) continue;
    const last = dims.length - 1;
    const merges =
      last >= 0 && operands.every((operand, i) => strides[i]![last] === operand[axis]! * length);
    if (merges) {
      dims[last]! *= length;
      operands.forEach((operand, i) => (strides[i]![last] = operand[axis]!));
    } else {
      dims.push(length);
      operands.forEach((operand, i) => strides[i]!.push(operand[axis]!));
    }
  }
  return { shape: dims, strides };
}

/** The same elements under another shape, where strides can say it; else undefined. */
export function reshapeLayout(layout: Layout, shape: Shape): Layout | undefined {
  if (sizeOf(shape) === 0) return denseLayout(shape);
  const merged = collapse(layout.shape, [layout.strides]);
  const from = merged.shape;
  const fromStrides = merged.strides[0]!;
  const strides = new Array<number>(shape.length).fill(0);
  let axis = shape.length - 1;
  for (let run = from.length - 1; run >= 0; run--) {
    let left = from[run]!;
    let stride = fromStrides[run]!;
    while (left > 1) {
      if (axis < 0) return undefined;
      const length = shape[axis]!;
      if (left % length !== 0) return undefined;
      strides[axis] = stride;
      stride *= length;
      left /= length;
      axis--;
    }
  }
  return { shape, strides, offset: layout.offset };
}

/** The layout repeated to a larger shape: new and stretched axes have stride 0. */
export function broadcastLayout(layout: Layout, shape: Shape): Layout {
  const lead = shape.length - layout.shape.length;
  const strides = shape.map((length, axis) =>
    axis < lead || layout.shape[axis - lead] !== length ? 0 : layout.strides[axis - lead]!,
  );
  return { shape, strides, offset: layout.offset };
}

/** Rows and columns of each matrix exchanged: column by column, one behind the other. */
export function columnsFirst(layout: Layout): Layout {
  const [rows, columns] = layout.shape.slice(-2);
  const strides = denseLayout([...layout.shape.slice(0, -2), columns!, rows!]).strides;
  return { ...layout, strides: [...strides.slice(0, -2), strides.at(-1)!, strides.at(-2)!] };
}
