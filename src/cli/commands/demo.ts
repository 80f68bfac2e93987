// twingrad demo: the whole pipeline on synthetic faces, from training to a report.
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
      "Runs the whole pipeline on synthetic faces: trains, evaluates on unseen people, enrolls, identifies, and writes a report.",
    )
    .option("--seed <number>", "seed of the people, their pictures, the network and the batches", wholeNumber(0), 1)
    .option("--steps <count>", "number of training steps", wholeNumber(1), defaultSteps)
    .option("--report <file>", "path of the HTML report", join("twingrad-demo", "report.html"))
    .option("--cache <folder>", "folder that caches the generated pictures for later runs", join(".cache", "faces"));
  action(tunable(command), async (options: DemoOptions) => (await import("../demo/run.ts")).runDemo(options));
}
