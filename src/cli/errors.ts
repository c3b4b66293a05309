/** What the command line tells the shell that something went wrong by. */
import { FerrogradError } from "../errors.js";

/** How commands end. */
export const exitCodes = {
  ok: 0,
  /** Data, a model or a training that failed. */
  failure: 1,
  /** A command, or a config, that is not understood. */
  usage: 2,
  /** Ctrl-C; what was trained is saved. */
  interrupted: 130,
  /** SIGTERM; what was trained is saved. */
  terminated: 143,
} as const;

/** A command or a config that cannot be carried out as it is written. */
export class ConfigError extends FerrogradError {
  override name = "ConfigError";
}

/** A training that a signal has ended between two batches. */
export class Interrupted extends FerrogradError {
  override name = "Interrupted";

  constructor(readonly exitCode: number) {
    super("the training was interrupted");
  }
}
