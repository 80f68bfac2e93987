// Apart, so that the rules of single settings can say what breaks them.
import { TwingradError } from "../../index.ts";

/** A value that breaks the rules; the message names it. */
export class SettingsError extends TwingradError {
  constructor(message: string) {
    super("BAD_INPUT", message);
    this.name = "SettingsError";
  }
}
