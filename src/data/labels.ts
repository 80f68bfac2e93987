// Checks labels: the index of an identity for each picture.
import { TwingradError } from "../errors.ts";

/** @throws BAD_INPUT for a label that is not an integer of at least `least`. */
export function checkLabels(labels: ArrayLike<number>, least = Number.MIN_SAFE_INTEGER): void {
  for (let index = 0; index < labels.length; index++) {
    const label: unknown = labels[index];
    if (Number.isSafeInteger(label) && (label as number) >= least) continue;
    const shown = typeof label === "string" ? JSON.stringify(label) : label;
    const expected = least === 0 ? "an integer of at least 0" : "an integer";
    throw new TwingradError("BAD_INPUT", `Invalid label ${shown} of picture ${index}: expected ${expected}.`);
  }
}
