/** Hostile files and arguments of Datasets, of augmentation and of texts. */
import { encode as encodePng } from "fast-png";
import jpeg from "jpeg-js";
import { ArgumentError, DataError, ShapeError, StateError, text } from "../../src/index.js";
import * as data from "../../src/data/index.js";
import { numpyFiles, parquetFiles } from "../foreignFiles.js";
import type { Row } from "./row.js";
import { labels, rows, wrong } from "./row.js";

const bytesOf = (content: string): Uint8Array => new TextEncoder().encode(content);
const all = data.fromArrays(rows, labels);
const stream = data.fromIterable(() => rows);
const random = new (await import("../../src/random.js")).Generator(1);

/** `bytes` with others in places. */
function patched(bytes: Uint8Array, changes: { readonly [at: number]: number }): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [at, byte] of Object.entries(changes)) copy[Number(at)] = byte;
  return copy;
}
/** An npy file of this header, of version 1. */
function npy(header: string, body = 0): Uint8Array {
  const head = bytesOf(header.padEnd(117) + "\n");
  return Uint8Array.from([
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    head.length,
    0,
    ...head,
    ...new Uint8Array(body),
  ]);
}
const half = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length >> 1);
const pixels = new Uint8Array(12 * 12 * 4).fill(99);
const png = encodePng({ width: 12, height: 12, data: pixels, channels: 4 });
const jpg = Uint8Array.from(jpeg.encode({ width: 12, height: 12, data: pixels }, 60).data);
/** Where a JPEG tells its size: behind the mark of its frame. */
const frame = jpg.findIndex((byte, at) => byte === 0xff && jpg[at + 1] === 0xc0) + 5;
const idx = data.writeIdx({ data: Float32Array.of(1, 2), shape: [2] });
const image = { data: new Float32Array(12), shape: [3, 2, 2] };
const gray = { data: new Float32Array(4), shape: [2, 2] };
const words = text.vectorizer({ maxLength: 4 }).adapt(["a b c"]);

export const datasetRows: readonly Row[] = [
  [
    "npy of nothing",
    () => data.readNpy(new Uint8Array(0)),
    DataError,
    /npy is no valid npy file: byte 0: it ends in the header/,
  ],
  [
    "npy of another sign",
    () => data.readNpy(bytesOf("PK\x03\x04 and more of it")),
    DataError,
    /npy is no valid npy file: byte 0: it does not begin with \\x93NUMPY/,
  ],
  [
    "npy cut in its header",
    () => data.readNpy(numpyFiles.f4.subarray(0, 40)),
    DataError,
    /npy is no valid npy file: byte 8: its header of 118 bytes is cut off/,
  ],
  [
    "npy cut in its data",
    () => data.readNpy(numpyFiles.f4.subarray(0, -1)),
    DataError,
    /npy is no valid npy file: byte 128: float32 \[2, 3\] takes 24 bytes, 23/,
  ],
  [
    "npy with more behind",
    () => data.readNpy(Uint8Array.from([...numpyFiles.f4, 0])),
    DataError,
    /npy is no valid npy file: byte 128: float32 \[2, 3\] takes 24 bytes, 25/,
  ],
  [
    "npy of a version to come",
    () => data.readNpy(patched(numpyFiles.f4, { 6: 9 })),
    DataError,
    /npy is no valid npy file: byte 6: it is of version 9; 1 to 3 can be/,
  ],
  [
    "npy of objects",
    () => data.readNpy(numpyFiles.object),
    DataError,
    /npy is no valid npy file: byte 10: its elements are of type '<U2';/,
  ],
  [
    "npy of complex numbers",
    () => data.readNpy(numpyFiles.complex),
    DataError,
    /npy is no valid npy file: byte 10: its elements are of type '<c16';/,
  ],
  [
    "npy of 10^15 numbers",
    () =>
      data.readNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000000,), }")),
    DataError,
    /npy is no valid npy file: byte 77: its header has no , or \) there/,
  ],
  [
    "npy of 2^64 numbers by two sizes",
    () =>
      data.readNpy(
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }"),
      ),
    DataError,
    /npy is no valid npy file: byte 128: float32 \[4294967296, 4294967296\]/,
  ],
  [
    "npy of a negative size",
    () => data.readNpy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }")),
    DataError,
    /npy is no valid npy file: byte 61: its header holds "-1,\), \}         /,
  ],
  [
    "npy with code for a header",
    () => data.readNpy(npy("__import__('os').system('true')")),
    DataError,
    /npy is no valid npy file: byte 10: its header holds/,
  ],
  [
    "npy over what int32 holds",
    () => data.readNpy(numpyFiles.over),
    DataError,
    /npy: element 1 is 2147483648, over what int32 holds; save the array/,
  ],
  [
    "npz of nothing",
    () => data.readNpz(new Uint8Array(0)),
    DataError,
    /npz is no valid npz file: invalid zip data/,
  ],
  [
    "npz cut short",
    () => data.readNpz(half(numpyFiles.npz)),
    DataError,
    /npz is no valid npz file: invalid zip data/,
  ],
  [
    "npz with a byte changed in a packed member",
    () => data.readNpz(patched(numpyFiles.npzPacked, { 60: 0xff, 61: 0xff, 62: 0xff })),
    DataError,
    /npz is no valid npz file: invalid distance/,
  ],
  [
    "IDX of nothing",
    () => data.readIdx(new Uint8Array(0)),
    DataError,
    /IDX is no valid IDX file: byte 0: it ends in the header/,
  ],
  [
    "IDX cut short",
    () => data.readIdx(idx.subarray(0, -1)),
    DataError,
    /IDX is no valid IDX file: byte 8: float32 \[2\] takes 8 bytes, 7 follow/,
  ],
  [
    "IDX of an unknown type",
    () => data.readIdx(patched(idx, { 2: 0x77 })),
    DataError,
    /IDX is no valid IDX file: byte 2: its type is 119; 8 \(uint8\), 9/,
  ],
  [
    "IDX of 4 billion numbers",
    () => data.readIdx(patched(idx, { 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff })),
    DataError,
    /IDX is no valid IDX file: byte 8: float32 \[4294967295\] takes/,
  ],
  [
    "IDX of 255 axes",
    () => data.readIdx(patched(idx, { 3: 0xff })),
    DataError,
    /IDX is no valid IDX file: byte 3: it has 255 axes; 1 to 8 can be read/,
  ],
  [
    "IDX images and labels of other numbers",
    () => data.fromIdx(idx, data.writeIdx({ data: Uint8Array.of(1), shape: [1] })),
    DataError,
    /fromIdx: images have 3 axes, these have 1/,
  ],
  [
    "Parquet of nothing",
    () => data.fromParquet(new Uint8Array(0)),
    DataError,
    /the bytes is no Parquet file that can be read: Offset is outside the/,
  ],
  [
    "Parquet cut short",
    () => data.fromParquet(half(parquetFiles.snappy)),
    DataError,
    /the bytes is no Parquet file that can be read: parquet file invalid/,
  ],
  [
    "Parquet whose footer claims 4 GB",
    () =>
      data.fromParquet(patched(parquetFiles.snappy, { [parquetFiles.snappy.length - 5]: 0xff })),
    DataError,
    /the bytes is no Parquet file that can be read: parquet metadata/,
  ],
  [
    "Parquet without its column",
    () => data.fromParquet(parquetFiles.snappy, { columns: ["none"] }),
    DataError,
    /the bytes has no column none: there are text, n, x, ok, list/,
  ],
  [
    "CSV with a quote that never ends",
    () => data.fromCsv(bytesOf('a,b\n1,"2\n'), { header: true }).toArray(),
    DataError,
    /the bytes: line 2: Quoted field unterminated/,
  ],
  [
    "CSV with a short row",
    () => data.fromCsv(bytesOf("a,b\n1\n"), { header: true }).toArray(),
    DataError,
    /the bytes: line 2 has 1 fields, the first line has 2/,
  ],
  [
    "CSV with a column twice",
    () => data.fromCsv(bytesOf("a,a\n1,2\n"), { header: true }).toArray(),
    DataError,
    /the bytes: line 1 names two columns "a"/,
  ],
  [
    "CSV with a text for a number",
    () => data.fromCsv(bytesOf("a,b\n1,x\n"), { header: true, numbers: true }).toArray(),
    DataError,
    /the bytes: line 2: column b holds "x", no number/,
  ],
  [
    "CSV without the column of numbers",
    () => data.fromCsv(bytesOf("a,b\n1,x\n"), { header: true, numbers: ["c"] }).toArray(),
    DataError,
    /the bytes has no column c: there are a, b/,
  ],
  [
    "CSV that is not UTF-8",
    () => data.fromCsv(Uint8Array.of(0x61, 0xff, 0x0a)).toArray(),
    DataError,
    /the bytes: bytes 0 to 3, from line 1 on, are not UTF-8/,
  ],
  [
    "CSV as gzip that is none",
    () => data.fromCsv(bytesOf("a,b\n"), { gzip: true }).toArray(),
    DataError,
    /the bytes cannot be read: incorrect header check/,
  ],
  [
    "CSV file that is not there",
    ({ folder }) => data.fromCsv(`${folder}/none.csv`).toArray(),
    DataError,
    /none\.csv cannot be read: ENOENT: no such file or directory, open/,
  ],
  [
    "CSV of a folder",
    ({ folder }) => data.fromCsv(folder).toArray(),
    DataError,
    /cannot be read: EISDIR: illegal/,
  ],
  [
    "CSV of a number",
    () => data.fromCsv(wrong(5)).toArray(),
    ArgumentError,
    /a path, an address, a Blob or a Uint8Array is expected/,
  ],
  [
    "JSON lines that are none",
    () => data.fromJsonl(bytesOf('{"a":1}\n{a:2}\n')).toArray(),
    DataError,
    /the bytes: line 2 is not JSON: Expected property name or '\}' in JSON/,
  ],
  [
    "JSON lines cut short",
    () => data.fromJsonl(bytesOf('{"a":1}\n{"a":')).toArray(),
    DataError,
    /the bytes: line 2 is not JSON: Unexpected end of JSON input/,
  ],
  [
    "PNG cut short",
    () => data.decodeImage(half(png)),
    DataError,
    /the image is no valid PNG: byte 33: it ends before its IEND/,
  ],
  [
    "PNG with a bit changed",
    () => data.decodeImage(patched(png, { [png.length - 20]: png.at(-20)! ^ 1 })),
    DataError,
    /the image cannot be decoded: CRC mismatch for chunk IDAT\. Expected/,
  ],
  [
    "PNG of 4 billion pixels a side",
    () => data.decodeImage(patched(png, { 16: 0xff, 17: 0xff, 18: 0xff, 19: 0xff })),
    DataError,
    /the image is said to be 4294967295 × 12 pixels; 1 to 67108864 can be/,
  ],
  [
    "PNG larger than its data",
    () => data.decodeImage(patched(png, { 18: 0x10, 22: 0x10 })),
    DataError,
    /the image is said to be larger than its data can hold/,
  ],
  [
    "JPEG cut short",
    () => data.decodeImage(half(jpg)),
    DataError,
    /the image cannot be decoded: unknown JPEG marker 0/,
  ],
  [
    "JPEG of 65535 pixels a side",
    () =>
      data.decodeImage(
        patched(jpg, { [frame]: 0xff, [frame + 1]: 0xff, [frame + 2]: 0xff, [frame + 3]: 0xff }),
      ),
    DataError,
    /the image is said to be 65535 × 65535 pixels; 1 to 67108864 can be/,
  ],
  [
    "JPEG of no pixels",
    () => data.decodeImage(patched(jpg, { [frame]: 0, [frame + 1]: 0 })),
    DataError,
    /the image is said to be 12 × 0 pixels; 1 to 67108864 can be read/,
  ],
  [
    "an image that is a text",
    () => data.decodeImage(bytesOf("GIF89a")),
    DataError,
    /the image is neither PNG nor JPEG; convert it to one of them/,
  ],
  [
    "an image that is no bytes",
    () => data.decodeImage(wrong("cat.png")),
    ArgumentError,
    /the image is "cat\.png"; its bytes, a Uint8Array, are expected/,
  ],
  [
    "an image of two channels",
    () => data.decodeImage(png, { channels: wrong(2) }),
    ArgumentError,
    /the image: channels is 2; it must be 1, 3 or 4/,
  ],
  [
    "an image folder that is not there",
    ({ folder }) => data.fromImageFolder(`${folder}/none`),
    DataError,
    /none cannot be read/,
  ],
  [
    "an image folder without classes",
    ({ folder }) => data.fromImageFolder(folder),
    DataError,
    /has no folders with PNG or JPEG images/,
  ],
  [
    "images to no size",
    () => data.fromImages([png], { size: [0, 4] }).toArray(),
    ArgumentError,
    /resize: height is 0; it must be a whole number ≥ 1/,
  ],
  [
    "arrays of other numbers of rows",
    () => data.fromArrays(rows, [1]),
    DataError,
    /x has 4 rows, array 1 has 1: one is needed each/,
  ],
  [
    "arrays that are none",
    () => data.fromArrays(wrong(null)),
    ArgumentError,
    /fromArrays: array 0 is null; expected are nested numbers, a typed/,
  ],
  [
    "a list that is none",
    () => data.fromList(wrong(5)),
    ArgumentError,
    /fromList: list is 5; it must be a list/,
  ],
  [
    "an iterable that is none",
    () => data.fromIterable(wrong(5)),
    ArgumentError,
    /fromIterable: expected an iterable, or a function that gives one/,
  ],
  [
    "a function that gives no iterable",
    () => data.fromIterable(wrong(() => 5)).toArray(),
    ArgumentError,
    /fromIterable: the function gives 5, no iterable/,
  ],
  [
    "a generator read twice",
    async () => {
      const once = data.fromIterable(
        (function* () {
          yield 1;
        })(),
      );
      await once.toArray();
      await once.toArray();
    },
    StateError,
    /fromIterable: this iterable can be read once, and was; pass a/,
  ],
  [
    "batches of 0",
    () => all.batch(0),
    ArgumentError,
    /Dataset\.batch: batch size is 0; it must be a whole number ≥ 1/,
  ],
  [
    "batches of a text",
    () => all.batch(wrong("2")),
    ArgumentError,
    /Dataset\.batch: batch size is "2"; it must be a whole number ≥ 1/,
  ],
  [
    "batches of rows of other lengths",
    () =>
      data
        .fromList([[1], [1, 2]])
        .batch(2)
        .toArray(),
    DataError,
    /Dataset\.batch: the first element has 1 fields, element 1 of the batch/,
  ],
  [
    "padded by NaN lengths",
    () => data.fromList([[1]]).paddedBatch(1, { length: NaN }),
    ArgumentError,
    /Dataset\.paddedBatch: length is NaN; it must be a whole number ≥ 1/,
  ],
  [
    "buckets that fall",
    () => data.fromList([[1]]).bucketedBatch({ batchSize: 1, length: () => 1, boundaries: [5, 2] }),
    ArgumentError,
    /Dataset\.bucketedBatch: boundaries 5, 2 must be lengths that rise/,
  ],
  [
    "buckets by no length",
    () =>
      data
        .fromList([[1]])
        .bucketedBatch({ batchSize: 1, length: () => NaN, boundaries: [2] })
        .toArray(),
    DataError,
    /Dataset\.bucketedBatch: an element of length NaN is over the last/,
  ],
  [
    "map by no function",
    () => all.map(wrong(5)),
    ArgumentError,
    /Dataset\.map: make is 5; it must be a function/,
  ],
  [
    "filter by no function",
    () => all.filter(wrong(undefined)),
    ArgumentError,
    /Dataset\.filter: keep is undefined; it must be a function/,
  ],
  [
    "map that throws",
    () =>
      all
        .map(() => {
          throw new RangeError("mine");
        })
        .toArray(),
    RangeError,
    /mine/,
  ],
  [
    "map in half a thread",
    () => all.map((x) => x, { parallel: 0.5 }),
    ArgumentError,
    /Dataset\.map: parallel is 0\.5; it must be a whole number ≥ 1/,
  ],
  [
    "take of less than none",
    () => all.take(-1),
    ArgumentError,
    /Dataset\.take: count is -1; it must be a whole number ≥ 0/,
  ],
  [
    "repeat for no time",
    () => all.repeat(0),
    ArgumentError,
    /Dataset\.repeat: count is 0; it must be a whole number ≥ 1/,
  ],
  [
    "all elements of an endless one",
    () => all.repeat().toArray(),
    ArgumentError,
    /Dataset\.toArray: the elements never end: take\(n\) some of them/,
  ],
  [
    "prefetch of none",
    () => all.prefetch(0),
    ArgumentError,
    /Dataset\.prefetch: count is 0; it must be a whole number ≥ 1/,
  ],
  [
    "an element that is not there",
    () => all.at(9),
    ArgumentError,
    /Dataset\.at: element 9 is none of 4/,
  ],
  [
    "an element by number where there is none",
    () => stream.at(0),
    ArgumentError,
    /Dataset\.at: these elements can only be read in order; cache them in/,
  ],
  [
    "a split of everything",
    () => all.split(4),
    ArgumentError,
    /Dataset\.split: 4 of 4 elements leaves nothing on one side, or cannot/,
  ],
  [
    "a split of NaN",
    () => all.split(NaN),
    ArgumentError,
    /Dataset\.split: NaN of 4 elements leaves nothing on one side, or/,
  ],
  [
    "a sample by negative weights",
    () => all.sample({ weights: [1, -1, 1, 1] }),
    ArgumentError,
    /sample: weight 1 is -1; weights are numbers ≥ 0/,
  ],
  [
    "a sample by too few weights",
    () => all.sample({ weights: [1] }),
    ArgumentError,
    /sample: 1 weights for 4 rows/,
  ],
  [
    "a sample by weights of 0",
    () => all.sample({ weights: [0, 0, 0, 0] }),
    ArgumentError,
    /sample: 4 rows cannot be drawn of 0 that have a weight above 0/,
  ],
  [
    "a sample by no weights",
    () => all.sample(wrong({})),
    ArgumentError,
    /sample: weights is undefined; it must be a list/,
  ],
  [
    "more without replacement than there are",
    () => all.sample({ weights: [1, 1, 1, 1], size: 9, replacement: false }),
    ArgumentError,
    /sample: 9 rows cannot be drawn of 4 that have a weight above 0/,
  ],
  [
    "a shuffle by a seed of −1",
    () => all.shuffle({ seed: -1 }),
    ArgumentError,
    /Dataset\.shuffle: seed -1 is not a whole number from 0 to 2\^53 - 1/,
  ],
  [
    "a shuffle by a buffer of 0",
    () => stream.shuffle({ bufferSize: 0 }).toArray(),
    ArgumentError,
    /Dataset: elements in a block is 0; it must be a whole number ≥ 1/,
  ],
  [
    "a state of another pipeline",
    () =>
      all
        .batch(2)
        .iterator()
        .load({ epoch: 0, ended: 0, cursor: { row: 99 } }),
    DataError,
    /Dataset: the saved "row" is 99; a whole number up to 2 is expected:/,
  ],
  [
    "a state that is none",
    () => all.iterator().load(null),
    DataError,
    /Dataset: the saved state has no "epoch": it is of another pipeline,/,
  ],
  ["zip of nothing", () => data.zip().toArray(), ArgumentError, /zip: no Datasets are given/],
  [
    "zip of no Datasets",
    () => data.zip(wrong(5)),
    ArgumentError,
    /zip: argument 0 is 5, not a Dataset/,
  ],
  [
    "two reads at once",
    async () => {
      const iterator = stream.iterator();
      await Promise.all([iterator.next(), iterator.next()]);
    },
    StateError,
    /Dataset: next\(\) is under way; await it before the next call/,
  ],
  [
    "row weights of negative labels",
    () => data.rowWeights([0, -1]),
    DataError,
    /rowWeights: label 1 is -1; classes are numbered from 0/,
  ],
  [
    "class weights of no labels",
    () => data.classWeights([]),
    DataError,
    /classWeights: there are no labels/,
  ],
  [
    "a train-test split of one row",
    () => data.trainTestSplit(1),
    ArgumentError,
    /trainTestSplit: testSize 0\.25 of 1 rows leaves nothing on one side/,
  ],
  [
    "rows that are not there",
    () => data.gatherRows({ data: Float32Array.of(1), shape: [1, 1] }, [3]),
    ArgumentError,
    /gatherRows: row 3 is none of 1/,
  ],
  [
    "a label that is no class",
    () => data.labelledTexts({ columns: undefined, rows: [["a", "z"]] }, { classes: ["x"] }),
    DataError,
    /the table: row 1 has the label "z", which is none of x/,
  ],
  [
    "npy of a table that lies",
    () => data.writeNpy({ data: new Float32Array(3), shape: [2, 2] }),
    ArgumentError,
    /writeNpy: 3 elements do not fill the shape \[2, 2\]/,
  ],
  [
    "Parquet of columns of other lengths",
    () => data.writeParquet({ a: [1], b: [1, 2] }),
    ArgumentError,
    /writeParquet: column a has 1 rows, b has 2/,
  ],
  [
    "a crop larger than the image",
    () => data.augment.randomCrop({ size: [9, 9] })(image, random),
    ShapeError,
    /randomCrop: 9 × 9 pixels of an image of 2 × 2, padded by 0/,
  ],
  [
    "a flip of what is no image",
    () => data.augment.randomHorizontalFlip(1)(gray, random),
    ShapeError,
    /randomHorizontalFlip: an image is \[channels, height, width\], this is/,
  ],
  [
    "a flip by p = 2",
    () => data.augment.randomHorizontalFlip(2),
    ArgumentError,
    /randomHorizontalFlip: p is 2; it must be from 0 to 1/,
  ],
  [
    "normalize by a deviation of 0",
    () => data.augment.normalize(0, 0),
    ArgumentError,
    /normalize: deviation is 0; it must be above 0/,
  ],
  [
    "normalize by two means for three channels",
    () => data.augment.normalize([0, 0], [1, 1])(image),
    ShapeError,
    /normalize: 2 numbers for an image of 3 channels/,
  ],
  [
    "mixup of labels out of range",
    () =>
      data.augment.mixup({ classes: 2 })(
        [
          { data: new Float32Array(2), shape: [2, 1] },
          { data: Int32Array.of(0, 5), shape: [2] },
        ],
        random,
      ),
    DataError,
    /mixup: row 1 is of class 5; there are 2/,
  ],
  [
    "a resize to nothing",
    () => data.augment.resize(image, [0, 1]),
    ArgumentError,
    /resize: height is 0; it must be a whole number ≥ 1/,
  ],
  [
    "jitter by −1",
    () => data.augment.colorJitter({ brightness: -1 }),
    ArgumentError,
    /colorJitter: brightness is -1; it must be from 0 to 1/,
  ],
  [
    "a vectorizer before adapt",
    () => text.vectorizer({ maxLength: 3 })(["a"]),
    StateError,
    /vectorizer: call adapt\(texts\) first/,
  ],
  [
    "a vectorizer of length 0",
    () => text.vectorizer({ maxLength: 0 }),
    ArgumentError,
    /vectorizer: maxLength is 0; it must be a whole number ≥ 1/,
  ],
  [
    "a vectorizer by an unknown split",
    () => text.vectorizer({ maxLength: 3, split: wrong("lines") }),
    ArgumentError,
    /vectorizer: split "lines" is none of words, characters, ngrams/,
  ],
  [
    "a vectorizer of a text for texts",
    () => words(wrong("a b")),
    ArgumentError,
    /vectorizer: expected a list of texts, met string: \[text\] is a list of/,
  ],
  [
    "a vectorizer of a null among texts",
    () => words(wrong(["a", null])),
    ArgumentError,
    /vectorizer: text 1 is of type object, not a string/,
  ],
  [
    "a vectorizer of no tokens",
    () => text.vectorizer({ maxLength: 3 }).adapt(["", " "]),
    DataError,
    /vectorizer: adapt needs texts with tokens in them/,
  ],
  [
    "a vectorizer of n-grams from 3 to 2",
    () => text.vectorizer({ maxLength: 3, split: "ngrams", ngrams: [3, 2] }),
    ArgumentError,
    /vectorizer: ngrams to is 2; it must be a whole number ≥ 3/,
  ],
  [
    "a saved vectorizer with a token twice",
    () => text.vectorizerFromJSON({ ...words.toJSON(), vocabulary: ["a", "a"] }),
    DataError,
    /vectorizer: the saved vocabulary has a token twice/,
  ],
  [
    "a saved vectorizer that is null",
    () => text.vectorizerFromJSON(wrong(null)),
    DataError,
    /vectorizer: the saved one is null, not an object/,
  ],
];
