/** What callbacks have in common. */
import { StateError } from "../../errors.js";
import type { Report } from "../history.js";
import type { FitCallbacks, FitContext } from "../hooks.js";

/** Base of callbacks: knows the run it takes part in. Methods of `FitCallbacks` are its moments. */
export abstract class Callback implements FitCallbacks {
  /** What checkpoints and errors call it. */
  abstract readonly name: string;
  private run: FitContext | undefined;

  onTrainBegin(context: FitContext): void | Promise<void> {
    this.run = context;
  }

  /** The run it takes part in. Throws StateError before the first one. */
  protected get context(): FitContext {
    if (this.run) return this.run;
    throw new StateError(`${this.name}: it takes part in no training; pass it to fit`);
  }
}

/** Callbacks whose functions need no class of their own. */
export type Moments = Omit<FitCallbacks, "state" | "restore">;

/** The value of `report` called `name`. Throws StateError, listing what there is, if it is missing. */
export function valueIn(report: Report, name: string, caller: string): number {
  const value = Object.hasOwn(report, name) ? report[name] : undefined;
  if (value !== undefined) return value;
  throw new StateError(
    `${caller}: epochs do not report "${name}", only ${Object.keys(report).join(", ")}` +
      (name.startsWith("val") ? "; give fit validationData or validationSplit" : ""),
  );
}
