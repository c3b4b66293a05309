/** What training reports, as TensorBoard reads it. */
import { checkWhole } from "../../checks.js";
import type { SummaryValue } from "../../io/eventFile.js";
import { histogramOf, join, summaryRecord, versionRecord } from "../../io/eventFile.js";
import type { Report } from "../history.js";
import type { CallbackState, FitContext } from "../hooks.js";
import { Callback } from "./callback.js";
import { LogFile } from "./logFile.js";

/** Options of `TensorBoard`. */
export interface TensorBoardOptions {
  /** Epochs between two histograms of each weight; 0: none. Default: 0. */
  readonly histogramFrequency?: number;
  /** Whether batches are logged too: each, or every so many. Default: epoch. */
  readonly updateFrequency?: "epoch" | "batch" | number;
}

/** Events of one kind, `train` or `validation`, in a file of their own. */
interface Run {
  readonly path: string;
  readonly file: LogFile;
  waiting: Uint8Array[];
}

const millisecondsASecond = 1000;

/**
 * Writes event files into `logDir`: `tensorboard --logdir` shows curves of training and validation.
 * On the disk in Node, in the page's own storage in browsers.
 */
export class TensorBoard extends Callback {
  readonly name = "tensorBoard";
  readonly skipInDevRun = true;
  private readonly every: number;
  private readonly histogramFrequency: number;
  private runs = new Map<string, Run>();
  private begun = 0;

  constructor(
    private readonly logDir: string,
    { histogramFrequency = 0, updateFrequency = "epoch" }: TensorBoardOptions = {},
  ) {
    super();
    checkWhole("tensorBoard: histogramFrequency", histogramFrequency, 0);
    this.every =
      updateFrequency === "epoch" ? Infinity : updateFrequency === "batch" ? 1 : updateFrequency;
    if (this.every !== Infinity) checkWhole("tensorBoard: updateFrequency", this.every, 1);
    this.histogramFrequency = histogramFrequency;
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.runs = new Map();
    this.begun = Date.now();
  }

  async onBatchEnd(_: number, report: Report): Promise<void> {
    const { totalSteps } = this.context;
    if (totalSteps % this.every !== 0) return;
    const values = Object.entries(report).map(([name, value]) => ({ tag: `batch_${name}`, value }));
    await this.log("train", totalSteps, values);
  }

  async onEpochEnd(epoch: number, report: Report): Promise<void> {
    const { optimizer } = this.context;
    const all = { learningRate: optimizer.learningRate, ...report };
    const [train, validation]: [SummaryValue[], SummaryValue[]] = [[], []];
    for (const [name, value] of Object.entries(all)) {
      const rest = /^val([A-Z].*)$/.exec(name)?.[1];
      const plain = rest === undefined ? name : rest[0]!.toLowerCase() + rest.slice(1);
      (rest === undefined ? train : validation).push({ tag: `epoch_${plain}`, value });
    }
    const wanted = this.histogramFrequency > 0 && epoch % this.histogramFrequency === 0;
    await this.log("train", epoch, [...train, ...(wanted ? await this.histograms() : [])]);
    if (validation.length > 0) await this.log("validation", epoch, validation);
    await this.flush();
  }

  private async histograms(): Promise<SummaryValue[]> {
    const values: SummaryValue[] = [];
    for (const [path, parameter] of this.context.model.namedParameters()) {
      values.push({ tag: path, value: histogramOf(await parameter.data()) });
    }
    return values;
  }

  private async log(name: string, step: number, values: readonly SummaryValue[]): Promise<void> {
    const now = Date.now() / millisecondsASecond;
    const run = this.runs.get(name) ?? (await this.open(name, now));
    run.waiting.push(summaryRecord(now, step, values));
  }

  private async open(name: string, now: number): Promise<Run> {
    const seconds = String(Math.floor(this.begun / millisecondsASecond)).padStart(10, "0");
    const path = `${this.logDir}/${name}/events.out.tfevents.${seconds}.ferrograd`;
    const file = new LogFile(path);
    await file.begin({ keep: true });
    const run = { path, file, waiting: [versionRecord(now)] };
    this.runs.set(name, run);
    return run;
  }

  private async flush(): Promise<void> {
    for (const run of this.runs.values()) {
      const { waiting } = run;
      run.waiting = [];
      if (waiting.length > 0) await run.file.append(join(waiting));
    }
  }

  onTrainEnd(): Promise<void> {
    return this.flush();
  }

  onInterrupt(): Promise<void> {
    return this.flush();
  }

  async state(): Promise<CallbackState> {
    await this.flush();
    const runs = [...this.runs].map(([name, { path, file }]) => ({ name, path, size: file.size }));
    return { values: { runs } };
  }

  /** The files of before are gone on with; events of batches that will run again are cut off. */
  async restore({ values }: CallbackState): Promise<void> {
    const { runs } = values as { runs: { name: string; path: string; size: number }[] };
    for (const { name, path, size } of runs) {
      const file = new LogFile(path);
      await file.goTo(size);
      this.runs.set(name, { path, file, waiting: [] });
    }
  }
}
