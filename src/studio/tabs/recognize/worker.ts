// What the worker answers the Recognize tab.
import type { Context, Handlers } from "../../worker/context.ts";

export function handlers(_context: Context): Handlers<"recognize"> {
  return {};
}
