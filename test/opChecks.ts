/** The checks that every op's row goes through. */
import type { DType, Tensor } from "../src/index.js";
import { engine, tensor } from "../src/index.js";
import { gradients } from "../src/autograd.js";
import * as op from "../src/index.js";
import type { Case, Operand, Sample } from "./cases/case.js";
import type { NumberArray } from "./reference.js";
import { numbers } from "./reference.js";

/** `one` as a tensor, lying in memory as it says. */
export function place(one: Operand, float: DType): Tensor {
  const dtype = one.dtype ?? float;
  if (one.placement === "transposed") {
    const [rows, columns] = one.shape;
    const turned = Array.from({ length: one.data.length }, (_, i) => {
      const [row, column] = [i % rows!, Math.floor(i / rows!)];
      return one.data[row * columns! + column]!;
    });
    return op.transpose(make(turned, [columns!, rows!], dtype));
  }
  if (one.placement === "sliced") {
    const [rows, columns] = one.shape;
    const spread = new Array<number>(2 * rows! * (columns! + 1)).fill(99);
    one.data.forEach((x, i) => {
      const [row, column] = [Math.floor(i / columns!), i % columns!];
      spread[2 * row * (columns! + 1) + column + 1] = x;
    });
    return op.slice(make(spread, [2 * rows!, columns! + 1], dtype), [[0, 2 * rows!, 2], [1]]);
  }
  return make(one.data, one.shape, dtype);
}

function make(data: readonly number[], shape: readonly number[], dtype: DType): Tensor {
  return tensor(Float64Array.from(data), { shape, dtype });
}

/** The sample's output, computed in `float`. */
export function run(sample: Sample, float: DType): Tensor {
  return sample.call(...sample.operands.map((one) => place(one, float)));
}

/** What the sample should give when its operands are rounded to float32 first. */
export function expected(sample: Sample, float: DType): NumberArray {
  const rounded = sample.operands.map((one) =>
    float === "float32" && !one.dtype ? { ...one, data: one.data.map(Math.fround) } : one,
  );
  return sample.reference(...rounded);
}

/** Why `actual` is not `wanted` within a relative error; undefined where it is. */
export function difference(
  actual: ArrayLike<number>,
  wanted: NumberArray,
  tolerance: number,
): string | undefined {
  if (actual.length !== wanted.data.length) {
    return `${actual.length} elements, not ${wanted.data.length}`;
  }
  // Errors of sums are of the size of what is summed, not of the sum.
  const scale = Math.max(1, ...wanted.data.filter(Number.isFinite).map(Math.abs));
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i]!, wanted.data[i]!];
    const alike = Number.isFinite(b)
      ? Math.abs(a - b) <= tolerance * Math.min(scale, Math.max(1e-1, Math.abs(b)) * 10)
      : Object.is(a, b) || a === b;
    if (!alike) return `element ${i} is ${a}, not ${b}`;
  }
  return undefined;
}

/** Step and bounds of finite differences, those of PyTorch's gradcheck. */
const [step, absolute, relative] = [1e-6, 1e-5, 1e-3];

/** A function of tensors to one number, and the points to differentiate it at. */
interface Scalar {
  readonly f: (...x: Tensor[]) => Tensor;
  readonly operands: readonly Operand[];
}

/** Operands that gradients flow to. */
function floats({ operands }: Scalar): number[] {
  return operands.flatMap((one, i) => (one.dtype ? [] : [i]));
}

/** The sample's output weighted with fixed numbers: one number, with a gradient everywhere. */
function weighted(sample: Sample): Scalar {
  return {
    operands: sample.operands,
    f: (...x) => {
      const y = sample.call(...x);
      const { data } = numbers(y.shape, 9);
      return op.sum(op.mul(y, make(data, y.shape, "float64")));
    },
  };
}

/** The gradients of `scalar`, weighted with fixed numbers: a function to differentiate again. */
function weightedGradients(scalar: Scalar): Scalar {
  const wanted = floats(scalar);
  return {
    operands: scalar.operands,
    f: (...x) => {
      const found = gradients(
        [scalar.f(...x)],
        wanted.map((i) => x[i]!),
      );
      return found
        .map((grad, i) =>
          op.sum(op.mul(grad, make(numbers(grad.shape, 20 + i).data, grad.shape, "float64"))),
        )
        .reduce((sum, part) => op.add(sum, part));
    },
  };
}

/** Why the gradient of `scalar` is not what finite differences say; undefined where it is. */
async function compareGradient(scalar: Scalar): Promise<string | undefined> {
  const wanted = floats(scalar);
  const point = scalar.operands.map((one) => place(one, "float64"));
  const found = gradients(
    [scalar.f(...point)],
    wanted.map((i) => point[i]!),
  );
  // Along two directions: a wrong element shows in one of them.
  for (const salt of [31, 57]) {
    const directions = scalar.operands.map((one, i) => numbers(one.shape, salt + i));
    const shifted = (by: number): Tensor =>
      scalar.f(
        ...scalar.operands.map((one, i) =>
          one.dtype
            ? place(one, "float64")
            : place(
                { ...one, data: one.data.map((x, j) => x + by * directions[i]!.data[j]!) },
                "float64",
              ),
        ),
      );
    const along = wanted
      .map((i, at) =>
        op.sum(op.mul(found[at]!, make(directions[i]!.data, directions[i]!.shape, "float64"))),
      )
      .reduce((sum, part) => op.add(sum, part));
    const [high, low, analytic] = await op
      .stack([shifted(step), shifted(-step), along])
      .data()
      .then((values) => Array.from(values));
    const numeric = (high! - low!) / (2 * step);
    if (!(Math.abs(analytic! - numeric) <= absolute + relative * Math.abs(numeric))) {
      return `the derivative is ${analytic}, finite differences say ${numeric}`;
    }
  }
  return undefined;
}

/** Samples that have elements to differentiate. */
function differentiable(row: Case): Sample[] {
  return row.samples.filter(({ operands }) =>
    operands.some(({ dtype, data }) => !dtype && data.length > 0 && data.length <= 600),
  );
}

/** A check of an op: what is wrong, or undefined. A reason instead where it does not apply. */
export interface Check {
  readonly title: string;
  readonly skip: (row: Case) => string | undefined;
  readonly wrong: (row: Case) => Promise<string | undefined>;
}

async function firstWrong(
  samples: readonly Sample[],
  wrong: (sample: Sample) => Promise<string | undefined>,
): Promise<string | undefined> {
  for (const [index, sample] of samples.entries()) {
    const problem = await wrong(sample);
    const shapes = sample.operands.map(
      ({ shape, placement }) => `[${shape.join()}]${placement ?? ""}`,
    );
    if (problem) return `sample ${index} (${shapes.join(" ")}): ${problem}`;
  }
  return undefined;
}

async function compareForward(
  sample: Sample,
  float: DType,
  tolerance: number,
): Promise<string | undefined> {
  const output = run(sample, float);
  const wanted = expected(sample, float);
  if (output.shape.join() !== wanted.shape.join()) {
    return `shape [${output.shape.join()}], not [${wanted.shape.join()}]`;
  }
  return difference(await output.data(), wanted, tolerance);
}

/** Bytes live after everything of the sample is let go. */
async function leak(sample: Sample): Promise<string | undefined> {
  const live = async (): Promise<number> => (await engine().execute({})).memory.live;
  const once = async (): Promise<number> => {
    const operands = sample.operands.map((one) =>
      make(one.data, one.shape, one.dtype ?? "float32"),
    );
    const output = sample.call(...operands);
    await output.data();
    for (const one of [output, ...operands]) one.dispose();
    await tensor([0]).add(1).data();
    return live();
  };
  await once();
  const before = await once();
  const after = await once();
  // The little sums between are the collector's to free.
  const slack = 1024;
  return after - before > slack ? `${after - before} bytes more are live` : undefined;
}

/** The checks, in the order of the table's columns. */
export const checks: readonly Check[] = [
  {
    title: "float32",
    skip: ({ noReference }) => noReference,
    wrong: (row) =>
      firstWrong(row.samples, (s) => compareForward(s, "float32", row.tolerance ?? 1e-5)),
  },
  {
    title: "float64",
    skip: ({ noReference }) => noReference,
    wrong: (row) =>
      firstWrong(row.samples, (s) => compareForward(s, "float64", row.tolerance64 ?? 1e-11)),
  },
  {
    title: "NaN, ±∞",
    skip: ({ special }) => (typeof special === "string" ? special : undefined),
    wrong: ({ special, tolerance = 1e-5 }) =>
      firstWrong(typeof special === "string" ? [] : special, (s) =>
        compareForward(s, "float32", tolerance),
      ),
  },
  {
    title: "gradient",
    skip: ({ noGradient }) => noGradient,
    wrong: (row) => firstWrong(differentiable(row), (s) => compareGradient(weighted(s))),
  },
  {
    title: "second gradient",
    skip: ({ noGradient }) => noGradient,
    wrong: (row) =>
      firstWrong(differentiable(row), (s) => compareGradient(weightedGradients(weighted(s)))),
  },
  {
    title: "no leak",
    skip: () => undefined,
    wrong: (row) => firstWrong(row.samples.slice(0, 3), leak),
  },
];

/** The bytes of all outputs and gradients of a row, in float32. */
export async function bytesOf(row: Case): Promise<string> {
  const parts: string[] = [];
  const keep = async (x: Tensor): Promise<void> => {
    const { buffer, byteOffset, byteLength } = await x.data();
    parts.push(Buffer.from(buffer, byteOffset, byteLength).toString("base64"));
  };
  for (const sample of row.samples) {
    const operands = sample.operands.map((one) => place(one, "float32"));
    const y = sample.call(...operands);
    await keep(y);
    const wanted = operands.filter((_, i) => !sample.operands[i]!.dtype);
    if (row.noGradient === undefined && y.size > 0 && wanted.length > 0) {
      for (const grad of gradients([op.sum(y)], wanted)) await keep(grad);
    }
  }
  return parts.join("\n");
}
