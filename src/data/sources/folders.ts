// Picture files to a dataset: the folder that a picture lies in is its identity. The same rule for a file system and for
// the files that somebody chose in a page.
import { TwingradError } from "../../errors.ts";
import type { Dataset, Item } from "../dataset.ts";
import { identityName, shown } from "../names.ts";
import { byNaturalOrder } from "../naturalOrder.ts";
import { endingOf, isOtherPictureName, isPictureName, pictureEndings } from "../pictures/storedPicture.ts";

export interface PictureFile extends Omit<Item, "identity"> {
  /** Below the folder, with slashes: `ada/1.jpg`, `2024/ada/1.jpg`. */
  readonly path: string;
}

const isHidden = (path: string) => path.split("/").some((part) => part.startsWith("."));

/** Whether a file takes part: a picture by its name, and nothing hidden on the way to it. */
export function takesPart(path: string): boolean {
  return isPictureName(path) && !isHidden(path);
}

/** Whether a file looks like a picture that takes no part. */
export function isPassedOver(path: string): boolean {
  return isOtherPictureName(path) && !isHidden(path);
}

/** How many people without any picture are named. */
const named = 5;

/**
 * What is told of the pictures that are passed over, and of the people who vanish with them; undefined where there are none.
 * @param others the paths of those pictures, below the folder. @param taken of those that take part.
 */
export function passedOver(others: readonly string[], taken: readonly string[]): string | undefined {
  if (others.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const path of others) counts.set(endingOf(path), (counts.get(endingOf(path)) ?? 0) + 1);
  const kinds = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ending, count]) => `${count} ${ending}`);
  const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const present = new Set(taken.map(folderOf));
  const gone = [...new Set(others.map(folderOf))].filter((folder) => folder !== "" && !present.has(folder));
  const names = gone.sort(byNaturalOrder).slice(0, named).map(shown).join(", ");
  const more = gone.length > named ? ` and ${gone.length - named} more` : "";
  const lost = gone.length === 0 ? "" : `; no other pictures are there of ${names}${more}, who take no part`;
  return `passed over: ${kinds.join(", ")}${lost}. Convert them to ${pictureEndings.join(", ")} to use them`;
}

/**
 * Identities and pictures in the order of their names, the same on every system. Folders whose names read the same are one.
 * @param folder what messages call it.
 * @param others paths of pictures that are passed over.
 * @throws BAD_INPUT when there is no picture, one that lies in no sub-folder, or in one whose name
 * nobody could read.
 */
export function folderDataset(folder: string, files: readonly PictureFile[], others: readonly string[] = []): Dataset {
  const folders = new Map<string, PictureFile[]>();
  for (const file of files) {
    const end = file.path.lastIndexOf("/");
    if (end < 0) throw new TwingradError("BAD_INPUT", `${file.name}: pictures belong into one folder for each person`);
    const identity = identityOf(file, end);
    const own = folders.get(identity);
    if (own) own.push(file);
    else folders.set(identity, [file]);
  }
  if (folders.size === 0) {
    const only = passedOver(others, []);
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: no pictures were found; one folder for each person with files ${pictureEndings.join(", ")} was expected${only ? `; ${only}` : ""}`,
    );
  }
  const identities = [...folders.keys()].sort(byNaturalOrder);
  const items = identities.flatMap((name, identity) => {
    const own = folders.get(name)!.sort((a, b) => byNaturalOrder(a.path, b.path));
    return own.map(({ name, decode, stored }): Item => ({ identity, name, decode, stored }));
  });
  return { identities, items };
}

/** Of the folder that a picture lies in. */
function identityOf({ path, name }: PictureFile, end: number): string {
  const folder = path.slice(0, end);
  try {
    // Each folder on the way is read by itself, and `a/ /b` would read as `a//b`.
    for (const part of folder.split("/")) identityName(part);
    return identityName(folder);
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `${shown(name)}: its folder: ${(error as Error).message}`, { cause: error });
  }
}
