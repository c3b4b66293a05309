#!/usr/bin/env node
/** The command line of Ferrograd. */
import "../methods.js";
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { shutdown } from "../runtime/engine.js";
import type { Format } from "./config.js";
import { formats } from "./config.js";
import { ConfigError, exitCodes, Interrupted } from "./errors.js";
import { evaluate } from "./evaluate.js";
import { info } from "./info.js";
import type { OutputOptions } from "./output.js";
import { Output } from "./output.js";
import type { PredictOptions } from "./predict.js";
import { predict } from "./predict.js";
import type { Place } from "./sources.js";
import { readStdin } from "./tables.js";
import type { TrainOptions } from "./train.js";
import { train } from "./train.js";
import { version } from "./version.js";

function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isSafeInteger(number) && number >= 1) return number;
  throw new InvalidArgumentError("a whole number of at least 1 is expected");
}

const collect = (value: string, earlier: readonly string[]): string[] => [...earlier, value];

const threads = new Option("-t, --threads <n>", "threads of the engine (default: cores)").argParser(
  wholeNumber,
);
const batchSize = new Option("-b, --batch-size <n>", "rows at a time (default: 32)").argParser(
  wholeNumber,
);
const format = new Option(
  "--format <name>",
  "format of the data (default: by the file's ending)",
).choices(formats);

/** How data is given on the command line. */
interface DataOptions {
  readonly format?: Format;
  readonly labels?: string;
}

/** The data of a path; `-` is standard input. */
async function placeOf(path: string, { format: said, labels }: DataOptions): Promise<Place> {
  if (path !== "-") return { path, format: said, labels };
  return { path: "standard input", format: said, text: await readStdin() };
}

const exits = `
Exit codes:
  0    done
  1    data, a model or a training failed
  2    the command or the config is not understood
  130  interrupted (Ctrl-C): the training is saved, --resume goes on
  143  terminated (SIGTERM): likewise`;

/** The commands, which write to what `output` gives. */
function commands(output: (options: OutputOptions) => Output): Command {
  const program = new Command("ferrograd")
    .description("Trains neural networks that a config describes, and uses them.")
    .version(version())
    .option("--json", "events and results as lines of JSON on standard output")
    .option("-q, --quiet", "no progress")
    .option("--no-color", "no colours")
    .option("--stack", "errors with their stack")
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  $ ferrograd train digits.yaml
  $ ferrograd train digits.yaml --set fit.epochs=20 --set compile.optimizer.learningRate=0.001
  $ ferrograd train digits.yaml --resume
  $ ferrograd evaluate runs/digits/model test-images.idx --labels test-labels.idx
  $ echo '{"text": "a fine film"}' | ferrograd predict runs/films/model --format jsonl
  $ ferrograd info runs/films/model
${exits}`,
    );
  const out = (command: Command): Output => output(command.optsWithGlobals<OutputOptions>());
  const add = (name: string, description: string): Command =>
    program.command(name).description(description).addOption(threads);

  add("train", "trains what a config describes")
    .argument("<config>", "a .yaml or .json file")
    .option("-s, --set <key=value>", "sets a key of the config, as fit.epochs=3", collect, [])
    .option("-r, --resume", "goes on with a training that was cut short")
    .option("--overwrite", "begins anew, where a training was cut short")
    .option("-n, --dry-run", "checks everything and trains on one batch; writes nothing")
    .action(async (config: string, options: TrainOptions, command: Command) => {
      await train(config, options, out(command));
    });

  add("evaluate", "measures a model on data with labels")
    .argument("<model>", "the folder of a saved model")
    .argument("<data>", "a file or folder, or - for standard input")
    .addOption(format)
    .option("--labels <file>", "the file of labels, or their name in an npz file")
    .addOption(batchSize)
    .action(async (model: string, data: string, options: EvaluateArguments, command: Command) => {
      await evaluate(model, await placeOf(data, options), options, out(command));
    });

  add("predict", "writes the class of each row, or what else the model tells")
    .argument("<model>", "the folder of a saved model")
    .argument("[data]", "a file or folder, or - for standard input", "-")
    .addOption(format)
    .addOption(
      new Option("--as <form>", "how lines are").choices(["jsonl", "csv"]).default("jsonl"),
    )
    .option("-o, --to <file>", "the file to write (default: standard output)")
    .addOption(batchSize)
    .action(async (model: string, data: string, options: PredictArguments, command: Command) => {
      await predict(model, await placeOf(data, options), options, out(command));
    });

  add("info", "tells what runs, and of a model what it is")
    .argument("[model]", "the folder of a saved model")
    .action(async (model: string | undefined, options: ThreadsOption, command: Command) => {
      await info(model, options, out(command));
    });
  return program;
}

interface ThreadsOption {
  readonly threads?: number;
}
type EvaluateArguments = DataOptions & ThreadsOption & { readonly batchSize?: number };
type PredictArguments = DataOptions & PredictOptions;

/** Runs the command that `args` say; returns the code to exit with. */
async function run(args: readonly string[]): Promise<number> {
  // Until the options are known, what they would be by the words alone.
  let output = new Output({ json: args.includes("--json"), stack: args.includes("--stack") });
  const program = commands((options) => (output = new Output(options)));
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      // It has told what is wrong, or printed the help that was asked for.
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    }
    if (error instanceof Interrupted) return error.exitCode;
    output.error(error);
    return error instanceof ConfigError ? exitCodes.usage : exitCodes.failure;
  } finally {
    shutdown();
  }
}

// What reads the output has had enough, as head does.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? exitCodes.ok : exitCodes.failure);
});
process.exitCode = await run(process.argv.slice(2));
