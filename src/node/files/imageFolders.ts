// Folders of pictures as datasets.
import { readdir, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import type { Dataset } from "../../data/dataset.ts";
import { cropInWords, cropOf } from "../../data/pictures/crop.ts";
import { isPictureName } from "../../data/pictures/storedPicture.ts";
import { folderDataset, type PictureFile } from "../../data/sources/folders.ts";
import { type LivenessDataset, livenessFolder } from "../../data/sources/livenessDataset.ts";
import { TwingradError } from "../../errors.ts";
import { readPicture, readStored } from "./images.ts";
import { boxesIn, type CropFolderOptions } from "./pictureBoxes.ts";

/**
 * The pictures below a folder; the folder that a picture lies in is its identity, at any depth
 * (`2024/ada/1.jpg` is of "2024/ada"). Names that begin with a dot, and files that are no pictures, are left out.
 * Nothing is decoded yet. Identities and pictures come in the order of their names, the same on every system.
 * With `crop` a picture's box is that of the JSON file beside it, or of the folder's boxes.csv.
 * @throws BAD_INPUT when the path is no folder, holds no picture in a sub-folder, or holds pictures outside one;
 * CORRUPT_FILE for a file of boxes that is broken.
 */
export async function imageFolder(path: string, options: CropFolderOptions = {}): Promise<Dataset> {
  return folderDataset(path, await pictureFiles(path, options));
}

/**
 * As `imageFolder`, of live people and of pictures of people: `live/PERSON/...` and `spoof/PERSON/...`, where one name is
 * one person. Without a person's folder each picture counts as a person of its own, of which `warn` is told.
 */
export async function livenessImages(
  path: string,
  warn: (text: string) => void = (text) => console.warn(text),
  options: CropFolderOptions = {},
): Promise<LivenessDataset> {
  return livenessFolder(path, await pictureFiles(path, options), warn);
}

async function pictureFiles(path: string, options: CropFolderOptions): Promise<PictureFile[]> {
  const found = await statOf(path);
  if (!found) throw new TwingradError("BAD_INPUT", `${path}: there is no such folder`);
  if (!found.isDirectory()) {
    throw new TwingradError("BAD_INPUT", `${path}: a folder with one folder for each person was expected, not a file`);
  }
  const names: string[] = [];
  for await (const file of picturesBelow(path, new Set())) names.push(file);
  const { crop = { mode: "centre" }, tell } = options;
  const boxes = crop.mode === "box" ? await boxesIn(path, names, options.boxes) : undefined;
  if (boxes) tell?.(cropInWords(crop, boxes.size, names.length)!);
  return names.map((file): PictureFile => {
    const part = cropOf(boxes?.get(file), crop);
    return {
      path: relative(path, file).split(sep).join("/"),
      name: file,
      decode: (size) => readPicture(file, size, part),
      stored: () => readStored(file, part),
    };
  });
}

/** Links are followed, but never into a folder that is being walked already. */
async function* picturesBelow(folder: string, above: ReadonlySet<string>): AsyncGenerator<string> {
  const real = await realpath(folder);
  if (above.has(real)) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const isFolder = entry.isSymbolicLink() ? (await statOf(path))?.isDirectory() : entry.isDirectory();
    if (isFolder) yield* picturesBelow(path, new Set([...above, real]));
    else if (isPictureName(entry.name)) yield path;
  }
}

const statOf = (path: string) => stat(path).catch(() => undefined);
