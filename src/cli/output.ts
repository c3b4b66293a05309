/** Where commands write: results to standard output, all else to standard error. */
import { once } from "node:events";
import { createColors } from "picocolors";
import { packError } from "../errors.js";

/** Options that every command has. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly stack?: boolean;
  readonly color?: boolean;
}

/** A stream of the process, as far as it is written to. */
type Stream = NodeJS.WriteStream;

/** Writes what a command has to say. */
export class Output {
  readonly colors: ReturnType<typeof createColors>;
  /** Where progress goes; undefined where none is wanted. */
  readonly progress: Stream | undefined;
  readonly json: boolean;

  constructor(
    private readonly options: OutputOptions,
    private readonly streams: { readonly stdout: Stream; readonly stderr: Stream } = process,
  ) {
    this.colors = createColors(isColored(streams.stderr, options.color));
    this.progress = options.quiet ? undefined : streams.stderr;
    this.json = options.json === true;
  }

  /** Says something to whoever watches. */
  note(text: string): void {
    this.progress?.write(`${text}\n`);
  }

  /** Tells of an event, as a line of JSON where that is asked for. */
  event(event: string, values: object = {}): void {
    if (this.json) this.streams.stdout.write(`${toJson({ event, ...values })}\n`);
  }

  /** A result, as text where JSON is not asked for. */
  result(text: string): void {
    if (!this.json) this.streams.stdout.write(`${text}\n`);
  }

  /** Writes to standard output, and waits where it is full. */
  async write(text: string): Promise<void> {
    if (!this.streams.stdout.write(text)) await once(this.streams.stdout, "drain");
  }

  /** Tells of an error; with its stack only where that is asked for. */
  error(error: unknown): void {
    const { kind, message, stack } = packError(error);
    this.event("error", { kind, message, ...(this.options.stack && { stack }) });
    const shown = this.options.stack && stack !== undefined ? stack : message;
    this.streams.stderr.write(`${this.colors.red("error:")} ${shown}\n`);
  }
}

/** Colours are for terminals, unless they are unwanted (https://no-color.org) or asked for. */
function isColored({ isTTY }: Stream, asked: boolean | undefined): boolean {
  const { NO_COLOR = "", FORCE_COLOR = "", TERM } = process.env;
  if (asked === false || NO_COLOR !== "") return false;
  if (FORCE_COLOR !== "" && FORCE_COLOR !== "0") return true;
  return isTTY === true && TERM !== "dumb";
}

/** JSON has no NaN and no infinities: they are texts. */
export function toJson(value: object): string {
  return JSON.stringify(value, (_, one: unknown) =>
    typeof one === "number" && !Number.isFinite(one) ? String(one) : one,
  );
}
