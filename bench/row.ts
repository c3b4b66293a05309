/** What is measured. */

/** Some work, ready to be done again and again. */
export interface Work {
  /** Does it once; what it computes has been computed when this resolves. */
  run(): Promise<void>;
  /** The largest relative error against the reference. */
  readonly error: number;
}

/** A benchmark. */
export interface Row {
  readonly name: string;
  prepare(): Promise<Work>;
}

/** A larger error says that the work was not done right. */
export const tolerance = 2e-5;
