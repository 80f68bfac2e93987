// Folders of pictures as datasets.

import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
import { firstNames } from "../../data/names.ts";
import { cropInWords, cropOf } from "../../data/pictures/crop.ts";
import { folderDataset, isPassedOver, type PictureFile, passedOver, takesPart } from "../../data/sources/folders.ts";
import { type LivenessDataset, livenessFolder } from "../../data/sources/livenessDataset.ts";
import { TwingradError } from "../../errors.ts";
import { checkOptions, type Known } from "../../options.ts";
import { diskError, statOf } from "./diskError.ts";
import { readPicture, readStored } from "./images.ts";
import { boxesIn, type CropFolderOptions } from "./pictureBoxes.ts";

/**
 * The pictures below a folder; the folder that a picture lies in is its identity, at any depth
 * (`2024/ada/1.jpg` is of "2024/ada"). Names that begin with a dot, and other files than pictures, are left out;
 * pictures in unsupported formats are reported. Nothing is decoded yet. Identities and pictures are sorted by name, in
 * the same order on every system. With `crop` a picture's box comes from the JSON file beside it or from the folder's
 * boxes.csv.
 * @throws BAD_INPUT if the path is not a folder, has no picture in a sub-folder, has pictures outside of one, or has a
 * name that is not UTF-8; DISK for a folder that cannot be listed; CORRUPT_FILE for a corrupt file of boxes.
 * @example
 * ```ts
 * import { imageFolder } from "twingrad/node";
 *
 * const people = await imageFolder("people/"); // people/ada/1.jpg, people/ben/1.jpg, ...
 * console.log(people.identities.length, people.items.length);
 * ```
 */
export async function imageFolder(path: string, options: ImageFolderOptions = {}): Promise<Dataset> {
  checkOptions("imageFolder", options, folderOptions);
  const { files, others } = await pictureFiles(path, options);
  return folderDataset(path, files, others);
}

/**
 * As `imageFolder`, for presentation attack detection: bona fide pictures in `live/PERSON/...`, presentation attacks in
 * `spoof/PERSON/...`; the same name is the same person. A picture without a person's folder counts as a person of its
 * own, with a warning through `warn`.
 * @example
 * ```ts
 * import { livenessImages } from "twingrad/node";
 *
 * const presentations = await livenessImages("faces/"); // faces/live/ada/1.jpg, faces/spoof/ada/1.jpg, ...
 * ```
 */
export async function livenessImages(
  path: string,
  warn: (text: string) => void = (text) => console.warn(text),
  options: ImageFolderOptions = {},
): Promise<LivenessDataset> {
  checkOptions("livenessImages", options, folderOptions);
  const { files } = await pictureFiles(path, options);
  return livenessFolder(path, files, warn);
}

/** Options of `imageFolder` and `livenessImages`. */
export interface ImageFolderOptions extends CropFolderOptions {
  /** Called for each folder or name that cannot be read, which is then left out; by default that is an error. */
  readonly onUnreadable?: (error: TwingradError) => void;
  /** Called with one line about skipped pictures in unsupported formats. @default tell */
  readonly warn?: (text: string) => void;
}

const folderOptions: Known<ImageFolderOptions> = {
  crop: 1,
  boxes: "string",
  tell: "function",
  warn: "function",
  onUnreadable: "function",
};

async function pictureFiles(path: string, options: ImageFolderOptions) {
  const found = await statOf(path);
  if (!found) throw new TwingradError("BAD_INPUT", `${path}: there is no such folder`);
  if (!found.isDirectory()) {
    throw new TwingradError("BAD_INPUT", `${path}: this is a file; expected a folder with one folder for each person`);
  }
  const { crop = { mode: "centre" }, tell, warn = tell, onUnreadable } = options;
  const names: string[] = [];
  const others: string[] = [];
  const empty: string[] = [];
  for await (const file of filesBelow(path, new Set(), { onUnreadable, onEmpty: (folder) => empty.push(folder) })) {
    const below = pathBelow(path, file);
    if (takesPart(below)) names.push(file);
    else if (isPassedOver(below)) others.push(below);
  }
  const warning = passedOver(
    others,
    names.map((file) => pathBelow(path, file)),
  );
  if (warning && names.length > 0) warn?.(warning);
  if (empty.length > 0 && names.length > 0) {
    warn?.(`empty, left out: ${firstNames(empty.map((folder) => pathBelow(path, folder)))}`);
  }
  const boxes = crop.mode === "box" ? await boxesIn(path, names, options.boxes) : undefined;
  if (boxes) tell?.(cropInWords(crop, boxes.size, names.length)!);
  const files = names.map((file): PictureFile => {
    const part = cropOf(boxes?.get(file), crop);
    return {
      path: pathBelow(path, file),
      name: file,
      decode: (size) => readPicture(file, size, part),
      stored: () => readStored(file, part),
    };
  });
  return { files, others };
}

const pathBelow = (folder: string, file: string) => relative(folder, file).split(sep).join("/");

/** What is left out while walking. */
interface LeftOut {
  readonly onUnreadable: ImageFolderOptions["onUnreadable"];
  /** A folder without visible entries, or a link to nowhere that has no picture's name. */
  readonly onEmpty: (folder: string) => void;
}

/**
 * All regular files, without hidden ones. Links are followed, but never into a folder that is already being walked.
 */
async function* filesBelow(folder: string, above: ReadonlySet<string>, leftOut: LeftOut): AsyncGenerator<string> {
  const { onUnreadable, onEmpty } = leftOut;
  let real: string;
  let entries: Dirent[];
  try {
    real = await realpath(folder);
    if (above.has(real)) return;
    entries = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const refused = diskError(folder, "listed", error as Error);
    if (!onUnreadable || above.size === 0) throw refused;
    onUnreadable(refused);
    return;
  }
  const visible = entries.filter(({ name }) => !name.startsWith("."));
  if (visible.length === 0 && above.size > 0) onEmpty(folder);
  for (const entry of visible) {
    const path = join(folder, entry.name);
    // Node replaces bytes that are not UTF-8 with U+FFFD, and no file has the resulting name.
    if (entry.name.includes("\ufffd") && !(await lstat(path).catch(() => undefined))) {
      const refused = new TwingradError("BAD_INPUT", `${path}: this name is not UTF-8; rename it, as with convmv`);
      if (!onUnreadable) throw refused;
      onUnreadable(refused);
      continue;
    }
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (!kind && !takesPart(entry.name)) onEmpty(path);
    else if (kind?.isDirectory()) yield* filesBelow(path, new Set([...above, real]), leftOut);
    else if (!kind || kind.isFile()) yield path; // a dangling link is an error when it is read
  }
}
