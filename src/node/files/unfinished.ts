// Marks a model whose folder has a newer training that has not ended. The model stays until the new one replaces it,
// since programs may be using it; commands that open it meanwhile warn.
import { readFile, realpath, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { writeAtomic } from "./writeAtomic.ts";

/** The name of the model in a folder that `twingrad train` wrote. */
export const modelFile = "model.safetensors";
const marker = "unfinished.json";

const isThere = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

/** To be called before a training's first step: from then on a model in its folder is out of date. */
export async function markUnfinished(folder: string, tell: (text: string) => void): Promise<void> {
  if (!(await isThere(join(folder, modelFile)))) return;
  const text = `${JSON.stringify({ since: new Date().toISOString() })}\n`;
  await writeAtomic(join(folder, marker), text).catch((error: Error) => tell(error.message));
  tell(`${join(folder, modelFile)} is the model of an earlier training until this one ends`);
}

/** To be called when the training's model is written. */
export async function markFinished(folder: string): Promise<void> {
  await rm(join(folder, marker), { force: true });
}

export const isUnfinished = (folder: string): Promise<boolean> => isThere(join(folder, marker));

/** The warning for a model file, or a link to one, whose folder has a newer unfinished training; else undefined. */
export async function olderThanItsFolder(given: string): Promise<string | undefined> {
  const file = await realpath(given).catch(() => given);
  if (basename(file) !== modelFile) return undefined;
  const path = join(dirname(file), marker);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const since = /"since":"([^"]*)"/.exec(text)?.[1] ?? "an unknown time";
  return `${given} is the model of an earlier training: a newer one, started at ${since}, has not ended (--resume continues it; ${path} marks it until it ends)`;
}
