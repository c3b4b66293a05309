import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import { at, broadcast, build, permute, sizeOf } from "../reference.js";
import type { Call, Case, Operand, Sample } from "./case.js";
import { benchShape, operand, specialValues } from "./case.js";

function moves(
  shapes: readonly (readonly number[])[],
  call: (x: Tensor) => Tensor,
  reference: (x: NumberArray) => NumberArray,
  bench: readonly number[] = benchShape,
): Case {
  const placed = (["dense", "transposed", "sliced"] as const).flatMap((placement) =>
    shapes
      .filter((shape) => placement === "dense" || shape.length === 2)
      .map((shape) => operand(shape, { placement })),
  );
  const sample = (one: Operand): Sample => ({ operands: [one], call, reference });
  const shape = shapes.find((shape) => sizeOf(shape) >= specialValues.length)!;
  const data = Array.from({ length: sizeOf(shape) }, (_, i) => specialValues[i % 8]!);
  return {
    samples: placed.map(sample),
    special: [sample({ shape, data })],
    bench: onBench(call, bench),
  };
}

/** The op and one more: a view by itself moves nothing. */
function onBench(call: (x: Tensor) => Tensor, shape: readonly number[]): () => Call {
  return () => ({ operands: [operand(shape)], call: (x) => op.neg(call(x)) });
}

const same =
  (shapeOf: (shape: readonly number[]) => readonly number[]) =>
  (x: NumberArray): NumberArray => ({ shape: shapeOf(x.shape), data: x.data });

function padded(x: NumberArray): NumberArray {
  const [rows, columns] = x.shape;
  return build([rows! + 3, columns! + 1], ([i, j]) => {
    const inside = i! >= 1 && i! <= rows! && j! >= 1 && j! <= columns!;
    return inside ? at(x, [i! - 1, j! - 1]) : 0.5;
  });
}

function concatenated(axis: number): (...all: NumberArray[]) => NumberArray {
  return (...all) => {
    const shape = all[0]!.shape.map((length, i) =>
      i === axis ? all.reduce((sum, { shape }) => sum + shape[axis]!, 0) : length,
    );
    return build(shape, (index) => {
      let left = index[axis]!;
      const from = all.find(({ shape }) => left < shape[axis]! || ((left -= shape[axis]!), false))!;
      return at(
        from,
        index.map((i, a) => (a === axis ? left : i)),
      );
    });
  };
}

export const movementCases = {
  reshape: moves(
    [[6, 4], [0, 4], [24]],
    (x) => op.reshape(x, [-1, 2]),
    same((s) => [sizeOf(s) / 2, 2]),
  ),
  flatten: moves(
    [[5, 7], [2, 3, 4], [1]],
    (x) => op.flatten(x),
    same((s) => [sizeOf(s)]),
  ),
  unsqueeze: moves(
    [[5, 7], [17], [0]],
    (x) => op.unsqueeze(x, 1),
    same((s) => [s[0]!, 1, ...s.slice(1)]),
  ),
  squeeze: moves(
    [
      [17, 1],
      [3, 1, 5],
    ],
    (x) => op.squeeze(x, 1),
    same((s) => [s[0]!, ...s.slice(2)]),
    [300, 1, 257],
  ),
  permute: moves(
    [
      [2, 3, 5],
      [0, 3, 1],
    ],
    (x) => op.permute(x, [2, 0, 1]),
    (x) => permute(x, [2, 0, 1]),
    [30, 10, 257],
  ),
  transpose: moves(
    [
      [5, 7],
      [1, 17],
      [0, 3],
    ],
    (x) => op.transpose(x),
    (x) => permute(x, [1, 0]),
  ),
  broadcastTo: {
    ...moves(
      [
        [5, 1],
        [3, 5, 4],
      ],
      (x) => op.broadcastTo(x, broadcast(x.shape, [2, 3, 5, 4])),
      (x) => build(broadcast(x.shape, [2, 3, 5, 4]), (index) => at(x, index)),
    ),
    bench: onBench((x) => op.broadcastTo(x, benchShape), [300, 1]),
  },
  slice: moves(
    [
      [9, 7],
      [17, 3],
    ],
    (x) => op.slice(x, [[1, -1, 3], [1]]),
    (x) =>
      build([Math.ceil((x.shape[0]! - 2) / 3), x.shape[1]! - 1], ([i, j]) =>
        at(x, [1 + 3 * i!, 1 + j!]),
      ),
    [1800, 257],
  ),
  concat: {
    samples: [
      [[2, 3], [4, 3], 0],
      [[2, 3], [2, 0], 1],
      [[17], [1], 0],
      [[2, 3, 5], [2, 1, 5], 1],
    ].map(([a, b, axis]): Sample => ({
      operands: [operand(a as number[]), operand(b as number[], { salt: 2 })],
      call: (a, b) => op.concat([a, b], axis as number),
      reference: concatenated(axis as number),
    })),
    special: [
      {
        operands: [
          { shape: [8], data: specialValues },
          { shape: [8], data: specialValues },
        ],
        call: (a, b) => op.concat([a, b]),
        reference: concatenated(0),
      },
    ],
    bench: () => ({
      operands: [operand(benchShape), operand(benchShape, { salt: 2 })],
      call: (a, b) => op.concat([a, b]),
    }),
  },
  stack: {
    samples: [[3], [0], [5, 7]].map((shape): Sample => ({
      operands: [
        operand(shape),
        operand(shape, { salt: 2, placement: shape.length === 2 ? "transposed" : "dense" }),
      ],
      call: (a, b) => op.stack([a, b], 1),
      reference: (a, b) =>
        build([shape[0]!, 2, ...shape.slice(1)], ([i, which, ...rest]) =>
          at(which === 0 ? a : b, [i!, ...rest]),
        ),
    })),
    special: [
      {
        operands: [
          { shape: [8], data: specialValues },
          { shape: [8], data: specialValues },
        ],
        call: (a, b) => op.stack([a, b]),
        reference: (a, b) => ({ shape: [2, 8], data: [...a.data, ...b.data] }),
      },
    ],
    bench: () => ({
      operands: [operand(benchShape), operand(benchShape, { salt: 2 })],
      call: (a, b) => op.stack([a, b], 1),
    }),
  },
  split: moves(
    [
      [9, 7],
      [9, 1],
    ],
    (x) => op.split(x, [4, x.shape[0]! - 4])[1]!,
    (x) => build([x.shape[0]! - 4, x.shape[1]!], ([i, j]) => at(x, [i! + 4, j!])),
  ),
  pad: moves(
    [
      [5, 7],
      [0, 3],
      [1, 1],
    ],
    (x) =>
      op.pad(
        x,
        [
          [1, 2],
          [1, 0],
        ],
        { value: 0.5 },
      ),
    padded,
  ),
} satisfies Record<string, Case>;
