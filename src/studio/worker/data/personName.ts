// Names of people and runs, which a page must be able to show.
import { identityName } from "../../../data/names.ts";
import { TwingradError } from "../../../errors.ts";

/** Longer than any name; folders may be nested. */
const longest = 200;

/** @throws BAD_INPUT for an invalid name */
export function personName(text: string): string {
  const name = identityName(text);
  if (name.length <= longest) return name;
  const length = name.length.toLocaleString("en");
  throw new TwingradError("BAD_INPUT", `This name has ${length} characters; the limit is ${longest}.`);
}
