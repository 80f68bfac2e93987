// DATA, as the commands take it: a folder of pictures or record files, and the options that say how to read them.

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
import { addFaceOptions, cropToFaces, type FaceFlags } from "../faces.ts";
import { warn } from "../outcome.ts";

export const dataHelp =
  "a folder with one folder for each person, or TFRecord files: names, patterns, sharded sets (name@10)";

export const groupByHelp =
  "the first ( ) of this regular expression in a picture's path below DATA names its group; or a number, of folders above the picture";

/** The pictures with their groups, where there is a rule. */
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
  /** To find the pictures that cannot be decoded, where they are to be skipped. */
  readonly size?: ImageSize;
  /** About their centre where absent. */
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

/** How to read records: for every command that takes some. */
export function addRecordOptions(command: Command): Command {
  return command
    .optionsGroup("Records, boxes and what cannot be read:")
    .option("--prefix <name>", "in front of each feature's name in records, as in train/image")
    .option("--image-feature <name>", "the feature that holds the picture (default: image)")
    .option("--label-feature <name>", "the feature that tells who it is, a number or text (default: label)")
    .option("--height-feature <name>", "of raw pixels (default: height)")
    .option("--width-feature <name>", "of raw pixels (default: width)")
    .option("--addr-feature <name>", "where the picture came from, for messages (default: addr)")
    .option("--name-feature <name>", "the name of the label, where there is one (default: name)")
    .option(
      "--box-feature <name>",
      "for --crop box, in front of /xmin, /ymin, /xmax, /ymax in shares, or /x, /y, /width, /height in pixels (default: image/object/bbox)",
    )
    .option(
      "--largest-record <bytes>",
      `longer records are taken for broken (default: ${largestRecord})`,
      (text: string) => {
        const value = Number(text);
        if (!Number.isSafeInteger(value) || value < 1)
          throw new InvalidArgumentError("A number of bytes was expected.");
        return value;
      },
    );
}

/** How to read DATA: records, and what to do with what cannot be read. */
export function addDataOptions(command: Command): Command {
  return addSkipCorrupt(addBoxesOption(addRecordOptions(command)));
}

export function addSkipCorrupt(command: Command): Command {
  return command.option(
    "--skip-corrupt",
    "leave out records and pictures that cannot be read, naming each, instead of failing at the first",
  );
}

/** Where the boxes of pictures in files are, and what is done where no face is found. */
export function addBoxesOption(command: Command): Command {
  return addFaceOptions(command).option(
    "--boxes <file>",
    "with --crop box: a table file,xmin,ymin,xmax,ymax or file,x,y,width,height in pixels (default: boxes.csv of the folder; NAME.json beside a picture comes first)",
  );
}

/** The flags of `addDataOptions` apart from the others. */
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

/** Opens DATA. Whatever is skipped is told, a line each, and counted; and once, how many pictures have a box. */
export async function openData(
  paths: readonly string[],
  flags: DataFlags,
  tell: (line: string) => void,
  { size, crop }: PictureNeeds = {},
): Promise<Dataset> {
  const isFolder = await isImageFolder(paths);
  const dataset = await readable(flags, size, async (onCorrupt) =>
    isFolder
      ? imageFolder(paths[0], { crop, boxes: flags.boxes, tell, warn, onUnreadable: onCorrupt ?? refuse })
      : tfrecords(paths, { ...recordOptions(flags), onCorrupt, crop, tell }),
  );
  return crop?.mode === "face" ? cropToFaces(dataset, paths[0], isFolder, crop, flags) : dataset;
}

/** As `openData`, of live people and of pictures of people: a folder with the folders live and spoof, or records. */
export async function openLiveness(
  paths: readonly string[],
  flags: DataFlags,
  tell: (line: string) => void,
  { size, crop }: PictureNeeds = {},
): Promise<LivenessDataset> {
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

/** @throws the same, with the option that leaves it out. */
export function refuse(error: TwingradError): never {
  error.message += "; --skip-corrupt leaves it out";
  throw error;
}

/** A folder is one of pictures unless record files lie in it: files that are some, not only called so. */
export async function isImageFolder(paths: readonly string[]): Promise<boolean> {
  const folders = [];
  for (const path of paths) if ((await stat(path).catch(() => undefined))?.isDirectory()) folders.push(path);
  if (folders.length === 0 || (await holdsRecords(folders[0]))) return false;
  if (paths.length > 1)
    throw new TwingradError("BAD_INPUT", `${folders[0]}: one folder of pictures was expected, or record files`);
  return true;
}

async function holdsRecords(folder: string): Promise<boolean> {
  try {
    const files = await recordFilesIn(folder);
    if (files.length === 0) return false;
    for (const file of files) if (await beginsLikeRecords(file)) return true;
    // Where there is nothing else, whoever reads them tells what is wrong with them.
    const entries = await readdir(folder);
    const kinds = await Promise.all(entries.map((name) => stat(join(folder, name)).catch(() => undefined)));
    return !kinds.some((kind) => kind?.isDirectory());
  } catch (error) {
    throw error instanceof TwingradError ? error : diskError(folder, "read", error as Error);
  }
}

/** Tells of the first few by name; a broken disk has thousands. */
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
