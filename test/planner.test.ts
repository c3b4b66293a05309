/** What the planner makes of products and chains: sums taken in, orders and places of results. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Tensor } from "../src/index.js";
import {
  add,
  compile,
  exp,
  grad,
  init,
  matmul,
  mul,
  shutdown,
  sum,
  tensor,
  transpose,
} from "../src/index.js";
import { numbers } from "./reference.js";

beforeAll(() => init({ threads: 2 }));
afterAll(shutdown);

function matrix(rows: number, columns: number, salt: number): Tensor {
  const { data } = numbers([rows, columns], salt);
  return tensor(data, { shape: [rows, columns], dtype: "float64" });
}

const [m, k, n] = [5, 7, 6];
const a = matrix(m, k, 1);
const b = matrix(k, n, 2);
const row = matrix(1, n, 3);
const full = matrix(m, n, 4);
const c = matrix(m, k, 5);

/** The sums, computed apart: what was read is an operand like any other. */
async function apart(left: Tensor, right: Tensor): Promise<number[]> {
  await Promise.all([left.data(), right.data()]);
  return [...(await add(left, right).data())];
}

const taken = {
  "a row": { call: () => add(matmul(a, b), row), sum: () => apart(matmul(a, b), row) },
  "a row, first": { call: () => add(row, matmul(a, b)), sum: () => apart(row, matmul(a, b)) },
  "a row each": { call: () => add(matmul(a, b), full), sum: () => apart(matmul(a, b), full) },
  "another product": {
    call: () => add(matmul(a, b), matmul(c, b)),
    sum: () => apart(matmul(a, b), matmul(c, b)),
  },
};

describe.each(Object.entries(taken))("a product and %s", (_, { call, sum: expected }) => {
  it("are added by the product's kernel", async () => {
    const program = compile(call);
    const found = [...(await (await program()).data())];
    const calls = program.describe().split("\n");
    expect(calls.filter((line) => line.includes("elementwise("))).toEqual([]);
    expect(calls.filter((line) => line.includes("matmul→add"))).toHaveLength(1);
    (await expected()).forEach((x, i) => expect(found[i]).toBeCloseTo(x, 12));
  });
});

const left = {
  "whose result is read": () => {
    const product = matmul(a, b);
    return [add(product, row), product] as const;
  },
  "that is used twice": () => {
    const product = matmul(a, b);
    return [add(product, full), mul(product, 2)] as const;
  },
  "added to itself": () => {
    const product = matmul(a, b);
    return [add(product, product)] as const;
  },
  "that the sum repeats": () => [add(matmul(a, b), tensor([[[1]], [[2]]], { dtype: "float64" }))],
  "and a column": () => [add(matmul(a, b), sum(full, { axis: 1, keepDims: true }))],
};

describe.each(Object.entries(left))("a product %s", (_, call) => {
  it("leaves the sum to others", async () => {
    const program = compile(() => call());
    const results = await program();
    expect(program.describe()).not.toContain("matmul→add");
    const first = call()[0];
    const expected = await first.data();
    (await results[0].data()).forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 12));
  });
});

describe("the gradient of a transposed weight", () => {
  const weight = matrix(n, k, 6);
  const loss = (w: Tensor): Tensor => sum(mul(matmul(a, transpose(w)), full));

  it("is written where it belongs, without a copy", async () => {
    const gradient = compile((w: Tensor) => mul(grad(loss)(w), 2));
    const found = await (await gradient(weight)).data();
    expect(gradient.describe(weight)).not.toContain("copy");
    // d/dw Σ full·(a·wᵀ) = fullᵀ·a
    const expected = await mul(matmul(transpose(full), a), 2).data();
    found.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 12));
  });

  it("has the same bits in batches, and where rows are read too", async () => {
    const batches = tensor(numbers([3, m, k], 7).data, { shape: [3, m, k], dtype: "float64" });
    const columns = compile(() => mul(transpose(matmul(batches, b)), 2));
    const both = compile(() => {
      const product = matmul(batches, b);
      return [mul(transpose(product), 2), mul(product, 2)] as const;
    });
    const found = await (await columns()).data();
    const [expected, rows] = await both();
    expect(found).toEqual(await expected.data());
    expect(found).toEqual(await transpose(rows).data());
  });
});

describe("an elementwise chain", () => {
  const square = matrix(m, m, 6);

  it("writes over what it is the last to read", async () => {
    const program = compile(() => matmul(exp(matmul(square, square)), square));
    await (await program()).data();
    expect(program.describe()).toMatch(/exp .*elementwise\(constants\+\d+, arena\+0, arena\+0\)/);
  });

  it("leaves what is read again, and what it reads in another order too", async () => {
    const again = compile(() => {
      const product = matmul(square, square);
      return matmul(exp(product), product);
    });
    const turned = compile(() => {
      const product = matmul(square, square);
      return matmul(mul(product, transpose(product)), square);
    });
    for (const program of [again, turned]) {
      await (await program()).data();
      expect(program.describe()).toMatch(/elementwise\(.*arena\+0.*, arena\+(?!0\))\d+\)/);
    }
  });
});
