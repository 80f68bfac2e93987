// From drawn faces to live identification: train briefly, evaluate, enroll, and recognize a drawn face in a fake
// camera; invalid files; the benchmark.

import { readFile, writeFile } from "node:fs/promises";
import { InferenceSession } from "onnxruntime-web";
import { afterAll, beforeAll, expect, it } from "vitest";
import { cameraArguments, film, pictureFiles } from "./fakeCamera.ts";
import { choose, dismissed, inEveryLook, openStudio, type Studio, seriousIn, set } from "./studioPage.ts";

let studio: Studio;
const path = (name: string) => studio.path(name);
const text: Studio["text"] = (...asked) => studio.text(...asked);

beforeAll(async () => {
  studio = await openStudio({
    args: (path) => cameraArguments(path("camera.mjpeg")),
    prepare: (path) => film(path("camera.mjpeg")),
  });
  const session = await studio.browser.target().createCDPSession();
  await session.send("Browser.setDownloadBehavior", { behavior: "allow", downloadPath: path("") });
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());

async function name(person: string): Promise<void> {
  await studio.page.locator("#enroll-name").fill(person);
}

async function saved(file: string, seconds = 30): Promise<string> {
  for (const end = performance.now() + 1000 * seconds; ; ) {
    const content = await readFile(path(file), "utf8").catch(() => "");
    if (content !== "") return content;
    if (performance.now() > end) throw new Error(`${file} was not saved`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const verdict = "[aria-label='Who it is']";

it("has nothing to evaluate, and no model, before training", { timeout: 60_000 }, async () => {
  await studio.press("Evaluate", "tab");
  await text(/Nothing to evaluate yet/);
  await studio.press("Recognize", "tab");
  await text(/No model yet/);
});

it("trains briefly on drawn faces", { timeout: 300_000 }, async () => {
  await studio.press("Data", "tab");
  await studio.press("Use drawn faces");
  await studio.until(({ line }) => /^Ready: 480/.test(line), 120);
  await studio.press("Train", "tab");
  await set(studio.page, "Steps", 60);
  await studio.press("Start training");
  await studio.until(({ state }) => state === "trained", 200);
});

it("evaluates it on held-out people, with a threshold that keys and the pointer move", {
  timeout: 180_000,
}, async () => {
  const { page } = studio;
  await studio.press("Evaluate", "tab");
  const slider = await page.waitForSelector("[role=slider]", { timeout: 60_000 });
  await page.waitForFunction(() => document.querySelectorAll(".pair img").length >= 8, { timeout: 30_000 });
  const { line } = await studio.until(({ state }) => state === "trained", 60);
  const [auc] = /AUC (0\.\d{3})/.exec(line)!.slice(1);
  await text(new RegExp(`AUC \\(area under the ROC curve\\)\\s*${auc}`)); // the run's curve and its evaluation are of one model and the same pairs
  await inEveryLook(page, "evaluate", async (look) => expect(await seriousIn(page, look)).toEqual([]));

  const at = async () => {
    const [value, meaning] = await slider!.evaluate((one) => [one.ariaValueNow, one.ariaValueText]);
    const shares = /: (.+) % false accepts, (.+) % false rejects/.exec(meaning!)!;
    return { value: Number(value), accepts: Number(shares[1]), rejects: Number(shares[2]) };
  };
  const own = await at();
  await slider!.focus();
  await page.keyboard.press("End");
  expect(await at()).toMatchObject({ accepts: 100, rejects: 0 });
  await page.keyboard.press("Home");
  const least = await at();
  expect(least.accepts).toBe(0);
  expect(least.rejects).toBeGreaterThan(90);
  await page.keyboard.press("PageUp");
  await page.keyboard.press("ArrowRight");
  const moved = await at();
  expect(moved.value).toBeGreaterThan(least.value);
  expect(moved.rejects).toBeLessThanOrEqual(least.rejects);
  await text(/\d+ of \d+ pairs; \d+\.\d % to \d+\.\d %/); // the intervals follow

  const plot = (await (await page.$(".threshold-plot .u-over"))!.boundingBox())!;
  await page.mouse.move(plot.x + plot.width / 4, plot.y + plot.height / 2);
  await page.mouse.down();
  const quarter = await at();
  await page.mouse.move(plot.x + (3 * plot.width) / 4, plot.y + plot.height / 2, { steps: 4 });
  const threeQuarters = await at();
  await page.mouse.up();
  await page.mouse.move(plot.x + plot.width / 8, plot.y + plot.height / 2);
  expect(await at()).toEqual(threeQuarters); // the pointer was released
  expect(threeQuarters.value).toBeGreaterThan(quarter.value);
  expect(threeQuarters.accepts).toBeGreaterThan(quarter.accepts);

  await studio.press("Reset");
  expect((await at()).value).toBe(own.value);
  await page.keyboard.press("Tab");
  await slider!.focus();
  await page.keyboard.press("PageUp");
  await studio.press("Use this threshold");
  await text(/current threshold of the model/, 60);
  expect((await at()).value).toBeGreaterThan(own.value);
  expect(
    await page.evaluate(() => document.activeElement!.closest("section.card h2, section.card")?.textContent),
  ).toMatch(/^Threshold/);

  await studio.press("Save report");
  const today = new Date().toISOString().slice(0, 10);
  const report = await saved(`Evaluation of Run 1, ${today}.html`, 60);
  expect(report).toContain(`Date: ${today}`);
  expect(report).toMatch(/Settings of the training: .*Steps: 60/);
  expect(report).toMatch(/<br>distance \d\.\d{3}<br>\d+ % likely the same person/);
  expect(report).toMatch(/^<!doctype html>/);
  expect(report).toContain("Detection error trade-off");
  expect(report).toContain("data:image/png;base64,");
  expect(report).not.toMatch(/<script|src="http/);
});

it("enrolls from the camera and from files, and recognizes live", { timeout: 240_000 }, async () => {
  const { page } = studio;
  await studio.press("Recognize", "tab");
  await page.waitForSelector("#enroll-name", { timeout: 60_000 });
  expect(await page.$eval("video", ({ srcObject }) => srcObject)).toBeNull(); // the camera does not start automatically
  await studio.press("Start camera");
  await page.waitForFunction(() => document.querySelector("video")!.videoWidth > 0, { timeout: 30_000 });
  await name("<b>Ada</b>");
  await studio.press("Take 5");
  await page.waitForFunction(() => document.querySelectorAll(".tray li").length === 5, { timeout: 30_000 });
  await studio.press("Enroll");
  await text(/<b>Ada<\/b>\u2069: 5 pictures enrolled/, 60);
  expect(await page.$("main b")).toBeNull(); // a name is text

  const gray = Buffer.concat([Buffer.from("P5\n16 16\n255\n"), Buffer.alloc(256, 99)]);
  await writeFile(path("gray.pgm"), gray); // a format that browsers do not show
  await choose(page, "Pictures to enroll", path("gray.pgm"));
  await page.waitForFunction(() => document.querySelector<HTMLImageElement>(".tray img[alt='gray.pgm']")?.naturalWidth);
  await studio.press("Remove gray.pgm");

  await name("Bob");
  await choose(page, "Pictures to enroll", ...(await pictureFiles(101, 3, (n) => path(`bob-${n}.png`))));
  await studio.press("Enroll");
  await text(/Bob\u2069: 3 pictures enrolled/, 60);

  await text(/^<b>Ada<\/b>Distance\d\.\d{3}.*Probability(over )?\d+ %/, 60, verdict);
  await inEveryLook(page, "recognize", async (look) => expect(await seriousIn(page, look)).toEqual([]));

  await choose(page, "Identify a picture: file", path("bob-1.png"));
  await text(/^Bob/, 60, "[aria-label='Who is on the picture']");

  await studio.press("Forget <b>Ada</b>");
  await studio.press("Yes, forget");
  await page.waitForFunction(() => document.activeElement?.ariaLabel === "Forget Bob", { timeout: 10_000 });
  await text(/^(?!.*Ada)/, 60, verdict);
  await text(/^(?!.*Ada).*(Unknown|Bob)/, 60, verdict);
  const ended = await page.evaluateHandle(() =>
    (document.querySelector("video")!.srcObject as MediaStream).getTracks(),
  );
  await studio.press("Stop camera");
  await page.waitForFunction(() => document.querySelector("video")!.srcObject === null, { timeout: 10_000 });
  expect(await ended.evaluate((tracks) => tracks.map(({ readyState }) => readyState))).toEqual(["ended"]);
});

it("exports, imports, and rejects invalid files without changing anything", { timeout: 180_000 }, async () => {
  const { page } = studio;
  const broken = async (file: string, content: string | Uint8Array) => {
    await writeFile(path(file), content);
    return path(file);
  };
  const alert = () => dismissed(studio);
  await studio.press("Export gallery");
  const gallery = JSON.parse(await saved("Gallery of Run 1.json"));
  expect(gallery).toMatchObject({ format: "twingrad-gallery", people: [{ name: "Bob" }] });
  await studio.press("Export model");
  await saved("Run 1.safetensors");
  const model = await readFile(path("Run 1.safetensors"));
  await studio.press("Export ONNX");
  await saved("Run 1.onnx");
  const onnx = await InferenceSession.create(await readFile(path("Run 1.onnx")));
  expect([onnx.inputNames, onnx.outputNames]).toEqual([["images"], ["embedding"]]);

  await choose(page, "Import gallery: file", await broken("none.json", "{"));
  expect(await alert()).toMatch(
    /^none\.json could not be imported, and nothing has changed: this is not a gallery: it is not a JSON/,
  );
  const other = { ...gallery, model: "0".repeat(64) };
  await choose(page, "Import gallery: file", await broken("other.json", JSON.stringify(other)));
  expect(await alert()).toMatch(/^other\.json could not be imported.*another model/);
  await choose(page, "Import model: file", await broken("picture.safetensors", await readFile(path("bob-0.png"))));
  expect(await alert()).toMatch(/^picture\.safetensors could not be imported, and nothing has changed: /);
  const flipped = Uint8Array.from(model);
  flipped[flipped.length - 10] ^= 1;
  await choose(page, "Import model: file", await broken("flipped.safetensors", flipped));
  expect(await alert()).toMatch(/damaged after it was written/);
  await choose(page, "Import model: file", await broken("cut.safetensors", model.subarray(0, model.length / 2)));
  expect(await alert()).toMatch(/^cut\.safetensors could not be imported, and nothing has changed: /);
  await choose(page, "Import model: file", await broken("empty.safetensors", ""));
  expect(await alert()).toMatch(/^empty\.safetensors could not be imported, and nothing has changed: /);
  await choose(page, "Choose liveness model: file", path("Run 1.safetensors"));
  expect(await alert()).toMatch(/^Run 1\.safetensors could not be imported/);

  await name("Carl");
  await choose(page, "Pictures to enroll", await broken("carl.png", "no picture"));
  await studio.press("Enroll");
  await text(/carl\.png: /, 60);
  await text(/1 person in the gallery/); // Bob, as before

  const more = { ...gallery, people: [{ ...gallery.people[0], name: "Dora" }] };
  await choose(page, "Import gallery: file", await broken("more.json", JSON.stringify(more)));
  await text(/1 person imported from more\.json/, 60);
  await text(/2 people in the gallery/);
  await page.reload(); // they are kept
  await text(/2 people in the gallery/, 90);
  await choose(page, "Import model: file", path("Run 1.safetensors"));
  await text(/Run 1 \(imported\)/, 60);
  await text(/2 people in the gallery/); // it is the same model
});

it("describes and benchmarks the GPU", { timeout: 300_000 }, async () => {
  const { page } = studio;
  await studio.press("This GPU", "tab");
  await text(/Limits \(\d\d\)/, 60);
  await studio.press("Run benchmark");
  await text(/Benchmark: checking S/, 60);
  await studio.press("Cancel");
  await page.waitForSelector("::-p-aria([name='Run benchmark'][role='button'])", { timeout: 60_000 });
  await page.waitForFunction(() => document.documentElement.dataset.state === "trained", { timeout: 60_000 });
  await studio.press("Run benchmark");
  await text(/computes correctly/, 200);
  await inEveryLook(page, "gpu", async (look) => expect(await seriousIn(page, look)).toEqual([]));
  await studio.press("Save as JSON");
  const result = JSON.parse(await saved("twingrad-benchmark.json"));
  expect(result).toMatchObject({ correct: true, left: [] });
  expect(result.seconds).toBeLessThan(120);
  expect(result.steps.map(({ name }: { name: string }) => name)).toEqual(["S", "M"]);
});

it("requests nothing beyond its own origin, and stores nothing after Delete everything", {
  timeout: 60_000,
}, async () => {
  await studio.press("Data", "tab");
  await studio.press("Delete everything");
  await studio.press("Yes, delete all");
  await studio.until(({ line }) => line === "Ready. Add pictures to begin.", 60);
  await studio.press("Recognize", "tab");
  await text(/No model yet/);
  const origins = new Set(studio.requests.map((address) => new URL(address).origin));
  expect([...origins].filter((origin) => origin !== new URL(studio.url).origin && origin !== "null")).toEqual([]);
  expect(studio.errors).toEqual([]);
});
