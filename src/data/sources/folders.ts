// From picture files to a dataset: a picture's folder is its identity. The rule is the same for a file system and for
// files that a user chooses in a page.
import { TwingradError } from "../../errors.ts";
import type { Dataset, Item } from "../dataset.ts";
import { firstNames, identityName, shown } from "../names.ts";
import { byNaturalOrder } from "../naturalOrder.ts";
import { endingOf, isOtherPictureName, isPictureName, pictureEndings } from "../pictures/storedPicture.ts";

export interface PictureFile extends Omit<Item, "identity"> {
  /** The path below the folder, with slashes: `ada/1.jpg`, `2024/ada/1.jpg`. */
  readonly path: string;
}

const isHidden = (path: string) => path.split("/").some((part) => part.startsWith("."));

/** Whether a file is used: it has a supported extension, and no part of its path is hidden. */
export function takesPart(path: string): boolean {
  return isPictureName(path) && !isHidden(path);
}

/** Whether a file looks like a picture but is not supported. */
export function isPassedOver(path: string): boolean {
  return isOtherPictureName(path) && !isHidden(path);
}

/**
 * A summary of the skipped pictures, and of the identities that are dropped with them; undefined where there are none.
 * @param others the paths of the skipped pictures, below the folder. @param taken the paths of those that are used.
 */
export function passedOver(others: readonly string[], taken: readonly string[]): string | undefined {
  if (others.length === 0) return undefined;
  const counts = new Map<string, number>();
  for (const path of others) counts.set(endingOf(path), (counts.get(endingOf(path)) ?? 0) + 1);
  const kinds = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ending, count]) => `${count} ${ending}`);
  const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const present = new Set(taken.map(folderOf));
  const gone = [...new Set(others.map(folderOf))].filter((folder) => folder !== "" && !present.has(folder));
  const lost = gone.length === 0 ? "" : `; without other pictures, left out: ${firstNames(gone.sort(byNaturalOrder))}`;
  return `skipped: ${kinds.join(", ")}${lost}. Convert them to ${pictureEndings.join(", ")} to use them`;
}

/**
 * Identities and pictures in natural order of their names. Folders whose names read the same are merged.
 * @param folder its name in messages.
 * @param others the paths of skipped pictures.
 * @throws BAD_INPUT where there is no picture, or where one has no sub-folder or one with an unreadable name.
 */
export function folderDataset(folder: string, files: readonly PictureFile[], others: readonly string[] = []): Dataset {
  const folders = new Map<string, PictureFile[]>();
  for (const file of files) {
    const end = file.path.lastIndexOf("/");
    if (end < 0) throw new TwingradError("BAD_INPUT", `${file.name}: expected pictures in one folder for each person.`);
    const identity = identityOf(file, end);
    const own = folders.get(identity);
    if (own) own.push(file);
    else folders.set(identity, [file]);
  }
  if (folders.size === 0) {
    const only = passedOver(others, []);
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: no pictures found; expected one folder for each person, with files ${pictureEndings.join(", ")}${only ? `; ${only}` : ""}`,
    );
  }
  const identities = [...folders.keys()].sort(byNaturalOrder);
  const items = identities.flatMap((name, identity) => {
    const own = folders.get(name)!.sort((a, b) => byNaturalOrder(a.path, b.path));
    return own.map(({ name, decode, stored }): Item => ({ identity, name, decode, stored }));
  });
  return { identities, items };
}

/** The identity of the folder that a picture is in. */
function identityOf({ path, name }: PictureFile, end: number): string {
  const folder = path.slice(0, end);
  try {
    // Checks each part, since `a/ /b` would read as `a//b`.
    for (const part of folder.split("/")) identityName(part);
    return identityName(folder);
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `${shown(name)}: its folder: ${(error as Error).message}`, { cause: error });
  }
}
