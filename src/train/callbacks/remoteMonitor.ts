/** What epochs report, sent to a server. */
import { checkNumber, shown } from "../../checks.js";
import { ArgumentError, reasonOf } from "../../errors.js";
import type { Report } from "../history.js";
import type { FitContext } from "../hooks.js";
import { Callback } from "./callback.js";

/** Options of `RemoteMonitor`. */
export interface RemoteMonitorOptions {
  /** Where on the server. Default: /publish/epoch/end/. */
  readonly path?: string;
  /** The form's field that has the JSON, unless `sendAsJson`. Default: data. */
  readonly field?: string;
  readonly headers?: { readonly [name: string]: string };
  /** Whether the JSON is the body itself. Default: false. */
  readonly sendAsJson?: boolean;
  /** Milliseconds after which the server has not answered. Default: 10,000. */
  readonly timeout?: number;
}

/**
 * Posts each epoch's report, with `epoch` in it, to a server. Training does not fail where the
 * server does: what it did not take is kept in `unsent`, and sent before the next report.
 */
export class RemoteMonitor extends Callback {
  readonly name = "remoteMonitor";
  readonly skipInDevRun = true;
  /** Reports that the server has not taken yet, oldest first. */
  unsent: readonly Report[] = [];
  /** Why it did not. */
  lastError: string | undefined;
  private readonly url: string;
  private readonly options: Required<Omit<RemoteMonitorOptions, "path">>;

  constructor(
    root: string,
    {
      path = "/publish/epoch/end/",
      field = "data",
      headers = {},
      sendAsJson = false,
      timeout = 10_000,
    }: RemoteMonitorOptions = {},
  ) {
    super();
    this.url = String(root).replace(/\/$/, "") + path;
    const { location } = globalThis as { readonly location?: { readonly href: string } };
    if (!URL.canParse(this.url, location?.href)) {
      throw new ArgumentError(`remoteMonitor: ${shown(this.url)} is no address`);
    }
    checkNumber("remoteMonitor: timeout", timeout, 1, Infinity);
    this.options = { field, headers, sendAsJson, timeout };
  }

  override onTrainBegin(context: FitContext): void {
    void super.onTrainBegin(context);
    this.unsent = [];
    this.lastError = undefined;
  }

  async onEpochEnd(epoch: number, report: Report): Promise<void> {
    this.unsent = [...this.unsent, { epoch, ...report }];
    await this.send();
  }

  /** Sends what is unsent; `unsent` tells what remains so. */
  async send(): Promise<void> {
    try {
      while (this.unsent.length > 0) {
        await this.post(this.unsent[0]!);
        this.unsent = this.unsent.slice(1);
      }
      this.lastError = undefined;
    } catch (error) {
      this.lastError = reasonOf(error);
    }
  }

  private async post(report: Report): Promise<void> {
    const { field, headers, sendAsJson, timeout } = this.options;
    const json = JSON.stringify(report);
    const response = await fetch(this.url, {
      method: "POST",
      headers: sendAsJson ? { "Content-Type": "application/json", ...headers } : headers,
      body: sendAsJson ? json : new URLSearchParams({ [field]: json }),
      signal: AbortSignal.timeout(timeout),
    });
    if (!response.ok) throw new Error(`${this.url}: ${response.status} ${response.statusText}`);
  }
}
