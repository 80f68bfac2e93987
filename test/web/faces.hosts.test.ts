// Faces found in headless Chrome: the package there finds what it finds in Node.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import type { Page } from "puppeteer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { decodePicture, nodePictures, openFaceFinder } from "../../src/node/index.ts";
import { pageScript } from "../bundle.ts";
import { correlation } from "../statistics.ts";
import { localPage } from "./localPage.ts";

const portraits = resolve("../shared/data/portraits");
const there = existsSync(portraits);
const without = there ? "" : ` (skipped: ${portraits} is not here)`;
const models = join(dirname(createRequire(import.meta.url).resolve("@vladmandic/face-api/package.json")), "model");

let page: Page;
beforeAll(async () => {
  page = await localPage((pathname) => join(models, basename(pathname)));
  await page.goto("http://localhost/");
  await page.addScriptTag({ content: await pageScript(join(import.meta.dirname, "facesPage.ts")) });
}, 120_000);
afterAll(() => page?.browser().close());

/** A portrait in a gray scene, turned by so many degrees, as a PNG. */
async function scene(portrait: string, degrees: number): Promise<Buffer> {
  const turned = await sharp(portrait).resize(180).rotate(degrees, { background: "#808080" }).png().toBuffer();
  const background = { create: { width: 640, height: 480, channels: 3 as const, background: "#808080" } };
  return sharp(background)
    .composite([{ input: turned, left: 240, top: 120 }])
    .png()
    .toBuffer();
}

describe.skipIf(!there)(`the package in a page${without}`, () => {
  it("finds what it finds in Node", async () => {
    const finder = await openFaceFinder();
    for (const [person, degrees] of [
      ["A000371", 0],
      ["B000490", 12],
    ] as const) {
      const picture = await scene(join(portraits, person, "1.jpg"), degrees);
      const [wanted] = await finder.find(await nodePictures.whole({ bytes: picture }));
      const found = await page.evaluate((text) => faces.find(text), picture.toString("base64"));
      expect(found).toHaveLength(1);
      for (const [i, [x, y]] of found[0].landmarks!.entries()) {
        const [u, v] = wanted.landmarks![i];
        expect(Math.hypot(x - u, y - v), `${person}, point ${i}`).toBeLessThan(2); // of 180 pixels
      }
      expect(found[0].score).toBeCloseTo(wanted.score, 1);
    }
  }, 120_000);

  it("crops a chosen folder to its faces as Node does, and tells of a picture without one", async () => {
    const size: ImageSize = [64, 64, 3];
    const picture = await scene(join(portraits, "B000490", "1.jpg"), -10);
    const empty = await sharp({ create: { width: 320, height: 240, channels: 3, background: "#808080" } })
      .png()
      .toBuffer();
    const files = { "people/ben/1.png": picture.toString("base64"), "people/ben/2.png": empty.toString("base64") };
    const { names, pictures, faults } = await page.evaluate((...p) => faces.cropped(...p), files, size);
    expect(names).toEqual(["people/ben/1.png"]);
    expect(faults).toEqual([["people/ben/2.png", ["none"], false]]);
    const [face] = await (await openFaceFinder()).find(await nodePictures.whole({ bytes: picture }));
    const crop = { box: face.box, margin: 0, landmarks: face.landmarks! };
    const wanted = await decodePicture({ bytes: picture, crop }, size);
    expect(correlation(pictures[0], wanted)).toBeGreaterThan(0.99);
  }, 120_000);
});

it("the browser's own finder has a name, or is undefined where the browser implements none", async () => {
  expect([undefined, "the browser's FaceDetector"]).toContain(await page.evaluate(() => faces.ownFinder()));
});
