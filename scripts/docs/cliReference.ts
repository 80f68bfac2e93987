// Writes docs/cli.md from the commands themselves. `--check` writes nothing, and fails where the page differs.
//
//   node scripts/run.mjs scripts/docs/cliReference.ts [--check]
import { readFile, writeFile } from "node:fs/promises";
import type { Argument, Command, Option } from "commander";
import { program } from "../../src/cli/program.ts";

const page = "docs/cli.md";

const opening = `<!-- Written by scripts/docs/cliReference.ts from the commands themselves: change them, then \`npm run docs:cli\`. -->
# Command-line reference

Every command of \`twingrad\` with its arguments, options and defaults, as \`twingrad COMMAND --help\` prints them.

<!-- tour -->
\`\`\`sh
npx twingrad --help
npx twingrad verify --help
\`\`\`

Results go to standard output, progress and warnings to standard error. With \`--json\` the last line of standard output is one
JSON object: the result, or \`{"error": {"code", "message"}}\` ([error codes](errors.md)).

| exit status | meaning |
|---|---|
| 0 | done |
| 1 | failed; the reason is one line on standard error |
| 2 | wrong usage |
| 130 | interrupted with Ctrl-C |
`;

/** The commands that can be run, by the words that are typed; those of a group take the group's place. */
function runnable(command: Command, words: readonly string[]): [string, Command][] {
  const below = command.commands.filter((one) => one.name() !== "help");
  if (below.length === 0) return [[words.join(" "), command]];
  return below.flatMap((one) => runnable(one, [...words, one.name()]));
}

/** Text for a table's cell: a bar would end it, and an angle bracket would start an HTML tag. */
const cell = (text: string) =>
  text.replace(/[|<>]/g, (character) => ({ "|": "\\|", "<": "&lt;" })[character] ?? "&gt;");

const table = (head: string, rows: readonly string[]) => `| ${head} | |\n|---|---|\n${rows.join("\n")}\n`;

const argumentRow = (argument: Argument) =>
  `| \`${name(argument)}\` | ${cell(withValues(argument.description, argument))} |`;

const name = (argument: Argument) => `${argument.name()}${argument.variadic ? "..." : ""}`;

const optionRow = (option: Option) =>
  `| \`${option.flags.replaceAll("|", "\\|")}\` | ${option.mandatory ? "**required.** " : ""}${cell(withValues(option.description, option))} |`;

/** A description with what commander's help adds to it: the allowed words and the declared default. */
function withValues(description: string, { argChoices, defaultValue }: Argument | Option): string {
  const choices = argChoices && `one of ${argChoices.join(", ")}`;
  const shown = defaultValue !== undefined && typeof defaultValue !== "boolean" && `default: ${defaultValue}`;
  const added = [choices, shown].filter(Boolean).join("; ");
  return added ? `${description} (${added})` : description;
}

/** The options under the help's headings, in the help's order. */
function optionTables(command: Command): string[] {
  const groups = new Map<string, Option[]>();
  for (const option of command.options.filter(({ hidden }) => !hidden)) {
    const heading = (option.helpGroupHeading ?? "Options:").replace(/:$/, "");
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return [...groups].map(([heading, options]) => table(heading, options.map(optionRow)));
}

function section([words, command]: [string, Command]): string {
  const given = command.registeredArguments;
  const needed = command.options.filter(({ mandatory }) => mandatory).map(({ flags }) => flags);
  const usage = [
    words,
    ...given.map((argument) => (argument.required ? `<${name(argument)}>` : `[${name(argument)}]`)),
    ...needed,
    "[options]",
  ];
  return [
    `## ${words}\n`,
    `${cell(command.description())}\n`,
    `\`\`\`\n${usage.join(" ")}\n\`\`\`\n`,
    ...(given.length > 0 ? [table("Arguments", given.map(argumentRow))] : []),
    ...optionTables(command),
  ].join("\n");
}

const commands = runnable(program, [program.name()]);
const anchor = (words: string) => words.replaceAll(" ", "-");
const contents = commands.map(([words, command]) => `- [${words}](#${anchor(words)}): ${cell(firstSentence(command))}`);
const text = [opening, `${contents.join("\n")}\n`, ...commands.map(section)].join("\n");

/** Of a command's description, or the text before its colon, after which the description lists what is accepted. */
function firstSentence(command: Command): string {
  return command
    .description()
    .replace(/[.:] .*$/s, "")
    .replace(/\.$/, "");
}

if (process.argv.includes("--check")) {
  const found = await readFile(page, "utf8").catch(() => "");
  if (found !== text) {
    console.error(`${page} differs from the commands: write it again with \`npm run docs:cli\`.`);
    process.exitCode = 1;
  }
} else await writeFile(page, text);
