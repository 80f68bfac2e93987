#!/usr/bin/env node
// The command line. Results go to standard output, everything else to standard error; 0 done, 1 failed, 2 wrong
// usage, 130 interrupted (Ctrl-C).
import { existsSync } from "node:fs";
import { CommanderError } from "commander";
import { tolerateClosedOutput } from "./closedOutput.ts";
import { printError, reason } from "./outcome.ts";
import { program } from "./program.ts";
import { abortRanks, isDistributed } from "./run/ranks.ts";

const unwritten = tolerateClosedOutput();

try {
  // Node replaces invalid UTF-8 by U+FFFD: two names could become one, and a path would not exist.
  const lost = process.argv.find((text) => text.includes("\ufffd") && !existsSync(text));
  if (lost !== undefined)
    program.error(`error: "${lost}" is not UTF-8: rename the file, as with convmv, or set the terminal to UTF-8`, {
      exitCode: 2,
    });
  await program.parseAsync();
  await finish(Number(process.exitCode ?? 0));
} catch (error) {
  if (error instanceof CommanderError) {
    // --help and --version also throw; everything else that the parser throws is a usage error.
    const asked = /^commander\.(helpDisplayed|version)$/.test(error.code) || error.exitCode === 0;
    if (!asked && process.argv.includes("--json")) printError(error, "BAD_INPUT");
    await finish(asked ? 0 : 2);
  }
  // In a distributed run the other ranks would wait for this one.
  if (isDistributed()) await finish(1, () => abortRanks(reason(error)));
  process.stderr.write(`twingrad: ${reason(error)}\n`);
  await finish(1);
}

/** Ends the process once all output is written: the GPU's threads would keep it alive. */
async function finish(status: number, last?: () => void): Promise<never> {
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise<void>((done) => stream.write("", () => done()))),
  );
  const error = unwritten();
  if (error) {
    const line = `twingrad: standard output cannot be written: ${error.message}\n`;
    await new Promise<void>((done) => process.stderr.write(line, () => done()));
  }
  last?.();
  process.exit(error && status === 0 ? 1 : status);
}
