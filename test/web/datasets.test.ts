// The loaders for pages, in headless Chrome, give the same result as the loaders in Node.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Page } from "puppeteer";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dataset, labelsOf } from "../../src/data/dataset.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { imageFolder } from "../../src/node/files/imageFolders.ts";
import { decodePicture } from "../../src/node/files/images.ts";
import { writeRecords } from "../../src/node/tfrecord/recordWriter.ts";
import { pageScript } from "../bundle.ts";
import { localPage } from "./localPage.ts";

let page: Page;
let folder: string;
let people: Dataset;
const size: ImageSize = [8, 12, 3];
const at = (...parts: string[]) => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-web-"));
  await drawPeople();
  people = await imageFolder(at("people"));
  await writeRecords(at("plain"), people);
  await writeRecords(at("gzip"), people, { compression: "gzip" });
  await writeRecords(at("zlib"), people, { compression: "zlib" });
  page = await localPage(at);
  await page.goto("http://localhost/");
  await page.addScriptTag({ content: await pageScript(join(import.meta.dirname, "datasetsPage.ts")) });
});
afterAll(async () => {
  await page?.browser().close();
  await rm(folder, { recursive: true });
});

/** Lossless pictures, so that both decoders must agree to the last bit. */
async function drawPeople(): Promise<void> {
  for (const [person, format] of [
    ["ada", "png"],
    ["bob", "webp"],
    ["s10", "png"],
    ["s9", "pgm"],
  ] as const) {
    await mkdir(at("people", person), { recursive: true });
    for (let n = 0; n < 2; n++) {
      const gray = Uint8Array.from({ length: 96 }, (_, i) => (40 * n + 2 * i) % 256);
      const rgb = Uint8Array.from({ length: 288 }, (_, i) => (60 * n + i * (person.length + n)) % 256);
      const image = sharp(rgb, { raw: { width: 12, height: 8, channels: 3 } });
      const encoded = format === "png" ? image.png() : image.webp({ lossless: true });
      const bytes = format === "pgm" ? Buffer.concat([Buffer.from("P5 12 8 255\n"), gray]) : await encoded.toBuffer();
      await writeFile(at("people", person, `${n}.${format}`), bytes);
    }
  }
}

const base64 = (path: string) => readFileSync(path, "base64");

async function expected(channels = size) {
  const pictures = await Promise.all(people.items.map(async (item) => [...(await item.decode(channels))]));
  return { identities: people.identities, labels: [...labelsOf(people)], pictures };
}

describe("tfrecords in a page", () => {
  it.each(["plain", "gzip", "zlib"])(
    "reads what Node reads: %s, as File, Blob, Response, and by fetch",
    async (name) => {
      const wanted = await expected();
      for (const how of ["file", "blob", "response", "address"] as const) {
        const input = how === "address" ? `/${name}` : base64(at(name));
        const found = await page.evaluate((...p) => datasets.records(...p), input, how, size);
        expect(found).toMatchObject(wanted);
        const called = {
          file: "faces.tfrecord",
          blob: "the blob",
          response: "the response",
          address: `http://localhost/${name}`,
        };
        expect(found.names[0]).toMatch(new RegExp(`^${called[how]}: record 1: `));
      }
    },
  );

  it("reports corrupt records as in Node", async () => {
    const bytes = await readFile(at("plain"));
    bytes[30] ^= 1;
    const reading = (skip: boolean) =>
      page.evaluate((...p) => datasets.records(...p), bytes.toString("base64"), "file" as const, size, skip);
    await expect(reading(false)).rejects.toThrow(
      /faces\.tfrecord: record 1 at byte 0: the checksum of its data is wrong/,
    );
    const { labels, skipped } = await reading(true);
    expect([labels.length, skipped.length]).toEqual([7, 1]);
    const fetching = page.evaluate((...p) => datasets.records(...p), "/none", "address" as const, size);
    await expect(fetching).rejects.toThrow(/http:\/\/localhost\/none: the response was 404/);
  });
});

describe("imageFiles in a page", () => {
  it("reads a chosen folder as imageFolder reads it, in color and in gray", async () => {
    const files = Object.fromEntries(
      people.items.map(({ name }) => [`chosen/${relative(at("people"), name)}`, base64(name)]),
    );
    const others = { "chosen/notes.txt": "", "chosen/.git/x.png": "", "chosen/ada/.hidden.png": "" };
    const found = await page.evaluate((...p) => datasets.folder(...p), { ...files, ...others }, size);
    expect(found).toMatchObject(await expected());
    const gray = await page.evaluate((...p) => datasets.folder(...p), files, [8, 12, 1] as const);
    const wanted = await expected([8, 12, 1]);
    const differences = gray.pictures.flatMap((pixels, i) => pixels.map((v, j) => Math.abs(v - wanted.pictures[i][j])));
    expect(differences).toHaveLength(8 * 96);
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
  });

  it("crops to boxes as imageFolder does, from a table and from JSON files", async () => {
    const white = await sharp({ create: { width: 10, height: 10, channels: 3, background: "white" } })
      .png()
      .toBuffer();
    const black = sharp({ create: { width: 60, height: 40, channels: 3, background: "black" } });
    const photograph = (
      await black
        .composite([{ input: white, left: 40, top: 25 }])
        .png()
        .toBuffer()
    ).toString("base64");
    const text = (content: string) => Buffer.from(content).toString("base64");
    const files = {
      "chosen/ada/1.png": photograph,
      "chosen/ada/2.png": photograph,
      "chosen/boxes.csv": text("file,x,y,width,height\nada/1.png,40,25,10,10\nada/2.png,0,0,10,10\n"),
      "chosen/ada/2.json": text('{"box":{"xmin":40,"ymin":25,"xmax":50,"ymax":35}}'),
    };
    const crop = { mode: "box" } as const;
    const { pictures } = await page.evaluate((...p) => datasets.folder(...p), files, [8, 8, 1] as const, crop);
    for (const pixels of pictures) expect(Math.min(...pixels)).toBeGreaterThan(200);
    const broken = { ...files, "chosen/ada/2.json": text('{"box":7}') };
    const reading = page.evaluate((...p) => datasets.folder(...p), broken, [8, 8, 1] as const, crop);
    await expect(reading).rejects.toThrow(/ada\/2\.png: ada\/2\.json: Invalid "box" 7/);
  });

  it("names a picture that cannot be decoded", async () => {
    const text = Buffer.from("no picture").toString("base64");
    const reading = page.evaluate((...p) => datasets.folder(...p), { "chosen/ada/1.png": text }, size);
    await expect(reading).rejects.toThrow(/chosen\/ada\/1\.png: this is not a JPEG, PNG, WebP, PGM or PPM file/);
  });
});

const shared = resolve(import.meta.dirname, "../../../shared/data/jpeg");
describe.skipIf(!existsSync(shared))("JPEG files (../shared/data/jpeg)", () => {
  const files = (kind: string) =>
    (existsSync(shared) ? readdirSync(`${shared}/${kind}`) : []).filter((f) => /\.jpe?g$/.test(f));

  it.each([
    ...files("exif-orientation").map((f) => `exif-orientation/${f}`),
    ...files("valid").map((f) => `valid/${f}`),
  ])("%s: Chrome and Node show the same picture", async (file) => {
    const bytes = await readFile(`${shared}/${file}`);
    const { autoOrient } = await sharp(bytes).metadata();
    const own: ImageSize = [autoOrient.height, autoOrient.width, 3];
    const found = await page.evaluate((...p) => datasets.picture(...p), bytes.toString("base64"), own);
    const wanted = await decodePicture(new Uint8Array(bytes), own);
    expect(found).toHaveLength(wanted.length);
    const mean = found.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]), 0) / wanted.length;
    expect(mean).toBeLessThan(2);
  });

  it.each(["broken", "odd", "unsupported"])("%s: each gives pixels or a TwingradError", async (kind) => {
    for (const file of files(kind)) {
      const outcome = await page.evaluate((bytes) => datasets.outcome(bytes), base64(`${shared}/${kind}/${file}`));
      expect(["done", "CORRUPT_FILE"], file).toContain(outcome);
    }
  });
});
if (!existsSync(shared)) it.skip(`no files at ${shared}: these cases are skipped`, () => {});
