// From an Example to a labelled picture: which features hold what. The names are the article's (image, label, height,
// width, addr) under any prefix, or any others; `name` is ours, and keeps who a numbered label stands for.
import { TwingradError } from "../../errors.ts";
import { type Box, checkBox } from "../../formats/box.ts";
import type { Example, Feature } from "../../formats/tfrecord/recordTypes.ts";
import type { ImageSize } from "../imageSize.ts";
import { identityName, readableName } from "../names.ts";
import { type CropOptions, cropOf } from "../pictures/crop.ts";
import { pictureFormat, type StoredPicture } from "../pictures/storedPicture.ts";

export interface FeatureOptions {
  /** In front of each name, with a slash between: "train" for train/image, train/label, ... */
  prefix?: string;
  /** Other names than the usual ones. */
  features?: Partial<FeatureNames>;
  /** How pictures are cropped; about their centre by default. */
  crop?: CropOptions;
}

/** The names of the features in records. */
export interface FeatureNames {
  /** Bytes: a JPEG, PNG, WebP, PGM or PPM file, or raw uint8 pixels. */
  image: string;
  /** An integer or text: who it is. */
  label: string;
  /** Integers, needed for raw pixels alone. */
  height: string;
  /** As `height`. */
  width: string;
  /** Text: where the picture came from. Optional. */
  addr: string;
  /** Text: the name of the label. Optional. */
  name: string;
  /**
   * In front of a slash and xmin, ymin, xmax, ymax: floats, shares of width and height, as TensorFlow's Object Detection API
   * has them; or of x, y, width, height: numbers, pixels. Of several boxes the largest counts. Optional.
   */
  box: string;
}

const usualNames: FeatureNames = {
  image: "image",
  label: "label",
  height: "height",
  width: "width",
  addr: "addr",
  name: "name",
  box: "image/object/bbox",
};

/** The full names: prefix, slash, name. */
export function featureNames({ prefix = "", features }: FeatureOptions = {}): FeatureNames {
  const front = prefix === "" || prefix.endsWith("/") ? prefix : `${prefix}/`;
  const names = { ...usualNames, ...features };
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [key, front + name])) as unknown as FeatureNames;
}

/** All features that `labelledPicture` looks at; those of boxes only where boxes are asked for. */
export function wantedFeatures({ box, ...others }: FeatureNames, crop?: CropOptions): Set<string> {
  const boxes = crop?.mode === "box" ? [...corners, ...sides].map((name) => `${box}/${name}`) : [];
  return new Set([...Object.values(others), ...boxes]);
}

const corners = ["xmin", "ymin", "xmax", "ymax"];
const sides = ["x", "y", "width", "height"];

export interface LabelledPicture {
  /** The label's name, where the record has one, else the label. */
  identity: string;
  label: string;
  named: boolean;
  addr?: string;
  picture: StoredPicture;
}

/** @throws CORRUPT_FILE with what is missing or of the wrong kind, and what there is. */
export function labelledPicture(example: Example, names: FeatureNames, crop?: CropOptions): LabelledPicture {
  const label = single(example, names.label);
  const image = single(example, names.image);
  if (!(image instanceof Uint8Array)) throw fault(`its feature "${names.image}" is no bytes`);
  if (typeof label === "number") throw fault(`its feature "${names.label}" is a float, no integer or text`);
  const name = readable(text(example, names.name), names.name);
  const labelText = label instanceof Uint8Array ? readable(utf8(label, names.label), names.label) : String(label);
  if (labelText === undefined) throw fault(`its feature "${names.label}" is empty`);
  return {
    identity: name ?? labelText,
    label: labelText,
    named: name !== undefined,
    addr: text(example, names.addr) || undefined,
    picture: { ...stored(image, example, names), crop: crop && cropOf(boxIn(example, names.box, crop), crop) },
  };
}

/** A text that names somebody; undefined where nothing is in it to be read: many writers cannot leave a feature out. */
function readable(text: string | undefined, feature: string): string | undefined {
  if (text === undefined || readableName(text) === "") return undefined;
  try {
    return identityName(text);
  } catch (error) {
    throw fault(`its feature "${feature}": ${(error as Error).message}`);
  }
}

/** The largest of a record's boxes. */
function boxIn(example: Example, name: string, { mode }: CropOptions): Box | undefined {
  if (mode !== "box") return undefined;
  const columns = [corners, sides].find((parts) => parts.some((part) => example.get(`${name}/${part}`)));
  if (!columns) return undefined;
  const lists = columns.map((part) => numbersOf(example, `${name}/${part}`));
  if (lists.some(({ length }) => length !== lists[0].length)) {
    const counts = columns.map((part, n) => `${lists[n].length} ${part}`).join(", ");
    throw fault(`its boxes "${name}" do not fit together: ${counts}`);
  }
  const relative = columns === corners;
  const boxes = lists[0].map((_, n): Box => {
    const [a, b, c, d] = lists.map((list) => list[n]);
    const [xmax, ymax] = relative ? [c, d] : [a + c, b + d];
    return { xmin: a, ymin: b, xmax, ymax, relative };
  });
  boxes.forEach(checkBox);
  const area = ({ xmin, ymin, xmax, ymax }: Box) => (xmax - xmin) * (ymax - ymin);
  return boxes.sort((a, b) => area(b) - area(a))[0];
}

function numbersOf(example: Example, name: string): number[] {
  return [...(example.get(name)?.values() ?? [])].map((value) => {
    if (value instanceof Uint8Array) throw fault(`its feature "${name}" is bytes, not numbers`);
    return Number(value);
  });
}

/** A picture file as it begins with one's mark; else raw pixels, whose size the record must give. */
function stored(bytes: Uint8Array, example: Example, names: FeatureNames): StoredPicture {
  if (pictureFormat(bytes)) return { bytes };
  const size = [names.height, names.width].map((name) => {
    if (!example.get(name)) {
      throw fault(
        `its image is no JPEG, PNG, WebP, PGM or PPM file, and for raw pixels the feature "${name}" is missing`,
      );
    }
    const value = single(example, name);
    if (typeof value !== "bigint" || value < 1n || value > 65_535n) {
      throw fault(`its feature "${name}" is no integer from 1 to 65535`);
    }
    return Number(value);
  });
  const [height, width] = size;
  const channels = bytes.length / (height * width);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw fault(
      `its image is no JPEG, PNG, WebP, PGM or PPM file, and its ${bytes.length} bytes are no ${height}x${width} pixels with 1, 3 or 4 channels`,
    );
  }
  return { bytes, raw: [height, width, channels] satisfies ImageSize };
}

function single(example: Example, name: string): Uint8Array | number | bigint {
  const feature = example.get(name);
  if (!feature) throw fault(`it has no feature "${name}"`);
  const found = upToTwo(feature);
  if (found.length !== 1) {
    throw fault(`its feature "${name}" has ${found.length === 0 ? "no value" : "several values"}; one was expected`);
  }
  return found[0];
}

function upToTwo(feature: Feature): (Uint8Array | number | bigint)[] {
  const found = [];
  for (const value of feature.values()) {
    found.push(value);
    if (found.length === 2) break;
  }
  return found;
}

function text(example: Example, name: string): string | undefined {
  const feature = example.get(name);
  const [value] = feature ? upToTwo(feature) : [];
  return value instanceof Uint8Array ? utf8(value, name) : undefined;
}

function utf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `its feature "${name}" is no UTF-8 text`, { cause: error });
  }
}

const fault = (reason: string) => new TwingradError("CORRUPT_FILE", reason);
