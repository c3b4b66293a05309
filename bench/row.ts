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
  /** Whether pytorch.py has the same work. */
  readonly inTorch: boolean;
  prepare(): Promise<Work>;
}
