// How a command prints its result or its error.
import { type Command, CommanderError } from "commander";
import { NotLiveError, TwingradError } from "../index.ts";
import { shown } from "../internal.ts";

export interface Outcome {
  /** What `--json` prints as the last line of standard output. */
  result: object;
  /** What is printed without `--json`. */
  text: string;
  /** The exit status if the work was interrupted. */
  status?: number;
  /** The command prints its result, and then fails with this message: a check found errors. */
  failure?: string;
  /** Whether another process prints the result: rank 0 of a distributed run. */
  silent?: boolean;
  /** The command runs until this settles, after the result is printed: a server. */
  until?: Promise<unknown>;
  /** Called after the result is printed: a program that waits for others may hang then, but loses nothing. */
  afterwards?: () => Promise<unknown> | undefined;
}

/** Whether to print only warnings and errors. */
let quiet = false;
export const isQuiet = (): boolean => quiet;

/** Whether warnings are suppressed as well: another process prints the same ones. */
let silent = false;

/** Prints nothing from here on except errors. */
export function silence(): void {
  quiet = true;
  silent = true;
}

/** Gives a command `--json` and `--quiet`, and its action, whose outcome is printed accordingly. */
export function action<A extends unknown[]>(command: Command, run: (...parameters: A) => Promise<Outcome>): void {
  command.optionsGroup("Output:");
  command.option("--json", "print the result as one JSON object on the last line of standard output");
  command.option("--quiet", "print only warnings and errors on standard error: no progress, no notes");
  command.action(async (...parameters: unknown[]) => {
    quiet = command.opts().quiet === true;
    const outcome = await run(...(parameters as A)).catch((error): Outcome => {
      if (error instanceof NotLiveError) return refusal(error);
      if (command.opts().json && !(error instanceof CommanderError)) printError(error);
      throw error;
    });
    const { result, text, status, failure, silent, until, afterwards } = outcome;
    const printed = command.opts().json ? JSON.stringify(result) : named(text).split("\n").map(shown).join("\n");
    const isPrinted = silent || print(`${printed}\n`);
    process.exitCode = status;
    if (afterwards) {
      await isPrinted;
      await afterwards();
    }
    if (until && (await isPrinted)) await until; // otherwise the server's address is not printed: end it
    if (failure) throw new TwingradError("BAD_INPUT", failure);
  });
}

/** Resolves to whether standard output accepted the text; cli.ts reports the error at the end. */
const print = (text: string) =>
  new Promise<boolean>((done) => process.stdout.write(text, (error) => done(error === null || error === undefined)));

/** A refused picture is a result: programs need its score and threshold. */
function refusal({ code, message, score, threshold, picture }: NotLiveError): Outcome {
  const result = { refused: "liveness", score, threshold, picture, error: { code, message } };
  return { result, text: "refused", failure: message };
}

/**
 * What `--json` prints as the last line of a failed command: `code` as in docs/errors.md, null for an unexpected error.
 */
export function printError(error: unknown, code = error instanceof TwingradError ? error.code : null): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message: reason(error).replace(/^error: /, "") } })}\n`);
}

/** An error's message in one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = named(text)
    .split(/\s*\n\s*/)
    .filter(Boolean)
    .join("; ");
  return shown(line);
}

/** Prints progress notes, unless --quiet is given. */
export function note(text: string): void {
  if (!quiet) warn(text);
}

/** Prints what may change the result, such as skipped pictures, in one line: file names may contain terminal codes. */
export function warn(text: string): void {
  if (silent) return;
  process.stderr.write(`${shown(text)}\n`);
}

/**
 * Escapes line breaks in the names that the command line gave: in a text of several lines they would pass for its own.
 */
function named(text: string): string {
  const names = process.argv.slice(2).flatMap((argument) => argument.split("/"));
  const broken = names.filter((name) => name.trim().includes("\n"));
  return broken.reduce((escaped, name) => escaped.replaceAll(name, shown(name)), text);
}

/** Four significant digits: enough to compare, few enough to read. */
export const digits = (value: number) => Number(value.toPrecision(4)).toString();
export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
