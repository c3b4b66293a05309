/** Progress of a training run, in Keras's manner. */
import type { Report } from "./history.js";

/** Where progress is written. */
export interface ProgressStream {
  write(text: string): unknown;
  /** Whether a line can be written over. */
  readonly isTTY?: boolean;
  /** How many signs a line holds. */
  readonly columns?: number;
}

/** What a progress bar is told at the start. */
export interface ProgressOptions {
  readonly epochs: number;
  /** Steps an epoch; undefined until the first one has told. */
  readonly steps: number | undefined;
  /** 0: silent, 1: a bar, or a line an epoch where lines cannot be written over, 2: a line. */
  readonly verbose: 0 | 1 | 2;
  readonly stream?: ProgressStream | undefined;
  /** Milliseconds from some beginning. */
  readonly clock?: () => number;
}

const barWidth = 20;
/** Milliseconds between two drawings of the bar. */
const redrawInterval = 50;

/** Seconds as `m:ss` or `h:mm:ss`, below a minute as `12s`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  if (whole < 60) return `${whole}s`;
  const two = (n: number): string => String(n).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = two(whole % 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${rest}` : `${minutes}:${rest}`;
}

/** `loss: 0.6931 - accuracy: 0.5000`; what would show no digit that counts, `1.2500e-5`. */
export function formatReport(report: Report): string {
  return Object.entries(report)
    .map(([name, value]) => `${name}: ${formatValue(value)}`)
    .join(" - ");
}

function formatValue(value: number): string {
  const isSmall = value !== 0 && Math.abs(value) < 1e-3;
  return isSmall ? value.toExponential(4) : value.toFixed(4);
}

/** The milliseconds of a step, to a readable digit. */
export function formatStep(milliseconds: number): string {
  return `${milliseconds >= 10 ? Math.round(milliseconds) : milliseconds.toFixed(1)}ms/step`;
}

/** One line of progress within an epoch, of which `step` − `from` steps took `elapsed`. */
export function formatBar(
  step: number,
  steps: number | undefined,
  elapsed: number,
  report: Report,
  from = 0,
): string {
  const perStep = elapsed / (step - from);
  const rest = `${formatStep(perStep)} - ${formatReport(report)}`;
  if (steps === undefined) return `${step}/? ${formatDuration(elapsed / 1000)} ${rest}`;
  const filled = Math.floor((barWidth * step) / steps);
  const bar = "━".repeat(filled) + "╌".repeat(barWidth - filled);
  const left = formatDuration(((steps - step) * perStep) / 1000);
  const count = `${String(step).padStart(String(steps).length)}/${steps}`;
  return `${count} ${bar} ETA ${left} ${rest}`;
}

/** Writes progress as it goes. */
export class ProgressBar {
  private readonly options: ProgressOptions;
  private readonly stream: ProgressStream | undefined;
  private readonly clock: () => number;
  private epoch = 0;
  private started = 0;
  private from = 0;
  private drawn = -Infinity;
  private trained = 0;
  private done = 0;
  private steps: number | undefined;
  private width = 0;

  constructor(options: ProgressOptions) {
    this.options = options;
    this.steps = options.steps;
    this.stream = options.verbose === 0 ? undefined : (options.stream ?? standardStream());
    this.clock = options.clock ?? (() => performance.now());
  }

  /** Begins an epoch, or what is left of it after `from` steps. */
  startEpoch(epoch: number, from = 0): void {
    this.from = from;
    this.done = from;
    this.started = this.clock();
    this.drawn = -Infinity;
    if (this.live) this.stream?.write(`Epoch ${epoch + 1}/${this.options.epochs}\n`);
    this.epoch = epoch;
  }

  /** Shows that `step` steps are done; draws no oftener than the eye sees. */
  update(step: number, report: Report): void {
    const now = this.clock();
    this.trained = now;
    this.done = step;
    if (!this.live || (now - this.drawn < redrawInterval && step !== this.steps)) return;
    this.drawn = now;
    this.draw(formatBar(step, this.steps, now - this.started, report, this.from));
  }

  /** Ends an epoch with its values. */
  endEpoch(report: Report): void {
    const { epochs } = this.options;
    const steps = this.done;
    this.steps = steps;
    // An epoch gone on with at its end has no step to time.
    const elapsed = Math.max(0, this.trained - this.started);
    const perStep = elapsed / Math.max(1, steps - this.from);
    const times = `${formatDuration(elapsed / 1000)} ${formatStep(perStep)}`;
    const line = `${steps}/${steps} - ${times} - ${formatReport(report)}`;
    if (this.live) {
      this.draw(line);
      this.stream?.write("\n");
      this.width = 0;
    } else {
      this.stream?.write(`Epoch ${this.epoch + 1}/${epochs} - ${line}\n`);
    }
  }

  /** Whether there is a bar to draw over. */
  private get live(): boolean {
    return this.options.verbose === 1 && this.stream?.isTTY === true;
  }

  private draw(line: string): void {
    // A line that wraps could not be written over.
    const shown = line.slice(0, (this.stream?.columns ?? Infinity) - 1);
    this.stream?.write(`\r${shown.padEnd(this.width)}`);
    this.width = shown.length;
  }
}

/** Standard output in Node, the console elsewhere. */
function standardStream(): ProgressStream {
  if (typeof process === "object" && process.stdout) return process.stdout;
  return { write: (text) => console.log(text.trimEnd()) };
}
