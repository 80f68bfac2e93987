// The finder that Node opens, on photographs: what it finds is where it is, however the face stands in the scene.
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FoundFace, Point } from "../../src/data/detection/faceFinder.ts";
import { decodePicture, imageFolder, nodePictures, openFaceFinder } from "../../src/node/index.ts";
import { buildCli, testFolder } from "../cli/builtCli.ts";

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

/** A portrait in a grey scene of 640 x 480, this large, turned by so many degrees about its centre, which lies at (x, y). */
async function scene(portrait: string, scale: number, degrees: number, [x, y]: Point): Promise<Buffer> {
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

  it("are trained on, enrolled and verified by --crop face; what is no face is told by name", async () => {
    const { run: twingrad } = await buildCli(path.join(folder, "cli"));
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
    const centre = ["--on-no-face", "centre"];
    const used = await twingrad("verify", model, pictures[0].name, path.join(people, "p0", "empty.png"), ...centre);
    expect(used.status).toBe(0);
  }, 300_000);
});

/** Pearson's, over all values. */
function correlation(a: Uint8Array, b: Uint8Array): number {
  const mean = (values: Uint8Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    ab += (value - ma) * (b[i] - mb);
    aa += (value - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
