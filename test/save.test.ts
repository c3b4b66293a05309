/** Models in folders: the same bits after, whole or not at all. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { copyFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import {
  DataError,
  init,
  loadModel,
  manualSeed,
  modelFiles,
  modelFromFiles,
  nn,
  optim,
  randomState,
  saveModel,
  shutdown,
  text,
  weightsHash,
} from "../src/index.js";

/** Which rename is to fail, as if the process ended before it. */
const broken = vi.hoisted(() => ({ name: "" }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<{ rename: (from: string, to: string) => Promise<void> }>();
  const rename = async (from: string, to: string): Promise<void> => {
    if (broken.name && to.endsWith(broken.name)) throw new Error("the lights went out");
    return real.rename(from, to);
  };
  return { ...real, rename };
});

let folder = "";
const at = (...names: string[]): string => path.join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "ferrograd-save-"));
  await init({ threads: 2 });
});
beforeEach(() => {
  broken.name = "";
});
afterAll(async () => {
  shutdown();
  await rm(folder, { recursive: true });
});

const texts = ["good day", "bad night", "good night", "bad day", "so good", "too bad"];
const labels = [1, 0, 1, 0, 1, 0];
const vectorizer = text.vectorizer({ maxTokens: 8, maxLength: 3 }).adapt(texts);
const rows = vectorizer(texts);
const silent = { verbose: 0, batchSize: 4, epochs: 2 } as const;

function classifier(): nn.Sequential {
  manualSeed(3);
  const model = nn.sequential(
    nn.embedding(8, 8, { maskZero: true, positions: 3 }),
    nn.transformerEncoderLayer({ modelDim: 8, heads: 2, dropout: 0.2, attentionDropout: 0.1 }),
    nn.globalMaxPooling1d(),
    nn.batchNorm1d(8),
    nn.dropout(0.3),
    nn.linear(8, 2, { activation: "softmax" }),
  );
  model.compile({
    optimizer: optim.adamW({ learningRate: 0.01, clipNorm: 1 }),
    loss: "sparseCategoricalCrossentropy",
    metrics: ["accuracy"],
  });
  return model;
}

async function outputs(model: nn.Sequential): Promise<number[]> {
  return Array.from(await (await model.predict(rows)).data());
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

async function attempt(body: () => unknown): Promise<unknown> {
  return Promise.resolve().then(body);
}

async function expectDataError(promise: Promise<unknown>, ...parts: string[]): Promise<void> {
  const error = await rejection(promise);
  expect(error).toBeInstanceOf(DataError);
  for (const part of parts) expect((error as Error).message).toContain(part);
}

async function namesIn(place: string): Promise<string[]> {
  return (await readdir(place)).sort();
}

describe("a saved model", () => {
  it("predicts the same bits, with its vectorizer and classes", async () => {
    const model = classifier();
    await model.fit(rows, labels, silent);
    const classes = ["bad", "good"];
    await saveModel(model, at("whole"), { vectorizer, classes });
    const names = await namesIn(at("whole"));
    expect(names.length).toBe(3);
    expect(names[0]).toBe("model.json");
    expect(names[1]).toMatch(/^optimizer-[0-9a-f]{16}\.safetensors$/);
    expect(names[2]).toMatch(/^weights-[0-9a-f]{16}\.safetensors$/);
    const loaded = await loadModel(at("whole"));
    expect(await outputs(loaded.model)).toEqual(await outputs(model));
    expect(await weightsHash(loaded.model)).toBe(await weightsHash(model));
    expect(loaded.classes).toEqual(classes);
    expect(loaded.vectorizer!(["good morning"])).toEqual(vectorizer(["good morning"]));
    expect(loaded.vectorizer!.toJSON()).toEqual(vectorizer.toJSON());
    expect(await loaded.model.evaluate(rows, labels)).toEqual(await model.evaluate(rows, labels));
  });

  it("goes on training as if never stopped, dropout and all", async () => {
    const model = classifier();
    await model.fit(rows, labels, silent);
    await saveModel(model, at("resumed"));
    const { history } = await model.fit(rows, labels, { ...silent, seed: 1 });
    const [expected, state] = [await weightsHash(model), randomState()];
    const buffers = await model.stateDict();
    manualSeed(99);
    shutdown();
    await init({ threads: 1 });
    const { model: resumed } = await loadModel(at("resumed"));
    const again = await resumed.fit(rows, labels, { ...silent, seed: 1 });
    expect(again.history).toEqual(history);
    expect(await weightsHash(resumed)).toBe(expected);
    expect(await resumed.stateDict()).toEqual(buffers);
    expect(randomState()).toEqual(state);
    shutdown();
    await init({ threads: 2 });
  });

  it("need not have been compiled", async () => {
    const model = nn.sequential(nn.linear(2, 2));
    await saveModel(model, at("plain"));
    const { model: loaded } = await loadModel(at("plain"));
    expect(loaded.compiled).toBe(false);
    expect(await weightsHash(loaded)).toBe(await weightsHash(model));
  });

  it("has the same layers frozen, and the learning rate it had", async () => {
    const model = classifier();
    model.layers[0]!.freeze();
    model.layers[1]!.children()[0]![1].freeze();
    model.setup("test").optimizer.learningRate = 0.125;
    await saveModel(model, at("frozen"));
    const { model: loaded } = await loadModel(at("frozen"));
    const frozenIn = (one: nn.Sequential): string[] =>
      [...one.namedModules()].flatMap(([path, { frozen }]) => (frozen ? [path] : []));
    expect(frozenIn(loaded)).toEqual(frozenIn(model));
    expect(frozenIn(loaded)).toContain("0");
    expect(loaded.parameters().map(({ requiresGrad }) => requiresGrad)).toEqual(
      model.parameters().map(({ requiresGrad }) => requiresGrad),
    );
    expect(loaded.setup("test").optimizer.learningRate).toBe(0.125);
  });

  it("goes through memory as it does through files", async () => {
    const model = classifier();
    const { model: loaded } = modelFromFiles(await modelFiles(model));
    expect(await outputs(loaded)).toEqual(await outputs(model));
  });
});

describe("replacing a model", () => {
  it("leaves the files of the new one alone", async () => {
    const model = classifier();
    await saveModel(model, at("replaced"));
    const before = await namesIn(at("replaced"));
    await model.fit(rows, labels, silent);
    await writeFile(at("replaced", "notes.txt"), "mine");
    await saveModel(model, at("replaced"));
    const after = await namesIn(at("replaced"));
    expect(after.length).toBe(4);
    expect(after).toContain("notes.txt");
    expect(after.filter((name) => before.includes(name))).toEqual(["model.json"]);
    expect(await outputs((await loadModel(at("replaced"))).model)).toEqual(await outputs(model));
  });

  it.each(["model.json", ".safetensors"])(
    "keeps the old one if it ends before %s",
    async (name) => {
      const place = at(`cut${name}`);
      const model = classifier();
      await saveModel(model, place);
      const old = await outputs(model);
      await model.fit(rows, labels, silent);
      broken.name = name;
      await expectDataError(saveModel(model, place), place, "cannot be written", "lights went out");
      expect(await outputs((await loadModel(place)).model)).toEqual(old);
      broken.name = "";
      await saveModel(model, place);
      expect((await namesIn(place)).length).toBe(3);
      expect(await outputs((await loadModel(place)).model)).toEqual(await outputs(model));
    },
  );

  it("passes over what a process left that was killed", async () => {
    const place = at("killed");
    const model = classifier();
    await saveModel(model, place);
    const old = await outputs(model);
    await model.fit(rows, labels, silent);
    await saveModel(model, at("newer"));
    for (const name of await namesIn(at("newer"))) {
      const to = name === "model.json" ? ".model.json.1.tmp" : name;
      await copyFile(at("newer", name), path.join(place, to));
    }
    await truncate(path.join(place, ".model.json.1.tmp"), 100);
    expect(await outputs((await loadModel(place)).model)).toEqual(old);
    await saveModel(model, place);
    expect((await namesIn(place)).length).toBe(3);
  });
});

describe("files that are not as they were saved", () => {
  let place = "";
  let weights = "";
  beforeEach(async () => {
    place = await mkdtemp(at("bad-"));
    await saveModel(classifier(), place, { vectorizer });
    weights = path.join(
      place,
      (await namesIn(place)).find((name) => name.startsWith("weights"))!,
    );
  });

  it("missing", async () => {
    await expectDataError(loadModel(at("nowhere")), at("nowhere", "model.json"), "cannot be read");
    await rm(weights);
    await expectDataError(loadModel(place), weights, "cannot be read");
  });

  it("cut short, at any length", async () => {
    const { length } = await readFile(weights);
    for (const size of [length - 1, length >> 1, 9, 8, 0]) {
      await truncate(weights, size);
      await expectDataError(loadModel(place), weights, `${size} bytes where ${length} were saved`);
    }
  });

  it("with any one bit another", async () => {
    const bytes = await readFile(weights);
    for (let at = 0; at < bytes.length; at += 97) {
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (at % 8);
      await writeFile(weights, flipped);
      await expectDataError(loadModel(place), weights, "is corrupt");
    }
  });

  it("model.json cut short or with any one letter another", async () => {
    const index = path.join(place, "model.json");
    const whole = await readFile(index, "utf8");
    for (let end = 0; end < whole.length - 2; end += 41) {
      await writeFile(index, whole.slice(0, end));
      await expectDataError(loadModel(place), index, "is not JSON");
    }
    for (let at = 0; at < whole.length; at += 13) {
      if (/\s/.test(whole[at]!)) continue;
      const other = whole[at] === "7" ? "8" : "7";
      await writeFile(index, whole.slice(0, at) + other + whole.slice(at + 1));
      await expectDataError(loadModel(place), index);
    }
  });

  it("with other weights under the same name", async () => {
    const other = classifier();
    await other.fit(rows, labels, silent);
    await saveModel(other, at("other"));
    const name = (await namesIn(at("other"))).find((one) => one.startsWith("weights"))!;
    await copyFile(at("other", name), weights);
    await expectDataError(loadModel(place), weights, "is corrupt");
  });
});

describe("a description that does not fit", () => {
  type Edit = (description: Record<string, unknown> & { model: ModelEntry }) => void;
  interface ModelEntry {
    type: string;
    options: { layers: { type: string; options: Record<string, unknown> }[] };
  }

  it.each<[string, Edit, string]>([
    ["another format", (d) => (d.format = "onnx"), "does not describe a Ferrograd model"],
    ["a later version", (d) => (d.version = 99), "format version 99"],
    ["no model", (d) => Reflect.deleteProperty(d, "model"), "does not describe"],
    ["null for a model", (d) => Object.assign(d, { model: null }), ""],
    ["another model", (d) => (d.model.type = "graph"), 'of type "graph"'],
    ["no layers", (d) => (d.model.options.layers = []), "no layers"],
    ["null for a layer", (d) => d.model.options.layers.splice(1, 1, null as never), ""],
    ["an unknown layer", (d) => (d.model.options.layers[1]!.type = "magic"), 'type "magic"'],
    [
      "a layer called constructor",
      (d) => (d.model.options.layers[1]!.type = "constructor"),
      'type "constructor"',
    ],
    [
      "a layer without options",
      (d) => Reflect.deleteProperty(d.model.options.layers[0]!, "options"),
      "",
    ],
    [
      "sizes that are texts",
      (d) => (d.model.options.layers[0]!.options.numEmbeddings = "8"),
      "numEmbeddings",
    ],
    ["other sizes", (d) => (d.model.options.layers[0]!.options.numEmbeddings = 9), "[9, 8]"],
    [
      "sizes past all memory",
      (d) => (d.model.options.layers[0]!.options.numEmbeddings = 2 ** 50),
      "",
    ],
    ["a layer too few", (d) => d.model.options.layers.pop(), "without a place in the model"],
    [
      "an unknown loss",
      (d) => (d.training = { ...(d.training as object), loss: "hinge" }),
      "hinge",
    ],
    [
      "an unknown optimizer",
      (d) => (d.training = { ...(d.training as object), optimizer: { name: "x", options: {} } }),
      '"x"',
    ],
    [
      "an optimizer of other state",
      (d) =>
        (d.training = {
          ...(d.training as object),
          optimizer: { name: "sgd", options: { momentum: 0.9 } },
        }),
      "momentum.0",
    ],
    ["frozen layers it has not", (d) => (d.frozen = ["9"]), 'freezes "9"'],
    ["frozen layers that are no list", (d) => (d.frozen = "0"), "no list"],
    ["a learning rate that is none", (d) => (d.learningRate = -1), "learning rate -1"],
    ["steps that are no number", (d) => (d.optimizerSteps = "many"), "steps"],
    ["a random state that is none", (d) => (d.random = { seed: "x" }), "seed"],
    [
      "draws that are no number",
      (d) => (d.random = { ...(d.random as object), draws: -1 }),
      "draws",
    ],
    [
      "a vectorizer without words",
      (d) => (d.vectorizer = { options: { maxLength: 3 } }),
      "vocabulary",
    ],
    [
      "a vectorizer of no length",
      (d) => (d.vectorizer = { options: { maxLength: 0 }, vocabulary: ["a"] }),
      "maxLength",
    ],
    ["classes that are no list", (d) => (d.classes = "ab"), "classes"],
  ])("%s", async (_, edit, part) => {
    const files = await modelFiles(classifier(), { vectorizer, classes: ["bad", "good"] });
    const description = structuredClone(files.description) as Parameters<Edit>[0];
    edit(description);
    const before = randomState();
    const load = async (): Promise<unknown> =>
      modelFromFiles({ ...files, description }, "my model");
    await expectDataError(load(), "my model cannot be loaded", part);
    expect(randomState()).toEqual(before);
  });

  it.each(["weights", "optimizer"])("no %s", async (kind) => {
    const { description, data } = await modelFiles(classifier());
    const rest = new Map([...data].filter(([name]) => name !== kind));
    const load = (): unknown => modelFromFiles({ description, data: rest });
    await expectDataError(attempt(load), `has no ${kind}`);
  });
});
