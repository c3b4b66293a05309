/** Which variables have been assigned but not yet computed, here and in the function being traced. */
import type { Value } from "./graph.js";
import type { Variable } from "./tensor.js";

/** Variables assigned since the last run, with the content they had before. */
export type Updates = Map<Variable, Value>;

let current: Updates = new Map();

/** Notes that `variable`, whose content was `before`, is assigned. */
export function noteUpdate(variable: Variable, before: Value): void {
  if (!current.has(variable)) current.set(variable, before);
}

/** The assignments waiting to be computed; the caller takes them over. */
export function takeUpdates(): Updates {
  const taken = current;
  current = new Map();
  return taken;
}

/** Whether assignments wait. */
export function hasUpdates(): boolean {
  return current.size > 0;
}

/** Runs `body` with assignments noted apart, and gives them with its result. */
export function collectUpdates<T>(body: () => T): { result: T; updates: Updates } {
  const outer = current;
  const updates: Updates = new Map();
  current = updates;
  try {
    return { result: body(), updates };
  } finally {
    current = outer;
  }
}

let roots: WeakRef<Value>[] = [];

/** Notes the loss of a backward pass: it is computed together with the update that follows. */
export function noteRoot(root: Value): void {
  roots.push(new WeakRef(root));
}

/** Forgets what waits: the buffers it was to be computed from are gone. */
export function forgetPending(): void {
  takeUpdates();
  roots = [];
}

/** The roots noted since the last call that somebody still holds. */
export function takeRoots(): Value[] {
  const taken = roots.flatMap((root) => root.deref() ?? []);
  roots = [];
  return taken;
}
