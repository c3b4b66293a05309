/** Convolutions by their definition. */
import type { NumberArray } from "../reference.js";
import { build, sizeOf } from "../reference.js";

/** One axis: output `o` reads input `o·stride − before + k·dilation`. */
interface Along {
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly output: number;
}

/** Calls `term` with the places of input, weight and output of every product. */
function forEachTerm(
  x: readonly number[],
  weight: readonly number[],
  { rows, columns, groups }: { rows: Along; columns: Along; groups: number },
  term: (x: number, weight: number, y: number) => void,
): void {
  const [out, inputs] = [weight[0]!, weight[1]!];
  const perGroup = out / groups;
  const taps = weight.slice(2);
  const all = [x[0]!, out, rows.output, columns.output, inputs, ...taps];
  for (let at = 0; at < sizeOf(all); at++) {
    const index: number[] = [];
    all.reduceRight((rest, length, axis) => {
      index[axis] = rest % length;
      return Math.floor(rest / length);
    }, at);
    const [n, o, oy, ox, c, ky, kx] = index as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const y = oy * rows.stride - rows.before + ky * rows.dilation;
    const z = ox * columns.stride - columns.before + kx * columns.dilation;
    if (y < 0 || y >= x[2]! || z < 0 || z >= x[3]!) continue;
    const channel = Math.floor(o / perGroup) * inputs + c;
    term(
      ((n * x[1]! + channel) * x[2]! + y) * x[3]! + z,
      ((o * inputs + c) * taps[0]! + ky) * taps[1]! + kx,
      ((n * out + o) * rows.output + oy) * columns.output + ox,
    );
  }
}

/** Stride, dilation, padding in front, and what is added at the end. */
export type AxisOptions = readonly [
  stride: number,
  dilation: number,
  before: number,
  after: number,
];

export interface Options {
  readonly rows: AxisOptions;
  readonly columns: AxisOptions;
  readonly groups: number;
}

function withBias(shape: readonly number[], bias?: NumberArray): number[] {
  return [...build(shape, ([, channel]) => bias?.data[channel!] ?? 0).data];
}

export function convolved(
  x: NumberArray,
  weight: NumberArray,
  { rows, columns, groups }: Options,
  bias?: NumberArray,
): NumberArray {
  const along = ([stride, dilation, before, after]: AxisOptions, axis: number): Along => {
    const room = x.shape[axis]! + before + after - dilation * (weight.shape[axis]! - 1) - 1;
    return { stride, dilation, before, output: Math.floor(room / stride) + 1 };
  };
  const [high, wide] = [along(rows, 2), along(columns, 3)];
  const shape = [x.shape[0]!, weight.shape[0]!, high.output, wide.output];
  const data = withBias(shape, bias);
  forEachTerm(x.shape, weight.shape, { rows: high, columns: wide, groups }, (i, w, o) => {
    data[o]! += x.data[i]! * weight.data[w]!;
  });
  return { shape, data };
}

export function transposed(
  x: NumberArray,
  weight: NumberArray,
  { rows, columns, groups }: Options,
  bias?: NumberArray,
): NumberArray {
  const length = ([stride, dilation, before, extra]: AxisOptions, axis: number): number =>
    (x.shape[axis]! - 1) * stride - 2 * before + dilation * (weight.shape[axis]! - 1) + extra + 1;
  const along = ([stride, dilation, before]: AxisOptions, axis: number): Along => ({
    stride,
    dilation,
    before,
    output: x.shape[axis]!,
  });
  const shape = [x.shape[0]!, weight.shape[1]! * groups, length(rows, 2), length(columns, 3)];
  const data = withBias(shape, bias);
  const both = { rows: along(rows, 2), columns: along(columns, 3), groups };
  forEachTerm(shape, weight.shape, both, (o, w, i) => {
    data[o]! += x.data[i]! * weight.data[w]!;
  });
  return { shape, data };
}

const oneRow = ({ shape: [a, b, length], data }: NumberArray): NumberArray => ({
  shape: [a!, b!, 1, length!],
  data,
});

export const still: AxisOptions = [1, 1, 0, 0];

/** The reference of signals: images of one row. */
export function ofSignals(f: typeof convolved): typeof convolved {
  return (x, weight, options, bias) => {
    const y = f(oneRow(x), oneRow(weight), options, bias);
    return { shape: [y.shape[0]!, y.shape[1]!, y.shape[3]!], data: y.data };
  };
}

export type Reference = typeof convolved;
