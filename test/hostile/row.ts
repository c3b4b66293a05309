/** What a row of the table of hostile inputs is, and what its attempts may use. */
import { lrScheduler } from "../../src/train/entry.js";
import { nn, optim } from "../../src/index.js";
import type { CompileOptions, FitOptions } from "../../src/index.js";

/** What an error is an instance of. */
export type ErrorClass = new (message: string) => Error;

/** A name, what is tried, the class of the error, and what its message matches. */
export type Row = readonly [
  name: string,
  attempt: (bench: Bench) => unknown,
  kind: ErrorClass,
  message: RegExp,
];

/** A value where the types allow none such: users of JavaScript have no types. */
export function wrong(value: unknown): never {
  return value as never;
}

export const rows = [
  [1, 2, 3, 4],
  [0, 1, 0, 1],
  [2, 2, 1, 1],
  [4, 3, 2, 1],
];
export const labels = [0, 1, 2, 0];

const settings: CompileOptions = {
  optimizer: optim.sgd({ learningRate: 0.01, momentum: 0.9 }),
  loss: "sparseCategoricalCrossentropy",
  metrics: ["accuracy"],
};

/** What attempts are made on, once for all rows: whatever they do must leave it as it was. */
export class Bench {
  /** Three classes from four numbers, through a batch norm, whose statistics are state too. */
  readonly model = compiled(dense());
  /** The same, for what goes wrong only once an epoch was trained. */
  private readonly trained = compiled(dense());
  /** Two classes from ids below 10. */
  readonly overTokens = compiled(
    nn.sequential(
      nn.embedding(10, 4, { maskZero: true }),
      nn.globalAveragePooling1d(),
      nn.linear(4, 2, { activation: "softmax" }),
    ),
  );
  /** A number from four. */
  readonly regressor = compiled(nn.sequential(nn.linear(4, 1)), { loss: "mse", metrics: [] });
  readonly optimizer = new optim.SGD(nn.linear(2, 2).parameters(), { learningRate: 0.1 });
  readonly scheduler = new lrScheduler.StepLR(this.optimizer, { stepSize: 2 });

  constructor(
    /** A folder of its own. */
    readonly folder: string,
  ) {}

  /** `fit` of the model on good data, with these options. */
  fit(options: FitOptions): Promise<unknown> {
    return this.model.fit(rows, labels, { verbose: 0, ...options });
  }

  /** The same of a model that an epoch changes before the error comes. */
  fitLong(options: FitOptions): Promise<unknown> {
    return this.trained.fit(rows, labels, { verbose: 0, ...options });
  }

  /** `compile` of the model, with these options changed. */
  compile(options: object): void {
    this.model.compile({ ...settings, ...options });
  }
}

function dense(): nn.Sequential {
  return nn.sequential(
    nn.linear(4, 5, { activation: "relu" }),
    nn.batchNorm1d(5),
    nn.linear(5, 3, { activation: "softmax" }),
  );
}

function compiled(model: nn.Sequential, options: Partial<CompileOptions> = {}): nn.Sequential {
  model.compile({ ...settings, ...options });
  return model;
}
