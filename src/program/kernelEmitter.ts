/** What a kernel op's lowering works with: its node's operands and outputs as places. */
import { dtypes } from "../dtype.js";
import type { Node, Value } from "../graph.js";
import type { Emitter } from "../op.js";
import type { Layout } from "../shape.js";
import { denseLayout, isDense } from "../shape.js";
import { addendOf, isRow } from "./absorb.js";
import type { Builder } from "./builder.js";
import { emitCopy, emitFill } from "./chain.js";
import { labelOf } from "./fuse.js";
import type { Placed } from "./place.js";
import { startOf } from "./place.js";

/** The Emitter of one node, and of the `sum` that its kernel takes in. */
export function kernelEmitter(
  builder: Builder,
  node: Node,
  sum: Node | undefined,
  inColumns: boolean,
): Emitter {
  const operand = (index: number): Value => node.inputs[index]!;
  let label = labelOf(sum ? [node, sum] : [node]);
  const located = (value: Value, placed: Placed): ReturnType<Emitter["strided"]> => ({
    place: startOf(placed, value.dtype),
    layout: placed.layout,
  });
  const output = (index: number, strides?: readonly number[]): Placed => {
    const value = (index === 0 && sum ? sum : node).outputs[index]!;
    const dense = denseLayout(value.shape);
    const layout: Layout = strides ? { ...dense, strides } : dense;
    const inOrder = isDense(layout);
    const placed = {
      buffer: inOrder ? builder.outputBuffer(value) : builder.temporary(value.bytes),
      layout,
    };
    builder.place(value, placed);
    return placed;
  };
  return {
    operands: node.inputs,
    outputs: node.outputs,
    strided: (index) => located(operand(index), builder.find(operand(index))),
    dense: (index) => startOf(builder.dense(operand(index)), operand(index).dtype),
    denseRows: (index) => {
      const value = operand(index);
      const placed = builder.find(value);
      const inRows = placed.layout.strides.at(-1) === 1 || value.shape.at(-1)! <= 1;
      return located(value, inRows ? placed : builder.dense(value));
    },
    inColumns,
    addend: () => {
      if (!sum) return { place: 0, row: 0 };
      const addend = addendOf(node, sum);
      const [output] = node.outputs;
      return {
        place: startOf(builder.dense(addend), addend.dtype),
        row: isRow(addend, output!) ? 0 : output!.shape.at(-1)!,
      };
    },
    output: (index, strides) => startOf(output(index, strides), node.outputs[index]!.dtype),
    scratch: (bytes) => ({ buffer: builder.temporary(bytes), offset: 0 }),
    words: (values) => builder.words(values),
    copyInto: (index, region) => {
      const { buffer } = builder.find(node.outputs[0]!);
      const from = builder.find(operand(index));
      emitCopy(builder, operand(index).dtype, from, { buffer, layout: region }, node.op.name);
    },
    fill: (value) => {
      const [result] = node.outputs;
      emitFill(builder, result!.dtype, value, builder.find(result!));
    },
    note: (text) => {
      label += ` ${text}`;
    },
    // Kernels take the dtype first.
    call: (kernel, ...args) => builder.call(kernel, args, label, args[0] === dtypes.float64.code),
  };
}
