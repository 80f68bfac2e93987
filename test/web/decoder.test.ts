// Pictures decoded in a page's workers by the browser's decoders, compared with sharp in Node.
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page } from "puppeteer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { type Served, serve } from "../../scripts/chrome/serve.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { balancedPairs } from "../../src/data/sampling/balanced.ts";
import { decodePicture } from "../../src/node/files/images.ts";
import { take } from "../data/stubDataset.ts";

let browser: Browser;
let page: Page;
let server: Served;

beforeAll(async () => {
  const at = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const { outputFiles } = await build({
    entryPoints: { page: at("decoderPage.ts"), "decoder.worker": at("../../src/web/decoder.worker.ts") },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    outdir: "/",
    logLevel: "error",
    ignoreAnnotations: true, // the package is free of side effects; the page, which sets a global, is not
  });
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]));
  files.set("/index.html", '<!doctype html><script type="module" src="/page.js"></script>');
  server = await serve(files);
  browser = await launchChrome();
  page = await browser.newPage();
  await page.goto(server.url);
  await page.waitForFunction(() => globalThis.decoding !== undefined);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const inPage = (bytes: Uint8Array, size: ImageSize, raw?: ImageSize) =>
  page.evaluate((base64, size, raw) => globalThis.decoding.decode(base64, size, raw), base64(bytes), size, raw);
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString("base64");

/** Smooth colors that differ from corner to corner: a rotated, mirrored or differently cropped picture is noticed. */
function drawn(width: number, height: number, channels: 3 | 4) {
  const pixels = Buffer.alloc(width * height * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x / (width - 1), y / (height - 1)];
      const color = [255 * u, 255 * v, 255 * (1 - u) * v, 255 * (0.3 + 0.7 * u)];
      for (let c = 0; c < channels; c++) pixels[(y * width + x) * channels + c] = color[c];
    }
  }
  return sharp(pixels, { raw: { width, height, channels } });
}

async function pictures(): Promise<[string, Uint8Array, ImageSize][]> {
  const pgm = Buffer.concat([Buffer.from("P5 20 10 255\n"), Buffer.from(Array.from({ length: 200 }, (_, i) => i))]);
  return [
    ["JPEG", await drawn(60, 40, 3).jpeg({ quality: 95 }).toBuffer(), [40, 60, 3]],
    ["JPEG, smaller and cropped", await drawn(160, 100, 3).jpeg({ quality: 95 }).toBuffer(), [28, 23, 3]],
    [
      "JPEG that lies on its side",
      await drawn(60, 40, 3).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      [60, 40, 3],
    ],
    ["colors in gray", await drawn(60, 40, 3).png().toBuffer(), [40, 60, 1]],
    ["transparent PNG", await drawn(48, 48, 4).png().toBuffer(), [24, 24, 3]],
    ["WebP", await drawn(50, 50, 3).webp({ quality: 95 }).toBuffer(), [25, 25, 3]],
    ["PGM", pgm, [10, 20, 1]],
  ];
}

describe("a page's decoder", () => {
  it("gives the same pixels as Node's, within a few levels, and never on the page's main thread", async () => {
    for (const [name, bytes, size] of await pictures()) {
      const { pixels, message } = (await inPage(bytes, size)) as { pixels?: number[]; message?: string };
      expect(message, name).toBeUndefined();
      const expected = await decodePicture(bytes, size);
      expect(pixels, name).toHaveLength(expected.length);
      const differences = pixels!.map((value, i) => Math.abs(value - expected[i]));
      expect(differences.reduce((sum, d) => sum + d, 0) / differences.length, name).toBeLessThan(2);
      expect(Math.max(...differences), name).toBeLessThan(16);
    }
  });

  it("returns raw pixels unchanged", async () => {
    const pixels = Array.from({ length: 4 * 5 * 3 }, (_, i) => i * 4);
    expect(await inPage(Uint8Array.from(pixels), [4, 5, 3], [4, 5, 3])).toEqual({ pixels });
    expect(await inPage(Uint8Array.from([1, 2, 3]), [4, 5, 3], [4, 5, 3])).toMatchObject({ code: "CORRUPT_FILE" });
  });

  it("rejects an invalid picture with the library's message and code", async () => {
    const jpeg = await drawn(60, 40, 3).jpeg().toBuffer();
    expect(await inPage(new Uint8Array(0), [4, 4, 3])).toEqual({ code: "CORRUPT_FILE", message: "the file is empty" });
    const words = Buffer.from("no picture");
    expect(await inPage(words, [4, 4, 3])).toMatchObject({
      code: "CORRUPT_FILE",
      message: expect.stringMatching(/not a JPEG/),
    });
    const head = jpeg.subarray(0, 30);
    expect(await inPage(head, [4, 4, 3])).toMatchObject({
      code: "CORRUPT_FILE",
      message: expect.stringMatching(/jpeg/),
    });
    expect(await inPage(jpeg, [4, 4, 2])).toMatchObject({
      code: "BAD_INPUT",
      message: expect.stringMatching(/channels 2/),
    });
    // The next picture is decoded.
    expect(await inPage(jpeg, [4, 4, 3])).toMatchObject({ pixels: expect.any(Array) });
  });

  it("feeds the stream of pairs", async () => {
    const labels = [0, 1, 0, 1, 0, 1];
    const files = await Promise.all(
      labels.map((_, i) =>
        sharp({ create: { width: 9, height: 9, channels: 3, background: { r: 30 * i, g: 30 * i, b: 30 * i } } })
          .png()
          .toBuffer(),
      ),
    );
    const [left, right, leftLabels, rightLabels] = await page.evaluate(
      (pictures) => globalThis.decoding.batch(pictures, [2, 2, 1], 5),
      files.map(base64),
    );
    const chosen = take(balancedPairs(labels, { seed: 5 }), 8);
    const stacked = (side: "left" | "right") => chosen.flatMap((pair) => new Array(4).fill(30 * pair[side]));
    expect(left).toEqual(stacked("left"));
    expect(right).toEqual(stacked("right"));
    expect(leftLabels).toEqual(chosen.map((pair) => labels[pair.left]));
    expect(rightLabels).toEqual(chosen.map((pair) => labels[pair.right]));
  });

  it("rejects pending pictures when disposed, and reports a worker that cannot be loaded", async () => {
    const jpeg = base64(await drawn(60, 40, 3).jpeg().toBuffer());
    const [under, later, missing] = await page.evaluate((jpeg) => globalThis.decoding.ends(jpeg), jpeg);
    expect(under).toMatch(/^DISPOSED .* while it decoded/);
    expect(later).toMatch(/^DISPOSED /);
    expect(missing).toMatch(/^BAD_INPUT the worker that decodes pictures failed/);
  });
});
