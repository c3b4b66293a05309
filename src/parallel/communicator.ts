/** How the ranks of a training that is spread over several engines exchange arrays. */

/** An array that ranks exchange, in place. */
export type Exchanged = Float32Array | Float64Array;

/**
 * The ranks that train one model together: each calls the same functions, with arrays of the same
 * lengths, in the same order. What a rank does between two calls is its own. A call rejects on
 * every rank that still lives where one has died; none may wait for ever.
 */
export interface Communicator {
  /** This rank's number, from 0. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /**
   * Puts the sum over all ranks in the place of `values`, the same bits on every rank: both halves
   * of the ranks are added up in this way, then their sums.
   */
  allReduce(values: Exchanged): Promise<void>;
  /** Puts what rank `root` has in the place of `values`. */
  broadcast(values: Exchanged, root: number): Promise<void>;
  /** Resolves once every rank has called it. */
  barrier(): Promise<void>;
}

/** The only rank: it has nobody to exchange with. */
export const alone: Communicator = {
  rank: 0,
  size: 1,
  allReduce: () => Promise.resolve(),
  broadcast: () => Promise.resolve(),
  barrier: () => Promise.resolve(),
};
