import type { Command } from "commander";

/** The flag of the first of these options that the command line has, as `--one-shot` for `oneShot`. */
export function givenFlag(command: Command, names: readonly string[]): string | undefined {
  const found = names.find((name) => command.getOptionValueSource(name) === "cli");
  return command.options.find((option) => option.attributeName() === found)?.long ?? undefined;
}
