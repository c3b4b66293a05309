/** Random changes of images `[channels, height, width]`, for `map`: `(image, random) => image`. */
import { checkWhole } from "../checks.js";
import { ArgumentError, ShapeError } from "../errors.js";
import type { Generator } from "../random.js";
import { cosineAndSine } from "../random.js";
import { formatShape } from "../shape.js";
import { checkRandom } from "./changes.js";
import type { Table } from "./rows.js";

/** A random change of an image; the image given is not changed. */
export type ImageChange = (image: Table, random: Generator) => Table;

interface Planes {
  readonly data: Table["data"];
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

function planesOf(name: string, { data, shape }: Table): Planes {
  const [channels, height, width] = shape;
  if (shape.length !== 3 || channels! * height! * width! !== data.length) {
    throw new ShapeError(
      `${name}: an image is [channels, height, width], this is ${formatShape(shape)}`,
    );
  }
  return { data, channels: channels!, height: height!, width: width! };
}

/** An image of `height` × `width` whose values `of` says, channel by channel. */
function drawn(
  channels: number,
  [height, width]: readonly [number, number],
  of: (channel: number, y: number, x: number) => number,
): Table {
  const data = new Float32Array(channels * height * width);
  let at = 0;
  for (let channel = 0; channel < channels; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) data[at++] = of(channel, y, x);
    }
  }
  return { data, shape: [channels, height, width] };
}

function checkShare(what: string, value: number): void {
  if (value >= 0 && value <= 1) return;
  throw new ArgumentError(`${what} is ${value}; it must be from 0 to 1`);
}

/** One change after the other. */
export function sequence(...changes: readonly ImageChange[]): ImageChange {
  return (image, random) => changes.reduce((now, change) => change(now, random), image);
}

/** Mirrors left and right with probability `p`. */
export function randomHorizontalFlip(p = 0.5): ImageChange {
  checkShare("randomHorizontalFlip: p", p);
  return (image, random) => {
    checkRandom("randomHorizontalFlip", random);
    const { data, channels, height, width } = planesOf("randomHorizontalFlip", image);
    if (random.uniform() >= p) return image;
    return drawn(
      channels,
      [height, width],
      (c, y, x) => data[(c * height + y) * width + width - 1 - x]!,
    );
  };
}

/** Mirrors top and bottom with probability `p`. */
export function randomVerticalFlip(p = 0.5): ImageChange {
  checkShare("randomVerticalFlip: p", p);
  return (image, random) => {
    checkRandom("randomVerticalFlip", random);
    const { data, channels, height, width } = planesOf("randomVerticalFlip", image);
    if (random.uniform() >= p) return image;
    return drawn(
      channels,
      [height, width],
      (c, y, x) => data[(c * height + height - 1 - y) * width + x]!,
    );
  };
}

/** Options of `randomCrop`. */
export interface CropOptions {
  /** What is cut out. */
  readonly size: readonly [height: number, width: number];
  /** How many pixels of `fill` are put on every side before. Default: 0. */
  readonly padding?: number;
  /** Default: 0. */
  readonly fill?: number;
}

/** A part of the image, anywhere in it. Throws ShapeError where the image is smaller. */
export function randomCrop({ size, padding = 0, fill = 0 }: CropOptions): ImageChange {
  checkSize("randomCrop", size);
  checkWhole("randomCrop: padding", padding, 0);
  return (image, random) => {
    checkRandom("randomCrop", random);
    const { data, channels, height, width } = planesOf("randomCrop", image);
    const [rows, columns] = [height + 2 * padding - size[0], width + 2 * padding - size[1]];
    if (rows < 0 || columns < 0) {
      throw new ShapeError(
        `randomCrop: ${size[0]} × ${size[1]} pixels of an image of ${height} × ${width}, ` +
          `padded by ${padding}`,
      );
    }
    const top = random.below(rows + 1) - padding;
    const left = random.below(columns + 1) - padding;
    return drawn(channels, size, (c, y, x) => {
      const [row, column] = [y + top, x + left];
      const inside = row >= 0 && row < height && column >= 0 && column < width;
      return inside ? data[(c * height + row) * width + column]! : fill;
    });
  };
}

/** The middle of an image. Throws ShapeError where the image is smaller. */
export function centerCrop(image: Table, size: readonly [height: number, width: number]): Table {
  checkSize("centerCrop", size);
  const { data, channels, height, width } = planesOf("centerCrop", image);
  const [top, left] = [Math.floor((height - size[0]) / 2), Math.floor((width - size[1]) / 2)];
  if (top < 0 || left < 0) {
    throw new ShapeError(
      `centerCrop: ${size[0]} × ${size[1]} pixels of an image of ${height} × ${width}`,
    );
  }
  return drawn(channels, size, (c, y, x) => data[(c * height + y + top) * width + x + left]!);
}

function checkSize(name: string, [height, width]: readonly [number, number]): void {
  checkWhole(`${name}: height`, height, 1);
  checkWhole(`${name}: width`, width, 1);
}

/** The value at a place between pixels, by the four around it; beyond the border, `fill`. */
function between(
  { data, height, width }: Planes,
  channel: number,
  y: number,
  x: number,
  fill: number,
): number {
  // No lists and no closures where all four are inside, as they mostly are: this is once a pixel.
  const top = Math.floor(y);
  const left = Math.floor(x);
  const down = y - top;
  const right = x - left;
  const first = (channel * height + top) * width + left;
  if (top >= 0 && left >= 0 && top + 1 < height && left + 1 < width) {
    const above = data[first]! * (1 - right) + data[first + 1]! * right;
    const below = data[first + width]! * (1 - right) + data[first + width + 1]! * right;
    return above * (1 - down) + below * down;
  }
  const pixel = (row: number, column: number): number =>
    row >= 0 && row < height && column >= 0 && column < width
      ? data[(channel * height + row) * width + column]!
      : fill;
  const above = pixel(top, left) * (1 - right) + pixel(top, left + 1) * right;
  const below = pixel(top + 1, left) * (1 - right) + pixel(top + 1, left + 1) * right;
  return above * (1 - down) + below * down;
}

/** An image brought to a size, each pixel by the four around its place (bilinear). */
export function resize(image: Table, size: readonly [height: number, width: number]): Table {
  checkSize("resize", size);
  const planes = planesOf("resize", image);
  const { channels, height, width } = planes;
  if (height === size[0] && width === size[1]) return image;
  const place = (at: number, from: number, to: number): number =>
    Math.min(Math.max(((at + 0.5) * from) / to - 0.5, 0), from - 1);
  return drawn(channels, size, (c, y, x) =>
    between(planes, c, place(y, height, size[0]), place(x, width, size[1]), 0),
  );
}

/** Options of `randomAffine`. */
export interface AffineOptions {
  /** Turned by up to so many degrees either way. Default: 0. */
  readonly degrees?: number;
  /** Moved by up to such a share of the image's height and width. Default: 0. */
  readonly translate?: number;
  /** Scaled by a factor between these. Default: 1 and 1. */
  readonly scale?: readonly [least: number, most: number];
  /** What comes in from beyond the border. Default: 0. */
  readonly fill?: number;
}

/** The image turned, moved and scaled at random about its middle. */
export function randomAffine({
  degrees = 0,
  translate = 0,
  scale = [1, 1],
  fill = 0,
}: AffineOptions): ImageChange {
  checkShare("randomAffine: translate", translate);
  if (!(degrees >= 0 && degrees <= 180)) {
    throw new ArgumentError(`randomAffine: degrees is ${degrees}; it must be from 0 to 180`);
  }
  if (!(scale[0] > 0 && scale[0] <= scale[1] && scale[1] < Infinity)) {
    throw new ArgumentError(`randomAffine: scale ${scale.join(" to ")} is no range above 0`);
  }
  return (image, random) => {
    checkRandom("randomAffine", random);
    const planes = planesOf("randomAffine", image);
    const { channels, height, width } = planes;
    const around = (): number => 2 * random.uniform() - 1;
    const [cosine, sine] = cosineAndSine((around() * degrees * Math.PI) / 180);
    const [down, right] = [around() * translate * height, around() * translate * width];
    const factor = scale[0] + random.uniform() * (scale[1] - scale[0]);
    const [middle, centre] = [(height - 1) / 2, (width - 1) / 2];
    return drawn(channels, [height, width], (c, y, x) => {
      const dy = (y - middle - down) / factor;
      const dx = (x - centre - right) / factor;
      return between(
        planes,
        c,
        cosine * dy - sine * dx + middle,
        sine * dy + cosine * dx + centre,
        fill,
      );
    });
  };
}

/** The image turned by up to `degrees` either way about its middle. */
export function randomRotation(degrees: number, fill = 0): ImageChange {
  return randomAffine({ degrees, fill });
}

/** Options of `colorJitter`: each a share by which the image may become less or more so. */
export interface JitterOptions {
  /** Default: 0. */
  readonly brightness?: number;
  /** Default: 0. */
  readonly contrast?: number;
  /** How far colours are from grey; of images of 3 channels. Default: 0. */
  readonly saturation?: number;
}

/** Parts of red, green and blue in luma (ITU-R BT.601). */
const luma = [0.299, 0.587, 0.114] as const;

/** Brightness, contrast and saturation changed at random; values stay from 0 to 1. */
export function colorJitter({
  brightness = 0,
  contrast = 0,
  saturation = 0,
}: JitterOptions): ImageChange {
  checkShare("colorJitter: brightness", brightness);
  checkShare("colorJitter: contrast", contrast);
  checkShare("colorJitter: saturation", saturation);
  return (image, random) => {
    checkRandom("colorJitter", random);
    const { data, channels, height, width } = planesOf("colorJitter", image);
    const factor = (share: number): number => 1 + share * (2 * random.uniform() - 1);
    const [light, spread, colour] = [factor(brightness), factor(contrast), factor(saturation)];
    const size = height * width;
    const grey = Float32Array.from({ length: size }, (_, pixel) =>
      channels === 3
        ? luma.reduce((sum, part, c) => sum + part * data[c * size + pixel]!, 0)
        : data[pixel]!,
    );
    const mean = (grey.reduce((a, b) => a + b, 0) / size) * light;
    return drawn(channels, [height, width], (c, y, x) => {
      const pixel = y * width + x;
      const value = data[c * size + pixel]!;
      const pale = channels === 3 ? grey[pixel]! + (value - grey[pixel]!) * colour : value;
      return Math.min(Math.max(mean + (pale * light - mean) * spread, 0), 1);
    });
  };
}

/** (x − mean) / deviation, of one number or one a channel. Throws for deviations of 0. */
export function normalize(
  mean: number | readonly number[],
  deviation: number | readonly number[],
): (image: Table) => Table {
  const of = (numbers: number | readonly number[], channel: number): number =>
    typeof numbers === "number" ? numbers : numbers[channel]!;
  for (const value of typeof deviation === "number" ? [deviation] : deviation) {
    if (value > 0 && value < Infinity) continue;
    throw new ArgumentError(`normalize: deviation is ${value}; it must be above 0`);
  }
  return (image) => {
    const { data, channels, height, width } = planesOf("normalize", image);
    for (const numbers of [mean, deviation]) {
      if (typeof numbers === "number" || numbers.length === channels) continue;
      throw new ShapeError(
        `normalize: ${numbers.length} numbers for an image of ${channels} channels`,
      );
    }
    return drawn(
      channels,
      [height, width],
      (c, y, x) => (data[(c * height + y) * width + x]! - of(mean, c)) / of(deviation, c),
    );
  };
}

/** Options of `randomErasing`. */
export interface ErasingOptions {
  /** How likely it is. Default: 0.5. */
  readonly p?: number;
  /** The shares of height and width of what is erased, at the most. Default: 0.3. */
  readonly share?: number;
  /** Default: 0. */
  readonly fill?: number;
}

/** Fills a rectangle anywhere (Zhong et al., 2017). */
export function randomErasing({
  p = 0.5,
  share = 0.3,
  fill = 0,
}: ErasingOptions = {}): ImageChange {
  checkShare("randomErasing: p", p);
  checkShare("randomErasing: share", share);
  return (image, random) => {
    checkRandom("randomErasing", random);
    const { data, channels, height, width } = planesOf("randomErasing", image);
    if (random.uniform() >= p) return image;
    const rows = Math.ceil(height * share * random.uniform());
    const columns = Math.ceil(width * share * random.uniform());
    const [top, left] = [random.below(height - rows + 1), random.below(width - columns + 1)];
    return drawn(channels, [height, width], (c, y, x) => {
      const inside = y >= top && y < top + rows && x >= left && x < left + columns;
      return inside ? fill : data[(c * height + y) * width + x]!;
    });
  };
}

/** Adds normal noise of a standard deviation. */
export function randomNoise(deviation: number): ImageChange {
  if (!(deviation >= 0 && deviation < Infinity)) {
    throw new ArgumentError(`randomNoise: deviation is ${deviation}; it must be ≥ 0`);
  }
  return (image, random) => {
    checkRandom("randomNoise", random);
    const data = new Float32Array(image.data);
    for (let i = 0; i < data.length; i++) data[i]! += deviation * random.normal();
    return { data, shape: image.shape };
  };
}
