/** Schedules one after the other. */
import { checkList, checkWhole } from "../../checks.js";
import { ArgumentError } from "../../errors.js";
import type { Optimizer } from "../optimizer.js";
import { LRScheduler } from "./scheduler.js";

/** One schedule after the other: a warm-up, then what it was for. */
export class SequentialLR extends LRScheduler {
  /** `milestones`: the steps at which the second schedule begins, the third, … */
  constructor(
    optimizer: Optimizer,
    private readonly schedulers: readonly LRScheduler[],
    private readonly milestones: readonly number[],
  ) {
    super(optimizer);
    checkList("sequentialLR: schedulers", schedulers);
    checkList("sequentialLR: milestones", milestones);
    milestones.forEach((milestone, i) => {
      checkWhole(`sequentialLR: milestones[${i}]`, milestone, (milestones[i - 1] ?? 0) + 1);
    });
    if (schedulers.length !== milestones.length + 1) {
      throw new ArgumentError(
        `sequentialLR: ${schedulers.length} schedules have ${schedulers.length - 1} milestones ` +
          `between them, not ${milestones.length}`,
      );
    }
    this.moveTo(0);
  }

  rateAt(step: number): number {
    const index = this.milestones.filter((milestone) => milestone <= step).length;
    return this.schedulers[index]!.rateAt(step - (this.milestones[index - 1] ?? 0));
  }
}
