/** Rows of one op, or of an op and its gradient, on fixed inputs. */
import type { Tensor } from "../src/index.js";
import { compile, tensor } from "../src/index.js";
import { outputError } from "./references.js";
import type { Row } from "./row.js";
import type { NumberTable } from "./workloads.js";

/** Named results; the names are those of the references. */
export type Outputs = Readonly<Record<string, Tensor>>;

/** The row `name`: `body` compiled, on tensors of the `inputs`. */
export function opRow<Name extends string>(
  name: string,
  inputs: () => Readonly<Record<Name, NumberTable>>,
  body: (inputs: Readonly<Record<Name, Tensor>>) => Outputs,
): Row {
  return {
    name,
    async prepare() {
      const tables = inputs();
      const names = Object.keys(tables) as Name[];
      const tensors = names.map((input) => toTensor(tables[input]));
      const program = compile((...args: Tensor[]): Outputs => {
        const named = names.map((input, index) => [input, args[index]] as const);
        return body(Object.fromEntries(named) as Record<Name, Tensor>);
      });
      const outputs = await program(...tensors);
      const values = Object.entries(outputs).map(
        async ([output, result]) => [output, await result.data()] as const,
      );
      const error = outputError(name, Object.fromEntries(await Promise.all(values)));
      dispose(outputs);
      return { error, run: async () => dispose(await program(...tensors)) };
    },
  };
}

/** The table as a tensor. */
export function toTensor({ data, shape }: NumberTable): Tensor {
  return tensor(data, { shape });
}

function dispose(outputs: Outputs): void {
  for (const output of Object.values(outputs)) output.dispose();
}
