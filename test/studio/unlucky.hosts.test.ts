// A user who clicks twice, reloads, deletes and unplugs at the wrong moment, and other conditions of the machine.
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cameraArguments, peopleFolders, pictureFiles } from "./fakeCamera.ts";
import {
  choose,
  dismissed,
  inEveryLook,
  keptRuns,
  openStudio,
  pictures,
  type Studio,
  seriousIn,
  set,
} from "./studioPage.ts";

let studio: Studio;
const path = (name: string) => studio.path(name);
const text: Studio["text"] = (...asked) => studio.text(...asked);

beforeAll(async () => {
  studio = await openStudio({
    args: () => cameraArguments(),
    async prepare(path) {
      await peopleFolders((name) => path(join("two", name)), { first: 1, count: 2, each: 2 });
      await peopleFolders((name) => path(join("many", name)), { first: 3, count: 100, each: 5 });
      await pictureFiles(150, 2, (n) => path(`ada-${n}.png`));
    },
  });
  await studio.enter();
}, 240_000);
afterAll(() => studio?.close());

/** The middle of an element, or another place in it, in the window. */
async function placeOf(selector: string, x = 0.5): Promise<{ x: number; y: number }> {
  const found = (await studio.page.waitForSelector(selector))!;
  await found.evaluate((one) => one.scrollIntoView({ block: "center" }));
  const box = (await found.boundingBox())!;
  return { x: box.x + x * box.width, y: box.y + box.height / 2 };
}
const button = (name: string) => `::-p-aria([name='${name}'][role='button'])`;

/** The names below studio/recognition/. */
const galleries = () =>
  studio.page.evaluate(async () => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const names: string[] = [];
    for await (const [name] of await studio.getDirectoryHandle("recognition", { create: true })) names.push(name);
    return names.filter((name) => name.startsWith("gallery"));
  });

async function rename(field: string, name: string): Promise<string> {
  const { page } = studio;
  const input = (await page.waitForSelector(field))!;
  await input.evaluate((one, name) => {
    (one as HTMLInputElement).value = name;
    one.dispatchEvent(new Event("change", { bubbles: true }));
  }, name);
  return page.$eval(field, (one) => (one as HTMLInputElement).value);
}
const value = (field: string) => studio.page.$eval(field, (one) => (one as HTMLInputElement).value);

it("refuses names that exist, are blank or endless, and shows the old one", { timeout: 60_000 }, async () => {
  const { page, press } = studio;
  await page.locator("input[webkitdirectory]").waitHandle();
  await choose(page, "Folder with pictures", path("two"));
  await studio.until(({ line }) => line === "Ready: 4 pictures of 2 people", 60);
  await press("Open person 1");
  const field = ".person-open input.text";
  for (const [name, reason] of [
    ["person 2", /already a person called person 2/],
    ["x".repeat(10_000), /has 10,000 characters; the limit is 200/],
    ["\u202egnp.exe", /invisible characters/],
  ] as const) {
    await rename(field, name);
    expect(await dismissed(studio)).toMatch(reason);
    expect(await value(field)).toBe("person 1");
  }
  await rename(field, "   ");
  await expect.poll(() => value(field)).toBe("person 1");
  await press("Close");
});

it("takes a double-click on a question, or on the first of a list, for one click", { timeout: 60_000 }, async () => {
  const { page, press } = studio;
  for (const x of [0.1, 0.5, 0.9]) {
    const place = await placeOf(button("Delete everything"), x);
    await page.mouse.click(place.x, place.y, { count: 2, delay: 30 });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await studio.told()).line).toBe("Ready: 4 pictures of 2 people");
    const keep = await page.$(button("Keep"));
    await keep?.click();
  }
  await press("Open person 2");
  await page.waitForFunction(() => document.querySelectorAll(".thumbs-large li").length === 2);
  const place = await placeOf(".thumbs-large li button");
  await page.mouse.click(place.x, place.y);
  await page.waitForSelector(".thumbs-large li .actions .danger");
  const yes = await placeOf(".thumbs-large li .actions .danger");
  await page.mouse.click(yes.x, yes.y);
  await page.waitForFunction(() => document.querySelectorAll(".thumbs-large li").length === 1);
  await page.mouse.down({ clickCount: 2 }); // the second click of a double-click, after the list has moved
  await page.mouse.up({ clickCount: 2 });
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await studio.told()).line).toBe("Ready: 3 pictures of 2 people");
});

it("trains on two people with two pictures each, whatever the clock says, and changes no paused run", {
  timeout: 240_000,
}, async () => {
  const { page, press } = studio;
  await choose(page, "Folder with pictures", path("two"));
  await studio.until(({ line }) => line === "Ready: 4 pictures of 2 people", 60);
  await press("Train", "tab");
  await set(page, "Steps", 10);
  await press("Start training");
  await studio.until(({ state }) => state === "trained", 120);
  // The clock goes back by a year, and another run is paused.
  await postpone(365 * 24 * 3600 * 1000);
  await page.reload();
  await studio.until(({ state }) => state === "trained", 60);
  await set(page, "Steps", 400);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 2, 90);
  await page.reload();
  await studio.until(({ state, step }) => state === "training" && step >= 2, 90);
  await press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
  await set(page, "Steps", 20);
  await set(page, "Learning rate", 0.5);
  const [paused] = (await keptRuns(page)).filter(({ status }) => status === "paused");
  expect(paused).toMatchObject({ name: "Run 2", settings: { steps: 400, learningRate: 0.01 } });
  expect(await rename("input[aria-label='Name of Run 2']", "  ")).toBe("Run 2");
});

/** As if all runs had begun later than now. */
const postpone = (later: number) =>
  studio.page.evaluate(async (later) => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const runs = await studio.getDirectoryHandle("runs");
    for await (const [name] of runs) {
      const file = await (await runs.getDirectoryHandle(name)).getFileHandle("run.json");
      const run = JSON.parse(await (await file.getFile()).text());
      const stream = await file.createWritable();
      await stream.write(JSON.stringify({ ...run, created: run.created + later }));
      await stream.close();
    }
  }, later);

it("hits what was pressed, though the run ends while the pointer is down", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  await press("Resume");
  await studio.until(({ state }) => state === "training", 90);
  await page.setViewport({ width: 1280, height: 2400 }); // nothing is scrolled, so the browser keeps nothing in its place
  const place = await placeOf("input[aria-label='Run 1 in the charts']");
  await page.$eval(button("Stop"), (one) => (one as HTMLButtonElement).click()); // without scrolling
  await page.mouse.move(place.x, place.y);
  await page.mouse.down();
  await studio.until(({ state }) => state === "trained", 90);
  await page.mouse.up();
  await text(/Setting(Run 2Run 1|Run 1Run 2)/, 5);
  await page.setViewport({ width: 1280, height: 900 });
  expect(await page.$eval("input[aria-label='Run 1 in the charts']", (one) => (one as HTMLInputElement).checked)).toBe(
    true,
  );
});

it("does not resume a run without its pictures, and keeps its best checkpoint when it is stopped", {
  timeout: 240_000,
}, async () => {
  const { page, press } = studio;
  await set(page, "Steps", 400);
  await set(page, "Evaluate every", 2);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 4, 90);
  await press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
  await press("Data", "tab");
  for (const person of ["person 1", "person 2"]) {
    await press(`Open ${person}`);
    await press("Remove this person");
    await press("Remove");
    await text(new RegExp(`^(?!.*${person})`));
  }
  await press("Train", "tab");
  await press("Resume");
  expect(await dismissed(studio)).toMatch(
    /^Run 3 began with 4 pictures that were removed since.*Stop it to use its best/,
  );
  await press("Stop");
  await studio.until(({ state }) => state === "trained", 60);
  expect((await keptRuns(page)).at(-1)).toMatchObject({ name: "Run 3", status: "stopped", hasModel: true });
  await press("Data", "tab");
  await choose(page, "Folder with pictures", path("two"));
  await studio.until(({ line }) => /^Trained/.test(line), 60);
});

it("forgets who was enrolled with a model when the model is deleted", { timeout: 120_000 }, async () => {
  const { page, press } = studio;
  await press("Recognize", "tab");
  await page.waitForSelector("#enroll-name", { timeout: 60_000 });
  const enroll = async (name: string, file: string) => {
    await page.locator("#enroll-name").fill(name);
    await choose(page, "Pictures to enroll", path(file));
    await press("Enroll");
    await text(new RegExp(`${name}\u2069: 1 picture enrolled`), 60);
  };
  await enroll("Ada", "ada-0.png");
  await enroll("Bob", "ada-1.png");
  expect(await galleries()).toHaveLength(1);
  const using = await page.$eval("#recognize-model", (one) => (one as HTMLSelectElement).selectedOptions[0].text);
  const run = /Run \d/.exec(using)![0];
  await press("Train", "tab");
  await press(`Delete ${run}`);
  await text(new RegExp(`Delete ${run}, its model, and the people enrolled with it\\?`));
  await inEveryLook(page, "train-delete", async (look) => expect(await seriousIn(page, look)).toEqual([]));
  await press("Delete");
  await text(new RegExp(`^(?!.*${run})`));
  expect(await galleries()).toEqual([]);
  await press("Recognize", "tab");
  await text(/0 people in the gallery|No model yet/, 60);
});

it("releases a camera that is unplugged, in the middle of a burst", { timeout: 120_000 }, async () => {
  const { page, press } = studio;
  await press("Start camera");
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0, { timeout: 30_000 });
  await press("Take 5");
  await page.waitForSelector(".tray li");
  await page.evaluate(() => {
    const [track] = (document.querySelector("video")!.srcObject as MediaStream).getTracks();
    track.stop();
    track.dispatchEvent(new Event("ended"));
  });
  await text(/The camera stopped: it was unplugged/);
  await press("Start camera");
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0, { timeout: 30_000 });
  await page.waitForFunction(
    () => ![...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Take 5")!.disabled,
  );
  await press("Stop camera");
});

it("deletes everything while training, and resumes nothing meanwhile", { timeout: 240_000 }, async () => {
  const { page, press } = studio;
  await press("Train", "tab");
  await set(page, "Steps", 400);
  await set(page, "Evaluate every", 100);
  await press("Start training");
  await studio.until(({ state, step }) => state === "training" && step >= 2, 90);
  await press("Data", "tab");
  await press("Delete everything");
  await press("Yes, delete all");
  await page.evaluate(() => {
    location.hash = "train";
    // Presses Resume in the moment that it can be pressed.
    const timer = setInterval(() => {
      const found = [...document.querySelectorAll("button")].find(({ textContent }) => textContent === "Resume");
      if (found && !found.disabled) found.click();
    }, 1);
    setTimeout(() => clearInterval(timer), 10_000);
  });
  await studio.until(({ line }) => line === "Ready. Add pictures to begin.", 60);
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect((await studio.told()).line).toBe("Ready. Add pictures to begin.");
  await page.reload();
  await studio.until(({ line }) => line === "Ready. Add pictures to begin.", 60);
  const left = await page.evaluate(async () => {
    const names: string[] = [];
    for await (const [name] of await navigator.storage.getDirectory()) names.push(name);
    return names;
  });
  expect(left).toEqual([]);
});

it("loses no stored picture by a reload in the middle of 500 files", { timeout: 240_000 }, async () => {
  const { page } = studio;
  await page.goto(`${studio.url}#data`);
  await page.locator("input[webkitdirectory]").waitHandle();
  await choose(page, "Folder with pictures", path("many"));
  await studio.until(({ line }) => {
    const [, done] = /^Adding pictures: (\d+) of 500$/.exec(line) ?? [];
    return Number(done) > 250;
  }, 120);
  await page.reload();
  const { line } = await studio.until(({ state }) => state === "idle", 60);
  const [, kept] = /^Ready: (\d+) pictures of \d+ people$/.exec(line)!;
  expect(Number(kept)).toBeGreaterThanOrEqual(200);
  await choose(page, "Folder with pictures", path("many"));
  await studio.until(({ line }) => line === "Ready: 500 pictures of 100 people", 120);
});

it("stays legible in forced colors, and at 200 % zoom", { timeout: 120_000 }, async () => {
  const { page, press } = studio;
  const cdp = await page.createCDPSession();
  const features = [
    { name: "forced-colors", value: "active" },
    { name: "prefers-color-scheme", value: "dark" },
  ];
  await cdp.send("Emulation.setEmulatedMedia", { features });
  for (const tab of ["Data", "Train"]) {
    await press(tab, "tab");
    await new Promise((resolve) => setTimeout(resolve, 500));
    const [chosen, other] = await page.$$eval("[role=tab]", (tabs) =>
      ["true", "false"].map((selected) => {
        const style = getComputedStyle(tabs.find((one) => one.ariaSelected === selected)!);
        return `${style.borderBottomColor} ${style.color} ${style.backgroundColor}`;
      }),
    );
    expect(chosen).not.toBe(other);
    await page.screenshot({ path: join(pictures, `forced-${tab.toLowerCase()}.png`) });
  }
  await cdp.send("Emulation.setEmulatedMedia", { features: [] });
  await page.setViewport({ width: 640, height: 400, deviceScaleFactor: 2 });
  for (const tab of ["Data", "Train"]) {
    await press(tab, "tab");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(640);
  }
  expect(studio.errors).toEqual([]);
});
