// Damaged files in the browser's storage: each is said in a sentence, what can be read is used, and nothing is lost.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { randomModel } from "../exchange/models.ts";
import { peopleFolders, pictureFiles } from "./fakeCamera.ts";
import { choose, dismissed, inEveryLook, openStudio, type Studio, seriousIn, set } from "./studioPage.ts";

let studio: Studio;
const path = (name: string) => studio.path(name);
const text: Studio["text"] = (...asked) => studio.text(...asked);
const trained = "Trained for 10 steps";

beforeAll(async () => {
  studio = await openStudio({
    async prepare(path) {
      await peopleFolders((name) => path(join("people", name)), { first: 1, count: 5, each: 3 });
      await mkdir(path("late/late"), { recursive: true });
      await pictureFiles(40, 2, (n) => path(`late/late/${n}.png`));
      await pictureFiles(41, 2, (n) => path(`ada-${n}.png`));
      const network = { imageSize: [32, 32, 3], embeddingActivation: "linear" } as const;
      await writeFile(path("faces.safetensors"), await randomModel({ loss: "contrastive", network }));
    },
  });
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());
beforeEach(() => {
  studio.errors.length = 0;
});

/** The names in a folder below studio/. */
const names = (where: string) =>
  studio.page.evaluate(async (where) => {
    let folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    for (const part of where.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(part);
    const found: string[] = [];
    for await (const [name] of folder) found.push(name);
    return found.sort();
  }, where);

/** The text of a file below studio/. */
const stored = (file: string) =>
  studio.page.evaluate(async (file) => {
    let folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const parts = file.split("/");
    for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
    return (await (await folder.getFileHandle(parts[parts.length - 1])).getFile()).text();
  }, file);

/** Changes the text of a file below studio/; undefined removes it. */
const damage = (file: string, change: string, argument?: string | number) =>
  studio.page.evaluate(
    async (file, change, argument) => {
      let folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
      const parts = file.split("/");
      for (const part of parts.slice(0, -1)) folder = await folder.getDirectoryHandle(part);
      const handle = await folder.getFileHandle(parts[parts.length - 1]);
      const before = await (await handle.getFile()).text();
      const after =
        change === "cut"
          ? before.slice(0, Math.floor(before.length * (argument as number)))
          : change === "set"
            ? (argument as string)
            : JSON.stringify({ ...JSON.parse(before), version: argument });
      const stream = await handle.createWritable();
      await stream.write(after);
      await stream.close();
      return before;
    },
    file,
    change,
    argument ?? null,
  );

/** Reloads, and returns what the page says was damaged. */
async function reloaded(line: string | RegExp): Promise<string> {
  const { page } = studio;
  await page.reload();
  const told = await dismissed(studio);
  await studio.until((now) => (typeof line === "string" ? now.line === line : line.test(now.line)), 60);
  expect(await page.$("main > [role=alert]")).toBeNull();
  return told;
}

it("finds people and pictures again when the list of people is damaged", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  await page.locator("input[webkitdirectory]").waitHandle();
  await choose(page, "Folder with pictures", path("people"));
  await studio.until(({ line }) => line === "Ready: 15 pictures of 5 people", 60);
  const whole = await damage("data.json", "cut", 0.6);
  const pictures = await names("pictures");
  expect(pictures).toHaveLength(15);
  // Cut, and no run knows the rest.
  expect(await reloaded(/^Ready: 15 pictures of \d people$/)).toMatch(
    /^The list of your people was damaged\. No picture is lost: \d pictures of [23] people were found again\. \d+ pictures whose person is not known are under “Recovered pictures”: .*kept as data\.damaged\.json\.$/,
  );
  expect(await names("pictures")).toEqual(pictures);
  await page.waitForFunction(() => document.querySelectorAll("main img.thumb").length >= 7, { timeout: 30_000 });
  await inEveryLook(page, "data-recovered", async (look) => expect(await seriousIn(page, look)).toEqual([]));
  // Added again, they move to their people, and the group of the others is gone.
  await choose(page, "Folder with pictures", path("people"));
  await studio.until(({ line }) => line === "Ready: 15 pictures of 5 people", 60);
  await text(/person 5/);
  await text(/^(?!.*Recovered pictures)/);
  await press("Clear the list");
  // Valid JSON of a wrong shape, and an empty file: everything is unsorted, nothing is lost.
  for (const [n, wrong] of ["null", "[]", "3", '{"version":1}', ""].entries()) {
    await damage("data.json", "set", wrong);
    expect(await reloaded("Ready: 15 pictures of 0 people"), wrong).toContain(`kept as data.damaged-${n + 2}.json`);
  }
  await text(/15 pictures, not used for training/);
  await text(/Training needs pictures of at least two people/);
  expect(await names("pictures")).toEqual(pictures);
  await damage("data.json", "set", whole);
  await page.reload();
  await studio.until(({ line }) => line === "Ready: 15 pictures of 5 people", 60);
  expect(studio.errors).toEqual([]);
});

it("finds people again from the runs that they trained", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  for (const steps of [10, 500]) {
    await press("Train", "tab");
    await set(page, "Steps", steps);
    await set(page, "Evaluate every", 4);
    await press("Start training");
    if (steps === 10) await studio.until(({ line }) => line.startsWith(trained), 120);
  }
  await studio.until(({ state, step }) => state === "training" && step > 9, 120);
  await press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
  await press("Data", "tab");
  await choose(page, "Folder with pictures", path("late"));
  await text(/2 pictures added/);
  await damage("data.json", "cut", 0);
  expect(await reloaded(/^Paused at/)).toMatch(
    /15 pictures of 5 people were found again\. 2 pictures whose person is not known are under/,
  );
  await press("Train", "tab");
  await press("Resume");
  await studio.until(({ state }) => state === "training", 60);
  await press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
});

it("keeps the other runs, and a damaged run's model or checkpoint", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  const [first, second] = await names("runs");
  await press("Recognize", "tab");
  await page.waitForSelector("#enroll-name", { timeout: 60_000 });
  await page.locator("#enroll-name").fill("Ada");
  await choose(page, "Pictures to enroll", path("ada-0.png"));
  await press("Enroll");
  await text(/Ada\u2069: 1 picture enrolled/, 60);
  const finished = await damage(`runs/${first}/run.json`, "set", "null");
  expect(await reloaded(/^Paused at/)).toMatch(
    /^The record of a run was damaged\. Its model is kept as “Recovered model /,
  );
  await text(/Recovered model .* \(imported\)/, 60);
  await text(/1 person in the gallery/, 60); // the same model has the same people
  await press("Train", "tab");
  await text(/^(?!.*Run 1)/);
  expect(await names(`runs/${first}`)).toContain("run.damaged.json");
  expect(finished).toContain('"name":"Run 1"');
  await damage(`runs/${second}/run.json`, "cut", 0.5);
  expect(await reloaded(/^Ready/)).toMatch(/Its model is kept as “Recovered model /); // the best checkpoint
  await page.reload(); // told once
  await studio.until(({ line }) => /^Ready/.test(line), 60);
  expect(await names("runs")).toEqual([first, second]);
  await press("Recognize", "tab");
  await page.waitForFunction(() => document.querySelectorAll("#recognize-model option").length === 2, {
    timeout: 60_000,
  });
});

it("keeps the other galleries and models when one is damaged", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  const gallery = (await names("recognition")).find((name) => name.startsWith("gallery-"))!;
  await text(/1 person in the gallery/, 60);
  await page.locator("#enroll-name").fill("Bob");
  await choose(page, "Pictures to enroll", path("ada-1.png"));
  await press("Enroll");
  await text(/2 people in the gallery/, 60);
  await damage(`recognition/${gallery}`, "cut", 0.6); // within the covers, or the second person
  expect(await reloaded(/^Ready/)).toMatch(
    /^The people enrolled for this model were damaged\. (1 person|2 people) could be read/,
  );
  await text(/[12] (person|people) in the gallery/, 60);
  for (const wrong of ["", "null", "[]", "7", '{"gallery":{},"covers":null}']) {
    await damage(`recognition/${gallery}`, "set", wrong);
    expect(await reloaded(/^Ready/), wrong).toMatch(/Nobody could be read; enroll the others again/);
    await text(/0 people in the gallery/, 60);
  }
  await choose(page, "Import model: file", path("faces.safetensors"));
  await text(/faces \(imported\)/, 60);
  for (const wrong of ["", "null", "[1]", '{"version":1,"imported":{}}']) {
    await damage("recognition/recognition.json", "set", wrong);
    expect(await reloaded(/^Ready/), wrong).toMatch(
      /^The list of imported models was damaged\. 3 models of it were found again/,
    );
  }
  await page.waitForFunction(() => document.querySelectorAll("#recognize-model option").length === 3, {
    timeout: 60_000,
  });
  const model = (await names("recognition")).find((name) => name.startsWith("imported-"))!;
  await page.select("#recognize-model", model.replace(".safetensors", ""));
  await expect
    .poll(() => stored("recognition/recognition.json"), { timeout: 60_000 })
    .toContain(`"model":"${model.replace(".safetensors", "")}"`);
  await damage(`recognition/${model}`, "cut", 0.3);
  await page.reload();
  await dismissed(studio);
  await text(/This model could not be opened\. Choose another one/, 60);
  const other = (await names("recognition")).filter((name) => name.startsWith("imported-"))[1];
  await page.select("#recognize-model", other.replace(".safetensors", ""));
  await page.waitForSelector("#enroll-name", { timeout: 60_000 });
});

it("changes nothing that a newer version has stored", { timeout: 120_000 }, async () => {
  const { page } = studio;
  const before = await names("pictures");
  for (const file of ["data.json", "recognition/recognition.json"]) {
    await damage(file, "version", 2);
    await page.reload();
    const alert = await page.waitForSelector("main > [role=alert]", { timeout: 60_000 });
    expect(await alert!.evaluate((one) => one.textContent)).toMatch(/written by a newer version of the studio/);
    expect(await names("pictures")).toEqual(before);
    expect(await damage(file, "version", 1)).toMatch(/"version":2/);
  }
  await page.reload();
  await studio.until(({ line }) => /^Ready: 17 pictures/.test(line), 60);
});
