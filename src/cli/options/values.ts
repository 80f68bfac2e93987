// How the values of options are read.
import { InvalidArgumentError } from "commander";

/** Reads an option that is a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`A whole number of at least ${least} was expected.`);
    }
    return value;
  };
}

/** Reads an option that is any number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("A number was expected.");
  return value;
}

/** Reads an option that is several words between commas. */
export const list = (text: string): string[] => text.split(",");

/** Reads height and width, or the one side of a square. */
export function imageSize(text: string): number | [number, number] {
  const parts = text.split("x").map(number);
  if (parts.length > 2) throw new InvalidArgumentError("A size such as 56 or 112x92 (height x width) was expected.");
  return parts.length === 1 ? parts[0] : [parts[0], parts[1]];
}
