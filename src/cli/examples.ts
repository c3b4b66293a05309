/** Data that a model is trained on, measured on and used on. */
import { labelledTexts } from "../data/labels.js";
import type { Dataset } from "../data/dataset.js";
import type { Table } from "../data/rows.js";
import { DataError } from "../errors.js";
import type { Vectorizer } from "../text/vectorizer.js";
import { vectorizer } from "../text/vectorizer.js";
import type { DataConfig } from "./config.js";
import type { Preprocessing } from "./preprocessing.js";
import { applyTo, applyToImage, learnScaling } from "./preprocessing.js";
import type { Fields, Place, Raw, RawInputs, RawLabels } from "./sources.js";
import { readSource } from "./sources.js";

/** All that makes inputs and labels of rows. */
export interface Learned {
  readonly preprocessing: Preprocessing;
  readonly vectorizer: Vectorizer | undefined;
  /** The classes in their order; undefined where labels are numbers. */
  readonly classes: readonly string[] | undefined;
}

/** Inputs as the model takes them: in memory, or images that are read as they are needed. */
export type Inputs =
  | { readonly of: "table"; readonly table: Table; readonly texts: readonly string[] | undefined }
  | { readonly of: "images"; readonly images: Dataset<Table>; readonly size: number };

/** Inputs and labels, a row for a row. */
export interface Examples {
  readonly name: string;
  readonly size: number;
  readonly inputs: Inputs;
  /** Class numbers `[rows]`, or numbers `[rows, ...]`. */
  readonly labels: Table;
}

function fieldsOf({ preprocessing: how }: Learned): Fields {
  const [, height, width] = how.shape;
  const image = how.image && { ...how.image, size: [height!, width!] as const };
  return { ...how, image };
}

/** Learns of the data to train on all that is needed to make inputs and labels of any. */
export async function learn(
  data: DataConfig,
  place: Place,
): Promise<{ readonly learned: Learned; readonly examples: Examples }> {
  const { header = true, text, columns, label, target = "class", image } = data;
  const fields: Fields = { header, text, columns, label, image };
  const raw = await readSource(place, fields, "labels");
  const vectorize = data.vectorizer && vectorizer(data.vectorizer);
  if (raw.inputs.of === "texts") vectorize?.adapt(raw.inputs.texts);
  const { shape, whole, scaling, channels } = await form(raw.inputs, data);
  const preprocessing: Preprocessing = {
    format: raw.format,
    header,
    target,
    label,
    text,
    columns: raw.inputs.of === "numbers" ? raw.inputs.columns?.slice() : undefined,
    whole,
    scaling,
    shape,
    image: channels === undefined ? undefined : { channels },
  };
  const classes = target === "class" ? classesOf(raw, data.classes) : undefined;
  const learned = { preprocessing, vectorizer: vectorize, classes };
  return { learned, examples: examplesOf(raw, learned) };
}

type Form = Pick<Preprocessing, "shape" | "whole" | "scaling"> & {
  readonly channels?: 1 | 3 | 4 | undefined;
};

async function form(inputs: RawInputs, data: DataConfig): Promise<Form> {
  const how = data.scaling ?? "none";
  switch (inputs.of) {
    case "texts":
      return { shape: [data.vectorizer!.maxLength], whole: true, scaling: undefined };
    case "numbers": {
      const { table } = inputs;
      const shape = data.shape ?? table.shape.slice(1);
      if (shape.length === 0)
        throw new DataError("data.train: the inputs have no axis but the rows");
      // Token ids stay whole; bytes are pixels.
      const whole = how === "none" && /^(Big)?Int(32|64)Array$/.test(table.data.constructor.name);
      return { shape: [...shape], whole, scaling: await learnScaling(how, () => [table]) };
    }
    case "images": {
      const first = await inputs.images.at(0);
      const [channels, height, width] = first.shape;
      const size = data.image?.size ?? [height!, width!];
      const rows = inputs.images.map((one) => ({ ...one, shape: [1, ...one.shape] }));
      return {
        shape: [channels!, ...size],
        whole: false,
        scaling: await learnScaling(how, () => rows),
        channels: data.image?.channels ?? 3,
      };
    }
  }
}

function classesOf({ name, labels }: Raw, given: readonly string[] | undefined): readonly string[] {
  if (labels!.of === "names") {
    return given ?? labels!.classes ?? numbered(name, labels!.names, undefined).classes;
  }
  if (given) return given;
  let most = 0;
  for (const label of labels!.table.data) most = Math.max(most, Number(label));
  return Array.from({ length: most + 1 }, (_, index) => String(index));
}

/** Names as numbers of `classes`, or of all there are, sorted. */
function numbered(
  name: string,
  names: readonly string[],
  classes: readonly string[] | undefined,
): { readonly labels: Int32Array; readonly classes: readonly string[] } {
  const rows = names.map((one) => [one]);
  const options = { name, text: 0, label: 0, ...(classes && { classes }) };
  return labelledTexts({ columns: undefined, rows }, options);
}

/** Reads examples as they were read to learn from. */
export async function readExamples(place: Place, learned: Learned): Promise<Examples> {
  const raw = await readSource(formatted(place, learned), fieldsOf(learned), "labels");
  return examplesOf(raw, learned);
}

/** Reads inputs alone. */
export async function readInputs(place: Place, learned: Learned): Promise<Inputs> {
  const raw = await readSource(formatted(place, learned), fieldsOf(learned), "inputs");
  return inputsOf(raw, learned);
}

/** What comes from standard input is as what was trained on, unless it is said. */
function formatted(place: Place, { preprocessing }: Learned): Place {
  const { format, text } = place;
  return format === undefined && text !== undefined
    ? { ...place, format: preprocessing.format }
    : place;
}

function examplesOf(raw: Raw, learned: Learned): Examples {
  const inputs = inputsOf(raw, learned);
  const size = inputs.of === "table" ? inputs.table.shape[0]! : inputs.size;
  const labels = targetsOf(raw.name, raw.labels!, learned);
  if (labels.shape[0] !== size) {
    throw new DataError(`${raw.name} has ${size} rows, and ${labels.shape[0]} labels`);
  }
  return { name: raw.name, size, inputs, labels };
}

function inputsOf({ name, inputs }: Raw, { preprocessing, vectorizer }: Learned): Inputs {
  switch (inputs.of) {
    case "texts": {
      const { texts } = inputs;
      const { ids, shape } = vectorizer!(texts);
      return { of: "table", table: { data: ids, shape }, texts };
    }
    case "numbers":
      return { of: "table", table: applyTo(inputs.table, preprocessing, name), texts: undefined };
    case "images": {
      const { size } = inputs;
      const images = inputs.images.map((image) => applyToImage(image, preprocessing));
      return { of: "images", images, size };
    }
  }
}

function targetsOf(name: string, labels: RawLabels, { classes }: Learned): Table {
  if (!classes) return numbersOf(name, labels);
  if (labels.of === "names") {
    const { labels: data } = numbered(name, labels.names, classes);
    return { data, shape: [data.length] };
  }
  const { data, shape } = labels.table;
  const rows = shape[0]!;
  if (data.length !== rows) {
    throw new DataError(
      `${name}: labels are one class number a row; these are [${shape.join(", ")}]`,
    );
  }
  const numbers = Array.from(data, Number);
  const wrong = numbers.findIndex((one) => !Number.isInteger(one) || !(one in classes));
  if (wrong < 0) return { data: Int32Array.from(numbers), shape: [rows] };
  throw new DataError(
    `${name}: row ${wrong + 1} has the label ${numbers[wrong]}; there are ${classes.length} ` +
      `classes, 0 to ${classes.length - 1}`,
  );
}

function numbersOf(name: string, labels: RawLabels): Table {
  if (labels.of === "numbers") {
    const { data, shape } = labels.table;
    return { data: Float32Array.from(data, Number), shape };
  }
  const numbers = labels.names.map(Number);
  const wrong = numbers.findIndex((one) => !Number.isFinite(one));
  if (wrong < 0) return { data: Float32Array.from(numbers), shape: [numbers.length] };
  throw new DataError(
    `${name}: row ${wrong + 1} has the label "${labels.names[wrong]}", which is no number; ` +
      "data.target: class is for names",
  );
}
