// In a file of its own, because the validation of single settings throws it.
import { TwingradError } from "../../index.ts";

/** An invalid setting; the message names it. */
export class SettingsError extends TwingradError {
  constructor(message: string) {
    super("BAD_INPUT", message);
    this.name = "SettingsError";
  }
}
