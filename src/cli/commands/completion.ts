// twingrad completion: prints shell completion scripts, generated from the commands themselves.
import { Argument, type Command, type Option } from "commander";

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
}

/** The program and each of its commands. */
function entries(command: Command, path = ""): Entry[] {
  const commands = command.commands.filter((one) => one.name() !== "help");
  const options = command.options.filter(({ hidden }) => !hidden);
  const below = commands.flatMap((one) => entries(one, path === "" ? one.name() : `${path} ${one.name()}`));
  return [{ path, commands, options }, ...below];
}

const namesOf = ({ commands, options }: Entry) => [
  ...commands.map((command) => command.name()),
  ...options.map(({ long }) => long!),
  "--help",
];

/** Of values that are known: the words. */
const choicesOf = (all: readonly Entry[]) =>
  all.flatMap(({ path, options }) =>
    options.flatMap(({ long, argChoices }) => (argChoices ? [{ path, long: long!, choices: argChoices }] : [])),
  );

function bash(program: Command): string {
  const all = entries(program);
  const name = program.name();
  return [
    `_${name}() {`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's variables
    "  local word path='' current=\"${COMP_WORDS[COMP_CWORD]}\" previous=\"${COMP_WORDS[COMP_CWORD-1]}\" words=''",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's variables
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    `    case "$path $word" in ${all
      .slice(1)
      .map(({ path }) => quoted(path.includes(" ") ? path : ` ${path}`))
      .join("|")}) path="\${path:+$path }$word" ;; esac`,
    "  done",
    '  case "$path $previous" in',
    ...choicesOf(all).map(
      ({ path, long, choices }) => `    ${quoted(`${path} ${long}`)}) words=${quoted(choices.join(" "))} ;;`,
    ),
    '    *) case "$path" in',
    ...all.map((entry) => `      ${quoted(entry.path)}) words=${quoted(namesOf(entry).join(" "))} ;;`),
    "    esac ;;",
    "  esac",
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    "}",
    `complete -o default -F _${name} ${name}`, // file names where no word fits
    "",
  ].join("\n");
}

/** By bash's own function: zsh runs such. */
function zsh(program: Command): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(program)}`;
}

function fish(program: Command): string {
  const name = program.name();
  const lines = entries(program).flatMap(({ path, commands, options }) => {
    const words = path.split(" ").filter(Boolean);
    const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`);
    const notYet =
      commands.length > 0 ? [`not __fish_seen_subcommand_from ${commands.map((one) => one.name()).join(" ")}`] : [];
    const at = (conditions: string[]) => (conditions.length > 0 ? ` -n ${quoted(conditions.join("; and "))}` : "");
    return [
      ...commands.map(
        (one) => `complete -c ${name}${at([...seen, ...notYet])} -a ${one.name()} -d ${quoted(one.description())}`,
      ),
      ...options.map(({ long, description, required, argChoices }) => {
        const values = argChoices ? ` -xa ${quoted(argChoices.join(" "))}` : required ? " -r" : "";
        return `complete -c ${name}${at(path === "" ? ["__fish_use_subcommand"] : seen)} -l ${long!.slice(2)}${values} -d ${quoted(description)}`;
      }),
    ];
  });
  return `${lines.join("\n")}\n`;
}

const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
