// Text from files that people and other programs wrote: editors on Windows begin them with a byte-order mark.

/** The text of a file's bytes: UTF-8, or what its byte-order mark says, without the mark. */
export function textOf(bytes: Uint8Array): string {
  const mark = 256 * bytes[0] + bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  return new TextDecoder(encoding).decode(bytes);
}
