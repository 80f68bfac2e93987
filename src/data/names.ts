// Names of identities. A name that is typed, stored or copied differently stays the same name: é as one character or as
// two (macOS stores file names that way), or with trailing whitespace.
import { TwingradError } from "../errors.ts";

/**
 * Characters that are invisible or change how others are displayed: control characters, line separators, unpaired
 * surrogates, and Unicode's default ignorables, such as zero-width spaces, soft hyphens and bidirectional overrides.
 * Joiners and variation selectors are allowed: some scripts, and emoji, need them.
 */
const invisible = /(?!\u200c|\u200d|\p{VS})[\p{Cc}\p{Cs}\p{DI}\u2028\u2029]/gu;

/** Whether a name reads as that word, ignoring case, full-width letters and joiners. */
export const readsAs = (name: string, word: string) =>
  name
    .normalize("NFKC")
    .replace(/\p{DI}/gu, "")
    .trim()
    .toLowerCase() === word;

/**
 * The canonical form of a name, or of a path of names: composed (Unicode's NFC), each part trimmed, and any whitespace
 * in it, such as a no-break space or two spaces, one space. Empty where nothing readable is left.
 */
export function readableName(text: string): string {
  return text
    .split("/")
    .map((part) =>
      part
        .normalize("NFC")
        .trim()
        .replace(/[^\S\n\r\t\v\f\u2028\u2029]+/gu, " "),
    )
    .join("/");
}

/** The text with invisible characters escaped, as \u001b: to display untrusted text. */
export function shown(text: string): string {
  return text.replace(invisible, (character) => `\\u${character.codePointAt(0)!.toString(16).padStart(4, "0")}`);
}

/** Names in a list are cut here, since a warning is to be read. */
const listed = 5;

/** The first names, escaped, and the number of the others: "a, b, c, d, e and 3 more". */
export function firstNames(names: readonly string[]): string {
  const more = names.length > listed ? ` and ${names.length - listed} more` : "";
  return `${names.slice(0, listed).map(shown).join(", ")}${more}`;
}

/**
 * `readableName` of an identity.
 * @throws BAD_INPUT where the name is empty or has invisible characters.
 */
export function identityName(text: string): string {
  const name = readableName(text);
  if (readsAs(name.replaceAll("/", ""), "")) {
    throw new TwingradError("BAD_INPUT", `Invalid name "${shown(text)}": expected a name with visible characters.`);
  }
  if (shown(name) !== name) {
    throw new TwingradError("BAD_INPUT", `Invalid name "${shown(name)}": it has invisible characters; rename it.`);
  }
  return name;
}
