// Text from files that people and other programs wrote: editors on Windows begin them with a byte-order mark.
import { readFile } from "node:fs/promises";

/** The text of a file: UTF-8, or what its byte-order mark says, without the mark. Rejects as the file system does. */
export async function readText(path: string): Promise<string> {
  return textOf(await readFile(path));
}

/** `readText` of bytes that were read already. */
export function textOf(bytes: Buffer): string {
  const mark = bytes.subarray(0, 2).toString("hex");
  const encoding = mark === "fffe" ? "utf-16le" : mark === "feff" ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}
