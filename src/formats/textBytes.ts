// Text from files that people and other programs wrote: editors on Windows begin them with a byte-order mark.
import { TwingradError } from "../errors.ts";

/**
 * The text of a file's bytes: UTF-8, or what its byte-order mark says, without the mark.
 * @throws BAD_INPUT for another encoding: what replaces its letters would be the same for all of them.
 */
export function textOf(bytes: Uint8Array): string {
  const mark = 256 * bytes[0] + bytes[1];
  const encoding = mark === 0xfffe ? "utf-16le" : mark === 0xfeff ? "utf-16be" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    const line = bytes.subarray(0, validLength(bytes, encoding)).filter((byte) => byte === 0x0a).length + 1;
    throw new TwingradError("BAD_INPUT", `line ${line} is not ${encoding.toUpperCase()}; save the file as UTF-8.`);
  }
}

/** The greatest length at which the text is still valid, by bisection. */
function validLength(bytes: Uint8Array, encoding: string): number {
  let [valid, invalid] = [0, bytes.length + 1];
  while (invalid - valid > 1) {
    const middle = (valid + invalid) >> 1;
    try {
      // As a part of a stream, the bytes may end within a letter.
      new TextDecoder(encoding, { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      invalid = middle;
    }
  }
  return valid;
}
