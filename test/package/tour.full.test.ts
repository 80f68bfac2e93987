// The commands of README.md and docs/, as they stand there: those of the tour run one after the other on drawn pictures, of
// the others it is asked whether each command, option and value is one.
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { drawFiles } from "./support/drawn.ts";
import { commandsOf, type Example, readExamples } from "./support/examples.ts";
import { commandLine } from "./support/installed.ts";
import { outcome, run } from "./support/run.ts";

const examples = (await readExamples()).filter(({ language, notRun }) => language === "sh" && !notRun);
const tour = examples.filter((example) => example.tour);
const others = examples.filter((example) => !example.tour);
const listed = (examples: Example[]) =>
  examples.flatMap((example) => commandsOf(example).map((command) => [example.place, command] as const));

let folder: string;
let empty: string;

beforeAll(async () => {
  const installed = await commandLine();
  [folder, empty] = [path.join(installed, "tour"), path.join(installed, "empty")];
  await mkdir(empty);
  await drawFiles(folder);
}, 300_000);

/** A training of the docs would take minutes here: it stops after two steps, a resumed one after four; no kernels are timed. */
function short(command: string): string {
  if (!/^npx twingrad train /.test(command)) return command;
  return `${command} --steps ${command.includes("--resume") ? 4 : 2} --no-tune`;
}

describe("the tour", () => {
  it.each(listed(tour))("%s: %s", { timeout: 120_000 }, async (_, command) => {
    const [program, ...parameters] = short(command)
      .split(" ")
      .filter((word) => word);
    const { status, stdout, stderr } = await outcome(folder, program, ...parameters);
    console.log((stdout || stderr).trimEnd().split("\n").at(-1));
    // Two steps do not teach what a live person looks like, nor to tell identities apart at one false accept in a thousand.
    const refused =
      (command.includes("--liveness") && /: rejected as a presentation attack/.test(stderr)) ||
      (command.includes("calibrate") && /--far 0.001 cannot be reached/.test(stderr));
    expect(status, stderr).toBe(refused ? 1 : 0);
  });
});

it.each(listed(others))("%s: %s", { timeout: 60_000 }, async (_, command) => {
  const [program, ...parameters] = command.split(" ").filter((word) => word);
  const { status, stderr } = await outcome(empty, program, ...parameters);
  console.log(stderr.trim());
  if (command.endsWith("--help")) {
    expect(status, stderr).toBe(0);
    return;
  }
  // 2 is wrong usage; here all is in order but that there are no such files.
  expect(status, stderr).toBe(1);
  expect(stderr).toMatch(/no such (model|file|folder)|not found/);
});

it("the configurations of the docs are taken", { timeout: 60_000 }, async () => {
  const configurations = (await readExamples()).filter(({ language }) => language === "json");
  expect(configurations.length).toBeGreaterThan(0);
  for (const { text } of configurations) {
    await writeFile(path.join(folder, "training.json"), text);
    await run(folder, "npx", "twingrad", "augment", "ada-1.jpg", "--out", "sheet.png", "--config", "training.json");
  }
});
