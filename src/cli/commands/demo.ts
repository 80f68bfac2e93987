// twingrad demo: the main job on drawn faces, from nothing to a report.
import { join } from "node:path";
import type { Command } from "commander";
import type { DemoOptions } from "../demo/run.ts";
import { tunable } from "../options/tuneOption.ts";
import { wholeNumber } from "../options/values.ts";
import { action } from "../outcome.ts";

const defaultSteps = 480;

export function addDemo(program: Command): void {
  const command = program
    .command("demo")
    .description(
      "The main job on drawn faces: trains, judges on people never seen, enrolls, identifies, and writes a report.",
    )
    .option("--seed <number>", "of the people, their pictures, the network and the batches", wholeNumber(0), 1)
    .option("--steps <count>", "of training", wholeNumber(1), defaultSteps)
    .option("--report <file>", "the HTML report", join("twingrad-demo", "report.html"))
    .option("--cache <folder>", "keeps the drawn pictures for the next run", join(".cache", "faces"));
  action(tunable(command), async (options: DemoOptions) => (await import("../demo/run.ts")).runDemo(options));
}
