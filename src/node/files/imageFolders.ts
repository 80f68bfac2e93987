// Folders of pictures as datasets.

import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
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
 * (`2024/ada/1.jpg` is of "2024/ada"). Names that begin with a dot, and files that are no pictures, are left out;
 * pictures in formats that are not read are told of.
 * Nothing is decoded yet. Identities and pictures come in the order of their names, the same on every system.
 * With `crop` a picture's box is that of the JSON file beside it, or of the folder's boxes.csv.
 * @throws BAD_INPUT when the path is no folder, holds no picture in a sub-folder, or holds pictures outside one, or
 * a name that is not UTF-8; DISK for a folder that cannot be listed; CORRUPT_FILE for a file of boxes that is broken.
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
 * As `imageFolder`, of live people and of pictures of people: `live/PERSON/...` and `spoof/PERSON/...`, where one name is
 * one person. Without a person's folder each picture counts as a person of its own, with a warning through `warn`.
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
  /** Is told of each folder or name that cannot be read, which is left out; without it that is an error. */
  readonly onUnreadable?: (error: TwingradError) => void;
  /** Told, in a line, of pictures in formats that are passed over. @default tell */
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
    throw new TwingradError("BAD_INPUT", `${path}: a folder with one folder for each person was expected, not a file`);
  }
  const { crop = { mode: "centre" }, tell, warn = tell, onUnreadable } = options;
  const names: string[] = [];
  const others: string[] = [];
  for await (const file of filesBelow(path, new Set(), onUnreadable)) {
    const below = pathBelow(path, file);
    if (takesPart(below)) names.push(file);
    else if (isPassedOver(below)) others.push(below);
  }
  const told = passedOver(
    others,
    names.map((file) => pathBelow(path, file)),
  );
  if (told && names.length > 0) warn?.(told);
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

/**
 * All files that are no folders, pipes or devices, hidden ones left out. Links are followed, but never into a folder that is
 * being walked already.
 */
async function* filesBelow(
  folder: string,
  above: ReadonlySet<string>,
  onUnreadable: ImageFolderOptions["onUnreadable"],
): AsyncGenerator<string> {
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
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    // Node puts U+FFFD for what is no UTF-8, and no file has the name that results.
    if (entry.name.includes("\ufffd") && !(await lstat(path).catch(() => undefined))) {
      const refused = new TwingradError("BAD_INPUT", `${path}: this name is not UTF-8; rename it, as with convmv`);
      if (!onUnreadable) throw refused;
      onUnreadable(refused);
      continue;
    }
    const kind = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (kind?.isDirectory()) yield* filesBelow(path, new Set([...above, real]), onUnreadable);
    else if (!kind || kind.isFile()) yield path; // a link that leads nowhere is told when it is read
  }
}
