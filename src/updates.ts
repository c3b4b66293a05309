/** Which variables have been assigned but not yet computed, here and in the function being traced. */
import type { Value } from "./graph.js";
import type { Tensor, Variable } from "./tensor.js";

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

let gradients: Map<Tensor, Tensor | undefined> | undefined;

/** Notes that the gradient of `leaf` is about to change. */
export function noteGradient(leaf: Tensor): void {
  if (gradients && !gradients.has(leaf)) gradients.set(leaf, leaf.grad);
}

/**
 * Runs `body` with assignments noted apart, and gives them with its result. Should it throw,
 * variables and gradients are what they were: nothing may hold values of a recording that is none.
 */
export function collectUpdates<T>(body: () => T): { result: T; updates: Updates } {
  const outer = { current, gradients };
  const updates: Updates = new Map();
  const changed = new Map<Tensor, Tensor | undefined>();
  current = updates;
  gradients = changed;
  try {
    return { result: body(), updates };
  } catch (error) {
    for (const [variable, before] of updates) variable.adopt(before);
    for (const [leaf, before] of changed) leaf.grad = before;
    throw error;
  } finally {
    ({ current, gradients } = outer);
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
