/** Going on with a training that was cut short. */
import { checkWhole } from "../../checks.js";
import type { RejectedCheckpoint } from "../../io/checkpoints.js";
import { Checkpoints } from "../../io/checkpoints.js";
import type { FitContext } from "../hooks.js";
import { Callback } from "./callback.js";

/** Options of `BackupAndRestore`. */
export interface BackupAndRestoreOptions {
  /** After every epoch, or after so many batches. Default: epoch. */
  readonly saveFrequency?: "epoch" | number;
  /** How many checkpoints are kept, for when the last one is damaged. Default: 2. */
  readonly keep?: number;
  /** Whether they are removed when training has come to its end. Default: true. */
  readonly deleteCheckpoint?: boolean;
}

/**
 * Saves the whole state of training in a folder as it goes; the same program run again goes on from
 * there, to the same bits as if it had never stopped. Aborting `fit` saves too.
 */
export class BackupAndRestore extends Callback {
  readonly name = "backupAndRestore";
  readonly skipInDevRun = true;
  private readonly checkpoints: Checkpoints;
  private readonly frequency: number;
  private readonly deleteCheckpoint: boolean;
  private saved = -1;
  private from: number | undefined;
  private damaged: readonly RejectedCheckpoint[] = [];

  constructor(
    folder: string,
    { saveFrequency = "epoch", keep = 2, deleteCheckpoint = true }: BackupAndRestoreOptions = {},
  ) {
    super();
    if (saveFrequency !== "epoch") checkWhole("backupAndRestore: saveFrequency", saveFrequency, 1);
    this.checkpoints = new Checkpoints(folder, { keep });
    this.frequency = saveFrequency === "epoch" ? Infinity : saveFrequency;
    this.deleteCheckpoint = deleteCheckpoint;
  }

  /** Batches that were done before, where the last run went on from a checkpoint. */
  get restoredFrom(): number | undefined {
    return this.from;
  }

  /** Checkpoints that could not be used when the last run began: an earlier one was. */
  get rejected(): readonly RejectedCheckpoint[] {
    return this.damaged;
  }

  override async onTrainBegin(context: FitContext): Promise<void> {
    void super.onTrainBegin(context);
    const found = await this.checkpoints.latest();
    this.saved = -1;
    this.from = found && Math.floor(found.step / 2);
    this.damaged = found?.rejected ?? [];
    if (found) context.resume(found);
  }

  onBatchEnd(): void {
    if (this.context.totalSteps % this.frequency === 0) this.context.later(() => this.save());
  }

  onEpochEnd(): void {
    this.context.later(() => this.save());
  }

  async onInterrupt(how: "aborted" | "failed"): Promise<void> {
    if (how === "aborted" && this.saved !== this.context.totalSteps) await this.save();
  }

  async onTrainEnd(): Promise<void> {
    if (this.deleteCheckpoint) await this.checkpoints.clear();
  }

  private async save(): Promise<void> {
    const { context } = this;
    const { totalSteps, step } = context;
    // An epoch's end comes after its last batch.
    const number = 2 * totalSteps + Number(step === 0);
    await this.checkpoints.save(number, await context.state());
    this.saved = totalSteps;
  }
}
