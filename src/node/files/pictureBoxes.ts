// Reads bounding boxes from files beside pictures on a disk.
import { dirname, join, relative, resolve, sep } from "node:path";
import type { CropOptions } from "../../data/pictures/crop.ts";
import { TwingradError } from "../../errors.ts";
import type { Box } from "../../formats/box.ts";
import { boxFileOf, boxTable, parseBoxFile, parseBoxTable } from "../../formats/boxFiles.ts";
import { diskError } from "./diskError.ts";
import { readText } from "./textFiles.ts";

export interface CropFolderOptions {
  /** How pictures are cropped. @default a center crop */
  readonly crop?: CropOptions;
  /** A table of boxes instead of the folder's own. */
  readonly boxes?: string;
  /** Called with one line about how many pictures have a box, if the crop mode is box. */
  readonly tell?: (text: string) => void;
}

/** How many folders above a picture's own are searched for a table. */
const levels = 3;

/**
 * The boxes of pictures below a folder, by file name: from the JSON file beside the picture, or else from the table,
 * whose paths are relative to the folder.
 * @throws CORRUPT_FILE for a corrupt file of boxes; BAD_INPUT for a named table that does not exist, and for one
 * without any of the pictures.
 */
export async function boxesIn(folder: string, pictures: readonly string[], table?: string): Promise<Map<string, Box>> {
  const listed = await readTable(table ?? join(folder, boxTable), table !== undefined);
  const found = new Map<string, Box>();
  for (const picture of pictures) {
    const box = (await boxBeside(picture)) ?? listed?.get(pathBelow(folder, picture));
    if (box) found.set(picture, box);
  }
  if (listed && (table !== undefined || found.size === 0))
    checkMatch(table ?? join(folder, boxTable), listed, folder, pictures);
  return found;
}

/** The table has other pictures, or other paths to the same ones: the message shows an example of both. */
function checkMatch(table: string, listed: Map<string, Box>, folder: string, pictures: readonly string[]): void {
  const paths = pictures.map((picture) => pathBelow(folder, picture));
  if (paths.some((path) => listed.has(path))) return;
  const [example] = listed.keys();
  const what =
    example === undefined
      ? "it has no boxes"
      : `none of its ${listed.size} pictures is below ${folder}: it lists "${example}", for example, and the folder has "${paths[0]}"`;
  throw new TwingradError("BAD_INPUT", `${table}: ${what}`);
}

/**
 * The box of each picture: from the file beside it, from the named table, or from the table of its folder or one above.
 * @throws BAD_INPUT if a table is named and no picture has a box.
 */
export async function boxesOf(pictures: readonly string[], table?: string): Promise<(Box | undefined)[]> {
  const listed = table === undefined ? undefined : await readTable(table, true);
  const found = await Promise.all(pictures.map((picture) => boxOf(picture, table, listed)));
  if (listed && !found.some(Boolean)) checkMatch(table!, listed, dirname(table!), pictures);
  return found;
}

async function boxOf(picture: string, table?: string, listed?: Map<string, Box>): Promise<Box | undefined> {
  const beside = await boxBeside(picture);
  if (beside) return beside;
  if (table !== undefined) return listed!.get(pathBelow(dirname(table), picture));
  for (let folder = dirname(resolve(picture)), level = 0; level <= levels; level++, folder = dirname(folder)) {
    const box = (await readTable(join(folder, boxTable), false))?.get(pathBelow(folder, picture));
    if (box) return box;
  }
  return undefined;
}

/** A path as in tables: with forward slashes, in Unicode's NFC. */
const pathBelow = (folder: string, picture: string) =>
  relative(resolve(folder), resolve(picture)).split(sep).join("/").normalize("NFC");

async function boxBeside(picture: string): Promise<Box | undefined> {
  const path = boxFileOf(picture);
  const text = path === picture ? undefined : await read(path, false);
  return text === undefined ? undefined : naming(path, () => parseBoxFile(text));
}

async function readTable(path: string, needed: boolean): Promise<Map<string, Box> | undefined> {
  const text = await read(path, needed);
  return text === undefined ? undefined : naming(path, () => parseBoxTable(text));
}

async function read(path: string, needed: boolean): Promise<string | undefined> {
  return readText(path).catch((error: NodeJS.ErrnoException) => {
    if (!needed && (error.code === "ENOENT" || error.code === "EISDIR")) return undefined;
    throw diskError(path, "read", error);
  });
}

function naming<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${path}: ${message}`, { cause: error });
  }
}
