// The programs of README.md and docs/, as they stand there: they compile, and run in Node beside the installed library.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { drawFiles } from "./support/drawn.ts";
import { commandsOf, readExamples } from "./support/examples.ts";
import { commandLine, withoutTypes } from "./support/installed.ts";
import { run } from "./support/run.ts";
import { complaints, settings } from "./support/typeScript.ts";

const examples = await readExamples();
const programs = examples.filter(({ language, notRun }) => /^(ts|js)$/.test(language) && !notRun);
const fileOf = (place: string) => `${place.replace(/[^\w]/g, "-")}.ts`;
let folder: string;

beforeAll(async () => {
  const installed = await commandLine();
  folder = path.join(installed, "examples");
  await drawFiles(folder);
  for (const { place, text } of programs) await writeFile(path.join(folder, fileOf(place)), text);
  const network = ["--image-size", "56x46", "--channels", "1", "--filters", "8,8", "--embedding", "128"];
  await run(folder, "npx", "twingrad", "train", "people/", "--out", "model/", ...network, "--steps", "2", "--no-tune");
}, 300_000);

it("each example is run, is asked whether it is right, or says why not", () => {
  for (const { place, language } of examples) expect(language, place).toMatch(/^(ts|js|sh|json|python)$/); // what the tests take
  const shells = examples.filter(({ language, notRun }) => language === "sh" && !notRun);
  for (const shell of shells) for (const command of commandsOf(shell)) expect(command).toMatch(/^npx twingrad /);
  const notRun = examples.filter((example) => example.notRun);
  console.log(
    [
      `${examples.length} examples: ${programs.length} programs, ${examples.length - programs.length - notRun.length} of commands and settings, ${notRun.length} not run:`,
      ...notRun.map(({ place, notRun }) => `  ${place}: ${notRun}`),
    ].join("\n"),
  );
});

it.each(Object.keys(settings) as (keyof typeof settings)[])("the programs compile under strict %s", (name) => {
  const files = programs.map(({ place }) => path.join(folder, fileOf(place)));
  expect(files.length).toBeGreaterThan(0);
  expect(complaints(files, { ...settings[name], types: [] })).toBe("");
});

// README.md's has pictures of its own, below.
const others = programs.filter(({ place }) => !place.startsWith("README.md"));
it.each(others.map(({ place, text }) => [place, text]))("%s runs", { timeout: 120_000 }, async (place, text) => {
  const file = fileOf(place).replace(".ts", ".js");
  await writeFile(path.join(folder, file), await withoutTypes(text));
  console.log(`${place}: ${(await run(folder, "node", file)).trimEnd()}`);
});

it("README.md's program tells held-out identities apart on the faces that README.md names", {
  timeout: 300_000,
}, async () => {
  const { place, text } = programs.find(({ place }) => place.startsWith("README.md"))!;
  const faces = path.join(folder, "drawn");
  await mkdir(faces);
  await run(faces, "npx", "twingrad", "draw", "people/");
  await writeFile(path.join(faces, "readme.js"), await withoutTypes(text));
  const printed = await run(faces, "node", "readme.js");
  console.log(`${place}: ${printed.trimEnd()}`);
  const readme = await readFile(path.resolve(import.meta.dirname, "../../README.md"), "utf8");
  const stated = /balanced accuracy of (0\.\d+) and an AUC of (0\.\d+) on 12/.exec(readme.replace(/\s+/g, " "))!;
  const [, balanced, auc] = /12 held-out identities: balanced accuracy (0\.\d+), AUC (0\.\d+)/.exec(printed)!;
  // Another adapter sums in another order, and a hundred steps make more of that.
  expect(Math.abs(Number(balanced) - Number(stated[1]))).toBeLessThan(0.03);
  expect(Math.abs(Number(auc) - Number(stated[2]))).toBeLessThan(0.03);
});
