/** Rows of single ops: products, attention, elementwise functions, normalizations, Adam. */
import type { Tensor } from "../src/index.js";
import {
  batchNorm,
  compile,
  exp,
  gelu,
  layerNorm,
  matmul,
  nn,
  optim,
  scaledDotProductAttention,
  softmax,
  transpose,
  vjp,
} from "../src/index.js";
import { opRow, toTensor } from "./opRow.js";
import { outputError } from "./references.js";
import type { Row } from "./row.js";
import type { Attention, Product } from "./workloads.js";
import {
  adamInputs,
  adamSteps,
  attentionInputs,
  attentions,
  batchNormInputs,
  eps,
  layerNormInputs,
  learningRate,
  matrices,
  products,
  sheetInput,
} from "./workloads.js";

function productRow(name: string, product: Product): Row {
  const { transposed } = product;
  return opRow(
    name,
    () => matrices(product),
    ({ a, b }) => ({
      y: matmul(transposed === "a" ? transpose(a) : a, transposed === "b" ? transpose(b) : b),
    }),
  );
}

function attentionRows(name: string, attention: Attention): Row[] {
  const { causal } = attention;
  const attend = (q: Tensor, k: Tensor, v: Tensor): Tensor =>
    scaledDotProductAttention(q, k, v, { causal });
  const inputs = () => attentionInputs(attention);
  return [
    opRow(`${name}_fwd`, inputs, ({ q, k, v }) => ({ y: attend(q, k, v) })),
    opRow(`${name}_fwdbwd`, inputs, ({ q, k, v, dy }) => {
      const [y, pullback] = vjp(attend, q, k, v);
      const [dq, dk, dv] = pullback(dy);
      return { y, dq: dq!, dk: dk!, dv: dv! };
    }),
  ];
}

const batchNormRow = opRow("bn_fwdbwd", batchNormInputs, ({ x, weight, bias, dy }) => {
  const normalize = (...[input, scale, shift]: readonly [Tensor, Tensor, Tensor]): Tensor =>
    batchNorm(input, { weight: scale, bias: shift, training: true, eps });
  const [y, pullback] = vjp(normalize, x, weight, bias);
  const [dx, dWeight, dBias] = pullback(dy);
  return { y, dx: dx!, dweight: dWeight!, dbias: dBias! };
});

function sheetRow(name: string, f: (x: Tensor) => Tensor): Row {
  return opRow(
    name,
    () => ({ x: sheetInput() }),
    ({ x }) => ({ y: f(x) }),
  );
}

const layerNormRow = opRow(
  "layernorm_4m",
  () => ({ x: sheetInput(), ...layerNormInputs() }),
  ({ x, weight, bias }) => ({ y: layerNorm(x, { weight, bias, eps }) }),
);

const adamRow: Row = {
  name: "adam_10m",
  async prepare() {
    const { parameter, gradient } = adamInputs();
    const moved = new nn.Parameter(parameter.data, parameter.shape);
    const optimizer = new optim.Adam([moved], { learningRate });
    const step = compile((dy: Tensor) => {
      moved.grad = dy;
      optimizer.step();
    });
    const dy = toTensor(gradient);
    for (let i = 0; i < adamSteps; i++) await step(dy);
    const error = outputError("adam_10m", { y: await moved.data() });
    return { error, run: () => step(dy) };
  },
};

/** In the order they run. */
export const kernels: readonly Row[] = [
  ...Object.entries(products).map(([name, product]) => productRow(name, product)),
  ...Object.entries(attentions).flatMap(([name, attention]) => attentionRows(name, attention)),
  batchNormRow,
  sheetRow("exp_4m", exp),
  sheetRow("gelu_4m", (x) => gelu(x, { approximate: "tanh" })),
  sheetRow("softmax_4m", (x) => softmax(x)),
  layerNormRow,
  adamRow,
];
