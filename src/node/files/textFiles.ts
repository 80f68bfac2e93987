// Text files, in whatever encoding their byte-order mark says.
import { readFile } from "node:fs/promises";
import { textOf } from "../../formats/textBytes.ts";

/** The text of a file: UTF-8, or what its byte-order mark says, without the mark. Rejects as the file system does. */
export async function readText(path: string): Promise<string> {
  return textOf(await readFile(path));
}
