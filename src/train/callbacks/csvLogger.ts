/** What epochs report, as a table in a file. */
import Papa from "papaparse";
import { shown } from "../../checks.js";
import { ArgumentError, StateError } from "../../errors.js";
import type { Report } from "../history.js";
import type { CallbackState, FitContext } from "../hooks.js";
import { Callback } from "./callback.js";
import { LogFile } from "./logFile.js";

/** Options of `CSVLogger`. */
export interface CSVLoggerOptions {
  /** Between two values. Default: a comma. */
  readonly separator?: string;
  /** Whether a file that is there is added to. Default: false. */
  readonly append?: boolean;
}

/** Writes a line an epoch to a file: on the disk in Node, in the page's storage in browsers. */
export class CSVLogger extends Callback {
  readonly name = "csvLogger";
  readonly skipInDevRun = true;
  private readonly file: LogFile;
  private readonly separator: string;
  private readonly append: boolean;
  private columns: readonly string[] | undefined;

  constructor(path: string, { separator = ",", append = false }: CSVLoggerOptions = {}) {
    super();
    const isSign: boolean = typeof separator === "string" && /^[^"\r\n]$/.test(separator);
    if (!isSign) {
      throw new ArgumentError(
        `csvLogger: separator is ${shown(separator)}; a single sign, no quote, is expected`,
      );
    }
    this.file = new LogFile(path);
    this.separator = separator;
    this.append = append;
  }

  override async onTrainBegin(context: FitContext): Promise<void> {
    void super.onTrainBegin(context);
    this.columns = undefined;
    await this.file.begin({ keep: this.append });
  }

  async onEpochEnd(epoch: number, report: Report): Promise<void> {
    let text = "";
    if (!this.columns) {
      this.columns = Object.keys(report);
      if (this.file.size === 0) text = this.line(["epoch", ...this.columns]);
    }
    const unknown = Object.keys(report).find((name) => !this.columns!.includes(name));
    if (unknown !== undefined) {
      throw new StateError(
        `csvLogger: epoch ${epoch} reports "${unknown}", which the first epoch did not`,
      );
    }
    const values = this.columns.map((name) => report[name] ?? "");
    await this.file.append(text + this.line([epoch, ...values]));
  }

  private line(fields: readonly (string | number)[]): string {
    return `${Papa.unparse([fields], { delimiter: this.separator })}\n`;
  }

  state(): CallbackState {
    return { values: { columns: this.columns, size: this.file.size } };
  }

  /** Lines of epochs that will be trained again are cut off. */
  async restore({ values }: CallbackState): Promise<void> {
    const saved = values as { columns: readonly string[] | undefined; size: number };
    this.columns = saved.columns;
    await this.file.goTo(saved.size);
  }
}
