import type { Tensor } from "../../src/index.js";
import * as op from "../../src/index.js";
import type { NumberArray } from "../reference.js";
import * as ref from "../reference.js";
import { at, build, logSumExp, mapRows, permute, softmaxRow, total } from "../reference.js";
import type { Case, Operand, Sample } from "./case.js";
import { integers, operand } from "./case.js";

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
  };
}

function normalized(values: number[], eps: number): number[] {
  const mean = total(values) / values.length;
  const variance = total(values.map((x) => (x - mean) ** 2)) / values.length;
  return values.map((x) => (x - mean) / Math.sqrt(variance + eps));
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

function attention(
  q: NumberArray,
  k: NumberArray,
  v: NumberArray,
  visible: (b: number, i: number, j: number) => boolean,
): NumberArray {
  const [batch, heads, queries, dim] = q.shape;
  const keys = k.shape[2]!;
  const kT = permute(k, [0, 1, 3, 2]);
  const scores = ref.matmul(q, kT);
  const weights = mapRows(
    build([batch!, heads!, queries!, keys], (index) =>
      visible(index[0]!, index[2]!, index[3]!) ? at(scores, index) / Math.sqrt(dim!) : -Infinity,
    ),
    (row) => (row.every((x) => x === -Infinity) ? row.map(() => 0) : softmaxRow(row)),
  );
  return ref.matmul(weights, v);
}

function attentionSample(
  [batch, heads, queries, keys, dim, valueDim]: number[],
  { causal = false, lengths }: { causal?: boolean; lengths?: number[] } = {},
): Sample {
  const mask = lengths && {
    shape: [batch!, keys!],
    data: lengths.flatMap((length) =>
      Array.from({ length: keys! }, (_, j) => (j < length ? 1 : 0)),
    ),
    dtype: "bool" as const,
  };
  return {
    operands: [
      operand([batch!, heads!, queries!, dim!]),
      operand([batch!, heads!, keys!, dim!], { salt: 2 }),
      operand([batch!, heads!, keys!, valueDim!], { salt: 3 }),
      ...(mask ? [mask] : []),
    ],
    call: (q, k, v, mask) =>
      op.scaledDotProductAttention(q, k, v, { causal, ...(mask && { mask }) }),
    reference: (q, k, v) =>
      attention(q, k, v, (b, i, j) => {
        const real = !lengths || j < lengths[b]!;
        return real && (!causal || j <= i + keys! - queries!);
      }),
  };
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
  },
  softmax: {
    ...rows((x) => op.softmax(x), softmaxRow, [
      [1, -Infinity, 2],
      [NaN, 1, 2],
      [-Infinity, -Infinity],
      [1000, 999],
      [Infinity, 1],
    ]),
  },
  logSoftmax: {
    ...rows(
      (x) => op.logSoftmax(x),
      (row) => row.map((x) => x - logSumExp(row)),
      [
        [NaN, 1, 2],
        [1000, 999],
        [-1000, 0],
      ],
    ),
  },
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
        operands: [operand([4, 3]), { shape: [4], data: [0, 7, 2, 7], dtype: "int32" }],
        call: (x, y) => op.crossEntropy(x, y, { ignoreIndex: 7 }),
        reference: (x, y) => entropy(x, y, 0, 7),
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
  },
  layerNorm: {
    samples: [
      [3, 5],
      [2, 3, 17],
      [1, 130],
      [0, 4],
      [70, 3],
    ].flatMap((shape): Sample[] => [
      {
        operands: [
          operand(shape),
          operand([shape.at(-1)!], { salt: 2 }),
          operand([shape.at(-1)!], { salt: 3 }),
        ],
        call: (x, weight, bias) => op.layerNorm(x, { weight: weight, bias: bias }),
        reference: (x, w, b) =>
          mapRows(x, (row) => normalized(row, 1e-5).map((h, i) => h * w.data[i]! + b.data[i]!)),
      },
      {
        operands: [operand(shape)],
        call: (x) => op.layerNorm(x),
        reference: (x) => mapRows(x, (row) => normalized(row, 1e-5)),
      },
    ]),
    special: [
      {
        operands: [{ shape: [2, 3], data: [1, NaN, 2, 4, 5, 6] }],
        call: (x) => op.layerNorm(x),
        reference: (x) => mapRows(x, (row) => normalized(row, 1e-5)),
      },
    ],
    tolerance: 1e-4,
  },
  batchNorm: {
    samples: [
      [4, 3],
      [17, 1],
      [3, 5, 7],
      [2, 3, 2, 5],
    ].map((shape): Sample => ({
      operands: [
        operand(shape),
        operand([shape[1]!], { salt: 2 }),
        operand([shape[1]!], { salt: 3 }),
      ],
      call: (x, weight, bias) => op.batchNorm(x, { weight: weight, bias: bias, training: true }),
      reference: (x, w, b) => {
        const out = [...x.data];
        for (let channel = 0; channel < shape[1]!; channel++) {
          const places = out.map((_, i) => i).filter((i) => ref.indexOf(shape, i)[1] === channel);
          const values = normalized(
            places.map((i) => x.data[i]!),
            1e-5,
          );
          places.forEach((i, n) => (out[i] = values[n]! * w.data[channel]! + b.data[channel]!));
        }
        return { shape, data: out };
      },
    })),
    special: [
      {
        operands: [{ shape: [2, 2], data: [1, NaN, 2, 3] }],
        call: (x) => op.batchNorm(x, { training: true }),
        reference: (x) => {
          const first = normalized([x.data[0]!, x.data[2]!], 1e-5);
          return { shape: [2, 2], data: [first[0]!, NaN, first[1]!, NaN] };
        },
      },
    ],
    tolerance: 1e-4,
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
    special: "copies rows",
  },
  oneHot: {
    samples: [[3], [0], [2, 5]].map((shape): Sample => ({
      operands: [integers(shape, 4)],
      call: (labels) => op.oneHot(labels, 4),
      reference: (labels) =>
        build([...shape, 4], (index) => (at(labels, index.slice(0, -1)) === index.at(-1) ? 1 : 0)),
    })),
    noGradient: "its operand is whole numbers",
    special: "its operand is whole numbers",
  },
  scaledDotProductAttention: {
    samples: [
      attentionSample([1, 1, 1, 1, 1, 1]),
      attentionSample([2, 2, 5, 5, 3, 3]),
      attentionSample([2, 2, 5, 7, 4, 3], { lengths: [7, 3] }),
      attentionSample([1, 2, 6, 6, 4, 4], { causal: true }),
      attentionSample([2, 1, 3, 6, 4, 2], { causal: true, lengths: [6, 4] }),
      attentionSample([2, 1, 3, 4, 2, 2], { lengths: [0, 4] }),
      attentionSample([1, 1, 70, 150, 8, 8], { lengths: [140] }),
    ],
    special: "rows that see nothing are among its samples",
  },
} satisfies Record<string, Case>;

function made(call: () => Tensor, reference: NumberArray, rest: Partial<Case> = {}): Case {
  return {
    samples: [{ operands: [], call, reference: () => reference }],
    noGradient: "has no operand",
    special: "has no operand",
    ...rest,
  };
}

const random = { noReference: "its statistics are tested" };

export const creationCases = {
  full: made(() => op.full([2, 3], 0.5), { shape: [2, 3], data: new Array<number>(6).fill(0.5) }),
  zeros: made(() => op.zeros([17]), { shape: [17], data: new Array<number>(17).fill(0) }),
  ones: made(() => op.ones([3, 1]), { shape: [3, 1], data: [1, 1, 1] }),
  arange: made(() => op.arange(2, 9, { step: 3 }), { shape: [3], data: [2, 5, 8] }),
  uniform: made(() => op.uniform([1000]), { shape: [1000], data: [] }, random),
  normal: made(() => op.normal([1000]), { shape: [1000], data: [] }, random),
} satisfies Record<string, Case>;
