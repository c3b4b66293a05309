/** Ctrl-C and the like. */
import { exitCodes, Interrupted } from "./errors.js";

const codes = { SIGINT: exitCodes.interrupted, SIGTERM: exitCodes.terminated } as const;

/** Signals that end a training. */
export interface Signals {
  /** Aborted, with an Interrupted for a reason, by the first signal. */
  readonly signal: AbortSignal;
  /** Leaves signals to the process again. */
  release(): void;
}

/** The first signal asks the training to stop; a second one ends the process at once. */
export function signals(tell: (message: string) => void): Signals {
  const controller = new AbortController();
  const handlers = Object.entries(codes).map(([name, code]) => {
    const handler = (): void => {
      if (controller.signal.aborted) process.exit(code);
      tell("\nStops after this batch and saves; once more to stop at once");
      controller.abort(new Interrupted(code));
    };
    process.on(name, handler);
    return { name, handler };
  });
  return {
    signal: controller.signal,
    release: () => {
      for (const { name, handler } of handlers) process.off(name, handler);
    },
  };
}
