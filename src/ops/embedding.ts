/** Rows of a table by number, and the gradient that adds up rows. */
import { dtypes } from "../dtype.js";
import type { DType } from "../dtype.js";
import { DTypeError, ShapeError } from "../errors.js";
import type { OpFunction } from "../op.js";
import { defineOp } from "../op.js";
import { formatShape, sizeOf } from "../shape.js";
import type { Tensor } from "../tensor.js";
import { arange } from "./creation.js";
import { cast, eq, ne, mul } from "./elementwise.js";
import { unsqueeze } from "./movement.js";
import { checkFloat } from "./reduce.js";

/** No row is left out. */
const none = -1;

const gather: OpFunction<[ids: Tensor, table: Tensor, skip: number]> = defineOp("embedding", {
  signature: (ids: Tensor, table: Tensor, skip: number) => ({
    operands: [ids, table],
    attributes: { skip },
  }),
  infer: ([ids, table]) => {
    if (ids!.dtype !== "int32") {
      throw new DTypeError(`embedding: ids are int32, not ${ids!.dtype}`);
    }
    checkFloat("embedding", table!);
    if (table!.shape.length !== 2) {
      throw new ShapeError(
        `embedding: the table is [rows, width], not ${formatShape(table!.shape)}`,
      );
    }
    return { shape: [...ids!.shape, table!.shape[1]!], dtype: table!.dtype };
  },
  kernel: (emitter) => {
    const [ids, table] = emitter.operands;
    const [rows, width] = table!.shape;
    const { code } = dtypes[table!.dtype];
    emitter.note(`of ${rows} rows`);
    const [at, from] = [emitter.dense(0), emitter.dense(1)];
    emitter.call(
      "gather_rows",
      code,
      rows!,
      width!,
      sizeOf(ids!.shape),
      from,
      at,
      emitter.output(0),
    );
  },
  vjp: (dy, { operands: [ids, table], attributes: { skip } }) => [
    undefined,
    scatterAdd(ids!, dy, table!.shape[0]!, skip),
  ],
});

/** A table whose row `i` is the sum of the rows of `dy` with id `i`; row `skip` stays 0. */
const scatterAdd: OpFunction<[ids: Tensor, dy: Tensor, rows: number, skip: number]> = defineOp(
  "embeddingBackward",
  {
    signature: (ids: Tensor, dy: Tensor, rows: number, skip: number) => ({
      operands: [ids, dy],
      attributes: { rows, skip },
    }),
    infer: ([, dy], { rows }) => ({ shape: [rows, dy!.shape.at(-1)!], dtype: dy!.dtype }),
    kernel: (emitter, { rows, skip }) => {
      const [ids, dy] = emitter.operands;
      const { code } = dtypes[dy!.dtype];
      const [at, from] = [emitter.dense(0), emitter.dense(1)];
      const count = sizeOf(ids!.shape);
      const width = dy!.shape.at(-1)!;
      emitter.call("scatter_add_rows", code, rows, width, count, at, from, emitter.output(0), skip);
    },
    vjp: (ddy, { operands: [ids], attributes: { skip } }) => {
      const rows = gather(ids!, ddy, skip);
      const counted = cast(ne(ids!, skip), ddy.dtype);
      return [undefined, skip === none ? rows : mul(rows, unsqueeze(counted, -1))];
    },
  },
);

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** A row that gets no gradient: that of padding. */
  readonly paddingIndex?: number;
}

/**
 * Rows of `table: [rows, width]` by `ids: [...]` int32 → `[..., width]`. An id outside the rows is
 * an IndexError when it runs.
 */
export function embedding(
  ids: Tensor,
  table: Tensor,
  { paddingIndex = none }: EmbeddingOptions = {},
): Tensor {
  return gather(ids, table, paddingIndex);
}

/** Zeros with a one at each label: `labels: [...]` int32 → `[..., classes]`. */
export function oneHot(labels: Tensor, classes: number, dtype: DType = "float32"): Tensor {
  return cast(eq(unsqueeze(labels, -1), arange(classes)), dtype);
}
