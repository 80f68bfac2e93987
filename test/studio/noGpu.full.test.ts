// Without WebGPU the page shows browsers that have it, and a recorded run.
import { afterAll, beforeAll, expect, it } from "vitest";
import { inEveryLook, openStudio, type Studio, seriousIn } from "./studioPage.ts";

let studio: Studio;
beforeAll(async () => {
  // No GPU, and no software adapter either.
  const none = ["--disable-gpu", "--disable-software-rasterizer", "--use-webgpu-adapter=default"];
  studio = await openStudio({ args: () => none });
  await studio.page.goto(studio.url);
}, 60_000);
afterAll(() => studio?.close());

it("says so on every tab, names browsers that have it, and shows a recorded run", { timeout: 60_000 }, async () => {
  const { line } = await studio.until(({ line }) => line === "No WebGPU in this browser", 30);
  expect(line).toBeTruthy();
  for (const tab of ["Data", "Train", "Evaluate", "Recognize", "This GPU"]) {
    await studio.press(tab, "tab");
    await studio.page.waitForFunction(() => document.querySelectorAll(".chart canvas").length === 3, {
      timeout: 10_000,
    });
    const text = await studio.page.evaluate(() => document.querySelector("main")!.textContent!);
    for (const name of ["Chrome", "Safari", "Firefox"]) expect(text).toContain(name);
    expect(text).toMatch(/WebGPU found no adapter/);
    expect(text).toMatch(/384 drawn pictures of 48 people .* AUC 0\.9\d\d/);
  }
  await inEveryLook(studio.page, "no-gpu", async (look) => expect(await seriousIn(studio.page, look)).toEqual([]));
  expect(studio.errors).toEqual([]);
});
