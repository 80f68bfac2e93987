// twingrad completion: prints shell completion scripts, generated from the commands themselves.
import { Argument, type Command, type Option } from "commander";
import { z } from "zod";
import { augmentationPresets } from "../../index.ts";
import { noFaceActions } from "../faces.ts";
import { schema } from "../options/settingsSchema.ts";

const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

const use: Readonly<Record<Shell, string>> = {
  bash: 'eval "$(twingrad completion bash)" in ~/.bashrc',
  zsh: 'eval "$(twingrad completion zsh)" in ~/.zshrc, after compinit',
  fish: "twingrad completion fish > ~/.config/fish/completions/twingrad.fish",
};

export function addCompletion(program: Command): void {
  program
    .command("completion")
    .description(`Prints a script that completes commands and options: ${Object.values(use).join("; ")}.`)
    .addArgument(new Argument("<shell>", "the shell").choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(shell === "fish" ? fish(program) : shell === "zsh" ? zsh(program) : bash(program));
    });
}

interface Entry {
  /** As typed after the program's name: "", "train", "records create". */
  readonly path: string;
  readonly commands: readonly Command[];
  readonly options: readonly Option[];
  /** What its arguments can be, where that is known. */
  readonly values: readonly string[];
}

/** The program and each of its commands. */
function entries(command: Command, path = ""): Entry[] {
  const commands = command.commands.filter((one) => one.name() !== "help");
  const options = command.options.filter(({ hidden }) => !hidden);
  const below = commands.flatMap((one) => entries(one, path === "" ? one.name() : `${path} ${one.name()}`));
  const values = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [{ path, commands, options, values }, ...below];
}

const namesOf = ({ commands, options, values }: Entry) => [
  ...commands.map((command) => command.name()),
  ...values,
  ...options.map(({ long }) => long!),
  "--help",
];

/** The valid words of an option's value: declared with it, or taken from the settings schema, which validates it. */
function choicesOf(option: Option): readonly string[] | undefined {
  const name = option.attributeName();
  if (option.argChoices) return option.argChoices;
  if (name === "augmentPreset") return Object.keys(augmentationPresets);
  if (name === "onNoFace") return noFaceActions;
  const setting: unknown = Object.hasOwn(schema.shape, name) && schema.shape[name as keyof typeof schema.shape];
  return setting instanceof z.ZodEnum ? setting.options.map(String) : undefined;
}

/** The words after each option that takes a value; without any, the shell offers files. */
const valuesOf = (all: readonly Entry[]) =>
  all.flatMap(({ path, options }) =>
    options
      .filter(({ required }) => required)
      .map((option) => ({ at: `${path} ${option.long}`, words: (choicesOf(option) ?? []).join(" ") })),
  );

function bash(program: Command): string {
  const all = entries(program);
  const name = program.name();
  return [
    `_${name}() {`,
    // Bash splits --loss=c into three words, zsh does not.
    // biome-ignore-start lint/suspicious/noTemplateCurlyInString: bash's variables
    "  local word path='' before='' words=''",
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}"',
    '  if [ "$current" = "=" ]; then current=""; elif [ "$previous" = "=" ]; then previous="${COMP_WORDS[COMP_CWORD-2]}"; fi',
    '  case "$current" in --*=*) previous="${current%%=*}"; before="$previous="; current="${current#*=}" ;; esac',
    // zsh reads a bare `:COMP_CWORD-1` as a modifier.
    '  for word in "${COMP_WORDS[@]:1:$((COMP_CWORD-1))}"; do',
    // biome-ignore-end lint/suspicious/noTemplateCurlyInString: bash's variables
    `    case "$path $word" in ${all
      .slice(1)
      .map(({ path }) => quoted(path.includes(" ") ? path : ` ${path}`))
      .join("|")}) path="\${path:+$path }$word" ;; esac`,
    "  done",
    '  case "$path $previous" in',
    ...valuesOf(all).map(({ at, words }) => `    ${quoted(at)}) words=${quoted(words)} ;;`),
    '    *) case "$path" in',
    ...all.map((entry) => `      ${quoted(entry.path)}) words=${quoted(namesOf(entry).join(" "))} ;;`),
    "    esac ;;",
    "  esac",
    '  COMPREPLY=($(compgen -P "$before" -W "$words" -- "$current"))',
    "}",
    `complete -o default -F _${name} ${name}`, // file names where no word fits
    "",
  ].join("\n");
}

/** Zsh can run bash's completion function. */
function zsh(program: Command): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(program)}`;
}

function fish(program: Command): string {
  const name = program.name();
  const lines = entries(program).flatMap(({ path, commands, options, values }) => {
    const words = path.split(" ").filter(Boolean);
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notYet =
      commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map((one) => one.name()).join(" ")}`] : [];
    const at = (conditions: string[]) => (conditions.length > 0 ? ` -n ${quoted(conditions.join("; and "))}` : "");
    return [
      ...commands.map(
        (one) => `complete -c ${name}${at([...seen, ...notYet])} -a ${one.name()} -d ${quoted(one.description())}`,
      ),
      ...(values.length > 0 ? [`complete -c ${name}${at(seen)} -xa ${quoted(values.join(" "))}`] : []),
      ...options.map((option) => {
        const { long, description, required } = option;
        const choices = choicesOf(option);
        const value = choices ? ` -xa ${quoted(choices.join(" "))}` : required ? " -r" : "";
        return `complete -c ${name}${at(path === "" ? ["__fish_use_subcommand"] : seen)} -l ${long!.slice(2)}${value} -d ${quoted(description)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
