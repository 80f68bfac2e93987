// Reads text files of people and other programs, which may begin with a byte-order mark.
import { readFile } from "node:fs/promises";

/**
 * The text of a file in UTF-8, or in the encoding of its byte-order mark, without the mark. Rejects with the system's
 * error.
 */
export async function readText(path: string): Promise<string> {
  return textOf(await readFile(path));
}

/** As `readText`, for bytes that were already read. */
export function textOf(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString("hex");
  const encoding = mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}
