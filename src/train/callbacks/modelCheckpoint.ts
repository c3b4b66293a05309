/** Models of the best epochs, kept as files. */
import { checkWhole } from "../../checks.js";
import { ArgumentError, DataError, reasonOf } from "../../errors.js";
import { openFolder, splitPath } from "../../io/folder.js";
import { writeSafetensors } from "../../io/safetensors.js";
import type { Report } from "../history.js";
import type { CallbackState, FitContext } from "../hooks.js";
import type { Companions } from "../save.js";
import { saveModel } from "../save.js";
import { Sequential } from "../sequential.js";
import { Callback } from "./callback.js";
import type { MonitorOptions } from "./monitor.js";
import { Monitor } from "./monitor.js";

/** Options of `ModelCheckpoint`. */
export interface ModelCheckpointOptions extends MonitorOptions {
  /** How many of the best are kept; Infinity: all there are. Default: 1. */
  readonly saveTopK?: number;
  /** Where the model of the last epoch is kept besides, however good it is. */
  readonly saveLast?: string;
  /** Whether only weights are saved, as one safetensors file. Default: false. */
  readonly saveWeightsOnly?: boolean;
  /** What is saved with whole models besides. */
  readonly companions?: Companions;
}

/** A model that was saved. */
export interface SavedModel {
  /** Where it is: what `loadModel` takes, or a file of weights. */
  readonly path: string;
  /** Counted from 0. */
  readonly epoch: number;
  readonly value: number;
}

const epochDigits = 4;
const valueDigits = 4;

/**
 * Saves the model after each epoch that is among the best. In the path, `{epoch}` is the epoch's
 * number, counted from 1, and `{valLoss}`, say, what it reports under that name.
 */
export class ModelCheckpoint extends Callback {
  readonly name = "modelCheckpoint";
  readonly skipInDevRun = true;
  private readonly monitor: Monitor;
  private readonly options: Required<Pick<ModelCheckpointOptions, "saveTopK" | "saveWeightsOnly">>;
  private readonly saveLast: string | undefined;
  private readonly companions: Companions | undefined;
  private kept: readonly SavedModel[] = [];

  constructor(
    private readonly path: string,
    {
      saveTopK = 1,
      saveWeightsOnly = false,
      saveLast,
      companions,
      ...monitored
    }: ModelCheckpointOptions = {},
  ) {
    super();
    if (saveTopK !== Infinity) checkWhole("modelCheckpoint: saveTopK", saveTopK, 1);
    if (saveTopK > 1 && !path.includes("{epoch}")) {
      throw new ArgumentError(
        `modelCheckpoint: saveTopK ${saveTopK} needs a path for each: put {epoch} in "${path}"`,
      );
    }
    this.monitor = new Monitor("modelCheckpoint", monitored);
    this.options = { saveTopK, saveWeightsOnly };
    this.saveLast = saveLast;
    this.companions = companions;
  }

  /** What is saved now, the best first. */
  get saved(): readonly SavedModel[] {
    return this.kept;
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.kept = [];
    if (this.options.saveWeightsOnly || context.model instanceof Sequential) return;
    throw new ArgumentError(
      "modelCheckpoint: only a sequential model is saved as a whole; use saveWeightsOnly: true",
    );
  }

  async onEpochEnd(epoch: number, report: Report): Promise<void> {
    if (this.saveLast !== undefined) await this.save(this.saveLast);
    const value = this.monitor.valueIn(report);
    const worse = this.kept.findIndex((one) => this.monitor.isBetter(value, one.value));
    const place = worse < 0 ? this.kept.length : worse;
    if (Number.isNaN(value) || place >= this.options.saveTopK) return;
    const path = this.pathOf(epoch, report);
    await this.save(path);
    const all = [...this.kept.slice(0, place), { path, epoch, value }, ...this.kept.slice(place)];
    this.kept = all.slice(0, this.options.saveTopK);
    for (const one of all.slice(this.options.saveTopK)) {
      if (!this.kept.some((other) => other.path === one.path)) await remove(one.path);
    }
  }

  private pathOf(epoch: number, report: Report): string {
    return this.path.replace(/\{(\w+)\}/g, (_, name: string) => {
      if (name === "epoch") return String(epoch + 1).padStart(epochDigits, "0");
      const value = Object.hasOwn(report, name) ? report[name] : undefined;
      if (value !== undefined) return value.toFixed(valueDigits);
      throw new ArgumentError(
        `modelCheckpoint: the path "${this.path}" names {${name}}, which epochs do not report: ` +
          Object.keys(report).join(", "),
      );
    });
  }

  private async save(path: string): Promise<void> {
    const { model } = this.context;
    if (!this.options.saveWeightsOnly && model instanceof Sequential) {
      await saveModel(model, path, this.companions);
      return;
    }
    const [place, name] = splitPath(path);
    try {
      await (await openFolder(place)).write(name, writeSafetensors(await model.stateDict()));
    } catch (error) {
      throw new DataError(`${path} cannot be written: ${reasonOf(error)}`, { cause: error });
    }
  }

  state(): CallbackState {
    return { values: { kept: this.kept } };
  }

  restore({ values }: CallbackState): void {
    this.kept = (values as { kept: readonly SavedModel[] }).kept;
  }
}

async function remove(path: string): Promise<void> {
  const [place, name] = splitPath(path);
  await (await openFolder(place)).remove(name);
}
