/** Batches of examples, for training with changes of them and for images in files. */
import type { Dataset } from "../data/dataset.js";
import { fromList, rowOf } from "../data/fromMemory.js";
import type { Table } from "../data/rows.js";
import type { Generator } from "../random.js";
import type { TrainingBatch } from "../train/feed.js";
import type { Change } from "./augmentation.js";
import type { Examples, Learned } from "./examples.js";

/** How batches are made. */
export interface BatchesOptions {
  readonly batchSize: number;
  /** What the order of rows follows from; undefined: they come as they are. */
  readonly seed?: number | undefined;
  readonly augment?: readonly Change[] | undefined;
  /** The rows to take. Default: all. */
  readonly rows?: readonly number[];
}

/** All rows in their order. */
export function allRows(size: number): number[] {
  return Array.from({ length: size }, (_, row) => row);
}

/** Batches `[x, y]` of examples. */
export function batchesOf(
  examples: Examples,
  learned: Learned,
  { batchSize, seed, augment = [], rows = allRows(examples.size) }: BatchesOptions,
): Dataset<TrainingBatch> {
  const input = inputsOf(examples, learned, augment);
  const listed = fromList(rows);
  const ordered = seed === undefined ? listed : listed.shuffle({ seed });
  const random = { seed: seed ?? 0 };
  const batches = ordered
    .map(
      async (row, generator): Promise<[x: Table, y: Table]> => [
        await input(row, generator),
        rowOf(examples.labels, row),
      ],
      random,
    )
    .batch(batchSize);
  const classes = learned.classes?.length ?? 0;
  return augment.reduce<Dataset<[x: Table, y: Table]>>((dataset, change) => {
    return change.of === "batches" ? dataset.map(change.make(classes), random) : dataset;
  }, batches);
}

type MakeInput = (row: number, random: Generator) => Promise<Table>;

/** How the input of a row is made, changed at random. */
function inputsOf({ inputs }: Examples, learned: Learned, augment: readonly Change[]): MakeInput {
  const changed = (image: Table, random: Generator): Table =>
    augment.reduce((now, one) => (one.of === "images" ? one.change(now, random) : now), image);
  if (inputs.of === "images") {
    const { images } = inputs;
    return async (row, random) => changed(await images.at(row), random);
  }
  const { table, texts } = inputs;
  const { vectorizer } = learned;
  if (!texts || !vectorizer) {
    return (row, random) => Promise.resolve(changed(rowOf(table, row), random));
  }
  return (row, random) => {
    const text = augment.reduce(
      (now, one) => (one.of === "texts" ? one.change(now, random) : now),
      texts[row]!,
    );
    const { ids, shape } = vectorizer([text]);
    return Promise.resolve({ data: ids, shape: shape.slice(1) });
  };
}
