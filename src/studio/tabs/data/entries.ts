// From what somebody dropped or picked to pictures by person: the folder that a picture lies in is the person.
import { isOtherPictureName, isPictureName } from "../../../data/pictures/storedPicture.ts";
import type { PictureEntry } from "../../messages.ts";

interface Found {
  /** With slashes, the file's name at the end. */
  readonly path: string;
  readonly file: File;
}

export interface Sorted {
  readonly entries: readonly PictureEntry[];
  readonly records: readonly File[];
  /** What is to be told of files that are left out. */
  readonly note: string | null;
}

const isRecordFile = (name: string) => /\.tfrecords?(\.gz|\.zz)?$|^[^.]+-\d{5}-of-\d{5}$/i.test(name);

/** Everything in folders that were dropped, at any depth. */
export async function droppedFiles(items: DataTransferItemList): Promise<Found[]> {
  const roots = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null); // before any wait
  const found: Found[] = [];
  const visit = async (entry: FileSystemEntry): Promise<void> => {
    if (entry.name.startsWith(".")) return;
    if (entry.isFile) {
      const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
      found.push({ path: entry.fullPath.slice(1), file });
      return;
    }
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (;;) {
      const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
      if (some.length === 0) return; // a folder is read some hundred entries at a time
      for (const one of some) await visit(one);
    }
  };
  for (const root of roots) await visit(root);
  return found;
}

export const pickedFiles = (files: Iterable<File>): Found[] =>
  [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** @param person whose they all are, where somebody said so. */
export function sorted(found: readonly Found[], person?: string): Sorted {
  const visible = found.filter(({ path }) => !path.split("/").some((part) => part.startsWith(".")));
  const pictures = visible.filter(({ path }) => isPictureName(path));
  const records = visible.filter(({ path }) => isRecordFile(nameOf(path))).map(({ file }) => file);
  const others = visible.filter(({ path }) => isOtherPictureName(path)).length;
  const common = commonFolder(pictures.map(({ path }) => foldersOf(path)));
  const entries: PictureEntry[] = [];
  let loose = 0;
  for (const { path, file } of pictures) {
    const folders = foldersOf(path);
    const below = folders.slice(common.length);
    const who = person ?? (below.length > 0 ? below : common.slice(-1)).join("/");
    if (who === "") loose++;
    else entries.push({ person: who, name: nameOf(path), file });
  }
  const notes = [
    loose > 0 &&
      `${loose} of the pictures lie in no folder: put them into one folder for each person, or open a person and add them there.`,
    others > 0 && `${others} pictures are in formats that are not read: convert them to JPEG, PNG or WebP.`,
    pictures.length + records.length + others === 0 && "There are no pictures in what you chose.",
  ].filter(Boolean);
  return { entries, records, note: notes.length > 0 ? notes.join(" ") : null };
}

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const foldersOf = (path: string) => path.split("/").slice(0, -1);

/** The folders that all of the paths begin with. */
function commonFolder(paths: readonly (readonly string[])[]): readonly string[] {
  if (paths.length === 0) return [];
  let common = paths[0];
  for (const path of paths) {
    let same = 0;
    while (same < Math.min(common.length, path.length) && common[same] === path[same]) same++;
    common = common.slice(0, same);
  }
  return common;
}
