// ONNX models of a few nodes, all of whose tensors are inputs; onnx.proto has the field numbers.
import protobuf from "protobufjs/minimal.js";

const irVersion = 10;
const opset = 20;
const float = 1;
const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 };

/** Writes `content` as the message field `field`. */
function nested(writer, field, content) {
  writer.uint32((field << 3) | 2).fork();
  content(writer);
  writer.ldelim();
}

const text = (writer, field, value) => writer.uint32((field << 3) | 2).string(value);
const whole = (writer, field, value) => writer.uint32(field << 3).int64(value);

function attribute(writer, name, value) {
  text(writer, 1, name);
  if (Array.isArray(value)) {
    for (const item of value) whole(writer, 8, item);
    whole(writer, 20, attributeTypes.ints);
  } else if (typeof value === "string") {
    text(writer, 4, value);
    whole(writer, 20, attributeTypes.string);
  } else if (Number.isInteger(value)) {
    whole(writer, 3, value);
    whole(writer, 20, attributeTypes.int);
  } else {
    writer.uint32((2 << 3) | 5).float(value);
    whole(writer, 20, attributeTypes.float);
  }
}

function node(writer, { op, inputs, output, attributes = {} }) {
  for (const input of inputs) text(writer, 1, input);
  text(writer, 2, output);
  text(writer, 4, op);
  for (const [name, value] of Object.entries(attributes)) {
    nested(writer, 5, (inner) => attribute(inner, name, value));
  }
}

function tensor(writer, name, shape) {
  text(writer, 1, name);
  nested(writer, 2, (type) =>
    nested(type, 1, (tensorType) => {
      whole(tensorType, 1, float);
      nested(tensorType, 2, (dims) => {
        for (const size of shape) nested(dims, 1, (dim) => whole(dim, 1, size));
      });
    }),
  );
}

/** The bytes of a model: its nodes, and the shapes of its inputs and of its output by name. */
export function model({ nodes, inputs, output }) {
  const writer = protobuf.Writer.create();
  whole(writer, 1, irVersion);
  nested(writer, 7, (graph) => {
    for (const one of nodes) nested(graph, 1, (inner) => node(inner, one));
    text(graph, 2, "row");
    for (const [name, shape] of Object.entries(inputs)) {
      nested(graph, 11, (inner) => tensor(inner, name, shape));
    }
    for (const [name, shape] of Object.entries(output)) {
      nested(graph, 12, (inner) => tensor(inner, name, shape));
    }
  });
  nested(writer, 8, (version) => whole(text(version, 1, ""), 2, opset));
  return writer.finish();
}
