#!/usr/bin/env node
// The command line. Results go to standard output, everything else to standard error; 0 done, 1 failed, 2 wrong
// usage, 130 interrupted (Ctrl-C).
import { existsSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { version } from "../internal.ts";
import { tolerateClosedOutput } from "./closedOutput.ts";
import { addAugment } from "./commands/augment.ts";
import { addCalibrate } from "./commands/calibrate.ts";
import { addCompletion } from "./commands/completion.ts";
import { addDemo } from "./commands/demo.ts";
import { addDevices } from "./commands/devices.ts";
import { addEnroll } from "./commands/enroll.ts";
import { addEvaluate } from "./commands/evaluate/evaluate.ts";
import { addEmbed } from "./commands/exchange/embed.ts";
import { addExport } from "./commands/exchange/export.ts";
import { addImport } from "./commands/exchange/import.ts";
import { addForget } from "./commands/forget.ts";
import { addIdentify } from "./commands/identify.ts";
import { addRecapture } from "./commands/recapture.ts";
import { addRecords } from "./commands/records.ts";
import { addStudio } from "./commands/studio.ts";
import { addTrain } from "./commands/train.ts";
import { addVerify } from "./commands/verify.ts";
import { printError, reason } from "./outcome.ts";
import { abortRanks, isDistributed } from "./run/ranks.ts";

const unwritten = tolerateClosedOutput();

const program = new Command("twingrad")
  .description("Learns to tell people apart from a few pictures each, on the GPU, and recognises people it never saw.")
  .version(version, "-V, --version", "print the version")
  .showHelpAfterError("(twingrad --help and twingrad COMMAND --help tell what there is)")
  .exitOverride();
addDemo(program);
addTrain(program);
addEvaluate(program);
addEmbed(program);
addImport(program);
addExport(program);
addCalibrate(program);
addEnroll(program);
addVerify(program);
addIdentify(program);
addForget(program);
addAugment(program);
addRecapture(program);
addRecords(program);
addDevices(program);
addStudio(program);
addCompletion(program);

try {
  // Node puts U+FFFD for what is no UTF-8: two names could become one, and a path leads nowhere.
  const lost = process.argv.find((text) => text.includes("\ufffd") && !existsSync(text));
  if (lost !== undefined)
    program.error(`error: "${lost}" is not UTF-8: rename the file, as with convmv, or set the terminal to UTF-8`, {
      exitCode: 2,
    });
  await program.parseAsync();
  await finish(Number(process.exitCode ?? 0));
} catch (error) {
  if (error instanceof CommanderError) {
    // Asking for help is no mistake; everything else that the parser throws is.
    const asked = /^commander\.(helpDisplayed|version)$/.test(error.code) || error.exitCode === 0;
    if (!asked && process.argv.includes("--json")) printError(error, "BAD_INPUT");
    await finish(asked ? 0 : 2);
  }
  // Of a distributed run the others would wait for this rank.
  if (isDistributed()) await finish(1, () => abortRanks(reason(error)));
  process.stderr.write(`twingrad: ${reason(error)}\n`);
  await finish(1);
}

/** Ends the process once all output is written: the GPU's own threads would keep it alive. */
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
