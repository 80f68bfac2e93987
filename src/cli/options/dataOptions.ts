// The DATA argument of the commands, a folder of pictures or record files, and the options for reading it.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import {
  type CropOptions,
  type Dataset,
  type ImageSize,
  type Item,
  type LivenessDataset,
  readableItems,
  TwingradError,
} from "../../index.ts";
import {
  beginsLikeRecords,
  diskError,
  grouped,
  largestRecord,
  livenessRecords,
  recordFilesIn,
} from "../../internal.ts";
import { imageFolder, livenessImages, type RecordOptions, tfrecords } from "../../node/index.ts";
import { addFaceOptions, checkCropFlags, cropToFaces, type FaceFlags } from "../faces.ts";
import { warn } from "../outcome.ts";

export const dataHelp =
  "a folder with one subfolder for each person, or TFRecord files: names, patterns, sharded sets (name@10)";

export const groupByHelp =
  "the first capture group of this regular expression, matched against a picture's path below DATA, names its group; a number N names it after the N-th folder above the picture";

/** Assigns groups to the pictures if a rule is given. */
export function groupedBy<I extends Item>(
  dataset: Dataset<I>,
  rule: string | undefined,
  data: readonly string[],
): Dataset<I> {
  return rule === undefined ? dataset : grouped(dataset, rule, data[0]);
}

export interface DataFlags {
  prefix?: string;
  imageFeature?: string;
  labelFeature?: string;
  heightFeature?: string;
  widthFeature?: string;
  addrFeature?: string;
  nameFeature?: string;
  largestRecord?: number;
  boxFeature?: string;
  boxes?: string;
  skipCorrupt?: boolean;
  onNoFace?: FaceFlags["onNoFace"];
  facePolicy?: FaceFlags["facePolicy"];
}

export interface PictureNeeds {
  /** Needed to find pictures that cannot be decoded, with --skip-corrupt. */
  readonly size?: ImageSize;
  /** Default: a center crop. */
  readonly crop?: CropOptions;
}

const flagNames = [
  "prefix",
  "imageFeature",
  "labelFeature",
  "heightFeature",
  "widthFeature",
  "addrFeature",
  "nameFeature",
  "boxFeature",
  "boxes",
  "largestRecord",
  "skipCorrupt",
  "onNoFace",
  "facePolicy",
] as const satisfies (keyof DataFlags)[];

/** Options for every command that reads records. */
export function addRecordOptions(command: Command): Command {
  return command
    .optionsGroup("Records, boxes and unreadable data:")
    .option("--prefix <name>", "prefix of each feature's name in records, e.g. train for train/image")
    .option("--image-feature <name>", "feature with the picture (default: image)")
    .option("--label-feature <name>", "feature with the identity, a number or text (default: label)")
    .option("--height-feature <name>", "feature with the height of raw pixels (default: height)")
    .option("--width-feature <name>", "feature with the width of raw pixels (default: width)")
    .option("--addr-feature <name>", "feature with the picture's source, for messages (default: addr)")
    .option("--name-feature <name>", "optional feature with the label's name (default: name)")
    .option(
      "--box-feature <name>",
      "for --crop box: prefix of the box features /xmin, /ymin, /xmax, /ymax (relative) or /x, /y, /width, /height (pixels) (default: image/object/bbox)",
    )
    .option(
      "--largest-record <bytes>",
      `records longer than this are treated as corrupt (default: ${largestRecord})`,
      (text: string) => {
        const value = Number(text);
        if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("Expected a number of bytes.");
        return value;
      },
    );
}

/** Options for every command that reads DATA. */
export function addDataOptions(command: Command): Command {
  return addSkipCorrupt(addBoxesOption(addRecordOptions(command)));
}

export function addSkipCorrupt(command: Command): Command {
  return command.option(
    "--skip-corrupt",
    "skip unreadable records and pictures, with a warning for each, instead of failing at the first",
  );
}

/** The options for boxes and faces of pictures in files. */
export function addBoxesOption(command: Command): Command {
  return addFaceOptions(command).option(
    "--boxes <file>",
    "with --crop box: a CSV table file,xmin,ymin,xmax,ymax or file,x,y,width,height in pixels (default: boxes.csv in the folder; NAME.json next to a picture takes precedence)",
  );
}

/** Splits off the flags of `addDataOptions`. */
export function splitDataFlags<T extends object>(flags: T & DataFlags): [DataFlags, Omit<T, keyof DataFlags>] {
  const rest = { ...flags } as Record<string, unknown>;
  const own: Record<string, unknown> = {};
  for (const name of flagNames) {
    if (name in rest) own[name] = rest[name];
    delete rest[name];
  }
  return [own as DataFlags, rest as Omit<T, keyof DataFlags>];
}

export function recordOptions(flags: DataFlags): RecordOptions {
  const { prefix, largestRecord: largest } = flags;
  const { imageFeature: image, labelFeature: label, addrFeature: addr, nameFeature: name, boxFeature: box } = flags;
  const { heightFeature: height, widthFeature: width } = flags;
  const features = Object.entries({ image, label, height, width, addr, name, box }).filter(
    ([, value]) => value !== undefined,
  );
  return { prefix, largest, features: Object.fromEntries(features) };
}

/** Opens DATA. Prints a line for each skipped file, their number, and how many pictures have a box. */
export async function openData(
  paths: readonly string[],
  flags: DataFlags,
  tell: (line: string) => void,
  { size, crop }: PictureNeeds = {},
): Promise<Dataset> {
  checkCropFlags(crop?.mode, flags);
  const isFolder = await isImageFolder(paths);
  const dataset = await readable(flags, size, async (onCorrupt) =>
    isFolder
      ? imageFolder(paths[0], { crop, boxes: flags.boxes, tell, warn, onUnreadable: onCorrupt ?? refuse })
      : tfrecords(paths, { ...recordOptions(flags), onCorrupt, crop, tell }),
  );
  return crop?.mode === "face" ? cropToFaces(dataset, paths[0], isFolder, crop, flags) : dataset;
}

/** As `openData`, for liveness: a folder with the folders live and spoof, or records. */
export async function openLiveness(
  paths: readonly string[],
  flags: DataFlags,
  tell: (line: string) => void,
  { size, crop }: PictureNeeds = {},
): Promise<LivenessDataset> {
  checkCropFlags(crop?.mode, flags);
  const isFolder = await isImageFolder(paths);
  const dataset = await readable(flags, size, async (onCorrupt) =>
    isFolder
      ? livenessImages(paths[0], warn, { crop, boxes: flags.boxes, tell, warn, onUnreadable: onCorrupt ?? refuse })
      : livenessRecords(await tfrecords(paths, { ...recordOptions(flags), onCorrupt, crop, tell }), warn),
  );
  return crop?.mode === "face" ? cropToFaces(dataset, paths[0], isFolder, crop, flags) : dataset;
}

async function readable<I extends Item>(
  flags: DataFlags,
  size: ImageSize | undefined,
  open: (onCorrupt?: (error: TwingradError) => void) => Promise<Dataset<I>>,
): Promise<Dataset<I>> {
  const skipped = new Skipped(warn);
  const onCorrupt = flags.skipCorrupt ? (error: TwingradError) => skipped.tell(error) : undefined;
  const dataset = await open(onCorrupt);
  const decodable = size && onCorrupt ? await readableItems(dataset, size, (_, error) => onCorrupt(error)) : dataset;
  skipped.summary();
  return decodable;
}

/** @throws the same error, with a hint to --skip-corrupt. */
export function refuse(error: TwingradError): never {
  error.message += "; skip it with --skip-corrupt";
  throw error;
}

/** A folder is a folder of pictures unless it contains record files; their content decides, not their names. */
export async function isImageFolder(paths: readonly string[]): Promise<boolean> {
  const folders = [];
  for (const path of paths) if ((await stat(path).catch(() => undefined))?.isDirectory()) folders.push(path);
  if (folders.length === 0 || (await holdsRecords(folders[0]))) return false;
  if (paths.length > 1)
    throw new TwingradError("BAD_INPUT", `${folders[0]}: expected one folder of pictures, or record files`);
  return true;
}

async function holdsRecords(folder: string): Promise<boolean> {
  try {
    const files = await recordFilesIn(folder);
    if (files.length === 0) return false;
    for (const file of files) if (await beginsLikeRecords(file)) return true;
    // With nothing else in the folder, the record reader reports what is wrong with the files.
    const entries = await readdir(folder);
    const kinds = await Promise.all(entries.map((name) => stat(join(folder, name)).catch(() => undefined)));
    return !kinds.some((kind) => kind?.isDirectory());
  } catch (error) {
    throw error instanceof TwingradError ? error : diskError(folder, "read", error as Error);
  }
}

/** Reports the first few by name: a broken disk has thousands. */
export class Skipped {
  static readonly named = 20;
  count = 0;
  constructor(private readonly line: (text: string) => void) {}

  tell(error: Error): void {
    if (this.count++ < Skipped.named) this.line(`skipped: ${error.message}`);
  }

  summary(): void {
    if (this.count > Skipped.named) this.line(`skipped: ${this.count - Skipped.named} more`);
    if (this.count > 0) this.line(`${this.count} records or pictures were skipped`);
  }
}
