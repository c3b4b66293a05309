/** Ends training when it no longer helps. */
import { checkFlag, checkNumber, checkWhole } from "../../checks.js";
import type { StateEntry } from "../../nn/module.js";
import type { Report } from "../history.js";
import type { CallbackState, FitContext } from "../hooks.js";
import { Callback } from "./callback.js";
import type { MonitorOptions } from "./monitor.js";
import { Monitor } from "./monitor.js";

/** Options of `EarlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Epochs without anything better after which training ends. Default: 0: the first is one. */
  readonly patience?: number;
  /** A value that must be bettered from the start. */
  readonly baseline?: number;
  /** Whether the model has the weights of its best epoch at the end. Default: false. */
  readonly restoreBestWeights?: boolean;
  /** The first epoch that counts, from 0. Default: 0. */
  readonly startFromEpoch?: number;
}

/** Ends training once a value has not got better for some epochs. */
export class EarlyStopping extends Callback {
  readonly name = "earlyStopping";
  readonly skipInDevRun = true;
  private readonly monitor: Monitor;
  private readonly options: Required<Omit<EarlyStoppingOptions, keyof MonitorOptions | "baseline">>;
  private readonly baseline: number | undefined;
  private wait = 0;
  private bestValue: number | undefined;
  private bestNumber: number | undefined;
  private stoppedNumber: number | undefined;
  private weights: ReadonlyMap<string, StateEntry> | undefined;

  constructor({
    patience = 0,
    baseline,
    restoreBestWeights = false,
    startFromEpoch = 0,
    ...monitored
  }: EarlyStoppingOptions = {}) {
    super();
    checkWhole("earlyStopping: patience", patience, 0);
    checkWhole("earlyStopping: startFromEpoch", startFromEpoch, 0);
    if (baseline !== undefined) {
      checkNumber("earlyStopping: baseline", baseline, -Infinity, Infinity);
    }
    checkFlag("earlyStopping: restoreBestWeights", restoreBestWeights);
    this.monitor = new Monitor("earlyStopping", monitored);
    this.options = { patience, restoreBestWeights, startFromEpoch };
    this.baseline = baseline;
  }

  /** The best value so far, and its epoch; undefined before there is one. */
  get best(): number | undefined {
    return this.bestValue;
  }

  get bestEpoch(): number | undefined {
    return this.bestNumber;
  }

  /** The epoch that training was ended after, if this did it. */
  get stoppedEpoch(): number | undefined {
    return this.stoppedNumber;
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.wait = 0;
    this.bestValue = undefined;
    this.bestNumber = undefined;
    this.stoppedNumber = undefined;
    this.weights = undefined;
  }

  async onEpochEnd(epoch: number, report: Report): Promise<void> {
    const { patience, restoreBestWeights, startFromEpoch } = this.options;
    if (epoch < startFromEpoch) return;
    const value = this.monitor.valueIn(report);
    if (this.monitor.isBetter(value, this.bestValue)) {
      this.bestValue = value;
      this.bestNumber = epoch;
      if (restoreBestWeights) this.weights = await this.context.model.stateDict();
      if (this.baseline === undefined || this.monitor.isBetter(value, this.baseline)) {
        this.wait = 0;
        return;
      }
    }
    if (++this.wait < Math.max(1, patience)) return;
    this.stoppedNumber = epoch;
    const { name } = this.monitor;
    this.context.stop(`${name} has not got better than ${this.bestValue} for ${this.wait} epochs`);
  }

  onTrainEnd(): void {
    if (this.weights) this.context.model.loadStateDict(this.weights);
  }

  state(): CallbackState {
    const { wait, bestValue, bestNumber, weights } = this;
    return {
      values: { wait, bestValue, bestNumber, kept: weights !== undefined },
      tensors: weights,
    };
  }

  restore({ values, tensors }: CallbackState): void {
    const saved = values as Saved;
    this.wait = saved.wait;
    this.bestValue = saved.bestValue;
    this.bestNumber = saved.bestNumber;
    this.weights = saved.kept ? tensors : undefined;
  }
}

interface Saved {
  readonly wait: number;
  readonly bestValue: number | undefined;
  readonly bestNumber: number | undefined;
  readonly kept: boolean;
}
