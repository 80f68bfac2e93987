// What the worker answers the This GPU tab.
import type { Context, Handlers } from "../../worker/context.ts";

export function handlers(_context: Context): Handlers<"gpu"> {
  return {};
}
