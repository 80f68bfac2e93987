// The demo's faces: the same everywhere, the same person recognisable, and raw pixels no guide to who it is.
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawFaces, facesDataset, numbersOf } from "../../src/cli/demo/faces/index.ts";
import { labelsOf } from "../../src/data/dataset.ts";
import { pairsPerIdentity } from "../../src/data/sampling/evaluationPairs.ts";
import { areaUnderCurve, roc } from "../../src/evaluation/metrics.ts";
import { appearance, person } from "../../src/faces/people.ts";
import { faceConfig } from "../../src/faces/pictureSvg.ts";

const size = 32;
const bytes = size * size * 3;
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

describe("pictures", () => {
  test("are the same bytes on every machine", async () => {
    const images = await drawFaces({ people: 6, pictures: 4, size, seed: 1 });
    expect(sha256(images)).toBe("1a87592271c3cb3b421db51f6b0bf30939b96cb75d4fb11fc3def89f645240a0");
  });

  test("of one person do not depend on how many people or pictures are drawn, or where drawing starts", async () => {
    const many = await drawFaces({ people: 4, pictures: 3, size, seed: 5 });
    const some = await drawFaces({ people: 2, pictures: 2, size, seed: 5, firstPerson: 2 });
    expect(some.subarray(0, 2 * bytes)).toEqual(many.subarray(2 * 3 * bytes, (2 * 3 + 2) * bytes));
    expect(some.subarray(2 * bytes)).toEqual(many.subarray(3 * 3 * bytes, (3 * 3 + 2) * bytes));
  });

  test("differ from seed to seed, person to person and picture to picture", async () => {
    const images = [
      await drawFaces({ people: 2, pictures: 2, size, seed: 1 }),
      await drawFaces({ people: 2, pictures: 2, size, seed: 2 }),
    ].flatMap((set) => [0, 1, 2, 3].map((index) => sha256(set.subarray(index * bytes, (index + 1) * bytes))));
    expect(new Set(images).size).toBe(8);
  });
});

describe("a person", () => {
  const numbers = numbersOf(11);
  const people = Array.from({ length: 60 }, (_, index) => index);
  const looks = (index: number) => {
    const who = person(numbers, index);
    return Array.from({ length: 12 }, (_, picture) => faceConfig(who, appearance(numbers, index, picture, who)));
  };
  const identity = (face: ReturnType<typeof faceConfig>) =>
    JSON.stringify([
      face.fatness,
      face.head.id,
      [face.eye.id, face.eye.size],
      face.nose,
      [face.mouth.id, face.mouth.flip],
      face.ear,
      face.body.color,
      face.hair.color,
      [face.eyebrow.id, face.eyebrow.size],
      face.eyeLine,
    ]);

  test("keeps head, eyes, nose, mouth, ears, skin, hair color and brows in every picture", () => {
    for (const index of people) expect(new Set(looks(index).map(identity)).size).toBe(1);
  });

  test("shares the whole of them with nobody", () => {
    expect(new Set(people.map((index) => identity(looks(index)[0]))).size).toBe(people.length);
  });

  test("changes expression in every picture, and hair, beard and glasses now and then", () => {
    const differing = (feature: (face: ReturnType<typeof faceConfig>) => unknown) =>
      people.filter((index) => new Set(looks(index).map((face) => JSON.stringify(feature(face)))).size > 1).length;
    const everyone = people.length;
    expect(differing((face) => [face.eye.angle, face.eyebrow.angle, face.mouth.angle])).toBe(everyone);
    for (const feature of ["hair", "glasses"] as const) {
      const count = differing((face) => face[feature].id);
      expect(count, feature).toBeGreaterThan(everyone / 6);
      expect(count, feature).toBeLessThan(everyone);
    }
    expect(differing((face) => face.facialHair.id)).toBeGreaterThan(everyone / 12);
  });
});

test("the distance of raw pixels tells people apart better than chance, and badly", async () => {
  const options = { people: 60, pictures: 12, size, seed: 21 };
  const images = await drawFaces(options);
  const labels = labelsOf(facesDataset(images, options));
  const scored = pairsPerIdentity(labels, { perIdentity: 30, seed: 1 }).map(({ left, right, same }) => {
    let distance = 0;
    for (let i = 0; i < bytes; i++) distance += (images[left * bytes + i] - images[right * bytes + i]) ** 2;
    return { distance, same };
  });
  const auc = areaUnderCurve(roc(scored));
  expect(auc).toBeGreaterThan(0.65);
  expect(auc).toBeLessThan(0.85);
});

describe("the cache", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "twingrad-faces-"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const options = () => ({ people: 2, pictures: 2, size, seed: 3, cache: folder });

  test("gives the drawn pictures back without drawing them", async () => {
    const drawn = await drawFaces(options());
    let drawing = 0;
    const onProgress = () => drawing++;
    const many = { ...options(), people: 40 };
    await drawFaces({ ...many, onProgress });
    expect(drawing).toBe(1);
    expect(await drawFaces(options())).toEqual(drawn);
    await drawFaces({ ...many, onProgress });
    expect(drawing).toBe(1);
  });

  test("does not believe a damaged file", async () => {
    const drawn = await drawFaces(options());
    for (const name of await readdir(folder)) {
      const file = await readFile(join(folder, name));
      file[file.length - 1] ^= 1;
      await writeFile(join(folder, name), file);
    }
    expect(await drawFaces(options())).toEqual(drawn);
  });

  test("does not believe what another version drew", async () => {
    const drawn = await drawFaces(options());
    const [name] = (await readdir(folder)).filter((file) => file.includes("-2x2-"));
    const others = await drawFaces({ ...options(), seed: 4, cache: undefined });
    await writeFile(join(folder, name), Buffer.concat([createHash("sha256").update(others).digest(), others]));
    expect(await drawFaces(options())).toEqual(drawn);
  });

  test("a folder that may not be written to is told in one line, or is a typed error, and costs no picture", async () => {
    const drawn = await drawFaces({ ...options(), cache: undefined });
    const denied = "/sys"; // where nobody may make a file
    const told: string[] = [];
    expect(await drawFaces({ ...options(), cache: denied, warn: (text) => told.push(text) })).toEqual(drawn);
    expect(told).toEqual([
      expect.stringMatching(
        /^\/.*px: cannot be written: E(ACCES|PERM|ROFS).*; the pictures are drawn again in the next run$/,
      ),
    ]);
    await expect(drawFaces({ ...options(), cache: denied })).rejects.toMatchObject({ code: "DISK", reason: "denied" });
    const file = join(folder, "a file");
    await writeFile(file, "");
    await expect(drawFaces({ ...options(), cache: file })).rejects.toMatchObject({ code: "BAD_INPUT" });
  });
});

test("a picture is handed out in its own size only", async () => {
  const options = { people: 2, pictures: 1, size, seed: 1 };
  const images = await drawFaces(options);
  const dataset = facesDataset(images, options);
  expect(await dataset.items[1].decode([size, size, 3])).toEqual(images.slice(bytes));
  await expect(dataset.items[1].decode([28, 28, 3])).rejects.toThrow(/person 2, picture 1.*32 x 32 x 3/);
});
