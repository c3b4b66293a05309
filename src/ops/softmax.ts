/** Softmax over one axis, and its logarithm. */
import { through } from "../autograd.js";
import { dtypes } from "../dtype.js";
import type { Emitter, OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import { normalizeAxis, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { exp, mul, sub } from "./elementwise.js";
import { transpose } from "./movement.js";
import { checkFloat, sum } from "./reduce.js";

type RowOp = OpFunction<[x: Tensor, log: boolean]>;

/** The last axis as columns, all others as rows. */
function rowsAndColumns(emitter: Emitter): readonly [dtype: number, rows: number, columns: number] {
  const { shape, dtype } = emitter.operands[0]!;
  return [dtypes[dtype].code, sizeOf(shape.slice(0, -1)), shape.at(-1)!];
}

const softmaxRows: RowOp = defineOp("softmax", {
  signature: (x: Tensor, log: boolean) => ({ operands: [x], attributes: { log } }),
  infer: ([x]) => {
    checkFloat("softmax", x!);
    return { shape: x!.shape, dtype: x!.dtype };
  },
  kernel: (emitter, { log }) => {
    const sizes = rowsAndColumns(emitter);
    const x = emitter.dense(0);
    emitter.call("softmax", ...sizes, x, emitter.output(0), Number(log));
  },
  vjp: (dy, { outputs: [y], attributes: { log } }) => [softmaxBackward(y!, dy, log)],
});

const softmaxBackward: OpFunction<[y: Tensor, dy: Tensor, log: boolean]> = defineOp(
  "softmaxBackward",
  {
    signature: (y: Tensor, dy: Tensor, log: boolean) => ({
      operands: [y, dy],
      attributes: { log },
    }),
    infer: ([y]) => ({ shape: y!.shape, dtype: y!.dtype }),
    kernel: (emitter, { log }) => {
      const sizes = rowsAndColumns(emitter);
      const y = emitter.dense(0);
      const dy = emitter.dense(1);
      emitter.call("softmax_backward", ...sizes, y, dy, emitter.output(0), Number(log));
    },
    // softmax: dX = Y·(dY − Σ dY·Y); log-softmax: dX = dY − eʸ·Σ dY
    vjp: through(([y, dy], { log }) => {
      const over = { axis: -1, keepDims: true };
      return log
        ? [sub(dy!, mul(exp(y!), sum(dy!, over)))]
        : [mul(y!, sub(dy!, sum(mul(dy!, y!), over)))];
    }),
  },
);

/** Which axis; negative ones count from the back. */
export interface AxisOption {
  readonly axis?: number;
}

function alongAxis(name: string, x: Tensor, axis: number, log: boolean): Tensor {
  const at = normalizeAxis(name, axis, x.rank);
  if (at === x.rank - 1) return softmaxRows(x, log);
  return transpose(softmaxRows(transpose(x, at, -1), log), at, -1);
}

/** `eˣ / Σ eˣ` along an axis (default: the last): positive, of sum 1. */
export function softmax(x: Tensor, { axis = -1 }: AxisOption = {}): Tensor {
  return alongAxis("softmax", x, axis, false);
}

/** `ln softmax(x)` along an axis (default: the last), exact where softmax underflows. */
export function logSoftmax(x: Tensor, { axis = -1 }: AxisOption = {}): Tensor {
  return alongAxis("logSoftmax", x, axis, true);
}
