/** The command line, as a shell runs it. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { checkConfig, loadConfig } from "../src/cli/config.js";
import { layerOptions } from "../src/cli/layers.js";
import { nearest } from "../src/cli/nearest.js";
import * as data from "../src/data/index.js";
import { layerTypes } from "../src/nn/registry.js";
import { keyTable, nameLists } from "./cliKeys.js";
import { root } from "./packed.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ferrograd-cli-"));
  await writeFile(join(folder, "films.tsv"), films);
  await writeFile(join(folder, "points.csv"), points);
  await writeConfig("films.json", filmConfig);
  await writeConfig("points.json", pointConfig);
});
afterAll(() => rm(folder, { recursive: true }));

const words = { yes: ["good", "great", "fine", "lovely"], no: ["bad", "awful", "poor", "dull"] };
const films = [
  "text\tlabel",
  ...Array.from({ length: 96 }, (_, i) => {
    const label = i % 2 === 0 ? "yes" : "no";
    return `a ${words[label][(i >> 1) % 4]} film, ${words[label][(i >> 3) % 4]}\t${label}`;
  }),
  "",
].join("\n");

/** y = 2a − b, of columns of very different sizes. */
const points = [
  "a,b,y",
  ...Array.from({ length: 64 }, (_, i) => `${i * 100},${(i % 7) / 10},${2 * i - (i % 7)}`),
  "",
].join("\n");

const filmConfig = {
  model: {
    layers: [
      { type: "embedding", numEmbeddings: 40, embeddingDim: 8, maskZero: true },
      "globalAveragePooling1d",
      { type: "dropout", p: 0.1 },
      { type: "linear", inFeatures: 8, outFeatures: 2, activation: "softmax" },
    ],
  },
  data: {
    train: "films.tsv",
    test: "films.tsv",
    text: "text",
    label: "label",
    vectorizer: { maxLength: 6, maxTokens: 40 },
  },
  compile: {
    optimizer: { name: "adam", learningRate: 0.02 },
    loss: "categoricalCrossentropy",
    metrics: ["accuracy", { name: "f1", average: "macro" }],
    schedule: { name: "exponentialLR", gamma: 0.99, interval: "step" },
  },
  fit: {
    epochs: 4,
    batchSize: 8,
    seed: 3,
    validationSplit: 0.25,
    classWeight: { yes: 1, no: 1.5 },
  },
  output: { folder: "films", tensorBoard: true },
};

const pointConfig = {
  model: { layers: [{ type: "linear", inFeatures: 2, outFeatures: 1 }] },
  data: { train: "points.csv", label: "y", target: "number", scaling: "standardize" },
  compile: { optimizer: { name: "sgd", learningRate: 0.1 }, loss: "mse" },
  fit: { epochs: 30, batchSize: 16 },
  output: "points",
};

async function writeConfig(name: string, config: object): Promise<void> {
  await writeFile(join(folder, name), JSON.stringify(config));
}

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunOptions {
  readonly input?: string;
  /** Sent once standard output has such text. */
  readonly interruptAt?: string;
  readonly env?: NodeJS.ProcessEnv;
}

function run(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const { input = "", interruptAt, env = {} } = options;
  const child = spawn("node", [join(root, "dist/node/cli.js"), ...args], {
    cwd: folder,
    env: { ...process.env, ...env },
  });
  let [stdout, stderr, sent] = ["", "", false];
  child.stdout.on("data", (text: Buffer) => {
    stdout += String(text);
    if (sent || interruptAt === undefined || !stdout.includes(interruptAt)) return;
    sent = true;
    child.kill("SIGINT");
  });
  child.stderr.on("data", (text: Buffer) => (stderr += String(text)));
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}

type Event = { readonly event: string; readonly [key: string]: unknown };

function eventsOf({ stdout }: Outcome): Event[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Event);
}

describe("a text classifier", () => {
  beforeAll(async () => {
    const outcome = await run(["train", "films.json"]);
    expect(outcome).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^Test: loss: .*accuracy: 1\.0000.*\nSaved in /) as string,
    });
  });

  it("leaves its model, its history and its events in the folder of output", async () => {
    expect((await readdir(join(folder, "films"))).sort()).toEqual([
      "config.json",
      "history.csv",
      "history.json",
      "model",
      "tensorboard",
    ]);
    const csv = await readFile(join(folder, "films/history.csv"), "utf8");
    expect(csv.split("\n")[0]).toMatch(/^epoch,loss,accuracy,f1.*,valLoss,valAccuracy/);
    const json = JSON.parse(await readFile(join(folder, "films/history.json"), "utf8")) as object;
    expect(json).toMatchObject({ epoch: [0, 1, 2, 3] });
  });

  it("is measured on data with labels, in a file or piped in", async () => {
    const fromFile = await run(["evaluate", "films/model", "films.tsv", "--json"]);
    const piped = await run(["evaluate", "films/model", "-", "--json"], { input: films });
    const [event] = eventsOf(fromFile);
    expect(event).toMatchObject({ event: "evaluation", rows: 96, accuracy: 1 });
    expect(eventsOf(piped)).toEqual([event]);
  });

  it("predicts rows without labels, as JSON lines and CSV", async () => {
    const input = "text\na good film\na dull film\n";
    const lines = await run(["predict", "films/model"], { input });
    const rows = lines.stdout
      .trim()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            class: string;
            probability: number;
            probabilities: Record<string, number>;
          },
      );
    expect(rows.map((row) => row.class)).toEqual(["yes", "no"]);
    expect(rows[0]!.probability).toBe(rows[0]!.probabilities.yes);
    const csv = await run(["predict", "films/model", "--as", "csv", "-q"], { input });
    expect(csv.stdout).toMatch(/^class,probability,p\(no\),p\(yes\)\nyes,.*\nno,.*\n$/);
    expect(csv.stderr).toBe("");
    const input2 = '{"text":"a dull film"}\n';
    const json = await run(["predict", "films/model", "--format", "jsonl", "--to", "p.jsonl"], {
      input: input2,
    });
    expect(json).toMatchObject({ code: 0, stdout: "" });
    expect(await readFile(join(folder, "p.jsonl"), "utf8")).toMatch(/^\{"class":"no"/);
  });

  it("is described by info", async () => {
    const told = await run(["info", "films/model"]);
    expect(told.stdout).toMatch(/Engine: .*thread[\s\S]*embedding[\s\S]*Classes: no, yes/);
    const [event] = eventsOf(await run(["info", "films/model", "--json"]));
    expect(event).toMatchObject({ event: "info", model: { classes: ["no", "yes"], input: [6] } });
  });

  it("is written without escape codes where nobody watches, and with them where they are wanted", async () => {
    const plain = await run(["train", "films.json", "--dry-run"]);
    expect(plain).toMatchObject({ code: 0 });
    expect(plain.stdout + plain.stderr).not.toContain("\u001b");
    const colored = await run(["info"], { env: { FORCE_COLOR: "1" } });
    expect(colored.stderr).toContain("\u001b[");
    const refused = await run(["info"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
    expect(refused.stderr).not.toContain("\u001b");
  });
});

it("goes on from Ctrl-C to the bits of a training that was never stopped", async () => {
  const long = ["--json", "--threads", "1", "-s", "fit.epochs=30"];
  const whole = eventsOf(await run(["train", "films.json", ...long, "-s", "output.folder=whole"]));
  const cut = ["train", "films.json", ...long, "-s", "output.folder=cut"];
  const stopped = await run(cut, { interruptAt: '"epoch":2,' });
  expect(stopped).toMatchObject({ code: 130 });
  expect(eventsOf(stopped).at(-1)).toMatchObject({ event: "interrupted" });
  expect(eventsOf(stopped).length).toBeLessThan(whole.length);

  const again = await run(cut);
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("--resume") as string });
  const other = await run([...cut, "--resume", "-s", "fit.batchSize=4"]);
  expect(other).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("fit.batchSize") as string,
  });
  const resumed = eventsOf(await run([...cut, "--resume"]));
  expect(resumed.at(-1)!.weights).toBe(whole.at(-1)!.weights);
  expect(resumed.at(-1)!.epochs).toBe(30);
  const history = (name: string): Promise<string> =>
    readFile(join(folder, name, "history.csv"), "utf8");
  expect(await history("cut")).toBe(await history("whole"));
  expect(await run([...cut, "--resume"])).toMatchObject({ code: 2 });
});

it("learns numbers from columns, scaled as they were in training", async () => {
  expect(await run(["train", "points.json"])).toMatchObject({ code: 0 });
  const { stdout } = await run(["predict", "points/model"], { input: "b,a\n0.3,1000\n" });
  expect((JSON.parse(stdout) as { output: number }).output).toBeCloseTo(17, 0);
});

it("learns pixels from IDX and npz files, with changes of the images", async () => {
  const [rows, side] = [48, 6];
  const pixels = new Uint8Array(rows * side * side);
  const labels = Uint8Array.from({ length: rows }, (_, row) => row % 2);
  labels.forEach((label, row) => {
    const start = row * side * side + (label * side * side) / 2;
    pixels.fill(200 + row, start, start + (side * side) / 2);
  });
  const x = { data: pixels, shape: [rows, side, side] };
  const y = { data: labels, shape: [rows] };
  await writeFile(join(folder, "x.idx"), data.writeIdx(x));
  await writeFile(join(folder, "y.idx"), data.writeIdx(y));
  await writeFile(
    join(folder, "xy.npz"),
    await data.writeNpz(
      new Map([
        ["x", { ...x, data: Float32Array.from(pixels) }],
        ["y", { ...y, data: Int32Array.from(labels) }],
      ]),
    ),
  );
  await mkdir(join(folder, "deeper"), { recursive: true });
  await writeConfig("deeper/pixels.json", {
    model: {
      layers: [
        { type: "conv2d", inChannels: 1, outChannels: 4, kernelSize: 3, activation: "relu" },
        "flatten",
        { type: "linear", inFeatures: 64, outFeatures: 2, activation: "softmax" },
      ],
    },
    data: {
      train: { inputs: "../x.idx", labels: "../y.idx" },
      validation: "../xy.npz",
      shape: [1, side, side],
      classes: ["above", "below"],
      scaling: "pixels",
      augment: [
        { name: "randomNoise", deviation: 0.01 },
        "randomHorizontalFlip",
        { name: "mixup", alpha: 0.2 },
      ],
    },
    compile: {
      optimizer: "adam",
      loss: "categoricalCrossentropy",
      metrics: ["categoricalAccuracy"],
    },
    fit: { epochs: 10, batchSize: 8, callbacks: [{ name: "modelCheckpoint", path: "best" }] },
    output: "../pixels",
  });
  expect(await run(["train", "deeper/pixels.json"])).toMatchObject({ code: 0 });
  // The callback's models have all that predicting takes, too.
  const { stdout } = await run(["predict", "pixels/best", "x.idx"]);
  const predicted = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { class: string }).class);
  expect(predicted).toEqual(Array.from(labels, (label) => ["above", "below"][label]));
  const measured = await run(["evaluate", "pixels/model", "x.idx", "--labels", "y.idx", "--json"]);
  expect(eventsOf(measured)[0]).toMatchObject({ rows, event: "evaluation" });
});

describe("exit codes", () => {
  it.each([
    ["help", 0, ["--help"], /Examples:[\s\S]*Exit codes:/, /^$/],
    ["an unknown command", 2, ["trian"], /^$/, /Did you mean train/],
    ["no config", 2, ["train", "none.yaml"], /^$/, /^error: none\.yaml cannot be read/],
    [
      "a wrong config",
      2,
      ["train", "films.json", "-s", "fit.epoch=3"],
      /^$/,
      /did you mean epochs\?/,
    ],
    [
      "missing data",
      1,
      ["train", "films.json", "-s", "data.train=no.tsv"],
      /^$/,
      /no\.tsv cannot be read/,
    ],
    [
      "no model",
      1,
      ["evaluate", "none", "films.tsv"],
      /^$/,
      /error: none\/model\.json cannot be read/,
    ],
  ])("%s: %i", async (_, code, args, stdout, stderr) => {
    const outcome = await run(args);
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toMatch(stdout);
    expect(outcome.stderr).toMatch(stderr);
    expect(outcome.stderr).not.toMatch(/^\s+at /m);
  });

  it("shows a stack, and JSON, where they are asked for", async () => {
    const outcome = await run(["train", "none.yaml", "--stack", "--json"]);
    expect(outcome.stderr).toMatch(/^\s+at /m);
    expect(eventsOf(outcome)).toMatchObject([{ event: "error", kind: "ConfigError" }]);
  });
});

describe("configs that are wrong", () => {
  it.each([
    ["fit.epoch=3", 'fit: "epoch" is no key here; did you mean epochs?'],
    ["fit.epochs=0", "fit.epochs: 0 is below 1"],
    ["fit.epochs=ten", 'fit.epochs: "ten" is not a whole number'],
    ["fit.batchSize=1.5", "fit.batchSize: 1.5 is not a whole number"],
    ["fit.classWeight=even", 'fit.classWeight: "even" is not balanced, or keys with values'],
    [
      "fit.callbacks=[earlyStoping]",
      'fit.callbacks.0: "earlyStoping" is unknown; did you mean earlyStopping?',
    ],
    [
      "fit.callbacks=[{name: earlyStopping, mode: least}]",
      'fit.callbacks.0.mode: "least" is none of auto, min, max',
    ],
    ["model.layers=[]", "model.layers: is empty"],
    ["model.layers=[{p: 0.1}]", "model.layers.0.type: is missing"],
    ["model.layers=[flaten]", 'model.layers.0: "flaten" is unknown; did you mean flatten?'],
    ["model.layers.3.inFeatures=-1", "model.layers.3: linear: inFeatures"],
    ["model.layers.2.p=2", "model.layers.2: dropout"],
    ["model.layers.3.units=4", 'model.layers.3: "units" is no key here; known are inFeatures'],
    [
      "model.layers.3.activation=softmaxx",
      'model.layers.3.activation: "softmaxx" is unknown; did you mean softmax?',
    ],
    ["data.train={inputs: x.npy}", "data.train.labels: is missing"],
    ["data.text=null", "data.text: null is not a text, or a whole number"],
    ["data.columns=[a]", "data.columns: the input is data.text or data.columns, not both"],
    ["data.validation=v.tsv", "fit.validationSplit: data.validation is given"],
    [
      "data.augment=[randomVerticalFlip]",
      "data.augment.0: it changes images, and the input is a text",
    ],
    [
      "data.scaling=standardise",
      'data.scaling: "standardise" is unknown; did you mean standardize?',
    ],
    ["compile.optimizer=adm", 'compile.optimizer: "adm" is unknown; did you mean adam?'],
    ["compile.optimizer.lr=1", 'compile.optimizer: "lr" is no key here; known are learningRate'],
    [
      "compile.loss=categoricalCrossEntropy",
      'compile.loss: "categoricalCrossEntropy" is unknown; did you mean categoricalCrossentropy?',
    ],
    [
      "compile.metrics=[acuracy]",
      'compile.metrics.0: "acuracy" is unknown; did you mean accuracy?',
    ],
    ["compile.schedule=cosineAnnealingLR", "compile.schedule.tMax: is missing"],
    ["output=3", "output: 3 is not keys with values"],
    ["outptu=x", '"outptu" is no key here; did you mean output?'],
    ["__proto__.x=1", '"__proto__" is no key here'],
    ["data.train.path=x", "--set data.train.path=x: train is a value, which has no keys"],
    ["fit", "--set fit: key.path=value is expected"],
  ])("%s", async (setting, message) => {
    const loading = loadConfig(join(folder, "films.json"), [setting]);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toMatchObject({ name: "ConfigError" });
  });

  it("tell all that is wrong at once", () => {
    expect(() => checkConfig({ model: {}, data: {}, fit: { epochs: 0 } }, "c.json")).toThrow(
      /^c\.json:\n {2}model\.layers: is missing\n {2}data\.train: .*\n {2}compile: is missing\n {2}fit\.epochs: 0 is below 1\n {2}output: .*$/,
    );
  });

  it("are not JSON, not YAML, not keys", async () => {
    for (const [name, content] of Object.entries({
      "a.json": "{",
      "a.yaml": "a: [",
      "b.yml": "3",
      "a.txt": "",
    })) {
      await writeFile(join(folder, name), content);
      await expect(loadConfig(join(folder, name), [])).rejects.toMatchObject({
        name: "ConfigError",
      });
    }
  });
});

it("finds the name that was meant, and none where nothing is close", () => {
  expect(nearest("learning_rate", ["learningRate", "momentum"])).toBe("learningRate");
  expect(nearest("zzz", ["learningRate", "momentum"])).toBeUndefined();
});

it("knows every layer that models are saved with", () => {
  expect(Object.keys(layerOptions).sort()).toEqual([...layerTypes].sort());
});

it.each(["text-classifier.yaml", "digits.yaml"])("has a sound example %s", async (name) => {
  await loadConfig(join(root, "examples", name), []);
});

it("is described in docs/cli.md, every key and every name", async () => {
  const document = await readFile(join(root, "docs/cli.md"), "utf8");
  expect(document).toContain(keyTable());
  expect(document).toContain(nameLists());
});
