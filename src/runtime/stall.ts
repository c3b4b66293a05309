/** The hook that a thread's engine calls when it has waited long for the others of its team. */

declare global {
  /** Called by the engine every 50 ms of a wait; what it throws ends the wait and the run. */
  var __ferrogradStall: ((team: number) => void) | undefined;
}

/** Sets what this thread does when it has waited long. */
export function onStall(hook: () => void): void {
  globalThis.__ferrogradStall = hook;
}
