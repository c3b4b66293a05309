import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import * as ref from "../reference.js";
import { at, build, logSumExp, mapRows, softmaxRow, total } from "../reference.js";
import type { Case, Operand, Sample } from "./case.js";
import { benchShape, integers, operand, specialValues } from "./case.js";

function products(): Sample[] {
  const pairs: [number[], number[], ("dense" | "transposed" | "sliced")?][] = [
    [
      [1, 1],
      [1, 1],
    ],
    [
      [3, 5],
      [5, 17],
    ],
    [
      [17, 3],
      [3, 17],
    ],
    [
      [0, 3],
      [3, 2],
    ],
    [
      [2, 0],
      [0, 3],
    ],
    [
      [33, 70],
      [70, 9],
    ],
    [
      [2, 3, 5],
      [5, 4],
    ],
    [
      [2, 3, 5],
      [2, 5, 4],
    ],
    [
      [4, 1, 3, 5],
      [2, 5, 2],
    ],
    [[7, 7], [7, 7], "transposed"],
    [[7, 7], [7, 7], "sliced"],
  ];
  return pairs.map(([a, b, placement = "dense"]) => ({
    operands: [operand(a, { placement }), operand(b, { salt: 2, placement })],
    call: (a, b) => op.matmul(a, b),
    reference: (a, b) => ref.matmul(a, b),
  }));
}

const rowShapes = [
  [3, 5],
  [1, 17],
  [2, 3, 1],
  [0, 4],
  [5, 7],
  [2, 130],
];

function rows(
  call: (x: Tensor) => Tensor,
  f: (row: number[]) => number[],
  special: number[][],
): Case {
  const sample = (one: Operand): Sample => ({
    operands: [one],
    call: (x) => call(x),
    reference: (x) => mapRows(x, f),
  });
  return {
    samples: [
      ...rowShapes.map((shape) => sample(operand(shape, { low: -3, high: 3 }))),
      sample(operand([7, 5], { placement: "transposed" })),
    ],
    special: special.map((data) => sample({ shape: [1, data.length], data })),
    bench: () => ({ operands: [operand(benchShape, { low: -3, high: 3 })], call }),
  };
}

const smoothing = 0.1;

function entropy(logits: NumberArray, labels: NumberArray, s: number, ignore = -100): NumberArray {
  const classes = logits.shape.at(-1)!;
  const losses = labels.data.map((label, row) => {
    if (label === ignore) return 0;
    const x = logits.data.slice(row * classes, (row + 1) * classes);
    const terms = x.map((v) => logSumExp(x) - v);
    return (1 - s) * terms[label]! + (s / classes) * total(terms);
  });
  const counted = labels.data.filter((label) => label !== ignore).length;
  return { shape: [], data: [total(losses) / counted] };
}

export const layerCases = {
  matmul: {
    samples: products(),
    special: [
      {
        operands: [
          { shape: [2, 2], data: [NaN, 1, Infinity, 2] },
          { shape: [2, 2], data: [1, -Infinity, 2, 3] },
        ],
        call: (a, b) => op.matmul(a, b),
        reference: (a, b) => ref.matmul(a, b),
      },
    ],
    bench: () => ({
      operands: [operand([257, 300]), operand([300, 129], { salt: 2 })],
      call: (a, b) => op.matmul(a, b),
    }),
  },
  softmax: rows((x) => op.softmax(x), softmaxRow, [
    [1, -Infinity, 2],
    [NaN, 1, 2],
    [-Infinity, -Infinity],
    [1000, 999],
    [Infinity, 1],
  ]),
  logSoftmax: rows(
    (x) => op.logSoftmax(x),
    (row) => row.map((x) => x - logSumExp(row)),
    [
      [NaN, 1, 2],
      [1000, 999],
      [-1000, 0],
    ],
  ),
  crossEntropy: {
    samples: [
      ...[0, smoothing].flatMap((labelSmoothing) =>
        [
          [3, 5],
          [17, 2],
          [1, 1],
        ].map(([n, classes]): Sample => ({
          operands: [operand([n!, classes!], { low: -3, high: 3 }), integers([n!], classes!)],
          call: (x, y) => op.crossEntropy(x, y, { labelSmoothing }),
          reference: (x, y) => entropy(x, y, labelSmoothing),
        })),
      ),
      {
        operands: [operand([4, 3]), { shape: [4], data: [0, 1, 2, 1], dtype: "int32" }],
        call: (x, y) => op.crossEntropy(x, y, { ignoreIndex: 1, labelSmoothing: smoothing }),
        reference: (x, y) => entropy(x, y, smoothing, 1),
      },
      {
        operands: [operand([4, 3]), { shape: [4], data: [0, 7, 2, 7], dtype: "int32" }],
        call: (x, y) => op.crossEntropy(x, y, { ignoreIndex: 7 }),
        reference: (x, y) => entropy(x, y, 0, 7),
      },
      {
        operands: [
          operand([4, 3], { low: -3, high: 3 }),
          { shape: [4], data: [0, 7, 2, 1], dtype: "int32" },
          operand([4], { low: 0.5, high: 2, salt: 2 }),
        ],
        call: (x, y, weight) => op.crossEntropy(x, y, { ignoreIndex: 7, weight }),
        reference: (x, y, weight) => {
          const some = [0, 2, 3];
          const losses = some.map(
            (row) =>
              logSumExp(x.data.slice(3 * row, 3 * row + 3)) - x.data[3 * row + y.data[row]!]!,
          );
          const weights = some.map((row) => weight.data[row]!);
          const sum = total(losses.map((loss, i) => loss * weights[i]!));
          return { shape: [], data: [sum / total(weights)] };
        },
      },
      {
        operands: [
          operand([5, 4], { low: -3, high: 3 }),
          operand([5, 4], { low: 0, high: 1, salt: 2 }),
        ],
        call: (x, t) => op.crossEntropy(x, t, { reduction: "sum" }),
        reference: (x, t) => ({
          shape: [],
          data: [
            total(
              mapRows(x, (row) => row.map((v) => logSumExp(row) - v)).data.map(
                (nll, i) => nll * t.data[i]!,
              ),
            ),
          ],
        }),
      },
    ],
    special: [
      {
        operands: [
          { shape: [2, 3], data: [1, NaN, 2, 0, 1, 2] },
          { shape: [2], data: [0, 1], dtype: "int32" },
        ],
        call: (x, y) => op.crossEntropy(x, y, { reduction: "none" }),
        reference: (x) => ({
          shape: [2],
          data: [NaN, logSumExp(x.data.slice(3)) - 1],
        }),
      },
    ],
    bench: () => ({
      operands: [operand(benchShape, { low: -3, high: 3 }), integers([300], 257)],
      call: (x, y) => op.crossEntropy(x, y, { labelSmoothing: smoothing }),
    }),
  },
  embedding: {
    samples: [[3], [2, 5], [0], [17]].flatMap((shape) =>
      [4, 17].map((width): Sample => ({
        operands: [integers(shape, 7), operand([7, width], { salt: 2 })],
        call: (ids, table) => op.embedding(ids, table),
        reference: (ids, table) =>
          build([...shape, width], (index) =>
            at(table, [at(ids, index.slice(0, -1)), index.at(-1)!]),
          ),
      })),
    ),
    special: [
      {
        operands: [
          { shape: [3], data: [1, 0, 1], dtype: "int32" },
          { shape: [2, 4], data: specialValues },
        ],
        call: (ids, table) => op.embedding(ids, table),
        reference: (ids, table) => build([3, 4], ([i, j]) => at(table, [ids.data[i!]!, j!])),
      },
    ],
    bench: () => ({
      operands: [integers([700], 1500), operand([1500, 64])],
      call: (ids, table) => op.embedding(ids, table),
    }),
  },
  oneHot: {
    samples: [[3], [0], [2, 5]].map((shape): Sample => ({
      operands: [integers(shape, 4)],
      call: (labels) => op.oneHot(labels, 4),
      reference: (labels) =>
        build([...shape, 4], (index) => (at(labels, index.slice(0, -1)) === index.at(-1) ? 1 : 0)),
    })),
    bench: () => ({
      operands: [integers([300], 257)],
      call: (labels) => op.oneHot(labels, 257),
    }),
    noGradient: "its operand is whole numbers",
    special: "its operand is whole numbers",
  },
} satisfies Record<string, Case>;
