/** A handle on a training run that others have started. */

/** Pauses, resumes and stops the run that it is given to. */
export class TrainingControl {
  private waiting: Promise<void> | undefined;
  private go: () => void = () => undefined;
  private ended = false;

  /** Whether the run waits, or will before its next batch. */
  get paused(): boolean {
    return this.waiting !== undefined;
  }

  /** Whether the run is to stop. */
  get stopped(): boolean {
    return this.ended;
  }

  /** Has the run wait before its next batch. */
  pause(): void {
    this.waiting ??= new Promise((resolve) => {
      this.go = resolve;
    });
  }

  /** Lets the run go on. */
  resume(): void {
    this.waiting = undefined;
    this.go();
  }

  /** Ends the run before its next batch, as a callback would: `fit` gives what it has reported. */
  stop(): void {
    this.ended = true;
    this.resume();
  }

  /** @internal Resolves when the run may go on. Rejects with the reason once `signal` is aborted. */
  async gate(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    while (this.waiting) {
      let abort = (): void => undefined;
      const aborted = new Promise<void>((resolve) => (abort = resolve));
      signal?.addEventListener("abort", abort);
      await Promise.race([this.waiting, aborted]);
      signal?.removeEventListener("abort", abort);
      signal?.throwIfAborted();
    }
  }
}
