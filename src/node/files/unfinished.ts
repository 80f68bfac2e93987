// A finished model beside a newer training that has not ended. The model stays where it is, since programs may be using it,
// until the new one takes its place; who opens it meanwhile is told.
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

/** Before a training's first step: from now on a model in its folder is older than what the folder is about. */
export async function markUnfinished(folder: string, tell: (text: string) => void): Promise<void> {
  if (!(await isThere(join(folder, modelFile)))) return;
  const text = `${JSON.stringify({ since: new Date().toISOString() })}\n`;
  await writeAtomic(join(folder, marker), text).catch((error: Error) => tell(error.message));
  tell(`${join(folder, modelFile)} is that of an earlier training until this one ends`);
}

/** Once the training's model is written. */
export async function markFinished(folder: string): Promise<void> {
  await rm(join(folder, marker), { force: true });
}

export const isUnfinished = (folder: string): Promise<boolean> => isThere(join(folder, marker));

/** What to tell of a model file, or of a link to one, beside which a newer training has not ended; undefined of others. */
export async function olderThanItsFolder(given: string): Promise<string | undefined> {
  const file = await realpath(given).catch(() => given);
  if (basename(file) !== modelFile) return undefined;
  const path = join(dirname(file), marker);
  const text = await readFile(path, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const since = /"since":"([^"]*)"/.exec(text)?.[1] ?? "an unknown time";
  return `${given} is an earlier training's model: a newer one, of ${since}, has not ended (--resume goes on with it; ${path} says so until it ends)`;
}
