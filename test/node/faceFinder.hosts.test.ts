// The finder that Node opens, on photographs: what it finds is where it is, however the face stands in the scene.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { chooseFace, noseOffset } from "../../src/data/detection/chooseFace.ts";
import type { FoundFace, Point } from "../../src/data/detection/faceFinder.ts";
import { decodePicture, imageFolder, nodePictures, openFaceFinder } from "../../src/node/index.ts";
import { buildCli, testFolder } from "../cli/builtCli.ts";
import { correlation } from "../statistics.ts";

const portraits = path.resolve("../shared/data/portraits");
const here = existsSync(portraits);
const without = here ? "" : ` (skipped: ${portraits} is not here)`;
const side = 112; // of a portrait

let folder: string;
let faces: string[];
beforeAll(async () => {
  folder = testFolder("faces-test");
  await mkdir(folder, { recursive: true });
  if (!here) return;
  const dataset = await imageFolder(portraits);
  faces = dataset.items.filter((_, i) => i % 30 === 0).map(({ name }) => name);
});
afterAll(() => rm(folder, { recursive: true }));

async function found(picture: Uint8Array): Promise<readonly FoundFace[]> {
  const { scale, ...shown } = await nodePictures.whole({ bytes: picture });
  expect(scale).toBe(1);
  return (await openFaceFinder()).find(shown);
}

/** What lies left of a column is narrowed by a factor and the rest moved left; the border is repeated. */
async function leftNarrowed(portrait: string, column: number, factor: number): Promise<Buffer> {
  const { data, info } = await sharp(portrait).raw().toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const middle = column - 0.12 * width;
  const narrowed = Buffer.alloc(data.length);
  for (let i = 0; i < data.length; i++) {
    const [pixel, channel] = [Math.floor(i / channels), i % channels];
    const off = (pixel % width) - middle;
    const from = Math.round(column + (off < 0 ? off / factor : off));
    const x = Math.min(width - 1, Math.max(0, from));
    narrowed[i] = data[(Math.floor(pixel / width) * width + x) * channels + channel];
  }
  return sharp(narrowed, { raw: { width, height, channels } }).png().toBuffer();
}

/** A portrait in a gray scene of 640 x 480, this large, rotated by so many degrees about its center (x, y). */
async function scene(portrait: string | Buffer, scale: number, degrees: number, [x, y]: Point): Promise<Buffer> {
  const turned = await sharp(portrait)
    .resize(Math.round(side * scale))
    .rotate(degrees, { background: "#808080" })
    .png()
    .toBuffer({ resolveWithObject: true });
  const [left, top] = [Math.round(x - turned.info.width / 2), Math.round(y - turned.info.height / 2)];
  const background = { create: { width: 640, height: 480, channels: 3 as const, background: "#808080" } };
  return sharp(background)
    .composite([{ input: turned.data, left, top }])
    .png()
    .toBuffer();
}

describe.skipIf(!here)(`faces in scenes${without}`, () => {
  it("lie where they were put, in any size and a little turned, and are the same face in the frame", async () => {
    const places = [
      { scale: 1, degrees: 0, at: [320, 240] as const },
      { scale: 1.6, degrees: 12, at: [180, 300] as const },
      { scale: 2.4, degrees: -15, at: [400, 200] as const },
    ];
    for (const portrait of faces) {
      const [alone] = await found(await readFile(portrait));
      const size = [side, side, 3] as const;
      const crop = { box: alone.box, margin: 0, landmarks: alone.landmarks! };
      const frame = await decodePicture({ bytes: await readFile(portrait), crop }, [...size]);
      for (const { scale, degrees, at } of places) {
        const picture = await scene(portrait, scale, degrees, at);
        const [face, ...others] = await found(picture);
        expect(others).toEqual([]);
        const angle = (degrees * Math.PI) / 180;
        const put = ([x, y]: Point): Point => {
          const [u, v] = [(x - side / 2) * scale, (y - side / 2) * scale];
          return [at[0] + u * Math.cos(angle) - v * Math.sin(angle), at[1] + u * Math.sin(angle) + v * Math.cos(angle)];
        };
        // The detector is asked twice, in two sizes: its own answers differ by some percent of the face.
        const off = face.landmarks!.map(([x, y], i) => {
          const [u, v] = put(alone.landmarks![i]);
          return Math.hypot(x - u, y - v) / (side * scale);
        });
        expect(Math.max(...off), `${portrait} at ${scale}, ${degrees}`).toBeLessThan(0.12);
        const again = { box: face.box, margin: 0, landmarks: face.landmarks! };
        const seen = await decodePicture({ bytes: picture, crop: again }, [...size]);
        expect(correlation(seen, frame), `${portrait} at ${scale}, ${degrees}`).toBeGreaterThan(0.8);
      }
    }
  }, 300_000);

  it("have the faults that they were given: too small, blurred, several, turned", async () => {
    const faultsOf = async (picture: Buffer) => {
      const shown = await nodePictures.whole({ bytes: picture });
      return chooseFace(await (await openFaceFinder()).find(shown), shown).faults;
    };
    for (const portrait of faces.filter((_, i) => i % 3 === 0)) {
      const plain = await scene(portrait, 1.5, 0, [320, 240]);
      expect(await faultsOf(plain), portrait).toEqual([]);
      expect(await faultsOf(await sharp(plain).blur(3.5).png().toBuffer()), portrait).toEqual(["blurred"]);
      const small = await sharp(plain).resize(128).png().toBuffer(); // a fifth: some nine pixels between the eyes
      expect(await faultsOf(small), portrait).toContain("small"); // and blurred, where there was little detail
      const second = await sharp(portrait).resize(140).png().toBuffer();
      const both = await sharp(plain)
        .composite([{ input: second, left: 10, top: 10 }])
        .png()
        .toBuffer();
      expect(await faultsOf(both), portrait).toEqual(["several"]);
    }
    // As nobody is on two portraits in two poses, a pose is feigned: what lies left of the nose is narrowed to a quarter, as on
    // a face that is turned. The landmarks follow it half-way, so that not every one is past the limit.
    const offsets = { plain: [] as number[], narrowed: [] as number[] };
    for (const portrait of faces) {
      const [face] = await found(await readFile(portrait));
      const narrowed = await scene(await leftNarrowed(portrait, face.landmarks![2][0], 0.25), 1.5, 0, [320, 240]);
      offsets.plain.push(noseOffset((await found(await scene(portrait, 1.5, 0, [320, 240])))[0].landmarks!));
      offsets.narrowed.push(noseOffset((await found(narrowed))[0].landmarks!));
    }
    expect(Math.max(...offsets.plain)).toBeLessThan(0.3);
    expect(offsets.narrowed.filter((offset) => offset > 0.35).length).toBeGreaterThan(faces.length / 5);
    const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(mean(offsets.narrowed) - mean(offsets.plain)).toBeGreaterThan(0.15);
  }, 300_000);

  it("are trained on, enrolled and verified by --crop face; what is no face is told by name", async () => {
    const { run: twingrad, json } = await buildCli(path.join(folder, "cli"));
    const [people, model] = [path.join(folder, "people"), path.join(folder, "model")];
    const known = (await imageFolder(portraits)).items.filter(({ identity }) => identity < 6);
    for (const [n, { identity, name }] of known.entries()) {
      await mkdir(path.join(people, `p${identity}`), { recursive: true });
      await writeFile(
        path.join(people, `p${identity}`, `${n}.png`),
        await scene(name, 1.5, n % 2 ? 10 : -8, [300, 220]),
      );
    }
    const empty = { create: { width: 640, height: 480, channels: 3 as const, background: "#808080" } };
    await sharp(empty)
      .png()
      .toFile(path.join(people, "p0", "empty.png"));
    const train = ["train", people, "--out", model, "--crop", "face", "--image-size", "32", "--filters", "8,8"];
    const quick = ["--embedding", "16", "--steps", "2", "--no-tune", "--validation", "0", "--json"];
    const first = await twingrad(...train, ...quick);
    expect(first.stderr).toMatch(/no face was found, left out: .*empty\.png/);
    expect(first.status).toBe(0);
    expect(existsSync(path.join(people, ".faces.json"))).toBe(true);
    const strict = await twingrad(...train, ...quick, "--on-no-face", "fail", "--out", path.join(folder, "other"));
    expect(strict.status).toBe(1);
    expect(JSON.parse(strict.stdout.trim().split("\n").at(-1)!).error).toMatchObject({ code: "NO_FACE" });
    const pictures = (await imageFolder(people)).items.filter(({ name }) => !name.includes("empty"));
    const same = await twingrad("verify", model, pictures[0].name, pictures[0].name, "--json");
    expect(JSON.parse(same.stdout)).toMatchObject({ same: true });
    const none = await twingrad("verify", model, pictures[0].name, path.join(people, "p0", "empty.png"), "--json");
    expect(JSON.parse(none.stdout).error).toMatchObject({
      code: "NO_FACE",
      message: expect.stringContaining("empty.png"),
    });
    const useCenter = ["--on-no-face", "centre"];
    const used = await twingrad("verify", model, pictures[0].name, path.join(people, "p0", "empty.png"), ...useCenter);
    expect(used.status).toBe(0);

    // Whatever takes a model crops as its training did: the same pictures, of records as of files.
    const evaluated = await json("evaluate", model, people, "--pairs-per-identity", "all", "--resamples", "0");
    expect(evaluated.pairs).toBe((pictures.length * (pictures.length - 1)) / 2);
    expect(evaluated.stderr).toMatch(/no face was found, left out: .*empty\.png/);
    const table = path.join(folder, "faces.csv");
    expect(await json("embed", model, people, "--out", table)).toMatchObject({ rows: pictures.length, length: 16 });
    const records = path.join(folder, "people.tfrecord");
    expect(await json("records", "create", people, records)).toMatchObject({ records: pictures.length + 1 });
    const ofRecords = path.join(folder, "records.csv");
    const embedded = await json("embed", model, records, "--out", ofRecords);
    expect(embedded).toMatchObject({ rows: pictures.length });
    expect(existsSync(`${records}.faces.json`)).toBe(true);
    const values = async (file: string) =>
      (await readFile(file, "utf8"))
        .trim()
        .split("\n")
        .map((line) => line.split(",").slice(-16).join());
    expect((await values(ofRecords)).sort()).toEqual((await values(table)).sort());
    const again = await json("evaluate", model, records, "--pairs-per-identity", "all", "--resamples", "0");
    expect(again).toMatchObject({ pairs: evaluated.pairs, auc: evaluated.auc });
  }, 300_000);
});
