// Parsers of option values.
import { InvalidArgumentError } from "commander";

/** Parses a whole number from `least` to `most`. */
export function wholeNumber(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`Expected a whole number ${range}.`);
    }
    return value;
  };
}

/** Parses a number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}

/** Parses a comma-separated list. */
export const list = (text: string): string[] => text.split(",");

/** Parses height x width, or the side of a square. */
export function imageSize(text: string): number | [number, number] {
  const parts = text.split("x").map(number);
  if (parts.length > 2) throw new InvalidArgumentError("Expected a size such as 56 or 112x92 (height x width).");
  return parts.length === 1 ? parts[0] : [parts[0], parts[1]];
}
