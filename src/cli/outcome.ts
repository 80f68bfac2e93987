// How a command tells its result, or why it has none.
import { type Command, CommanderError } from "commander";
import { NotLiveError, TwingradError } from "../index.ts";
import { shown } from "../internal.ts";

export interface Outcome {
  /** What `--json` prints as the last line of standard output. */
  result: object;
  /** What people read instead. */
  text: string;
  /** The exit status where it is not 0: the work was interrupted. */
  status?: number;
  /** Why the command ends with status 1 although it has a result, which is printed: what it checked is not in order. */
  failure?: string;
  /** Whether another process tells the result: rank 0 of a distributed run. */
  silent?: boolean;
  /** What goes on after the result was told, and the command with it: a server. */
  until?: Promise<unknown>;
}

/** Whether only warnings and errors are told. */
let quiet = false;
export const isQuiet = (): boolean => quiet;

/** Whether not even warnings are told: another process tells the same ones. */
let silent = false;

/** Tells nothing from here on but errors. */
export function silence(): void {
  quiet = true;
  silent = true;
}

/** Gives a command `--json` and `--quiet` and runs it, telling its outcome in the wanted form. */
export function action<A extends unknown[]>(command: Command, run: (...parameters: A) => Promise<Outcome>): void {
  command.optionsGroup("Output:");
  command.option("--json", "print the result as one JSON object, the last line of standard output");
  command.option("--quiet", "no progress and no notes: only warnings and errors on standard error");
  command.action(async (...parameters: unknown[]) => {
    quiet = command.opts().quiet === true;
    const { result, text, status, failure, silent, until } = await run(...(parameters as A)).catch((error): Outcome => {
      if (error instanceof NotLiveError) return refusal(error);
      if (command.opts().json && !(error instanceof CommanderError)) printError(error);
      throw error;
    });
    const printed = command.opts().json ? JSON.stringify(result) : text.split("\n").map(shown).join("\n");
    if (!silent) process.stdout.write(`${printed}\n`);
    process.exitCode = status;
    await until;
    if (failure) throw new TwingradError("BAD_INPUT", failure);
  });
}

/** A picture that is refused is a result, of which programs must learn more than from other failures. */
function refusal({ code, message, score, threshold, picture }: NotLiveError): Outcome {
  const result = { refused: "liveness", score, threshold, picture, error: { code, message } };
  return { result, text: "refused", failure: message };
}

/**
 * What `--json` prints as the last line where there is no result: `code` as in docs/errors.md, null for an error that
 * nobody foresaw.
 */
export function printError(error: unknown, code = error instanceof TwingradError ? error.code : null): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message: reason(error).replace(/^error: /, "") } })}\n`);
}

/** An error's message in one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text
    .split(/\s*\n\s*/)
    .filter(Boolean)
    .join("; ");
  return shown(line);
}

/** Tells what goes on, unless --quiet was said. */
export function note(text: string): void {
  if (!quiet) warn(text);
}

/** Tells what changes the result: pictures that are left out, say. Names of files may hold anything a terminal obeys. */
export function warn(text: string): void {
  if (silent) return;
  process.stderr.write(`${text.split("\n").map(shown).join("\n")}\n`);
}

/** Four significant digits: enough to compare, few enough to read. */
export const digits = (value: number) => Number(value.toPrecision(4)).toString();
export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
