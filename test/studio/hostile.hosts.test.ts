// A user who does everything wrong: each time a plain sentence, and nothing is lost.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { peopleFolders, pictureFiles } from "./fakeCamera.ts";
import { choose, keptRuns, openStudio, type Studio, set, textOf } from "./studioPage.ts";

let studio: Studio;
const path = (name: string) => studio.path(name);
const text: Studio["text"] = (...asked) => studio.text(...asked);

beforeAll(async () => {
  studio = await openStudio({
    async prepare(path) {
      const people = (folder: string, first: number, count: number, each: number) =>
        peopleFolders((name) => path(join(folder, name)), { first, count, each });
      await people("two", 1, 2, 1);
      await people("many", 1, 6, 4);
      await people("more", 7, 2, 2);
      await mkdir(path("one/Ada"), { recursive: true });
      await pictureFiles(30, 2, (n) => path(`one/Ada/${n}.png`));
      await mkdir(path("drawn/Drawn person 7"), { recursive: true });
      await pictureFiles(31, 2, (n) => path(`drawn/Drawn person 7/${n}.png`));
      await writeFile(path("one/Ada/notes.jpg"), "Dear diary");
      await writeFile(path("one/Ada/none.png"), "");
    },
  });
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());

/** Drops files as a user does. */
async function drop(at: { x: number; y: number }, ...files: string[]): Promise<void> {
  const cdp = await studio.page.createCDPSession();
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await cdp.send("Input.dispatchDragEvent", { type, ...at, data });
  }
}

const buttonState = (name: string) =>
  studio.page.$eval(`::-p-aria([name='${name}'][role='button'])`, (button) => (button as HTMLButtonElement).disabled);

it("says what is missing of a single person, and of single pictures", { timeout: 60_000 }, async () => {
  const { page } = studio;
  const place = (await (await page.waitForSelector(".drop"))!.boundingBox())!;
  await drop({ x: 5, y: place.y + place.height / 2 }, path("one/Ada/0.png")); // beside the drop area
  await drop({ x: place.x + place.width / 2, y: place.y + 20 }, path("one/Ada/0.png"));
  await text(/1 picture without a folder/);
  expect(page.url()).toBe(studio.url);
  await drop({ x: place.x + place.width / 2, y: place.y + 20 }, path("one"));
  await studio.until(({ line }) => line === "Ready: 2 pictures of 1 person", 30);
  await text(/notes\.jpgunreadable: this is not a JPEG, PNG, WebP, PGM or PPM file/);
  await text(/none\.pngunreadable: the file is empty/);
  await text(/Training needs pictures of at least two people/);
  expect(await buttonState("Continue to training")).toBe(true);
  await studio.press("Clear the list");
  await choose(page, "Folder with pictures", path("two"));
  await studio.until(({ line }) => line === "Ready: 4 pictures of 3 people", 30);
  await text(/Only one picture: training needs at least two/);
  await text(/Training needs at least two people with two pictures each/);
});

it("renames and removes by the keyboard alone, and keeps the focus", { timeout: 60_000 }, async () => {
  const { page } = studio;
  const focused = () =>
    page.evaluate(() => {
      const { ariaLabel, textContent, id } = document.activeElement as HTMLElement;
      return ariaLabel ?? (textContent || id);
    });
  const tabTo = async (name: string) => {
    for (let n = 0; n < 40; n++) {
      if ((await focused()) === name) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`${name} cannot be reached by the Tab key; the focus is at ${await focused()}`);
  };
  await tabTo("Open person 1");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".person-open");
  await expect.poll(focused).toMatch(/^name-/); // where the name can be changed
  await page.keyboard.down("Control");
  await page.keyboard.press("a");
  await page.keyboard.up("Control");
  await page.keyboard.type("Grace <i>");
  await page.keyboard.press("Enter");
  await tabTo("Remove this person");
  await page.keyboard.press("Enter");
  await text(/Remove \u2068Grace <i>\u2069 and all pictures\?/);
  await expect.poll(focused).toBe("Keep");
  await page.keyboard.press("Enter");
  await expect.poll(focused).toBe("Remove this person");
  await page.keyboard.press("Enter");
  await expect.poll(focused).toBe("Keep");
  await page.keyboard.press("Escape");
  await expect.poll(focused).toBe("Remove this person"); // of the person, who is still open
  await page.keyboard.press("Enter");
  await expect.poll(focused).toBe("Keep");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await studio.until(({ line }) => line === "Ready: 3 pictures of 2 people", 30);
});

it("starts one run when pressed twice, and goes on after a reload though pictures were added", {
  timeout: 180_000,
}, async () => {
  const { page, press } = studio;
  await choose(page, "Folder with pictures", path("many"));
  await studio.until(({ line }) => / of 7 people$/.test(line), 30);
  await press("Train", "tab");
  await set(page, "Steps", 30);
  await set(page, "Evaluate every", 5);
  const preview = await page.waitForSelector("::-p-text(Preview augmented pictures)");
  await preview!.click();
  await page.waitForFunction(() => document.querySelectorAll(".preview canvas").length === 10, { timeout: 60_000 });
  await page.$eval("::-p-aria([name='Start training'][role='button'])", (button) => {
    (button as HTMLButtonElement).click();
    (button as HTMLButtonElement).click();
  });
  await studio.until(({ state, step }) => state === "training" && step >= 6, 90);
  await press("Data", "tab");
  await choose(page, "Folder with pictures", path("more"));
  await text(/4 pictures added/);
  await page.reload();
  await studio.until(({ state, step }) => state === "trained" && step === 30, 150);
  const runs = await keptRuns(page);
  expect(runs.map(({ name, losses }) => [name, losses.length])).toEqual([["Run 1", 30]]);
});

it("stops a run at once, compares it with another, and deletes it", { timeout: 180_000 }, async () => {
  const { page, press } = studio;
  await press("Train", "tab");
  await set(page, "Steps", 500);
  await set(page, "Evaluate every", 5);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 2, 90);
  await press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
  await press("Resume");
  await studio.until(({ state }) => state === "training", 60);
  await press("Stop");
  await studio.until(({ state }) => state === "trained", 60);
  await page.focus("input[aria-label='Run 1 in the charts']");
  await page.keyboard.press("Space");
  await text(/Setting(Run 2Run 1Steps50030|Run 1Run 2Steps30500)/);
  await press("Delete Run 2");
  await press("Delete");
  await text(/^(?!.*Run 2)/);
  await studio.until(({ line }) => /^Trained for 30 steps/.test(line), 30);
  expect((await keptRuns(page)).map(({ name }) => name)).toEqual(["Run 1"]);
});

it("stops a run that is still being prepared", { timeout: 120_000 }, async () => {
  const { page, press } = studio;
  await press("Train", "tab");
  await press("Start training");
  // As soon as it can be pressed: a step later the run would have a model.
  await page.evaluate(async () => {
    const stop = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Stop")!;
    while (stop.disabled) await new Promise((resolve) => setTimeout(resolve));
    stop.click();
  });
  await studio.until(({ state }) => state === "idle", 60);
  expect((await keptRuns(page)).find(({ name }) => name === "Run 2")).toMatchObject({ status: "stopped", losses: [] });
  await press("Delete Run 2");
  await press("Delete");
  await text(/^(?!.*Run 2)/);
});

it("does not take up a run again that was stopped in a long step, though the page was closed", {
  timeout: 180_000,
}, async () => {
  const { page, press } = studio;
  await set(page, "Picture size", 96);
  await set(page, "Pictures of each person", 32);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 1, 90);
  await press("Stop");
  await studio.until(({ line }) => line === "Stopping after the current steps", 30);
  await expect.poll(async () => (await keptRuns(page)).at(-1)?.status, { timeout: 30_000 }).toBe("paused");
  await page.reload();
  await studio.until(({ state }) => state === "paused", 60);
  await press("Delete Run 2");
  await press("Delete");
  await text(/^(?!.*Run 2)/);
  await set(page, "Picture size", 32);
  await set(page, "Pictures of each person", 3);
});

it("reports a storage that fills up in training, and resumes when there is space", { timeout: 180_000 }, async () => {
  const { page, press } = studio;
  await set(page, "Steps", 20);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 6, 90);
  const cdp = await page.createCDPSession();
  const { origin } = new URL(studio.url);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 1000 });
  const { line } = await studio.until(({ state }) => state === "failed", 90);
  expect(line).toMatch(/quota of this origin is exceeded, or the disk is full/);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  await press("Resume");
  await studio.until(({ state, step }) => state === "trained" && step === 20, 90);
});

it("says so in a second tab, which goes on when the first is closed", { timeout: 180_000 }, async () => {
  const { browser, page, url } = studio;
  const second = await browser.newPage();
  await second.goto(url);
  await textOf(second, /The studio is open in another tab/, 30);
  await page.goto("about:blank");
  await textOf(second, /^Trained for 20 steps/, 60, "[role=status]");
  await second.close();
  await page.goto(url);
  await studio.until(({ state }) => state === "trained", 60);
});

it("finishes a deletion that a reload interrupted, and clears what nothing refers to", {
  timeout: 60_000,
}, async () => {
  const { page } = studio;
  const line = (await studio.told()).line;
  const names = (where: string) =>
    page.evaluate(async (where) => {
      let folder = await navigator.storage.getDirectory();
      for (const part of where.split("/").filter(Boolean)) folder = await folder.getDirectoryHandle(part);
      const found: string[] = [];
      for await (const [name] of folder) found.push(name);
      return found;
    }, where);
  const before = await names("studio/pictures");
  await page.evaluate(async () => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    await (await studio.getDirectoryHandle("pictures")).getFileHandle("0".repeat(64), { create: true });
    await (await studio.getDirectoryHandle("runs")).getDirectoryHandle("cut", { create: true });
  });
  await page.reload();
  await studio.until((told) => told.line === line, 60);
  expect(await names("studio/pictures")).toEqual(before);
  expect(await names("studio/runs")).toHaveLength(2);
  await page.evaluate(async () => {
    const root = await navigator.storage.getDirectory();
    await root.getFileHandle("studio-deletion", { create: true });
    await (await root.getDirectoryHandle("studio")).removeEntry("data.json"); // as far as it came
  });
  await page.reload();
  await studio.until((told) => told.line === "Ready. Add pictures to begin.", 60);
  expect(await names("")).toEqual([]);
});

it("removes the drawn people, and nobody else", { timeout: 60_000 }, async () => {
  const { page, press } = studio;
  await choose(page, "Folder with pictures", path("drawn"));
  await studio.until(({ line }) => / of 1 person$/.test(line), 30);
  await choose(page, "Folder with pictures", path("two"));
  await studio.until(({ line }) => / of 3 people$/.test(line), 30);
  await press("Remove drawn people");
  await text(/Remove 1 drawn person and their pictures\?/);
  await press("Remove");
  await studio.until(({ line }) => line === "Ready: 2 pictures of 2 people", 30);
});

it("fits 320 pixels, and stands still where motion is to be reduced", { timeout: 60_000 }, async () => {
  const { page, press } = studio;
  await choose(page, "Folder with pictures", path("many"));
  await studio.until(({ line }) => / of 6 people$/.test(line), 30);
  await page.setViewport({ width: 320, height: 640 });
  await page.emulateMediaFeatures([{ name: "prefers-reduced-motion", value: "reduce" }]);
  for (const tab of ["Data", "Train", "Evaluate", "Recognize", "This GPU"]) {
    await press(tab, "tab");
    await page.waitForSelector(`[role=tabpanel] .card`, { timeout: 30_000 });
    const { wide, moving } = await page.evaluate(() => ({
      wide: [...document.querySelectorAll("body *")]
        .filter((one) => !one.closest(".scroll, .hidden, .tabs") && one.getBoundingClientRect().right > 321)
        .map((one) => `${one.tagName}.${one.className} ${one.textContent}`),
      moving: document.getAnimations().length,
    }));
    expect(wide, tab).toEqual([]);
    expect(moving, tab).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth), tab).toBe(320);
  }
  expect(studio.errors).toEqual([]);
});
