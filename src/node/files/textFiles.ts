// Reads text files of people and other programs, which may begin with a byte-order mark.
import { readFile } from "node:fs/promises";
import { textOf } from "../../formats/textBytes.ts";

/**
 * The text of a file in UTF-8, or in the encoding of its byte-order mark, without the mark. Rejects with the system's
 * error.
 */
export async function readText(path: string): Promise<string> {
  return textOf(await readFile(path));
}
