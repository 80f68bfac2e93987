// Labels as callers give them: numbers of identities.
import { TwingradError } from "../errors.ts";

/** @throws BAD_INPUT for a label that is no whole number (of at least `least`): NaN equals nothing, and text is a name. */
export function checkLabels(labels: ArrayLike<number>, least = Number.MIN_SAFE_INTEGER): void {
  for (let index = 0; index < labels.length; index++) {
    const label: unknown = labels[index];
    if (Number.isSafeInteger(label) && (label as number) >= least) continue;
    const shown = typeof label === "string" ? JSON.stringify(label) : label;
    const expected = least === 0 ? "an integer of at least 0" : "an integer";
    throw new TwingradError("BAD_INPUT", `the label of picture ${index} is ${shown}; ${expected} was expected`);
  }
}
