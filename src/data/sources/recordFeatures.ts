// From an Example to a labeled picture: which feature holds what. The default names are the article's (image, label,
// height, width, addr) with any prefix; `name` is an addition, and holds the name of a numbered label.
import { TwingradError } from "../../errors.ts";
import { type Box, checkBox } from "../../formats/box.ts";
import type { Example, Feature } from "../../formats/tfrecord/recordTypes.ts";
import type { ImageSize } from "../imageSize.ts";
import { identityName, readableName } from "../names.ts";
import { type CropOptions, cropOf } from "../pictures/crop.ts";
import { pictureFormat, type StoredPicture } from "../pictures/storedPicture.ts";

export interface FeatureOptions {
  /** Prepended to each name with a slash: "train" for train/image, train/label, ... */
  prefix?: string;
  /** Replaces default names. */
  features?: Partial<FeatureNames>;
  /** How pictures are cropped. @default to their center */
  crop?: CropOptions;
}

/** The names of the features in records. */
export interface FeatureNames {
  /** Bytes: a JPEG, PNG, WebP, PGM or PPM file, or raw uint8 pixels. */
  image: string;
  /** The identity: an integer or text. */
  label: string;
  /** Integers, needed only for raw pixels. */
  height: string;
  /** As `height`. */
  width: string;
  /** Text: the picture's origin. Optional. */
  addr: string;
  /** Text: the name of the label. Optional. */
  name: string;
  /**
   * A prefix of /xmin, /ymin, /xmax and /ymax: floats, shares of width and height, as in TensorFlow's Object
   * Detection API; or of /x, /y, /width and /height: numbers, in pixels. Of several boxes the largest is used.
   * Optional.
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

/** All features that `labeledPicture` reads; those of boxes only where the crop uses boxes. */
export function wantedFeatures({ box, ...others }: FeatureNames, crop?: CropOptions): Set<string> {
  const boxes = crop?.mode === "box" ? [...corners, ...sides].map((name) => `${box}/${name}`) : [];
  return new Set([...Object.values(others), ...boxes]);
}

const corners = ["xmin", "ymin", "xmax", "ymax"];
const sides = ["x", "y", "width", "height"];

export interface LabeledPicture {
  /** The label's name, where the record has one, otherwise the label. */
  identity: string;
  label: string;
  named: boolean;
  addr?: string;
  picture: StoredPicture;
}

/** @throws CORRUPT_FILE that names the feature that is missing or of the wrong type, and the type found. */
export function labeledPicture(example: Example, names: FeatureNames, crop?: CropOptions): LabeledPicture {
  const label = single(example, names.label);
  const image = single(example, names.image);
  if (!(image instanceof Uint8Array)) throw fault(`its feature "${names.image}" must be bytes`);
  if (typeof label === "number") throw fault(`its feature "${names.label}" is a float; expected an integer or text`);
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

/** A name in text; undefined where it is blank, since many writers cannot omit a feature. */
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
    throw fault(`its boxes "${name}" have different numbers of coordinates: ${counts}`);
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
    if (value instanceof Uint8Array) throw fault(`its feature "${name}" is bytes; expected numbers`);
    return Number(value);
  });
}

/** A picture file, where the first bytes say so; otherwise raw pixels, whose size the record must give. */
function stored(bytes: Uint8Array, example: Example, names: FeatureNames): StoredPicture {
  if (pictureFormat(bytes)) return { bytes };
  const size = [names.height, names.width].map((name) => {
    if (!example.get(name)) {
      throw fault(
        `its image is not a JPEG, PNG, WebP, PGM or PPM file, and the feature "${name}", required for raw pixels, is missing`,
      );
    }
    const value = single(example, name);
    if (typeof value !== "bigint" || value < 1n || value > 65_535n) {
      throw fault(`its feature "${name}" is not an integer from 1 to 65535`);
    }
    return Number(value);
  });
  const [height, width] = size;
  const channels = bytes.length / (height * width);
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw fault(
      `its image is not a JPEG, PNG, WebP, PGM or PPM file, and its ${bytes.length} bytes are not ${height}x${width} pixels with 1, 3 or 4 channels`,
    );
  }
  return { bytes, raw: [height, width, channels] satisfies ImageSize };
}

function single(example: Example, name: string): Uint8Array | number | bigint {
  const feature = example.get(name);
  if (!feature) throw fault(`it has no feature "${name}"`);
  const found = upToTwo(feature);
  if (found.length !== 1) {
    throw fault(`its feature "${name}" has ${found.length === 0 ? "no value" : "several values"}; expected one`);
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
    throw new TwingradError("CORRUPT_FILE", `its feature "${name}" is not valid UTF-8 text`, { cause: error });
  }
}

const fault = (reason: string) => new TwingradError("CORRUPT_FILE", reason);
