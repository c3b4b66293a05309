/** The trained model's variables as the workers get them: what has changed since they were told. */
import type { Compiled } from "../compile.js";
import { compile } from "../compile.js";
import type { TypedArray } from "../dtype.js";
import { dtypes } from "../dtype.js";
import type { Value } from "../graph.js";
import { noGrad } from "../op.js";
import type { Tensor, Variable } from "../tensor.js";
import { pack, packArrays, unpackArrays } from "./packing.js";
import type { Assignment } from "./replica.js";

/** A variable, and its content when it was last read. */
interface Content {
  readonly variable: Variable;
  value: Value | undefined;
  /** The version of the weights that it is new in. */
  version: number;
  data: TypedArray;
}

/** Copies of variables on the host. */
export class Weights {
  /** Raised when something has changed. */
  version = 0;
  private readonly contents: readonly Content[];
  private readonly reads = new Map<string, Compiled<readonly [], readonly Tensor[]>>();

  constructor(variables: readonly Variable[]) {
    this.contents = variables.map((variable) => ({
      variable,
      value: undefined,
      version: 0,
      data: new dtypes[variable.dtype].make(0),
    }));
  }

  /** Reads what has been assigned since the last time, by whomever. */
  async refresh(): Promise<void> {
    const places = this.contents.flatMap(({ variable, value }, place) =>
      variable.value === value ? [] : [place],
    );
    if (places.length === 0) return;
    const variables = places.map((place) => this.contents[place]!.variable);
    const vectors = await this.read(places.join(), variables);
    this.version++;
    unpackArrays(vectors, variables).forEach((data, index) => {
      const content = this.contents[places[index]!]!;
      content.data = data;
      content.value = content.variable.value;
      content.version = this.version;
    });
  }

  /** Copies of what is new since `version`; undefined where nothing is. */
  since(version: number): Assignment | undefined {
    const places = this.contents.flatMap((content, place) =>
      content.version > version ? [place] : [],
    );
    if (places.length === 0) return undefined;
    return { places, vectors: packArrays(places.map((place) => this.contents[place]!.data)) };
  }

  /** Copies of everything, end to end. */
  all(): TypedArray[] {
    return packArrays(this.contents.map(({ data }) => data));
  }

  private async read(key: string, variables: readonly Variable[]): Promise<TypedArray[]> {
    let read = this.reads.get(key);
    if (!read) {
      read = compile(() => noGrad(() => pack(variables)));
      this.reads.set(key, read);
    }
    const vectors = await read();
    const data = await Promise.all(vectors.map((vector) => vector.data()));
    for (const vector of vectors) vector.dispose();
    return data;
  }
}
