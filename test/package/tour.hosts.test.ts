// The commands of README.md and docs/, as they stand there: those of the tour run one after the other on drawn pictures, of
// the others it is asked whether each command, option and value is one.
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "vitest";
import { readExamples } from "./support/examples.ts";
import { outcome, run } from "./support/run.ts";
import { listed, runTour, tourFolders } from "./support/tour.ts";

const examples = (await readExamples()).filter(({ language, notRun }) => language === "sh" && !notRun);
const others = examples.filter((example) => !example.tour);
const folders = tourFolders();

runTour(
  examples.filter((example) => example.tour),
  folders,
);

it.each(listed(others))("%s: %s", { timeout: 60_000 }, async (_, command) => {
  const [program, ...parameters] = command.split(" ").filter((word) => word);
  const { status, stderr } = await outcome(folders.empty, program, ...parameters);
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
    await writeFile(path.join(folders.drawn, "training.json"), text);
    await run(
      folders.drawn,
      "npx",
      "twingrad",
      "augment",
      "ada-1.jpg",
      "--out",
      "sheet.png",
      "--config",
      "training.json",
    );
  }
});
