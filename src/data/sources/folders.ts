// Picture files to a dataset: the folder that a picture lies in is its identity. The same rule for a file system and for
// the files that somebody chose in a page.
import { TwingradError } from "../../errors.ts";
import type { Dataset, Item } from "../dataset.ts";
import { byNaturalOrder } from "../naturalOrder.ts";
import { isPictureName, pictureEndings } from "../pictures/storedPicture.ts";

export interface PictureFile extends Omit<Item, "identity"> {
  /** Below the folder, with slashes: `ada/1.jpg`, `2024/ada/1.jpg`. */
  readonly path: string;
}

/** Whether a file takes part: a picture by its name, and nothing hidden on the way to it. */
export function takesPart(path: string): boolean {
  return isPictureName(path) && !path.split("/").some((part) => part.startsWith("."));
}

/**
 * Identities and pictures in the order of their names, the same on every system.
 * @param folder what messages call it.
 * @throws BAD_INPUT when there is no picture, or one that lies in no sub-folder.
 */
export function folderDataset(folder: string, files: readonly PictureFile[]): Dataset {
  const folders = new Map<string, PictureFile[]>();
  for (const file of files) {
    const end = file.path.lastIndexOf("/");
    if (end < 0) throw new TwingradError("BAD_INPUT", `${file.name}: pictures belong into one folder for each person`);
    const identity = file.path.slice(0, end);
    const own = folders.get(identity);
    if (own) own.push(file);
    else folders.set(identity, [file]);
  }
  if (folders.size === 0) {
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: no pictures were found; one folder for each person with files ${pictureEndings.join(", ")} was expected`,
    );
  }
  const identities = [...folders.keys()].sort(byNaturalOrder);
  const items = identities.flatMap((name, identity) => {
    const own = folders.get(name)!.sort((a, b) => byNaturalOrder(a.path, b.path));
    return own.map(({ name, decode, stored }): Item => ({ identity, name, decode, stored }));
  });
  return { identities, items };
}
