// A name is what a person reads. One that is typed, stored or copied in another way is still the same name: an é as one
// character or as two (macOS stores file names that way), a blank at the end.
import { TwingradError } from "../errors.ts";

/**
 * Characters that nobody sees, or that change how others are shown: controls, line separators, halves of a surrogate pair,
 * and what Unicode says is not to be drawn, as zero-width spaces, soft hyphens, bidirectional overrides. Joiners and variation
 * selectors stay: some scripts, and emoji, are written with them.
 */
const invisible = /(?!\u200c|\u200d|\p{VS})[\p{Cc}\p{Cs}\p{DI}\u2028\u2029]/gu;

/** Whether a name is read as that word, however it is written: other cases, wide letters, joiners between. */
export const readsAs = (name: string, word: string) =>
  name
    .normalize("NFKC")
    .replace(/\p{DI}/gu, "")
    .trim()
    .toLowerCase() === word;

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
  return text.replace(invisible, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`);
}

/**
 * `readableName` of an identity.
 * @throws BAD_INPUT where nobody could read it: it is empty, or has characters that are not seen.
 */
export function identityName(text: string): string {
  const name = readableName(text);
  if (readsAs(name.replaceAll("/", ""), "")) {
    throw new TwingradError("BAD_INPUT", `the name "${shown(text)}" is empty; a name that can be read was expected`);
  }
  if (shown(name) !== name) {
    throw new TwingradError("BAD_INPUT", `the name "${shown(name)}" has control or invisible characters: rename it`);
  }
  return name;
}
