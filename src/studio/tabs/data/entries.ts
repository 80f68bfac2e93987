// From dropped or chosen files to pictures by person: the person is the name of the picture's folder.
import { isOtherPictureName, isPictureName } from "../../../data/pictures/storedPicture.ts";
import type { PictureEntry } from "../../messages.ts";
import { count } from "../../page/words.ts";

interface Found {
  /** With slashes; the file name is the last part. */
  readonly path: string;
  readonly file: File;
}

export interface Sorted {
  readonly entries: readonly PictureEntry[];
  readonly records: readonly File[];
  /** A message about files that are skipped. */
  readonly note: string | null;
}

const isRecordFile = (name: string) => /\.tfrecords?(\.gz|\.zz)?$|^[^.]+-\d{5}-of-\d{5}$/i.test(name);

/** All files in dropped folders, at any depth. */
export async function droppedFiles(items: DataTransferItemList): Promise<Found[]> {
  const roots = [...items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null); // synchronously: items expire
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
      if (some.length === 0) return; // entries come in batches of about a hundred
      for (const one of some) await visit(one);
    }
  };
  for (const root of roots) await visit(root);
  return found;
}

export const pickedFiles = (files: Iterable<File>): Found[] =>
  [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));

/** @param person the person of all files, where given. */
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
      `${count(loose, "picture")} without a folder: make one folder for each person, or open a person and add pictures there.`,
    others > 0 && `${count(others, "picture")} in an unsupported format: convert to JPEG, PNG or WebP.`,
    pictures.length + records.length + others === 0 && "There are no pictures in your selection.",
  ].filter(Boolean);
  return { entries, records, note: notes.length > 0 ? notes.join(" ") : null };
}

const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
const foldersOf = (path: string) => path.split("/").slice(0, -1);

/** The common prefix of all paths, in folders. */
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
