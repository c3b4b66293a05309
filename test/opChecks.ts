/** The checks that every op's row goes through. */
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { DType, Tensor } from "../src/index.js";
import { engine, tensor } from "../src/index.js";
import { gradients } from "../src/autograd.js";
import { takeReleased } from "../src/graph.js";
import * as op from "../src/index.js";
import type { Call, Case, Operand, Sample } from "./cases/case.js";
import type { NumberArray } from "./reference.js";
import { numbers, total } from "./reference.js";

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

type Float = "float32" | "float64";

/** Relative error allowed of values, and a tenth of it absolute. */
export const tolerances: Readonly<Record<Float, number>> = { float32: 1e-5, float64: 1e-12 };

/** Why `actual` is not `wanted`; undefined where it is. */
export function difference(
  actual: ArrayLike<number>,
  wanted: NumberArray,
  tolerance: number,
): string | undefined {
  if (actual.length !== wanted.data.length) {
    return `${actual.length} elements, not ${wanted.data.length}`;
  }
  for (let i = 0; i < actual.length; i++) {
    const [a, b] = [actual[i]!, wanted.data[i]!];
    const alike = Number.isFinite(b)
      ? Math.abs(a - b) <= tolerance * (0.1 + Math.abs(b))
      : Object.is(a, b);
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

/** The sum of `x` times fixed numbers. */
function weigh(x: Tensor, salt = 9): Tensor {
  return op.sum(op.mul(x, make(numbers(x.shape, salt).data, x.shape, x.dtype)));
}

/** The sample's output weighted with fixed numbers: one number, with a gradient everywhere. */
function weighted(sample: Sample): Scalar {
  return {
    operands: sample.operands,
    f: (...x) => weigh(sample.call(...x)),
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
      return found.map((grad, i) => weigh(grad, 20 + i)).reduce((sum, part) => op.add(sum, part));
    },
  };
}

/** Up to how many elements each one is moved by itself. */
const eachUpTo = 70;

/** Ways to move the operands: each element by itself, or of many all at once, in two directions. */
function directionsOf(scalar: Scalar): (readonly (readonly number[])[])[] {
  const sizes = scalar.operands.map(({ dtype, data }) => (dtype ? 0 : data.length));
  const size = total(sizes);
  const still = (): number[][] => sizes.map((length) => new Array<number>(length).fill(0));
  if (size > eachUpTo) {
    return [31, 57].map((salt) => sizes.map((length, i) => [...numbers([length], salt + i).data]));
  }
  return sizes.flatMap((length, which) =>
    Array.from({ length }, (_, element) => {
      const direction = still();
      direction[which]![element] = 1;
      return direction;
    }),
  );
}

/** Why the gradient of `scalar` is not what finite differences say; undefined where it is. */
async function compareGradient(scalar: Scalar): Promise<string | undefined> {
  const wanted = floats(scalar);
  const point = scalar.operands.map((one) => place(one, "float64"));
  const found = gradients(
    [scalar.f(...point)],
    wanted.map((i) => point[i]!),
  );
  const slopes = await Promise.all(found.map((grad) => grad.data()));
  const directions = directionsOf(scalar);
  const shifted = (direction: readonly (readonly number[])[], by: number): Tensor => {
    const moved = scalar.operands.map((one, i) =>
      one.dtype ? one : { ...one, data: one.data.map((x, j) => x + by * direction[i]![j]!) },
    );
    return scalar.f(...moved.map((one) => place(one, "float64")));
  };
  const values = await op
    .stack(directions.flatMap((direction) => [step, -step].map((by) => shifted(direction, by))))
    .data();
  for (const [at, direction] of directions.entries()) {
    const numeric = (values[2 * at]! - values[2 * at + 1]!) / (2 * step);
    const analytic = total(
      wanted.map((i, nth) => total(direction[i]!.map((by, j) => by * slopes[nth]![j]!))),
    );
    if (!(Math.abs(analytic - numeric) <= absolute + relative * Math.abs(numeric))) {
      return `derivative ${at} is ${analytic}, finite differences say ${numeric}`;
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

async function firstWrong<T extends Call>(
  samples: readonly T[],
  wrong: (sample: T) => Promise<string | undefined>,
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

async function compareForward(sample: Sample, float: Float): Promise<string | undefined> {
  const output = run(sample, float);
  const wanted = expected(sample, float);
  if (output.shape.join() !== wanted.shape.join()) {
    return `shape [${output.shape.join()}], not [${wanted.shape.join()}]`;
  }
  return difference(await output.data(), wanted, tolerances[float]);
}

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** Milliseconds within which Node tells of what was collected. */
const collected = 10;

/** Whether gradients flow from `y`: an output of the row's op. */
function hasGradient({ noGradient }: Case, y: Tensor): boolean {
  return noGradient === undefined && y.size > 0 && y.dtype.startsWith("float");
}

/** What is still held after runs whose tensors are all let go. */
async function leak({ operands: placed, call }: Call, row: Case): Promise<string | undefined> {
  const once = async (): Promise<void> => {
    const operands = placed.map((one) => make(one.data, one.shape, one.dtype ?? "float32"));
    const y = call(...operands);
    const wanted = operands.filter((_, i) => !placed[i]!.dtype);
    const grads = hasGradient(row, y) ? gradients([op.sum(y)], wanted) : [];
    for (const one of [y, ...grads]) await one.data();
    for (const one of [y, ...grads, ...operands]) one.dispose();
  };
  const live = async (): Promise<number> => {
    await once();
    if (row.random) {
      await setTimeout(collected);
      collect();
      await setTimeout(collected);
    }
    return (await engine().execute({ frees: takeReleased() })).memory.live;
  };
  await live();
  const before = await live();
  const after = await live();
  return after > before ? `${after - before} bytes more are live` : undefined;
}

/** The checks, in the order of the table's columns. */
export const checks: readonly Check[] = [
  {
    title: "float32",
    skip: () => undefined,
    wrong: (row) => firstWrong(row.samples, (s) => compareForward(s, "float32")),
  },
  {
    title: "float64",
    skip: () => undefined,
    wrong: (row) => firstWrong(row.samples, (s) => compareForward(s, "float64")),
  },
  {
    title: "NaN, ±∞",
    skip: ({ special }) => (typeof special === "string" ? special : undefined),
    wrong: ({ special }) =>
      firstWrong(typeof special === "string" ? [] : special, (s) => compareForward(s, "float32")),
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
    wrong: (row) => firstWrong([...row.samples, row.bench()], (call) => leak(call, row)),
  },
];

/** The bytes of all outputs and gradients of a row, in float32. */
export async function bytesOf(row: Case): Promise<string> {
  const parts: string[] = [];
  const keep = async (x: Tensor): Promise<void> => {
    const { buffer, byteOffset, byteLength } = await x.data();
    parts.push(Buffer.from(buffer, byteOffset, byteLength).toString("base64"));
  };
  for (const { operands: placed, call } of [...row.samples, row.bench()]) {
    const operands = placed.map((one) => place(one, "float32"));
    const y = call(...operands);
    await keep(y);
    const wanted = operands.filter((_, i) => !placed[i]!.dtype);
    if (hasGradient(row, y)) {
      for (const grad of gradients([weigh(y)], wanted)) await keep(grad);
    }
  }
  return parts.join("\n");
}
