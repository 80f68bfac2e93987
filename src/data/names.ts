// A name is what a person reads. One that is typed, stored or copied in another way is still the same name: an é as one
// character or as two (macOS stores file names that way), a blank at the end.
import { TwingradError } from "../errors.ts";

/**
 * Characters that nobody sees, or that change how others are shown: controls, line separators, halves of a surrogate pair,
 * zero-width space and byte-order mark, bidirectional overrides. Joiners stay: some scripts are written with them.
 */
const invisible = /[\p{Cc}\p{Cs}\u2028\u2029\u200b\u2060\ufeff\u202a-\u202e\u2066-\u2069]/gu;

/**
 * The one form of a name, or of a path of names: composed (Unicode's NFC), each part without blanks at its ends. Empty where
 * nothing is left to read.
 */
export function readableName(text: string): string {
  return text
    .split("/")
    .map((part) => part.normalize("NFC").trim())
    .join("/");
}

/** The text with what nobody would see written out, as \u001b: to show what may come from anywhere. */
export function shown(text: string): string {
  return text.replace(invisible, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * `readableName` of an identity.
 * @throws BAD_INPUT where nobody could read it: it is empty, or has characters that are not seen.
 */
export function identityName(text: string): string {
  const name = readableName(text);
  if (name.replaceAll("/", "") === "") {
    throw new TwingradError("BAD_INPUT", `the name "${shown(text)}" is empty; a name that can be read was expected`);
  }
  if (shown(name) !== name) {
    throw new TwingradError("BAD_INPUT", `the name "${shown(name)}" has control or invisible characters: rename it`);
  }
  return name;
}
