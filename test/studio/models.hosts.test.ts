// Models from files in the page: evaluated on the pictures there, recognizing live through a lost GPU, with a liveness
// model and with a face finder.
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { randomModel } from "../exchange/models.ts";
import { cameraArguments, film, filmed, peopleFolders, pictureFiles } from "./fakeCamera.ts";
import { livenessOfBrightness } from "./livenessModel.ts";
import { choose, dismissed, inEveryLook, openStudio, type Studio, seriousIn } from "./studioPage.ts";

const verdict = "[aria-label='Who it is']";
const file = "[aria-label='Who is on the picture']";
const portraits = resolve("../shared/data/portraits");
const without = existsSync(portraits) ? "" : ` (portraits are skipped: ${portraits} is not here)`;

let studio: Studio;
const path = (name: string) => studio.path(name);
const text: Studio["text"] = (...asked) => studio.text(...asked);

beforeAll(async () => {
  studio = await openStudio({
    args: (path) => cameraArguments(path("camera.mjpeg")),
    async prepare(path) {
      await pictureFiles(filmed.person, 3, (n) => path(`ada-${n}.png`));
      await pictureFiles(101, 3, (n) => path(`bob-${n}.png`));
      await peopleFolders((name) => path(join("people", name)), { first: 1, count: 5, each: 3 });
      const white = { create: { width: 64, height: 64, channels: 3 as const, background: "#ffffff" } };
      await sharp(white).toFile(path("white.png"));
      await writeFile(path("no-white.safetensors"), await livenessOfBrightness("bright"));
      await writeFile(path("no-faces.safetensors"), await livenessOfBrightness("dark"));
      const network = { imageSize: [32, 32, 3], embeddingActivation: "linear" } as const;
      await writeFile(path("faces.safetensors"), await randomModel({ loss: "contrastive", network }));
      await film(path("camera.mjpeg"));
    },
  });
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());

it("evaluates a model from a file on the held-out people there, and stores its threshold", {
  timeout: 120_000,
}, async () => {
  const { page, press } = studio;
  await page.locator("input[webkitdirectory]").waitHandle();
  await choose(page, "Folder with pictures", path("people"));
  await studio.until(({ line }) => line === "Ready: 15 pictures of 5 people", 60);
  await press("Evaluate", "tab");
  await text(/Nothing to evaluate yet/);
  await choose(page, "Import model: file", path("faces.safetensors"));
  await text(/Evaluation of faces.*6 pictures of 2 held-out people\. ?This model was trained elsewhere/, 60);
  await text(/AUC \(area under the ROC curve\)\s*\d\.\d{3}/);
  const slider = await page.waitForSelector("[role=slider]");
  await slider!.focus();
  await page.keyboard.press("End");
  await press("Use this threshold");
  await text(/current threshold of the model/, 60);
  const threshold = await slider!.evaluate((one) => Number(one.ariaValueNow));
  await inEveryLook(page, "evaluate-imported", async (look) => expect(await seriousIn(page, look)).toEqual([]));
  await press("Recognize", "tab");
  await text(new RegExp(`Its threshold is ${threshold.toFixed(3)}`), 60);
  await page.reload();
  await text(new RegExp(`Its threshold is ${threshold.toFixed(3)}`), 60);
});

it("goes on recognizing, and loses nobody, when the GPU is lost", { timeout: 180_000 }, async () => {
  const { page, press, browser } = studio;
  await press("Start camera");
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0, { timeout: 30_000 });
  await page.locator("#enroll-name").fill("Ada");
  await press("Take 5");
  await page.waitForFunction(() => document.querySelectorAll(".tray li").length === 5, { timeout: 30_000 });
  await press("Enroll");
  await text(/Ada\u2069: 5 pictures enrolled/, 60);
  await text(/^Ada/, 60, verdict);
  await page.locator("#enroll-name").fill("Bob");
  await choose(page, "Pictures to enroll", ...[0, 1, 2].map((n) => path(`bob-${n}.png`)));
  const cdp = await browser.target().createCDPSession();
  await cdp.send("Browser.crashGpuProcess").catch(() => undefined); // its answer may go down with the process
  await press("Enroll"); // while the live identification opens the model again, too
  await text(/Bob\u2069: 3 pictures enrolled/, 60);
  await text(/2 people in the gallery/);
  await choose(page, "Identify a picture: file", path("bob-1.png"));
  await text(/^Bob/, 60, file);
  await text(/^Ada/, 60, verdict);
  expect(await page.$("main > [role=alert]")).toBeNull();
  await page.reload();
  await text(/2 people in the gallery/, 60);
});

it("refuses presentation attacks with a liveness model, and keeps it until it is removed", {
  timeout: 180_000,
}, async () => {
  const { page, press } = studio;
  const use = async (name: string) => {
    await choose(page, "Choose liveness model: file", path(name));
    await text(new RegExp(`${name} is in use`), 60);
  };
  await page.waitForSelector("#enroll-name", { timeout: 60_000 });
  await press("Start camera");
  await text(/^Ada/, 60, verdict);
  await use("no-faces.safetensors");
  await text(/^Not a live person/, 60, verdict);
  await page.locator("#enroll-name").fill("Mask");
  await choose(page, "Pictures to enroll", path("ada-0.png"));
  await press("Enroll");
  await text(/ada-0\.png: .*presentation attack/, 60);
  await text(/2 people in the gallery/);
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^(?!Not a live person)\S/, 60, file);
  await inEveryLook(page, "recognize-refused", async (look) => expect(await seriousIn(page, look)).toEqual([]));

  await use("no-white.safetensors");
  await text(/^Ada/, 60, verdict);
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^Not a live person/, 60, file);
  for (const broken of ["faces.safetensors", "white.png"]) {
    await choose(page, "Choose liveness model: file", path(broken));
    expect(await dismissed(studio)).toMatch(/could not be imported, and nothing has changed: /);
    await text(/no-white\.safetensors is in use/);
  }
  await page.reload();
  await text(/no-white\.safetensors is in use/, 60);
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^Not a live person/, 60, file);
  await page.$eval("details", (details) => {
    details.open = true;
  });
  await press("Remove liveness model");
  await text(/^(?!.*is in use)/, 60);
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^(?!Not a live person)\S/, 60, file);
  const kept = await page.evaluate(async () => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const names: string[] = [];
    for await (const [name] of await studio.getDirectoryHandle("recognition")) names.push(name);
    return names;
  });
  expect(kept.filter((name) => name.startsWith("liveness"))).toEqual([]);
});

it(`finds faces with the package that is served beside the page${without}`, { timeout: 180_000 }, async () => {
  const { page, press } = studio;
  await press("Load face finder");
  await text(/Find the face in the picture \(with @vladmandic\/face-api/, 120);
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^No face in view/, 60, file);
  if (!without) {
    await choose(page, "Identify a picture: file", join(portraits, "A000371", "1.jpg"));
    await text(/^(?!No face in view)\S.*Distance/, 60, file);
  }
  await page.locator("::-p-aria([role='checkbox'])").click();
  await choose(page, "Identify a picture: file", path("white.png"));
  await text(/^(?!No face in view)\S/, 60, file);
  const origins = new Set(studio.requests.map((address) => new URL(address).origin));
  expect([...origins].filter((origin) => origin !== new URL(studio.url).origin && origin !== "null")).toEqual([]);
  expect(studio.errors).toEqual([]);
});
