// What the worker answers the Evaluate tab.
import type { Context, Handlers } from "../../worker/context.ts";

export function handlers(_context: Context): Handlers<"evaluate"> {
  return {};
}
